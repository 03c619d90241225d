"""Long cells go in and out piece by piece, and are what they would be if they went whole."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import RowRefused
from isovc.model import KeyRange, Row, RowChange, Table, Unread
from isovc.model.shape import ROWID
from isovc.sources.sqlite import Apart, Database, long_cells
from tests.sources.files import check, content, make

ABOVE = 500  # bytes of a cell that is held in these tests
ENCODINGS = ["UTF-8", "UTF-16le", "UTF-16be"]


class Kept:
    """What was kept apart, in the order it came."""

    def __init__(self) -> None:
        self.values: list[str | bytes] = []

    def keep(self, pieces: Iterable[bytes], is_text: bool) -> Any:
        data = b"".join(pieces)
        self.values.append(data.decode("utf-8", "surrogateescape") if is_text else data)
        return self.values[-1]


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_cells, "_PIECE", 101)  # not even: it falls between the halves of characters
    monkeypatch.setattr(long_cells, "PIECES_FROM", ABOVE)


# -- in ----------------------------------------------------------------------------------------------------------------

KEYS = {
    "integer": "a INTEGER PRIMARY KEY, b, c, d",
    "text": "a TEXT PRIMARY KEY NOT NULL, b, c, d",
    "text or rowid": "b, c, a TEXT PRIMARY KEY, d",
    "two": "b, a INTEGER, c, d, PRIMARY KEY(a, b)",
    "other collation": "a TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, b, c, d",
    "none": "a, b, c, d",
    "no free name": "a TEXT PRIMARY KEY NOT NULL, b, rowid, oid, _rowid_, c, d",
    "generated": "a INTEGER PRIMARY KEY, b, c, d, e AS (length(c)) STORED",
    "without rowid": "a INTEGER PRIMARY KEY, b, c, d) WITHOUT ROWID",
    "strict": "a INTEGER PRIMARY KEY, b ANY, c ANY, d ANY) STRICT",
    "names to quote": 'a INTEGER PRIMARY KEY, b, c, d, "x ""y"" \'z\'" BLOB DEFAULT (zeroblob(600))',
}
HELD_WHOLE = ("generated", "without rowid", "no free name")

lengths = st.sampled_from([0, 1, 2, 99, 202, 498, 500, 501, 502, 1000, 5001])
blobs = st.builds(lambda seed, length: random.Random(seed).randbytes(length), st.integers(0, 9), lengths)
PATTERNS = ["a", "ä", "€", "😀", "a\0", "x€😀y", "\ud800a", "\udc00\ud800", "a\ud83d"]
texts = st.builds(lambda pattern, length: (pattern * (length + 1))[:length], st.sampled_from(PATTERNS), lengths)
cells = st.none() | st.integers(-3, 3) | st.just(0.5) | blobs | texts


def closed(columns: str) -> str:
    return columns if columns.endswith(("ROWID", "STRICT")) else f"{columns})"


def fill(path: Path, key: str, encoding: str, rows: Iterable[tuple[object, ...]]) -> Database:
    database = make(path, f"CREATE TABLE t({closed(key)}", encoding)
    connection = apsw.Connection(str(path))
    codec = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}[encoding]
    for at, row in enumerate(rows):
        given = dict(zip(("a", "b", "c", "d"), (at, *row), strict=True))
        places, values = [], []
        for value in given.values():
            is_text = isinstance(value, str)  # bound as its bytes, which may be no text that anybody could read
            places.append("CAST(? AS TEXT)" if is_text else "?")
            values.append(value.encode(codec, "surrogatepass") if is_text else value)
        connection.execute(f"INSERT INTO t({', '.join(given)}) VALUES({', '.join(places)})", values)
    connection.close()
    return database


def flat(batches: Iterable[list[Row]]) -> list[Row]:
    return [row for batch in batches for row in batch]


def size(value: object, encoding: str) -> int:
    if isinstance(value, bytes):
        return len(value)
    if not isinstance(value, str):
        return 0
    data = value.encode("utf-8", "surrogateescape")
    return (
        len(data)
        if encoding == "UTF-8"
        else len(data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass"))
    )


@given(st.sampled_from(sorted(KEYS)), st.sampled_from(ENCODINGS), st.lists(st.tuples(cells, cells, cells), max_size=40))
def test_the_rows_are_what_they_are_whole(
    tmp_path_factory: pytest.TempPathFactory, key: str, encoding: str, rows: list[tuple[object, ...]]
) -> None:
    if key == "two":  # of which b is a part
        rows = [(at, *row[1:]) for at, row in enumerate(rows)]
    database = fill(tmp_path_factory.mktemp("long") / "a.db", KEYS[key], encoding, rows)
    with database.reading() as reading:
        table = reading.shape().tables["t"]
        width = len(table.key)
        whole = flat(reading.rows(table))
        long = [cell for row in whole for cell in row[width:] if size(cell, encoding) > ABOVE]
        expected = [] if key in HELD_WHOLE else long

        kept = Kept()
        assert flat(reading.rows(table, apart=Apart(kept.keep, ABOVE))) == whole
        assert kept.values == expected
        for first in whole[:3]:
            after = KeyRange(first[:width], None)
            assert flat(reading.rows(table, after, apart=Apart(Kept().keep, ABOVE))) == flat(reading.rows(table, after))
        if key not in ("without rowid", "no free name"):
            kept = Kept()
            ranges = [KeyRange(None, (2,)), KeyRange((2,), None)]
            found = flat(reading.rows_by_rowid(table, ranges, apart=Apart(kept.keep, ABOVE)))
            assert found == flat(reading.rows_by_rowid(table, ranges))
            assert len(kept.values) == len(expected)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_ends_and_breaks_where_it_may(tmp_path: Path, encoding: str) -> None:
    long = [(pattern * 700)[: 600 + more] for pattern in PATTERNS for more in range(4)]
    database = fill(tmp_path / "a.db", KEYS["integer"], encoding, [(None, text, None) for text in long])
    with database.reading() as reading:
        table, kept = reading.shape().tables["t"], Kept()
        whole = flat(reading.rows(table))
        assert flat(reading.rows(table, apart=Apart(kept.keep, ABOVE))) == whole
        assert kept.values == [row[2] for row in whole]
        assert len(kept.values) == len(long)


def test_a_table_as_wide_as_they_come_is_read_so_too(tmp_path: Path) -> None:
    columns = [f"c{at}" for at in range(2000)]
    database = make(tmp_path / "a.db", f"CREATE TABLE t({', '.join(columns)})")
    with sqlite3.connect(database.path) as other:
        other.execute("INSERT INTO t(c0, c5, c1998, c1999) VALUES(?, 't', ?, ?)", (b"0" * 600, "8" * 700, b"9" * 800))
    with database.reading() as reading:
        table, kept = reading.shape().tables["t"], Kept()
        assert flat(reading.rows(table, apart=Apart(kept.keep, ABOVE))) == flat(reading.rows(table))
        assert kept.values == [b"0" * 600, "8" * 700, b"9" * 800]


def test_long_cells_in_a_key_are_held(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL, b); INSERT INTO t VALUES('k', 1)")
    with sqlite3.connect(database.path) as other:
        other.execute("INSERT INTO t VALUES(?, ?)", ("a" * 9000, b"b" * 9000))
    with database.reading() as reading:
        table, kept = reading.shape().tables["t"], Kept()
        assert flat(reading.rows(table, apart=Apart(kept.keep, ABOVE))) == [("a" * 9000, b"b" * 9000), ("k", 1)]
        assert kept.values == [b"b" * 9000]


def test_what_others_commit_meanwhile_is_not_seen(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    old = [(at, bytes([at % 251]) * 30_000) for at in range(60)]
    with sqlite3.connect(database.path) as other:
        other.executemany("INSERT INTO t VALUES(?, ?)", old)
    seen: list[bytes] = []

    def keep(pieces: Iterable[bytes], _: bool) -> bytes:
        if not seen:  # in the midst of a cell
            first = next(iter(pieces := iter(pieces)))
            with sqlite3.connect(database.path) as other:
                other.execute("UPDATE t SET b = zeroblob(30000)")
                other.execute("DELETE FROM t WHERE a > 30")
            other.close()
            pieces = [first, *pieces]
        seen.append(b"".join(pieces))
        return seen[-1]

    with database.reading() as reading:
        assert flat(reading.rows(reading.shape().tables["t"], apart=Apart(keep, ABOVE))) == old
    assert content(database)[1]["t"] == [(at, bytes(30_000)) for at in range(31)]


def test_the_limit_is_nobody_elses(tmp_path: Path) -> None:
    sql = "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE TABLE u(a, b); INSERT INTO u VALUES(1, zeroblob(9000));"
    fill_t = "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, 'x' FROM n"
    with make(tmp_path / "a.db", sql + fill_t).reading() as reading:
        tables = reading.shape().tables
        batches = reading.rows(tables["t"], apart=Apart(Kept().keep, ABOVE))
        next(batches)
        assert flat(reading.rows(tables["u"])) == [(1, 1, bytes(9000))]  # while the other is half read
        assert len(flat(batches)) > 3000


# -- out ---------------------------------------------------------------------------------------------------------------


class Opened:
    """Counts the cells that are opened to be written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.columns: list[str] = []
        usual = long_cells._opened

        def opened(connection: Any, way: Any, column: str, rowid: int, *, writing: bool = False) -> Any:
            if writing:
                self.columns.append(column)
            return usual(connection, way, column, rowid, writing=writing)

        monkeypatch.setattr(long_cells, "_opened", opened)


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 77] for at in range(0, len(data), 77))


