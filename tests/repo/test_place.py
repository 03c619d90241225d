"""Which repository and which database are meant, from where one stands and what one names."""

import pytest

from isovc.errors import InsideRepository, NoRepository, PathReserved, PointerBroken
from isovc.repo.place import FOLDER, Place, check_free, find, named, write_pointer


@pytest.fixture
def two(tmp_path):
    """Two repositories, `ours` and `theirs`; beside `ours` a folder `out` with one of its worktrees."""
    for name in ("ours", "theirs"):
        (tmp_path / name / FOLDER).mkdir(parents=True)
        (tmp_path / name / FOLDER / "store.db").touch()
    (tmp_path / "out" / "deep").mkdir(parents=True)
    write_pointer(tmp_path / "out" / "w.db", tmp_path / "ours" / FOLDER)
    return tmp_path


def test_beside_a_worktree_it_is_meant(two):
    assert find(two / "out" / "deep") == Place(two / "ours" / FOLDER, two / "out" / "w.db")
    assert find(two / "out" / "other.db") == Place(two / "ours" / FOLDER, two / "out" / "other.db")
    assert find(two / "ours") == Place(two / "ours" / FOLDER, None)
    with pytest.raises(NoRepository):
        find(two)


@pytest.mark.parametrize("name", ["ours", f"ours/{FOLDER}"])
@pytest.mark.parametrize(
    ("start", "database"),
    [
        ("out", "out/w.db"),
        ("out/deep", "out/w.db"),
        ("out/w.db", "out/w.db"),
        ("out/other.db", "out/other.db"),
        ("theirs/t.db", "theirs/t.db"),
        ("ours", None),
        ("theirs", None),
        (".", None),
    ],
)
def test_the_named_repository_is_asked_about_the_database_one_stands_beside(two, name, start, database):
    meant = Place(two / "ours" / FOLDER, two / database if database else None)
    assert named(two / name, two / start) == meant


def test_of_another_repository_one_stands_beside_no_database(two):
    assert named(two / "theirs", two / "out") == Place(two / "theirs" / FOLDER, None)


def test_a_repository_that_is_none_is_refused(two):
    with pytest.raises(NoRepository):
        named(two, two / "out")


def test_a_broken_pointer_does_not_make_the_main_database_of_a_worktree(two):
    (two / "out" / FOLDER).write_text("x")
    with pytest.raises(PointerBroken):
        named(two / "ours", two / "out")
    assert named(two / "ours", two / "out" / "w.db").database == two / "out" / "w.db"


@pytest.mark.parametrize("name", ["ours/.isovc/x.db", "ours/.isovc/store.db-journal", "out/.isovc", "link/x.db"])
def test_no_database_is_made_inside_a_repository(two, name):
    (two / "link").symlink_to(two / "ours" / FOLDER)
    with pytest.raises(InsideRepository):
        check_free(two / name)


def test_no_database_is_made_where_sqlite_writes_beside_another(two):
    (two / "out" / "w.db").touch()
    for ending in ("-journal", "-wal", "-shm"):
        with pytest.raises(PathReserved, match=r"beside w\.db"):
            check_free(two / "out" / f"w.db{ending}")
    for name in ("my-journal", "-wal", "x.db"):
        check_free(two / "out" / name)
