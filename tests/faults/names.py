"""A name whose look-up hangs, as when the servers of DNS do not answer."""

from __future__ import annotations

import socket
import time
from typing import Any

NOWHERE = "nowhere.test"


def hang() -> None:
    """Let the look-up of `NOWHERE` take ten minutes in this process, outside of every timeout."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in (NOWHERE, NOWHERE.encode()):
            time.sleep(600)
        return real(host, *arguments, **options)

    socket.getaddrinfo = getaddrinfo
