"""The model of a disk that loses power forgets what real ones may forget, and keeps what was synced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.crash.disk import Disk, Held, Loss
from tests.crash.recording import Deed

_OLD = {"here": None, "here/file": Held(b"old")}
_NEW = b"n" * 1000


def left(deeds: Sequence[Deed], path: str = "here/file", old: Mapping[str, Held | None] = _OLD) -> set[bytes | None]:
    """What a file may hold after a power cut; None: it is not there."""
    return {held.data if held else None for held in held_of(deeds, path, old)}


def held_of(deeds: Sequence[Deed], path: str, old: Mapping[str, Held | None]) -> set[Held | None]:
    """What it may be."""
    found = set()
    for seed in range(200):
        disk = Disk(old)
        for deed in deeds:
            disk.play(deed)
        found.add(Loss(disk, str(seed)).files().get(path))
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
    assert left(deeds, "there/file", {}) == {_NEW, None}
    assert left([*deeds, Deed("sync", ".")], "there/file", {}) == {_NEW}


def test_a_name_that_was_taken_away_may_come_back() -> None:
    assert left([Deed("remove", "here/file")]) == {b"old", None}
    assert left([Deed("remove", "here/file"), Deed("sync", "here")]) == {None}


def test_what_was_synced_stays_below_what_is_written_later() -> None:
    deeds = [Deed("write", "here/file", at=0, data=b"abc"), Deed("sync", "here/file")]
    assert left([*deeds, Deed("write", "here/file", at=-1, data=b"def")]) == {b"abc", b"abcdef", b"abc\0\0\0"}
    assert left([*deeds, Deed("size", "here/file", at=1)]) == {b"abc", b"a"}


def test_mode_and_time_are_lost_like_anything_else_of_a_file() -> None:
    deeds = [Deed("mode", "here/file", at=0o755), Deed("time", "here/file", at=7)]
    now = Held(b"old", 0o755, 7)
    found = held_of(deeds, "here/file", _OLD)
    assert found == {Held(b"old"), Held(b"old", 0o755), Held(b"old", time=7), now}
    assert held_of([*deeds, Deed("sync", "here/file")], "here/file", _OLD) == {now}


def test_a_link_is_there_whole_or_not() -> None:
    deeds = [Deed("symlink", "here/link", data=b"file"), Deed("time", "here/link", at=7)]
    assert left(deeds, "here/link") == {b"file", None}
    assert held_of([*deeds, Deed("sync", "here")], "here/link", _OLD) == {Held(b"file", 0o777, 7, is_link=True)}


def test_a_sync_is_of_what_was_there_when_it_began() -> None:
    before, meanwhile = Deed("write", "here/file", data=b"abc"), Deed("write", "here/file", data=b"xyz")
    assert left([before, meanwhile, Deed("sync", "here/file", at=1)]) == {b"abc", b"xyz"}
    names = [Deed("make", "here/one"), Deed("make", "here/two"), Deed("sync", "here", at=1)]
    assert None not in left(names, "here/one")
    assert None in left(names, "here/two")
