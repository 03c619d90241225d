"""apply(a, diff(a, b)) = b through every form of patch, by isovc and by the stock shell; the way back is diff(b, a)."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.formats.delta import RowPatch, reversed_definitions
from isovc.formats.reading import Patch, read_patch
from tests.formats.pairs import Pair, held

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["a\nb", "\\n\r\n", "x'y\"z;\n", "\0", "-- rows", "a\\", "NULL", " AND ", "IS (1, 2)"]),
    st.binary(max_size=6),
)
KEYS = st.integers(0, 8)
# tables with the same two cells beside the key, of every kind of key; one has rules of uniqueness
TABLES = {
    "plain": "CREATE TABLE plain(k INTEGER PRIMARY KEY, v, w)",
    "free": "CREATE TABLE free(v, w)",
    "named": "CREATE TABLE named(k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, v, w) WITHOUT ROWID",
    "loose": "CREATE TABLE loose(k, l, v, w, PRIMARY KEY(k, l))",
    "odd": 'CREATE TABLE "odd ""name""\n"(k INTEGER PRIMARY KEY, v UNIQUE, w, g AS (v || w))',
}
SCHEMA = [
    "ALTER TABLE plain ADD COLUMN extra",
    "ALTER TABLE plain RENAME COLUMN v TO value",
    "ALTER TABLE free RENAME TO freed",
    "ALTER TABLE plain DROP COLUMN w",
    "CREATE INDEX i ON plain(k)",
    "CREATE UNIQUE INDEX u ON named(v, w)",
    "CREATE TRIGGER r AFTER INSERT ON plain BEGIN DELETE FROM named; END",
    "DROP TABLE loose",
    "CREATE TABLE made(a PRIMARY KEY, b); INSERT INTO made VALUES (1, 2), (NULL, 3)",
    "CREATE TABLE counted(a INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO counted VALUES (7)",
    "PRAGMA application_id = 9",
]
ROW = st.tuples(KEYS, KEYS, VALUES, VALUES)
SIDE = st.tuples(
    st.fixed_dictionaries({name: st.lists(ROW, max_size=5) for name in TABLES}), st.lists(st.sampled_from(SCHEMA))
)


def _make(path: Path, rows: dict[str, list[tuple[Any, ...]]], schema: list[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table, sql in TABLES.items():
            connection.execute(sql)
            for k, l, v, w in rows[table]:  # noqa: E741
                name = '"odd ""name""\n"' if table == "odd" else table
                cells: dict[str, Any] = {"v": v, "w": w}
                cells |= (
                    {"rowid": k}
                    if table == "free"
                    else {"k": chr(65 + 32 * (l % 2) + k % 4)}
                    if table == "named"
                    else {"k": k}
                )
                cells |= {"k": None if k == 3 else k, "l": l} if table == "loose" else {}
                marks = ", ".join("?" for _ in cells)
                sql = f"INSERT OR IGNORE INTO {name} ({', '.join(cells)}) VALUES ({marks})"
                connection.execute(sql, list(cells.values()))
        for edit in schema:
            try:
                connection.executescript(edit)
            except sqlite3.Error:
                continue  # it has been done already, or something it needs is gone


@settings(max_examples=40, deadline=None)
@given(old=SIDE, new=SIDE)
def test_a_patch_makes_one_the_other_and_back(old: Any, new: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pair = Pair(folder)
        _make(folder / "a.db", *old)
        _make(folder / "b.db", *new)
        before, after = pair.version(folder / "a.db"), pair.version(folder / "b.db")
        for told in (Pair.jsonl, Pair.sql):
            patch = told(pair, before, after)
            assert held(pair.patched(before, patch)) == held(after)
            assert held(pair.patched(after, patch.reversed())) == held(before)
        there, back = pair.jsonl(before, after), pair.jsonl(after, before)
        assert _said(there.reversed()) == _said(back)
        assert held(pair.by_shell(folder / "a.db", before, after)) == held(after)
        assert held(pair.in_a_file(folder / "a.db", before, pair.patched(before, there))) == held(after)


def _said(patch: Patch) -> tuple[object, ...]:
    """A patch in an order of its own. A renamed table's rows go by either name, so names are left to the rest."""
    rows = {key: [*patch.rows(key)] for key in patch.tables}
    was = {each.name: each.was for each in patch.definitions if each.was}
    cells = sorted(
        (min(table, was.get(table, table)), key, repr(_sides(row)))
        for table, found in rows.items()
        for key, row in found
    )
    return sorted(map(repr, patch.definitions)), cells


def _sides(row: RowPatch) -> object:
    return row.before and sorted(row.before.items()), row.after and sorted(row.after.items())


def test_the_way_back_of_the_way_back_is_the_way() -> None:
    line = (
        '{"schema":{"op":"renamed","type":"table","name":"b","table":"b","was":"a","columns":{"x":"y"},'
        '"before":"CREATE TABLE a(x)","after":"CREATE TABLE b(y)"}}\n'
        '{"schema":{"op":"modified","type":"index","name":"i","table":"b","before":"CREATE INDEX i ON a(x)",'
        '"after":"CREATE INDEX i ON b(y)"}}\n'
    )
    there = read_patch(BytesIO(line.encode()), "p").definitions
    back = reversed_definitions(there)
    assert [(each.name, each.table, each.was) for each in back] == [("a", "a", "b"), ("i", "a", "")]
    assert back[0].columns == {"y": "x"}
    assert reversed_definitions(back) == there
