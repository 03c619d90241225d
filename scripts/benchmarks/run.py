"""Runs the workloads, ours and the peers' in turn, and writes docs/benchmarks."""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the project's own rooms, installed or not

import chunks  # noqa: F401 - enters its workloads
import copies  # noqa: F401
import databases  # noqa: F401
import differences  # noqa: F401
import files  # noqa: F401
import large  # noqa: F401
import lives  # noqa: F401
import merges  # noqa: F401
import moments  # noqa: F401
import operations  # noqa: F401
import queries  # noqa: F401
import trees  # noqa: F401
from registry import WORKLOADS, Bench, Contender, Outcome, PeerMissing, Workload
from report import QUICK, RESULTS, Result, kept, result, save, table

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
GROWTH = (10_000, 100_000, 1_000_000, 10_000_000)
GROWN = ("first commit", "commit 1,000 scattered updates", "diff of 1,000 scattered changes", "scan of all rows")
SLOWER, CHANCES = 1.5, 3  # times the recorded ratio; goes until it counts
SHORTEST = 0.003  # seconds
CACHE = Path(tempfile.gettempdir()) / "isovc-benchmarks"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="scripts/bench")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="50,000 rows, under two minutes")
    size.add_argument("--large", action="store_true", help="10,000,000 rows")
    size.add_argument("--rows", type=int, help="so many rows")
    parser.add_argument("--only", metavar="NAME", action="append", help="workloads with this in their name")
    parser.add_argument("--profile", metavar="NAME", help="profile ours of the workloads with this in their name")
    parser.add_argument("--growth", action="store_true", help="only what is drawn as growth: 10,000 to 10,000,000 rows")
    parser.add_argument("--gate", action="store_true", help="fail where a ratio is 1.5 x the recorded one")
    parser.add_argument("--draw", action="store_true", help="only draw the pictures of the results there are")
    parser.add_argument("--list", action="store_true", help="list the workloads")
    parser.add_argument("--dry", action="store_true", help="print, but leave docs/benchmarks as it is")
    wanted = parser.parse_args()
    names = [wanted.profile] if wanted.profile else wanted.only or [""]
    works = [work for work in WORKLOADS if any(name in work.name for name in names)]
    if wanted.quick and not wanted.only:
        works = [work for work in works if not work.is_large]
    if wanted.list or not works:
        print("\n".join(work.name for work in works or WORKLOADS))
        return
    if wanted.draw:
        print(*_draw(), sep="\n")
        return
    if wanted.growth:
        for size in GROWTH:
            _run_all(size, [work for work in WORKLOADS if work.name in GROWN], RESULTS)
        print(*_draw(), sep="\n")
        return
    rows = wanted.rows or (50_000 if wanted.quick else 10_000_000 if wanted.large else 1_000_000)
    if wanted.profile:
        with _bench(rows) as bench:
            for work in works:
                _profile(bench, work)
        return
    if wanted.gate:
        sys.exit(_gate(rows, works))
    keeps = not wanted.dry and not wanted.rows
    results = _run_all(rows, works, (QUICK if wanted.quick else RESULTS) if keeps else "")
    print(table(results))
    if keeps and not wanted.quick:
        print(*_draw(), sep="\n")


def _run_all(rows: int, works: Iterable[Workload], kept_as: str) -> list[Result]:
    results = []
    with _bench(rows) as bench:
        for work in works:
            results.append(_run(bench, work))
            if kept_as:  # one by one: a long run that is stopped keeps what it has
                save(DOCS, results[-1], kept_as)
    return results


def _gate(rows: int, works: list[Workload]) -> int:
    """How the ratios are against the recorded ones. What seems slower gets another chance: the machine has other work
    too."""
    recorded = {one.name: one for one in kept(DOCS, QUICK) if one.rows == rows and _counts(one)}
    works = [work for work in works if work.name in recorded]
    slower: list[Result] = []
    for _ in range(CHANCES):
        found = _run_all(rows, works, "")
        slower = [one for one in found if (one.ratio or 0) > SLOWER * (recorded[one.name].ratio or 0)]
        works = [work for work in works if work.name in {one.name for one in slower}]
        if not works:
            break
    for one in slower:
        before = recorded[one.name].ratio
        print(f"{one.name}: {one.ratio:.2f} x {one.against}, recorded are {before:.2f}", file=sys.stderr)
    return 1 if slower else 0


def _counts(found: Result) -> bool:
    """What is over in no time is the machine's doing more than ours."""
    return found.ratio is not None and all(each.minimum >= SHORTEST for each in found.contenders.values())


def _draw() -> list[Path]:
    try:
        pictures = import_module("pictures")
    except ImportError:
        return []  # without matplotlib there are no pictures
    drawn: list[Path] = pictures.draw(DOCS, kept(DOCS, RESULTS))
    return drawn


@contextmanager
def _bench(rows: int) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="isovc-bench-") as scratch:
        bench = Bench(rows, Path(scratch), CACHE)
        try:
            yield bench
        finally:
            for close in reversed(bench.closing):
                close()


def _run(bench: Bench, work: Workload) -> Result:
    note = ""
    contenders = work.prepare(bench)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in contenders}
    for turn in range(work.rounds):
        # whoever goes first has the colder disk: take turns at that, too
        for name in list(contenders)[:: 1 if turn % 2 == 0 else -1]:
            try:
                outcomes[name].append(_go(contenders[name]))
            except PeerMissing as missing:
                note = str(missing)
                del contenders[name], outcomes[name]
    found = result(work, bench.rows, outcomes, note)
    print(
        f"{work.name}: " + ", ".join(f"{name} {f.minimum * 1000:.1f} ms" for name, f in found.contenders.items()),
        flush=True,
    )
    return found


def _go(contender: Contender) -> Outcome:
    gc.collect()
    gc.freeze()  # a million rows in memory are ours, not the library's: its collector shall not walk them
    try:
        return contender()
    finally:
        gc.unfreeze()


def _profile(bench: Bench, work: Workload) -> None:
    ours = work.prepare(bench)["isovc"]
    ours()
    profile = cProfile.Profile()
    profile.enable()
    ours()
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


main()
