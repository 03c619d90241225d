"""Rows that point to rows which the other side took away: listed, and settled in every way there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.merging.conftest import Parted
from tests.versioned import Versioned

REMOVED = "PRAGMA foreign_keys = ON; {}; DELETE FROM parents WHERE id = 1"
UNBOUND = "DELETE FROM kids WHERE parent = 1"
# the clause, and what an application does to be rid of a parent
ACTIONS = {
    "RESTRICT": ("ON DELETE RESTRICT", UNBOUND),
    "NO ACTION": ("ON DELETE NO ACTION", UNBOUND),
    "DEFERRED": ("DEFERRABLE INITIALLY DEFERRED", UNBOUND),
    "CASCADE": ("ON DELETE CASCADE", "SELECT 1"),
    "SET NULL": ("ON DELETE SET NULL", "SELECT 1"),
    "SET DEFAULT": ("ON DELETE SET DEFAULT", "SELECT 1"),
}
GOES = {"RESTRICT", "NO ACTION", "DEFERRED", "CASCADE"}  # where the children go with their parent
ADDED = "INSERT INTO kids VALUES(10, 1, 'new')"


def family(action: str) -> str:
    clause, _ = ACTIONS[action]
    return (
        "CREATE TABLE parents(id INTEGER PRIMARY KEY, name);"
        f"CREATE TABLE kids(id INTEGER PRIMARY KEY, parent INTEGER DEFAULT 2 REFERENCES parents {clause}, name);"
        "INSERT INTO parents VALUES(1, 'a'), (2, 'b'); INSERT INTO kids VALUES(1, 1, 'x'), (2, 2, 'y')"
    )


@pytest.fixture(params=["ours", "theirs"])
def remover(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bereft(parted: Parted, remover: str) -> Callable[..., Versioned]:
    """A parent removed on one branch while the other did something, and the two merged."""

    def part(other: str, action: str = "NO ACTION", *, waits: bool = True) -> Versioned:
        removed = REMOVED.format(ACTIONS[action][1])
        ours, theirs = (removed, other) if remover == "ours" else (other, removed)
        app = parted(ours, theirs, family(action))
        assert app.run("merge", "exp").code == (3 if waits else 0)
        return app

    return part


def conflicts(app: Versioned, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.json("conflicts", *words)
    return found


def listed(app: Versioned) -> list[tuple[Any, ...]]:
    return [(each["table"], each["key"], each["column"], each["kind"]) for each in conflicts(app)]


def kids(app: Versioned) -> list[tuple[Any, ...]]:
    return app.rows("SELECT * FROM kids ORDER BY id")


def broken(app: Versioned) -> int:
    return len(app.rows("PRAGMA foreign_key_check"))


def finished(app: Versioned) -> None:
    """The merge can be ended, and everything is sound."""
    app.ok("merge", "--continue")
    assert app.clean
    assert len(app.json("log")[0]["parents"]) == 2
    assert app.json("fsck")["damages"] == []


# -- a parent removed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_a_child_added_to_a_parent_that_went(bereft: Callable[..., Versioned], remover: str, action: str) -> None:
    app = bereft(ADDED, action)
    (found,) = conflicts(app)
    assert (found["table"], found["key"], found["column"], found["kind"]) == ("kids", [10], "parent", "foreign key")
    assert found["why"] == "there is no such row in parents"
    adder = "theirs" if remover == "ours" else "ours"
    assert (found["base"], found[remover], found[adder]) == (None, None, 1)
    assert (10, 1, "new") in kids(app)  # what is not contested is there
    assert "kids:10:parent" in app.ok("conflicts")
    assert app.refused("merge", "--continue", code=3) == "conflicts-wait"
    app.ok("resolve", f"--{remover}")
    first = {"SET NULL": [(1, None, "x")], "SET DEFAULT": [(1, 2, "x")]}.get(action, [])
    assert kids(app) == [*first, (2, 2, "y")]
    finished(app)
    assert broken(app) == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_a_child_edited_whose_parent_went(bereft: Callable[..., Versioned], remover: str, action: str) -> None:
    app = bereft("UPDATE kids SET name = 'edited' WHERE id = 1", action, waits=action in GOES)
    if action not in GOES:  # two cells of one row
        assert kids(app)[0] == (1, 2 if action == "SET DEFAULT" else None, "edited")
        assert app.clean
        return
    if remover == "ours":
        assert listed(app) == [("kids", [1], None, "delete/edit")]
        assert app.refused("resolve", "--theirs") == "choice-refused"  # it would point to nothing
        assert kids(app) == [(2, 2, "y")]
        app.ok("resolve", "--ours")
    else:
        assert listed(app) == [("kids", [1], None, "edit/delete"), ("kids", [1], "parent", "foreign key")]
        assert app.refused("resolve", "--ours") == "choice-refused"
        app.ok("resolve", "--theirs")
    assert kids(app) == [(2, 2, "y")]
    finished(app)
    assert broken(app) == 0


def test_a_child_moved_elsewhere_is_no_orphan(bereft: Callable[..., Versioned], remover: str) -> None:
    app = bereft("UPDATE kids SET parent = 2 WHERE id = 1", "SET NULL")
    assert listed(app) == [("kids", [1], "parent", "edit/edit")]
    app.ok("resolve", "--theirs" if remover == "ours" else "--ours")
    assert kids(app)[0] == (1, 2, "x")
    finished(app)


def test_a_child_moved_to_a_parent_that_went(bereft: Callable[..., Versioned], remover: str) -> None:
    app = bereft("UPDATE kids SET parent = 1 WHERE id = 2", "CASCADE")
    (found,) = conflicts(app)
    assert (found["key"], found["kind"], found["base"], found[remover]) == ([2], "foreign key", 2, 2)
    app.ok("resolve", "--base")
    assert kids(app) == [(2, 2, "y")]
    finished(app)


# -- settled -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_side_that_points_to_nothing_settles_nothing(
    bereft: Callable[..., Versioned], remover: str, side: str
) -> None:
    app = bereft(ADDED)
    before = kids(app)
    if side == remover:
        assert app.json("resolve", "kids:10", f"--{side}")["open"] == 0
        assert kids(app) == [(2, 2, "y")]
    else:
        ended = app.run("resolve", "kids:10", f"--{side}")
        assert (ended.code, kids(app), len(conflicts(app))) == (1, before, 1)
        assert "kids:10: there is no such row in parents" in ended.err


def test_settled_by_a_value(bereft: Callable[..., Versioned]) -> None:
    app = bereft(ADDED)
    before = kids(app)
    assert app.refused("resolve", "kids", "10", "--set", "parent=77") == "choice-refused"
    assert (kids(app), len(conflicts(app))) == (before, 1)
    assert app.json("resolve", "kids", "10", "--set", "parent=2")["open"] == 0
    assert kids(app)[-1] == (10, 2, "new")
    finished(app)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE kids SET parent = 2 WHERE id = 10",
        "UPDATE kids SET parent = NULL WHERE id = 10",
        "DELETE FROM kids WHERE id = 10",
        "INSERT INTO parents VALUES(1, 'again')",
    ],
)
def test_settled_by_editing(bereft: Callable[..., Versioned], edit: str) -> None:
    app = bereft(ADDED)
    app.sql(edit)
    after = kids(app)
    assert app.json("resolve") == {"resolved": 1, "open": 0, "tables": {}}
    assert kids(app) == after
    finished(app)
    assert (kids(app), broken(app)) == (after, 0)


def test_settled_as_it_is(bereft: Callable[..., Versioned]) -> None:
    app = bereft(ADDED)
    assert app.refused("resolve") == "nothing-edited"  # nobody has edited anything
    assert app.json("resolve", "kids", "10")["open"] == 0
    finished(app)
    assert (broken(app), kids(app)[-1]) == (1, (10, 1, "new"))
    app.ok("switch", "-c", "later")
    app.sql("INSERT INTO kids VALUES(11, 2, 'later')")
    app.commit()
    app.ok("switch", "main")
    app.ok("merge", "later", "--no-ff")  # somebody has said that it is well so


def test_each_step_can_be_undone(bereft: Callable[..., Versioned]) -> None:
    app = bereft(ADDED)
    before = app.dump()
    app.ok("resolve", "--set", "parent=2")
    app.ok("undo")
    assert (app.dump(), len(conflicts(app))) == (before, 1)
    app.ok("redo")
    finished(app)
    app.ok("undo", "-n", "3")
    assert conflicts(app) == []
    assert broken(app) == 0


def test_a_parent_that_comes_back_settles_its_children(bereft: Callable[..., Versioned], remover: str) -> None:
    app = bereft(f"UPDATE parents SET name = 'dear' WHERE id = 1; {ADDED}; INSERT INTO kids VALUES(11, 1, 'too')")
    editor = "theirs" if remover == "ours" else "ours"
    kinds = {(each["table"], each["kind"]) for each in conflicts(app)}
    assert ("parents", "delete/edit" if remover == "ours" else "edit/delete") in kinds
    orphans = remover == "ours"  # else our parent stands meanwhile
    assert len(conflicts(app, "kids")) == (2 if orphans else 0)
    assert app.json("resolve", "parents", f"--{editor}")["open"] == 0
    assert app.rows("SELECT name FROM parents WHERE id = 1") == [("dear",)]
    assert (len(kids(app)), broken(app)) == (3, 0)
    finished(app)


def test_a_parent_that_goes_after_all_leaves_no_orphan(parted: Parted) -> None:
    edited = f"UPDATE parents SET name = 'dear' WHERE id = 1; {ADDED}"
    app = parted(edited, REMOVED.format(UNBOUND), family("NO ACTION"))
    assert app.run("merge", "exp").code == 3
    before = app.dump()
    assert app.refused("resolve", "parents", "--theirs") == "choice-refused"
    assert app.dump() == before
    app.sql("DELETE FROM kids WHERE id = 10")
    app.ok("resolve", "parents", "--theirs")
    finished(app)
    assert broken(app) == 0


def test_what_pointed_to_nothing_before_is_no_news(parted: Parted) -> None:
    stray = "INSERT INTO kids VALUES(5, 99, 'stray'), (6, 98, 'stray')"
    app = parted(
        "UPDATE kids SET name = 'o' WHERE id = 5", "UPDATE kids SET name = 't' WHERE id = 2", family("CASCADE")
    )
    app.ok("merge", "exp")
    app.sql(stray)
    app.commit()
    app.ok("switch", "-c", "next")
    app.sql(f"{ADDED}; UPDATE kids SET name = 'touched' WHERE id = 6")
    app.commit()
    app.ok("switch", "main")
    app.sql(REMOVED.format("UPDATE kids SET name = 'ours' WHERE id = 5"))
    app.commit()
    assert app.run("merge", "next").code == 3
    assert listed(app) == [("kids", [10], "parent", "foreign key")]
    assert [row[2] for row in kids(app)] == ["t", "ours", "touched", "new"]
    app.ok("resolve", "--ours")
    finished(app)
    assert broken(app) == 2


def test_both_sides_pointing_to_nothing_is_no_news(parted: Parted) -> None:
    app = parted("DELETE FROM parents WHERE id = 1", "DELETE FROM parents WHERE id = 1", family("NO ACTION"))
    app.ok("merge", "exp")
    assert broken(app) == 1


def test_a_definition_settled_later_loses_no_orphan(bereft: Callable[..., Versioned], parted: Parted) -> None:
    view = "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT {}"
    app = parted(f"{REMOVED.format(UNBOUND)}; {view.format(1)}", f"{ADDED}; {view.format(2)}", family("CASCADE"))
    assert app.run("merge", "exp").code == 3
    assert len(conflicts(app)) == 2
    assert app.json("resolve", "v", "--theirs")["open"] == 1
    assert listed(app) == [("kids", [10], "parent", "foreign key")]
    app.ok("resolve", "--ours")
    finished(app)
    assert broken(app) == 0


# -- other shapes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clause", ["", "ON DELETE CASCADE", "DEFERRABLE INITIALLY DEFERRED"])
def test_a_table_that_points_to_itself(parted: Parted, remover: str, clause: str) -> None:
    base = (
        f"CREATE TABLE tree(id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree {clause}, name);"
        "INSERT INTO tree VALUES(1, NULL, 'root'), (2, 1, 'branch'), (3, 2, 'leaf'), (4, 4, 'itself')"
    )
    removed = "DELETE FROM tree WHERE id = 3; DELETE FROM tree WHERE id = 2"
    added = "INSERT INTO tree VALUES(5, 2, 'on it'), (6, 5, 'on that'), (7, 7, 'alone')"
    app = parted(*((removed, added) if remover == "ours" else (added, removed)), base)
    assert app.run("merge", "exp").code == 3
    assert listed(app) == [("tree", [5], "up", "foreign key")]
    assert app.refused("resolve", f"--{remover}") == "choice-refused"  # then 6 would point to nothing
    app.ok("resolve", "--set", "up=1")
    assert app.rows("SELECT id, up FROM tree ORDER BY id") == [(1, None), (4, 4), (5, 1), (6, 5), (7, 7)]
    finished(app)
    assert broken(app) == 0


def test_tables_that_point_to_each_other(parted: Parted, remover: str) -> None:
    base = (
        "CREATE TABLE a(id INTEGER PRIMARY KEY, b REFERENCES b DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TABLE b(id INTEGER PRIMARY KEY, a REFERENCES a DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO a VALUES(1, 1), (2, 2); INSERT INTO b VALUES(1, 1), (2, 2)"
    )
    removed = "DELETE FROM a WHERE id = 1; DELETE FROM b WHERE id = 1"
    added = "INSERT INTO a VALUES(3, 3), (4, 1); INSERT INTO b VALUES(3, 3), (4, 1)"
    app = parted(*((removed, added) if remover == "ours" else (added, removed)), base)
    assert app.run("merge", "exp").code == 3
    assert listed(app) == [("a", [4], "b", "foreign key"), ("b", [4], "a", "foreign key")]
    app.ok("resolve", "--set", "b=4")
    app.ok("resolve", "--set", "a=4")
    assert app.rows("SELECT a.id, b.id FROM a JOIN b ON a.b = b.id AND b.a = a.id") == [(2, 2), (3, 3), (4, 4)]
    finished(app)
    assert broken(app) == 0


PAIRS = (
    "CREATE TABLE p(x TEXT COLLATE NOCASE, y INTEGER, note, PRIMARY KEY(x, y)) WITHOUT ROWID;"
    "CREATE TABLE k(n TEXT, m INTEGER, x TEXT, y INTEGER, other INTEGER,"
    " PRIMARY KEY(n, m), FOREIGN KEY(x, y) REFERENCES p, FOREIGN KEY(x, other) REFERENCES p);"
    "INSERT INTO p VALUES('A', 1, ''), ('A', 2, ''), ('B', 1, '')"
)


def test_keys_of_several_columns(parted: Parted, remover: str) -> None:
    removed = "DELETE FROM p WHERE x = 'A' AND y = 1"
    added = "INSERT INTO k VALUES('n', 1, 'a', 1, NULL), ('n', 2, NULL, 1, 1), ('n', 3, 'b', 1, NULL)"
    app = parted(*((removed, added) if remover == "ours" else (added, removed)), PAIRS)
    assert app.run("merge", "exp").code == 3
    (found,) = conflicts(app)
    assert (found["table"], found["key"], found["column"], found["kind"]) == ("k", ["n", 1, None], None, "foreign key")
    row = {"n": "n", "m": 1, "x": "a", "y": 1, "other": None}
    assert (found["ours"], found["theirs"]) == ((None, row) if remover == "ours" else (row, None))
    app.ok("resolve", "k", "n,1", "--set", "y=2")
    finished(app)
    assert broken(app) == 0


def test_one_row_that_points_to_nothing_twice(parted: Parted) -> None:
    view = "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT {}"
    removed = f"DELETE FROM p WHERE x = 'A'; {view.format(1)}"
    added = f"INSERT INTO k VALUES('n', 1, 'a', 1, 2); {view.format(2)}"
    app = parted(removed, added, PAIRS)
    assert app.run("merge", "exp").code == 3
    found = conflicts(app, "k")
    assert [each["why"] for each in found] == ["there is no row in p for x, other", "there is no row in p for x, y"]
    assert app.json("resolve", "v", "--ours")["open"] == 2
    assert [each["id"] for each in conflicts(app)] == [each["id"] for each in found]
    app.sql("INSERT INTO p VALUES('A', 1, 'back')")
    assert app.json("resolve")["open"] == 1
    assert [each["why"] for each in conflicts(app)] == ["there is no row in p for x, other"]
    app.ok("resolve", "k", "--ours")
    finished(app)


def test_a_cell_that_both_changed_and_that_points_to_nothing(parted: Parted) -> None:
    view = "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT {}"
    more = "; INSERT INTO parents VALUES(3, 'c')"
    app = parted(
        f"UPDATE kids SET parent = 2 WHERE id = 1; {view.format(1)}",
        f"UPDATE kids SET parent = 3; DELETE FROM parents WHERE id = 2; {view.format(2)}",
        family("NO ACTION") + more,
    )
    assert app.run("merge", "exp").code == 3
    both = [("kids", [1], "parent", "edit/edit"), ("kids", [1], "parent", "foreign key")]
    assert listed(app)[1:] == both
    assert app.json("resolve", "v", "--ours")["open"] == 2
    assert listed(app) == both
    assert app.refused("resolve", "--ours") == "choice-refused"
    assert app.json("resolve", "--theirs")["open"] == 0
    assert kids(app) == [(1, 3, "x"), (2, 3, "y")]
    finished(app)


def test_a_parent_that_got_another_key(parted: Parted, remover: str) -> None:
    base = (
        "CREATE TABLE parents(id INTEGER PRIMARY KEY, code TEXT UNIQUE);"
        "CREATE TABLE kids(id INTEGER PRIMARY KEY, parent TEXT REFERENCES parents(code) ON UPDATE CASCADE, name);"
        "INSERT INTO parents VALUES(1, 'a'); INSERT INTO kids VALUES(1, 'a', 'x')"
    )
    renamed = "PRAGMA foreign_keys = ON; UPDATE parents SET code = 'z'"
    added = "UPDATE kids SET name = 'edited'; INSERT INTO kids VALUES(10, 'a', 'new')"
    app = parted(*((renamed, added) if remover == "ours" else (added, renamed)), base)
    assert app.run("merge", "exp").code == 3
    assert listed(app) == [("kids", [10], "parent", "foreign key")]
    assert kids(app)[0] == (1, "z", "edited")
    app.ok("resolve", "--set", "parent=z")
    finished(app)
    assert broken(app) == 0


def test_a_parent_table_that_went(parted: Parted, remover: str) -> None:
    dropped = "DELETE FROM kids; DROP TABLE parents"
    app = parted(*((dropped, ADDED) if remover == "ours" else (ADDED, dropped)), family("NO ACTION"))
    assert app.run("merge", "exp").code == 3
    assert listed(app) == [("kids", [10], "parent", "foreign key")]
    assert app.rows("SELECT name FROM sqlite_schema WHERE type = 'table'") == [("notes",), ("tags",), ("kids",)]
    app.ok("resolve", f"--{remover}")
    assert kids(app) == []
    finished(app)


def test_reverts_and_picks_ask_too(app: Versioned) -> None:
    app.sql(family("NO ACTION"))
    app.commit("family")
    app.sql("INSERT INTO parents VALUES(3, 'c')")
    parent = app.commit("a parent")
    app.sql("INSERT INTO kids VALUES(3, 3, 'z')")
    kid = app.commit("a child")
    assert app.run("revert", parent).code == 3
    assert listed(app) == [("kids", [3], "parent", "foreign key")]
    app.ok("revert", "--abort")
    app.ok("revert", kid, parent)  # one after the other
    assert (app.rows("SELECT max(id) FROM parents"), broken(app)) == ([(2,)], 0)
    assert app.run("cherry-pick", kid).code == 3
    assert listed(app) == [("kids", [3], "parent", "foreign key")]
    app.ok("resolve", "--set", "parent=2")
    app.ok("cherry-pick", "--continue")
    assert (kids(app)[-1], app.clean) == ((3, 2, "z"), True)
