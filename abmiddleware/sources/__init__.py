"""Where configuration comes from: code, files, and GrowthBook's API."""

from __future__ import annotations

from abmiddleware.sources.code import Code
from abmiddleware.sources.encryption import DecryptionError, decrypt
from abmiddleware.sources.file import File
from abmiddleware.sources.growthbook import GrowthBook
from abmiddleware.sources.growthbook_file import GrowthBookFile
from abmiddleware.sources.retry import Deadlines, Retry
from abmiddleware.sources.source import Source, SourceStatus

__all__ = [
    "Code",
    "Deadlines",
    "DecryptionError",
    "File",
    "GrowthBook",
    "GrowthBookFile",
    "Retry",
    "Source",
    "SourceStatus",
    "decrypt",
]
