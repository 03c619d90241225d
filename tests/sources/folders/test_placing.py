"""Files come whole or not at all, nothing leaves the folder, and nothing goes that nobody said may go."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from isovc.errors import (
    DiskFull,
    FileRefused,
    FolderBusy,
    FolderGone,
    IsovcError,
    PathInTheWay,
    PathLeavesFolder,
    PathsCollide,
)
from isovc.sources.files import FILES_NEW, Folder, Place, Placing

TIME = 1_700_000_000_123_456_789


def file(path: str, mode: int = 0o644) -> Place:
    return Place(path, is_link=False, mode=mode, mtime=TIME)


def link(path: str) -> Place:
    return Place(path, is_link=True, mode=0o777, mtime=TIME)


def put(folder: Path, files: dict[str, str], removed: tuple[str, ...] = ()) -> None:
    with Folder(folder).placing() as placing:
        for path, text in files.items():
            placing.stage(file(path), [text.encode()])
        placing.arrive(removed)


def state(folder: Path) -> dict[str, object]:
    """Everything in a folder, whatever it is, with what identifies it."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_file():
            found[name] = path.read_text()
        else:
            found[name] = path.is_dir()
    return found


def refused(
    folder: Path, error: type[IsovcError], files: tuple[Place, ...], removed: tuple[str, ...] = ()
) -> IsovcError:
    """Checked first or not: it is refused, and all is as it was."""
    before = state(folder.parent)
    with Folder(folder).placing() as placing, pytest.raises(error) as told:
        placing.check([one.path for one in files], removed=removed)
    assert state(folder.parent) == before
    with Folder(folder).placing() as placing, pytest.raises(error):
        for one in files:
            placing.stage(one, [b"new"])
        placing.arrive(removed)
    assert state(folder.parent) == before
    return told.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "around" / "folder"
    made.mkdir(parents=True)
    (made.parent / "outside").mkdir()
    (made.parent / "outside" / "file").write_text("outside")
    return made


def test_a_file_arrives_with_content_mode_and_time(folder: Path) -> None:
    with Folder(folder).placing() as placing:
        placing.stage(file("a/b/c", 0o4751), [b"one", b"", b"two"])
        placing.stage(file("nothing", 0), [])
        placing.stage(link("l"), [b"no", b"where"])
        assert set(os.listdir(folder)) == {FILES_NEW}
        placing.check(["a/b/c", "nothing", "l"], removed=[])
        placing.arrive([])
    assert (folder / "a/b/c").read_bytes() == b"onetwo"
    entries = {seen.path: seen for seen in Folder(folder).walk().entries}
    assert entries.keys() == {"a/b/c", "l"} | ({"nothing"} if os.geteuid() == 0 else set())
    assert entries["a/b/c"].mode == 0o751
    assert entries["a/b/c"].mtime == entries["l"].mtime == TIME
    assert os.readlink(folder / "l") == "nowhere"
    assert set(os.listdir(folder)) == {"a", "nothing", "l"}


def test_nothing_arrives_that_was_only_staged(folder: Path) -> None:
    with Folder(folder).placing() as placing:
        placing.stage(file("a"), [b"x"])
    assert state(folder) == {}


def test_the_file_that_was_there_is_replaced_and_not_written_into(folder: Path) -> None:
    put(folder, {"a": "old"})
    os.link(folder / "a", folder.parent / "same")
    put(folder, {"a": "new"})
    assert (folder / "a").read_text() == "new"
    assert (folder.parent / "same").read_text() == "old"


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(folder: Path) -> None:
    (folder / "a").symlink_to("../outside/file")
    put(folder, {"a": "new"})
    assert not (folder / "a").is_symlink()
    assert (folder.parent / "outside/file").read_text() == "outside"


def test_a_link_is_removed_and_not_what_it_leads_to(folder: Path) -> None:
    (folder / "a").symlink_to("../outside/file")
    put(folder, {}, ("a",))
    assert state(folder.parent) == {"folder": True, "outside": True, "outside/file": "outside"}


def test_files_become_folders_and_folders_files(folder: Path) -> None:
    put(folder, {"a": "file", "b/c/d": "deep", "b/e": "e", "l/x": "x"})
    (folder / "b/empty").mkdir()
    (folder / "link").symlink_to("a")
    put(folder, {"a/x/y": "in", "b": "file", "link/z": "z"}, ("a", "b/c/d", "b/e", "link"))
    assert state(folder) == {
        "a": True,
        "a/x": True,
        "a/x/y": "in",
        "b": "file",
        "l": True,
        "l/x": "x",
        "link": True,
        "link/z": "z",
    }


