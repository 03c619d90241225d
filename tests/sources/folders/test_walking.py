"""A walk tells every file and link of a folder, nothing outside of it, and says what it left out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import BadIgnorePattern, FolderGone
from isovc.sources.files import FILES_NEW, Folder, Place, Skipped

AS_ROOT = os.geteuid() == 0


def paths(folder: Path, **options: object) -> list[str]:
    return [seen.path for seen in Folder(folder, **options).walk().entries]


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_each_file_is_told_as_lstat_tells_it(tmp_path: Path) -> None:
    made(tmp_path, "a/b.txt")
    (tmp_path / "a/b.txt").chmod(0o4640)
    (seen,) = Folder(tmp_path).walk().entries
    found = (tmp_path / "a/b.txt").lstat()
    assert seen == (
        "a/b.txt",
        False,
        found.st_size,
        0o640,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_ino,
        found.st_dev,
    )


def test_paths_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    names = ["a/b", "a.txt", "é", "z", "\U0001f600", "\uffff", "\udcff", "\udc80x", "B"]
    for name in names:
        path = os.path.join(os.fsencode(tmp_path), name.encode("utf-8", "surrogateescape"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").close()
    found = paths(tmp_path)
    assert len(found) == len(names)
    raw = [path.encode("utf-8", "surrogateescape") for path in found]
    assert raw == sorted(raw)


def test_hard_links_are_files_of_their_own(tmp_path: Path) -> None:
    made(tmp_path, "a")
    os.link(tmp_path / "a", tmp_path / "b")
    assert paths(tmp_path) == ["a", "b"]


def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    outside = made(tmp_path / "outside", "secret").resolve()
    folder = made(tmp_path / "folder", "file")
    (folder / "out").symlink_to(outside)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "round").symlink_to(".")
    found = {seen.path: seen for seen in Folder(folder).walk().entries}
    assert sorted(found) == ["dangling", "file", "out", "round"]
    assert found["dangling"][1:4] == (True, len("nowhere"), 0o777)


def test_the_folder_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    made(tmp_path / "folder", "a")
    (tmp_path / "link").symlink_to("folder")
    assert paths(tmp_path / "link") == ["a"]


def test_empty_folders_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert paths(tmp_path) == []


@pytest.mark.parametrize("kind", ["missing", "a file", "a dangling link", "a link to itself"])
def test_a_folder_that_is_none_is_told(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "folder"
    if kind == "a file":
        folder.write_text("")
    elif kind != "missing":
        folder.symlink_to("nowhere" if kind == "a dangling link" else "folder")
    with pytest.raises(FolderGone) as told:
        Folder(folder).walk()
    assert str(folder) in told.value.message
    assert told.value.hint


def test_pipes_sockets_and_devices_are_skipped_and_told(tmp_path: Path) -> None:
    made(tmp_path, "file")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(tmp_path)  # the name of a socket may have only some hundred bytes
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
        walk = Folder(tmp_path).walk()
    assert [seen.path for seen in walk.entries] == ["file"]
    assert walk.skipped == (Skipped("pipe", "it is a pipe"), Skipped("socket", "it is a socket"))


@pytest.mark.skipif(not AS_ROOT, reason="only root makes devices")
def test_a_device_is_skipped_and_told(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    assert Folder(tmp_path).walk().skipped == (Skipped("null", "it is a device"),)


NOBODY = 65534


def as_nobody(folder: Path) -> str:
    """What a program says that has no special rights, run in a child since rights given up do not come back."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        said = "died"
        try:
            if AS_ROOT:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            walk = Folder(folder).walk()
            said = repr(([seen.path for seen in walk.entries], [one.path for one in walk.skipped]))
        except BaseException as error:
            said = repr(error)
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as told:
        text = told.read()
    os.waitpid(child, 0)
    return text


