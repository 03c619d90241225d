"""A branch whose rows got other numbers in a merge goes on in its own numbers, and is merged again."""

from __future__ import annotations

import json
from typing import Any

import pygit2
import pytest

from isovc.errors import NotCanonical
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.versions import numbers_of
from tests.merging.conftest import Parted
from tests.versioned import Versioned

TAGS = "DROP TABLE tags; CREATE TABLE tags(id INTEGER PRIMARY KEY, note INTEGER REFERENCES notes, tag TEXT)"


def notes(app: Versioned) -> list[tuple[Any, ...]]:
    return app.rows("SELECT * FROM notes WHERE id > 3 ORDER BY id")


def tags(app: Versioned) -> list[tuple[Any, ...]]:
    return app.rows("SELECT t.tag, n.title FROM tags t LEFT JOIN notes n ON n.id = t.note ORDER BY t.tag")


def step(app: Versioned, script: str, message: str = "x") -> str:
    app.sql(script)
    return app.commit(message)


def renumbered_in(app: Versioned, revision: str = "HEAD") -> dict[str, Any] | None:
    """The file in git, as stock git reads it."""
    commit = pygit2.Repository(str(app.folder / "git"))[app.json("log", revision)[0]["commit"]]
    if "renumbered.json" not in commit.tree:
        return None
    found = json.loads(commit.tree["renumbered.json"].data)
    assert found["format"] == 1
    assert isinstance(found["tables"], dict)
    return dict(found["tables"])


@pytest.fixture
def both(parted: Parted) -> Versioned:
    """Row 4 is one thing on main and another on exp, where it is 5 after a merge."""
    app = parted(
        "INSERT INTO notes VALUES(4, 'ours', 'o'); INSERT INTO tags VALUES(1, 4, 'o')",
        "INSERT INTO notes VALUES(4, 'theirs', 't'); INSERT INTO tags VALUES(2, 4, 't')",
        base=TAGS,
    )
    app.ok("config", "merge.renumber", "notes, tags")
    assert app.json("merge", "exp")["renumbered"] == {"notes": {"4": 5}}
    assert notes(app) == [(4, "ours", "o"), (5, "theirs", "t")]
    assert renumbered_in(app) == {"notes": {"4": 5}}
    assert renumbered_in(app, "exp") is None
    return app


def on_exp(app: Versioned, script: str) -> None:
    app.ok("switch", "exp")
    step(app, script)
    app.ok("switch", "main")


def test_what_is_done_to_a_row_is_done_to_the_row_that_it_has_become(both: Versioned) -> None:
    on_exp(both, "UPDATE notes SET body = 'new' WHERE id = 4; INSERT INTO tags VALUES(3, 4, 'later')")
    assert both.json("merge", "exp")["renumbered"] == {}
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "new")]
    assert tags(both) == [("later", "theirs"), ("o", "ours"), ("t", "theirs")]
    assert renumbered_in(both) == {"notes": {"4": 5}}
    on_exp(both, "UPDATE tags SET tag = 'moved', note = 4 WHERE id = 3; DELETE FROM tags WHERE id = 2")
    both.ok("merge", "exp")
    assert tags(both) == [("moved", "theirs"), ("o", "ours")]


def test_a_row_that_is_removed(both: Versioned) -> None:
    on_exp(both, "DELETE FROM tags WHERE note = 4; DELETE FROM notes WHERE id = 4")
    both.ok("merge", "exp")
    assert notes(both) == [(4, "ours", "o")]
    assert tags(both) == [("o", "ours")]


def test_a_conflict_is_told_under_the_number_that_the_row_has_here(both: Versioned) -> None:
    step(both, "UPDATE notes SET body = 'mine' WHERE id = 5")
    on_exp(both, "UPDATE notes SET body = 'yours', title = 'taken' WHERE id = 4")
    assert both.run("merge", "exp").code == 3
    (found,) = both.json("conflicts")
    assert (found["table"], found["key"], found["column"]) == ("notes", [5], "body")
    assert (found["base"], found["ours"], found["theirs"]) == ("t", "mine", "yours")
    both.ok("resolve", "notes", "5", "--theirs")
    both.ok("merge", "--continue")
    assert notes(both) == [(4, "ours", "o"), (5, "taken", "yours")]
    assert renumbered_in(both) == {"notes": {"4": 5}}


