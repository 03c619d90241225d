"""The version that a recorded entry stands for, made again from the nearest whole one. Changes nothing but chunks."""

from __future__ import annotations

from isovc.errors import TimelineBroken
from isovc.repo.entries import Entry, last_of_each
from isovc.repo.repository import Repository
from isovc.repo.timeline import Line, Timelines
from isovc.snapshot.replay import replay
from isovc.snapshot.version import Version, decode_version, same

MANY = 4096  # entries up to the next whole version: walking on to it to prove what was made takes a second at most


def version_at(repository: Repository, line: Line, entry: Entry, *, prove: bool = True) -> Version:
    """The whole version behind this entry. `prove`: where the next whole version is near, go on to it, and refuse to
    believe what does not lead there."""
    with repository.file.reading() as db:
        timelines = Timelines(db)
        begin = timelines.root(line, entry.number)
        if begin is None:
            raise TimelineBroken(head=line.head, number=entry.number, why="no whole version stands before it")
        number, files = begin
        before = list(timelines.entries(line, number, entry.number))
        end = timelines.root(line, entry.number, later=True) if prove else None
        after = _until(timelines, line, entry.number, end[0]) if end else None
    if any(each.whole for each in before):
        raise TimelineBroken(head=line.head, number=entry.number, why="a whole version before it is missing")
    version = _after(repository, line, entry, decode_version(files), before)
    if end and after is not None:
        proof = decode_version(end[1])
        if not same(_after(repository, line, entry, version, after), proof):
            raise TimelineBroken(
                head=line.head, number=entry.number, why=f"it does not lead to the whole version at {end[0]}"
            )
    return version


def _until(timelines: Timelines, line: Line, after: int, upto: int) -> list[Entry] | None:
    """The entries up to a whole version; None where they are many, or do not tell all that happened."""
    found: list[Entry] = []
    for entry in timelines.entries(line, after, upto):
        if entry.whole or len(found) == MANY:
            return None
        found.append(entry)
    return found if found and found[-1].number == upto else None


def _after(repository: Repository, line: Line, entry: Entry, version: Version, entries: list[Entry]) -> Version:
    rows = last_of_each(entries)
    if unknown := rows.keys() - version.roots.keys():
        why = f"it tells of a table {min(unknown)} that the whole version before it does not have"
        raise TimelineBroken(head=line.head, number=entry.number, why=why)
    return replay(repository.forest, version, rows)
