"""Full-text tables and R-Trees that both sides changed: their rows are merged, and their own module makes the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.snapshot.capture import capture
from isovc.snapshot.merging.how import PLAIN, How
from isovc.snapshot.merging.merge import Conflict, Merged, merge
from isovc.snapshot.move import plan_move
from isovc.snapshot.version import Version, same
from isovc.sources.sqlite import Database
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest
from tests.snapshot.test_merge_live import begun
from tests.sources.files import make
from tests.versioned import Versioned

Rows = list[tuple[Any, ...]]


class Sides:
    """A database, and two copies of it that went their own ways."""

    def __init__(self, folder: Path, base: str, ours: str, theirs: str, encoding: str = "UTF-8") -> None:
        self.folder = folder
        self.forest = Forest(MemoryChunks())
        self.paths = [folder / f"{name}.db" for name in ("base", "ours", "theirs")]
        make(self.paths[0], base, encoding)
        for path, sql in zip(self.paths[1:], (ours, theirs), strict=True):
            shutil.copy(self.paths[0], path)
            with closing(apsw.Connection(str(path))) as connection:
                list(connection.execute(sql))
        self.base, self.ours, self.theirs = map(self.captured, self.paths)

    def captured(self, path: Path) -> Version:
        with Database(path).reading() as live:
            return capture(self.forest, live).version

    def merged(self, how: How = PLAIN) -> Merged:
        return merge(self.forest, self.base, self.ours, self.theirs, how)

    def clean(self) -> Version:
        """Merged without a conflict, and the same from the other side."""
        merged = self.merged()
        assert merged.conflicts == ()
        turned = merge(self.forest, self.base, self.theirs, self.ours)
        assert turned.conflicts == ()
        assert same(merged.version, turned.version)
        assert same(merged.version, self.merged().version)
        return merged.version

    def laid_out(self, version: Version) -> Iterator[apsw.Connection]:
        """The database of each side, brought to this version, which is then what it holds."""
        for path, live in zip(self.paths[1:], (self.ours, self.theirs), strict=True):
            copy = path.with_suffix(".merged.db")
            shutil.copy(path, copy)
            move = plan_move(self.forest, live, version)
            with Database(copy).writing() as writing:
                writing.apply(move.target, move.changes, contents=move.contents)
            assert same(self.captured(copy), version)
            with closing(apsw.Connection(str(copy))) as connection:
                assert connection.execute("PRAGMA integrity_check").get == "ok"
                yield connection
                # it goes on living
            with closing(apsw.Connection(str(copy))) as connection:
                assert connection.execute("PRAGMA integrity_check").get == "ok"


@pytest.fixture
def sides(tmp_path: Path) -> Callable[..., Sides]:
    return lambda *words, **more: Sides(tmp_path, *words, **more)


def found(connection: apsw.Connection, table: str, query: str) -> list[int]:
    sql = f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid"
    return [row[0] for row in connection.execute(sql, (query,))]


def check_text(connection: apsw.Connection, table: str = "f", *, ranked: bool = True) -> None:
    sql = (
        f"INSERT INTO {table} ({table}{', rank' if ranked else ''}) VALUES ('integrity-check'{', 1' if ranked else ''})"
    )
    connection.execute(sql)


def check_boxes(connection: apsw.Connection) -> None:
    assert connection.execute("SELECT rtreecheck('r')").get == "ok"


def told(merged: Merged) -> list[tuple[str, str, object]]:
    return [(each.table, each.kind, each.row.key if each.row else each.place) for each in merged.conflicts]


ROWS = "INSERT INTO f (rowid, a, b) VALUES (1, 'red apple', 'x'), (2, 'green pear', 'y'), (3, 'red cherry', 'z')"
OURS = "UPDATE f SET a = 'red plum' WHERE rowid = 1; INSERT INTO f (rowid, a, b) VALUES (10, 'green kiwi', 'ours')"
THEIRS = """UPDATE f SET b = 'theirs' WHERE rowid = 1; DELETE FROM f WHERE rowid = 3;
    INSERT INTO f (rowid, a, b) VALUES (20, 'red currant', 'theirs')"""
HELD = [(1, "red plum", "theirs"), (2, "green pear", "y"), (10, "green kiwi", "ours"), (20, "red currant", "theirs")]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
@pytest.mark.parametrize(
    "definition",
    [
        "fts5 (a, b)",
        "fts5 (a, b, columnsize=0)",
        "fts5 (a, b, detail=none)",
        "fts5 (a, b, detail=column, prefix='2 3')",
        "fts5 (a, b UNINDEXED, tokenize='porter unicode61')",
        "fts5 (a, b, tokenize='trigram')",
        "fts4 (a, b)",
        "fts4 (a, b, matchinfo=fts3)",
        "fts4 (a, b, prefix='2', order=desc, tokenize=porter)",
        "fts4 (a, b, notindexed=b, languageid='lid')",
        "fts3 (a, b)",
    ],
)
def test_rows_of_a_full_text_table_are_merged_and_found(
    sides: Callable[..., Sides], definition: str, encoding: str
) -> None:
    made = sides(f"CREATE VIRTUAL TABLE f USING {definition}; {ROWS}", OURS, THEIRS, encoding=encoding)
    for connection in made.laid_out(made.clean()):
        assert list(connection.execute("SELECT rowid, a, b FROM f ORDER BY rowid")) == HELD
        check_text(connection, ranked="fts5" in definition)
        assert found(connection, "f", "red") == [1, 20]
        assert found(connection, "f", "green") == [2, 10]
        assert found(connection, "f", "cherry") == found(connection, "f", "apple") == []
        connection.execute("INSERT INTO f (rowid, a) VALUES (30, 'red late'); DELETE FROM f WHERE rowid = 1")
        assert found(connection, "f", "red") == [20, 30]
        check_text(connection, ranked="fts5" in definition)


def test_what_one_side_changed_is_taken_as_it_is(sides: Callable[..., Sides]) -> None:
    base = f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {ROWS}; CREATE TABLE t (a)"
    made = sides(base, "INSERT INTO t VALUES (1)", f"{OURS}; INSERT INTO f (f, rank) VALUES ('rank', 'bm25(9.0)')")
    merged = made.clean()
    for table in ("f_data", "f_idx", "f_content", "f_docsize", "f_config"):
        assert merged.roots[table] == made.theirs.roots[table]


@pytest.mark.parametrize("definition", ["fts5 (a, b)", "fts4 (a, b)"])
def test_a_row_that_both_changed_is_contested_under_the_name_and_columns_of_the_table(
    sides: Callable[..., Sides], definition: str
) -> None:
    made = sides(
        f"CREATE VIRTUAL TABLE f USING {definition}; {ROWS}",
        "UPDATE f SET a = 'one', b = 'mine' WHERE rowid = 1",
        "UPDATE f SET a = 'other' WHERE rowid = 1; DELETE FROM f WHERE rowid = 2",
    )
    merged = made.merged()
    (contested,) = merged.conflicts
    assert (contested.table, contested.kind, contested.place) == ("f", "row", None)
    assert contested.row is not None
    assert contested.row[2:] == ((1, "red apple", "x"), (1, "one", "mine"), (1, "other", "x"), (1,), (1, "one", "mine"))
    for connection in made.laid_out(merged.version):  # ours stands meanwhile
        assert found(connection, "f", "one") == [1]
        assert found(connection, "f", "other") == found(connection, "f", "pear") == []
        check_text(connection, ranked="fts5" in definition)
    for how in (How(prefer="theirs"), How(tables={"f": "theirs"})):
        merged = made.merged(how)
        assert merged.conflicts == ()
        for connection in made.laid_out(merged.version):
            assert list(connection.execute("SELECT * FROM f WHERE f MATCH 'other'")) == [("other", "mine")]


def test_settings_survive(sides: Callable[..., Sides]) -> None:
    made = sides(
        f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {ROWS}; INSERT INTO f (f, rank) VALUES ('pgsz', 128)",
        f"""{OURS}; INSERT INTO f (f, rank) VALUES ('rank', 'bm25(9.0, 1.0)');
        WITH n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO f (rowid, a) SELECT i, 'word' || i FROM n""",
        f"{THEIRS}; INSERT INTO f (f, rank) VALUES ('automerge', 8); INSERT INTO f (f) VALUES ('optimize')",
    )
    expected: dict[str, Any] = {"pgsz": 128, "rank": "bm25(9.0, 1.0)", "automerge": 8, "version": 4}
    for connection in made.laid_out(made.clean()):
        assert dict(connection.execute("SELECT * FROM f_config")) == expected
        assert connection.execute("SELECT max(length(block)) FROM f_data").get < 2 * expected["pgsz"]
        assert found(connection, "f", "red") == [1, 20]


def test_an_open_connection_notices_that_settings_are_others(sides: Callable[..., Sides]) -> None:
    weigh = "INSERT INTO f (f, rank) VALUES ('rank', 'bm25({})')"
    made = sides(
        "CREATE VIRTUAL TABLE f USING fts5 (a, b); INSERT INTO f VALUES ('x', 'y y y'), ('y', 'x'), ('q', 'q')",
        f"INSERT INTO f VALUES ('late', ''); {weigh.format('1.0, 0.0')}; {weigh.format('5.0, 0.0')}",
        f"INSERT INTO f (rowid, a) VALUES (50, 'late'); {weigh.format('0.0, 1.0')}",
    )
    merged = made.merged(How(tables={"f_config": "theirs"})).version
    query = "SELECT rowid FROM f WHERE f MATCH 'y' ORDER BY rank"
    with closing(apsw.Connection(str(made.paths[1]))) as connection:
        before = list(connection.execute(query))
        with Database(made.paths[1]).writing() as writing:
            writing.apply(merged.shape, plan_move(made.forest, made.ours, merged).changes)
        assert list(connection.execute(query)) != before


def test_settings_of_fts4_survive(sides: Callable[..., Sides]) -> None:
    made = sides(
        f"CREATE VIRTUAL TABLE f USING fts4 (a, b); {ROWS}", f"{OURS}; INSERT INTO f (f) VALUES ('automerge=6')", THEIRS
    )
    for connection in made.laid_out(made.clean()):
        assert connection.execute("SELECT value FROM f_stat WHERE id = 2").get == 6
        check_text(connection, ranked=False)


INDEXED = """CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, seen);
    CREATE VIRTUAL TABLE f USING {module} (a, b, content='T'{more});
    CREATE TRIGGER ti AFTER INSERT ON t BEGIN INSERT INTO f (rowid, a, b) VALUES (new.id, new.a, new.b); END;
    {remove};
    INSERT INTO t (id, a, b) VALUES (1, 'red apple', 'x'), (2, 'green pear', 'y'), (3, 'red cherry', 'z')"""
WITH_FTS5 = INDEXED.format(
    module="fts5",
    more=", content_rowid=id",
    remove="""CREATE TRIGGER td AFTER DELETE ON t BEGIN
      INSERT INTO f (f, rowid, a, b) VALUES ('delete', old.id, old.a, old.b); END;
    CREATE TRIGGER tu AFTER UPDATE OF a, b ON t BEGIN
      INSERT INTO f (f, rowid, a, b) VALUES ('delete', old.id, old.a, old.b);
      INSERT INTO f (rowid, a, b) VALUES (new.id, new.a, new.b); END""",
)
WITH_FTS4 = INDEXED.format(
    module="fts4",
    more="",
    remove="""CREATE TRIGGER tdb BEFORE DELETE ON t BEGIN DELETE FROM f WHERE docid = old.id; END;
    CREATE TRIGGER tub BEFORE UPDATE OF a, b ON t BEGIN DELETE FROM f WHERE docid = old.id; END;
    CREATE TRIGGER tua AFTER UPDATE OF a, b ON t BEGIN
      INSERT INTO f (rowid, a, b) VALUES (new.id, new.a, new.b); END""",
)
OURS_T = OURS.replace(" f ", " t ").replace("rowid", "id")
THEIRS_T = THEIRS.replace(" f ", " t ").replace("rowid", "id")


WITH_OPTIONS = [
    WITH_FTS5,
    WITH_FTS4,
    *(
        WITH_FTS5.replace("content_rowid=id", f"content_rowid=id, {more}")
        for more in ("detail=none", "detail=column, columnsize=0", "prefix='2 3'", "tokenize='porter ascii'")
    ),
]


@pytest.mark.parametrize("base", WITH_OPTIONS)
def test_an_index_of_a_table_is_made_anew_of_the_merged_table(sides: Callable[..., Sides], base: str) -> None:
    made = sides(base, OURS_T, THEIRS_T)
    for connection in made.laid_out(made.clean()):
        assert list(connection.execute("SELECT id, a, b FROM t ORDER BY id")) == HELD
        check_text(connection, ranked="fts5" in base)
        assert found(connection, "f", "red") == [1, 20]
        assert found(connection, "f", "cherry") == []
        connection.execute("DELETE FROM t WHERE id = 1; UPDATE t SET a = 'red late' WHERE id = 2")
        assert found(connection, "f", "red") == [2, 20]
        check_text(connection, ranked="fts5" in base)


def test_an_index_knows_rows_that_got_another_number(sides: Callable[..., Sides]) -> None:
    made = sides(WITH_FTS5, "INSERT INTO t (a) VALUES ('red plum')", "INSERT INTO t (a) VALUES ('green kiwi')")
    assert [each.kind for each in made.merged().conflicts] == ["row"]
    merged = made.merged(How(renumber={"t": None}))
    assert (merged.conflicts, merged.renumbered) == ((), {"t": {4: 5}})
    for connection in made.laid_out(merged.version):
        check_text(connection)
        assert [found(connection, "f", word) for word in ("plum", "kiwi")] == [[4], [5]]


def test_an_index_of_a_column_that_follows_other_numbers_is_made_anew(sides: Callable[..., Sides]) -> None:
    base = """CREATE TABLE p (id INTEGER PRIMARY KEY, a); CREATE TABLE t (id INTEGER PRIMARY KEY, p REFERENCES p);
        CREATE VIRTUAL TABLE f USING fts5 (p, content=t, content_rowid=id);
        CREATE TRIGGER ti AFTER INSERT ON t BEGIN INSERT INTO f (rowid, p) VALUES (new.id, new.p); END"""
    made = sides(base, "INSERT INTO p VALUES (1, 'x')", "INSERT INTO p VALUES (1, 'y'); INSERT INTO t VALUES (1, 1)")
    merged = made.merged(How(renumber={"p": None}))
    assert merged.conflicts == ()
    for connection in made.laid_out(merged.version):
        assert (found(connection, "f", "1"), found(connection, "f", "2")) == ([], [1])
        check_text(connection)


def test_an_index_of_a_view_is_made_anew(sides: Callable[..., Sides]) -> None:
    base = """CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE u (id INTEGER PRIMARY KEY, b);
        CREATE VIEW v AS SELECT t.id, a || ' ' || b AS ab FROM t JOIN u USING (id);
        INSERT INTO t VALUES (1, 'red'), (2, 'green'); INSERT INTO u VALUES (1, 'x'), (2, 'y');
        CREATE VIRTUAL TABLE f USING fts5 (ab, content=v, content_rowid=id); INSERT INTO f (f) VALUES ('rebuild')"""
    again = "INSERT INTO f (f) VALUES ('rebuild')"
    made = sides(base, f"UPDATE t SET a = 'blue' WHERE id = 1; {again}", f"UPDATE u SET b = 'z' WHERE id = 1; {again}")
    for connection in made.laid_out(made.clean()):
        assert found(connection, "f", "blue z") == [1]
        check_text(connection)


@pytest.mark.parametrize("turned", [False, True])
def test_an_index_follows_what_the_other_side_did_to_its_table(sides: Callable[..., Sides], turned: bool) -> None:
    base = WITH_FTS5 + "; DROP TRIGGER tu"  # so that nothing tells the index of the update
    words = (OURS_T.partition("; ")[2], "UPDATE t SET seen = 1 WHERE id = 1; UPDATE t SET b = b WHERE id = 2")
    made = sides(base, *(reversed(words) if turned else words))
    merged = made.clean()
    for connection in made.laid_out(merged):
        check_text(connection)
        assert found(connection, "f", "green") == [2, 10]
    assert merged.roots["f_data"] not in {version.roots["f_data"] for version in (made.base, made.ours, made.theirs)}


def test_an_index_that_nobody_touched_is_not_brought_into_step(sides: Callable[..., Sides]) -> None:
    base = f"CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); {ROWS.replace(' f ', ' t ').replace('rowid', 'id')};"
    base += "CREATE VIRTUAL TABLE f USING fts5 (a, b, content=t, content_rowid=id);"
    base += "INSERT INTO f (rowid, a, b) VALUES (1, 'red apple', 'x')"
    made = sides(base, OURS_T, THEIRS_T)
    merged = made.clean()
    assert merged.roots["f_data"] == made.base.roots["f_data"]
    for connection in made.laid_out(merged):
        assert found(connection, "f", "apple") == [1]
        assert found(connection, "f", "plum") == found(connection, "f", "pear") == []


PARTIAL = """CREATE TABLE t (id INTEGER PRIMARY KEY, a, gone DEFAULT 0);
    CREATE VIRTUAL TABLE f USING fts5 (a, content=t, content_rowid=id);
    CREATE TRIGGER ti AFTER INSERT ON t WHEN NOT new.gone BEGIN INSERT INTO f (rowid, a) VALUES (new.id, new.a); END;
    INSERT INTO t VALUES (1, 'red', 0), (2, 'red', 1)"""


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("INSERT INTO t VALUES (3, 'red', 0)", "INSERT INTO t VALUES (4, 'red', 0)"),
        ("INSERT INTO t VALUES (3, 'red', 0)", "INSERT INTO t VALUES (4, 'red', 1)"),
        ("INSERT INTO t VALUES (3, 'red', 1)", "INSERT INTO t VALUES (4, 'red', 0)"),
    ],
)
def test_an_index_of_only_some_rows_is_for_a_person(sides: Callable[..., Sides], ours: str, theirs: str) -> None:
    made = sides(PARTIAL, ours, theirs)
    merged = made.merged()
    assert told(merged) == [("f", "rows against schema", ("table", "f"))]
    assert merged.conflicts[0].why
    for table in ("f_data", "f_idx", "f_docsize", "f_config"):
        assert merged.version.roots[table] == made.ours.roots[table]


def test_an_index_by_numbers_that_are_not_kept_is_for_a_person(sides: Callable[..., Sides]) -> None:
    base = """CREATE TABLE t (k TEXT PRIMARY KEY, a); CREATE VIRTUAL TABLE f USING fts5 (a, content=t);
        CREATE TRIGGER ti AFTER INSERT ON t BEGIN INSERT INTO f (rowid, a) VALUES (new.rowid, new.a); END;
        INSERT INTO t VALUES ('a', 'red')"""
    made = sides(base, "INSERT INTO t VALUES ('b', 'green')", "INSERT INTO t VALUES ('c', 'blue')")
    assert told(made.merged()) == [("f", "rows against schema", ("table", "f"))]


WHOLE = {
    "contentless": "CREATE VIRTUAL TABLE f USING fts5 (a, content=''); INSERT INTO f (rowid, a) VALUES (1, 'red')",
    "contentless delete": """CREATE VIRTUAL TABLE f USING fts5 (a, content='', contentless_delete=1);
        INSERT INTO f (rowid, a) VALUES (1, 'red')""",
    "contentless unindexed": """CREATE VIRTUAL TABLE f USING fts5 (a, b UNINDEXED, content=, contentless_unindexed=1);
        INSERT INTO f (rowid, a) VALUES (1, 'red')""",
    "contentless fts4": """CREATE VIRTUAL TABLE f USING fts4 (a, content="");
        INSERT INTO f (rowid, a) VALUES (1, 'red')""",
    "unknown": """CREATE TABLE f_chunks (rowid INTEGER PRIMARY KEY, a); CREATE TABLE f (a); PRAGMA writable_schema=ON;
        UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE f USING vec0 (a)', rootpage = 0 WHERE name = 'f';
        INSERT INTO f_chunks VALUES (1, 'red')""",
}


@pytest.mark.parametrize("case", WHOLE)
def test_what_cannot_be_made_anew_is_taken_whole_or_is_for_a_person(sides: Callable[..., Sides], case: str) -> None:
    table = "f_chunks" if case == "unknown" else "f"
    made = sides(
        f"{WHOLE[case]}; CREATE TABLE t (a)",
        f"INSERT INTO {table} (rowid, a) VALUES (2, 'green'); INSERT INTO t VALUES (1)",
        f"INSERT INTO {table} (rowid, a) VALUES (3, 'blue')",
    )
    stored = [name for name in made.base.roots if name != "t"]
    merged = made.merged()
    assert told(merged) == [("f", "rows against schema", ("table", "f"))]
    assert merged.conflicts[0].why == "it holds what cannot be read back from it"
    assert [merged.version.roots[each] for each in stored] == [made.ours.roots[each] for each in stored]
    for side in ("base", "ours", "theirs"):
        for how in (How(definitions={("table", "f"): side}), How(prefer=side), How(tables={"f": side})):
            merged = made.merged(how)
            assert merged.conflicts == ()
            wanted = getattr(made, side).roots
            assert [merged.version.roots[each] for each in stored] == [wanted[each] for each in stored]
            assert merged.version.roots["t"] == made.ours.roots["t"]
    one = merge(made.forest, made.base, made.base, made.theirs)
    assert one.conflicts == ()
    assert same(one.version, made.theirs)


def test_an_index_of_a_table_that_seems_to_belong_to_an_unknown_one_is_taken_with_it(
    sides: Callable[..., Sides],
) -> None:
    base = """CREATE TABLE zz (a); PRAGMA writable_schema=ON;
        UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE zz USING vec0 (a)', rootpage = 0 WHERE name = 'zz';
        CREATE TABLE zz_t (id INTEGER PRIMARY KEY, a); CREATE TABLE u (a);
        CREATE VIRTUAL TABLE f USING fts5 (a, content=zz_t, content_rowid=id);
        CREATE TRIGGER ti AFTER INSERT ON zz_t BEGIN INSERT INTO f (rowid, a) VALUES (new.id, new.a); END"""
    made = sides(base, "INSERT INTO zz_t VALUES (1, 'red')", "INSERT INTO u VALUES (1)")
    merged = made.clean()
    for table in ("zz_t", "f_data", "f_idx", "f_docsize"):
        assert merged.roots[table] == made.ours.roots[table]


def test_a_table_that_is_older_than_the_unknown_one_it_seems_to_belong_to_loses_nothing(
    sides: Callable[..., Sides],
) -> None:
    base = "CREATE TABLE f_notes (id INTEGER PRIMARY KEY, a)"
    made = sides(
        base,
        "INSERT INTO f_notes VALUES (1, 'mine')",
        """CREATE TABLE f (a); PRAGMA writable_schema=ON;
        UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE f USING vec0 (a)', rootpage = 0 WHERE name = 'f'""",
    )
    merged = made.merged()
    assert merged.conflicts or merged.version.roots["f_notes"] == made.ours.roots["f_notes"]


