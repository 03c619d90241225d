"""Stores to try things on."""

from __future__ import annotations

import pytest

from isovc.store import SqliteChunks, StoreFile


@pytest.fixture
def file(tmp_path):
    file = StoreFile.create(tmp_path / "store.db", busy_seconds=0.2)
    yield file
    file.close()


@pytest.fixture
def chunks(file):
    return SqliteChunks(file)
