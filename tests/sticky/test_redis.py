"""What is particular to Redis: the form that SDKs share, round trips, and hostile content."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis, ResponseError
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from abmiddleware import ConfigurationError
from abmiddleware.sticky import AsyncRedisStickyStore, RedisStickyStore, StickyDocument
from tests.backends import free_port
from tests.sticky.test_document import WRITTEN

DOCUMENT = StickyDocument("id", "u1", {"button__0": "1"})


@pytest.fixture(params=["bytes", "text"])
def client(request: pytest.FixtureRequest, empty_redis: str) -> Iterator[Redis]:
    """A client of either kind."""
    with Redis.from_url(empty_redis, decode_responses=request.param == "text") as opened:
        yield opened


def calls(client: Redis) -> dict[str, int]:
    """Return how often each command was called."""
    told = client.info("commandstats")
    assert isinstance(told, dict)
    return {
        name.removeprefix("cmdstat_"): figures["calls"]
        for name, figures in told.items()
        if not name.startswith(
            ("cmdstat_client", "cmdstat_info", "cmdstat_config", "cmdstat_hello")
        )
    }


def test_a_load_is_one_mget(client: Redis) -> None:
    """All documents of a request come in one round trip, and no keys are none."""
    store = RedisStickyStore(client)
    store.load([])
    store.load(["id||u1", "deviceId||d1", "company||c1"])

    assert calls(client) == {"mget": 1}


async def test_an_async_load_is_one_mget(empty_redis: str) -> None:
    """The same holds for the async store."""
    async with AsyncRedis.from_url(empty_redis) as client:
        store = AsyncRedisStickyStore(client)
        await store.load([])
        await store.load(["id||u1", "deviceId||d1"])

    with Redis.from_url(empty_redis) as watcher:
        assert calls(watcher) == {"mget": 1}


def test_a_save_is_one_script(client: Redis) -> None:
    """Once Redis knows the script, a save is one round trip; Redis may forget the script."""
    store = RedisStickyStore(client)
    store.save(DOCUMENT)
    client.config_resetstat()
    store.save(DOCUMENT)
    assert calls(client) == {"evalsha": 1, "get": 1, "set": 1}

    client.script_flush()
    store.save(DOCUMENT)
    assert store.load(["id||u1"]) == {"id||u1": DOCUMENT}


def test_documents_lie_in_growthbooks_form(client: Redis) -> None:
    """The key is the document's, the value its JSON: other SDKs read it."""
    RedisStickyStore(client).save(DOCUMENT)

    assert client.keys() in ([b"id||u1"], ["id||u1"])
    assert json.loads(client.get("id||u1") or "") == {
        "attributeName": "id",
        "attributeValue": "u1",
        "assignments": {"button__0": "1"},
    }


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_documents_of_other_sdks_are_loaded_and_kept(client: Redis, text: str) -> None:
    """What another SDK wrote is loaded, and a save keeps it."""
    client.set("id||é", text)
    store = RedisStickyStore(client)
    assert store.load(["id||é"])["id||é"].assignments == {"a__0": "1"}

    store.save(StickyDocument("id", "é", {"b__0": "0"}))
    assert store.load(["id||é"])["id||é"].assignments == {"a__0": "1", "b__0": "0"}