def test_only_folders_that_lose_their_last_file_go(folder: Path) -> None:
    put(folder, {"a/b/c/file": "1", "a/keep": "2", "x/y/z": "3"})
    (folder / "empty").mkdir()
    (folder / "x/other").mkdir()
    put(folder, {}, ("a/b/c/file", "x/y/z"))
    assert state(folder) == {"a": True, "a/keep": "2", "empty": True, "x": True, "x/other": True}


def test_a_folder_whose_files_are_all_replaced_stays_the_same_folder(folder: Path) -> None:
    put(folder, {"a/old": "1"})
    (folder / "a").chmod(0o700)
    before = (folder / "a").stat().st_ino
    put(folder, {"a/new": "2"}, ("a/old",))
    assert ((folder / "a").stat().st_ino, (folder / "a").stat().st_mode & 0o777) == (before, 0o700)


def test_what_is_gone_already_need_not_be_removed(folder: Path) -> None:
    (folder / "a").mkdir()
    put(folder, {"x": "1"}, ("a", "b", "c/d", "x"))
    assert state(folder) == {"a": True, "x": "1"}


def test_folders_that_an_interrupted_removal_left_empty_go_with_the_next_one(folder: Path) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "stays").mkdir()
    put(folder, {}, removed=("deep/er/gone", "deep/er/lower/gone"))
    assert "deep" not in state(folder)
    assert "stays" in state(folder)


