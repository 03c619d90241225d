"""The model of a disk that loses power forgets what real ones may forget, and keeps what was synced."""

from __future__ import annotations

from collections.abc import Sequence

from tests.crash.disk import Disk, Loss
from tests.crash.recording import Deed

_OLD = {"here": None, "here/file": b"old"}
_NEW = b"n" * 1000


def left(deeds: Sequence[Deed]) -> set[bytes | None]:
    """What a file may hold after a power cut; None: it is not there."""
    found = set()
    for seed in range(200):
        disk = Disk(_OLD)
        for deed in deeds:
            disk.play(deed)
        found.add(Loss(disk, str(seed)).files().get("here/file"))
    return found


def replaced(*, synced: bool, folder_synced: bool) -> list[Deed]:
    write = [Deed("make", "here/fresh"), Deed("write", "here/fresh", data=_NEW)]
    rename = [Deed("rename", "here/fresh", "here/file")]
    return [
        *write,
        *([Deed("sync", "here/fresh")] if synced else []),
        *rename,
        *([Deed("sync", "here")] if folder_synced else []),
    ]


def test_a_file_renamed_before_its_sync_may_be_empty_torn_or_old() -> None:
    found = left(replaced(synced=False, folder_synced=False))
    assert {b"old", _NEW, b"", bytes(1000)} <= found
    assert any(each and 0 < each.count(0) < 1000 for each in found)


def test_a_file_synced_before_it_is_renamed_is_old_or_new() -> None:
    assert left(replaced(synced=True, folder_synced=False)) == {b"old", _NEW}


def test_with_its_folder_synced_too_it_is_new() -> None:
    assert left(replaced(synced=True, folder_synced=True)) == {_NEW}


def test_a_name_in_a_folder_that_has_no_name_yet_may_be_lost() -> None:
    deeds = [
        Deed("folder", "there"),
        Deed("make", "there/file"),
        Deed("write", "there/file", data=_NEW),
        Deed("sync", "there/file"),
        Deed("sync", "there"),
    ]
    for last, gone in ([], True), ([Deed("sync", ".")], False):
        found = set()
        for seed in range(100):
            disk = Disk({})
            for deed in [*deeds, *last]:
                disk.play(deed)
            found.add(Loss(disk, str(seed)).files().get("there/file"))
        assert found == ({_NEW, None} if gone else {_NEW})


def test_a_name_that_was_taken_away_may_come_back() -> None:
    assert left([Deed("remove", "here/file")]) == {b"old", None}
    assert left([Deed("remove", "here/file"), Deed("sync", "here")]) == {None}


def test_what_was_synced_stays_below_what_is_written_later() -> None:
    deeds = [Deed("write", "here/file", at=0, data=b"abc"), Deed("sync", "here/file")]
    assert left([*deeds, Deed("write", "here/file", at=-1, data=b"def")]) == {b"abc", b"abcdef", b"abc\0\0\0"}
    assert left([*deeds, Deed("size", "here/file", at=1)]) == {b"abc", b"a"}
