"""Keeps a file and writes it out again, in a process of its own, and says the seconds of each way and the peak
memory."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from streaming_build import peak

from isovc.blobs import keep_stream, stream
from isovc.store import SqliteChunks, StoreFile

source, made = Path(sys.argv[1]), Path(sys.argv[2])
file = StoreFile.create(made / "store.db")
chunks = SqliteChunks(file)
start = time.perf_counter()
with source.open("rb") as opened, chunks.writing() as writer:
    kept = keep_stream(writer, opened, kind="file")
between = time.perf_counter()
with (made / "out").open("wb") as out:
    out.writelines(stream(chunks, kept))
print(between - start, time.perf_counter() - between, peak())
file.close()