def test_a_row_removed_here_and_changed_there(both: Versioned) -> None:
    step(both, "DELETE FROM tags WHERE note = 5; DELETE FROM notes WHERE id = 5")
    on_exp(both, "UPDATE notes SET body = 'new' WHERE id = 4")
    assert both.run("merge", "exp").code == 3
    (found,) = both.json("conflicts")
    assert (found["key"], found["kind"]) == ([5], "delete/edit")
    both.ok("resolve", "--theirs")
    both.ok("merge", "--continue")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "new")]


def test_a_new_row_under_the_number_that_another_one_has_become(both: Versioned) -> None:
    both.ok("config", "--unset", "merge.renumber")
    on_exp(both, "INSERT INTO notes VALUES(5, 'five', NULL); UPDATE notes SET body = 'x' WHERE id = 4")
    assert both.json("merge", "exp")["renumbered"] == {"notes": {"5": 6}}
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "x"), (6, "five", None)]
    assert renumbered_in(both) == {"notes": {"4": 5, "5": 6}}
    on_exp(both, "UPDATE notes SET body = title")
    both.ok("merge", "exp")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "theirs"), (6, "five", "five")]


def test_the_other_way_round(both: Versioned) -> None:
    """Who has the numbers of before brings what has others."""
    step(both, "UPDATE notes SET body = 'o2' WHERE id = 4; UPDATE notes SET body = 't2' WHERE id = 5")
    both.ok("switch", "exp")
    step(both, "INSERT INTO notes VALUES(7, 'seven', NULL); INSERT INTO tags VALUES(7, 4, 'seven')")
    both.ok("merge", "main")
    assert both.rows("SELECT title, body FROM notes WHERE id = 4") == [("theirs", "t2")]
    (ours,) = both.rows("SELECT id FROM notes WHERE title = 'ours' AND body = 'o2'")
    assert tags(both) == [("o", "ours"), ("seven", "theirs"), ("t", "theirs")]
    assert renumbered_in(both) == {"notes": {"4": ours[0], "5": 4}}
    step(both, "UPDATE notes SET body = body || '!'")
    both.ok("switch", "main")
    step(both, "UPDATE notes SET title = title || '?'")
    both.ok("merge", "exp")
    assert notes(both) == [(4, "ours?", "o2!"), (5, "theirs?", "t2!"), (7, "seven", None)]
    assert tags(both) == [("o", "ours?"), ("seven", "theirs?"), ("t", "theirs?")]


def test_criss_cross(both: Versioned) -> None:
    """Both sides bring each other's last version; each keeps its own number 4."""
    both.ok("switch", "exp")
    both.ok("branch", "old", "main~1")
    both.ok("merge", "old")
    (ours,) = both.rows("SELECT id FROM notes WHERE title = 'ours'")[0]
    step(both, f"UPDATE notes SET body = 'o2' WHERE id = {ours}; INSERT INTO tags VALUES(9, {ours}, 'nine')")
    both.ok("switch", "main")
    step(both, "UPDATE notes SET body = 't2' WHERE id = 5")
    both.ok("merge", "exp")
    assert notes(both) == [(4, "ours", "o2"), (5, "theirs", "t2")]
    assert tags(both) == [("nine", "ours"), ("o", "ours"), ("t", "theirs")]
    both.ok("switch", "exp")
    both.ok("merge", "main", "--no-ff")
    assert both.rows("SELECT title, body FROM notes WHERE id = 4") in ([("theirs", "t2")], [("ours", "o2")])
    assert sorted(tags(both)) == [("nine", "ours"), ("o", "ours"), ("t", "theirs")]


