"""Recorded states are thinned as the policy says, and each that is kept stays what it was."""

from __future__ import annotations

import random

import pytest

from isovc.lifecycle.thinning import thin
from isovc.repo.entries import Entry, Kind, TableChanges, decode_entries, encode_entries, merged
from isovc.repo.keeping import parse_policy
from isovc.repo.rebuilding import version_at
from isovc.repo.repository import Repository
from isovc.repo.timeline import Line, Timelines
from isovc.repo.worktrees import Worktrees
from isovc.snapshot.version import encode_version
from tests.versioned import Versioned
from tests.watched import as_seen, opened

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
NOW = 1_800_000_000_000_000
MAIN = "refs/heads/main"


def _recorded(repository: Repository, draw: random.Random, many: int, *, spacing: int) -> Line:
    """Transactions of one row each, the last one now; now and then a whole version of what they made."""
    with repository.file.reading() as db:
        files = Worktrees(db).get(1).files
    begin = NOW - many * spacing
    entries = [Entry(1, begin, Kind.START, whole=True)]
    for number in range(2, many + 1):
        row = (draw.randrange(40), f"state {number}", "x")
        gone, rows = ((row[:1],), ()) if draw.random() < 0.2 else ((), (row,))
        entries.append(Entry(number, begin + number * spacing, tables={"notes": TableChanges(1, gone, rows)}))
    with repository.file.transaction() as db:
        timelines = Timelines(db)
        line = timelines.open(1, MAIN)
        line = timelines.append(line, entries, seen=NOW, place=None, operation=0, roots={1: files})
    for number in sorted(draw.sample(range(2, many - 600), 5)):
        version = version_at(repository, line, entries[number - 1])
        with repository.file.transaction() as db:
            Timelines(db).set_root(Timelines(db).by_id(line.id), number, encode_version(version))
    return line


def _kept(repository: Repository, line: Line) -> list[Entry]:
    with repository.file.reading() as db:
        return list(Timelines(db).entries(line, 0, 1 << 60))


@pytest.mark.parametrize(
    ("policy", "spacing"),
    [
        ("all 1h, 1 per minute 1d, 1 per hour 30d", MINUTE // 3),
        ("all 1h, 1 per hour 12h", 10 * MINUTE),
        ("1 per day 3d", HOUR // 2),
        ("all 1s", MINUTE),
    ],
)
def test_what_is_kept_stays_what_it_was(app: Versioned, policy: str, spacing: int) -> None:
    app.ok("config", "watch.keep", policy)
    with opened(app) as repository:
        line = _recorded(repository, random.Random(policy), 1700, spacing=spacing)
        before = {each.number: each for each in _kept(repository, line)}
        was = {n: as_seen(repository, version_at(repository, line, before[n])) for n in range(1, 1701, 7)}
        told = thin(repository, NOW, dry_run=True)
        assert _kept(repository, line) == list(before.values())
        fewer = thin(repository, NOW)
        after = _kept(repository, line)
        assert fewer == told == len(before) - len(after) > 0
        assert {each.number for each in after} <= before.keys()
        assert all(each.time == before[each.number].time for each in after)
        for each in after:
            if each.number in was:
                assert as_seen(repository, version_at(repository, line, each)) == was[each.number]
        # what stands in no old pack is not touched, and the last state is always kept
        assert after[-1] == before[1700]
        places = [parse_policy(policy).place(each.time, NOW) for each in after]
        first_open = after[-1].number // 512 * 512
        closed = [place for place, each in zip(places, after, strict=True) if each.number <= first_open and place]
        assert len(closed) - len(set(closed)) <= 4  # packs are thinned some at a time
        assert thin(repository, NOW) <= fewer
    app.ok("gc")
    with opened(app) as repository:
        for each in _kept(repository, line)[-20:]:
            version_at(repository, line, each)
    assert app.json("fsck")["damages"] == []


def test_a_gap_is_told_of_states_that_are_kept_as_one() -> None:
    entries = [
        Entry(1, NOW, Kind.ARRIVED, NOW - 9, None, whole=True),
        Entry(2, NOW + 1),
        Entry(3, NOW + 7, Kind.GAP, NOW + 3, None, whole=True),
        Entry(4, NOW + 8),
    ]
    found = merged(entries)
    assert (found.number, found.is_gap, found.since, found.transactions) == (4, True, NOW + 3, None)
    assert merged(entries[:2]).kind is Kind.ARRIVED


def test_all_may_be_written_keep_all() -> None:
    assert parse_policy("keep-all 7d, 1 per minute 30d") == parse_policy("all 7d, 1 per minute 30d")


def test_entries_come_back_from_their_bytes() -> None:
    draw = random.Random(5)
    entries = [
        Entry(
            number,
            NOW + number * 7,
            draw.choice(list(Kind)),
            draw.choice([None, NOW]),
            draw.choice([None, 1, 5]),
            draw.choice([None, 3]),
            draw.random() < 0.3,
            {
                name: TableChanges(1, tuple((n,) for n in range(draw.randrange(3))), ((9, None, b"x", 1.5, "\udcff"),))
                for name in draw.sample(["a", "b", "c"], draw.randrange(3))
            },
        )
        for number in sorted(draw.sample(range(1, 1000), 200))
    ]
    assert decode_entries(encode_entries(entries)) == entries
