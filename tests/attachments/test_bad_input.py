"""What folders of files must survive: others who write meanwhile, things that are no files, names, links, and settings.

Each refusal is one sentence, and leaves rows and files as they were."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pytest

from isovc.blobs import keep_stream
from isovc.encoding.orderkey import encode_key
from isovc.history.git_history import GitHistory
from isovc.history.identity import Identity
from isovc.repo.deeds import Deed
from isovc.repo.place import find
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.snapshot.rows import with_rows
from isovc.snapshot.version import FILES, encode_version
from isovc.sources.files import Folder, Placing
from isovc.workspace.arriving import Arriving
from isovc.workspace.committing import write_commit
from isovc.workspace.desk import sit_down
from tests.attachments.filed import LONG_AGO, Filed, Known, read
from tests.versioned import ROOT

# -- others who write meanwhile ----------------------------------------------------------------------------------------


def parted(filed: Filed, **files: str | None) -> dict[str, Known]:
    """Exp has these files otherwise, and a row; back on main, whose files these are."""
    filed.ok("switch", "-c", "exp")
    for path, text in (files or {"a.txt": "exp\n"}).items():
        if text is None:
            filed.drop(path)
        else:
            filed.put(path, text)
    filed.sql("UPDATE notes SET title = 'exp' WHERE id = 1")
    filed.commit("exp")
    filed.ok("switch", "main")
    return filed.held()


def unchanged(filed: Filed, held: dict[str, Known], *, branch: str = "main", title: str = "one") -> None:
    """Nothing was done, and nothing is left to do."""
    assert filed.held() == held
    assert filed.rows("SELECT title FROM notes WHERE id = 1") == [(title,)]
    ended = filed.run("status", "--json")
    assert ended.code == 0 and "interrupted" not in ended.err, ended
    assert json.loads(ended.out)["branch"] == branch
    assert filed.held() == held


def test_a_file_that_changes_while_it_is_read_is_read_again(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    filed.put("a.txt", "half\n")
    look, times = Folder.look, [0]

    def meanwhile(self: Folder, path: str) -> object:
        if path == "a.txt" and not times[0]:
            times[0] += 1
            filed.put("a.txt", "whole now\n")
        return look(self, path)

    monkeypatch.setattr(Folder, "look", meanwhile)
    filed.commit("more")
    assert times == [1] and filed.cat("HEAD", "a.txt") == "whole now\n"
    filed.sound()


def test_a_file_that_never_rests_is_told(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    filed.put("a.txt", "0\n")
    look, times = Folder.look, [0]

    def meanwhile(self: Folder, path: str) -> object:
        if path == "a.txt":
            times[0] += 1
            filed.put("a.txt", "x" * times[0], mtime=LONG_AGO + times[0])
        return look(self, path)

    monkeypatch.setattr(Folder, "look", meanwhile)
    ended = filed.run("status")
    assert ended.code == 0 and "a.txt changed while it was read" in ended.err
    monkeypatch.undo()
    filed.commit("at rest")
    assert filed.cat("HEAD", "a.txt") == (filed.files / "a.txt").read_text()
    filed.sound()


def test_a_file_that_vanishes_while_it_is_read_is_gone(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    filed.put("a.txt", "soon gone\n")
    filed.put("new.txt", "soon gone\n")
    reading = Folder.reading

    def meanwhile(self: Folder, seen: object) -> object:
        for path in ("a.txt", "new.txt"):
            (filed.files / path).unlink(missing_ok=True)
        return reading(self, seen)  # type: ignore[arg-type]

    monkeypatch.setattr(Folder, "reading", meanwhile)
    assert filed.json("status")["attachments"] == {"added": 0, "modified": 0, "removed": 1}
    monkeypatch.undo()
    filed.commit("gone")
    filed.sound()


@pytest.mark.parametrize("with_rows", [True, False])
@pytest.mark.parametrize("what", ["a.txt", "fresh.txt", "gone"])
def test_what_others_write_meanwhile_is_never_overwritten(
    filed: Filed, monkeypatch: pytest.MonkeyPatch, what: str, with_rows: bool
) -> None:
    filed.put("gone", "gone\n")
    filed.commit("base")
    parted(filed, **{"a.txt": "exp\n", "fresh.txt": "exp\n", "gone": None})
    if not with_rows:
        filed.sql("UPDATE notes SET title = 'exp' WHERE id = 1")
        filed.commit("the same rows")
    title = str(filed.rows("SELECT title FROM notes WHERE id = 1")[0][0])
    log = filed.json("op", "log")
    stage = Arriving.stage

    def meanwhile(self: Arriving, changes: Iterable[object]) -> None:
        stage(self, changes)  # type: ignore[arg-type]
        filed.put(what, "somebody's\n")

    monkeypatch.setattr(Arriving, "stage", meanwhile)
    assert filed.refused("switch", "exp") in ("files-written", "path-in-the-way")
    monkeypatch.undo()
    held = filed.held()
    assert held[what].content == b"somebody's\n" and (held["a.txt"].content == b"a\n" or what == "a.txt")
    unchanged(filed, held, title=title)
    assert filed.json("op", "log") == log
    filed.ok("switch", "exp")
    filed.ok("switch", "main")
    assert filed.held() == held


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    parted(filed, **{"deep/er/c.bin": "exp\n"})
    outside = filed.path.parent / "outside"
    outside.mkdir()
    stage = Arriving.stage

    def meanwhile(self: Arriving, changes: Iterable[object]) -> None:
        stage(self, changes)  # type: ignore[arg-type]
        (filed.files / "deep/er").rename(filed.path.parent / "was")
        (filed.files / "deep/er").symlink_to(outside)

    monkeypatch.setattr(Arriving, "stage", meanwhile)
    filed.refused("switch", "exp")
    monkeypatch.undo()
    assert list(outside.iterdir()) == []
    assert filed.rows("SELECT title FROM notes WHERE id = 1") == [("one",)]
    (filed.files / "deep/er").unlink()
    (filed.path.parent / "was").rename(filed.files / "deep/er")
    filed.ok("switch", "exp")


def test_a_folder_that_was_made_a_link_is_a_change_like_others(filed: Filed) -> None:
    parted(filed, **{"deep/er/c.bin": "exp\n"})
    outside = filed.path.parent / "outside"
    (filed.files / "deep/er").rename(outside)
    (filed.files / "deep/er").symlink_to(outside)
    mine, there = filed.held(), read(outside)
    filed.ok("switch", "exp")
    assert read(outside) == there and filed.texts_of("deep/er/c.bin") == "exp\n"
    filed.ok("switch", "main")
    assert filed.held() == mine and read(outside) == there


# -- things that are no files, or cannot be read -----------------------------------------------------------------------


def special(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            here = os.open(path.parent, os.O_RDONLY)
            try:  # the path may be too long for a socket
                made.bind(f"/proc/self/fd/{here}/{path.name}")
            finally:
                os.close(here)
    else:
        try:
            os.mknod(path, 0o644 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only the administrator makes devices")


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_file_is_told_and_never_in_a_version(filed: Filed, kind: str) -> None:
    special(filed.files / "special", kind)
    ended = filed.run("status")
    assert ended.code == 0 and f"special: it is a {kind}" in ended.err
    assert filed.clean and "special" not in filed.kept("WORK")


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_file_is_never_overwritten(filed: Filed, kind: str) -> None:
    parted(filed, special="exp\n")
    special(filed.files / "special", kind)
    held = filed.held()
    assert filed.refused("switch", "exp") == "path-in-the-way"
    unchanged(filed, held)
    assert (filed.files / "special").exists()


def test_a_file_that_became_a_pipe_is_unknown_and_not_gone(filed: Filed) -> None:
    filed.drop("a.txt")
    special(filed.files / "a.txt", "pipe")
    filed.run("commit", "-m", "x", "--allow-empty")
    assert filed.cat("HEAD", "a.txt") == "a\n"


def unprivileged(filed: Filed, *words: str) -> subprocess.CompletedProcess[str]:
    """As a person who may not read everything."""
    strip = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*strip, sys.executable, "-m", "isovc", "-C", str(filed.path), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("place", ["a.txt", "deep"])
def test_what_may_not_be_read_is_told_and_stays_in_the_version(filed: Filed, place: str) -> None:
    parted(filed)
    before = filed.kept()
    mode = (filed.files / place).stat().st_mode
    (filed.files / place).chmod(0)
    try:
        done = unprivileged(filed, "status", "--json")
        assert done.returncode == 0 and f"{place}: there is no permission" in done.stdout, done
        filed.sql("INSERT INTO notes VALUES(5, 'five')")
        done = unprivileged(filed, "commit", "-m", "more")
        assert done.returncode == 0, done
        assert filed.kept().keys() == before.keys()
        assert filed.cat("HEAD", "a.txt") == "a\n"
        if place == "a.txt":  # it would be overwritten on exp, and nobody knows what it holds
            done = unprivileged(filed, "switch", "exp", "--json")
            assert done.returncode == 1 and "Traceback" not in done.stderr, done
    finally:
        (filed.files / place).chmod(mode & 0o777)
    filed.sound()


@pytest.mark.needs("setpriv")
def test_a_folder_that_may_not_be_written_into_is_told_first(filed: Filed) -> None:
    held = parted(filed, **{"deep/er/c.bin": "exp\n"})
    (filed.files / "deep/er").chmod(0o555)
    try:
        done = unprivileged(filed, "switch", "exp", "--json")
    finally:
        (filed.files / "deep/er").chmod(0o755)
    assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "no-permission", done
    unchanged(filed, held)


@pytest.mark.needs("setpriv")
def test_a_place_that_may_not_be_written_into_is_named(filed: Filed) -> None:
    filed.files.chmod(0o555)
    try:
        done = unprivileged(filed, "export-files", "HEAD", str(filed.files / "out"), "--json")
    finally:
        filed.files.chmod(0o755)
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and "files/out" in error["message"], done


@pytest.mark.needs("setpriv")
def test_a_file_beside_the_store_that_may_not_be_written_is_no_damage(filed: Filed) -> None:
    store = filed.path.parent / ".isovc" / "store.db"
    beside = store.with_name("store.db-shm")
    filed.put("a.txt", "more\n")
    store.chmod(0o444)
    done = unprivileged(filed, "commit", "-m", "x", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "no-permission", done
    store.chmod(0o644)
    assert beside.stat().st_mode & 0o777 == 0o444  # SQLite makes it so, and it stays
    done = unprivileged(filed, "commit", "-m", "x", "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and error["code"] == "no-permission" and str(beside) in error["message"], done
    beside.chmod(0o644)
    assert unprivileged(filed, "commit", "-m", "x").returncode == 0


# -- names -------------------------------------------------------------------------------------------------------------

NAMES = [
    *("b\udcff\udcfe", "new\nline", "tab\t", "-n", "~", "\u00e9", "e\u0301", "\u65e5\u672c", " ", "a'\"`"),
    *("x" * 255, "/".join("d" * 60)),
]


def test_any_name_comes_and_goes(filed: Filed) -> None:
    filed.ok("switch", "-c", "exp")
    for name in NAMES:
        filed.put(name, f"{name!r}\n")
    held = filed.held()
    filed.commit("names")
    filed.ok("ls", "-r")
    filed.ok("diff", "main", "exp")
    filed.ok("switch", "main")
    assert not set(filed.held()) & set(NAMES)
    filed.ok("switch", "exp")
    assert filed.held() == held
    filed.ok("export-files", "HEAD", str(filed.path.parent / "out"))
    assert read(filed.path.parent / "out") == held
    filed.sound()


@pytest.mark.parametrize("pair", [("Read", "read"), ("D/x", "d/y"), ("\u00e9", "e\u0301")])
@pytest.mark.parametrize("on", ["both", "one"])
def test_names_that_are_one_here_are_refused_before_anything_changes(
    filed: Filed, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str], on: str
) -> None:
    first, second = pair
    if on == "one":  # the other one is there on main too
        filed.put(first, "first\n")
        filed.commit("base")
    held = parted(filed, **dict.fromkeys(pair, "exp\n") if on == "both" else {second: "exp\n"})
    monkeypatch.setattr(Placing, "folds_case", lambda self: True)
    monkeypatch.setattr(Placing, "normalises", lambda self: True)
    assert filed.refused("switch", "exp") == "paths-collide"
    unchanged(filed, held)
    monkeypatch.undo()
    filed.ok("switch", "exp")


EVIL = [
    *("../evil", "deep/../../evil", "/tmp/evil-isovc", "", ".", "..", "a//b", "deep/", "./a"),
    *(".isovc/evil", ".isovc-new/evil", ".ISOVC/evil", "deep/.isovc/x", ".iso\u200cvc/x", "nul\0nul"),
]


def crafted(filed: Filed, path: str) -> str:
    """A version that has a file where none may be, as nobody's isovc would write it."""
    place = find(filed.path.parent)
    settings = Settings.read(Path(os.devnull), place.folder / "config.toml")
    with Repository(place.folder, settings) as repository, GitHistory(repository.git_folder) as history:
        desk = sit_down(repository, place)
        with repository.chunks.writing() as writer:
            content = keep_stream(writer, BytesIO(b"evil\n"), kind="file")
        row = (path, 0o100644, 5, LONG_AGO, "text/plain", content)
        changed = with_rows(repository.forest, desk.head, {FILES: {encode_key((path,)): row}})
        with repository.file.transaction() as db:
            deed = Deed(Identity("Ada", "ada@example.org"), 1_900_000_000_000_000)
            parents = [desk.worktree.commit] if desk.worktree.commit else []
            return str(write_commit(db, history, encode_version(changed), parents, "evil", deed)[0])


