"""Object files read one by one, checked against their names. Knows nothing of packs or of what objects mean.

Not left to libgit2: it never returns from an object file that was cut short (seen with 1.9.7).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

from isovc.errors import GitObjectDamaged

_NAME = 40  # hexadecimal digits of a SHA-1


def loose_objects(objects: Path) -> Iterator[str]:
    """The names of all objects that are files of their own."""
    for folder in sorted(objects.glob("[0-9a-f][0-9a-f]")):
        yield from (folder.name + path.name for path in folder.iterdir() if len(path.name) == _NAME - 2)


def loose_path(objects: Path, name: str) -> Path:
    """Where an object lies while it is a file of its own."""
    return objects / name[:2] / name[2:]


def read_loose(objects: Path, name: str) -> tuple[str, bytes] | None:
    """Kind and content of an object; None: it is no file of its own."""
    try:
        data = loose_path(objects, name).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GitObjectDamaged(name=name, why=error.strerror or str(error)) from error
    inflate = zlib.decompressobj()
    try:
        whole = inflate.decompress(data)
    except zlib.error as error:
        raise GitObjectDamaged(name=name, why=str(error)) from error
    if not inflate.eof or inflate.unused_data:
        raise GitObjectDamaged(name=name, why="its file was cut short" if not inflate.eof else "its file is too long")
    if hashlib.sha1(whole, usedforsecurity=False).hexdigest() != name:
        raise GitObjectDamaged(name=name, why="its bytes do not give its name")
    head, _, content = whole.partition(b"\0")
    return head.partition(b" ")[0].decode(errors="replace"), content