BOXES = "INSERT INTO r VALUES (1, 0, 1, 0, 1{a}), (2, 2, 3.5, 2, 3{b}), (3, 4, 5, 4, 5{c})"


@pytest.mark.parametrize("module", ["rtree", "rtree_i32"])
@pytest.mark.parametrize("more", [False, True])
def test_boxes_of_both_sides_are_found(sides: Callable[..., Sides], module: str, more: bool) -> None:
    names = (", 'one'", ", x'00ff'", ", NULL") if more else ("", "", "")
    base = f"CREATE VIRTUAL TABLE r USING {module} (id, x0, x1, y0, y1{', +label TEXT' if more else ''});"
    base += BOXES.format(a=names[0], b=names[1], c=names[2])
    many = f"""WITH n (i) AS (SELECT {{0}} UNION ALL SELECT i + 1 FROM n WHERE i < {{0}} + 300)
        INSERT INTO r SELECT i, i, i + 1, 50, 60{", 'label ' || i" if more else ""} FROM n"""
    label = "; UPDATE r SET label = 'uno' WHERE id = 1" if more else ""
    made = sides(
        base,
        f"UPDATE r SET x1 = 1.5 WHERE id = 1; DELETE FROM r WHERE id = 3; {many.format(1000)}",
        f"UPDATE r SET y1 = 7 WHERE id = 1; {many.format(2000)}{label}",
    )
    for connection in made.laid_out(made.clean()):
        check_boxes(connection)
        wide = 1 if module == "rtree_i32" else 1.5
        assert list(connection.execute("SELECT * FROM r WHERE id < 4 ORDER BY id")) == [
            (1, 0, wide, 0, 7, *(("uno",) if more else ())),
            (2, 2, int(3.5) if module == "rtree_i32" else 3.5, 2, 3, *((b"\x00\xff",) if more else ())),
        ]
        inside = "SELECT id FROM r WHERE x0 >= 1299 AND x1 <= 2002 AND y0 > 40 ORDER BY id"
        assert [row[0] for row in connection.execute(inside)] == [1299, 1300, 2000, 2001]
        connection.execute("DELETE FROM r WHERE id BETWEEN 1100 AND 2100")
        check_boxes(connection)


