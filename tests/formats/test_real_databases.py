"""Databases that applications wrote: an SQL patch run by the stock shell makes one of the other, and back."""

from __future__ import annotations

import lzma
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_real_databases import EDITS
from tests.formats.pairs import Pair, held
from tests.versioned import ROOT


@pytest.mark.needs("sqlite3")
@pytest.mark.parametrize("name", EDITS)
def test_a_patch_leads_there_and_back(name: str, tmp_path: Path) -> None:
    data = lzma.decompress((ROOT / "fixtures/databases" / f"{name}.xz").read_bytes())
    for file in ("a.db", "b.db"):
        (tmp_path / file).write_bytes(data)
    with closing(sqlite3.connect(tmp_path / "b.db", isolation_level=None)) as connection:
        connection.executescript(EDITS[name])
    pair = Pair(tmp_path)
    before, after = pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db")
    assert held(pair.by_shell(tmp_path / "a.db", before, after)) == held(after)
    assert held(pair.by_shell(tmp_path / "b.db", after, before)) == held(before)
    for told in (Pair.jsonl, Pair.sql):
        patch = told(pair, before, after)
        assert held(pair.patched(before, patch)) == held(after)
        assert held(pair.patched(after, patch.reversed())) == held(before)