@pytest.mark.parametrize("path", EVIL)
def test_a_path_that_leaves_the_folder_is_refused(filed: Filed, path: str) -> None:
    evil = crafted(filed, path)
    held, around = filed.held(), sorted(filed.path.parent.rglob("*"))
    for words in (
        ("checkout", evil),
        ("reset", "--hard", evil),
        ("checkout", "-t", "files/", evil),
        ("merge", evil),
        ("restore", evil, "-t", "files/"),
        ("worktree", "add", "other.db", "-c", "exp", evil),
        ("export-files", evil, "out"),
    ):
        assert filed.refused(*words) in ("path-leaves-folder", "usage"), words
        unchanged(filed, held)
        assert [path for path in sorted(filed.path.parent.rglob("*")) if ".isovc" not in path.parts] == [
            path for path in around if ".isovc" not in path.parts
        ], words
    filed.ok("ls", evil, "-r")
    filed.ok("diff", "HEAD", evil)
    assert not Path("/tmp/evil-isovc").exists() and not (filed.path.parent / "evil").exists()


def test_one_name_is_not_lost_among_many(filed: Filed) -> None:
    """Which of many files is in the way is told by name."""
    held = parted(filed, x="exp\n", y="exp\n")
    filed.put(".isovcignore", "y\n")
    filed.put("y", "ignored\n")
    held = filed.held()
    ended = filed.run("switch", "exp", "--json")
    assert "y is in the way" in json.loads(ended.out)["error"]["message"]
    unchanged(filed, held)