def test_boxes_lie_in_pages_of_the_size_that_the_database_has(sides: Callable[..., Sides]) -> None:
    made = sides(
        "PRAGMA page_size=512; CREATE VIRTUAL TABLE r USING rtree (id, x0, x1); INSERT INTO r VALUES (1, 0, 1)",
        "INSERT INTO r VALUES (2, 0, 1)",
        "INSERT INTO r VALUES (3, 0, 1)",
    )
    for connection in made.laid_out(made.clean()):
        assert connection.execute("SELECT length(data) FROM r_node").get == 512 - 64


def test_a_box_that_would_be_none_is_for_a_person(sides: Callable[..., Sides]) -> None:
    made = sides(
        "CREATE VIRTUAL TABLE r USING rtree (id, x0, x1); INSERT INTO r VALUES (1, 5, 10), (2, 5, 10)",
        "UPDATE r SET x0 = 9 WHERE id = 1; UPDATE r SET x0 = 8 WHERE id = 2",
        "UPDATE r SET x1 = 6 WHERE id = 1; UPDATE r SET x1 = 9 WHERE id = 2",
    )
    merged = made.merged()
    (contested,) = merged.conflicts
    assert (contested.table, contested.kind) == ("r", "row")
    assert contested.row is not None
    assert contested.row[1:] == ("edit/edit", (1, 5, 10), (1, 9, 10), (1, 5, 6), (1, 2), (1, 9, 10))
    for how, box in ((PLAIN, (1, 9, 10)), (How(prefer="theirs"), (1, 5, 6)), (How(tables={"r": "base"}), (1, 5, 10))):
        for connection in made.laid_out(made.merged(how).version):
            assert list(connection.execute("SELECT * FROM r ORDER BY id")) == [box, (2, 8, 9)]
            check_boxes(connection)


