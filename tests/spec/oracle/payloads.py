"""Section 18.4: the decryption of payloads."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def decrypt(encrypted: str, key: str) -> str | None:
    """18.4: the plain text, or null for every failure."""
    try:
        parts = encrypted.split(".")
        if len(parts) != 2:
            return None
        initial, body, secret = (base64.b64decode(part, validate=True) for part in (*parts, key))
        if len(initial) != 16 or len(secret) != 16:
            return None
        reader = Cipher(algorithms.AES128(secret), modes.CBC(initial)).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        padded = reader.update(body) + reader.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        return None