# -- what is ignored ---------------------------------------------------------------------------------------------------


def test_an_ignored_file_in_the_way_is_never_overwritten(filed: Filed) -> None:
    parted(filed, secret="exp\n")
    filed.put(".isovcignore", "secret\n")
    filed.commit("ignore")
    filed.put("secret", "mine\n")
    held = filed.held()
    for words in (("switch", "exp"), ("merge", "exp"), ("reset", "--hard", "exp"), ("checkout", "-t", "files/", "exp")):
        assert filed.refused(*words) == "path-in-the-way", words
        unchanged(filed, held)


def test_an_ignored_file_that_holds_the_same_is_not_in_the_way(filed: Filed) -> None:
    """As where it was tracked, and is ignored on another branch: it stays on the disk when it leaves the version."""
    filed.put("secret", "secret\n")
    filed.commit("tracked")
    filed.ok("switch", "-c", "exp")
    filed.put(".isovcignore", "secret\n")
    filed.commit("ignored")
    assert "secret" not in filed.kept() and (filed.files / "secret").exists()
    filed.ok("switch", "main")
    assert filed.held()["secret"].content == b"secret\n" and ".isovcignore" not in filed.held()
    assert filed.clean
    filed.ok("switch", "exp")
    assert filed.clean
    filed.ok("switch", "main")
    filed.sound()


