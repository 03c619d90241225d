"""Pieces of the index of rows as files of a cache: read, added, joined. Files may vanish or be damaged at any time:
what they said is then not known, and nothing worse. One process writes at a time; whoever comes beside it does not."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from isovc.errors import NotCanonical, NotStorable
from isovc.workspace.rows.segment import MOST_COMMITS, Segment, decode_segment, encode_segment, joined

_PART = ".part"


def load(folder: Path) -> dict[Path, Segment]:
    """What is there and whole."""
    found: dict[Path, Segment] = {}
    with suppress(OSError):
        for file in sorted(folder.iterdir()):
            if file.suffix != _PART:
                with suppress(OSError, NotCanonical):
                    found[file] = decode_segment(file.read_bytes())
    return found


def keep(folder: Path, fresh: Segment, known: Set[bytes]) -> None:
    """Add a piece. Those that are not larger than twice what comes are joined with it: so there are few, and an entry
    is written again as often as what there is has doubled."""
    # a cache: what cannot be kept is found again
    with suppress(OSError, NotStorable):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder) as is_alone:
            if is_alone:
                _keep(folder, fresh, known)


def _keep(folder: Path, fresh: Segment, known: Set[bytes]) -> None:
    there = load(folder)
    for file in folder.iterdir():
        if file not in there:  # damaged, or of a process that ended half-way
            file.unlink(missing_ok=True)
    small, absorbed = _small(there, fresh)
    whole = joined([*small, fresh], known)
    file = folder / f"{len(whole.commits)}-{secrets.token_hex(6)}"
    part = file.with_name(file.name + _PART)
    part.write_bytes(encode_segment(whole))
    part.replace(file)
    for old in absorbed:
        old.unlink(missing_ok=True)


def _small(there: dict[Path, Segment], fresh: Segment) -> tuple[Sequence[Segment], Sequence[Path]]:
    weight, commits = fresh.weight, len(fresh.commits)
    found: dict[Path, Segment] = {}
    for file, each in sorted(there.items(), key=lambda item: item[1].weight):
        if each.weight > 2 * weight or commits + len(each.commits) > MOST_COMMITS:
            break
        found[file] = each
        weight, commits = weight + each.weight, commits + len(each.commits)
    return list(found.values())[::-1], list(found)  # the largest first: it is taken as it is


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """A kernel lock on the folder, which ends with this process however it ends."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(held)
