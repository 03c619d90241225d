# ruff: noqa: E501  # one case of SQL a line reads better than a broken one
"""What cannot be read or written is said in one sentence of ours, never as an exception of a library."""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import pytest

from isovc import errors
from isovc.model import RowChange, Shape
from isovc.sources.sqlite import Database, Mark, PageMap
from tests.sources.files import as_nobody, content, make, small_disk


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda path: None, errors.NoDatabase),
        (lambda path: path.mkdir(), errors.NotADatabase),
        (os.mkfifo, errors.NotADatabase),
        (lambda path: path.write_text("hello " * 500), errors.NotADatabase),
        (noise, errors.DatabaseEncrypted),
    ],
)
def test_what_is_no_database(tmp_path: Path, prepare: object, expected: type[errors.IsovcError]) -> None:
    path = tmp_path / "a.db"
    prepare(path)  # type: ignore[operator]
    with pytest.raises(expected) as caught:
        Database(path).mark()
    assert str(path) in caught.value.message


def test_an_empty_file_is_an_empty_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.touch()
    with Database(path).reading() as reading:
        assert reading.shape().objects == ()
        assert reading.pages(reading.shape()).map == PageMap()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db",
        "CREATE TABLE t (a); WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO t SELECT randomblob(900) FROM n",
    )
    data = bytearray(database.path.read_bytes())
    data[4096 * 2 : 4096 * 6] = b"\x07" * 4096 * 4
    database.path.write_bytes(data)
    with database.reading() as reading:
        shape = reading.shape()
        with pytest.raises(errors.DatabaseCorrupt):
            list(reading.rows(shape.tables["t"]))


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_busy_database_says_so_and_is_left_alone(tmp_path: Path, mode: str) -> None:
    database = make(tmp_path / "a.db", f"PRAGMA journal_mode={mode}; CREATE TABLE t (a)")
    other = apsw.Connection(str(database.path))
    other.execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
    with pytest.raises(errors.DatabaseBusy) as caught, Database(database.path, busy_seconds=0.05).writing():
        pass
    assert caught.value.exit_code == 5
    other.execute("COMMIT")
    other.close()
    with database.reading() as reading:
        assert reading.count(reading.shape().tables["t"]) == 1


def test_missing_collation_and_function_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    user = apsw.Connection(str(path))
    user.create_collation("mine", lambda a, b: (a > b) - (a < b))
    user.create_scalar_function("myf", lambda x: x, deterministic=True)
    user.execute(
        "CREATE TABLE r (a COLLATE mine); CREATE TABLE f (a); CREATE INDEX i ON f (myf(a)); INSERT INTO f VALUES (1); INSERT INTO r VALUES (2)"
    )
    user.close()
    database = Database(path)
    with database.reading() as reading:
        shape = reading.shape()
        assert list(reading.rows(shape.tables["r"])) == [[(1, 2)]]
    with pytest.raises(errors.MissingFunction, match="myf"), database.writing() as writing:
        writing.apply(shape, {"f": [RowChange((9,), None, (9, 9))]})
    user = apsw.Connection(str(path))
    user.create_collation("mine", lambda a, b: (a > b) - (a < b))
    user.execute("CREATE TABLE t (a TEXT COLLATE mine PRIMARY KEY) WITHOUT ROWID")
    user.close()
    with database.reading() as reading, pytest.raises(errors.MissingCollation, match=r"the table t of .*mine"):
        reading.shape()


def test_three_columns_that_hide_the_rowid(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (rowid, oid, _rowid_)")
    with database.reading() as reading, pytest.raises(errors.RowidHidden):
        reading.shape()


def test_a_refused_change_leaves_everything_as_it_was(tmp_path: Path) -> None:
    database = make(tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 2)")
    with database.reading() as reading:
        shape = reading.shape()
    before = database.mark()
    changes = {"t": [RowChange((1,), (1, 2), (1, 3)), RowChange((5,), (5, 5), None)]}
    with pytest.raises(errors.RowRefused), database.writing() as writing:
        writing.apply(shape, changes)
    assert database.mark() == before


def test_unique_values_change_places(tmp_path: Path) -> None:
    database = make(
        tmp_path / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE); INSERT INTO t VALUES (1, 'x'), (2, 'y')"
    )
    with database.writing() as writing:
        shape = writing.shape()
        writing.apply(shape, {"t": [RowChange((1,), (1, "x"), (1, "y")), RowChange((2,), (2, "y"), (2, "x"))]})
    with database.reading() as reading:
        assert list(reading.rows(shape.tables["t"])) == [[(1, "y"), (2, "x")]]


