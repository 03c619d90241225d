"""Page size, auto_vacuum and encoding of a file become those of a shape, and its rows stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from isovc.model import Shape
from isovc.sources.sqlite import Database
from tests.sources.files import check, content, make

ROWS = "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, zeroblob(9000)), (7, 'x')"


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("wanted", [{"page_size": 512}, {"auto_vacuum": 2}, {"page_size": 65536, "auto_vacuum": 1}])
def test_a_file_takes_the_layout_of_a_shape(tmp_path: Path, mode: str, wanted: dict[str, int]) -> None:
    database = make(tmp_path / "a.db", f"PRAGMA journal_mode={mode}; {ROWS}")
    shape, rows = content(database)
    target = replace(shape, pragmas={**shape.pragmas, **wanted})
    assert database.lay_out(target)
    assert content(database) == (target, rows)
    assert check(database.path) == "ok"
    assert database.path.read_bytes()[18:20] == (b"\2\2" if mode == "wal" else b"\1\1")
    assert not database.lay_out(target)


def test_a_layout_that_is_there_writes_nothing(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", ROWS)
    mark = database.mark()
    assert not database.lay_out(content(database)[0])
    assert not database.lay_out(Shape())
    assert database.mark() == mark


def test_an_empty_file_takes_the_encoding_too(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    shape, _ = content(make(tmp_path / "b.db", f"PRAGMA page_size=8192; {ROWS}", "UTF-16be"))
    assert Database(tmp_path / "a.db").lay_out(shape)
    found, _ = content(Database(tmp_path / "a.db"))
    assert (found.encoding, found.pragmas) == ("UTF-16be", shape.pragmas)