def test_numbers_outlive_a_merge_that_waits(parted: Parted) -> None:
    app = parted(
        "INSERT INTO notes VALUES(4, 'ours', 'o'); UPDATE notes SET title = 'a' WHERE id = 1",
        "INSERT INTO notes VALUES(4, 'theirs', 't'); UPDATE notes SET title = 'b' WHERE id = 1",
    )
    assert app.run("merge", "exp").code == 3
    app.ok("resolve", "notes", "4", "--renumber")
    app.ok("undo")
    app.ok("redo")
    app.ok("resolve", "--ours")
    app.ok("commit", "-m", "both")
    assert renumbered_in(app) == {"notes": {"4": 5}}
    on_exp(app, "UPDATE notes SET body = 'new' WHERE id = 4")
    app.ok("merge", "exp", "--no-commit")
    app.ok("merge", "--continue")
    assert notes(app) == [(4, "ours", "o"), (5, "theirs", "new")]
    assert renumbered_in(app) == {"notes": {"4": 5}}


def test_done_again_with_other_numbers(both: Versioned) -> None:
    """What was said in the numbers of before stays said when the merge is done once more."""
    both.ok("config", "--unset", "merge.renumber")
    step(both, "INSERT INTO notes VALUES(6, 'six', NULL)")
    on_exp(both, "INSERT INTO notes VALUES(6, 'other', NULL); UPDATE notes SET body = 'new' WHERE id = 4")
    assert both.run("merge", "exp").code == 3
    both.ok("resolve", "notes", "6", "--renumber")
    both.ok("merge", "--continue")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "new"), (6, "six", None), (7, "other", None)]
    assert renumbered_in(both) == {"notes": {"4": 5, "6": 7}}


def test_a_branch_that_began_before_the_row(both: Versioned) -> None:
    """Its row 4 is neither main's nor exp's."""
    both.ok("switch", "-c", "third", "exp~1")
    step(both, "INSERT INTO notes VALUES(4, 'third', NULL)")
    both.ok("switch", "main")
    both.ok("merge", "third")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "t"), (6, "third", None)]


def test_a_branch_of_the_branch(both: Versioned) -> None:
    both.ok("switch", "-c", "third", "exp")
    step(both, "UPDATE notes SET body = 'third' WHERE id = 4")
    both.ok("switch", "main")
    both.ok("merge", "third")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "third")]


def test_a_table_that_was_renamed_since(both: Versioned) -> None:
    step(both, "INSERT INTO notes VALUES(9, 'nine', NULL); ALTER TABLE notes RENAME TO memos")
    on_exp(both, "UPDATE notes SET body = 'new' WHERE id = 4; INSERT INTO tags VALUES(3, 4, 'later')")
    both.ok("merge", "exp")
    assert both.rows("SELECT * FROM memos WHERE id IN (4, 5)") == [(4, "ours", "o"), (5, "theirs", "new")]
    assert both.rows("SELECT note FROM tags WHERE id = 3") == [(5,)]


def test_columns_that_came_since(both: Versioned) -> None:
    step(both, "ALTER TABLE notes ADD COLUMN done DEFAULT 0; UPDATE notes SET done = 1 WHERE id = 5")
    on_exp(both, "ALTER TABLE notes ADD COLUMN seen; UPDATE notes SET seen = 'yes' WHERE id = 4")
    both.ok("merge", "exp")
    assert both.rows("SELECT title, done, seen FROM notes WHERE id IN (4, 5)") == [
        ("ours", 0, None),
        ("theirs", 1, "yes"),
    ]


def test_keys_that_point(parted: Parted) -> None:
    app = parted(
        "INSERT INTO notes VALUES(4, 'ours', 'o'); INSERT INTO pairs VALUES(4, 1, 'o');INSERT INTO more VALUES(4, 'o')",
        "INSERT INTO notes VALUES(4, 'theirs', 't'); INSERT INTO pairs VALUES(4, 1, 't');"
        "INSERT INTO more VALUES(4, 't'); INSERT INTO marks VALUES(1, 4, 1)",
        base="CREATE TABLE pairs(note REFERENCES notes, other REFERENCES notes, who, PRIMARY KEY(note, other));"
        "CREATE TABLE more(note INTEGER PRIMARY KEY REFERENCES notes, who);"
        "CREATE TABLE marks(id INTEGER PRIMARY KEY, a, b, FOREIGN KEY(a, b) REFERENCES pairs)",
    )
    app.ok("config", "merge.renumber", "notes")
    app.ok("merge", "exp")
    on_exp(
        app,
        "UPDATE pairs SET who = 'T' WHERE note = 4; UPDATE more SET who = 'T' WHERE note = 4;"
        "INSERT INTO pairs VALUES(1, 4, 'new'); INSERT INTO marks VALUES(2, 1, 4)",
    )
    app.ok("merge", "exp")
    assert app.rows("SELECT * FROM pairs ORDER BY 1, 2") == [(1, 5, "new"), (4, 1, "o"), (5, 1, "T")]
    assert app.rows("SELECT * FROM more ORDER BY 1") == [(4, "o"), (5, "T")]
    assert app.rows("SELECT * FROM marks") == [(1, 5, 1), (2, 1, 5)]


