"""Texts that this service made: signed, so that browsers may keep them and not change them."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from abmiddleware.exceptions import ConfigurationError

#: The content, then the signature.
_FORM: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)


class Signer:
    """Signs texts, and knows its own ones.

    Args:
        secrets: the first one signs, each of them verifies.
        purpose: a signature of anything else under the same secret is worth nothing here.

    Raises:
        ConfigurationError: there is no secret, or one that could be guessed.
    """

    def __init__(self, secrets: object, purpose: bytes) -> None:
        self._keys = [
            hmac.digest(secret.encode("utf-8", "surrogatepass"), purpose, "sha256")
            for secret in _checked(secrets)
        ]

    def sign(self, content: bytes) -> str:
        """Return a content as a text of letters, digits, `-`, `_` and a dot."""
        body = base64_text(content)
        return f"{body}.{_signature(self._keys[0], body)}"

    def verified(self, text: str) -> tuple[bytes, bool] | None:
        """Return the content of a text, and whether the first secret signed it; None for others'.

        Nothing is decoded before the signature is verified.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        for index, key in enumerate(self._keys):
            if hmac.compare_digest(_signature(key, match[1]), match[2]):
                body = match[1]
                try:
                    return urlsafe_b64decode(body + "=" * (-len(body) % 4)), index == 0
                except ValueError:
                    return None
        return None


def base64_text(data: bytes) -> str:
    """Return bytes in base64url, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _checked(secrets: object) -> Sequence[str]:
    given = [secrets] if isinstance(secrets, str) else secrets
    if not isinstance(given, Sequence) or not given or isinstance(given, bytes):
        kind = type(secrets).__name__  # what it is must not end up in a log
        raise ConfigurationError(f"secret: is a {kind}, must be a text, or a list of texts")
    for index, secret in enumerate(given):
        where = "secret" if given is not secrets else f"secret[{index}]"
        if not isinstance(secret, str):
            raise ConfigurationError(f"{where}: is a {type(secret).__name__}, must be a text")
        if len(secret) < 32:
            raise ConfigurationError(
                f"{where}: has {len(secret)} characters, must have at least 32, such as "
                'python -c "import secrets; print(secrets.token_urlsafe(32))" prints'
            )
    return given


def _signature(key: bytes, body: str) -> str:
    return base64_text(hmac.digest(key, body.encode(), "sha256"))
