"""Every command that writes, each with a folder made ready for it. A new command is a new entry of `SCENARIOS`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.versioned import Versioned

Words = tuple[str, ...]
MAIN = "app.db"
OTHER = "beside/other.db"  # where the second working copy lies
STOPS = 3  # the exit code of a command that leaves something to wait

# enough leaf pages for a page map of some kB, few enough to be copied a thousand times
_ROWS = """
CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE TABLE tags(note INTEGER, tag TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
 INSERT INTO notes SELECT i, 'note ' || i, substr('lorem ipsum dolor sit amet ' || i || hex(i * 7919), 1, 40) FROM n;
INSERT INTO tags SELECT id, 'tag ' || id % 7 FROM notes WHERE id % 3 = 0;
"""
_EXP = "UPDATE notes SET body = 'exp ' || id WHERE id % 5 = 0; CREATE TABLE extra(a); DELETE FROM tags WHERE note < 99"
_DIRTY = "INSERT INTO tags VALUES(999, 'uncommitted'); UPDATE notes SET title = 'mine' WHERE id = 7"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One command. `ready`: makes the folder it is run in. `back`: commands that all must work after it, and whose end
    is the same as when nobody had stopped anything. {0} in its words is the id of the newest operation, {1} of the one
    before."""

    name: str
    words: Words
    ready: Callable[[Versioned], None]
    back: tuple[Words, ...] = ()
    at: str = MAIN  # the database (or folder) it is run at
    code: int = 0  # that it ends with when it is done: 3 where something waits then
    is_like_others: bool = False  # goes the way of another one, and has its turn in the long form only


def plain(app: Versioned) -> None:
    """A database that isovc has never seen."""
    app.path.parent.mkdir()
    (app.path.parent / "beside").mkdir()
    app.sql(_ROWS)


def new(app: Versioned) -> None:
    """Under version control, nothing committed."""
    plain(app)
    app.ok("init", str(app.path))


def kept(app: Versioned) -> None:
    """One version, nothing uncommitted."""
    new(app)
    app.commit("first")


def dirty(app: Versioned) -> None:
    """One version, something uncommitted."""
    kept(app)
    app.sql(_DIRTY)


def logged(app: Versioned) -> None:
    """The same in a database with a write-ahead log."""
    kept(app)
    app.sql("PRAGMA journal_mode = WAL")
    app.sql(_DIRTY)


def two(app: Versioned) -> None:
    """Two branches that differ; on main with something uncommitted, and tagged."""
    kept(app)
    app.ok("tag", "v1")
    app.ok("switch", "-c", "exp")
    app.sql(_EXP)
    app.commit("second")
    app.ok("switch", "main")
    app.sql(_DIRTY)


def two_logged(app: Versioned) -> None:
    """The same in a database with a write-ahead log."""
    two(app)
    app.sql("PRAGMA journal_mode = WAL")


def away(app: Versioned) -> None:
    """On exp, with changes that wait on main."""
    two(app)
    app.ok("switch", "exp")


def beside(app: Versioned) -> None:
    """A second working copy on exp, with something uncommitted in the first."""
    two(app)
    app.ok("worktree", "add", OTHER, "exp")


def packing(app: Versioned) -> None:
    """The next commit packs git's objects."""
    dirty(app)
    app.ok("config", "history.pack_after", "1")


def littered(app: Versioned) -> None:
    """Much that nothing leads to."""
    two(app)
    app.ok("config", "gc.undo_days", "0")
    app.ok("branch", "-D", "exp")


def undone(app: Versioned) -> None:
    """A switch taken back."""
    two(app)
    app.ok("switch", "exp")
    app.ok("undo")


def configured(app: Versioned) -> None:
    """A setting of its own."""
    two(app)
    app.ok("config", "user.name", "zed")


def lost(app: Versioned) -> None:
    """The file of the second working copy is gone."""
    beside(app)
    (app.path.parent / OTHER).unlink()


def astray(app: Versioned) -> None:
    """The file of the second working copy lies elsewhere."""
    beside(app)
    (app.path.parent / OTHER).rename(app.path.parent / "beside" / "moved.db")


def signed(app: Versioned) -> None:
    """Every operation is signed."""
    two(app)
    app.ok("audit", "keygen", "key.pem")
    app.ok("config", "audit.key", "key.pem")


def stashed(app: Versioned) -> None:
    """Something put aside."""
    two(app)
    app.ok("stash", "push")


def several(app: Versioned) -> None:
    """Rows that moved, a name and a branch, one after the other."""
    two(app)
    app.ok("switch", "exp")
    app.ok("tag", "v9")
    app.ok("switch", "-c", "further")


def reset_hard(app: Versioned) -> None:
    """What was uncommitted is gone from the database."""
    two(app)
    app.ok("reset", "--hard", "exp")


def removed(app: Versioned) -> None:
    """A working copy that was."""
    beside(app)
    app.ok("worktree", "remove", OTHER, "--yes")


# -- versions that went apart ------------------------------------------------------------------------------------------

_OURS = (
    "UPDATE notes SET title = 'ours' WHERE id IN (3, 4); INSERT INTO notes VALUES(900, 'ours', ''), (901, 'ours', '');"
    "CREATE VIEW few AS SELECT id FROM notes WHERE id < 5"
)
_THEIRS = "INSERT INTO notes VALUES(950, 'theirs', ''); UPDATE notes SET body = 'theirs' WHERE id % 50 = 0"
_AGAINST = (
    "UPDATE notes SET title = 'theirs' WHERE id IN (3, 4); INSERT INTO notes VALUES(900, 'theirs', '');"
    "CREATE VIEW few AS SELECT id FROM notes WHERE id < 9"
)


def _part(app: Versioned, theirs: str, *, ours: str = _OURS, journal: str = "DELETE") -> None:
    kept(app)
    app.sql(f"PRAGMA journal_mode = {journal}")
    app.ok("switch", "-c", "exp")
    app.sql(theirs)
    app.commit("theirs")
    app.ok("switch", "main")
    if ours:
        app.sql(ours)
        app.commit("ours")


def parted(app: Versioned) -> None:
    """Two branches that go together, with something uncommitted that fits both."""
    _part(app, _THEIRS)
    app.sql(_DIRTY)


def clean_parts(app: Versioned) -> None:
    """The same with nothing uncommitted."""
    _part(app, _THEIRS)


def behind(app: Versioned) -> None:
    """Nothing was done here since, but for what is uncommitted."""
    _part(app, _THEIRS, ours="")
    app.sql(_DIRTY)


def against(app: Versioned, *, journal: str = "DELETE") -> None:
    """Two branches that do not go together: cells, a row, a definition."""
    _part(app, _AGAINST + ";" + _THEIRS, journal=journal)


def against_logged(app: Versioned) -> None:
    """The same in a database with a write-ahead log."""
    against(app, journal="WAL")


def waiting(app: Versioned) -> None:
    """A merge that waits, and something written since."""
    against(app)
    stops(app, "merge", "exp")
    app.sql("INSERT INTO tags VALUES(902, 'since')")


def waiting_logged(app: Versioned) -> None:
    """The same in a database with a write-ahead log."""
    against_logged(app)
    stops(app, "merge", "exp")
    app.sql("INSERT INTO tags VALUES(902, 'since')")


def settled(app: Versioned) -> None:
    """All that the merge waited for is settled."""
    waiting(app)
    app.ok("resolve", "--theirs")


def settled_logged(app: Versioned) -> None:
    """The same in a database with a write-ahead log."""
    waiting_logged(app)
    app.ok("resolve", "--theirs")


def fitting(app: Versioned) -> None:
    """Two branches that go together."""
    _part(app, _THEIRS)


def merged(app: Versioned) -> None:
    """They went together, and something was written since."""
    parted(app)
    app.ok("merge", "exp")
    app.sql("INSERT INTO tags VALUES(902, 'since')")


def held_back(app: Versioned) -> None:
    """A merge that only waits to be committed."""
    clean_parts(app)
    app.ok("merge", "exp", "--no-commit")


def several_apart(app: Versioned) -> None:
    """On exp, three versions that are not on main; the second of them is in the way there."""
    kept(app)
    app.ok("switch", "-c", "exp")
    for number in (1, 2, 3):
        app.sql(f"UPDATE notes SET title = 'exp' WHERE id = {number}; INSERT INTO tags VALUES({number}, 'exp')")
        app.commit(f"exp {number}")
    app.ok("switch", "main")
    app.sql("UPDATE notes SET title = 'main' WHERE id = 2")
    app.commit("main")


def picking(app: Versioned) -> None:
    """A row of picks that waits at its second, which is settled."""
    several_apart(app)
    stops(app, "cherry-pick", "main~1..exp")
    app.ok("resolve", "--theirs")


def rebasing_to_be(app: Versioned) -> None:
    """The same, on exp."""
    several_apart(app)
    app.ok("switch", "exp")


def rebasing(app: Versioned) -> None:
    """A rebase that waits at its second version."""
    rebasing_to_be(app)
    stops(app, "rebase", "main")


def rebasing_settled(app: Versioned) -> None:
    """The same, and all is settled."""
    rebasing(app)
    app.ok("resolve", "--theirs")


def on_exp(app: Versioned) -> None:
    """Two branches that go together, on the other one, with something uncommitted that fits both."""
    _part(app, _THEIRS)
    app.ok("switch", "exp")
    app.sql(_DIRTY)


def regretted(app: Versioned) -> None:
    """Two versions that are to be taken back, and one on top."""
    kept(app)
    for number in (1, 2):
        app.sql(f"UPDATE notes SET title = 'bad' WHERE id % 90 = {number}; INSERT INTO tags VALUES({number}, 'bad')")
        app.commit(f"bad {number}")
    app.sql(f"UPDATE notes SET body = 'fine' WHERE id < 9; {_DIRTY}")
    app.commit("fine")


def regretted_partly(app: Versioned) -> None:
    """One that is to be taken back, and something on top that is in the way."""
    regretted(app)
    app.sql("UPDATE notes SET title = 'worse' WHERE id = 2")
    app.commit("worse")


def put_aside(app: Versioned) -> None:
    """Something put aside that does not go together with what is uncommitted."""
    dirty(app)
    app.ok("stash", "push", "-m", "aside")
    app.sql("UPDATE notes SET title = 'another' WHERE id = 7; INSERT INTO tags VALUES(903, 'stays')")


def popping(app: Versioned) -> None:
    """Its return waits."""
    put_aside(app)
    stops(app, "stash", "pop")


def popping_settled(app: Versioned) -> None:
    """The same, and all is settled."""
    popping(app)
    app.ok("resolve", "--theirs")


def apart_beside(app: Versioned) -> None:
    """Two branches that go together, and a third that nobody has checked out."""
    parted(app)
    app.ok("branch", "third", "exp")


# -- files beside the rows ---------------------------------------------------------------------------------------------

FOLDER = "files"
_LONG_AGO = 1_000_000_000_000_000_000  # ns


def _write(app: Versioned, files: Mapping[str, str | None], *, mode: int = 0o644) -> None:
    """None: such a file goes."""
    for name, text in files.items():
        path = app.path.parent / FOLDER / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text * 40)
        path.chmod(mode)
        os.utime(path, ns=(_LONG_AGO + len(text), _LONG_AGO + len(text)))


