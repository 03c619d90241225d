"""The front door for scripts: what each call gives, what it leaves open, and how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pygit2
import pytest

import isovc
from isovc.errors import (
    BadKey,
    BadMoment,
    BadRevision,
    NoRepository,
    NoSuchRevision,
    NoSuchTable,
    NothingToCommit,
    NothingUnderWay,
    OptionsClash,
    RepositoryExists,
)
from tests.versioned import ROOT, Versioned
from tests.watched import wait_for, watcher

ADA = "Ada Example <ada@example.org>"


@pytest.fixture
def repo(app: Versioned) -> isovc.Repo:
    return isovc.open(app.path, author=ADA)


def _open_files(folder: Path) -> list[str]:
    links = (each for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
    return [str(each.readlink()) for each in links if str(each.readlink()).startswith(str(folder))]


# -- coming in ---------------------------------------------------------------------------------------------------------


def test_the_names_of_the_door_are_those_of_the_package() -> None:
    door = sys.modules[isovc.open.__module__.rpartition(".")[0]]
    assert [name for name in door.__all__ if getattr(isovc, name) is not getattr(door, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        isovc.opne  # noqa: B018


def test_importing_the_package_fetches_nothing() -> None:
    code = (
        "import sys, isovc; hasattr(isovc, '__wrapped__'); print([n for n in sys.modules if n.startswith('isovc.')]);"
        "isovc.open; print('isovc.api' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True"]


def test_a_folder_below_the_repository_finds_it(app: Versioned) -> None:
    below = app.path.parent / "deep" / "er"
    below.mkdir(parents=True)
    assert isovc.open(below).path == app.path
    assert isovc.open(str(app.path)).folder == app.path.parent / ".isovc"


def test_where_there_is_no_repository_opening_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRepository):
        isovc.open(tmp_path)


def test_a_database_comes_under_version_control_once(tmp_path: Path) -> None:
    made = Versioned(tmp_path / "new.db")
    made.sql("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    with isovc.init(made.path, author=ADA) as repo:
        assert repo.status().commit is None and not repo.status().clean
        assert [each.op for each in repo.diff()] == ["added"]
        assert repo.commit("first").author == ADA
    with pytest.raises(RepositoryExists):
        isovc.init(made.path)


def test_own_settings_are_those_of_the_file_that_is_named(app: Versioned, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[user]\nname = "Grace Sample"\nemail = "grace@example.org"\n')
    made = isovc.open(app.path, settings=mine).commit("mine", allow_empty=True)
    assert made.author == "Grace Sample <grace@example.org>"


def test_the_environment_is_not_looked_at(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "else@example.org")
    assert "Somebody Else" not in isovc.open(app.path).commit("x", allow_empty=True).author


# -- between two calls -------------------------------------------------------------------------------------------------


def test_nothing_stays_open_between_two_calls(app: Versioned, repo: isovc.Repo) -> None:
    repo.status(), repo.log(), list(repo.diff("EMPTY", "HEAD")), list(repo.sql("SELECT * FROM notes"))
    with repo.at("HEAD") as db:
        db.execute("SELECT * FROM notes").fetchall()
    assert _open_files(app.path.parent) == []


READ_LATER: dict[str, Callable[[isovc.Repo], isovc.Stream]] = {  # type: ignore[type-arg]
    "diff": lambda repo: repo.diff("EMPTY", "HEAD"),
    "sql": lambda repo: repo.sql("SELECT * FROM notes", at="HEAD"),
    "live sql": lambda repo: repo.sql("SELECT * FROM notes"),
    "history": lambda repo: repo.history("notes", 1),
    "blame": lambda repo: repo.blame("notes"),
}


@pytest.mark.parametrize("name", READ_LATER)
def test_who_stops_reading_leaves_nothing_open(app: Versioned, repo: isovc.Repo, name: str) -> None:
    with READ_LATER[name](repo) as some:
        next(iter(some))
        assert _open_files(app.path.parent)
    assert _open_files(app.path.parent) == []
    assert list(some) == []
    READ_LATER[name](repo)  # nobody holds it
    assert _open_files(app.path.parent) == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda repo: repo.diff(tables=["nowhere"]),
        lambda repo: repo.diff("nowhere"),
        lambda repo: repo.sql("SELECT * FROM nowhere"),
        lambda repo: repo.history("nowhere", 1),
        lambda repo: repo.blame("notes", ("a", "b")),
    ],
)
def test_an_error_comes_at_once_and_leaves_nothing_open(
    app: Versioned, repo: isovc.Repo, ask: Callable[[isovc.Repo], object]
) -> None:
    with pytest.raises(isovc.IsovcError):
        ask(repo)
    assert _open_files(app.path.parent) == []


def test_settings_that_change_meanwhile_hold_from_the_next_call_on(app: Versioned) -> None:
    repo = isovc.open(app.path)
    app.ok("config", "user.name", "Late Riser")
    assert repo.commit("x", allow_empty=True).author.startswith("Late Riser <")


def test_threads_share_one(app: Versioned, repo: isovc.Repo) -> None:
    found: list[object] = []

    def look() -> None:
        found.append([list(repo.sql("SELECT count(*) FROM notes", at="HEAD")), repo.status().clean, len(repo.log())])

    threads = [threading.Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [[[(3,)], True, 1]] * 4


# -- versions ----------------------------------------------------------------------------------------------------------


def test_a_call_records_what_the_command_records(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("DELETE FROM notes WHERE id = 1")
    made = repo.commit("by script")
    newest = json.loads(app.ok("--json", "op", "log", "-n", "1"))[0]
    assert newest["command"] == "commit" and made.id[:12] in newest["summary"]
    told = json.loads(app.ok("--json", "log", "-n", "1"))[0]
    assert (told["commit"], told["author"], told["message"]) == (made.id, ADA, "by script")
    assert told["time"] == made.time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_a_commit_without_changes_is_refused_unless_it_is_wanted(repo: isovc.Repo) -> None:
    with pytest.raises(NothingToCommit):
        repo.commit("nothing")
    assert repo.commit("nothing", allow_empty=True).tables == {}


def test_status_tells_definitions_and_what_waits(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("CREATE INDEX by_title ON notes(title)")
    now = repo.status()
    assert [(each.op, each.type, each.name) for each in now.schema] == [("added", "index", "by_title")]
    assert now.tables == {} and not now.clean and now.waiting is None


def test_a_time_is_a_revision_and_needs_a_zone(app: Versioned, repo: isovc.Repo) -> None:
    first = repo.log()[0]
    app.sql("DELETE FROM notes")
    repo.commit("all gone")
    then = first.time.astimezone(timezone(timedelta(hours=9)))
    assert len(list(repo.sql("SELECT * FROM notes", at=then))) == 3
    assert [each.op for each in repo.diff(then, "HEAD")] == ["removed"] * 3
    with pytest.raises(BadMoment, match="zone"):
        repo.sql("SELECT 1", at=then.replace(tzinfo=None))


def test_log_leaves_out_what_leads_to_another_version_too(app: Versioned, repo: isovc.Repo) -> None:
    repo.tag("start")
    repo.commit("more", allow_empty=True)
    assert [each.message for each in repo.log(without="start")] == ["more"]
    assert repo.log("EMPTY") == [] and repo.log(limit=0) == []


def test_values_come_as_they_are(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("INSERT INTO notes VALUES(9, x'00ff', 1e999)")
    found = next(iter(repo.diff()))
    assert (found.key, found.before) == ((9,), None)
    assert found.after == {"id": 9, "title": b"\x00\xff", "body": app.rows("SELECT body FROM notes WHERE id = 9")[0][0]}


def test_a_diff_is_chosen_by_table_column_condition_and_number(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("UPDATE notes SET title = 'x'; DELETE FROM tags")
    assert {each.table for each in repo.diff(tables=["tags"])} == {"tags"}
    assert [each.key for each in repo.diff(tables=["notes"], where="id > 1")] == [(2,), (3,)]
    assert list(repo.diff(tables=["notes"], columns=["body"])) == []
    some = repo.diff(limit=1)
    assert some.cut and len(list(some)) == 1


# -- keys --------------------------------------------------------------------------------------------------------------


def test_rows_are_named_by_values(app: Versioned, repo: isovc.Repo) -> None:
    long = "it's, a\nkey " * 20
    app.sql("CREATE TABLE k(a TEXT, b REAL, c BLOB, v, PRIMARY KEY(a, b, c)) WITHOUT ROWID")
    with app.opened() as db:
        db.execute("INSERT INTO k VALUES(?, 3, x'00', 1), ('3', 3, x'00', 2)", [long])
    repo.commit("keys")
    assert [each.after for each in repo.history("k", (long, 3, b"\x00"))] == [
        {"a": long, "b": 3.0, "c": b"\x00", "v": 1}
    ]
    assert {each.column: each.value for each in repo.blame("k", ("3", 3.0, b"\x00"))}["v"] == 2
    with pytest.raises(BadKey):
        repo.history("k", (long, 3))
    # a table without a key has rowids
    assert [each.op for each in repo.history("tags", 2)] == ["added"]


# -- going and bringing ------------------------------------------------------------------------------------------------


def test_a_new_branch_takes_along_what_is_uncommitted(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("DELETE FROM tags")
    came = repo.switch("exp", create=True)
    assert came.branch == "exp" and repo.status().tables["tags"].removed == 2
    assert repo.switch("main").kept is not None
    assert repo.status().clean and repo.status().elsewhere == ("exp",)
    assert repo.switch("exp").returned


def test_going_to_no_branch_and_taking_tables(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("DELETE FROM tags; DELETE FROM notes")
    repo.commit("empty")
    assert repo.checkout("HEAD~1", tables=["tags"]).tables["tags"].added == 2
    assert set(repo.status().tables) == {"tags"}
    assert repo.reset("HEAD", hard=True).tables["tags"].removed == 2
    assert repo.checkout("HEAD~1").branch is None
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]


def test_a_merge_that_waits_is_settled_by_a_side(app: Versioned, repo: isovc.Repo) -> None:
    repo.branch("exp")
    app.sql("UPDATE notes SET title = 'ours', body = 'ours' WHERE id = 1")
    repo.commit("ours")
    repo.switch("exp")
    app.sql("UPDATE notes SET title = 'theirs', body = 'theirs' WHERE id = 1; UPDATE tags SET tag = 'z'")
    repo.commit("theirs")
    repo.switch("main")

    assert repo.merge("exp", preview=True).conflicts == 2 and repo.conflicts() == []
    found = repo.merge("exp")
    assert found.waiting is not None and (found.waiting.command, found.waiting.name) == ("merge", "exp")
    assert repo.status().waiting == found.waiting
    assert [each.column for each in repo.conflicts("notes", 1, "body")] == ["body"]
    with pytest.raises(NoSuchTable):
        repo.conflicts("nowhere")
    with pytest.raises(OptionsClash):
        repo.resolve(take="ours", values={"body": "x"})
    left = repo.resolve("notes", (1,), "body", take="theirs")
    assert (left.settled, left.open) == (1, 1)
    assert repo.resolve(take="ours").open == 0
    assert repo.merge_continue("together").made == (repo.log(limit=1)[0].id,)
    assert app.rows("SELECT title, body FROM notes WHERE id = 1") == [("ours", "theirs")]
    assert repo.merge("exp").made == ()

    repo.undo()
    assert repo.conflicts() == []
    repo.merge_abort()
    assert repo.status().waiting is None
    with pytest.raises(NothingUnderWay):
        repo.merge_continue()


def test_a_commit_ends_what_waits(app: Versioned, repo: isovc.Repo) -> None:
    repo.branch("exp")
    app.sql("UPDATE notes SET title = 'ours'")
    repo.commit("ours")
    repo.switch("exp")
    app.sql("UPDATE notes SET title = 'theirs'")
    repo.commit("theirs")
    repo.switch("main")
    assert repo.merge("exp", message="said before").conflicts == 3
    repo.resolve("notes", take="theirs")
    assert len(repo.commit().parents) == 2 and repo.log(limit=1)[0].message == "said before"


def test_space_comes_back_by_itself(app: Versioned, repo: isovc.Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isovc.lifecycle.paying._LEAST", 1)
    app.sql("UPDATE notes SET body = hex(randomblob(50000))")
    repo.diff().close()  # captured, and not kept
    app.sql("UPDATE notes SET body = 'x'")
    repo.commit("short")
    assert repo.gc(dry_run=True).chunks == 0


def test_commits_are_taken_back_and_done_again(app: Versioned, repo: isovc.Repo) -> None:
    repo.branch("before")
    app.sql("DELETE FROM notes WHERE id = 1")
    repo.commit("one less")
    app.sql("DELETE FROM notes WHERE id = 2")
    repo.commit("two less")
    assert repo.revert("HEAD~1").tables["notes"].added == 1
    assert app.rows("SELECT id FROM notes") == [(1,), (3,)]
    repo.switch("before")
    assert len(repo.cherry_pick("main~3..main~1").made) == 2
    assert app.rows("SELECT id FROM notes") == [(3,)]
    app.sql("DELETE FROM tags")
    repo.commit("no tags")
    assert len(repo.rebase("main").made) >= 1
    assert repo.log(limit=1)[0].message == "no tags"


def test_what_is_put_aside_comes_back(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("DELETE FROM tags")
    made = repo.stash.push("later")
    assert repo.status().clean
    assert [(each.number, each.id) for each in repo.stash.list()] == [(0, made)]
    repo.stash.apply()
    assert not repo.status().clean
    repo.reset("HEAD", hard=True)
    assert repo.stash.pop().tables["tags"].removed == 2
    assert repo.stash.list() == []
    repo.stash.push()
    repo.stash.drop()
    assert repo.stash.list() == []


def test_undo_and_redo_tell_what_they_went_over(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("DELETE FROM tags")
    repo.reset("HEAD", hard=True)
    back = repo.undo()
    assert len(back.operations) == 1 and back.tables["tags"].removed == 2
    assert repo.redo().tables["tags"].added == 2
    assert [each.command for each in repo.operations(3)] == ["redo", "undo", "reset"]
    assert repo.operations(2)[1].undo_of == repo.operations(3)[2].id


def test_a_state_comes_back_live_as_a_file_or_on_a_branch(app: Versioned, repo: isovc.Repo, tmp_path: Path) -> None:
    then = repo.log()[0].time
    app.sql("DELETE FROM tags; DELETE FROM notes WHERE id = 1")
    repo.commit("less")
    assert repo.restore(then, dry_run=True).tables["notes"].added == 1
    assert app.rows("SELECT count(*) FROM notes") == [(2,)]
    repo.restore("HEAD~1", into=tmp_path / "old.db")
    assert app.at(tmp_path / "old.db").rows("SELECT count(*) FROM notes") == [(3,)]
    assert repo.restore("HEAD~1", branch="old").commit is not None
    found = repo.restore(then, tables=["notes"])
    assert (found.source, found.time) == (repo.log("HEAD~2")[0].id, then)
    assert app.rows("SELECT count(*) FROM notes") + app.rows("SELECT count(*) FROM tags") == [(3,), (0,)]
    with pytest.raises(OptionsClash):
        repo.restore("HEAD", transaction=1)
    with pytest.raises(OptionsClash):
        repo.restore("HEAD", into="x.db", branch="y")


# -- names -------------------------------------------------------------------------------------------------------------


def test_names_are_made_changed_and_taken_away(repo: isovc.Repo) -> None:
    repo.branch("a", "HEAD")
    repo.rename_branch("a", "b")
    assert [each.name for each in repo.branches()] == ["b", "main"]
    repo.delete_branch("b")
    repo.tag("v1")
    assert repo.tags() == {"v1": repo.log()[0].id}
    repo.delete_tag("v1")
    assert repo.tags() == {} and [each.current for each in repo.branches()] == [True]
    with pytest.raises(NoSuchRevision):
        repo.branch("c", "nowhere")


def test_git_sees_the_names_a_script_makes(app: Versioned, repo: isovc.Repo) -> None:
    repo.tag("v1")
    seen = pygit2.Repository(str(repo.folder / "git")).references
    assert str(seen["refs/tags/v1"].target) == repo.tags()["v1"]


# -- experiments and working copies ------------------------------------------------------------------------------------


def test_an_experiment_leaves_nothing_even_if_it_fails(app: Versioned, repo: isovc.Repo) -> None:
    with pytest.raises(ZeroDivisionError), repo.experiment("a/b") as path:
        app.at(path).sql("DELETE FROM notes")
        isovc.open(path, author=ADA).commit("gone")
        assert path.name == "app-a-b.db"
        raise ZeroDivisionError
    assert not path.exists() and [each.name for each in repo.branches()] == ["main"]
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    repo.undo(1), repo.undo(1)
    assert [each.name for each in repo.branches()] == ["a/b", "main"]


def test_an_experiment_that_is_kept_stays(app: Versioned, repo: isovc.Repo) -> None:
    with repo.experiment("kept", keep=True) as path:
        pass
    assert path.exists() and [each.branch for each in repo.worktrees()] == ["main", "kept"]


def test_another_working_copy_is_a_repo_of_its_own(app: Versioned, repo: isovc.Repo, tmp_path: Path) -> None:
    there = repo.add_worktree(tmp_path / "copy.db", new="copy")
    app.at(there.path).sql("DELETE FROM tags")
    assert there.status().branch == "copy" and not there.status().clean and repo.status().clean
    repo.remove_worktree(there.path)
    assert len(repo.worktrees()) == 1 and not (tmp_path / "copy.db").exists()


# -- files and the repository ------------------------------------------------------------------------------------------


def test_files_of_a_version(tmp_path: Path) -> None:
    Versioned(tmp_path / "app.db").sql("CREATE TABLE t(a)")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    (folder / "b.txt").write_text("two")
    repo = isovc.init(tmp_path / "app.db", attachments=folder, author=ADA)
    assert repo.commit("files").files.added == 2
    (folder / "a.txt").write_text("other")
    (folder / "b.txt").rename(folder / "c.txt")
    assert {(each.op, each.path) for each in repo.status().files} == {
        ("modified", "a.txt"),
        ("removed", "b.txt"),
        ("added", "c.txt"),
    }
    found = repo.diff()
    assert {(each.op, each.path, each.was) for each in found.files} == {
        ("modified", "a.txt", None),
        ("renamed", "c.txt", "b.txt"),
    }
    assert list(found) == []
    assert repo.read_file("HEAD", "a.txt") == b"one" and [each.size for each in repo.files()] == [3, 3]
    assert repo.files("HEAD", "a.txt")[0].time.tzinfo is UTC
    assert repo.export_files("HEAD", tmp_path / "out") == 2


def test_space_and_health(app: Versioned, repo: isovc.Repo) -> None:
    assert repo.verify(trees=True).damages == ()
    assert repo.gc(dry_run=True).chunks == repo.gc().chunks == 0
    damaged = app.path.parent / ".isovc" / "git" / "objects"
    for each in damaged.rglob("*"):
        if each.is_file():
            each.chmod(0o644)
            each.write_bytes(b"")
    assert repo.verify().damages


def test_what_no_result_says_is_told(app: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    repo = isovc.open(app.path, author=ADA, tell=said.append)
    monkeypatch.setattr("isovc.api.seat.mirror", lambda *_: "git's own tools see an older state")
    repo.tag("x")
    assert said == ["git's own tools see an older state"]


def test_what_was_interrupted_is_settled_and_told(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'x'")
    app.commit()
    app.ok("branch", "old", "HEAD~1")

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isovc.workspace.switching.confirm", stopped)
        app.run("switch", "old")
    said: list[str] = []
    repo = isovc.open(app.path, author=ADA, tell=said.append)
    assert repo.status().branch == "old" and len(said) == 1 and "switch" in said[0]


def test_a_recorded_transaction_comes_back(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("PRAGMA journal_mode=WAL")
    with watcher(app):
        app.sql("UPDATE notes SET title = 'x'")
        wait_for(lambda: app.json("coverage") and repo_knows(repo, 2))
    assert repo.restore(transaction=1, dry_run=True).transaction == 1


def repo_knows(repo: isovc.Repo, number: int) -> bool:
    try:
        return repo.restore(transaction=number, dry_run=True).transaction == number
    except isovc.IsovcError as error:
        return error.code == "nothing-differs"


def test_times_are_in_utc(repo: isovc.Repo) -> None:
    before = datetime.now(UTC) - timedelta(hours=1)
    assert repo.log()[0].time.tzinfo is UTC and repo.log()[0].time > before
    assert repo.operations(1)[0].time.tzinfo is UTC


def test_a_name_alone_is_a_name_and_not_its_letters(app: Versioned, repo: isovc.Repo) -> None:
    app.sql("UPDATE notes SET title = 'x' WHERE id = 1")
    assert [each.key for each in repo.diff(tables="notes", columns="title")] == [(1,)]
    repo.checkout("HEAD", tables="notes")
    assert repo.status().clean
    app.sql("DELETE FROM notes")
    assert repo.restore("HEAD", tables="notes").tables["notes"].added == 3


def test_a_revision_that_is_neither_text_nor_a_time(repo: isovc.Repo) -> None:
    with pytest.raises(BadRevision, match="'3' is not a revision: it is neither text nor a datetime"):
        repo.diff(3)  # type: ignore[arg-type]
