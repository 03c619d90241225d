"""What stands in the way of a merge, or of others while one waits, is said in words that help."""

from __future__ import annotations

import pytest

from tests.merging.conftest import Parted
from tests.versioned import Versioned

OURS, THEIRS = "UPDATE notes SET title = 'ours'", "UPDATE notes SET title = 'theirs'"


def test_uncommitted_tables_are_named_and_not_those_in_conflict(parted: Parted) -> None:
    app = parted(OURS, THEIRS)
    app.sql("INSERT INTO tags VALUES(9, 'mine')")
    ended = app.run("merge", "exp")
    assert ended.code == 1
    assert "uncommitted changes in tags are in the way" in ended.err


def test_uncommitted_changes_never_get_into_a_commit_that_is_made_later(parted: Parted) -> None:
    app = parted("INSERT INTO notes VALUES(8, 'ours', NULL)", "INSERT INTO notes VALUES(9, 'theirs', NULL)")
    app.sql("INSERT INTO tags VALUES(9, 'mine')")
    assert app.refused("merge", "exp", "--no-commit") == "uncommitted-in-the-way"
    assert app.refused("cherry-pick", "exp", "--no-commit") == "uncommitted-in-the-way"


def test_a_branch_that_a_rebase_goes_back_to_stays(parted: Parted) -> None:
    app = parted(OURS, THEIRS)
    app.ok("switch", "exp")
    assert app.run("rebase", "main").code == 3
    assert app.refused("branch", "-m", "exp", "other") == "branch-waited-for"
    assert app.refused("branch", "-D", "exp") == "branch-waited-for"
    said = app.ok("status")
    assert "A rebase of exp onto main is under way" in said
    app.ok("resolve", "--theirs")
    app.ok("rebase", "--continue")
    assert app.json("status")["branch"] == "exp"


def test_what_waits_is_told_before_anything_else(parted: Parted) -> None:
    app = parted(OURS, THEIRS)
    app.ok("switch", "exp")
    assert app.run("rebase", "main").code == 3
    for words in (("merge", "main"), ("rebase", "main"), ("merge", "HEAD")):
        assert app.refused(*words, code=3) == "conflicts-wait"


def test_an_empty_range_is_an_error(app: Versioned) -> None:
    assert app.refused("cherry-pick", "main..main") == "nothing-in-range"
    assert app.refused("revert", "main..main") == "nothing-in-range"


def test_nothing_edited_is_said_as_such(parted: Parted) -> None:
    app = parted(OURS, THEIRS)
    assert app.run("merge", "exp").code == 3
    assert app.refused("resolve") == "nothing-edited"
    assert app.refused("conflicts", "nowhere") == "no-such-table"
    assert app.json("conflicts", "tags") == []
    assert app.json("conflicts", "-s") == {"notes": {"edit/edit": 3}}


def test_a_stash_by_its_shortest_name(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'mine' WHERE id = 1")
    app.ok("stash", "-m", "half a thought")
    assert app.json("stash", "list")[0]["message"].strip() == "half a thought"
    assert app.clean
    app.ok("stash", "pop")
    app.ok("stash")
    assert app.clean


@pytest.mark.parametrize(("what", "table", "column"), [("COLUMN n TO name", "p", "name"), ("TO pp", "pp", "n")])
def test_the_sides_of_a_refused_row_follow_renames(parted: Parted, what: str, table: str, column: str) -> None:
    app = parted(
        f"UPDATE p SET s = 'A' WHERE id = 2; ALTER TABLE p RENAME {what}",
        "UPDATE p SET s = 'A' WHERE id = 1",
        "CREATE TABLE p(id INTEGER PRIMARY KEY, n TEXT, s TEXT UNIQUE);"
        "INSERT INTO p VALUES(1, 'one', 'x'), (2, 'two', 'y')",
    )
    assert app.run("merge", "exp").code == 3
    (found,) = app.json("conflicts")
    assert (found["table"], found["kind"]) == (table, "unique")
    assert found["base"] == {"id": 1, column: "one", "s": "x"}
    app.ok("resolve", "--base")
    assert app.rows(f"SELECT * FROM {table}") == [(1, "one", "x"), (2, "two", "A")]