def test_a_folder_with_something_ignored_in_it_does_not_give_way_to_a_file(filed: Filed) -> None:
    filed.put(".isovcignore", "*.tmp\n")
    filed.put("x/y", "y\n")
    filed.commit("folder")
    filed.ok("switch", "-c", "exp")
    filed.drop("x/y")
    (filed.files / "x").rmdir()
    filed.put("x", "a file\n")
    filed.sql("UPDATE notes SET title = 'exp' WHERE id = 1")
    filed.commit("file")
    filed.ok("switch", "main")
    filed.ok("switch", "exp")
    filed.ok("switch", "main")
    filed.put("x/mine.tmp", "mine\n")
    held = filed.held()
    assert filed.refused("switch", "exp") == "path-in-the-way"
    unchanged(filed, held)
    filed.drop("x/mine.tmp")
    filed.ok("switch", "exp")
    filed.put(".isovcignore", "*.tmp\nz\n")
    filed.sound()


def test_an_ignored_file_where_a_folder_comes(filed: Filed) -> None:
    parted(filed, **{"x/y": "exp\n"})
    filed.put(".isovcignore", "/x\n")
    filed.put("x", "mine\n")
    held = filed.held()
    assert filed.refused("switch", "exp") == "path-in-the-way"
    unchanged(filed, held)