def test_what_is_no_file_any_more_is_not_removed(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    put(folder, {}, ("pipe",))
    assert (folder / "pipe").is_fifo()


BAD = ["", "/etc/passwd", "a//b", "a/", "./a", "a/.", "..", "a/../../b", "a\0b", ".isovc", ".isovc/x", ".isovc-new/x"]
BAD += ["sub/.ISOVC/x", ".Isovc-NEW", ".iso\u200cvc/store.db", "\ud800", "\udcc3\udca9", "x" * 300, "a/" + "é" * 200]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_is_none_is_refused(folder: Path, path: str) -> None:
    refused(folder, PathLeavesFolder, (file("good"), file(path)))
    refused(folder, PathLeavesFolder, (file("good"),), (path,))


@pytest.mark.parametrize("lead", ["../outside", "real", "."])
def test_nothing_is_written_or_removed_through_a_link(folder: Path, lead: str) -> None:
    (folder / "real").mkdir()
    (folder / "real/file").write_text("real")
    (folder / "l").symlink_to(lead)
    refused(folder, PathLeavesFolder, (file("l/file"),))
    refused(folder, PathLeavesFolder, (file("l/deep/file"),))
    refused(folder, PathLeavesFolder, (file("other"),), ("l/file",))


def test_a_link_that_comes_after_the_check_is_not_followed_either(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a/file").write_text("old")

    class Late(Placing):
        def _plan(self, *asked: object) -> object:
            plan = super()._plan(*asked)
            (folder / "a").rename(folder / "b")
            (folder / "a").symlink_to("../outside")
            return plan

    with Folder(folder).placing() as placing:
        placing.stage(file("a/file"), [b"new"])
        placing.__class__ = Late
        with pytest.raises(FileRefused):
            placing.arrive([])
    assert (folder.parent / "outside/file").read_text() == "outside"


def test_a_file_nobody_gave_up_is_not_replaced_by_a_folder(folder: Path) -> None:
    put(folder, {"a": "mine"})
    told = refused(folder, PathInTheWay, (file("a/b"),))
    assert "a" in told.message
    assert told.hint


def test_a_folder_with_something_in_it_is_not_replaced_by_a_file(folder: Path) -> None:
    put(folder, {"a/known": "1", "a/deep/unknown": "2"})
    told = refused(folder, PathInTheWay, (file("a"),), ("a/known",))
    assert "a/deep/unknown" in told.message


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_is_no_file_is_not_replaced(folder: Path, kind: str) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "pipe":
            os.mkfifo(folder / "a")
        else:
            here = Path.cwd()
            os.chdir(folder)
            try:
                listening.bind("a")
            finally:
                os.chdir(here)
        refused(folder, PathInTheWay, (file("a"),), ("a",))
        refused(folder, PathInTheWay, (file("a/b"),), ("a",))


def test_a_path_cannot_be_a_file_and_a_folder(folder: Path) -> None:
    refused(folder, PathInTheWay, (file("a"), file("a/b")))
    with Folder(folder).placing() as placing, pytest.raises(PathInTheWay):
        placing.check(["a"], removed=[], staying=["a/b"])


def test_the_database_is_neither_replaced_nor_removed(folder: Path) -> None:
    (folder / "app.db").write_text("rows")
    ignored = [folder / "app.db", folder / "app.db-journal"]
    for path in ("app.db", "app.db-journal", "app.db/x"):
        with Folder(folder, ignored=ignored).placing() as placing:
            placing.stage(file(path), [b"x"])
            with pytest.raises(PathLeavesFolder):
                placing.arrive([])
        with Folder(folder, ignored=ignored).placing() as placing, pytest.raises(PathLeavesFolder):
            placing.arrive([path])
    assert state(folder) == {"app.db": "rows"}


class Folding(Placing):
    """As on a file system that compares names without case and accents' forms."""

    def folds_case(self) -> bool:
        return True

    def normalises(self) -> bool:
        return True


def test_names_that_would_be_one_are_refused_where_they_are_one(folder: Path) -> None:
    pairs = [("a", "A"), ("sub/x", "SUB/y"), ("\u00e9", "e\u0301"), ("stra\u00dfe", "STRASSE")]
    for one, other in pairs:
        with Folder(folder).placing() as placing:
            placing.check([one, other], removed=[])  # here they are two
            placing.__class__ = Folding
            with pytest.raises(PathsCollide) as told:
                placing.check([one], removed=[], staying=[other])
            placing.stage(file(one), [b"1"])
            placing.stage(file(other), [b"2"])
            with pytest.raises(PathsCollide):
                placing.arrive([])
        assert len(told.value.paths) == 2
    assert state(folder) == {}


def test_the_database_is_spared_where_names_are_compared_without_case(folder: Path) -> None:
    (folder / "app.db").write_text("rows")
    with Folder(folder, ignored=[folder / "app.db"]).placing() as placing:
        placing.check(["APP.DB"], removed=[])  # here it is another file
        placing.__class__ = Folding
        with pytest.raises(PathLeavesFolder):
            placing.check(["APP.DB"], removed=[])


def test_how_this_file_system_compares_names_is_found_out(folder: Path) -> None:
    (folder / "x").write_text("")
    assert Folder(folder).folds_case() == (folder / "X").exists()
    (folder / "\u00e9").write_text("")
    assert Folder(folder).normalises() == (folder / "e\u0301").exists()
    assert sorted(os.listdir(folder)) == ["x", "\u00e9"]


def test_a_name_that_changes_only_its_case_is_removed_before_it_comes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"README": "old"})
    done: list[str] = []
    unlink, replace = os.unlink, os.replace
    monkeypatch.setattr(os, "unlink", lambda name, **o: (done.append(f"-{os.fsdecode(name)}"), unlink(name, **o)))
    monkeypatch.setattr(os, "replace", lambda a, b, **o: (done.append(f"+{os.fsdecode(b)}"), replace(a, b, **o)))
    put(folder, {"readme": "new"}, ("README",))
    assert done == ["-README", "+readme"]
    done.clear()
    put(folder, {"other": "new"}, ("readme",))
    assert done == ["+other", "-readme"]  # a file that moves is never nowhere


def test_what_is_prepared_is_on_the_disk_and_nothing_else_has_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, {"a": "old", "b": "old"})
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_ino), fsync(handle)))
    with Folder(folder).placing() as placing:
        placing.stage(file("a", 0o600), [b"new"])
        placing.prepare(["b"], staying=["c"])
        (new,) = (folder / FILES_NEW).iterdir()
        assert synced == [new.stat().st_ino]
        assert ((folder / "a").read_text(), (folder / "b").read_text()) == ("old", "old")
        placing.arrive(["b"])
    assert state(folder) == {"a": "new"}


def test_preparing_refuses_what_arriving_would(folder: Path) -> None:
    put(folder, {"a": "mine"})
    with Folder(folder).placing() as placing:
        placing.stage(file("a/b"), [b"new"])
        with pytest.raises(PathInTheWay):
            placing.prepare([])
        placing.prepare(["a"])
        with pytest.raises(PathInTheWay):
            placing.prepare(["a"], staying=["a/b/c"])


# -- what goes wrong


class Full(Exception):
    pass


