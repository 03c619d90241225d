"""Runs the workloads, ours and the peers' in turn, and writes docs/benchmarks."""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the project's own rooms, installed or not

import chunks  # noqa: F401 - enters its workloads
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
from report import Result, result, save, table

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
CACHE = Path(tempfile.gettempdir()) / "isovc-benchmarks"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="scripts/bench")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="50,000 rows, under two minutes")
    size.add_argument("--large", action="store_true", help="10,000,000 rows")
    size.add_argument("--rows", type=int, help="so many rows")
    parser.add_argument("--only", metavar="NAME", action="append", help="workloads with this in their name")
    parser.add_argument("--profile", metavar="NAME", help="profile ours of the workloads with this in their name")
    parser.add_argument("--list", action="store_true", help="list the workloads")
    parser.add_argument("--dry", action="store_true", help="print, but leave docs/benchmarks as it is")
    wanted = parser.parse_args()
    names = [wanted.profile] if wanted.profile else wanted.only or [""]
    works = [work for work in WORKLOADS if any(name in work.name for name in names)]
    if wanted.list or not works:
        print("\n".join(work.name for work in works or WORKLOADS))
        return
    rows = wanted.rows or (50_000 if wanted.quick else 10_000_000 if wanted.large else 1_000_000)
    with _bench(rows) as bench:
        if wanted.profile:
            for work in works:
                _profile(bench, work)
            return
        results = []
        for work in works:
            results.append(_run(bench, work))
            if not wanted.dry and not wanted.rows:  # one by one: a long run that is stopped keeps what it has
                save(DOCS, results[-1], quick=wanted.quick)
    print(table(results))


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
