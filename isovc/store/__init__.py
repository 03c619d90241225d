"""Immutable chunks by id, in one SQLite file. Knows nothing of rows, trees or commits.

Checking (`isovc.store.check`) and sweeping (`isovc.store.sweep`) are asked for by name: few commands need them, and
their thread pools take a twentieth of a second to load."""

from isovc.store.chunks import SqliteChunks
from isovc.store.database import StoreFile
from isovc.store.memory import MemoryChunks
from isovc.store.packing import Packer, Packing, ReadyChunk
from isovc.store.protocol import ChunkStore, ChunkWriter

__all__ = [
    "ChunkStore",
    "ChunkWriter",
    "MemoryChunks",
    "Packer",
    "Packing",
    "ReadyChunk",
    "SqliteChunks",
    "StoreFile",
]
