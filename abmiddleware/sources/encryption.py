"""Encrypted sections of GrowthBook's payloads (specification, 18.4)."""

from __future__ import annotations

import base64
from typing import Any, Final

from abmiddleware.exceptions import ABMiddlewareError, ConfigurationError
from abmiddleware.extras import required

#: Bytes of a key, of an initialisation vector, and of a block.
_BLOCK: Final = 16
_CIPHERS: Final = "cryptography.hazmat.primitives.ciphers"
_PADDING: Final = "cryptography.hazmat.primitives.padding"


class DecryptionError(ABMiddlewareError, ValueError):
    """A text cannot be decrypted; why is not told, since that helps who guesses."""

    def __init__(self) -> None:
        super().__init__("cannot be decrypted: the key is another one, or the text is damaged")


def check_key(key: object) -> str:
    """Return a decryption key, once all that decrypting needs is there.

    Raises:
        ConfigurationError: it is no key, or the package cryptography is missing.
    """
    for module in (_CIPHERS, _PADDING):
        required(module, "crypto", "decryption_key")
    try:
        _secret(key)
    except (ValueError, AttributeError):
        raise ConfigurationError(
            "decryption_key: is no key, must be the base64 text of 16 bytes that GrowthBook shows "
            "for the SDK connection"
        ) from None
    return str(key)


def decrypt(encrypted: str, key: str) -> str:
    """Return the plain text of `base64(iv).base64(ciphertext)`: AES-128 in CBC mode, PKCS#7.

    Args:
        encrypted: the text as it is in a payload.
        key: the base64 text of 16 bytes.

    Raises:
        DecryptionError: the text or the key is malformed, or they do not belong together.
        ConfigurationError: the package cryptography is missing.
    """
    ciphers = required(_CIPHERS, "crypto", "decrypt")
    padding = required(_PADDING, "crypto", "decrypt")
    try:
        vector, text = map(_bytes_of, encrypted.split("."))
        cipher = ciphers.Cipher(ciphers.algorithms.AES(_secret(key)), ciphers.modes.CBC(vector))
        decryptor = cipher.decryptor()
        padded = decryptor.update(text) + decryptor.finalize()
        unpadder = padding.PKCS7(8 * _BLOCK).unpadder()
        plain: bytes = unpadder.update(padded) + unpadder.finalize()
        return plain.decode()
    except (ValueError, TypeError, AttributeError):
        raise DecryptionError from None


def _secret(key: Any) -> bytes:
    secret = _bytes_of(key)
    if len(secret) != _BLOCK:  # AES would take longer ones, GrowthBook has none
        raise ValueError
    return secret


def _bytes_of(text: str) -> bytes:
    """Decode base64; characters outside its alphabet are refused."""
    return base64.b64decode(text.encode("ascii"), validate=True)
