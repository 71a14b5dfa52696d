"""Stores in which units keep the variation that they had before. Any `StickyStore` will do."""

from __future__ import annotations

from abmiddleware.sticky.cookie import CookieSession, CookieStickyStore
from abmiddleware.sticky.document import StickyDocument
from abmiddleware.sticky.memory import MemoryStickyStore
from abmiddleware.sticky.redis import AsyncRedisStickyStore, RedisStickyStore
from abmiddleware.sticky.sql import AsyncSQLStickyStore, SQLStickyStore
from abmiddleware.sticky.stores import AsyncStickyStore, StickyStore

__all__ = [
    "AsyncRedisStickyStore",
    "AsyncSQLStickyStore",
    "AsyncStickyStore",
    "CookieSession",
    "CookieStickyStore",
    "MemoryStickyStore",
    "RedisStickyStore",
    "SQLStickyStore",
    "StickyDocument",
    "StickyStore",
]
