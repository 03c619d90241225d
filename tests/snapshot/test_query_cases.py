"""Whatever SQLite can hold is answered exactly, in every layer; and which layer answers what."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from isovc.encoding.digest import ChunkId, Kind
from isovc.errors import BadQuery, IsovcError
from isovc.snapshot.query.session import Session, Way
from isovc.snapshot.query.shelf import Shelf
from isovc.snapshot.query.wanted import statements, wanted
from isovc.sources.sqlite.asking import Meter
from isovc.sql import name
from tests.snapshot.asked import Asked, told
from tests.sources.test_everything_comes_back import CASES

WAYS = [Way.FOUND_OUT, Way.FILLED, Way.FILE]


def _make(folder: Path, script: str, encoding: str = "UTF-8") -> Asked:
    folder.mkdir(exist_ok=True)
    return Asked(folder, f"PRAGMA encoding='{encoding}'; {script}")


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
@pytest.mark.parametrize("case", [case for case in CASES if case != "names SQLite keeps for itself"])
def test_every_table_is_answered_as_the_database_answers(tmp_path: Path, case: str, encoding: str) -> None:
    asked = _make(tmp_path, CASES[case], encoding)
    for table in asked.version.shape.tables.values():
        called, first, last = name(table.name), name(table.columns[0].name), name(table.columns[-1].name)
        queries = [
            f"SELECT * FROM {called}",
            f"SELECT count(*) FROM {called}",
            f"SELECT typeof(x), x = 'text' FROM (SELECT {first} AS x FROM {called})",
            f"SELECT {last} FROM {called} ORDER BY {first}, 1",
            f"SELECT {last} FROM main.{called} ORDER BY {first}, 1",
        ]
        if table.key_kind.value in ("integer", "rowid") and len(table.columns) < 2000:
            word = next(w for w in ("rowid", "_rowid_", "oid") if w not in {c.name.lower() for c in table.columns})
            queries.append(f"SELECT {word}, * FROM {called} ORDER BY {word} DESC")
        for query in queries:
            expected = told(asked.real(query), ordered="ORDER" in query)
            for way in WAYS:
                assert told(asked.ours(query, way), ordered="ORDER" in query) == expected, (way, query)


@pytest.mark.parametrize(
    ("script", "query"),
    [
        (CASES["fts5"], "SELECT rowid, a, highlight(t, 0, '<', '>') FROM t WHERE t MATCH 'good'"),
        (CASES["fts4"], "SELECT a, offsets(t) FROM t WHERE a MATCH 'world'"),
        (CASES["rtree"], "SELECT id, x0, x1 FROM t WHERE x0 >= 1"),
        (
            """CREATE TABLE c(i INTEGER PRIMARY KEY, x); INSERT INTO c VALUES(1, 'one two'), (2, 'two');
            CREATE VIRTUAL TABLE f USING fts5(x, content=c, content_rowid=i); INSERT INTO f(f) VALUES('rebuild');
            CREATE VIEW v AS SELECT x FROM f WHERE f MATCH 'one'""",
            "SELECT * FROM v UNION ALL SELECT x FROM f WHERE f MATCH 'two'",
        ),
        (CASES["indexes"], "SELECT a FROM t INDEXED BY i WHERE c > 1"),
        (CASES["indexes"], "SELECT type, name, sql FROM sqlite_schema ORDER BY name"),
        (CASES["indexes"], "SELECT name FROM sqlite_master WHERE sql LIKE '%abs%'"),
        (CASES["indexes"], "SELECT name, type FROM pragma_table_info('t')"),
        (CASES["indexes"], "PRAGMA table_xinfo(t)"),
        (CASES["foreign keys, broken ones too"], "PRAGMA foreign_key_check"),
        (CASES["pragmas"], "PRAGMA user_version"),
        (CASES["autoincrement"], "SELECT * FROM sqlite_sequence"),
        (CASES["generated"], "SELECT a, b, d FROM t WHERE b = 2 AND d = '22'"),
        ("CREATE TABLE t(a PRIMARY KEY NOT NULL, b); INSERT INTO t VALUES('k', 1), ('l', 2)", "SELECT rowid, a FROM t"),
        ("CREATE TABLE t(a); CREATE VIEW [o'd](x) AS SELECT a FROM t; INSERT INTO t VALUES(1)", "SELECT x FROM [o'd]"),
        ("CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM main.t; INSERT INTO t VALUES(1)", "SELECT a FROM main.v"),
        ("CREATE TABLE t(a); CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT a b FROM t", "SELECT b FROM v"),
        ("CREATE TABLE \"@\"(\"from\"); INSERT INTO \"@\" VALUES('@')", 'SELECT "from" FROM "@" WHERE "from" = \'@\''),
        ("CREATE TABLE a(x); INSERT INTO a VALUES(1)", "WITH a AS (SELECT 5) SELECT * FROM a UNION VALUES (6)"),
        ("CREATE TABLE t(a); INSERT INTO t VALUES(1)", "VALUES (1, 2), (3, 4)"),
        ("CREATE TABLE t(a); INSERT INTO t VALUES(1)", "SELECT * FROM t, json_each('[1,2]') ORDER BY 2 -- the end"),
    ],
)  # fmt: skip
def test_what_hangs_on_a_database_is_there(tmp_path: Path, script: str, query: str) -> None:
    asked = _make(tmp_path, script)
    assert told(asked.ours(query, Way.FOUND_OUT), ordered=False) == told(asked.real(query), ordered=False)


def test_text_of_a_utf16_database_sorts_as_there(tmp_path: Path) -> None:
    asked = _make(
        tmp_path, "CREATE TABLE t(a TEXT PRIMARY KEY); INSERT INTO t VALUES('\uffff'), ('🙂'), ('a')", "UTF-16le"
    )
    for query in ("SELECT a, hex(a) FROM t ORDER BY a", "SELECT a FROM t WHERE a > '\uff00'"):
        assert asked.ours(query, Way.FOUND_OUT) == asked.real(query)


def test_a_collation_that_is_missing_stops_what_compares_by_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.mkdir()
    with closing(apsw.Connection(str(path / "real.db"))) as connection:
        connection.create_collation("mine", lambda a, b: (a > b) - (a < b))
        connection.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b COLLATE mine); INSERT INTO t VALUES(1, 'x')")
    asked = Asked(path, "")
    assert asked.ours("SELECT b FROM t", Way.FOUND_OUT) == [("x",)]
    with pytest.raises(IsovcError, match="mine"):
        asked.ours("SELECT * FROM t WHERE b = 'x'", Way.FOUND_OUT)


# -- which layer answers -----------------------------------------------------------------------------------------------

MANY = (
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL, d); CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 30000)"
    " INSERT INTO t SELECT i, printf('%06d', i), i * 0.5, i % 7 FROM r; INSERT INTO w SELECT b, a FROM t"
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return _make(tmp_path_factory.mktemp("many"), MANY)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t WHERE a = 777",
        "SELECT b FROM t WHERE a IN (3, 29999, 30001)",
        "SELECT * FROM t WHERE a BETWEEN 50 AND 90 AND d = 3",
        "SELECT * FROM t ORDER BY a DESC LIMIT 3",
        "SELECT * FROM t LIMIT 3 OFFSET 5",
        "SELECT max(a) FROM t",
        "SELECT count(*) FROM w",
        "SELECT EXISTS (SELECT 1 FROM t)",
        "SELECT v FROM w WHERE k = '000777'",
        "SELECT v FROM w WHERE k >= '029990' ORDER BY k DESC",
        "SELECT t.c FROM w JOIN t ON t.a = w.v WHERE w.k < '000020'",
        "SELECT * FROM w WHERE k GLOB '0001*' LIMIT 5",
    ],
)
def test_a_few_rows_are_read_where_they_lie(many: Asked, tmp_path: Path, query: str) -> None:
    shelf = tmp_path / "shelf"
    with Session(many.forest, Shelf(shelf, capacity=1 << 30), many.path, version=many.version) as session:
        found = list(session.ask(query).rows)
    assert found == many.real(query)
    assert found
    assert not shelf.exists()


@pytest.mark.parametrize(
    ("query", "files"),
    [
        ("SELECT count(c) FROM t", 1),
        ("SELECT sum(c) FROM t", 1),
        ("SELECT * FROM t WHERE b LIKE '%99' ORDER BY c", 1),
        ("SELECT count(*) FROM t JOIN w ON w.k = t.b WHERE t.d = 3", 2),
        ("SELECT min(b), max(c) FROM t WHERE d = 5", 1),
        ("SELECT count(*) FROM t x, t y WHERE x.a < 200 AND y.a < 200", 1),
    ],
)
def test_much_of_a_table_is_filled_and_found_again(many: Asked, tmp_path: Path, query: str, files: int) -> None:
    for _ in range(2):
        with Session(many.forest, Shelf(tmp_path, capacity=1 << 30), many.path, version=many.version) as session:
            assert list(session.ask(query).rows) == many.real(query)
        assert len(list(tmp_path.iterdir())) == files
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".db"]


def test_only_the_columns_that_are_asked_for_are_filled_at_first(many: Asked, tmp_path: Path) -> None:
    with Session(many.forest, Shelf(tmp_path, capacity=1 << 30), many.path, version=many.version) as session:
        for column in "bcd":
            assert list(session.ask(f"SELECT count({column}) FROM t").rows) == [(30000,)]
            sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
        assert len(sizes) == 3  # and the third time all of them
        assert next(iter(session.ask("SELECT sum(a), max(b), sum(c + d) FROM t").rows))[0] == 30000 * 30001 // 2
        assert len(list(tmp_path.iterdir())) == 3


WHOLE = [
    "SELECT * FROM t",
    "SELECT c, a, a FROM t ORDER BY a",
    "SELECT rowid, b FROM t",
    "SELECT x.d FROM (SELECT * FROM t) x",
    "SELECT * FROM v",
]


@pytest.mark.parametrize("query", WHOLE)
def test_a_whole_table_is_handed_over_and_kept_in_passing(tmp_path: Path, query: str) -> None:
    asked = _make(tmp_path / "x", f"{MANY}; CREATE VIEW v AS SELECT d, b FROM t; UPDATE t SET d = CAST(x'ff' AS TEXT)")
    expected, shelf = asked.real(query), tmp_path / "shelf"
    for _ in range(2):
        with Session(asked.forest, Shelf(shelf, capacity=1 << 30), asked.path, version=asked.version) as session:
            assert list(session.ask(query).rows) == expected
        (kept,) = shelf.iterdir()
        assert "-rows-" in kept.name
    data = bytearray(kept.read_bytes())
    data[100] ^= 1
    kept.write_bytes(data)
    with Session(asked.forest, Shelf(shelf, capacity=1 << 30), asked.path, version=asked.version) as session:
        assert list(session.ask(query).rows) == expected


def test_a_table_that_is_not_taken_to_its_end_or_too_large_leaves_nothing(many: Asked, tmp_path: Path) -> None:
    with Session(many.forest, Shelf(tmp_path, capacity=1 << 30), many.path, version=many.version) as session:
        rows = iter(session.ask("SELECT * FROM t").rows)
        assert next(rows) == (1, "000001", 0.5, 1)
        assert next(iter(session.ask("SELECT count(*) FROM t").rows)) == (30000,)
        assert list(tmp_path.iterdir()) == []
    with Session(many.forest, Shelf(tmp_path, capacity=5000), many.path, version=many.version) as session:
        assert len(list(session.ask("SELECT * FROM t").rows)) == 30000
    (tmp_path / "file").touch()
    with Session(many.forest, Shelf(tmp_path / "file", capacity=1 << 30), many.path, version=many.version) as session:
        assert len(list(session.ask("SELECT * FROM t").rows)) == 30000
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "query", ["SELECT a + 1 FROM t", "SELECT 5, a FROM t", "SELECT DISTINCT a FROM t", "SELECT a, :x FROM t"]
)
def test_what_is_more_than_a_table_is_none(many: Asked, tmp_path: Path, query: str) -> None:
    with Session(many.forest, Shelf(tmp_path, capacity=1 << 30), many.path, version=many.version) as session:
        found = list(session.ask(query, {"x": 7} if ":x" in query else None).rows)
    assert found == many.real(query.replace(":x", "7"))


def test_large_values_are_fetched_when_somebody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _make(
        tmp_path / "x",
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); INSERT INTO t VALUES(1, zeroblob(3000000), 'x'), (2, 'y', 'z')",
    )
    fetched = []
    get = asked.forest.store.get

    def counting(chunk: ChunkId) -> bytes:
        content = get(chunk)
        fetched.extend([chunk] * (content[0] in (Kind.BLOB, Kind.PIECES)))
        return content

    monkeypatch.setattr(asked.forest.store, "get", counting)
    for way in (Way.ROW_BY_ROW, Way.FILLED):
        assert asked.ours("SELECT a, c FROM t", way) == [(1, "x"), (2, "z")]
        assert fetched == []
    assert asked.ours("SELECT length(b) FROM t", Way.ROW_BY_ROW) == [(3000000,), (1,)]
    assert fetched


def test_what_would_not_fit_on_the_shelf_is_read_where_it_lies(tmp_path: Path) -> None:
    asked = _make(
        tmp_path / "x",
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b); WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r"
        " WHERE i < 12000) INSERT INTO t SELECT i, iif(i % 4000 = 0, zeroblob(900000), i) FROM r",
    )
    shelf = tmp_path / "shelf"
    with Session(asked.forest, Shelf(shelf, capacity=1 << 20), asked.path, version=asked.version) as session:
        assert list(session.ask("SELECT sum(length(b)) FROM t").rows) == asked.real("SELECT sum(length(b)) FROM t")
    assert list(shelf.iterdir()) == []


def test_text_that_is_not_valid_is_told_from_a_large_table(tmp_path: Path) -> None:
    asked = _make(tmp_path / "x", MANY + "; UPDATE t SET b = CAST(x'ff' AS TEXT) WHERE a = 20000")
    assert asked.ours("SELECT b FROM t WHERE a > 19998 AND a < 20002", Way.FOUND_OUT) == [
        ("019999",),
        ("\udcff",),
        ("020001",),
    ]
    assert asked.ours("SELECT count(*) FROM t a JOIN t b ON a.b = b.b WHERE a.a = 20000", Way.FOUND_OUT) == [(1,)]
    rows = asked.ours("SELECT a, b FROM t", Way.FOUND_OUT)
    assert (len(rows), rows[19999]) == (30000, (20000, "\udcff"))


def test_one_question_after_the_other_on_one_connection(many: Asked, tmp_path: Path) -> None:
    with Session(many.forest, Shelf(tmp_path, capacity=1 << 30), many.path, version=many.version) as session:
        half = iter(session.ask("SELECT * FROM t ORDER BY c, a").rows)
        assert next(half)[0] == 1  # and the rest of it is not wanted any more
        for query in (
            "SELECT count(*) FROM t",
            "SELECT * FROM t WHERE a = 5",
            "SELECT sum(c) FROM t",
            "SELECT b, c FROM t WHERE d = 6 ORDER BY a DESC LIMIT 4",
            "SELECT name FROM sqlite_schema ORDER BY 1",
            "SELECT count(*) FROM w",
        ):
            assert list(session.ask(query).rows) == many.real(query)
        with pytest.raises(BadQuery):
            session.ask("SELECT nothing FROM t")
        assert list(session.ask("SELECT count(*) FROM t").rows) == [(30000,)]


# -- the shelf ---------------------------------------------------------------------------------------------------------


def _count(asked: Asked, shelf: Path, capacity: int = 1 << 30) -> int:
    with Session(asked.forest, Shelf(shelf, capacity=capacity), asked.path, version=asked.version) as session:
        ((found,),) = session.ask("SELECT sum(a) + count(b) FROM t").rows
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize("harm", ["flipped", "cut", "emptied", "longer"])
def test_a_damaged_file_is_made_anew(many: Asked, tmp_path: Path, harm: str) -> None:
    expected = _count(many, tmp_path)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"flipped": data, "cut": data[:5000], "emptied": b"", "longer": data + b"x"}[harm])
    assert _count(many, tmp_path) == expected
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() != data


def test_the_shelf_may_be_gone_read_only_or_no_folder(many: Asked, tmp_path: Path) -> None:
    expected = _count(many, tmp_path / "shelf")
    shutil.rmtree(tmp_path / "shelf")
    assert _count(many, tmp_path / "shelf") == expected
    (tmp_path / "file").write_text("in the way")
    assert _count(many, tmp_path / "file") == expected


def test_where_the_shelf_has_no_room_a_join_is_filled_elsewhere(
    many: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, temporary = tmp_path / "file", tmp_path / "temporary"
    shelf.write_text("in the way")
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with Session(many.forest, Shelf(shelf, capacity=1 << 30), many.path, version=many.version) as session:
        for _ in range(2):  # 900 million pairs, row by row
            ((found,),) = session.ask("SELECT count(*) FROM t JOIN t o ON t.b = o.b").rows
            assert found == 30000
        assert len(list(temporary.glob("isovc-*/*.db"))) == 1
    assert list(temporary.iterdir()) == []


def test_the_shelf_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        path.write_bytes(os.urandom(1000))

    shelf = Shelf(tmp_path, capacity=2500)
    first, second = shelf.make("01", write), shelf.make("02", write)
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    assert shelf.find("01") == first
    shelf.make("03", write)
    assert (first.exists(), second.exists()) == (True, False)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2500
    large = Shelf(tmp_path, capacity=10)
    kept = large.make("04", write)
    assert large.find("04") == kept  # as long as it is in use
    large.close()
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_of_a_process_that_died_goes_with_time(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, capacity=1000)
    old, new = tmp_path / "01-5-aa.part", tmp_path / "01-6-bb.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        shelf.make("02", fail)
    shelf.make("03", lambda path: path.write_bytes(b"y") and None)
    assert {path.suffix for path in tmp_path.iterdir()} == {".db", ".part"}
    assert (old.exists(), new.exists()) == (False, True)


def test_several_processes_fill_at_once(many: Asked, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        found = pool.starmap(_count, [(many, tmp_path)] * 8)
    assert set(found) == {_count(many, tmp_path)}
    assert {path.suffix for path in tmp_path.iterdir()} == {".db"}


# -- words -------------------------------------------------------------------------------------------------------------


def test_statements_are_told_apart_where_sqlite_does() -> None:
    assert statements("select 1; -- a;b\n select ';' ;; /* ; */ select \"x;\"") == [
        "select 1",
        "select ';'",
        'select "x;"',
    ]
    assert statements(" ;; -- nothing\n") == []


def test_views_are_seen_through(tmp_path: Path) -> None:
    asked = _make(
        tmp_path,
        "CREATE TABLE a(x); CREATE TABLE b(x); CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT x FROM A",
    )
    found = wanted(asked.version.shape, "SELECT * FROM V")
    assert (found.tables, {view.name for view in found.views}) == (("a",), {"v", "w"})


def test_a_meter_counts_by_table() -> None:
    meter = Meter(10)
    meter.spend("a", 4)
    meter.spend("a", 2)
    assert meter.spent == {"a": 6}
