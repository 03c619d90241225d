"""Every command that writes, each with a folder made ready for it. A new command is a new entry of `SCENARIOS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.versioned import Versioned

Words = tuple[str, ...]
MAIN = "app.db"
OTHER = "beside/other.db"  # where the second working copy lies

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
)


def ready(scenario: Scenario, folder: Path, app: Versioned) -> Scenario:
    """Make the folder, which is not there yet; the scenario with the ids that are known then."""
    there = app.at(folder / MAIN)
    scenario.ready(there)
    if not any("{" in word for word in scenario.words):
        return scenario
    ids = [each["id"] for each in there.json("op", "log")]
    return replace(scenario, words=tuple(word.format(*ids) for word in scenario.words))