def _unfiled(app: Versioned) -> None:
    """Files and rows that isovc has never seen."""
    plain(app)
    _write(app, {"a": "a", "b": "b", "deep/c": "c", "deep/er/d": "d", "goes": "goes"})
    (app.path.parent / FOLDER / "to-a").symlink_to("a")


def filed(app: Versioned) -> None:
    """One version with files."""
    _unfiled(app)
    app.at(app.path.parent).ok("init", MAIN, "--attachments", FOLDER)
    app.commit("first")


_FILES_OF_EXP = {"a": "a of exp", "goes": None, "deep/c": None, "deep/er/d": "d of exp", "new/e": "e", "f": "f"}


def files_parted(app: Versioned) -> None:
    """Two branches with other rows and other files; on main with something uncommitted of both."""
    filed(app)
    app.ok("switch", "-c", "exp")
    app.sql(_EXP)
    _write(app, _FILES_OF_EXP, mode=0o755)
    app.commit("second")
    app.ok("switch", "main")
    app.sql(_DIRTY)
    _write(app, {"b": "mine", "mine": "mine"})


def only_files(app: Versioned) -> None:
    """The same where no row differs."""
    filed(app)
    app.ok("switch", "-c", "exp")
    _write(app, _FILES_OF_EXP, mode=0o755)
    app.commit("second")
    app.ok("switch", "main")
    _write(app, {"b": "mine", "mine": "mine"})