def test_files_and_folders_change_places(filed: Filed) -> None:
    held = parted(filed, **{"x/y": "exp\n", "z": "exp\n"})
    filed.put("x", "mine\n")
    filed.put("z/in", "mine\n")
    mine = filed.held()
    filed.ok("switch", "exp")
    assert filed.held()["x/y"].content == b"exp\n" and filed.held()["z"].content == b"exp\n"
    filed.ok("switch", "main")
    assert filed.held() == mine != held
    filed.sound()


def test_a_bad_ignore_file_changes_nothing(filed: Filed) -> None:
    parted(filed)
    filed.put(".isovcignore", "fine\n[z-a\n!\n")
    held = filed.held()
    ended = filed.run("switch", "exp", "--json")
    if ended.code:
        assert json.loads(ended.out)["error"]["code"] == "bad-ignore-pattern"
        assert filed.held() == held


@pytest.mark.parametrize("line", ["a" * 3_000_000, "*a" * 3_000])
def test_a_line_that_is_longer_than_any_path_is_no_pattern(filed: Filed, line: str) -> None:
    """Something else came to lie under that name."""
    filed.put(".isovcignore", f"{line}\n")
    ended = filed.run("status", "--json")
    assert ended.code == 1 and len(ended.out) < 300
    assert json.loads(ended.out)["error"]["code"] == "bad-ignore-pattern"


# -- times -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [13_569_465_600_000_000_000, -(1 << 62) * 3])
def test_a_time_that_64_bits_do_not_reach_is_told_and_the_file_kept(filed: Filed, time: int) -> None:
    filed.put("a.txt", "from afar\n", mtime=time)
    if -(1 << 63) <= (filed.files / "a.txt").stat().st_mtime_ns < 1 << 63:
        pytest.skip("no such time on this disk")
    ended = filed.run("commit", "-m", "afar")
    assert ended.code == 0 and "a.txt: its time" in ended.err, ended
    assert filed.clean
    for words in (("ls", "HEAD"), ("diff", "HEAD~1"), ("switch", "-c", "exp", "HEAD~1"), ("switch", "main")):
        filed.ok(*words)
    assert filed.texts_of("a.txt") == "from afar\n" and filed.clean
    filed.sound()


# -- the folder itself -------------------------------------------------------------------------------------------------


def test_a_folder_that_is_a_link(filed: Filed) -> None:
    elsewhere = filed.path.parent.parent / "elsewhere"
    filed.files.rename(elsewhere)
    filed.files.symlink_to(elsewhere)
    assert filed.clean
    on_main = parted(filed)
    filed.ok("switch", "exp")
    assert read(elsewhere)["a.txt"].content == b"exp\n" and filed.files.is_symlink()
    filed.ok("switch", "main")
    assert read(elsewhere) == on_main
    filed.sound()


