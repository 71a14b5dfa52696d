"""Every store over a real backend, asked in one way: an async one is awaited here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from abmiddleware.sticky import (
    AsyncRedisStickyStore,
    AsyncSQLStickyStore,
    AsyncStickyStore,
    CookieStickyStore,
    MemoryStickyStore,
    RedisStickyStore,
    SQLStickyStore,
    StickyDocument,
    StickyStore,
)

T = TypeVar("T")

#: Seconds that a test waits for its backend, which a busy machine may need.
PATIENCE = 60
SECRET = "0123456789abcdefghijklmnopqrstuv"  # noqa: S105  # of no use anywhere else


class Awaited:
    """An async store as a plain one."""

    def __init__(self, store: AsyncStickyStore, runner: asyncio.Runner) -> None:
        self.store = store
        self._runner = runner

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        return self.run(self.store.load(keys))

    def save(self, document: StickyDocument) -> None:
        self.run(self.store.save(document))

    def save_at_once(self, documents: Sequence[StickyDocument]) -> None:
        async def save_all() -> None:
            eight = asyncio.Semaphore(8)

            async def save(document: StickyDocument) -> None:
                async with eight:
                    await self.store.save(document)

            await asyncio.gather(*map(save, documents))

        self.run(save_all())

    def run(self, awaited: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(awaited)


def save_at_once(store: StickyStore, documents: Sequence[StickyDocument]) -> None:
    """Save documents from eight threads, or eight at once in one."""
    if isinstance(store, Awaited):
        store.save_at_once(documents)
        return
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(store.save, documents))


@contextmanager
def memory(_: str) -> Iterator[StickyStore]:
    yield MemoryStickyStore()


@contextmanager
def cookie(_: str) -> Iterator[StickyStore]:
    yield CookieStickyStore(SECRET).open("")


@contextmanager
def redis(address: str) -> Iterator[StickyStore]:
    with Redis.from_url(address, socket_timeout=PATIENCE) as client:
        yield RedisStickyStore(client)


@contextmanager
def async_redis(address: str) -> Iterator[StickyStore]:
    with asyncio.Runner() as runner:
        client = AsyncRedis.from_url(address, socket_timeout=PATIENCE)
        try:
            yield Awaited(AsyncRedisStickyStore(client), runner)
        finally:
            runner.run(client.aclose())


@contextmanager
def sql(address: str) -> Iterator[StickyStore]:
    engine = create_engine(address, connect_args=_patience(address))
    store = SQLStickyStore(engine)
    try:
        store.create_table()
        yield store
    finally:
        engine.dispose()


@contextmanager
def async_sql(address: str) -> Iterator[StickyStore]:
    with asyncio.Runner() as runner:
        engine = create_async_engine(address, connect_args=_patience(address))
        store = AsyncSQLStickyStore(engine)
        try:
            runner.run(store.create_table())
            yield Awaited(store, runner)
        finally:
            runner.run(engine.dispose())


def _patience(address: str) -> dict[str, int]:
    return {"timeout": PATIENCE} if address.startswith("sqlite") else {}


Opened = Callable[[str], Any]

#: How a store is opened, and what its address begins with: `{redis}` and so on are the servers'.
PLACES: dict[str, tuple[Opened, str]] = {
    "memory": (memory, ""),
    "cookie": (cookie, ""),
    "redis": (redis, "{redis}"),
    "redis-text": (redis, "{redis}?decode_responses=True"),
    "sqlite": (sql, "sqlite:///{directory}/sticky.db"),
    "postgres": (sql, "postgresql+psycopg://{postgres}"),
    "async-redis": (async_redis, "{redis}"),
    "async-redis-text": (async_redis, "{redis}?decode_responses=True"),
    "async-sqlite": (async_sql, "sqlite+aiosqlite:///{directory}/sticky.db"),
    "async-postgres": (async_sql, "postgresql+psycopg://{postgres}"),
}
#: Those that several processes share.
SHARED = [name for name, (_, address) in PLACES.items() if address]