def files_away(app: Versioned) -> None:
    """On exp, with changes that wait on main."""
    files_parted(app)
    app.ok("switch", "exp")


def files_beside(app: Versioned) -> None:
    """A second working copy on exp, with something uncommitted there."""
    files_parted(app)
    app.ok("worktree", "add", OTHER, "exp")
    (app.path.parent / "beside" / "files-other" / "a").write_text("uncommitted")


def files_removed(app: Versioned) -> None:
    """Which was removed."""
    files_beside(app)
    app.ok("worktree", "remove", OTHER, "--yes")


def files_put_aside(app: Versioned) -> None:
    """Something put aside."""
    files_parted(app)
    app.ok("stash", "push")


def files_against(app: Versioned) -> None:
    """Two branches that changed one file each in its way."""
    filed(app)
    app.ok("switch", "-c", "exp")
    _write(app, {"a": "theirs", "b": None, "theirs": "theirs"})
    app.commit("theirs")
    app.ok("switch", "main")
    _write(app, {"a": "ours", "b": "ours", "ours": "ours"})
    app.commit("ours")


def files_waiting(app: Versioned) -> None:
    """A merge of them that waits."""
    files_against(app)
    stops(app, "merge", "exp")


def stops(app: Versioned, *words: str) -> None:
    """A command that leaves something to wait."""
    ended = app.run(*words)
    assert ended.code == STOPS, ended