def test_a_folder_that_is_gone(filed: Filed) -> None:
    held = filed.held()
    away = filed.path.parent / "away"
    filed.files.rename(away)
    for words in (("status",), ("commit", "-m", "x"), ("switch", "-c", "exp"), ("stash", "push"), ("diff",)):
        assert filed.refused(*words) == "attachments-gone", words
    for words in (("log",), ("ls",), ("cat", "HEAD:a.txt"), ("config", "attachments")):
        filed.ok(*words)
    away.rename(filed.files)
    assert filed.clean and filed.held() == held
    shutil.rmtree(filed.files)
    filed.files.mkdir()
    assert filed.json("status")["attachments"]["removed"] == len(held)
    filed.ok("reset", "--hard", "HEAD")
    assert filed.held() == held
    filed.sound()


def test_a_folder_that_is_a_file(filed: Filed) -> None:
    shutil.rmtree(filed.files)
    filed.files.write_text("no folder\n")
    filed.refused("status")
    filed.refused("config", "attachments", "files")
    assert filed.files.read_text() == "no folder\n"


def begun(tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str, where: str = ".") -> Filed:
    made = Filed(tmp_path / "work" / "app.db", capsys)
    made.files_folder = where
    made.path.parent.mkdir()
    made.sql("CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT); INSERT INTO notes VALUES(1, 'one')")
    made.put("a.txt", "a\n")
    Filed(made.path.parent, capsys).ok("init", "app.db", "--attachments", folder)
    made.commit("first")
    return made


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_the_folder_of_the_database_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str], journal: str) -> None:
    filed = begun(tmp_path, capsys, ".")
    filed.sql(f"PRAGMA journal_mode = {journal}")
    assert set(filed.kept()) == {"a.txt"}
    with filed.opened() as open_elsewhere:
        open_elsewhere.execute("SELECT count(*) FROM notes").fetchall()
        filed.ok("switch", "-c", "exp")
        filed.put("a.txt", "exp\n")
        filed.put("more/b", "b\n")
    filed.sql("UPDATE notes SET title = 'exp' WHERE id = 1")
    filed.commit("exp")
    assert set(filed.kept()) == {"a.txt", "more/b"}
    filed.ok("switch", "main")
    assert (filed.path.parent / "a.txt").read_text() == "a\n" and not (filed.path.parent / "more").exists()
    filed.ok("switch", "exp")
    assert filed.rows("SELECT title FROM notes") == [("exp",)] and filed.clean
    filed.ok("worktree", "add", "other.db", "main")
    assert filed.clean
    other = Filed(filed.path.with_name("other.db"), capsys)
    assert other.clean
    filed.ok("worktree", "remove", "other.db", "--yes")
    assert filed.clean
    filed.sound()


def test_a_folder_by_its_absolute_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    far = tmp_path / "far" / "away"
    (far / "in").mkdir(parents=True)
    (far / "in" / "x").write_text("x\n")
    filed = begun(tmp_path, capsys, str(far))
    assert set(filed.kept()) == {"in/x"}
    filed.ok("config", "attachments", str(far / "in"))
    assert set(filed.kept("WORK")) == {"x"}
    filed.ok("undo")
    assert filed.clean


def test_a_folder_around_the_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filed = begun(tmp_path, capsys, "..")
    assert filed.kept() == {} and "work: it holds a repository of its own" in filed.run("status").err
    (tmp_path / "beside").write_text("beside\n")
    assert filed.json("status")["attachments"] == {"added": 1, "modified": 0, "removed": 0}


def test_another_folder_is_named(filed: Filed) -> None:
    held = parted(filed)
    other = filed.path.parent / "others"
    other.mkdir()
    (other / "only").write_text("only\n")
    filed.ok("config", "attachments", "others")
    assert filed.json("status")["attachments"] == {"added": 1, "modified": 0, "removed": len(held)}
    filed.ok("undo")
    assert filed.clean and filed.held() == held
    filed.ok("config", "attachments", "others")
    (other / "only").unlink()
    filed.ok("reset", "--hard", "HEAD")
    assert read(other) == held and filed.held() == held
    filed.refused("config", "attachments", "nowhere")
    assert filed.json("config", "attachments")["value"] == "others"


@pytest.mark.parametrize("inside", [".isovc", ".isovc/git", "link/git"])
def test_the_folder_of_the_repository_is_no_folder_of_files(filed: Filed, inside: str) -> None:
    (filed.path.parent / "link").symlink_to(".isovc")
    assert filed.refused("config", "attachments", inside, code=2) == "bad-setting"
    assert filed.json("config", "attachments")["value"] == "files" and filed.clean
    settings = filed.path.parent / ".isovc" / "config.toml"
    settings.write_text(f'attachments = "{inside}"\n')  # as an editor can
    assert filed.refused("status", code=2) == "bad-setting"
    filed.ok("config", "attachments", "files")
    assert filed.clean


