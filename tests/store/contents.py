"""Contents that look like what a repository keeps."""

from __future__ import annotations

import random


def leaf(seed: int, rows: int = 64) -> bytes:
    """Rows of a table, unlike those of any other seed."""
    chance = random.Random(seed)
    return b"\x01" + b"".join(
        b"%08d name of %d %s\n" % (n, seed, chance.randbytes(12).hex().encode()) for n in range(rows)
    )


def edited(content: bytes, seed: int) -> bytes:
    """The same with one row changed."""
    chance = random.Random(seed)
    lines = content.split(b"\n")
    at = chance.randrange(1, len(lines) - 1)
    lines[at] = b"%08d edited %s" % (at, chance.randbytes(12).hex().encode())
    return b"\n".join(lines)


def store(chunks, *contents: bytes) -> list[bytes]:
    """Keep them, and their ids."""
    with chunks.writing() as writer:
        return [writer.put(content) for content in contents]


def versions(chunks, first: bytes, count: int) -> list[bytes]:
    """The ids of a leaf that changes one row a commit."""
    ids, content = store(chunks, first), first
    for version in range(count):
        content = edited(content, version)
        with chunks.writing() as writer:
            ids.append(writer.put(content, base=ids[-1]))
    return ids