_SETTLE: tuple[Words, ...] = (("resolve", "--theirs"), ("merge", "--continue"))
_THERE_AND_BACK: tuple[Words, ...] = (("undo",), ("redo",))

MERGES = (
    Scenario("merge", ("merge", "exp"), parted, _THERE_AND_BACK),
    Scenario("merge forward", ("merge", "exp"), behind, _THERE_AND_BACK, is_like_others=True),
    Scenario("merge that waits", ("merge", "exp"), against, _SETTLE, code=STOPS),
    Scenario(
        "merge that waits, database with a log",
        ("merge", "exp"),
        against_logged,
        (("undo",), ("redo",), ("merge", "--abort")),
        code=STOPS,
        is_like_others=True,
    ),
    Scenario(
        "merge --no-commit",
        ("merge", "exp", "--no-commit"),
        clean_parts,
        (("commit", "-m", "all"),),
        is_like_others=True,
    ),
    Scenario("resolve", ("resolve", "--theirs"), waiting, (*_THERE_AND_BACK, ("merge", "--continue"))),
    Scenario("resolve, database with a log", ("resolve", "--ours"), waiting_logged, _SETTLE[1:], is_like_others=True),
    Scenario("resolve a cell", ("resolve", "notes:3:title", "--set", "title=both"), waiting, _SETTLE),
    Scenario("resolve --renumber", ("resolve", "notes", "900", "--renumber"), waiting, (("undo",), *_SETTLE)),
    Scenario("resolve a definition", ("resolve", "few", "--theirs"), waiting, (("undo",), *_SETTLE)),
    Scenario("merge --continue", ("merge", "--continue"), settled, _THERE_AND_BACK),
    Scenario(
        "merge --continue, database with a log",
        ("merge", "--continue"),
        settled_logged,
        (("undo",), ("merge", "--abort")),
        is_like_others=True,
    ),
    Scenario("merge --abort", ("merge", "--abort"), waiting, (*_THERE_AND_BACK, ("undo",), *_SETTLE)),
    Scenario("commit that ends a merge", ("commit", "-m", "all"), held_back, _THERE_AND_BACK),
    Scenario("merge --into", ("merge", "main", "--into", "third"), apart_beside, _THERE_AND_BACK),
    Scenario("revert", ("revert", "HEAD~2", "HEAD~1"), regretted, _THERE_AND_BACK, is_like_others=True),
    Scenario(
        "revert that waits",
        ("revert", "HEAD~2"),
        regretted_partly,
        (("resolve", "--theirs"), ("revert", "--continue")),
        code=STOPS,
        is_like_others=True,
    ),
    Scenario(
        "cherry-pick that waits",
        ("cherry-pick", "main~1..exp"),
        several_apart,
        (("resolve", "--ours"), ("cherry-pick", "--continue"), ("undo",), ("redo",)),
        code=STOPS,
    ),
    Scenario("cherry-pick --continue", ("cherry-pick", "--continue"), picking, _THERE_AND_BACK, is_like_others=True),
    Scenario(
        "cherry-pick --abort",
        ("cherry-pick", "--abort"),
        picking,
        (("undo",), ("cherry-pick", "--skip")),
        is_like_others=True,
    ),
    Scenario("rebase", ("rebase", "main"), on_exp, _THERE_AND_BACK),
    Scenario(
        "rebase that waits",
        ("rebase", "main"),
        rebasing_to_be,
        (("resolve", "--theirs"), ("rebase", "--continue"), ("undo",), ("rebase", "--abort")),
        code=STOPS,
    ),
    Scenario("rebase --continue", ("rebase", "--continue"), rebasing_settled, _THERE_AND_BACK, is_like_others=True),
    Scenario("rebase --skip", ("rebase", "--skip"), rebasing, _THERE_AND_BACK, is_like_others=True),
    Scenario("rebase --abort", ("rebase", "--abort"), rebasing, (*_THERE_AND_BACK, ("undo",), ("rebase", "--skip"))),
    Scenario(
        "stash pop that waits",
        ("stash", "pop"),
        put_aside,
        (("resolve", "--theirs"), ("stash", "pop", "--continue")),
        code=STOPS,
    ),
    Scenario("stash pop --continue", ("stash", "pop", "--continue"), popping_settled, _THERE_AND_BACK),
    Scenario(
        "stash pop --abort",
        ("stash", "pop", "--abort"),
        popping,
        (("undo",), ("resolve", "--base"), ("stash", "pop", "--continue")),
        is_like_others=True,
    ),
    Scenario(
        "undo a merge that waits",
        ("undo",),
        waiting,
        (("redo",), *_SETTLE),
        is_like_others=True,
    ),
    Scenario("undo resolve", ("undo",), settled, (("redo",), ("merge", "--continue")), is_like_others=True),
    Scenario(
        "reset --hard from a merge", ("reset", "--hard", "HEAD"), waiting, (("undo",), *_SETTLE), is_like_others=True
    ),
    Scenario("op revert a merge", ("op", "revert", "{0}"), merged, _THERE_AND_BACK, is_like_others=True),
)