def test_new_violations_of_foreign_keys_are_refused_when_asked(tmp_path: Path) -> None:
    sql = "CREATE TABLE p (a INTEGER PRIMARY KEY); CREATE TABLE c (a REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1), (7)"
    database = make(tmp_path / "a.db", sql)
    with database.reading() as reading:
        shape = reading.shape()
    gone = {"p": [RowChange((1,), (1,), None)]}
    with pytest.raises(errors.ForeignKeysBroken, match="1 rows of c"), database.writing() as writing:
        writing.apply(shape, gone, refuse_violations=True)
    with database.writing() as writing:
        writing.apply(shape, gone)


def test_marks_and_maps_of_other_versions_are_refused() -> None:
    for decode in (Mark.decode, PageMap.decode):
        with pytest.raises(errors.NotCanonical):
            decode(b"\x63")


def test_no_right_to_read_is_said(tmp_path: Path) -> None:
    assert as_nobody(lambda folder: make(folder / "a.db", "").path.chmod(0o600), look) == "database-forbidden"


def test_a_folder_that_cannot_be_entered_is_said() -> None:
    def prepare(folder: Path) -> None:
        (folder / "inner").mkdir()
        make(folder / "inner" / "a.db", "CREATE TABLE t (a)").path.chmod(0o644)
        (folder / "inner").chmod(0o600)

    assert as_nobody(prepare, lambda folder: look(folder / "inner")) == "database-forbidden"


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "journal", "reads", "writes"),
    [
        (0o444, 0o555, "DELETE", "done", "database-read-only"),
        (0o444, 0o777, "DELETE", "done", "database-read-only"),
        (0o666, 0o555, "DELETE", "done", "database-read-only"),
        (0o444, 0o555, "WAL", "database-read-only", "database-read-only"),
        (0o666, 0o555, "WAL", "database-read-only", "database-read-only"),
    ],
)
def test_a_file_or_folder_without_the_right_to_write(
    file_mode: int, folder_mode: int, journal: str, reads: str, writes: str
) -> None:
    def prepare(folder: Path) -> None:
        make(folder / "a.db", f"PRAGMA journal_mode={journal}; CREATE TABLE t (a)").path.chmod(file_mode)
        folder.chmod(folder_mode)

    def write(folder: Path) -> None:
        with Database(folder / "a.db").writing() as writing:
            shape = writing.shape()
            writing.apply(shape, {"t": [RowChange((1,), None, (1, 1))]})

    assert as_nobody(prepare, look) == reads
    assert as_nobody(prepare, write) == writes


def look(folder: Path) -> None:
    Database(folder / "a.db").mark()


def test_a_new_database_needs_a_place() -> None:
    def create(folder: Path) -> None:
        Database.create(folder / "b.db", Shape())

    assert as_nobody(lambda folder: folder.chmod(0o555), create) == "database-forbidden"
    assert as_nobody(lambda folder: make(folder / "b.db", "").path.touch(), create) == "database-exists"


def test_a_full_disk_is_said_and_nothing_is_changed(tmp_path: Path) -> None:
    with small_disk(tmp_path) as folder:
        database = make(folder / "a.db", "CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'x')")
        before = content(database)
        with pytest.raises(errors.NoSpace), database.writing() as writing:
            writing.apply(before[0], {"t": [RowChange((i,), None, (i, bytes(100_000))) for i in range(2, 20)]})
        assert content(database) == before


def test_a_name_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = make(tmp_path / "a.db", "CREATE TABLE abcdefgh (a)").path
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abc\xffefgh"))
    with Database(path).reading() as reading, pytest.raises(errors.NameUnreadable):
        reading.shape()
