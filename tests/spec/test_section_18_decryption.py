"""Section 18.4: the decryption of payloads."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.spec.cases import rows

KEY = bytes(range(16))


def sealed(plain: bytes, *, pad: bool = True, key: bytes = KEY) -> tuple[str, str]:
    """Return IV and body in base64."""
    initial = bytes(range(16, 32))
    padder = padding.PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize() if pad else plain
    writer = Cipher(algorithms.AES(key), modes.CBC(initial)).encryptor()
    body = writer.update(padded) + writer.finalize()
    return base64.b64encode(initial).decode(), base64.b64encode(body).decode()


IV, BODY = sealed(b'{"a": 1}')
TEXT_KEY = base64.b64encode(KEY).decode()
LONG_KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("encrypted", "key", "expected"),
    rows(
        ("a section", f"{IV}.{BODY}", TEXT_KEY, '{"a": 1}'),
        ("no JSON is plain text, too", ".".join(sealed(b"{")), TEXT_KEY, "{"),
        ("nothing at all is plain text, too", ".".join(sealed(b"")), TEXT_KEY, ""),
        ("UTF-8", ".".join(sealed("\u00e9\U0001f98a".encode())), TEXT_KEY, "\u00e9\U0001f98a"),
        ("bad UTF-8 (decrypt-lenient)", ".".join(sealed(b"\xff")), TEXT_KEY, None),
        ("no dot", IV + BODY, TEXT_KEY, None),
        ("a third part (decrypt-lenient)", f"{IV}.{BODY}.x", TEXT_KEY, None),
        ("a third part that is empty", f"{IV}.{BODY}.", TEXT_KEY, None),
        ("junk in the IV (decrypt-lenient)", f"!{IV}.{BODY}", TEXT_KEY, None),
        ("junk in the body (decrypt-lenient)", f"{IV}.{BODY[:4]}!{BODY[4:]}", TEXT_KEY, None),
        ("a line end in the body (decrypt-lenient)", f"{IV}.{BODY}\n", TEXT_KEY, None),
        ("junk in the key (decrypt-lenient)", f"{IV}.{BODY}", f"{TEXT_KEY}!", None),
        ("a short IV", f"{IV[:-4]}.{BODY}", TEXT_KEY, None),
        ("no body", f"{IV}.", TEXT_KEY, None),
        ("a body of no whole blocks", f"{IV}.{BODY[:8]}", TEXT_KEY, None),
        (
            "bad padding",
            ".".join(sealed(b"x" * 16, pad=False)),
            *(TEXT_KEY, None),
        ),
        (
            "a long key (decrypt-lenient)",
            ".".join(sealed(b"{}", key=LONG_KEY)),
            *(base64.b64encode(LONG_KEY).decode(), None),
        ),
        ("no key", f"{IV}.{BODY}", "", None),
        ("letters beyond ASCII", f"{IV}.{BODY}\u00e9", TEXT_KEY, None),
        ("nothing", "", TEXT_KEY, None),
    ),
)
def test_decrypt(implementation: Any, encrypted: str, key: str, expected: str | None) -> None:
    """18.4: the plain text, or one kind of failure for everything that is malformed."""
    assert implementation.decrypt(encrypted, key) == expected
