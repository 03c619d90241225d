"""Laws of merging definitions and rows together, over random changes that stock SQLite makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import example, given
from hypothesis import strategies as st

from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import Merged, merge
from isovc.snapshot.version import Version, same, same_shape
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest
from tests.snapshot.merging import check_laid_out, rows_of, version_of

BASE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT DEFAULT 'x', CHECK (a <> 99))",
    "CREATE TABLE u (x, t REFERENCES t (id))",
    "INSERT INTO t VALUES (1, 10, 'p'), (2, 20, 'q'), (3, 30, 'r'), (4, 40, 's')",
    "INSERT INTO u VALUES ('one', 1), ('two', 2), ('three', 3)",
    "CREATE INDEX i ON t (a)",
    "CREATE VIEW v AS SELECT b FROM t",
)


def made_anew(definition: str, columns: str) -> str:
    """Another table t, as ALTER cannot make it."""
    aside = f"{definition}; INSERT OR IGNORE INTO m SELECT {columns} FROM t; DROP TABLE t; ALTER TABLE m RENAME TO t"
    return f"PRAGMA legacy_alter_table = ON; {aside}; PRAGMA legacy_alter_table = OFF"


TABLES = st.sampled_from(["t", "u", "tt"])
COLUMNS = st.sampled_from(["a", "b", "c", "d", "x", "id"])
CHANGES = st.one_of(
    st.builds("UPDATE {} SET {} = {}".format, TABLES, COLUMNS, st.sampled_from(["1", "'00'", "NULL", "id * 2"])),
    st.builds("UPDATE {} SET {} = 'z' WHERE rowid = {}".format, TABLES, COLUMNS, st.integers(1, 5)),
    st.builds("DELETE FROM {} WHERE rowid = {}".format, TABLES, st.integers(1, 4)),
    st.builds("INSERT INTO {} (rowid) VALUES ({})".format, TABLES, st.integers(4, 7)),
    st.builds(
        "ALTER TABLE {} ADD COLUMN {} {}".format,
        TABLES,
        st.sampled_from(["c", "d", "e"]),
        st.sampled_from(["", "INT", "TEXT DEFAULT 'x'", "NOT NULL DEFAULT 5", "REFERENCES u", "AS (1)", "CHECK (c)"]),
    ),
    st.builds("ALTER TABLE {} DROP COLUMN {}".format, TABLES, COLUMNS),
    st.builds("ALTER TABLE {} RENAME COLUMN {} TO {}".format, TABLES, COLUMNS, st.sampled_from(["c", "n", "B"])),
    st.builds("ALTER TABLE {} RENAME TO {}".format, TABLES, st.sampled_from(["tt", "w", "U"])),
    st.builds("DROP TABLE {}".format, TABLES),
    st.builds("CREATE TABLE {} (id INTEGER PRIMARY KEY, {})".format, st.sampled_from(["w", "tt", "t"]), COLUMNS),
    st.builds("CREATE INDEX {} ON {} ({})".format, st.sampled_from(["i", "k", "w"]), TABLES, COLUMNS),
    st.builds("CREATE VIEW {} AS SELECT {} FROM {}".format, st.sampled_from(["v", "w", "y"]), COLUMNS, TABLES),
    st.builds(
        "CREATE TRIGGER {} AFTER UPDATE OF {} ON {} BEGIN DELETE FROM u WHERE x = new.{}; END".format,
        st.sampled_from(["r", "s"]),
        COLUMNS,
        TABLES,
        COLUMNS,
    ),
    st.sampled_from(
        [
            "DROP VIEW v",
            "DROP INDEX i",
            "PRAGMA user_version = 3",
            # a key and types that ALTER cannot give
            made_anew("CREATE TABLE m (id INT, a TEXT PRIMARY KEY, b)", "id, a, b"),
            made_anew("CREATE TABLE m (b ANY, id INTEGER PRIMARY KEY, a INT) STRICT", "b, id, a"),
        ]
    ),
)  # fmt: skip
SIDE = st.lists(CHANGES, max_size=5)
SIDES: tuple[Literal["base", "ours", "theirs"], ...] = ("base", "ours", "theirs")


def three(forest: Forest, ours: Sequence[str], theirs: Sequence[str]) -> tuple[Version, Version, Version]:
    base, mine, other = (version_of(forest, [*BASE, *some]) for some in ((), ours, theirs))
    return base, mine, other


@given(SIDE, SIDE)
def test_what_one_side_did_alone_is_taken_as_it_is(ours: list[str], theirs: list[str]) -> None:
    forest = Forest(MemoryChunks())
    base, mine, other = three(forest, ours, theirs)
    for one, two, three_, wanted in (
        (base, base, other, other),
        (base, mine, base, mine),
        (base, mine, mine, mine),
        (mine, mine, other, other),
    ):
        found = merge(forest, one, two, three_)
        assert found.conflicts == ()
        assert same(found.version, wanted)


@given(SIDE, SIDE, st.sampled_from(SIDES))
@example([], ["ALTER TABLE u RENAME TO tt", "ALTER TABLE t RENAME TO U", "ALTER TABLE tt ADD COLUMN c"], "base")
def test_what_comes_out_can_be_laid_out_and_is_the_same_from_either_side(
    ours: list[str], theirs: list[str], side: Literal["base", "ours", "theirs"]
) -> None:
    forest = Forest(MemoryChunks())
    base, mine, other = three(forest, ours, theirs)
    found, turned = merge(forest, base, mine, other), merge(forest, base, other, mine)
    check_laid_out(forest, found.version)
    assert bool(found.conflicts) == bool(turned.conflicts)
    if not found.conflicts:
        check_alike(forest, found, turned)
        return
    decided = merge(forest, base, mine, other, How(prefer=side))
    check_laid_out(forest, decided.version)
    # only what no word can settle
    assert all(each.why for each in decided.conflicts)
    said = {each.place: side for each in found.conflicts if each.place is not None}
    check_laid_out(forest, merge(forest, base, mine, other, How(definitions=said)).version)


def check_alike(forest: Forest, one: Merged, other: Merged) -> None:
    """The same tables, columns and rows; whose columns stand first may differ, and so may the wording."""
    assert {(each.type, each.name, each.table) for each in one.version.shape.objects} == {
        (each.type, each.name, each.table) for each in other.version.shape.objects
    }
    for name, table in one.version.shape.tables.items():
        there = other.version.shape.tables[name]
        assert {repr(column) for column in table.columns} == {repr(column) for column in there.columns}
        rows, others = (rows_of(forest, each.version, name) for each in (one, other))
        assert [sorted(row.items()) for row in rows] == [sorted(row.items()) for row in others]
    if one.version.roots == other.version.roots and one.version.shape.objects == other.version.shape.objects:
        assert same_shape(one.version.shape, other.version.shape)


# -- a plain model -----------------------------------------------------------------------------------------------------

CELLS = st.sampled_from([None, 1, 2])
FRESH = {"c": None, "d": 7, "e": None}  # columns that may come, with what rows have in them by themselves


@dataclass(frozen=True)
class Side:
    """What one side does to the columns a, b and c0 of a table, and to its rows."""

    dropped: frozenset[str]
    added: frozenset[str]
    rows: Mapping[int, Mapping[str, int | None] | None]

    def script(self) -> list[str]:
        said = [f"ALTER TABLE t DROP COLUMN {column}" for column in sorted(self.dropped)]
        for column in sorted(self.added):
            default = "" if FRESH[column] is None else f" DEFAULT {FRESH[column]}"
            said.append(f"ALTER TABLE t ADD COLUMN {column}{default}")
        for key, cells in self.rows.items():
            if cells is None:
                said.append(f"DELETE FROM t WHERE id = {key}")
                continue
            said.append(f"INSERT OR IGNORE INTO t (id) VALUES ({key})")
            for column, value in cells.items():
                said.append(f"UPDATE t SET {column} = {'NULL' if value is None else value} WHERE id = {key}")
        return said

    def state(self) -> dict[int, dict[str, Any]]:
        columns = {"a": None, "b": None, "z": None, **{column: FRESH[column] for column in self.added}}
        rows = {key: {**row, **{column: FRESH[column] for column in self.added}} for key, row in OLD.items()}
        for key, cells in self.rows.items():
            if cells is None:
                rows.pop(key, None)
            else:
                rows.setdefault(key, dict(columns)).update({c: v for c, v in cells.items() if c in columns})
        return {key: {c: v for c, v in row.items() if c not in self.dropped} for key, row in rows.items()}


OLD: dict[int, dict[str, Any]] = {key: {"a": 100 + key, "b": 200 + key, "z": 300 + key} for key in range(1, 5)}
MODEL = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, z)",
    *(f"INSERT INTO t VALUES ({key}, {row['a']}, {row['b']}, {row['z']})" for key, row in OLD.items()),
)
MODEL_SIDE = st.builds(
    Side,
    st.frozensets(st.sampled_from(["a", "b"]), max_size=1),
    st.frozensets(st.sampled_from(sorted(FRESH)), max_size=2),
    st.dictionaries(
        st.integers(1, 6),
        st.none() | st.dictionaries(st.sampled_from(["a", "b", "z", "c", "d"]), CELLS, max_size=3),
        max_size=4,
    ),
)


def expected(mine: Side, other: Side) -> dict[int, dict[str, Any]] | None:
    """The rows that come out; None where a person has to say something."""
    ours, theirs = mine.state(), other.state()
    columns = ({"a", "b", "z"} | mine.added | other.added) - mine.dropped - other.dropped
    found: dict[int, dict[str, Any]] = {}
    for key in OLD.keys() | ours.keys() | theirs.keys():
        was, one, two = OLD.get(key), ours.get(key), theirs.get(key)
        for row in (one, two):
            # a value for a column that the other side took away
            gone = set(row or ()) & {"a", "b"} - columns
            if row is not None and any(row[column] != (was or {}).get(column) for column in gone):
                return None
        if one is None or two is None:
            there = one or two
            if there is None:
                continue
            if was is None:
                found[key] = {column: there.get(column, FRESH.get(column)) for column in columns}
            elif any(there[column] != was[column] for column in was.keys() & there.keys()):
                return None
            continue
        found[key] = {}
        for column in columns:
            before = [] if was is None else [was.get(column, FRESH.get(column))]
            values = [row[column] for row in (one, two) if column in row]
            if len(values) < 2 or values[0] == values[1]:
                found[key][column] = values[0]
            elif values[0] in before or values[1] in before:
                found[key][column] = values[1] if values[0] in before else values[0]
            else:
                return None
    return found


@given(MODEL_SIDE, MODEL_SIDE)
def test_columns_and_cells_are_those_of_the_model(mine: Side, other: Side) -> None:
    forest = Forest(MemoryChunks())
    versions = [version_of(forest, [*MODEL, *script]) for script in ((), mine.script(), other.script())]
    found = merge(forest, versions[0], versions[1], versions[2])
    check_laid_out(forest, found.version)
    wanted = expected(mine, other)
    assert (wanted is None) == bool(found.conflicts), found.conflicts
    if wanted is not None:
        columns = {"id", "z"} | ({"a", "b"} | mine.added | other.added) - mine.dropped - other.dropped
        assert set(found.version.shape.tables["t"].cells) == columns
        assert rows_of(forest, found.version, "t") == [
            {cell: {"id": key, **wanted[key]}[cell] for cell in found.version.shape.tables["t"].cells}
            for key in sorted(wanted)
        ]