def test_polygons_of_both_sides_are_found(sides: Callable[..., Sides]) -> None:
    add = "INSERT INTO g (rowid, _shape, name) VALUES ({0}, '[[{0},0],[{1},0],[{1},1],[{0},0]]', 'n{0}')"
    made = sides(
        f"CREATE VIRTUAL TABLE g USING geopoly (name); {add.format(1, 2)}; {add.format(3, 4)}",
        f"{add.format(10, 11)}; DELETE FROM g WHERE rowid = 3",
        f"{add.format(20, 21)}; UPDATE g SET name = 'new' WHERE rowid = 1",
    )
    for connection in made.laid_out(made.clean()):
        assert list(connection.execute("SELECT rowid, name FROM g ORDER BY rowid")) == [
            (1, "new"), (10, "n10"), (20, "n20")
        ]  # fmt: skip
        inside = "SELECT rowid FROM g WHERE geopoly_within(_shape, '[[9,-1],[30,-1],[30,5],[9,5],[9,-1]]') ORDER BY 1"
        assert [row[0] for row in connection.execute(inside)] == [10, 20]


def test_a_definition_that_one_side_changed_gets_the_rows_of_both(sides: Callable[..., Sides]) -> None:
    made = sides(
        f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {ROWS}",
        """CREATE TABLE o AS SELECT rowid AS i, * FROM f; DROP TABLE f;
        CREATE VIRTUAL TABLE f USING fts5 (a, c, b, columnsize=0, tokenize=porter);
        INSERT INTO f (rowid, a, c, b) SELECT i, a, 'new', b FROM o; DROP TABLE o;
        UPDATE f SET a = 'red plums' WHERE rowid = 1""",
        THEIRS,
    )
    merged = made.clean()
    assert "f_docsize" not in merged.roots
    for connection in made.laid_out(merged):
        assert list(connection.execute("SELECT rowid, * FROM f ORDER BY rowid")) == [
            (1, "red plums", "new", "theirs"),
            (2, "green pear", "new", "y"),
            (20, "red currant", None, "theirs"),
        ]
        assert found(connection, "f", "plum") == [1]
        check_text(connection)


