"""Fewer recorded states the older they are, as the policy says. What a later state is rebuilt from is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from isovc.progress import SILENT, Progress
from isovc.repo.entries import Entry, merged
from isovc.repo.keeping import Policy
from isovc.repo.rebuilding import version_at
from isovc.repo.repository import Repository
from isovc.repo.timeline import Line, Pack, Timelines
from isovc.snapshot.version import Version, encode_version

_PACKS = 32  # packs that are thinned in one transaction: some MB in memory, and some ms of the write lock


@dataclass(slots=True)
class _Stretch:
    """What becomes of some packs: the entries in their place, and the numbers whose whole version is to be kept."""

    packs: list[Pack]
    entries: list[Entry] = field(default_factory=list)
    whole: list[Entry] = field(default_factory=list)  # as they are now, before anything is merged
    dropped: set[int] = field(default_factory=set)


def thin(repository: Repository, now: int, *, dry_run: bool = False, progress: Progress = SILENT) -> int:
    """Merge and drop what the setting `watch.keep` no longer asks for; how many states are, or would be, fewer."""
    policy: Policy = repository.settings.formed("watch.keep")
    fewer = 0
    with repository.file.reading() as db:
        lines = Timelines(db).all()
    with progress.task("Thinning what was recorded", total=len(lines), unit="timelines") as task:
        for line in lines:
            fewer += sum(_thinned(repository, line, policy, now, dry_run=dry_run))
            task.advance()
    return fewer


def _thinned(repository: Repository, line: Line, policy: Policy, now: int, *, dry_run: bool) -> Iterator[int]:
    after = 0
    while True:
        with repository.file.reading() as db:
            timelines = Timelines(db)
            newest = timelines.last_pack(line)
            packs: list[Pack] = []
            for pack in timelines.packs(line, after=after):
                # the newest is still being written, and is what everything goes on from
                if newest is None or pack.id == newest.id or len(packs) == _PACKS:
                    break
                packs.append(pack)
            roots = {number for number, _ in timelines.roots(line)}
        if not packs:
            return
        after = packs[-1].last
        stretch = _planned(packs, policy, now, roots)
        before = sum(pack.entries for pack in packs)
        if len(stretch.entries) == before:
            continue
        yield before - len(stretch.entries)
        if not dry_run:
            _do(repository, line, stretch)


def _planned(packs: list[Pack], policy: Policy, now: int, roots: set[int]) -> _Stretch:
    entries = [entry for pack in packs for entry in pack.read()]
    stretch = _Stretch(packs)
    for place, some in groupby(entries, key=lambda entry: policy.place(entry.time, now)):
        group = list(some)
        if place is None:
            stretch.dropped.update(entry.number for entry in group)
            continue
        kept = merged(group)
        inner = {entry.number for entry in group[:-1]} & roots
        is_first = not stretch.entries and bool(stretch.dropped)
        stretch.entries.append(kept)
        if inner or is_first or (kept.whole and kept.number not in roots):
            # every version it, or a later one, was rebuilt from goes: it becomes one itself
            stretch.whole.append(group[-1])
            stretch.dropped |= inner
    if not stretch.entries:  # all of it is too old; what comes later is told from its end
        stretch.entries.append(merged(entries[-1:]))
        stretch.whole.append(entries[-1])
        stretch.dropped.discard(entries[-1].number)
    return stretch


def _do(repository: Repository, line: Line, stretch: _Stretch) -> None:
    versions: dict[int, Version] = {
        entry.number: version_at(repository, line, entry, prove=False) for entry in stretch.whole
    }
    with repository.file.transaction() as db:
        timelines = Timelines(db)
        known = {number for number, _ in timelines.roots(line)}
        now = timelines.replace(timelines.by_id(line.id), [pack.id for pack in stretch.packs], stretch.entries)
        for number, version in versions.items():
            now = timelines.set_root(now, number, encode_version(version))
        for number in (stretch.dropped & known) - versions.keys():
            now = timelines.set_root(now, number, None)
