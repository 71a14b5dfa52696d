"""The proxy that the environment names for a server, checked before it is needed."""

from __future__ import annotations

from ssl import SSLContext
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.sources.addresses import Origin

_MAX_PORT: Final = 65535


def proxy_of(origin: Origin, httpx2: Any, verify: SSLContext) -> str | None:
    """Return the URL of the proxy by which a server is reached; None where there is none between.

    Args:
        origin: the server.
        httpx2: the client's module.
        verify: what the client knows certificates by.

    Raises:
        ConfigurationError: the client cannot use the proxy.
    """
    named = None if proxy_bypass(origin.host) else getproxies().get(origin.scheme)
    if not named:
        return None
    url = named if "://" in named else f"http://{named}"  # as other clients read it
    try:
        place = httpx2.Proxy(url).url
        is_place = bool(place.host) and (place.port or 0) <= _MAX_PORT
        httpx2.HTTPTransport(verify, proxy=url).close()
    except (httpx2.InvalidURL, ValueError):
        is_place = False
    except ImportError:
        problem = "needs the package socksio; install it with pip install 'httpx2[socks]'"
        raise _refusal(origin, url, problem) from None
    if not is_place:
        raise _refusal(origin, url, "must be a URL, such as 'http://localhost:3128'")
    return url


def _refusal(origin: Origin, url: str, problem: str) -> ConfigurationError:
    """Return the error, which shows neither user nor password."""
    scheme, _, rest = url.partition("://")
    _, at, place = rest.rpartition("@")
    told = shown(f"{scheme}://{'***@' if at else ''}{place}")
    return ConfigurationError(f"{origin.scheme.upper()}_PROXY: is {told}, {problem}")