def test_boxes_of_both_sides_get_what_one_side_keeps_beside_them(sides: Callable[..., Sides]) -> None:
    made = sides(
        "CREATE VIRTUAL TABLE r USING rtree (id, x, y); INSERT INTO r VALUES (1, 0, 1), (2, 0, 1)",
        "DROP TABLE r; CREATE VIRTUAL TABLE r USING rtree (id, x, y, +a); INSERT INTO r VALUES (1, 0, 1, 'one')",
        "UPDATE r SET y = 5 WHERE id = 1; INSERT INTO r VALUES (20, 7, 8)",
    )
    for connection in made.laid_out(made.clean()):
        check_boxes(connection)
        assert list(connection.execute("SELECT * FROM r ORDER BY id")) == [(1, 0, 5, "one"), (20, 7, 8, None)]


AGAIN = "DROP TABLE f; CREATE VIRTUAL TABLE f USING fts5 (a, b, {})"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs", "place"),
    [
        ("DROP TABLE f", THEIRS, "rows against schema"),
        (AGAIN.format("columnsize=0"), AGAIN.format("prefix=2"), "schema"),
        (f"{AGAIN.format('columnsize=0')}; {OURS}", f"{AGAIN.format('prefix=2')}; {THEIRS}", "schema"),
        (AGAIN.format("c"), AGAIN.format("d, e"), "schema"),
        (AGAIN.format("c"), f"{THEIRS}; UPDATE f SET b = 1", "row"),
        (AGAIN.format("content=''"), THEIRS, "rows against schema"),
        ("DROP TABLE f; CREATE TABLE f (a, b)", THEIRS, "rows against schema"),
        ("DROP TABLE f; CREATE VIRTUAL TABLE f USING rtree (a, b, c)", THEIRS, "rows against schema"),
    ],
)
def test_what_does_not_go_together_is_for_a_person_and_one_side_stands_whole(
    sides: Callable[..., Sides], ours: str, theirs: str, place: str, turned: bool
) -> None:
    words = (theirs, ours) if turned else (ours, theirs)
    made = sides(f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {ROWS}", *words)
    merged = made.merged()
    assert {(each.table, each.kind) for each in merged.conflicts} == {("f", place)}
    if place != "row":
        assert [each.place for each in merged.conflicts] == [("table", "f")]
        assert same(merged.version, made.ours)


INDEX = """CREATE VIRTUAL TABLE f USING fts5 (a, b, content=t, content_rowid=id);
    INSERT INTO f (f) VALUES ('rebuild')"""


@pytest.mark.parametrize("base", ["CREATE TABLE t (a)", f"CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); {ROWS}"])
def test_both_sides_may_bring_the_same_table(sides: Callable[..., Sides], base: str) -> None:
    new = "CREATE VIRTUAL TABLE f USING fts5 (a, b)"
    if "INSERT" in base:
        base = base.replace(" f ", " t ").replace("rowid", "id")
        new = INDEX
        made = sides(base, f"{OURS_T}; {new}", f"{THEIRS_T}; {new}")
    else:
        made = sides(base, f"{new}; {OURS}", f"{new}; {THEIRS}")
    for connection in made.laid_out(made.clean()):
        assert found(connection, "f", "kiwi") == [10]
        assert found(connection, "f", "currant") == [20]
        check_text(connection)


def test_one_side_brings_an_index_of_rows_that_the_other_side_changed(sides: Callable[..., Sides]) -> None:
    base = f"CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); {ROWS.replace(' f ', ' t ').replace('rowid', 'id')}"
    made = sides(base, f"{OURS_T}; {INDEX}", THEIRS_T)
    for connection in made.laid_out(made.clean()):
        assert found(connection, "f", "red") == [1, 20]
        check_text(connection)


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("fts5 (a, b, tokenize=klingon)", "no such tokenizer: klingon"),
        ("fts4 (a, b, tokenize=klingon)", "unknown tokenizer: klingon"),
        ("fts4 (a, b, compress=pack, uncompress=unpack)", "SQL logic error"),
    ],
)
def test_what_this_sqlite_lacks_is_for_a_person(sides: Callable[..., Sides], definition: str, why: str) -> None:
    made = sides(f"CREATE VIRTUAL TABLE f USING {definition[:4]} (a, b); {ROWS}", OURS, THEIRS)
    for path in made.paths:
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute("PRAGMA writable_schema=ON")
            connection.execute(
                "UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE f USING ' || ? WHERE name = 'f'", (definition,)
            )
    made.base, made.ours, made.theirs = map(made.captured, made.paths)
    merged = made.merged()
    assert told(merged) == [("f", "rows against schema", ("table", "f"))]
    assert why in merged.conflicts[0].why
    assert same(merged.version, made.ours)