HOSTILE = {
    "empty": b"",
    "no JSON": b"<html>",
    "no UTF-8": b"\xff\xfe",
    "null": b"null",
    "number": b"7",
    "text": b'"id||u1"',
    "list": b'[{"attributeName":"id"}]',
    "no assignments": b'{"attributeName":"id","attributeValue":"u1"}',
    "list of assignments": b'{"attributeName":"id","attributeValue":"u1","assignments":["1"]}',
    "numeric variation": b'{"attributeName":"id","attributeValue":"u1","assignments":{"old__0":1}}',
    "nested": b'{"attributeName":"id","attributeValue":"u1","assignments":{"old__0":{"a":"b"}}}',
    "numeric value": b'{"attributeName":"id","attributeValue":1,"assignments":{"old__0":"1"}}',
    "another unit's": b'{"attributeName":"id","attributeValue":"u2","assignments":{"old__0":"1"}}',
    "no UTF-8 inside": (
        b'{"attributeName":"id","attributeValue":"u1","assignments":{"old__0":"\xed\xa0\x80"}}'
    ),
    "half of a pair": (
        rb'{"attributeName":"id","attributeValue":"u1","assignments":{"old__0":"\ud800"}}'
    ),
    "NaN": b'{"attributeName":"id","attributeValue":"u1","x":NaN,"assignments":{"old__0":1}}',
    "deep": b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b',"attributeName":"id"}',
    "pickle": b"\x80\x04\x95\x0e\x00",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_document_counts_as_missing(client: Redis, value: bytes) -> None:
    """Nothing is raised, other documents are loaded, and a save makes it a document."""
    store = RedisStickyStore(client)
    other = StickyDocument("deviceId", "d1", {"button__0": "0"})
    store.save(other)
    client.set("id||u1", value)
    assert store.load(["id||u1", "deviceId||d1"]) == {"deviceId||d1": other}

    store.save(DOCUMENT)
    assert store.load(["id||u1"]) == {"id||u1": DOCUMENT}


def test_a_value_of_another_type_counts_as_missing(client: Redis) -> None:
    """A list or a hash under the key of a document is none, and a save replaces it."""
    store = RedisStickyStore(client)
    client.rpush("id||u1", "a")
    assert store.load(["id||u1"]) == {}

    store.save(DOCUMENT)
    assert store.load(["id||u1"]) == {"id||u1": DOCUMENT}


def test_a_prefix_keeps_services_apart(client: Redis) -> None:
    """With a prefix two services share a Redis without sharing assignments."""
    shop, blog = RedisStickyStore(client, prefix="shop:"), RedisStickyStore(client)
    shop.save(DOCUMENT)

    assert client.exists("shop:id||u1")
    assert shop.load(["id||u1"]) == {"id||u1": DOCUMENT}
    assert blog.load(["id||u1"]) == {}


def test_documents_live_as_long_as_the_store_says(client: Redis) -> None:
    """Each save starts the life of a document again; without a ttl it is kept for ever."""
    store = RedisStickyStore(client, ttl=100)
    store.save(DOCUMENT)
    assert 95 <= int(str(client.ttl("id||u1"))) <= 100

    client.expire("id||u1", 10)
    store.save(DOCUMENT)
    assert 95 <= int(str(client.ttl("id||u1"))) <= 100

    RedisStickyStore(client).save(DOCUMENT)
    assert client.ttl("id||u1") == -1


def test_readers_see_no_assignment_vanish(empty_redis: str) -> None:
    """While documents are merged, whoever loads them finds at least what was there before."""
    stop = threading.Event()
    with Redis.from_url(empty_redis) as client:
        store = RedisStickyStore(client)
        store.save(DOCUMENT)
        seen: list[int] = []

        def watch() -> None:
            while not stop.is_set():
                seen.append(len(store.load(["id||u1"])["id||u1"].assignments))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for number in range(200):
            store.save(StickyDocument("id", "u1", {f"exp-{number}__0": "1"}))
        stop.set()
        watcher.join()

    assert seen == sorted(seen)


def test_the_backends_errors_reach_the_caller(client: Redis) -> None:
    """A store hides no failure: the caller counts it and goes on unsticky."""
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(ResponseError, match="used memory > 'maxmemory'"):
            RedisStickyStore(client).save(DOCUMENT)
    finally:
        client.config_set("maxmemory", "0")


#: What the stores' docstrings recommend.
LIMITS: dict[str, Any] = {
    "socket_connect_timeout": 0.2,
    "socket_timeout": 0.1,
    "retry": Retry(NoBackoff(), 0),
}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """The port of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_with_the_recommended_limits_a_silent_server_delays_little(silent_port: int) -> None:
    """A request waits for a tenth of a second, and not for as long as the server is silent."""
    with Redis(port=silent_port, **LIMITS) as client:
        started = time.monotonic()
        with pytest.raises(RedisTimeoutError):
            RedisStickyStore(client).load(["id||u1"])

    assert time.monotonic() - started < 2


async def test_with_the_recommended_limits_the_async_store_delays_little(silent_port: int) -> None:
    """The same holds for the async store."""
    async with AsyncRedis(port=silent_port, **LIMITS) as client:
        started = time.monotonic()
        with pytest.raises(RedisTimeoutError):
            await AsyncRedisStickyStore(client).load(["id||u1"])

    assert time.monotonic() - started < 2


def test_with_the_recommended_limits_a_missing_server_is_an_error_at_once() -> None:
    """A server that is gone costs a request no time."""
    with Redis(port=free_port(), **LIMITS) as client:
        started = time.monotonic()
        with pytest.raises(RedisConnectionError):
            RedisStickyStore(client).load(["id||u1"])

    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("option", "value"),
    [("prefix", None), ("prefix", b"a"), ("ttl", 0), ("ttl", -1), ("ttl", 1.5), ("ttl", True)],
    ids=str,
)
def test_a_wrong_option_is_refused(option: str, value: Any) -> None:
    """The error names the option."""
    with Redis() as client, pytest.raises(ConfigurationError, match=f"^{option}: is "):
        RedisStickyStore(client, **{option: value})


def test_a_client_of_the_other_kind_is_refused() -> None:
    """A store that must be awaited needs a client that must be, and the reverse."""
    with Redis() as client, pytest.raises(ConfigurationError, match=r"a redis\.asyncio\.Redis$"):
        AsyncRedisStickyStore(client)
    with pytest.raises(ConfigurationError, match=r"^client: is .*, must be a redis\.Redis$"):
        RedisStickyStore(AsyncRedis())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"^client: is 'redis://h', must be a redis\.R"):
        RedisStickyStore("redis://h")  # type: ignore[arg-type]