def unread(value: object) -> Any:
    if isinstance(value, (str, bytes)) and len(value) > 100:
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        return Unread(data[:40], len(data), isinstance(value, str), partial(_cut, data))
    return value


def later(row: Row | None) -> Any:
    return None if row is None else tuple(map(unread, row))


OUT = {
    "plain": ("a INTEGER PRIMARY KEY, b, c, d", "", ["b", "c", "d"]),
    "trailing text": ("a INTEGER PRIMARY KEY, b, c, d TEXT", "", ["b", "c", "d"]),
    "text key": ("a TEXT PRIMARY KEY NOT NULL, b, c, d", "", ["b", "c", "d"]),
    "nullable key": ("b, c, a TEXT PRIMARY KEY, d", "", ["b", "c", "d"]),
    "no key": ("a, b, c, d", "", ["b", "c", "d"]),
    "unique": ("a INTEGER PRIMARY KEY, b UNIQUE, c, d", "", ["c", "d"]),
    "indexed": ("a INTEGER PRIMARY KEY, b, c, d", "CREATE INDEX i ON t(a, c)", ["b", "d"]),
    "by an expression": ("a INTEGER PRIMARY KEY, b, c, d", "CREATE INDEX i ON t(length(c))", []),
    "by a part": ("a INTEGER PRIMARY KEY, b, c, d", "CREATE INDEX i ON t(a) WHERE substr(b, 1, 1) = x'41'", []),
    "generated": ("a INTEGER PRIMARY KEY, b, c, d, e AS (substr(c, 1, 9)) STORED", "", []),
    "without rowid": ("a INTEGER PRIMARY KEY, b, c, d) WITHOUT ROWID", "", []),
    "no free name": ("a TEXT PRIMARY KEY NOT NULL, rowid, oid, _rowid_, b, c, d", "", []),
    "trigger": (
        "a INTEGER PRIMARY KEY, b, c, d",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET c = 'fired'; END",
        ["b", "c", "d"],
    ),
}


