"""Can be rebuilt what watchers recorded? Every row of the timelines is read; the rows it tells of are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from isovc.errors import IsovcError
from isovc.lifecycle.damage import Damage
from isovc.repo.repository import Repository
from isovc.repo.seals import together
from isovc.repo.timeline import Line, Timelines
from isovc.repo.worktrees import Files
from isovc.snapshot.version import Version, decode_version


def damaged_timelines(repository: Repository, check: Callable[[Version], Iterator[Damage]]) -> Iterator[Damage]:
    """What is wrong with them. `check`: what is wrong with the trees of a version."""
    try:
        with repository.file.reading() as db:
            lines = Timelines(db).all()
            for (lost,) in db.execute(
                "SELECT DISTINCT line FROM timeline_pack WHERE line NOT IN (SELECT id FROM timeline)", ()
            ):
                yield Damage(f"the row of timeline {lost} in store.db is missing")
    except IsovcError as error:
        yield Damage(error.message)
        return
    for line in lines:
        try:
            roots = _roots(repository, line)
            for number, files in roots:
                for damage in check(decode_version(files)):
                    yield Damage(f"recorded state {number} of {line.head}: {damage.what}", table=damage.table)
            yield from _packs(repository, line)
        except IsovcError as error:
            yield Damage(error.message)


def _roots(repository: Repository, line: Line) -> list[tuple[int, Files]]:
    with repository.file.reading() as db:
        return Timelines(db).roots(line)


def _packs(repository: Repository, line: Line) -> Iterator[Damage]:
    with repository.file.reading() as db:
        timelines = Timelines(db)
        numbers = {number for number, _ in timelines.roots(line)}
        last = 0
        for pack in timelines.packs(line):
            for entry in pack.read():
                if entry.whole and entry.number not in numbers:
                    yield Damage(f"the whole version of recorded state {entry.number} of {line.head} is missing")
            if pack.first <= last:
                yield Damage(f"recorded states from {pack.first} of {line.head} stand there twice")
            last = pack.last
        seals = [
            bytes(row[0])
            for table in ("timeline_pack", "timeline_root")
            for row in db.execute(f"SELECT seal FROM {table} WHERE line = ?", (line.id,))
        ]
        if together(seals) != timelines.by_id(line.id).seals:
            yield Damage(f"recorded states of {line.head} are missing")
        if numbers and last and min(numbers) > last:
            yield Damage(f"no whole version leads to the recorded states of {line.head}")