def test_what_may_not_be_read_is_skipped_and_told() -> None:
    top = Path("/tmp") / f"isovc-{os.getpid()}-unreadable"  # the folders above must be open to everybody
    made(top, "open", "closed", "shut/in", "listed/in")
    try:
        top.chmod(0o755)
        (top / "closed").chmod(0)
        (top / "shut").chmod(0)
        (top / "listed").chmod(0o444)
        assert as_nobody(top) == repr((["open"], ["closed", "listed/in", "shut"]))
    finally:
        for name in ("shut", "listed"):
            (top / name).chmod(0o755)
        for path in sorted(top.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        top.rmdir()


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    name = b"caf\xe9\n\xff"
    open(os.path.join(os.fsencode(tmp_path), name), "wb").close()
    (path,) = paths(tmp_path)
    assert path.encode("utf-8", "surrogateescape") == name


def test_what_belongs_to_isovc_is_left_out(tmp_path: Path) -> None:
    made(tmp_path, "a", ".isovc/store.db", f"{FILES_NEW}/new-1", "inner/.isovc/x", "inner/y", "deep/.ISOVC/z", "deep/b")
    walk = Folder(tmp_path).walk()
    assert [seen.path for seen in walk.entries] == ["a", "deep/b"]
    assert [one.path for one in walk.skipped] == ["deep/.ISOVC", "inner"]


def test_the_database_is_left_out_under_every_name(tmp_path: Path) -> None:
    made(tmp_path, "app.db", "app.db-wal", "notes/app.db", "file")
    os.link(tmp_path / "app.db", tmp_path / "other name")
    (tmp_path / "link").symlink_to("app.db")
    ignored = [tmp_path / f"app.db{end}" for end in ("", "-wal", "-shm", "-journal")]
    walk = Folder(tmp_path, ignored=ignored).walk()
    assert [seen.path for seen in walk.entries] == ["file", "link", "notes/app.db"]
    assert [one.path for one in walk.skipped] == ["other name"]


def test_the_database_is_left_out_when_links_lead_to_it(tmp_path: Path) -> None:
    made(tmp_path / "real", "app.db", "file")
    (tmp_path / "way").symlink_to("real")
    (tmp_path / "db").symlink_to("real/app.db")
    assert paths(tmp_path / "real", ignored=[tmp_path / "way/app.db"]) == ["file"]
    assert paths(tmp_path / "way", ignored=[tmp_path / "real/app.db"]) == ["file"]
    assert paths(tmp_path / "real", ignored=[tmp_path / "db"]) == ["file"]


def test_patterns_of_a_folder_outweigh_those_above(tmp_path: Path) -> None:
    made(tmp_path, "a.tmp", "keep/a.tmp", "keep/b.log", "build/x", "build/keep", "c")
    (tmp_path / ".isovcignore").write_bytes(b"\xef\xbb\xbf*.tmp\r\n# words\n\nbuild/\n")
    (tmp_path / "keep/.isovcignore").write_text("!*.tmp\n*.log\n")
    assert paths(tmp_path) == [".isovcignore", "c", "keep/.isovcignore", "keep/a.tmp"]


def test_the_ignore_file_itself_is_always_kept(tmp_path: Path) -> None:
    made(tmp_path, "a", "b/c")
    (tmp_path / ".isovcignore").write_text("*\n")
    assert paths(tmp_path) == [".isovcignore"]


def test_ignored_folders_are_not_walked_into(tmp_path: Path) -> None:
    made(tmp_path, "build/a", "build/.isovcignore")
    (tmp_path / "build/.isovcignore").write_text("[z-a]\n")
    (tmp_path / ".isovcignore").write_text("build\n")
    assert paths(tmp_path) == [".isovcignore"]


def test_an_ignore_file_that_is_a_link_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("*\n")
    made(tmp_path / "folder", "a")
    (tmp_path / "folder/.isovcignore").symlink_to("../outside")
    assert paths(tmp_path / "folder") == [".isovcignore", "a"]


@pytest.mark.parametrize("line", ["[z-a]", "foo\\", "!", "/", "!/"])
def test_a_line_that_is_no_pattern_is_told(tmp_path: Path, line: str) -> None:
    made(tmp_path / "a")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/.isovcignore").write_text(f"*.x\n{line}\n")
    with pytest.raises(BadIgnorePattern) as told:
        Folder(tmp_path).walk()
    assert (told.value.path, told.value.line, told.value.text) == ("a/.isovcignore", 2, line)


@pytest.fixture
def very_deep(tmp_path: Path) -> Iterator[Path]:
    """Removed by a program that can: a test that failed must not leave what Python's own tidying stumbles over."""
    (tmp_path / "deep").mkdir()
    yield tmp_path / "deep"
    subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)


