"""The bytes of a git commit and what they say. Knows nothing of files, objects or libgit2 (docs/formats/git.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from isovc.errors import BadMessage, NotCanonical
from isovc.history.identity import Identity

CommitId = NewType("CommitId", str)  # 40 hexadecimal digits: the SHA-1 of the commit object

SECOND = 1_000_000  # microseconds
LAST_TIME = 253_402_300_799 * SECOND  # 9999-12-31T23:59:59Z: later ones have no calendar date in Python
EXACT = b"isovc-microseconds"  # header: the fractions of a second that git's own lines leave out

_STAMP = re.compile(
    rb"(?P<name>[^<>\n]*?) ?<(?P<email>[^<>\n]*)> (?P<seconds>-?\d{1,12}) (?P<sign>[+-])(?P<zone>\d{4})"
)
_HEX = re.compile(rb"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class CommitObject:
    """One git commit. Times are microseconds since 1970; `zone` is minutes east of UTC, for display only."""

    tree: str
    parents: tuple[CommitId, ...]
    author: Identity
    authored: int
    committer: Identity
    committed: int
    message: str
    zone: int = 0


def encode_commit(commit: CommitObject) -> bytes:
    """The bytes that git stores for this commit."""
    commit.author.check()
    commit.committer.check()
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines.append(f"author {commit.author} {_stamp(commit.authored, commit.zone)}")
    lines.append(f"committer {commit.committer} {_stamp(commit.committed, commit.zone)}")
    lines.append(f"{EXACT.decode()} {commit.committed % SECOND} {commit.authored % SECOND}")
    # git ends every message with a newline of its own; reading takes exactly one away, so any text comes back exactly.
    body = commit.message + "\n" if commit.message else ""
    return ("\n".join(lines) + "\n\n").encode() + _message(body)


def decode_commit(data: bytes) -> CommitObject:
    """Read a commit made by isovc or by git itself."""
    head, _, body = data.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        fields.setdefault(key, []).append(value)  # continuation lines gather under the empty key
    try:
        author, authored, zone = _read_stamp(fields[b"author"][0])
        committer, committed, _ = _read_stamp(fields[b"committer"][0])
        exact = fields.get(EXACT, [b"0 0"])[0].split()
        return CommitObject(
            tree=_read_id(fields[b"tree"][0]),
            parents=tuple(CommitId(_read_id(value)) for value in fields.get(b"parent", [])),
            author=author,
            authored=authored + int(exact[1]) % SECOND,
            committer=committer,
            committed=committed + int(exact[0]) % SECOND,
            message=_read_message(body, fields.get(b"encoding", [b"utf-8"])[0]),
            zone=zone,
        )
    except (KeyError, ValueError, IndexError) as error:
        raise NotCanonical(what="a git commit", why=f"its header is malformed ({error})") from error


def _stamp(micros: int, zone: int) -> str:
    if not 0 <= micros <= LAST_TIME:
        raise ValueError(f"a commit time lies between 1970 and 9999, not at {micros} microseconds")
    sign = "-" if zone < 0 else "+"
    return f"{micros // SECOND} {sign}{abs(zone) // 60:02}{abs(zone) % 60:02}"


def _message(body: str) -> bytes:
    if "\0" in body:
        raise BadMessage(why="it holds the character U+0000, which git cannot keep")
    try:
        return body.encode()
    except UnicodeEncodeError as error:
        raise BadMessage(why=f"it is not valid Unicode text at character {error.start + 1}") from error


def _read_id(value: bytes) -> str:
    if _HEX.fullmatch(value) is None:
        raise ValueError("an id is not 40 hexadecimal digits")
    return value.decode()


def _read_stamp(value: bytes) -> tuple[Identity, int, int]:
    match = _STAMP.fullmatch(value)
    if match is None:
        raise ValueError("a person or a time is unreadable")
    minutes = int(match["zone"][:2]) * 60 + int(match["zone"][2:])
    who = Identity(match["name"].decode(errors="replace"), match["email"].decode(errors="replace"))
    return who, int(match["seconds"]) * SECOND, -minutes if match["sign"] == b"-" else minutes


def _read_message(body: bytes, encoding: bytes) -> str:
    try:
        text = body.decode(encoding.decode(), errors="replace")
    except (LookupError, UnicodeError):
        text = body.decode(errors="replace")
    return text.removesuffix("\n")
