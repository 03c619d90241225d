"""Rows come in batches that never hold much more than they should, in parts and orders that were asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc.model import KeyRange
from tests.sources.files import make

MANY = "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) INSERT INTO t SELECT {cells} FROM n"


def test_a_sudden_run_of_large_values_ends_the_batch(tmp_path: Path) -> None:
    fill = MANY.format(last=1699, cells="i, CASE WHEN i BETWEEN 1510 AND 1580 THEN zeroblob(1000000) ELSE 'x' END")
    database = make(tmp_path / "a.db", f"CREATE TABLE t (a INTEGER PRIMARY KEY, b); {fill}")
    with database.reading() as reading:
        table = reading.shape().tables["t"]
        batches = list(reading.rows(table))
        assert [row[0] for batch in batches for row in batch] == list(range(1700))
        assert max(sum(len(row[1]) for row in batch) for batch in batches) < 20_000_000
        assert len(batches[0]) > 1000


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 1023, 1024, 1025, 2048])
def test_every_row_comes_once_whatever_their_number(tmp_path: Path, count: int) -> None:
    fill = MANY.format(last=count, cells="i, i") + f"; DELETE FROM t WHERE a = {count}"
    with make(tmp_path / "a.db", f"CREATE TABLE t (a INTEGER PRIMARY KEY, b); {fill}").reading() as reading:
        table = reading.shape().tables["t"]
        for batches in (list(reading.rows(table)), list(reading.rows_by_rowid(table, [KeyRange(None, None)]))):
            assert all(batches)
            assert [row for batch in batches for row in batch] == [(i, i) for i in range(count)]


@pytest.mark.parametrize("key", ["a INTEGER PRIMARY KEY, b", "a PRIMARY KEY NOT NULL, b", "a PRIMARY KEY, b", "b, a"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
def test_text_that_is_not_valid_comes_in_its_place(tmp_path: Path, key: str, encoding: str) -> None:
    cells = "CASE WHEN i % 7 = 3 THEN CAST(x'00d8ff41' AS TEXT) ELSE 'v' || i END, i"
    sql = f"CREATE TABLE t ({key}); {MANY.format(last=99, cells=cells).replace('INTO t', 'INTO t (b, a)')}"
    with make(tmp_path / "a.db", sql, encoding).reading() as reading:
        table = reading.shape().tables["t"]
        place, number = table.cells.index("b"), table.cells.index("a")
        (rows,) = reading.rows(table)

        assert [row[number] for row in rows] == list(range(100))
        assert all(row[place] == f"v{row[number]}" for row in rows if row[number] % 7 != 3)
        assert len({row[place] for row in rows if row[number] % 7 == 3}) == 1
        assert encoding != "UTF-8" or rows[3][place] == "\0\udcd8\udcffA"
        keys = [row[: len(table.key)] for row in rows]
        assert list(reading.rows_of(table, [keys[3], keys[50], keys[10]])) == [[rows[3], rows[50], rows[10]]]
        assert list(reading.rows(table, KeyRange(keys[2], keys[10]))) == [rows[3:11]]
        assert list(reading.rows(table, KeyRange(keys[9], keys[10]))) == [rows[10:11]]
        found = reading.rows_by_rowid(table, [KeyRange((3,), (5,)), KeyRange((98,), None)])
        assert sorted(row[number] for batch in found for row in batch) in ([3, 4, 98, 99], [4, 5, 99])
