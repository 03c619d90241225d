"""Does the index of the commits say what git says? Trusts nothing in the table: a changed byte can make anything of it.

Commits that git alone knows are no damage by themselves: a stopped command leaves some, and so does `gc`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from isovc.errors import IsovcError
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.lifecycle.damage import Damage
from isovc.repo.repository import Repository

_KINDS = (int, int, int, int, int, str, bytes, str, str)
_ID = 20  # bytes

REINDEX = "isovc fsck --rebuild-index"


class Line(NamedTuple):
    """One line of the index, as it lies there."""

    number: int
    time: int
    generation: int
    depth: int
    jump: int
    parents: str
    raw: bytes
    author: str
    message: str

    @property
    def id(self) -> CommitId:
        """The commit."""
        return CommitId(self.raw.hex())


def lines(repository: Repository, damages: list[Damage]) -> dict[int, Line]:
    """All of the index by number; what makes no sense is left out and told."""
    found: dict[int, Line] = {}
    listing = "SELECT number, time, generation, depth, jump, parents, id, author, message FROM commit_entry"
    try:
        with repository.file.reading() as db:
            for row in db.execute(f"{listing} ORDER BY number"):
                if tuple(map(type, row)) == _KINDS and len(row[6]) == _ID and _numbers(row[5]) is not None:
                    found[row[0]] = Line(*row)
                else:
                    damages.append(
                        Damage(f"line {row[0]} of the index of the commits makes no sense", _id(row[6]), remedy=REINDEX)
                    )
    except IsovcError as error:
        damages.append(Damage(error.message))
    return found


def compared(history: GitHistory, line: Line, all_lines: Mapping[int, Line]) -> Iterator[Damage]:
    """What is wrong with one line. Raises where git's own commit cannot be read."""
    made = history.read_commit(line.id)
    above = [all_lines.get(number) for number in _numbers(line.parents) or ()]
    parents = tuple(each.id if each else CommitId("") for each in above)
    told = (made.parents, made.committed, str(made.author), made.message)
    if told != (parents, line.time, line.author, line.message):
        yield Damage(f"commit {line.id[:12]} reads otherwise in git than in the index", line.id, remedy=REINDEX)
    elif not _bones_fit(line, [each for each in above if each], all_lines):
        yield Damage(f"the way up from commit {line.id[:12]} is not what the index says", line.id, remedy=REINDEX)


def unlisted(history: GitHistory, tips: Iterable[CommitId], index: Mapping[int, Line]) -> Iterator[CommitId]:
    """The commits that these lead to in git, and that the index lacks."""
    listed = {line.id for line in index.values()}
    done: set[CommitId] = set()
    waiting = list(tips)
    while waiting:
        commit = waiting.pop()
        if commit in done or not history.has(commit):
            continue
        done.add(commit)
        if commit not in listed:
            yield commit
        try:
            waiting += history.read_commit(commit).parents
        except IsovcError:
            pass  # whoever checks it meets that too


def _bones_fit(line: Line, above: list[Line], all_lines: Mapping[int, Line]) -> bool:
    if any(each.number >= line.number or each.time >= line.time for each in above):
        return False
    if line.generation != 1 + max((each.generation for each in above), default=0):
        return False
    if not above:
        return (line.depth, line.jump) == (0, 0)
    parent = above[0]
    far = all_lines.get(parent.jump, parent)
    further = all_lines.get(far.jump, far)
    even = parent.depth - far.depth == far.depth - further.depth
    return line.depth == parent.depth + 1 and line.jump == (further if even else parent).number


def _numbers(text: str) -> tuple[int, ...] | None:
    parts = text.split(" ") if text else []
    return tuple(map(int, parts)) if all(part.isascii() and part.isdecimal() for part in parts) else None


def _id(raw: object) -> CommitId | None:
    return CommitId(raw.hex()) if isinstance(raw, bytes) and len(raw) == _ID else None