# -- the same for single commits ---------------------------------------------------------------------------------------


def test_a_commit_made_once_more(both: Versioned) -> None:
    on_exp(both, "UPDATE notes SET body = 'new' WHERE id = 4; INSERT INTO tags VALUES(3, 4, 'later')")
    both.ok("cherry-pick", "exp")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "new")]
    assert tags(both) == [("later", "theirs"), ("o", "ours"), ("t", "theirs")]


def test_a_commit_taken_back(both: Versioned) -> None:
    both.ok("revert", "exp")
    assert notes(both) == [(4, "ours", "o")]
    assert tags(both) == [("o", "ours")]
    both.ok("undo")
    both.ok("revert", "HEAD", "-m", "2")
    assert notes(both) == [(5, "theirs", "t")]


def test_commits_made_once_more_one_after_the_other(both: Versioned) -> None:
    """The first one's row gets another number; the second one changes that row."""
    step(both, "INSERT INTO notes VALUES(6, 'six', NULL)")
    on_exp(both, "INSERT INTO notes VALUES(6, 'picked', NULL)")
    on_exp(both, "UPDATE notes SET body = 'edited' WHERE id = 6; INSERT INTO tags VALUES(6, 6, 'six')")
    both.ok("cherry-pick", "exp~1")
    both.ok("cherry-pick", "exp")
    assert notes(both)[2:] == [(6, "six", None), (7, "picked", "edited")]
    assert tags(both)[-2:] == [("six", "picked"), ("t", "theirs")]
    both.ok("undo", "-n", "2")
    both.ok("cherry-pick", "exp~2..exp")
    assert notes(both)[2:] == [(6, "six", None), (7, "picked", "edited")]


def test_a_rebase(parted: Parted) -> None:
    app = parted("INSERT INTO notes VALUES(4, 'ours', NULL)", "INSERT INTO notes VALUES(4, 'theirs', NULL)")
    app.ok("config", "merge.renumber", "notes")
    app.ok("switch", "exp")
    step(app, "UPDATE notes SET body = 'edited' WHERE id = 4; UPDATE notes SET title = 'theirs' WHERE id = 1")
    step(app, "INSERT INTO notes VALUES(5, 'last', NULL); UPDATE notes SET body = 'again' WHERE id = 4")
    app.ok("switch", "main")
    step(app, "UPDATE notes SET title = 'ours' WHERE id = 1")
    app.ok("switch", "exp")
    assert app.run("rebase", "main").code == 3
    app.ok("resolve", "--theirs")
    app.ok("rebase", "--continue")
    assert notes(app) == [(4, "ours", None), (5, "theirs", "again"), (6, "last", None)]


# -- what is uncommitted -----------------------------------------------------------------------------------------------


def test_what_is_uncommitted_goes_to_the_row_that_is_meant(both: Versioned) -> None:
    both.ok("switch", "exp")
    both.sql("UPDATE notes SET body = 'open' WHERE id = 4")
    both.ok("merge", "main")  # forward
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "open")]


def test_what_is_carried_goes_to_the_row_that_is_meant(both: Versioned) -> None:
    both.ok("switch", "exp")
    both.sql("UPDATE notes SET body = 'open' WHERE id = 4; INSERT INTO tags VALUES(3, 4, 'later')")
    both.ok("switch", "main", "--carry")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "open")]
    assert tags(both) == [("later", "theirs"), ("o", "ours"), ("t", "theirs")]


def test_a_new_row_that_is_uncommitted_keeps_its_number_or_is_in_the_way(both: Versioned) -> None:
    both.ok("switch", "exp")
    both.sql("INSERT INTO notes VALUES(5, 'open', NULL)")
    assert both.refused("merge", "main") == "uncommitted-in-the-way"
    assert both.refused("switch", "main", "--carry") == "cannot-carry"
    assert notes(both) == [(4, "theirs", "t"), (5, "open", None)]


