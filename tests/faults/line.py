"""The network between a process and a server, which can be cut, held up and forgotten."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType
from typing import Self


class Line:
    """Passes connections on to a server.

    Args:
        port: the server's, on this host.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        #: Set while bytes pass.
        self._passes = threading.Event()
        self._refuses = self._over = False
        #: Counted up when the connections that there are fall silent for ever.
        self._age = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._passes.set()
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over = True
        self.down()
        self._passes.set()

    def up(self) -> None:
        """Let all pass."""
        self._refuses = False
        self._passes.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self) -> None:
        """Close the port, and cut what there is."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._cut()

    def hang(self) -> None:
        """Pass nothing on, until all pass again."""
        self._passes.clear()

    def reset(self) -> None:
        """Take connections, and cut them at once."""
        self._refuses = True
        self._cut()

    def forget(self) -> None:
        """Leave the connections that there are silent for ever; new ones pass."""
        self._age += 1

    def _cut(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            _reset(end)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if self._refuses:
                _reset(client)
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [client, server]
            for one, other in ((client, server), (server, client)):
                arguments = (one, other, self._age)
                threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, age: int) -> None:
        try:
            while block := one.recv(65536):
                self._passes.wait()
                if self._over:
                    return
                if age == self._age:
                    other.sendall(block)
            if age == self._age:
                other.shutdown(socket.SHUT_WR)
        except OSError:  # cut
            pass


def _reset(end: socket.socket) -> None:
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