def test_values_of_any_kind_and_length_are_kept(sides: Callable[..., Sides]) -> None:
    long = "hex(zeroblob(20000)) || ' {} ' || hex(zeroblob(20000))"
    made = sides(
        "CREATE VIRTUAL TABLE f USING fts5 (a, b); CREATE VIRTUAL TABLE r USING rtree (id, x, y, +a)",
        f"""INSERT INTO f VALUES ({long.format("one")}, x'00ff'), (CAST(x'ff' AS TEXT), 1.5);
        INSERT INTO r VALUES (1, 0, 1, {long.format("one")}), (2, 0, 1, CAST(x'ff' AS TEXT))""",
        f"INSERT INTO f (rowid, a, b) VALUES (20, {long.format('two')}, 7); INSERT INTO r VALUES (20, 0, 1, x'')",
    )
    query = "SELECT rowid, length(a), typeof(a), b, typeof(b) FROM f ORDER BY rowid"
    for connection in made.laid_out(made.clean()):
        assert list(connection.execute(query)) == [
            (1, 80_005, "text", b"\x00\xff", "blob"), (2, 1, "text", 1.5, "real"), (20, 80_005, "text", 7, "integer")
        ]  # fmt: skip
        assert found(connection, "f", "two") == [20]
        assert [row[0] for row in connection.execute("SELECT hex(a) FROM r WHERE id > 1")] == ["FF", ""]
        check_text(connection)
        check_boxes(connection)