def test_what_was_put_aside_goes_to_the_row_that_is_meant(both: Versioned) -> None:
    both.ok("switch", "exp")
    both.sql("UPDATE notes SET body = 'aside' WHERE id = 4")
    both.ok("stash", "push")
    both.ok("switch", "main")
    both.ok("stash", "pop")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "aside")]


def test_what_waits_on_a_branch_goes_to_the_row_that_is_meant(both: Versioned) -> None:
    both.ok("switch", "exp")
    both.sql("UPDATE notes SET body = 'waits' WHERE id = 4")
    both.ok("switch", "main")
    both.ok("merge", "main", "--into", "exp")
    both.ok("switch", "exp")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "waits")]


def test_what_was_written_since_goes_back_to_the_row_that_is_meant(both: Versioned) -> None:
    both.ok("switch", "exp")
    both.ok("merge", "main")  # forward
    operation = both.json("op", "log")[0]["id"]
    both.sql("UPDATE notes SET body = 'since' WHERE id = 5")
    both.ok("op", "revert", str(operation))
    assert notes(both) == [(4, "theirs", "since")]
    both.ok("undo")
    both.sql("UPDATE notes SET body = 'since' WHERE id = 4")
    assert both.refused("op", "revert", str(operation)) == "does-not-fit"


# -- keeping the house -------------------------------------------------------------------------------------------------


def test_the_numbers_are_nobodys_damage(both: Versioned) -> None:
    both.ok("fsck")
    both.ok("gc")
    both.ok("fsck")
    on_exp(both, "UPDATE notes SET body = 'new' WHERE id = 4")
    both.ok("merge", "exp")
    assert notes(both) == [(4, "ours", "o"), (5, "theirs", "new")]


def test_a_link_that_was_decided_for_the_row_with_the_same_number(parted: Parted) -> None:
    """On exp it says 4 as on main, and means another row."""
    app = parted(
        "INSERT INTO notes VALUES(4, 'ours', NULL); UPDATE tags SET note = 4",
        "INSERT INTO notes VALUES(4, 'theirs', NULL); UPDATE tags SET note = 4",
        base=f"{TAGS}; INSERT INTO tags VALUES(1, 1, 'x')",
    )
    app.ok("config", "merge.renumber", "notes")
    app.ok("switch", "exp")
    assert app.run("merge", "main").code == 3
    app.ok("resolve", "--ours")
    app.ok("merge", "--continue")
    assert tags(app) == [("x", "theirs")]
    app.ok("switch", "main")
    step(app, "UPDATE notes SET body = 'later' WHERE id = 1")
    app.ok("merge", "exp")
    assert tags(app) == [("x", "theirs")]


def test_numbers_that_cannot_be_read_are_damage(both: Versioned) -> None:
    """Git has what was written; only somebody who writes into git can do this."""
    repository = pygit2.Repository(str(both.folder / "git"))
    tip = repository[both.json("log")[0]["commit"]]
    builder = repository.TreeBuilder(tip.tree)
    builder.insert("renumbered.json", repository.create_blob(b'{"format": 1}\n'), pygit2.GIT_FILEMODE_BLOB)
    text = tip.read_raw().replace(str(tip.tree_id).encode(), str(builder.write()).encode())
    made = CommitId(str(repository.write(pygit2.GIT_OBJECT_COMMIT, text)))
    with GitHistory(both.folder / "git") as history:
        assert numbers_of(history, CommitId(str(tip.id))) == (str(tip.parents[1].id), {"notes": {4: 5}})
        with pytest.raises(NotCanonical, match="numbers that rows got in a merge"):
            numbers_of(history, made)
    with Repository(both.folder, Settings({}, {})) as opened, opened.file.transaction() as db:
        index = CommitIndex(db)
        entry = index.get(CommitId(str(tip.id)))
        index.add(made, entry.parents, entry.time, entry.author, entry.message)
    ended = both.run("fsck")
    assert ended.code == 4
    assert f"commit {made[:12]}: numbers that rows got in a merge cannot be read" in ended.out + ended.err
