# ruff: noqa: E501  # one case of SQL a line reads better than a broken one
"""What the pages say covers everything that reading all rows would find; and changes set down give exactly the target."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.model import KeyRange, RowChange, Shape
from isovc.sources.sqlite import Changed, Database, Everything, Mark, PageMap, Unchanged, find_changes
from tests.sources.files import State, state

TABLES = """
    CREATE TABLE i (a INTEGER PRIMARY KEY, b, c);
    CREATE TABLE r (b, c UNIQUE);
    CREATE TABLE w (a, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE t (c, a TEXT NOT NULL, b REAL NOT NULL, PRIMARY KEY (a, b));
    CREATE TABLE n (a, b, c, PRIMARY KEY (a, b));
    CREATE TABLE x (a TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, b, c)"""
STEPS = [
    "insert",
    "insert",
    "update",
    "update",
    "delete",
    "shift",
    "grow",
    "vacuum",
    "incremental",
    "page_size",
    "wal",
    "checkpoint",
    "none",
]


FEW = settings(max_examples=16, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=200)


def opened(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def step(connection: apsw.Connection, kind: str, random: Random) -> None:
    table = random.choice("irwtnx")
    low = random.randrange(400)
    if kind == "insert":
        connection.execute("BEGIN")  # one commit for them all: it is not the disk that is tested
        for number in random.sample(range(2000), random.choice([1, 20, 120])):
            text = "v" * random.choice([1, 50, 300, 300, 300, 2000, 8000]) + str(number)
            key = random.choice([number, str(number), "k" * random.choice([3, 600, 3000]) + str(number)])
            rest = {"i": (number, text, 1), "r": (text, number)}.get(table, (key, number / 2, text))
            if table == "t":
                rest = (text, str(key), number / 2)
            if table == "n" and number % 5 == 0:
                rest = (None, number, text)
            connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({','.join('?' * len(rest))})", rest)
        connection.execute("COMMIT")
    elif kind == "update":
        column = "b" if table in "ir" else "c"
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE rowid IN (SELECT rowid FROM {table} LIMIT 3 OFFSET ?)"
            if table != "w"
            else "UPDATE w SET c = ? WHERE b > ?",
            ("u" * random.choice([3, 400, 20000]), low),
        )
    elif kind == "delete":
        connection.execute(
            f"DELETE FROM {table} WHERE {'a' if table == 'i' else 'b'} BETWEEN ? AND ?",
            (low, low + random.choice([1, 80])),
        )
    elif kind == "shift":
        connection.execute("UPDATE OR IGNORE t SET b = b + 0.5 WHERE b < ?", (low,))
    elif kind == "grow":
        # the same length: SQLite writes it over the old overflow pages and leaves the leaf alone
        connection.execute("UPDATE i SET b = substr(b, 1, length(b) - 1) || 'z' WHERE length(b) > 4000")
    elif kind == "vacuum":
        connection.execute("VACUUM")
    elif kind == "incremental":
        connection.execute("PRAGMA incremental_vacuum(3)")
    elif kind == "page_size" and connection.pragma("journal_mode") != "wal":
        connection.execute(f"PRAGMA page_size={random.choice([512, 1024, 4096, 65536])}; VACUUM")
    elif kind == "wal":
        connection.execute(f"PRAGMA journal_mode={random.choice(['WAL', 'DELETE'])}")
    elif kind == "checkpoint":
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def read(database: Database) -> tuple[Shape, State, Mark]:
    with database.reading() as reading:
        shape = reading.shape()
        return shape, state(reading, shape), reading.mark


def is_inside(key: bytes, ranges: tuple[KeyRange, ...]) -> bool:
    bounds = [
        (encode_key(each.after) if each.after else b"", encode_key(each.upto) if each.upto else b"\xff")
        for each in ranges
    ]
    return any(after < key <= upto for after, upto in bounds)


def compare(old_map: PageMap, old: State, database: Database) -> tuple[PageMap, State]:
    with database.reading() as reading:
        shape = reading.shape()
        pages = reading.pages(shape)
        new = state(reading, shape)
        for name, table in shape.tables.items():
            width = len(table.key)
            rows, before = new[name], old.get(name, {})
            differing = {key for key in rows.keys() | before.keys() if repr(rows.get(key)) != repr(before.get(key))}
            match find_changes(PageMap.decode(old_map.encode()), pages, table):
                case Unchanged():
                    assert not differing
                case Changed(ranges, rowids):
                    upserts = {
                        encode_key(row[:width]): row for batch in reading.rows_by_rowid(table, rowids) for row in batch
                    }
                    again = [row for each in ranges for batch in reading.rows(table, each) for row in batch]
                    again_keys = [encode_key(row[:width]) for row in again]
                    assert again_keys == sorted(key for key in rows if is_inside(key, ranges))
                    for key in differing:
                        assert is_inside(key, ranges) or (key in upserts and key in before), (name, key)
                case Everything():
                    assert name == "x" or not old_map.tables
        # what was already known made no difference to the names
        assert pages.map == reading.pages(shape).map == reading.pages(shape, old_map).map
        return pages.map, new


histories = given(
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=12), st.integers(0, 2**32), st.sampled_from([0, 2])
)


@settings(FEW)
@histories
def test_pages_find_every_change(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int, auto_vacuum: int
) -> None:
    run_history(tmp_path_factory.mktemp("finder") / "a.db", steps, seed, auto_vacuum)


@pytest.mark.long
@settings(MANY)
@histories
def test_pages_find_every_change_in_many_histories(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int, auto_vacuum: int
) -> None:
    run_history(tmp_path_factory.mktemp("finder") / "a.db", steps, seed, auto_vacuum)


def run_history(path: Path, steps: list[str], seed: int, auto_vacuum: int) -> None:
    random = Random(seed)
    user = opened(path)
    try:
        user.execute(f"PRAGMA page_size={random.choice([512, 1024, 4096])}; PRAGMA auto_vacuum={auto_vacuum}; {TABLES}")
        for _ in range(6):
            step(user, "insert", random)
        database = Database(path)
        found, rows = compare(PageMap(), {}, database)
        mark = database.mark()
        for kind in steps:
            step(user, kind, random)
            old, (found, rows), before = rows, compare(found, rows, database), mark
            mark = database.mark()
            assert mark != before or repr(old) == repr(rows)
    finally:
        user.close()


@settings(FEW)
@given(st.integers(0, 2**32))
def test_changes_set_down_give_exactly_the_target(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    set_down(tmp_path_factory.mktemp("apply"), seed)


@pytest.mark.long
@settings(MANY)
@given(st.integers(0, 2**32))
def test_many_changes_set_down_give_exactly_the_target(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    set_down(tmp_path_factory.mktemp("apply"), seed)


def set_down(folder: Path, seed: int) -> None:
    random = Random(seed)
    paths = [folder / "a.db", folder / "b.db"]
    user = opened(paths[0])
    user.execute(TABLES)
    for _ in range(6):
        step(user, "insert", random)
    user.close()
    shutil.copy(paths[0], paths[1])
    for path in paths:
        user = opened(path)
        for _ in range(8):
            step(user, random.choice(["insert", "update", "delete", "shift"]), random)
        user.close()
    one, other = Database(paths[0]), Database(paths[1])
    (shape, have, _), (_, want, _) = read(one), read(other)
    changes = {
        name: [
            RowChange(
                (have[name].get(key) or want[name][key])[: len(table.key)], have[name].get(key), want[name].get(key)
            )
            for key in sorted(have[name].keys() | want[name].keys())
            if repr(have[name].get(key)) != repr(want[name].get(key))
        ]
        for name, table in shape.tables.items()
    }
    with one.writing() as writing:
        writing.apply(shape, changes)
    assert repr(read(one)[1]) == repr(want)
    assert writing.committed == one.mark()


def test_a_file_swapped_underneath_is_seen_as_it_is(tmp_path: Path) -> None:
    path, old = tmp_path / "a.db", tmp_path / "old.db"
    user = opened(path)
    user.execute(TABLES)
    random = Random(3)
    for _ in range(8):
        step(user, "insert", random)
    shutil.copy(path, old)
    step(user, "delete", random)
    step(user, "update", random)
    user.close()
    database = Database(path)
    found, rows = compare(PageMap(), {}, database)
    mark = database.mark()
    old.replace(path)
    assert database.mark() != mark
    compare(found, rows, database)