FILES = (
    Scenario("files: init", ("init", MAIN, "--attachments", FOLDER), _unfiled, (("commit", "-m", "first"),), at="."),
    Scenario("files: commit", ("commit", "-m", "more"), files_parted, _THERE_AND_BACK),
    Scenario("files: switch", ("switch", "exp"), files_parted, (("switch", "main"),)),
    Scenario("files: switch, no rows", ("switch", "exp"), only_files, (("switch", "main"),)),
    Scenario("files: switch that brings back", ("switch", "main"), files_away, (("switch", "exp"),)),
    Scenario("files: checkout -t", ("checkout", "-t", "files/", "exp"), files_parted, (("undo",),)),
    Scenario("files: reset --hard", ("reset", "--hard", "exp"), files_parted, _THERE_AND_BACK),
    Scenario("files: undo a switch", ("undo",), files_away, (("redo",), ("switch", "main"))),
    Scenario("files: merge", ("merge", "exp"), files_parted, _THERE_AND_BACK),
    Scenario("files: merge, no rows", ("merge", "exp"), only_files, _THERE_AND_BACK, is_like_others=True),
    Scenario("files: merge that waits", ("merge", "exp"), files_against, _SETTLE, code=STOPS),
    Scenario("files: resolve", ("resolve", "--theirs"), files_waiting, (*_THERE_AND_BACK, ("merge", "--continue"))),
    Scenario("files: merge --abort", ("merge", "--abort"), files_waiting, _THERE_AND_BACK, is_like_others=True),
    Scenario("files: stash push", ("stash", "push"), files_parted, (("stash", "pop"),)),
    Scenario("files: stash pop", ("stash", "pop"), files_put_aside, (("undo",),), is_like_others=True),
    Scenario("files: restore", ("restore", "exp"), files_parted, _THERE_AND_BACK, is_like_others=True),
    Scenario("files: worktree add", ("worktree", "add", OTHER, "exp"), files_parted, (("undo",),)),
    Scenario("files: worktree remove", ("worktree", "remove", OTHER, "--yes"), files_beside, _THERE_AND_BACK),
    Scenario("files: undo worktree remove", ("undo",), files_removed, (("redo",),)),
)