def test_depth_costs_no_stack(very_deep: Path) -> None:
    deep = sys.getrecursionlimit() + 200
    handle = os.open(very_deep, os.O_RDONLY)
    for _ in range(deep):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)
    folder = Folder(very_deep)
    (seen,) = folder.walk().entries
    assert seen.path == "d/" * deep + "file"
    assert folder.is_still(seen)
    with folder.reading(seen) as file:
        assert file.read() == b""
    with folder.placing() as placing:
        placing.stage(Place(seen.path + "2", is_link=False, mode=0o644, mtime=0), [])
        placing.arrive([seen.path])
    assert [one.path for one in folder.walk().entries] == [seen.path + "2"]
    with folder.placing() as placing:
        placing.arrive([seen.path + "2"])
    assert os.listdir(very_deep) == []


@pytest.mark.long
def test_a_hundred_thousand_files(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / str(number)).mkdir()
        handle = os.open(tmp_path / str(number), os.O_RDONLY)
        for name in range(1000):
            os.close(os.open(f"{name}.txt", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=handle))
        os.close(handle)
    found = paths(tmp_path)
    assert len(found) == len(set(found)) == 100_000


NAMES = st.sampled_from(["a", "b", "c.txt", "a.txt", "foo", "build", "a b", "x[1]"])
PATTERNS = st.sampled_from(
    [
        *(
            "*",
            "!*/",
            "*.txt",
            "!*.txt",
            "a",
            "/a",
            "a/",
            "!a",
            "!a/",
            "/*",
            "!/a",
            "a/b",
            "**/b",
            "a/**",
            "!a/**",
            "a/*",
        ),
        *(
            "a/**/b",
            "foo/",
            "*/",
            "**",
            "!**/",
            "/foo/*",
            "!/foo/a",
            "b/",
            "[ab]",
            "?",
            "!c.txt",
            "\\!a",
            "# x",
            "",
            "a ",
        ),
        *("a\\ b", "x\\[1\\]", "*.t?t", "**/foo/**", "!foo/**/c.txt", "!!a", "\\#a"),
    ]
)


@pytest.mark.needs("git")
@given(
    files=st.sets(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=12),
    ignores=st.dictionaries(st.integers(0, 30), st.lists(PATTERNS, min_size=1, max_size=5), min_size=1, max_size=2),
)
def test_patterns_say_what_git_says(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], ignores: dict[int, list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("ignoring")
    for path in sorted(files):
        if not any((folder / one).is_file() for one in [path, *(str(above) for above in Path(path).parents)][:-1]):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if not (folder / path).is_dir():
                (folder / path).touch()
    folders = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    for number, lines in ignores.items():
        (folders[number % len(folders)] / ".isovcignore").write_text("\n".join(lines) + "\n")
    ours = {path for path in paths(folder) if not path.endswith(".isovcignore")}
    subprocess.run(["git", "init", "-q", folder], check=True)
    listed = subprocess.run(
        ["git", "-C", folder, "ls-files", "-z", "-o", "--exclude-per-directory=.isovcignore"],
        check=True,
        capture_output=True,
    )
    assert ours == {path for path in listed.stdout.decode().split("\0")[:-1] if not path.endswith(".isovcignore")}
