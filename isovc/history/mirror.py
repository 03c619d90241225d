"""Git's own refs, made equal to the true ones that live elsewhere. Knows nothing of objects or libgit2.

All branches and tags go into `packed-refs` in one rename: 2,000 of them cost one small file, and no `*.lock` file of
ours can be left behind, because none is made. What git's tools keep elsewhere (refs/bisect, refs/notes, ...) stays.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from isovc.disk import write_durably
from isovc.history.commit import CommitId

OWNED = ("refs/heads/", "refs/tags/")
_HEADER = b"# pack-refs with: sorted \n"  # with the blank git writes; not "peeled": that would promise tag targets
_LOCKED_FILES = ("HEAD", "config", "packed-refs")
_STALE = 60.0  # seconds: git's tools hold a lock file for milliseconds; an older one belongs to nobody alive


def mirror_refs(directory: Path, refs: Mapping[str, CommitId], head: str) -> bool:
    """Make git show exactly these branches and tags and HEAD (a full ref name or an id). True: it had differed."""
    for name in refs:
        if not name.startswith(OWNED) or "\n" in name:
            raise ValueError(f"{name!r} is not the full name of a branch or tag")
    _drop_stale_locks(directory)
    _drop_unfinished(directory)
    wanted = {name.encode(): commit.encode() for name, commit in refs.items()}
    changed = _set_refs(directory, wanted)
    return _set_head(directory, f"ref: {head}\n" if head.startswith("refs/") else f"{head}\n") or changed


def shown_refs(directory: Path) -> dict[bytes, bytes]:
    """The branches and tags that git shows now, by their full names."""
    packed = _read_packed(directory / "packed-refs")
    return {name: commit for name, commit in packed.items() if _owned(name)} | {
        _name(directory, path): _read(path).strip() for path in _loose_files(directory)
    }


def shown_head(directory: Path) -> str:
    """Git's HEAD: a full ref name or an id."""
    return _read(directory / "HEAD").decode(errors="replace").strip().removeprefix("ref: ")


def _set_refs(directory: Path, wanted: dict[bytes, bytes]) -> bool:
    if shown_refs(directory) == wanted:
        return False
    packed = _read_packed(directory / "packed-refs")
    loose = list(_loose_files(directory))
    lines = {name: commit for name, commit in packed.items() if not _owned(name)} | wanted
    text = b"".join(b"%s %s\n" % (lines[name], name) for name in sorted(lines))
    write_durably(directory / "packed-refs", _HEADER + text)
    # A loose ref hides the packed one, so it goes, and its empty folder with it; only afterwards, or it would be gone.
    for path in loose:
        path.unlink(missing_ok=True)
    _drop_empty_folders(directory)
    return True


def _set_head(directory: Path, text: str) -> bool:
    path = directory / "HEAD"
    if _read(path) == text.encode():
        return False
    write_durably(path, text.encode())
    return True


def _read_packed(path: Path) -> dict[bytes, bytes]:
    """Lines that are no refs (comments, tag targets, anything broken) are left out, and so from the next file."""
    refs = {}
    for line in _read(path).split(b"\n"):
        commit, space, name = line.partition(b" ")
        if space and len(commit) == 40 and name.startswith(b"refs/"):
            refs[name] = commit
    return refs


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _owned(name: bytes) -> bool:
    return name.decode(errors="replace").startswith(OWNED)


def _name(directory: Path, path: Path) -> bytes:
    return os.fsencode(path.relative_to(directory))


def _loose_files(directory: Path) -> Iterator[Path]:
    for owned in OWNED:
        for folder, _, files in os.walk(directory / owned):
            yield from (Path(folder, name) for name in files if not name.endswith(".lock"))


def _drop_empty_folders(directory: Path) -> None:
    for owned in OWNED:
        for folder, _, _ in os.walk(directory / owned, topdown=False):
            path = Path(folder)
            if path != directory / owned and not any(path.iterdir()):
                path.rmdir()


def _drop_unfinished(directory: Path) -> None:
    """Files of ours that were never renamed into their place. The caller holds the lock, so nobody is at it still."""
    for name in ("HEAD", "packed-refs"):
        for path in directory.glob(f".{name}.*"):
            path.unlink(missing_ok=True)


def _drop_stale_locks(directory: Path) -> None:
    now = time.time()
    found = [directory / f"{name}.lock" for name in _LOCKED_FILES]
    found += [Path(folder, name) for folder, _, names in os.walk(directory / "refs") for name in names]
    for path in found:
        if path.suffix == ".lock" and path.exists() and abs(now - path.stat().st_mtime) > _STALE:
            path.unlink(missing_ok=True)
