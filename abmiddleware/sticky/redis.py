"""Stores in Redis, in the form that GrowthBook's SDKs share there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required
from abmiddleware.sticky.document import StickyDocument, storable, storable_keys

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

#: Tells the client to return bytes: one that decodes would raise for a value that is no UTF-8.
_RAW: Final[Mapping[str, Any]] = {"NEVER_DECODE": True}

#: KEYS: where the document is. ARGV: the document to save, and seconds to live or "".
#: Whatever is there in another form counts as missing, by the same rules as when it is loaded.
_MERGE: Final = r"""
local function is_utf8(text)
  text = text:gsub('[\194-\223][\128-\191]', '.')
  text = text:gsub('\224[\160-\191][\128-\191]', '.')
  text = text:gsub('[\225-\236\238\239][\128-\191][\128-\191]', '.')
  text = text:gsub('\237[\128-\159][\128-\191]', '.')
  text = text:gsub('\240[\144-\191][\128-\191][\128-\191]', '.')
  text = text:gsub('[\241-\243][\128-\191][\128-\191][\128-\191]', '.')
  text = text:gsub('\244[\128-\143][\128-\191][\128-\191]', '.')
  return not text:find('[\128-\255]')
end

local function key_of(document)
  local name, value = document.attributeName, document.attributeValue
  return type(name) == 'string' and type(value) == 'string' and name .. '||' .. value
end

local function assignments_at(key, fresh)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' or not is_utf8(text) then return {} end
  local is_json, stored = pcall(cjson.decode, text)
  if not is_json or type(stored) ~= 'table' then return {} end
  if key_of(stored) ~= key_of(fresh) or type(stored.assignments) ~= 'table' then return {} end
  for assignment, variation in pairs(stored.assignments) do
    if type(assignment) ~= 'string' or type(variation) ~= 'string' then return {} end
  end
  return stored.assignments
end

local fresh = cjson.decode(ARGV[1])
for assignment, variation in pairs(assignments_at(KEYS[1], fresh)) do
  fresh.assignments[assignment] = fresh.assignments[assignment] or variation
end
if ARGV[2] == '' then
  redis.call('SET', KEYS[1], cjson.encode(fresh))
else
  redis.call('SET', KEYS[1], cjson.encode(fresh), 'EX', ARGV[2])
end
"""


class _Exchange:
    """How documents lie in Redis: under their key, as JSON."""

    def __init__(self, prefix: str, ttl: int | None) -> None:
        if not isinstance(prefix, str):
            raise ConfigurationError(f"prefix: is {shown(prefix)}, must be a text")
        if ttl is not None and (type(ttl) is not int or ttl < 1):
            raise ConfigurationError(f"ttl: is {shown(ttl)}, must be seconds, at least 1, or None")
        self._prefix = prefix
        self.ttl = "" if ttl is None else str(ttl)

    def mget(self, keys: Sequence[str]) -> list[str]:
        return ["MGET", *(self._prefix + key for key in keys)]

    def documents(
        self, keys: Sequence[str], values: Sequence[bytes | None]
    ) -> dict[str, StickyDocument]:
        found = {}
        for key, value in zip(keys, values, strict=True):
            document = StickyDocument.from_json(value) if value is not None else None
            if document is not None and document.key == key:
                found[key] = document
        return found

    def key(self, document: StickyDocument) -> str:
        return self._prefix + document.key


def _check(client: object, kind: type, name: str) -> None:
    if not isinstance(client, kind):
        raise ConfigurationError(f"client: is {shown(client)}, must be a {name}")


class RedisStickyStore:
    """Keeps documents in Redis 6 or newer: one MGET for a load, one script for a save.

    The store waits as long as the client does, on the path of the request. By default that is for
    ever, or since redis-py 6 seconds of retries. Give it limits (in seconds) and no retries:
    `Redis(..., socket_connect_timeout=0.2, socket_timeout=0.1, retry=Retry(NoBackoff(), 0))`.

    Args:
        client: whatever it raises, the store raises; its `decode_responses` makes no difference.
        prefix: put before each key; other SDKs have none.
        ttl: seconds after which a document without new assignments is gone; None keeps it.

    Raises:
        ConfigurationError: an argument is wrong, or the package redis is missing.
    """

    def __init__(self, client: Redis, *, prefix: str = "", ttl: int | None = None) -> None:
        package = required("redis", "redis", type(self).__name__)
        _check(client, package.Redis, "redis.Redis")
        self._exchange = _Exchange(prefix, ttl)
        self._execute: Callable[..., Any] = client.execute_command
        self._merge = client.register_script(_MERGE)

    def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are stored, by key."""
        wanted = storable_keys(keys)
        if not wanted:
            return {}
        values = self._execute(*self._exchange.mget(wanted), **_RAW)
        return self._exchange.documents(wanted, values)

    def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over what is stored under its key."""
        if (fresh := storable(document)) is not None:
            self._merge(
                keys=[self._exchange.key(fresh)], args=[fresh.to_json(), self._exchange.ttl]
            )


class AsyncRedisStickyStore:
    """A `RedisStickyStore` for `redis.asyncio.Redis`."""

    def __init__(self, client: AsyncRedis, *, prefix: str = "", ttl: int | None = None) -> None:
        package = required("redis.asyncio", "redis", type(self).__name__)
        _check(client, package.Redis, "redis.asyncio.Redis")
        self._exchange = _Exchange(prefix, ttl)
        self._execute: Callable[..., Any] = client.execute_command
        self._merge = client.register_script(_MERGE)

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Return the documents that are stored, by key."""
        wanted = storable_keys(keys)
        if not wanted:
            return {}
        values = await self._execute(*self._exchange.mget(wanted), **_RAW)
        return self._exchange.documents(wanted, values)

    async def save(self, document: StickyDocument) -> None:
        """Lay the document's assignments over what is stored under its key."""
        if (fresh := storable(document)) is not None:
            await self._merge(
                keys=[self._exchange.key(fresh)], args=[fresh.to_json(), self._exchange.ttl]
            )
