"""Builds a tree from rows that are made on the way, in a process of its own, and says the seconds and the peak
memory."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from tables import items

from isovc.store import SqliteChunks, StoreFile
from isovc.tree.build import build
from isovc.tree.forest import Forest


def peak() -> int:
    """Bytes. What getrusage says counts the parent's memory too, from before this program was loaded."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


path = Path(sys.argv[1])
file = StoreFile.create(path)
start = time.perf_counter()
build(Forest(SqliteChunks(file)), items(int(sys.argv[2])))
print(time.perf_counter() - start, peak())
file.close()
path.unlink()
