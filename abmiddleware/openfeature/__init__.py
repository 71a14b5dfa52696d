"""An OpenFeature provider: code written to OpenFeature is decided and recorded here."""

from __future__ import annotations

try:
    from abmiddleware.openfeature.provider import ABMiddlewareProvider
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "openfeature":
        raise
    raise ImportError(
        "abmiddleware.openfeature needs the package openfeature-sdk, which is not installed: "
        "pip install 'abmiddleware[openfeature]'"
    ) from None

__all__ = ["ABMiddlewareProvider"]