SCENARIOS = (
    Scenario("init", ("init", MAIN), plain, (("commit", "-m", "first"),), at="."),
    Scenario("first commit", ("commit", "-m", "first"), new),
    Scenario("commit", ("commit", "-m", "more"), dirty),
    Scenario("commit, database with a log", ("commit", "-m", "more"), logged),
    Scenario("commit that packs", ("commit", "-m", "more"), packing),
    Scenario("switch", ("switch", "exp"), two, (("switch", "main"),)),
    Scenario("switch, database with a log", ("switch", "exp"), two_logged, (("switch", "main"),)),
    Scenario("switch that brings back", ("switch", "main"), away, (("switch", "exp"), ("switch", "main"))),
    Scenario("switch --carry", ("switch", "--carry", "exp"), two),
    Scenario("switch -c", ("switch", "-c", "new"), two, (("commit", "-m", "mine"), ("switch", "main"))),
    Scenario("checkout -t", ("checkout", "-t", "notes", "exp"), two),
    Scenario("checkout REV", ("checkout", "exp", "--detach"), two, (("switch", "main"),)),
    Scenario("checkout -b", ("checkout", "v1", "-b", "new"), two, (("switch", "main"),)),
    Scenario("reset --soft", ("reset", "--soft", "exp"), two),
    Scenario("reset --hard", ("reset", "--hard", "exp"), two),
    Scenario("stash push", ("stash", "push"), two, (("stash", "pop"),)),
    Scenario("stash pop", ("stash", "pop"), stashed, (("undo",),)),
    Scenario("branch", ("branch", "new", "exp"), two, (("switch", "new"),)),
    Scenario("branch -D", ("branch", "-D", "exp"), two),
    Scenario("branch -m", ("branch", "-m", "exp", "a/b"), two, (("switch", "a/b"),)),
    Scenario("branch -c", ("branch", "-c", "exp", "copy"), two),
    Scenario("tag", ("tag", "v2", "exp"), two),
    Scenario("tag -d", ("tag", "-d", "v1"), two),
    Scenario("worktree add", ("worktree", "add", OTHER, "exp"), two),
    Scenario("worktree remove", ("worktree", "remove", OTHER, "--yes"), beside, (("worktree", "add", OTHER, "exp"),)),
    Scenario("switch in a worktree", ("switch", "-c", "new"), beside, (("switch", "exp"),), at=OTHER),
    Scenario("undo a switch", ("undo",), away, (("redo",), ("switch", "main"))),
    Scenario("undo reset --hard", ("undo",), reset_hard, (("redo",),)),
    Scenario("undo worktree add", ("undo",), beside, (("redo",),)),
    Scenario("undo worktree remove", ("undo",), removed, (("redo",),)),
    Scenario("undo several", ("undo", "-n", "3"), several, (("redo", "-n", "3"),)),
    Scenario("redo", ("redo",), undone, (("undo",),)),
    Scenario("op restore", ("op", "restore", "{1}"), away, (("undo",),)),
    Scenario("op revert", ("op", "revert", "{3}"), two, (("undo",),)),
    Scenario("gc", ("gc",), littered),
    Scenario("config", ("config", "user.name", "zed"), two),
    Scenario("config --unset", ("config", "user.name", "--unset"), configured),
    Scenario("undo config", ("undo",), configured, (("redo",),)),
    Scenario("op restore --before", ("op", "restore", "--before", "{1}"), away, (("undo",),)),
    Scenario("worktree add where one was lost", ("worktree", "add", OTHER, "exp"), lost),
    Scenario("worktree repair", ("worktree", "repair", "beside/moved.db"), astray),
    Scenario("switch, signed", ("switch", "exp"), signed, (("switch", "main"),)),
    *MERGES,
    *FILES,
)


def trials(few: int, many: int) -> list[Any]:
    """Each scenario with a number of accidents: few, and many in the long form. Merges are one machine, so half will do
    for each of its commands."""
    found = []
    for scenario in SCENARIOS:
        if not scenario.is_like_others:
            some = few // 2 if scenario in (*MERGES, *FILES) else few
            found.append(pytest.param(scenario, some, id=f"{scenario.name}-few"))
        found.append(pytest.param(scenario, many, marks=pytest.mark.long, id=f"{scenario.name}-many"))
    return found


def ready(scenario: Scenario, folder: Path, app: Versioned) -> Scenario:
    """Make the folder, which is not there yet; the scenario with the ids that are known then."""
    there = app.at(folder / MAIN)
    scenario.ready(there)
    if not any("{" in word for word in scenario.words):
        return scenario
    ids = [each["id"] for each in there.json("op", "log")]
    return replace(scenario, words=tuple(word.format(*ids) for word in scenario.words))