def test_a_full_disk_in_the_middle_of_a_file_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, {"a": "old"})
    write = os.write

    def short(handle: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data[:50])

    before = state(folder)
    with pytest.raises(DiskFull) as told, Folder(folder).placing() as placing:
        placing.stage(file("b"), [b"y" * 10_000][:0])
        monkeypatch.setattr(os, "write", short)
        placing.stage(file("a"), [b"x" * 1000])
    monkeypatch.undo()
    assert told.value.path == "a"
    assert state(folder) == before


def test_short_writes_are_gone_on_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
    put(folder, {"a": "x" * 1000})
    monkeypatch.undo()
    assert (folder / "a").read_text() == "x" * 1000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes file systems")
def test_a_disk_that_is_really_full(folder: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        put(folder, {"a": "old"})
        with pytest.raises(DiskFull), Folder(folder).placing() as placing:
            placing.stage(file("b"), (b"x" * 65536 for _ in range(100)))
        assert state(folder) == {"a": "old"}
        put(folder, {"a": "new"})
    finally:
        subprocess.run(["umount", folder], check=True)


def test_content_that_fails_leaves_nothing(folder: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise Full

    with Folder(folder).placing() as placing:
        with pytest.raises(Full):
            placing.stage(file("a"), broken())
        assert os.listdir(folder / FILES_NEW) == []
        placing.arrive([])
    assert state(folder) == {}


@pytest.mark.parametrize("target", [b"", b"a\0b", b"x" * 10_000])
def test_a_link_that_cannot_be_is_told(folder: Path, target: bytes) -> None:
    with Folder(folder).placing() as placing, pytest.raises(FileRefused):
        placing.stage(link("l"), [target])
    assert state(folder) == {}


def test_a_time_that_no_file_can_have_is_told(folder: Path) -> None:
    with Folder(folder).placing() as placing:
        placing.stage(Place("a", is_link=False, mode=0o644, mtime=1 << 100), [b"x"])
        with pytest.raises(FileRefused):
            placing.arrive([])
    assert state(folder) == {}


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderGone), Folder(tmp_path / "gone").placing():
        pass


def test_two_at_a_time_are_refused(folder: Path) -> None:
    with Folder(folder).placing() as placing:
        placing.stage(file("a"), [b"x"])
        with pytest.raises(FolderBusy) as told, Folder(folder).placing():
            pass
        placing.arrive([])
    assert told.value.exit_code == 5
    assert state(folder) == {"a": "x"}


@pytest.mark.parametrize("what", ["a file", "a link", "another's file in it", "a folder in it"])
def test_what_is_not_ours_in_the_reserved_folder_is_refused_and_kept(folder: Path, what: str) -> None:
    new = folder / FILES_NEW
    if what == "a file":
        new.write_text("mine")
    elif what == "a link":
        new.symlink_to("../outside")
    else:
        new.mkdir()
        (new / "mine").write_text("mine") if what.startswith("another") else (new / "new-1").mkdir()
    before = state(folder.parent)
    with pytest.raises(IsovcError), Folder(folder).placing():
        pass
    assert state(folder.parent) == before


def killed(folder: Path, at: str) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom isovc.sources.files import Folder, Place\n"
        "stop = lambda *a, **o: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with Folder(Path(sys.argv[1])).placing() as placing:\n"
        "    for name in ('a', 'b/c'):\n"
        "        placing.stage(Place(name, False, 0o644, 0), [b'new'])\n"
        "    if sys.argv[2] == 'staged': stop()\n"
        "    setattr(os, sys.argv[2], stop)\n"
        "    placing.arrive(['old'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder, at], env={"PYTHONPATH": str(Path(__file__).parents[3])}, check=False
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("at", ["staged", "fsync", "mkdir", "replace", "unlink"])
def test_killed_at_any_step_it_can_be_repeated(folder: Path, at: str) -> None:
    put(folder, {"a": "old", "old": "old"})
    killed(folder, at)
    found = state(folder)
    assert (folder / FILES_NEW).is_dir()
    if at in ("staged", "fsync", "mkdir"):
        left = {path: text for path, text in found.items() if not path.startswith(FILES_NEW)}
        assert left == {"a": "old", "old": "old"}
        assert all(path == FILES_NEW or path.startswith(f"{FILES_NEW}/new-") for path in found if path not in left)
    assert found["a"] in ("old", "new")
    put(folder, {"a": "new", "b/c": "new"}, ("old",))
    assert state(folder) == {"a": "new", "b": True, "b/c": "new"}
