"""Space that goes back to the file system, and what is told of it."""

from __future__ import annotations

import random

import pytest

from isovc.store import sweep as sweeping
from isovc.store.sweep import Sweep
from tests.store.contents import store


@pytest.mark.parametrize("at_once", [1, 7, 256])
def test_what_is_told_is_what_the_file_lost(file, chunks, monkeypatch, at_once):
    monkeypatch.setattr(sweeping, "_GIVE_BACK_PAGES", at_once)
    noise = random.Random(1)
    for _ in range(40):
        store(chunks, noise.randbytes(200_000))
    sweep = Sweep(chunks)
    sweep.begin()
    before = _bytes(file)
    assert sum(sweep.delete(sweep.lost(set())[0])) == 40
    given = sweep.end()
    assert given == before - _bytes(file) > 7_000_000
    sweep.begin()
    assert sweep.end() == 0


def _bytes(file):
    with file.reading() as db:
        pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return pages * size