def test_no_folder_is_named_any_more(filed: Filed) -> None:
    """Its files are as the commit has them; nothing on the disk is touched."""
    held = parted(filed)
    before = filed.kept()
    filed.ok("config", "attachments", "--unset")
    assert filed.clean
    filed.put("a.txt", "not looked at\n")
    now = filed.held()
    filed.sql("INSERT INTO notes VALUES(7, 'seven')")
    filed.commit("rows alone")
    assert filed.kept() == before
    filed.ok("switch", "exp")
    assert filed.held() == now and filed.clean
    filed.ok("switch", "main")
    filed.ok("merge", "exp")
    assert filed.cat("HEAD", "a.txt") == "exp\n" and filed.clean
    filed.ok("undo")
    filed.ok("merge", "exp", "--no-commit")
    filed.ok("commit", "-m", "merged")
    assert filed.cat("HEAD", "a.txt") == "exp\n"
    filed.ok("reset", "--hard", "HEAD~1")
    filed.ok("config", "attachments", "files")
    filed.put("a.txt", "a\n", mtime=LONG_AGO)
    assert filed.held() == held and filed.clean
    filed.sound()


def test_two_working_copies_do_not_see_each_other(filed: Filed) -> None:
    filed.ok("worktree", "add", "other.db", "-c", "exp")
    other = Filed(filed.path.with_name("other.db"), filed._capsys)
    other.files_folder = "files-other"
    filed.put("a.txt", "mine\n")
    other.put("a.txt", "other\n")
    other.commit("other")
    filed.commit("mine")
    filed.refused("switch", "exp")
    assert filed.run("merge", "exp").code == 3
    filed.ok("resolve", "--theirs")
    filed.ok("merge", "--continue")
    assert filed.cat("HEAD", "a.txt") == "other\n" and other.clean
    filed.sound()
    other.sound()


def test_a_working_copy_whose_folder_is_taken_is_refused(filed: Filed) -> None:
    taken = filed.path.with_name("files-other")
    taken.mkdir()
    (taken / "somebody's").write_text("x")
    filed.refused("worktree", "add", "other.db", "-c", "exp")
    assert read(taken).keys() == {"somebody's"} and not filed.path.with_name("other.db").exists()
    assert [each["branch"] for each in filed.json("branch")] == ["main"]


def test_from_within_the_folder(filed: Filed) -> None:
    inside = Filed(filed.files / "deep", filed._capsys)
    assert inside.json("status")["clean"]
    filed.put("a.txt", "more\n")
    assert inside.json("status")["attachments"] == {"added": 0, "modified": 1, "removed": 0}
    inside.ok("commit", "-m", "from within")
    inside.ok("reset", "--hard", "HEAD~1")
    assert filed.texts_of("a.txt") == "a\n"


def test_something_of_another_in_the_folder_of_new_files_stays(filed: Filed) -> None:
    parted(filed)
    (filed.files / ".isovc-new").mkdir()
    (filed.files / ".isovc-new" / "mine").write_text("mine\n")
    assert filed.refused("switch", "exp") == "path-in-the-way"
    assert filed.rows("SELECT title FROM notes WHERE id = 1") == [("one",)]
    assert (filed.files / ".isovc-new" / "mine").read_text() == "mine\n"
    (filed.files / ".isovc-new" / "mine").rename(filed.files / ".isovc-new" / "new-9")
    filed.ok("switch", "exp")
    assert not (filed.files / ".isovc-new").exists()


@pytest.mark.long
def test_a_file_of_four_gigabytes_of_nothing(filed: Filed) -> None:
    with (filed.files / "huge").open("wb") as file:
        file.truncate((4 << 30) + 1)
    filed.commit("huge")
    filed.ok("switch", "-c", "exp")
    filed.drop("huge")
    filed.commit("gone")
    filed.ok("switch", "main")
    assert (filed.files / "huge").stat().st_size == (4 << 30) + 1
    assert filed.clean
