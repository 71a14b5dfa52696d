"""A crowd of visitors at once, over real connections; each knows what it should be told."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field

from abmiddleware import Engine, MemorySink
from abmiddleware.identity import Visitor
from tests.faults.crowd_apps import EXPERIMENTS

_KEYS = ("button", "colour", "plan")


@dataclass
class Crowd:
    """Asks so many times, so many at once.

    Of ten visitors one has no cookie yet, one is gone before its answer comes, and one meets an
    error of the page.
    """

    port: int
    requests: int
    at_once: int
    path: str = "/"
    #: The visitor's id and its account by the number of the request, where it is known.
    ids: dict[int, str] = field(default_factory=dict)
    accounts: dict[int, str] = field(default_factory=dict)
    #: What was wrong, in words.
    mixed: list[str] = field(default_factory=list)
    #: How the requests went.
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._engine = Engine(EXPERIMENTS, sink=MemorySink())
        self._left = iter(range(self.requests))

    def come(self) -> None:
        """Ask all."""
        asyncio.run(self._come())

    async def _come(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._visit())

    async def _visit(self) -> None:
        for number in self._left:
            try:
                await asyncio.wait_for(self._ask(number), 60)
            except ConnectionError as error:
                self.outcomes[type(error).__name__] += 1

    async def _ask(self, number: int) -> None:
        visitor = None if number % 10 == 1 else Visitor.issue()
        account = self.accounts[number] = f"account {random.randrange(1000)}"  # noqa: S311
        if visitor is not None:
            self.ids[number] = visitor.id
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            cookie = f"cookie: ab_id={visitor.value()}\r\n" if visitor else ""
            writer.write(
                f"GET {self.path}?number={number} HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n"
                f"x-account: {account}\r\n{cookie}\r\n".encode()
            )
            if number % 10 == 2:
                await asyncio.sleep(random.random() / 100)  # noqa: S311
                writer.transport.abort()
                self.outcomes["gone"] += 1
                return
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        finally:
            writer.close()
        self._check(number, head, body)

    def _check(self, number: int, head: str, body: str) -> None:
        first, *lines = head.split("\r\n")
        status = first.split(" ")[1]
        self.outcomes[status] += 1
        cookies = [
            line.partition(":")[2] for line in lines if line.lower().startswith("set-cookie")
        ]
        if status == "500" and number % 10 == 0:
            return
        if status != "200":
            self.mixed.append(f"{number}: status {status}")
            return
        told = json.loads(body[body.index("{") : body.rindex("}") + 1])  # it may come in chunks
        known = self.ids.get(number)
        if known is None:
            visitor = Visitor.find(cookies[0], "ab_id")
            known = self.ids[number] = visitor.id if visitor else "none"
            cookies = cookies[1:]
        client = self._engine.client(id=known, account=self.accounts[number])
        wanted = {
            "number": number,
            "id": known,
            "account": self.accounts[number],
            **{key: client.run(key).value for key in _KEYS},
        }
        if told != wanted or cookies:
            self.mixed.append(f"{told} with {cookies}, not {wanted}")