def test_languages_are_kept(sides: Callable[..., Sides]) -> None:
    add = "INSERT INTO f (docid, a, lid) VALUES ({}, 'word', {})"
    made = sides(
        f"CREATE VIRTUAL TABLE f USING fts4 (a, languageid=lid); {add.format(1, 0)}", add.format(2, 1), add.format(3, 2)
    )
    for connection in made.laid_out(made.clean()):
        query = "SELECT docid FROM f WHERE f MATCH 'word' AND lid = {}"
        assert [connection.execute(query.format(language)).get for language in (0, 1, 2)] == [1, 2, 3]


WORDS = ("red", "green", "blue")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)
STATES = st.dictionaries(st.integers(1, 12), st.tuples(TEXTS, TEXTS), max_size=8)


def written(rows: dict[int, tuple[str, str]]) -> str:
    values = ", ".join(f"({key}, '{a}', '{b}')" for key, (a, b) in sorted(rows.items()))
    return "DELETE FROM f" + (f"; INSERT INTO f (rowid, a, b) VALUES {values}" if values else "")


def number(contested: Conflict) -> object:
    assert contested.row is not None
    row = contested.row.ours or contested.row.theirs
    return row and row[0]


@given(STATES, STATES, STATES)
def test_whatever_both_sides_did_is_found(
    base: dict[int, tuple[str, str]], ours: dict[int, tuple[str, str]], theirs: dict[int, tuple[str, str]]
) -> None:
    expected, contested = {}, set()
    for key in base.keys() | ours.keys() | theirs.keys():
        was, mine, other = base.get(key), ours.get(key), theirs.get(key)
        if other in (was, mine):
            row = mine
        elif mine == was:
            row = other
        elif was is None or mine is None or other is None:
            row = mine
            contested.add(key)
        else:
            cells = []
            for one, two, three in zip(was, mine, other, strict=True):
                if three not in (one, two) and two != one:
                    contested.add(key)
                cells.append(three if two == one else two)
            row = (cells[0], cells[1])
        if row is not None:
            expected[key] = row
    with TemporaryDirectory() as folder:
        made = Sides(
            Path(folder),
            f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {written(base)}",
            *(map(written, (ours, theirs))),
        )
        merged = made.merged()
        assert {number(each) for each in merged.conflicts} == contested
        for connection in made.laid_out(merged.version):
            check_text(connection)
            assert {row[0]: row[1:] for row in connection.execute("SELECT rowid, a, b FROM f")} == expected
            for word in WORDS:
                rows = sorted(key for key, row in expected.items() if any(word in text.split() for text in row))
                assert found(connection, "f", word) == rows


def test_names_may_be_any(sides: Callable[..., Sides]) -> None:
    name = '"it\'s ""f"" é"'
    base, ours, theirs = (
        sql.replace(" f ", f" {name} ") for sql in (f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {ROWS}", OURS, THEIRS)
    )
    made = sides(
        f'{base}; CREATE VIRTUAL TABLE [r r] USING rtree ("i d", [x 0], `x 1`)',
        f"{ours}; INSERT INTO [r r] VALUES (1, 0, 1)",
        f"{theirs}; INSERT INTO [r r] VALUES (2, 0, 1)",
    )
    for connection in made.laid_out(made.clean()):
        assert list(connection.execute(f"SELECT rowid, a, b FROM {name} ORDER BY rowid")) == HELD
        check_text(connection, name)
        assert list(connection.execute("SELECT * FROM [r r] ORDER BY 1")) == [(1, 0, 1), (2, 0, 1)]


def test_a_number_of_settings_may_be_the_greatest(sides: Callable[..., Sides]) -> None:
    most = "UPDATE f_data SET block = CAST(x'{}' || substr(block, 5) AS BLOB) WHERE id = 10"
    made = sides(
        f"CREATE VIRTUAL TABLE f USING fts5 (a, b); {ROWS}",
        f"{OURS}; {most.format('ffffffff')}",
        f"{THEIRS}; {most.format('7fffffff')}",
    )
    for connection in made.laid_out(made.clean()):
        assert found(connection, "f", "red") == [1, 20]


def test_changes_that_are_carried_are_found_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = f"{WITH_FTS5}; CREATE VIRTUAL TABLE g USING fts5 (a, b); {ROWS.replace(' f ', ' g ')}"
    there, here = (f"{one}; {other.replace(' f ', ' g ')}" for one, other in ((THEIRS_T, THEIRS), (OURS_T, OURS)))
    app = begun(tmp_path, capsys, base, there, here)
    app.ok("switch", "b", "--carry")
    for table in "f", "g":
        app.sql(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
        assert app.rows(f"SELECT rowid, a, b FROM {table} ORDER BY rowid") == HELD
        assert app.rows(f"SELECT rowid FROM {table} WHERE {table} MATCH 'red' ORDER BY rowid") == [(1,), (20,)]
    assert app.check() == "ok"
    assert app.json("status") == app.json("status", "--verify")


def conflicting(tmp_path: Path, capsys: pytest.CaptureFixture[str], base: str, there: str, here: str) -> Versioned:
    """A merge of b into main that waits."""
    app = begun(tmp_path, capsys, base, there, here)
    app.commit()
    assert app.run("merge", "b").code == 3
    return app


def settled(app: Versioned) -> None:
    app.ok("merge", "--continue")
    assert app.clean
    assert app.json("status") == app.json("status", "--verify")
    assert app.check() == "ok"


@pytest.mark.parametrize("definition", ["fts5 (a, b)", "fts4 (a, b)"])
@pytest.mark.parametrize(
    ("words", "text", "word"),
    [
        (("f", "1", "--theirs"), "their cherry", "cherry"),
        (("f:1:a", "--base"), "red apple", "apple"),
        (("f", "1", "--set", "a=quite new"), "quite new", "quite"),
    ],
)
def test_a_row_of_a_full_text_table_is_resolved_and_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], definition: str, words: tuple[str, ...], text: str, word: str
) -> None:
    app = conflicting(
        tmp_path,
        capsys,
        f"CREATE VIRTUAL TABLE f USING {definition}; {ROWS}",
        "UPDATE f SET a = 'their cherry' WHERE rowid = 1; DELETE FROM f WHERE rowid = 2",
        "UPDATE f SET a = 'our plum', b = 'mine' WHERE rowid = 1",
    )
    (waiting,) = app.json("conflicts")
    assert {name: waiting[name] for name in ("table", "key", "column", "base", "ours", "theirs")} == {
        "table": "f", "key": [1], "column": "a", "base": "red apple", "ours": "our plum", "theirs": "their cherry"
    }  # fmt: skip
    app.ok("resolve", *words)
    settled(app)
    app.sql("INSERT INTO f (f) VALUES ('integrity-check')")
    assert app.rows("SELECT rowid, * FROM f") == [(1, text, "mine"), (3, "red cherry", "z")]
    assert app.rows(f"SELECT rowid FROM f WHERE f MATCH '{word}' AND rowid = 1") == [(1,)]
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'plum'") == []


