# ruff: noqa: E501  # one case of SQL a line reads better than a broken one
"""Trees of every form are cut where their separators stand; damaged ones are read in full; maps and marks come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from isovc import errors
from isovc.encoding.orderkey import encode_key
from isovc.model import KeyRange, RowChange
from isovc.sources.sqlite import Changed, Database, Everything, Mark, PageMap, Unchanged, even_parts, find_changes
from tests.sources.files import check, make, state

SMALL = "PRAGMA page_size=512; PRAGMA synchronous=OFF;"
FILL = "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) INSERT INTO t SELECT {cells} FROM n"


def changed(database: Database, sql: str) -> tuple[list[bytes], int]:
    """Keys of the rows that a statement changes, as pages and full reading find them alike; and how many were read."""
    user = apsw.Connection(str(database.path))
    with database.reading() as reading:
        shape = reading.shape()
        found, before = reading.pages(shape).map, state(reading, shape)["t"]
    user.execute(sql)
    user.close()
    with database.reading() as reading:
        table, after = shape.tables["t"], state(reading, shape)["t"]
        differing = sorted(key for key in before.keys() | after.keys() if repr(before.get(key)) != repr(after.get(key)))
        changes = find_changes(found, reading.pages(shape, found), table)
        assert isinstance(changes, Changed)
        read = [row for within in changes.ranges for batch in reading.rows(table, within) for row in batch]
        moved = [row for batch in reading.rows_by_rowid(table, changes.rowids) for row in batch]
        seen = {encode_key(row[: len(table.key)]) for row in (*read, *moved)}
        assert seen >= {key for key in differing if key in after}
        return differing, len(read) + len(moved)


ROWIDS = ["i", "i - 300", "i * 1000", "i * 1000000", "i * 3000000000", "(i - 300) * 20000000000000000"]


@pytest.mark.parametrize("rowid", ROWIDS)
@pytest.mark.parametrize("place", [0, 1, 299, 300, 301, 598, 599])
def test_rowids_of_every_size_part_the_leaves(tmp_path: Path, rowid: str, place: int) -> None:
    fill = FILL.format(last=599, cells=f"{rowid}, hex(zeroblob(50))")
    database = make(tmp_path / "a.db", f"{SMALL} CREATE TABLE t (a INTEGER PRIMARY KEY, b); {fill}")
    which = f"(SELECT a FROM t ORDER BY a LIMIT 1 OFFSET {place})"
    differing, read = changed(database, f"UPDATE t SET b = 'x' WHERE a = {which}")
    assert len(differing) == 1
    assert read <= 12


KEYS = [
    "i",
    "i / 2.0 - 100",
    "i - 70000",
    "printf('%040d', i)",
    "hex(zeroblob(400)) || i",
    "CAST(i AS BLOB)",
    "i * 4294967296",
]


@pytest.mark.parametrize(
    "kind", ["a, b, PRIMARY KEY (a)) WITHOUT ROWID", "b, a NOT NULL PRIMARY KEY)", "b, a REAL PRIMARY KEY)"]
)
@pytest.mark.parametrize("key", KEYS)
def test_keys_of_every_class_part_the_leaves(tmp_path: Path, kind: str, key: str) -> None:
    fill = FILL.format(last=399, cells=f"{key}, hex(zeroblob(50))").replace("INTO t", "INTO t (a, b)")
    database = make(tmp_path / "a.db", f"{SMALL} CREATE TABLE t ({kind}; {fill}")
    for place in (0, 200, 399):
        which = f"(SELECT a FROM t ORDER BY a LIMIT 1 OFFSET {place})"
        differing, read = changed(database, f"UPDATE t SET b = 'x{place}' WHERE a = {which}")
        assert len(differing) == 1
        assert read <= 24
    differing, _ = changed(database, "DELETE FROM t WHERE a > (SELECT a FROM t ORDER BY a LIMIT 1 OFFSET 390)")
    assert len(differing) == 9


@pytest.mark.parametrize("kind", ["a INTEGER PRIMARY KEY, b)", "a, b, PRIMARY KEY (a)) WITHOUT ROWID"])
def test_a_leaf_that_is_gone_without_a_trace_in_its_neighbours_is_found(tmp_path: Path, kind: str) -> None:
    def filled(name: str, gone: range) -> Database:
        rows = (
            FILL.format(last=999, cells="i + 10000, hex(zeroblob(30))")
            + f" WHERE i NOT BETWEEN {gone[0]} AND {gone[-1]}"
        )
        return make(tmp_path / name, f"{SMALL} CREATE TABLE t ({kind}; {rows}")

    with filled("whole.db", range(5000, 5001)).reading() as reading:
        shape = reading.shape()
        found = reading.pages(shape).map
    names = {found.tables["t"][1][at : at + 16] for at in range(0, len(found.tables["t"][1]), 16)}
    unknown = []
    for count in range(3, 9):  # one of these is what a leaf holds
        gone = range(100 * count, 101 * count)
        with filled(f"{count}.db", gone).reading() as reading:
            pages, table = reading.pages(shape), shape.tables["t"]
            changes = find_changes(found, pages, table)
            assert isinstance(changes, Changed)
            for number in gone:
                key = encode_key((number + 10000,))
                assert any(
                    (not each.after or encode_key(each.after) < key) and (not each.upto or key <= encode_key(each.upto))
                    for each in changes.ranges
                )
            now = pages.map.tables["t"][1]
            unknown.append(sum(now[at : at + 16] not in names for at in range(0, len(now), 16)))
    assert min(unknown) <= 2


def test_a_separator_that_moves_up_over_a_deleted_row_is_found(tmp_path: Path) -> None:
    fill = FILL.format(last=60, cells="i, hex(zeroblob(40))")
    database = make(tmp_path / "a.db", f"{SMALL} CREATE TABLE t (a INTEGER PRIMARY KEY, b); {fill}")
    with database.reading() as reading:
        shape = reading.shape()
        found = reading.pages(shape).map
    root, place = 512, 4  # the tree's first page, and where the rowid stands in a cell
    data = database.path.read_bytes()
    last = data[first_cell(bytearray(data), root) + place]
    user = apsw.Connection(str(database.path))
    user.execute("DELETE FROM t WHERE a = ?", (last + 1,))
    user.close()
    data = bytearray(database.path.read_bytes())
    data[first_cell(data, root) + place] += 1  # as a balancing of the two leaves might have left it
    database.path.write_bytes(data)
    assert check(database.path) == "ok"
    with database.reading() as reading:
        changes = find_changes(found, reading.pages(shape, found), shape.tables["t"])
        assert isinstance(changes, Changed)
        assert changes.ranges[0].after is None


def test_a_definition_that_gives_other_meaning_to_the_same_pages_is_read_in_full(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 2)")
    with database.reading() as reading:
        found = reading.pages(reading.shape()).map
    user = apsw.Connection(str(database.path))
    user.execute("ALTER TABLE t ADD COLUMN c DEFAULT 5")
    user.close()
    with database.reading() as reading:
        shape = reading.shape()
        pages = reading.pages(shape, found)
        assert pages.map.tables["t"][1] == found.tables["t"][1]
        assert isinstance(find_changes(found, pages, shape.tables["t"]), Everything)


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_what_changes_in_an_overflow_page_alone_is_found(tmp_path: Path, page_size: int) -> None:
    fill = FILL.format(last=40, cells="i, CASE WHEN i % 10 = 5 THEN hex(zeroblob(100000 + i)) ELSE i END")
    layout = f"PRAGMA page_size={page_size}; CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE TABLE u (a); INSERT INTO u VALUES (1)"
    database = make(tmp_path / "a.db", f"{layout}; {fill}")
    same_length = "UPDATE t SET b = substr(b, 1, length(b) - 1) || 'z' WHERE a = 25"
    differing, _ = changed(database, same_length)
    assert differing == [encode_key((25,))]
    with database.reading() as reading:
        shape = reading.shape()
        found = reading.pages(shape).map
        assert isinstance(find_changes(found, reading.pages(shape), shape.tables["u"]), Unchanged)


DAMAGES: dict[str, Callable[[bytearray, int], None]] = {
    "no page of a tree": lambda data, root: data.__setitem__(root, 0),
    "a tree of another kind": lambda data, root: data.__setitem__(root, 7 - data[root]),
    "an inner page among the leaves": lambda data, root: data.__setitem__(child(data, root), 5),
    "a leaf outside of the file": lambda data, root: data.__setitem__(
        slice(first_cell(data, root), first_cell(data, root) + 4), b"\x7f\0\0\1"
    ),
    "a child that is page 0": lambda data, root: data.__setitem__(slice(root + 8, root + 12), bytes(4)),
    "cells without an end": lambda data, root: data.__setitem__(slice(root + 3, root + 5), b"\xff\xff"),
    "a circle": lambda data, root: data.__setitem__(slice(root + 8, root + 12), (root // 512 + 1).to_bytes(4, "big")),
    "pointers to nowhere in a leaf": lambda data, root: data.__setitem__(
        slice(leaf(data, root) + 8, leaf(data, root) + 10), b"\xff\xff"
    ),
    "a chain in a circle": lambda data, root: None,
}


def first_cell(data: bytearray, root: int) -> int:
    return root + int.from_bytes(data[root + 12 : root + 14], "big")


def child(data: bytearray, root: int) -> int:
    at = first_cell(data, root)
    return (int.from_bytes(data[at : at + 4], "big") - 1) * 512


def leaf(data: bytearray, root: int) -> int:
    while data[root] in (2, 5):
        root = child(data, root)
    return root


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["a INTEGER PRIMARY KEY, b)", "a, b, PRIMARY KEY (a)) WITHOUT ROWID"])
def test_a_damaged_tree_is_left_to_full_reading(tmp_path: Path, damage: str, kind: str) -> None:
    fill = FILL.format(last=60, cells="i, hex(zeroblob(CASE WHEN i % 9 = 4 THEN 900 ELSE 40 END))")
    database = make(tmp_path / "a.db", f"{SMALL} CREATE TABLE t ({kind}; CREATE TABLE u (a); {fill}")
    data = bytearray(database.path.read_bytes())
    user = apsw.Connection(str(database.path))
    root = (int(user.execute("SELECT rootpage FROM sqlite_schema WHERE name = 't'").get) - 1) * 512
    user.close()
    DAMAGES[damage](data, root)
    if damage == "a chain in a circle":
        for page in range(512, len(data), 512):
            if data[page] == 0:
                data[page : page + 4] = (page // 512 + 1).to_bytes(4, "big")
    database.path.write_bytes(data)
    with database.reading() as reading:
        shape = reading.shape()
        pages = reading.pages(shape)
        assert "u" in pages.map.tables
        expected = Unchanged if damage in ("a chain in a circle", "pointers to nowhere in a leaf") else Everything
        assert isinstance(find_changes(pages.map, pages, shape.tables["t"]), expected)


def test_an_index_entry_whose_chain_is_cut_is_left_to_full_reading(tmp_path: Path) -> None:
    fill = FILL.format(last=60, cells="hex(zeroblob(2000)) || i, i")
    database = make(tmp_path / "a.db", f"{SMALL} CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID; {fill}")
    data = bytearray(database.path.read_bytes())
    for page in range(512, len(data), 512):
        if data[page] == 0:
            data[page : page + 4] = bytes(4)
    database.path.write_bytes(data)
    with database.reading() as reading:
        assert reading.pages(reading.shape()).map == PageMap()


def test_after_a_change_of_ours_nothing_is_known_until_the_commit(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 2)")
    with database.writing() as writing:
        shape = writing.shape()
        found = writing.pages(shape).map
        assert isinstance(find_changes(found, writing.pages(shape), shape.tables["t"]), Unchanged)
        writing.apply(shape, {"t": [RowChange((1,), (1, 2), (1, 3))]})
        assert isinstance(find_changes(found, writing.pages(shape), shape.tables["t"]), Everything)
        assert writing.pages(shape).map == PageMap()


def test_maps_come_back_from_their_bytes_and_torn_ones_are_refused(tmp_path: Path) -> None:
    sql = 'CREATE TABLE t (a PRIMARY KEY NOT NULL, b); CREATE TABLE "é" (a); INSERT INTO t VALUES (1, 2)'
    with make(tmp_path / "a.db", sql).reading() as reading:
        found = reading.pages(reading.shape()).map
    assert set(found.tables) == {"t", "é"}
    data = found.encode()
    assert PageMap.decode(data) == found
    for end in (1, 2, 20, len(data) - 1):
        if end > 1:
            with pytest.raises(errors.NotCanonical):
                PageMap.decode(data[:end])
    with pytest.raises(errors.NotCanonical):
        PageMap.decode(b"\1" + data[1:])


def test_a_name_that_is_too_long_for_a_map_is_left_out() -> None:
    found = PageMap({"t" * 70000: (1, b"", b""), "u": (2, bytes(16), b"")})
    assert PageMap.decode(found.encode()) == PageMap({"u": (2, bytes(16), b"")})


def test_marks_come_back_from_their_bytes(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t (a)")
    user = apsw.Connection(str(database.path))
    marks = [database.mark()]
    user.execute("INSERT INTO t VALUES (1)")
    marks.append(database.mark())
    user.execute("INSERT INTO t VALUES (2)")
    marks.append(database.mark())
    user.close()
    marks.append(database.mark())
    assert len(set(marks)) == 4
    assert marks[1].wal is not None
    assert [Mark.decode(mark.encode()) for mark in marks] == marks


@pytest.mark.parametrize("rowid", ROWIDS)
def test_even_parts_hold_every_row_once(tmp_path: Path, rowid: str) -> None:
    fill = FILL.format(last=599, cells=f"{rowid}, hex(zeroblob(50))")
    database = make(
        tmp_path / "a.db", f"{SMALL} CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE TABLE u (a PRIMARY KEY); {fill}"
    )
    with database.reading() as reading:
        shape = reading.shape()
        pages, table = reading.pages(shape), shape.tables["t"]
        parts = even_parts(pages, table, 4, least=100)
        counts = [sum(map(len, reading.rows(table, part))) for part in parts]
        assert len(parts) == 4
        assert sum(counts) == 600
        assert max(counts) - min(counts) < 20
        assert even_parts(pages, table, 4, least=10_000) == (KeyRange(None, None),)
        assert even_parts(pages, shape.tables["u"], 4, least=0) == (KeyRange(None, None),)