def some(seed: int, length: int = 4000) -> bytes:
    return b"A" + random.Random(seed).randbytes(length)


ROWS: list[Row] = [
    (1, some(1), "x", None),
    (2, some(2), some(3), some(4)),
    (3, "text " * 900, b"short", b"bad \xed\xa0\x80".decode("utf-8", "surrogateescape") * 200),
    (4, None, some(5, 50), some(6)),
    (5, 1.5, some(7), "t\0" * 400),
]


def shaped(table: Table, row: Row) -> Row:
    """A row as this table has its cells."""
    given = dict(zip("abcd", row, strict=True))
    if any(column.name == "a" and column.type == "TEXT" for column in table.columns):
        given["a"] = f"k{row[0]}"
    if table.key == (ROWID,):
        given[ROWID] = row[0]
    return tuple(given.get(cell) for cell in table.cells)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", OUT)
def test_rows_come_out_as_they_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, encoding: str
) -> None:
    columns, more, open_columns = OUT[kind]
    database = make(tmp_path / "a.db", f"CREATE TABLE t({closed(columns)}; {more}", encoding)
    with database.reading() as reading:
        shape = reading.shape()
    table = shape.tables["t"]
    width = len(table.key)
    rows = [shaped(table, row) for row in ROWS]
    opened = Opened(monkeypatch)

    with database.writing() as writing:
        writing.apply(shape, {"t": [RowChange(row[:width], None, later(row)) for row in rows]})
    assert content(database)[1]["t"] == rows
    blobs_of = {
        column: sum(
            isinstance(row[table.cells.index(column)], bytes) and len(row[table.cells.index(column)]) > ABOVE
            for row in rows
        )
        for column in "bcd"
    }
    assert {column: opened.columns.count(column) for column in "bcd"} == {
        column: count if column in open_columns else 0 for column, count in blobs_of.items()
    }

    changed = [tuple(some(at + 20) if cell == some(3) else cell for cell in row) for at, row in enumerate(rows)]
    swapped = [(*row[:-1], "other") for row in changed]
    for before, after in ((rows, changed), (changed, swapped), (swapped, rows)):
        changes = [
            RowChange(one[:width], later(one), later(other))
            for one, other in zip(before, after, strict=True)
            if one != other
        ]
        with database.writing() as writing:
            writing.apply(shape, {"t": changes})
        assert content(database)[1]["t"] == after
        assert check(database.path) == "ok"

    with database.writing() as writing:
        writing.apply(shape, {}, contents={"t": [list(map(later, changed[:2])), list(map(later, changed[2:]))]})
    assert content(database)[1]["t"] == changed
    assert check(database.path) == "ok"