def test_an_index_follows_when_a_row_of_its_table_is_resolved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, here = (f"UPDATE t SET a = '{text}' WHERE id = 1" for text in ("theirs", "ours"))
    app = conflicting(tmp_path, capsys, WITH_FTS5, there, here)
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'ours'") == [(1,)]
    app.ok("resolve", "t", "1", "--theirs")
    settled(app)
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'theirs'") == [(1,)]
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'ours'") == []
    app.sql("INSERT INTO f (f, rank) VALUES ('integrity-check', 1)")


def test_an_index_follows_when_the_database_refuses_a_row_of_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = f"{WITH_FTS5}; CREATE UNIQUE INDEX i ON t (a)"
    same_text = "INSERT INTO t (id, a) VALUES ({}, 'only once'); INSERT INTO t (id, a) VALUES ({}, 'word {}')"
    app = conflicting(tmp_path, capsys, base, same_text.format(20, 21, 21), same_text.format(10, 11, 11))
    for words in ((), ("resolve", "t", "20", "--set", "a=now another")):
        if words:
            app.ok(*words)
        app.sql("INSERT INTO f (f, rank) VALUES ('integrity-check', 1)")
        assert app.rows("SELECT rowid FROM f WHERE f MATCH 'once'") == [(10,)]
        assert app.rows("SELECT rowid FROM f WHERE f MATCH 'word' ORDER BY 1") == [(11,), (21,)]
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'another'") == [(20,)]
    settled(app)


def test_what_cannot_be_made_anew_is_resolved_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = "CREATE VIRTUAL TABLE f USING fts5 (a, content=''); INSERT INTO f (rowid, a) VALUES (1, 'red')"
    app = conflicting(
        tmp_path,
        capsys,
        base,
        "INSERT INTO f (rowid, a) VALUES (3, 'blue')",
        "INSERT INTO f (rowid, a) VALUES (2, 'green')",
    )
    (waiting,) = app.json("conflicts")
    assert (waiting["table"], waiting["why"]) == ("f", "it holds what cannot be read back from it")
    query = "SELECT rowid FROM f WHERE f MATCH 'red OR green OR blue' ORDER BY rowid"
    assert app.rows(query) == [(1,), (2,)]
    app.ok("resolve", "f", "--theirs")
    settled(app)
    assert app.rows(query) == [(1,), (3,)]


def test_a_box_is_resolved_and_one_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = conflicting(
        tmp_path,
        capsys,
        "CREATE VIRTUAL TABLE r USING rtree (id, x0, x1); INSERT INTO r VALUES (1, 5, 10), (2, 5, 10)",
        "UPDATE r SET x1 = 6 WHERE id = 1",
        "UPDATE r SET x0 = 9 WHERE id = 1",
    )
    assert {each["column"] for each in app.json("conflicts")} == {"x0", "x1"}
    assert app.refused("resolve", "r", "1", "--set", "x0=90", "--set", "x1=80") == "choice-refused"
    app.ok("resolve", "r", "1", "--theirs")
    settled(app)
    assert app.rows("SELECT * FROM r ORDER BY id") == [(1, 5.0, 6.0), (2, 5.0, 10.0)]
    assert app.rows("SELECT rtreecheck('r')") == [("ok",)]


def test_an_index_that_is_not_in_step_stays_so_when_a_row_of_its_table_is_resolved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = f"{WITH_FTS5}; DROP TRIGGER tu"
    there, here = (f"UPDATE t SET a = '{text}' WHERE id = 1" for text in ("theirs", "ours"))
    app = conflicting(tmp_path, capsys, base, there, here)
    app.ok("resolve", "t", "1", "--theirs")
    settled(app)
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'apple'") == [(1,)]
    assert app.rows("SELECT rowid FROM f WHERE f MATCH 'theirs'") == []
