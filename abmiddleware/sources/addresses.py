"""Addresses that no configuration may come from, such as the metadata service of a cloud."""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Names by which machines in a cloud find their metadata service.
_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})
#: Metadata services that have no link-local address.
_SERVICES: Final = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
)
#: IPv6 addresses that end in an IPv4 one, which a gateway connects to.
_GATEWAY: Final = ipaddress.ip_network("64:ff9b::/96")


class Origin(NamedTuple):
    """A server, as an operator configured it."""

    #: Scheme, host, port and path, without a slash at the end; no user and no password.
    url: str
    scheme: str
    host: str
    #: User and password, where the URL had some.
    login: tuple[str, str] | None


def read_origin(argument: str, url: object) -> Origin:
    """Return the parts of a configured URL.

    Args:
        argument: the name of the argument, for the error.
        url: its value.

    Raises:
        ConfigurationError: it is no URL of a server, or one that must not be asked.
    """
    refusal = ConfigurationError(
        f"{argument}: is no URL of a server, must be one such as 'https://cdn.growthbook.io'"
    )
    if not isinstance(url, str) or any(ord(letter) <= 32 for letter in url) or "\\" in url:
        raise refusal
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise refusal
    if is_forbidden(host):
        raise ConfigurationError(
            f"{argument}: is {shown(host)}, must be no link-local address or metadata service"
        )
    place = f"[{host}]" if ":" in host else host
    place = place if port is None else f"{place}:{port}"
    login = None
    if parts.username is not None:
        login = (unquote(parts.username), unquote(parts.password or ""))
    return Origin(f"{parts.scheme}://{place}{parts.path.rstrip('/')}", parts.scheme, host, login)


def is_forbidden(host: str) -> bool:
    """Tell whether a name or an address is link-local, or of a metadata service."""
    name = host.rstrip(".").lower()
    if name in _NAMES or name.startswith("instance-data."):
        return True
    try:
        address: _Address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False  # a name; its addresses are looked at when they are connected to
    address = _within(address)
    return address.is_link_local or address in _SERVICES


def _within(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for; others as they are."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _GATEWAY:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
