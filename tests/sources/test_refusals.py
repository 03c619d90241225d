"""Rows that the database does not take stay as they were and are listed with what is in their way; all else is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc import errors
from isovc.encoding.orderkey import encode_key
from isovc.model import Key, Row, RowChange, Shape
from isovc.sources.sqlite import Database, Refusal
from tests.sources.files import check, content, make


def added(*row: object, width: int = 1) -> RowChange:
    return RowChange(row[:width], None, row)  # type: ignore[arg-type]


def modified(before: Row, after: Row, width: int = 1) -> RowChange:
    return RowChange(before[:width], before, after)


def apply(database: Database, changes: Sequence[RowChange], target: Shape | None = None) -> list[Refusal]:
    refused: list[Refusal] = []
    with database.writing() as writing:
        writing.apply(target or writing.shape(), {"t": changes}, refused=refused)
    assert check(database.path) == "ok"
    return refused


def rows(database: Database) -> list[Row]:
    return content(database)[1]["t"]


KEYS = [
    ("a INTEGER PRIMARY KEY", "", 1, lambda a: (a,)),
    ("a TEXT PRIMARY KEY", "", 2, lambda a: (f"k{a}", None)),
    ("a TEXT PRIMARY KEY NOT NULL", "", 1, lambda a: (f"k{a}",)),
    ("a TEXT PRIMARY KEY", "", 2, lambda a: (None, a)),
    ("a TEXT PRIMARY KEY", "", 2, lambda a: (None, a) if a % 2 else (f"k{a}", None)),
    ("a TEXT, z INT, PRIMARY KEY (z, a)", "WITHOUT ROWID", 2, lambda a: (a // 2, f"k{a}")),
    ("a BLOB PRIMARY KEY", "WITHOUT ROWID", 1, lambda a: (bytes([a]),)),
    ("a TEXT COLLATE NOCASE PRIMARY KEY", "WITHOUT ROWID, STRICT", 1, lambda a: (f"k{a}",)),
    ("a INTEGER PRIMARY KEY", "STRICT", 1, lambda a: (a,)),
    ("", "", 1, lambda a: (a,)),
]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
@pytest.mark.parametrize(("key", "options", "width", "of"), KEYS)
def test_tables_of_every_kind(tmp_path: Path, key: str, options: str, width: int, of, encoding: str) -> None:  # type: ignore[no-untyped-def]
    cells = "b TEXT UNIQUE, c INT CHECK (c > 0), d TEXT NOT NULL, g TEXT AS (b || '!')"
    sql = f"CREATE TABLE t ({', '.join([*filter(None, [key.partition(', PRIMARY')[0]]), cells])}"
    sql += f"{', PRIMARY' + key.partition(', PRIMARY')[2] if ', PRIMARY' in key else ''}) {options}"
    database = make(tmp_path / "a.db", sql, encoding)
    old = [(*of(n), f"b{n}", n, "d") for n in range(1, 7)]
    assert apply(database, [added(*row, width=width) for row in old]) == []
    assert sorted(rows(database), key=repr) == sorted(old, key=repr)
    changes = [
        modified(old[0], (*of(1), "b2", 1, "new"), width),  # swap
        modified(old[1], (*of(2), "b1", 2, "new"), width),
        modified(old[2], (*of(3), "b4", 3, "d"), width),  # in the way: 4, which stays
        modified(old[3], (*of(4), "b4", -1, "d"), width),  # CHECK
        modified(old[4], (*of(5), "b5", 5, None), width),  # NOT NULL
        RowChange(of(6), old[5], None),
        added(*of(7), "b6", 7, "d", width=width),  # what a removed row leaves
        added(*of(8), "b3", 8, "d", width=width),  # in the way: 3, which stays
        added(*of(9), "b9", 9, "d", width=width),
        added(*of(10), "b9", 10, "d", width=width),
    ]
    refused = apply(database, list(reversed(changes)))
    first, last = sorted((9, 10), key=lambda n: encode_key(of(n)))
    after = [changes[0].after, changes[1].after, *old[2:5], changes[6].after, (*of(first), "b9", first, "d")]
    assert sorted(rows(database), key=repr) == sorted(after, key=repr)
    expected = {
        of(3): ("unique", "UNIQUE constraint failed: t.b", (of(4),)),
        of(4): ("check", "CHECK constraint failed: c > 0", ()),
        of(5): ("not null", "NOT NULL constraint failed: t.d", ()),
        of(8): ("unique", "UNIQUE constraint failed: t.b", (of(3),)),
        of(last): ("unique", "UNIQUE constraint failed: t.b", (of(first),)),
    }
    assert [each.key for each in refused] == sorted(expected, key=encode_key)
    assert {each.key: (each.kind, each.why, each.others) for each in refused} == expected
    assert {each.table for each in refused} == {"t"}


@pytest.mark.parametrize(
    ("cells", "index", "old", "new", "named"),
    [
        ("b TEXT COLLATE NOCASE UNIQUE, c", "", ("Ada", 1), ("aDA", 2), "t.b"),
        ("b TEXT COLLATE RTRIM UNIQUE, c", "", ("Ada", 1), ("Ada  ", 2), "t.b"),
        ("b, c, UNIQUE (b, c)", "", (1, 2), (1, 2.0), "t.b, t.c"),
        ("b, c", "(b) WHERE c > 0", ("x", 1), ("x", 2), "t.b"),
        ("b, c", "(b COLLATE NOCASE DESC)", ("x", 1), ("X", 2), "t.b"),
        ("b, c", "(lower(b), c % 2)", ("X", 1), ("x", 3), "index 'i'"),
        ("b, c, g AS (abs(b)) UNIQUE", "", (-5, 1), (5, 1), "t.g"),
        ("b, c, g AS (b + c) STORED UNIQUE", "", (2, 1), (1, 2), "t.g"),
    ],
)
@pytest.mark.parametrize("options", ["", "WITHOUT ROWID"])
def test_whatever_index_keeps_rows_apart(
    tmp_path: Path, cells: str, index: str, old: Row, new: Row, named: str, options: str
) -> None:
    index = index and f"CREATE UNIQUE INDEX i ON t {index}"
    database = make(tmp_path / "a.db", f"CREATE TABLE t (a INTEGER PRIMARY KEY, {cells}) {options}; {index}")
    assert apply(database, [added(1, *old), added(2, "100", 50)]) == []
    changes = [added(3, *new), modified((2, "100", 50), (2, *new)), added(4, "200", 70)]
    why = f"UNIQUE constraint failed: {named}"
    assert apply(database, changes) == [Refusal("t", (key,), "unique", why, ((1,),)) for key in (2, 3)]
    assert rows(database) == [(1, *old), (2, "100", 50), (4, "200", 70)]


def test_keys_that_a_collation_makes_one(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, b)")
    assert apply(database, [added("ada", 1)]) == []
    found = apply(database, [added("ADA", 2), added("Bob", 3), added("bob", 4)])
    assert [(each.key, each.others) for each in found] == [(("ADA",), (("ada",),)), (("bob",), (("Bob",),))]
    assert rows(database) == [("Bob", 3), ("ada", 1)]


def test_types_of_strict_tables_and_of_the_rowid(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b INT) STRICT; INSERT INTO t VALUES (1, 1)"
    )
    found = apply(database, [modified((1, 1), (1, "x")), added(2, b"y"), added("k", 1), added(3, 3)])
    assert [(each.key, each.kind, each.why) for each in found] == [
        ((1,), "type", "cannot store TEXT value in INT column t.b"),
        ((2,), "type", "cannot store BLOB value in INT column t.b"),
        (("k",), "type", "datatype mismatch"),
    ]
    assert rows(database) == [(1, 1), (3, 3)]


def test_an_expression_that_fails_for_a_row(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t (json_extract(b, '$.n'))"
    database = make(tmp_path / "a.db", sql)
    found = apply(database, [added(1, "{"), added(2, '{"n": 1}')])
    assert found == [Refusal("t", (1,), "check", "malformed JSON")]
    assert rows(database) == [(2, '{"n": 1}')]


def test_several_rows_in_the_way_of_one(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c UNIQUE); INSERT INTO t VALUES (9, 1, 2), (4, 3, 4)"
    database = make(tmp_path / "a.db", sql)
    assert [each.others for each in apply(database, [added(1, 1, 4), added(2, 3, 0)])] == [((4,), (9,)), ((4,),)]


def test_chains_and_rounds_beside_refused_rows(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c CHECK (c > 0))")
    old = [(n, n, 1) for n in range(100)]
    assert apply(database, [added(*row) for row in old]) == []
    round_ = [modified(old[n], (n, (n + 1) % 50, 1)) for n in range(50)]
    chain = [modified(old[n], (n, n + 1, 1)) for n in range(50, 98)] + [modified(old[98], (98, 1000, 1))]
    blocked = [modified(old[99], (99, 1001, 0))]
    found = apply(database, [*round_, *chain, *blocked])
    assert [(each.key, each.kind) for each in found] == [((99,), "check")]
    assert [row[1] for row in rows(database)] == [*((n + 1) % 50 for n in range(50)), *range(51, 99), 1000, 99]


def test_a_chain_whose_head_is_refused_stays_as_it_was(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE)")
    old = [(n, n) for n in range(20)]
    assert apply(database, [added(*row) for row in old]) == []
    found = apply(database, [modified(old[n], (n, n + 1)) for n in range(19)])  # 19 stays where it is
    assert [(each.key, each.others) for each in found] == [((n,), ((n + 1,),)) for n in range(19)]
    assert rows(database) == old


def test_a_row_that_fits_after_all_is_taken(tmp_path: Path) -> None:
    """1 has what 2 wants, and loses it again to 3, which must stay: then 2 can have it."""
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c UNIQUE)"
    database = make(tmp_path / "a.db", f"{sql}; INSERT INTO t VALUES (1, 10, 1), (2, 20, 2), (3, 30, 3), (4, 40, 4)")
    changes = [
        modified((1, 10, 1), (1, 30, 9)),
        modified((2, 20, 2), (2, 21, 9)),
        modified((3, 30, 3), (3, 40, 3)),
    ]
    assert [(each.key, each.others) for each in apply(database, changes)] == [((1,), ((2,), (3,))), ((3,), ((4,),))]
    assert rows(database) == [(1, 10, 1), (2, 21, 9), (3, 30, 3), (4, 40, 4)]


def test_rows_that_only_together_fit_after_all_are_taken(tmp_path: Path) -> None:
    """1 keeps 2 and 3 out, which change places in e, and must go itself because 4 stays."""
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c UNIQUE, d UNIQUE, e UNIQUE)")
    old: list[Row] = [(1, 10, 1, 1, 1), (2, 20, 2, 2, 2), (3, 21, 3, 3, 3), (4, 30, 4, 4, 4), (5, 40, 8, 8, 8)]
    new: list[Row] = [(1, 30, 5, 6, 1), (2, 20, 5, 2, 3), (3, 21, 3, 6, 2), (4, 40, 4, 4, 4)]
    assert apply(database, [added(*row) for row in old]) == []
    found = apply(database, list(map(modified, old[:4], new)))
    assert [(each.key, each.others) for each in found] == [((1,), ((2,), (3,), (4,))), ((4,), ((5,),))]
    assert rows(database) == [old[0], new[1], new[2], old[3], old[4]]


def test_a_rowid_that_another_row_only_happens_to_have_is_not_in_the_way(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a TEXT PRIMARY KEY, b UNIQUE); INSERT INTO t VALUES ('k', 'y'), ('m', 'x')"
    database = make(tmp_path / "a.db", sql)
    found = apply(database, [added(None, 1, "x", width=2), added(None, 2, "z", width=2)])
    assert [(each.key, each.others) for each in found] == [((None, 1), (("m", None),))]
    assert rows(database) == [(None, 2, "z"), ("k", None, "y"), ("m", None, "x")]


def test_rows_with_and_without_a_rowid_in_their_key_come_in_its_order(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (z INT, a TEXT, b UNIQUE, PRIMARY KEY (z, a))")
    found = apply(database, [added(1, None, 7, "x", width=3), added(0, "a", None, "x", width=3)])
    assert [(each.key, each.others) for each in found] == [((1, None, 7), ((0, "a", None),))]


def test_rows_that_break_a_check_already_stay(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b CHECK (b > 0), c UNIQUE); PRAGMA ignore_check_constraints=ON"
    database = make(tmp_path / "a.db", f"{sql}; INSERT INTO t VALUES (1, -1, 10), (2, 2, 2)")
    for n, change in enumerate((modified((2, 2, 2), (2, 3, 3)), modified((2, 3, 3), (2, 0, 0)))):
        refused: list[Refusal] = []
        with database.writing() as writing:
            changes = [modified((1, -1, n + 10), (1, -1, n + 11)), change, added(3, -3, 3)]
            writing.apply(writing.shape(), {"t": changes}, refused=refused)
        assert [each.key for each in refused] == [(2,), (3,)][-n - 1 :]
        assert rows(database) == [(1, -1, n + 11), (2, 3, 3)]
    with database.writing() as writing:
        writing.apply(writing.shape(), {"t": [modified((1, -1, 12), (1, -2, 12))]}, refused=refused)
    assert [each.key for each in refused][2:] == [(1,)]


def test_text_that_is_not_valid_is_named_and_kept(tmp_path: Path) -> None:
    odd = "\udcff\udcfe"
    database = make(tmp_path / "a.db", "CREATE TABLE t (a TEXT PRIMARY KEY, b UNIQUE) WITHOUT ROWID")
    assert apply(database, [added(odd, "x"), added("k", odd)]) == []
    found = apply(database, [modified(("k", odd), ("k", "x")), added("n", odd), added(odd + "2", "y")])
    assert [(each.key, each.others) for each in found] == [(("k",), ((odd,),)), (("n",), (("k",),))]
    assert sorted(rows(database)) == sorted([(odd, "x"), ("k", odd), (odd + "2", "y")])


def test_nothing_but_refusals_is_no_change(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c CHECK (c > 0)); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)"
    database = make(tmp_path / "a.db", sql)
    mark = database.mark()
    refused: list[Refusal] = []
    changes = [modified((1, 1, 1), (1, 2, 1)), added(3, 1, 1), added(4, 4, 0)]
    with database.writing() as writing:
        writing.apply(writing.shape(), {"t": changes}, refused=refused)
        assert not writing.is_changed
    assert [each.key for each in refused] == [(1,), (3,), (4,)]
    assert database.mark() == mark == writing.committed
    with database.writing() as writing:
        writing.apply(writing.shape(), {"t": [*changes, added(5, 5, 5)]}, refused=[])
        assert writing.is_changed
    assert rows(database)[-1] == (5, 5, 5)


def test_nothing_of_ours_is_left_behind(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE); INSERT INTO t VALUES (1, 1)")
    with database.writing() as writing:
        shape = writing.shape()
        writing.apply(shape, {"t": [added(2, 1), added(3, 3)]}, refused=[])
        assert writing._connection.execute("SELECT count(*) FROM temp.sqlite_schema").get == 0
        writing.apply(shape, {"t": [RowChange((3,), (3, 3), None)]}, refused=[])
    assert content(database) == (shape, {"t": [(1, 1)]})


def test_rows_that_are_not_there_are_an_error_still(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE); INSERT INTO t VALUES (1, 1)")
    for gone in (RowChange((7,), (7, 7), None), modified((7, 7), (7, 8))):
        with pytest.raises(errors.RowRefused, match="not there"):
            apply(database, [gone, added(2, 1)])


def test_a_function_that_is_missing_is_no_matter_of_a_row(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    with database.writing() as writing:
        shape = writing.shape()
        writing._connection.create_scalar_function("mine", lambda x: x, deterministic=True)
        writing._connection.execute("CREATE INDEX i ON t (mine(b))")
        writing.is_changed = True
    with pytest.raises(errors.MissingFunction, match="mine"), database.writing() as writing:
        writing.apply(writing.shape(), {"t": [added(1, 1)]}, refused=[])
    assert content(database)[0] != shape


def test_rules_that_come_with_new_columns_and_tables(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"
    new = "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c DEFAULT 7 CHECK (c > 0)); CREATE TABLE n (a, b UNIQUE)"
    database = make(tmp_path / "a.db", sql)
    target, _ = content(make(tmp_path / "b.db", new))
    refused: list[Refusal] = []
    changes = [modified((1, 1), (1, 2, 5)), modified((2, 2), (2, 9, 0)), modified((3, 3), (3, 4, 5))]
    fresh: list[list[Row]] = [[(1, "x", 1), (2, "y", 1)], [(3, "z", 3), (4, "w", 3)]]
    with database.writing() as writing:
        writing.apply(target, {"t": changes}, contents={"n": fresh}, refused=refused)
    assert [(each.table, each.key, each.others) for each in refused] == [
        ("n", (2,), ((1,),)),
        ("n", (4,), ((3,),)),
        ("t", (1,), ((2,),)),
        ("t", (2,), ()),
    ]
    assert content(database)[1] == {"t": [(1, 1, 7), (2, 2, 7), (3, 4, 5)], "n": [(1, "x", 1), (3, "z", 3)]}


@pytest.mark.parametrize("key", ["a INTEGER PRIMARY KEY", "a PRIMARY KEY NOT NULL", "a PRIMARY KEY", "a"])
def test_a_table_that_is_made_anew_lists_what_it_does_not_take(tmp_path: Path, key: str) -> None:
    """One row changes because what it was does not fit any more; an index that was there before is asked row by row."""
    old_rows = "(1, NULL, 1), (2, 7, 2), (3, 8, 3), (4, 9, 4)"
    index = "CREATE UNIQUE INDEX i ON t (c)"
    database = make(tmp_path / "a.db", f"CREATE TABLE t ({key}, b, c); {index}; INSERT INTO t VALUES {old_rows}")
    target, _ = content(make(tmp_path / "b.db", f"CREATE TABLE t ({key}, c, b NOT NULL, d DEFAULT 5); {index}"))
    old = {row[-2]: row for row in rows(database) if row[-2]} | {None: rows(database)[0]}
    width, begin = len(target.tables["t"].key), len(target.tables["t"].cells) - 3

    def to(before: Row, *after: object) -> RowChange:
        return RowChange(before[:width], before, (*before[:begin], *after))  # type: ignore[arg-type]

    changes = [to(old[None], 11, 6, 5), to(old[7], 4, 7, 5), to(old[8], 3, None, 5)]
    found = apply(database, changes, target)
    assert [(each.key, each.kind, each.others) for each in found] == [
        (old[7][:width], "unique", (old[9][:width],)),
        (old[8][:width], "not null", ()),
    ]
    shape, now = content(database)
    assert shape == target
    assert [row[begin:] for row in now["t"]] == [(11, 6, 5), (2, 7, 5), (3, 8, 5), (4, 9, 5)]


# -- against a model --------------------------------------------------------------------------------------------------

Model = dict[int, tuple[int, int]]  # key: b (unique), c (unique with b's parity; must be positive)


def _fits(rows: Model, key: int, row: tuple[int, int]) -> set[int]:
    """The rows in the way."""
    b, c = row
    others = {k: each for k, each in rows.items() if k != key}
    return {k for k, (b2, c2) in others.items() if b2 == b or (c2 == c and b2 % 2 == b % 2)}


_cells = st.tuples(st.integers(0, 5), st.integers(0, 3))


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Model, dict[int, tuple[int, int] | None]]:
    before: Model = {}
    for key, row in draw(st.dictionaries(st.integers(0, 7), _cells, max_size=7)).items():
        if row[1] > 0 and not _fits(before, key, row):
            before[key] = row
    changes = draw(st.dictionaries(st.integers(0, 7), st.none() | _cells, min_size=1, max_size=8))
    return before, {k: row for k, row in changes.items() if row is not None or k in before}


@given(_cases())
def test_what_is_refused_and_what_is_taken(tmp_path_factory: pytest.TempPathFactory, case: object) -> None:
    before, wanted = case  # type: ignore[misc]
    database = make(
        tmp_path_factory.mktemp("model") / "a.db",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c CHECK (c > 0)); CREATE UNIQUE INDEX i ON t (c, b % 2)",
    )
    apply(database, [added(k, *row) for k, row in before.items()])
    changes = [
        RowChange((k,), (k, *before[k]) if k in before else None, None if row is None else (k, *row))
        for k, row in wanted.items()
    ]
    refused = apply(database, changes)
    now: Model = {row[0]: (row[1], row[2]) for row in rows(database)}  # type: ignore[misc]
    kept: set[Key] = {each.key for each in refused}
    # each row is as it was or as it was to be, and the refused ones are those that are as they were
    expected = dict(before)
    for k, row in wanted.items():
        if (k,) in kept:
            assert row is not None
        elif row is None:
            expected.pop(k, None)
        else:
            expected[k] = row
    assert now == expected
    assert [each.key for each in refused] == sorted(kept)
    # each refusal is right and final: it breaks a CHECK, or just these are in its way now
    for each in refused:
        row = wanted[each.key[0]]
        assert (each.kind == "check") == (row[1] <= 0)
        assert set(each.others) == (set() if each.kind == "check" else {(k,) for k in _fits(now, each.key[0], row)})
        assert each.kind == "check" or each.others
    # nothing is refused where all of it fits together
    whole = {k: row for k, row in {**before, **wanted}.items() if row is not None}
    if all(row[1] > 0 and not _fits(whole, k, row) for k, row in whole.items()):
        assert refused == []
    # new rows alone: of two that exclude each other the first one stays
    if not set(wanted) & set(before):
        model = dict(before)
        for k in sorted(wanted):
            if wanted[k][1] > 0 and not _fits(model, k, wanted[k]):
                model[k] = wanted[k]
        assert now == model
