"""A real HTTP server on loopback that does as it is told, rightly or wrongly.

Each connection serves one request. What `/api/...` and `/sub/...` answer are two handlers that a
test replaces while the server runs; `sequence` makes one of several.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple, Self


class Request(NamedTuple):
    """What a client asked for, and when it connected, on the monotonic clock."""

    path: str
    headers: Mapping[str, str]
    at: float


class Connection(NamedTuple):
    """One connection, for a handler."""

    socket: socket.socket
    request: Request
    #: Set when the server ends.
    over: threading.Event

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def respond(
        self, body: bytes, status: int = 200, length: int | None = None, **headers: Any
    ) -> None:
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines.append(f"content-length: {len(body) if length is None else length}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "connection: close", "", ""]).encode() + body)


Handler = Callable[[Connection], None]


class Server:
    """Listens until its `with` ends.

    Args:
        tls: makes it a server of HTTPS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.api: Handler = status(404)
        self.sub: Handler = status(404)
        self.requests: list[Request] = []
        #: Connections accepted, with or without a request.
        self.accepted: list[float] = []
        self._tls = tls
        self._over = threading.Event()
        self._seen = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.down()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def runs(self, thread: threading.Thread) -> bool:
        """Tell whether a thread is the server's."""
        return thread in self._threads

    def up(self) -> None:
        """Listen, again on the port that it had."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def down(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Cut the connections that are open."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def asked(self, part: str) -> list[Request]:
        """Return the requests of a part so far: `api` or `sub`."""
        return [one for one in list(self.requests) if one.path.startswith(f"/{part}/")]

    def require_connection(self, timeout: float = 10.0) -> Request:
        """Wait for the next request that this method has not returned yet."""
        end = monotonic() + timeout
        while len(self.requests) <= self._seen:
            assert monotonic() < end, "no connection came"
            self._over.wait(0.005)
        self._seen += 1
        return self.requests[self._seen - 1]

    def require_no_more_connections(self, seconds: float = 0.1) -> None:
        """Wait, and see no connection come beyond those that were required."""
        end = monotonic() + seconds
        while monotonic() < end:
            assert len(self.requests) == self._seen
            self._over.wait(0.005)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._over.is_set():
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            self.accepted.append(monotonic())
            self._start(self._serve, accepted)

    def _serve(self, accepted: socket.socket) -> None:
        at = monotonic()
        connection = accepted
        try:
            if self._tls is not None:
                accepted.settimeout(10)
                connection = self._tls.wrap_socket(accepted, server_side=True)
            with connection:
                self._open.append(connection)
                with suppress(OSError):
                    self._answer(connection, at)
                self._open.remove(connection)
        except OSError:
            accepted.close()  # the client did not like the certificate

    def _answer(self, connection: socket.socket, at: float) -> None:
        handler: Handler | None = None
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = connection.recv(65536)
            if not chunk:
                return
            head += chunk
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        request = Request(first.split(" ")[1], headers, at)
        handler = self.sub if request.path.startswith("/sub/") else self.api
        self.requests.append(request)
        handler(Connection(connection, request, self._over))


def flag(value: object, **more: object) -> dict[str, Any]:
    """Return a payload with one feature, `flag`."""
    return {"status": 200, "features": {"flag": {"defaultValue": value}}, **more}


def payload(content: object, *, etag: str = "", compress: bool = False, **headers: Any) -> Handler:
    """Answer with a payload; with 304 where the client has it."""
    body = json.dumps(content).encode()
    if compress:
        body, headers["content_encoding"] = gzip.compress(body), "gzip"
    if etag:
        headers["etag"] = etag

    def handle(connection: Connection) -> None:
        if etag and connection.request.headers.get("if-none-match") == etag:
            connection.respond(b"", 304)
        else:
            connection.respond(body, **headers)

    return handle


def streaming(content: object, **headers: Any) -> Handler:
    """Answer with a payload, and offer a stream."""
    return payload(content, x_sse_support="enabled", **headers)


def raw(body: bytes, **headers: Any) -> Handler:
    """Answer with any bytes."""
    return lambda connection: connection.respond(body, **headers)


def status(code: int, **headers: Any) -> Handler:
    """Answer with an error, or with a redirect."""
    return lambda connection: connection.respond(b'{"error":"no"}', code, **headers)


def truncated(connection: Connection) -> None:
    """Send less than was announced."""
    connection.respond(b'{"features":{"flag":', length=1000)


def reset(connection: Connection) -> None:
    """Reset the connection."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def accept_and_close(_: Connection) -> None:
    """Close without an answer."""


def hang(connection: Connection) -> None:
    """Never answer."""
    connection.socket.settimeout(0.05)
    while not connection.over.is_set():
        try:
            if not connection.socket.recv(1):
                return
        except TimeoutError:
            continue


def drip(content: bytes, *, pause: float = 0.02) -> Handler:
    """Send bytes one by one."""

    def handle(connection: Connection) -> None:
        for byte in content:
            if connection.over.wait(pause):
                return
            connection.send(bytes([byte]))

    return handle


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def event(content: object, name: str = "features") -> bytes:
    """Return a server-sent event; of bytes as they are, of anything else as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def stream(*pieces: bytes, hold: bool = True, head: bytes = STREAM_HEAD) -> Handler:
    """Open a stream, send the pieces, and leave it open, or close it."""

    def handle(connection: Connection) -> None:
        connection.send(head)
        for piece in pieces:
            connection.send(piece)
        if hold:
            hang(connection)

    return handle


def sequence(handlers: Sequence[Handler]) -> Handler:
    """Answer each request by the next handler; the last one stays."""
    left = list(handlers)
    lock = threading.Lock()

    def handle(connection: Connection) -> None:
        with lock:
            handler = left.pop(0) if len(left) > 1 else left[0]
        handler(connection)

    return handle
