"""Many small object files made into few packs, so that a long history stays small. Knows nothing of refs or commits.

Runs are bounded: at most LOOSE_AT_ONCE objects, joined with those packs that are not bigger than what is packed
already, so an object is written again about log2(n) times in all, and never once its pack is BIG.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pygit2

from isovc.disk import fsync_folder
from isovc.errors import GitObjectDamaged
from isovc.history.index import ID, PackIndex, sha1
from isovc.history.loose import loose_objects, loose_path, read_loose

LOOSE_AT_ONCE = 2_000  # objects: packing takes 0.1 ms each, removing their files up to 1 ms more
BIG = 10_000  # objects: about a second of work; a pack of this size is left alone for ever
ROOM = "isovc-packing"  # folder in the git directory where a pack grows; what a stopped run left there is dropped
_TEMPORARY = "tmp_object_git2_"  # libgit2's object files under way; under our lock they belong to nobody


@dataclass(frozen=True, slots=True)
class Packed:
    """What a run did."""

    objects: int
    packs_joined: int


def pack_loose(repository: pygit2.Repository, directory: Path) -> Packed:
    """Pack what is loose. The pack is durable before anything is removed; the caller holds the lock."""
    objects, room = directory / "objects", directory / ROOM
    shutil.rmtree(room, ignore_errors=True)
    for left in objects.glob(f"{_TEMPORARY}*"):
        left.unlink(missing_ok=True)
    loose = [name for name in islice(loose_objects(objects), LOOSE_AT_ONCE) if _sound(objects, name)]
    if not loose:
        return Packed(0, 0)
    joined = _packs_to_join(objects / "pack", len(loose))
    ids = set(map(bytes.fromhex, loose)).union(*(index.names() for index in joined))
    room.mkdir()
    try:
        index = _write(repository, ids, room, objects / "pack")
    finally:
        shutil.rmtree(room, ignore_errors=True)
    for name in loose:
        loose_path(objects, name).unlink(missing_ok=True)
    _remove_packs([each.path for each in joined if each.path.name != index.name])
    return Packed(len(ids), len(joined))


def _sound(objects: Path, name: str) -> bool:
    """Damaged ones stay as they are, for `fsck` to find: libgit2 might never come back from them."""
    try:
        return read_loose(objects, name) is not None
    except GitObjectDamaged:
        return False


def _write(repository: pygit2.Repository, ids: set[bytes], room: Path, shelf: Path) -> Path:
    builder = pygit2.PackBuilder(repository)
    builder.set_threads(1)
    for each in sorted(ids):
        builder.add(pygit2.Oid(raw=each))
    builder.write(str(room))
    (index,) = room.glob("*.idx")
    if not ids <= set(PackIndex(index).names()):
        raise GitObjectDamaged(name=index.name, why="a fresh pack lacks objects")
    # The pack before its index: git looks for packs by their indexes.
    for path in (index.with_suffix(".pack"), index):
        path.replace(shelf / path.name)
    fsync_folder(shelf)
    return shelf / index.name


def _packs_to_join(shelf: Path, amount: int) -> list[PackIndex]:
    joined = []
    for index in sorted(_ours_to_join(shelf), key=lambda index: index.count):
        if index.count > amount or index.count >= BIG:
            break
        if _intact(index):
            joined.append(index)
            amount += index.count
    return joined


def _ours_to_join(shelf: Path) -> Iterator[PackIndex]:
    for path in shelf.glob("pack-*.idx"):
        if path.with_suffix(".pack").exists() and not path.with_suffix(".keep").exists():
            yield PackIndex(path)


def _intact(index: PackIndex) -> bool:
    """Damaged packs stay as they are, like damaged objects."""
    data = index.pack.read_bytes()
    return sha1(memoryview(data)[:-ID]) == data[-ID:]


def _remove_packs(indexes: list[Path]) -> None:
    for index in indexes:
        (index.parent / "multi-pack-index").unlink(missing_ok=True)  # it may name this pack; git does without
        for path in (index, *index.parent.glob(f"{index.stem}.*")):
            path.unlink(missing_ok=True)
