"""The bytes of files and links, and whether they are still what was seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from isovc.errors import DiskFailed, FileVanished, FolderGone, IsovcError
from isovc.sources.files import Folder, Seen, media_type


def seen(folder: Path, path: str) -> Seen:
    return next(one for one in Folder(folder).walk().entries if one.path == path)


def read(folder: Path, one: Seen) -> bytes:
    with Folder(folder).reading(one) as file:
        return file.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "sub/file").write_bytes(b"bytes" * 100_000)
    (made / "link").symlink_to("../outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_bytes(b"secret")
    return made


def test_the_bytes_of_a_file_come_whole_and_in_pieces(folder: Path) -> None:
    one = seen(folder, "sub/file")
    assert read(folder, one) == b"bytes" * 100_000
    with Folder(folder).reading(one) as file:
        assert b"".join(iter(lambda: file.read(1000), b"")) == b"bytes" * 100_000


def test_the_bytes_of_a_link_are_its_target(folder: Path) -> None:
    os.symlink(b"caf\xe9", os.fsencode(folder / "odd"))
    assert read(folder, seen(folder, "link")) == b"../outside"
    assert read(folder, seen(folder, "odd")) == b"caf\xe9"


@pytest.mark.parametrize("what", ["gone", "a link", "a folder", "a pipe", "a folder above gone", "a link above"])
def test_a_file_that_became_something_else_is_not_read(folder: Path, what: str) -> None:
    one = seen(folder, "sub/file")
    path = folder / "sub/file"
    path.unlink()
    if what == "a link":
        path.symlink_to("../../outside/file")
    elif what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    elif "above" in what:
        path.parent.rmdir()
        if what == "a link above":
            path.parent.symlink_to("../outside")
    with pytest.raises(FileVanished):
        read(folder, one)
    assert not Folder(folder).is_still(one)


def test_a_link_that_became_a_file_is_not_read(folder: Path) -> None:
    one = seen(folder, "link")
    (folder / "link").unlink()
    (folder / "link").write_text("x")
    with pytest.raises(FileVanished):
        read(folder, one)


def touched(path: Path) -> None:
    path.write_bytes(b"other" * 100_000)


def replaced(path: Path) -> None:
    found = path.stat()
    path.with_name("fresh").write_bytes(path.read_bytes())
    os.utime(path.with_name("fresh"), ns=(found.st_mtime_ns, found.st_mtime_ns))
    path.with_name("fresh").replace(path)


def touched_and_set_back(path: Path) -> None:
    found = path.stat()
    path.write_bytes(b"other" * 100_000)
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))


@pytest.mark.parametrize("deed", [touched, replaced, touched_and_set_back, lambda path: path.chmod(0o700)])
def test_a_file_that_changed_is_not_still_the_same(folder: Path, deed: object) -> None:
    one = seen(folder, "sub/file")
    assert Folder(folder).is_still(one)
    assert callable(deed)
    deed(folder / "sub/file")
    assert not Folder(folder).is_still(one)


def test_no_path_leads_out_of_the_folder(folder: Path) -> None:
    for path in ("../outside/file", "/etc/passwd", "sub/../../outside/file"):
        with pytest.raises(IsovcError):
            read(folder, seen(folder, "sub/file")._replace(path=path))


def test_a_folder_that_went_away_is_told(folder: Path) -> None:
    one = seen(folder, "link")
    folder.rename(folder.with_name("elsewhere"))
    for ask in (lambda: Folder(folder).is_still(one), lambda: read(folder, one)):
        with pytest.raises(FolderGone):
            ask()


def test_a_disk_that_fails_while_a_file_is_read_is_told_as_such(folder: Path) -> None:
    one = seen(folder, "sub/file")
    with Folder(folder).reading(one) as file:
        os.close(file.fileno())  # reading fails now, as it would on a disk that does
        with pytest.raises(DiskFailed):
            file.read(10)
        spare = os.open(os.devnull, os.O_RDONLY)
        if spare != file.fileno():
            os.dup2(spare, file.fileno())
            os.close(spare)


@pytest.mark.parametrize(
    "path, kind",
    [
        ("a.PNG", "image/png"),
        ("deep.d/x.tar.gz", "application/gzip"),
        ("notes.md", "text/markdown"),
        (".profile", "application/octet-stream"),
        ("folder.png/file", "application/octet-stream"),
        ("none", "application/octet-stream"),
        ("dot.", "application/octet-stream"),
    ],
)
def test_the_media_type_is_that_of_the_last_extension(path: str, kind: str) -> None:
    assert media_type(path) == kind