def test_the_value_of_a_unique_column_is_exchanged(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL, b UNIQUE, c)")
    one, other = ("x", some(1), some(2)), ("y", some(3), some(4))
    with database.writing() as writing:
        shape = writing.shape()
        writing.apply(shape, {"t": [RowChange(row[:1], None, later(row)) for row in (one, other)]})
    changed = [("x", some(3), some(5)), ("y", some(1), some(6))]
    with database.writing() as writing:
        changes = [RowChange(a[:1], later(a), later(b)) for a, b in zip((one, other), changed, strict=True)]
        writing.apply(shape, {"t": changes})
    assert content(database)[1]["t"] == changed
    assert check(database.path) == "ok"


def test_a_check_is_asked_of_the_value_itself(tmp_path: Path) -> None:
    sql = "CREATE TABLE t(a INTEGER PRIMARY KEY, b CHECK(substr(b, 1, 1) = x'41'))"
    database = make(tmp_path / "a.db", sql)
    fine, wrong = (1, some(1)), (2, b"B" + some(1))
    with database.writing() as writing:
        shape = writing.shape()
        writing.apply(shape, {"t": [RowChange((1,), None, later(fine))]}, refuse_violations=True)
    assert content(database)[1]["t"] == [fine]
    with pytest.raises(RowRefused), database.writing() as writing:
        writing.apply(shape, {"t": [RowChange((2,), None, later(wrong))]}, refuse_violations=True)
    refused: list[Any] = []
    with database.writing() as writing:
        changes = [RowChange((2,), None, later(wrong)), RowChange((3,), None, later((3, some(3))))]
        writing.apply(shape, {"t": changes}, refused=refused)
    assert [each.key for each in refused] == [(2,)]
    assert content(database)[1]["t"] == [fine, (3, some(3))]


def test_rows_that_exclude_each_other_are_told_apart(tmp_path: Path) -> None:
    sql = "CREATE TABLE t(a INTEGER PRIMARY KEY, u UNIQUE, b, c UNIQUE)"
    database = make(tmp_path / "a.db", sql)
    first = (1, "same", some(1), some(2))
    with database.writing() as writing:
        shape = writing.shape()
        writing.apply(shape, {"t": [RowChange((1,), None, later(first))]})
    new = [(2, "same", some(3), None), (3, "other", some(4), some(2)), (4, "fits", some(5), some(6))]
    refused: list[Any] = []
    with database.writing() as writing:
        writing.apply(shape, {"t": [RowChange(row[:1], None, later(row)) for row in new]}, refused=refused)
    assert [(each.key, each.kind, each.others) for each in refused] == [
        ((2,), "unique", ((1,),)),
        ((3,), "unique", ((1,),)),
    ]
    assert content(database)[1]["t"] == [first, new[2]]
    assert check(database.path) == "ok"


def test_a_source_that_fails_changes_nothing(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(1, 'one')")

    def failing() -> Iterator[bytes]:
        yield b"some"
        raise OSError("the disk is gone")

    cell: Any = Unread(b"", 5000, False, failing)
    with pytest.raises(OSError, match="the disk is gone"), database.writing() as writing:
        writing.apply(writing.shape(), {"t": [RowChange((2,), None, (2, cell))]})
    assert content(database)[1]["t"] == [(1, "one")]


def test_a_table_made_anew_takes_them(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)")
    rows = [(1, some(1), some(2)), (2, some(3), "x")]
    with database.writing() as writing:
        writing.apply(writing.shape(), {"t": [RowChange(row[:1], None, later(row)) for row in rows]})
    other = make(tmp_path / "b.db", "CREATE TABLE t(a INTEGER PRIMARY KEY, c, b)")
    with other.reading() as reading:
        shape = reading.shape()
    changed = (1, some(9), some(1))
    with database.writing() as writing:
        writing.apply(shape, {"t": [RowChange((1,), later(rows[0]), later(changed))]})
    assert content(database)[1]["t"] == [changed, (2, "x", some(3))]
