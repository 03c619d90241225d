"""Immutable chunks by id, in one SQLite file. Knows nothing of rows, trees or commits."""

from isovc.store.check import StoreCheck, StoreStats, check, stats
from isovc.store.chunks import SqliteChunks
from isovc.store.database import StoreFile
from isovc.store.memory import MemoryChunks
from isovc.store.packing import Packer, Packing, ReadyChunk
from isovc.store.protocol import ChunkStore, ChunkWriter
from isovc.store.sweep import Sweep

__all__ = [
    "ChunkStore",
    "ChunkWriter",
    "MemoryChunks",
    "Packer",
    "Packing",
    "ReadyChunk",
    "SqliteChunks",
    "StoreCheck",
    "StoreFile",
    "StoreStats",
    "Sweep",
    "check",
    "stats",
]
