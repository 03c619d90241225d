"""What a run found, as JSON for machines and as a table for people."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from peers import versions
from registry import FULL, Outcome, Workload

from isovc import __version__

RESULTS, QUICK = "results", "quick"  # under which they are kept


@dataclass(frozen=True, slots=True)
class Figures:
    """One contender of one workload."""

    minimum: float
    median: float
    maximum: float
    bytes: int | None
    memory: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """One workload."""

    name: str
    rows: int
    against: str
    ratio: float | None  # of minimums: the one figure that other work on the machine spoils least
    limit: str
    holds: bool | None
    contenders: dict[str, Figures]
    note: str = ""


def figures(outcomes: list[Outcome]) -> Figures:
    """Several goes in numbers."""
    seconds = [outcome.seconds for outcome in outcomes]
    sizes = [outcome.bytes for outcome in outcomes if outcome.bytes is not None]
    peaks = [outcome.memory for outcome in outcomes if outcome.memory is not None]
    return Figures(
        min(seconds), median(seconds), max(seconds), int(median(sizes)) if sizes else None, max(peaks, default=None)
    )


def result(work: Workload, rows: int, outcomes: dict[str, list[Outcome]], note: str) -> Result:
    """Held against its limits."""
    found = {name: figures(several) for name, several in outcomes.items()}
    ours, other = found["isovc"], found.get(work.against)
    ratio = ours.minimum / other.minimum if other else None
    held: list[bool] = []
    limits: list[str] = []
    if rows != FULL:  # the limits are those of a million rows
        return Result(work.name, rows, work.against, ratio, "", None, found, note)
    if work.ratio is not None:
        limits.append(f"{work.ratio:.2g} x {work.against}")
        held += [ratio <= work.ratio] if ratio is not None else []
    if work.seconds is not None:
        limits.append(_seconds(work.seconds))
        held.append(ours.minimum <= work.seconds)
    if work.bytes is not None:
        limits.append(_bytes(work.bytes))
        held += [ours.bytes <= work.bytes] if ours.bytes is not None else []
    if work.memory is not None:
        limits.append(_bytes(work.memory))
        held += [ours.memory <= work.memory] if ours.memory is not None else []
    return Result(work.name, rows, work.against, ratio, ", ".join(limits), all(held) if held else None, found, note)


def kept(folder: Path, name: str) -> list[Result]:
    """The results that were kept under this name."""
    path = folder / f"{name}.json"
    return [_result(one) for one in json.loads(path.read_text())["results"]] if path.exists() else []


_PICTURES = """![How many times the peer's time each takes](ratios.svg)

![How time grows with the rows of a table](growth.svg)
"""


def save(folder: Path, new: Result, name: str) -> None:
    """Put one result among the ones kept, in the place of an older one of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    known = {(one.name, one.rows): one for one in kept(folder, name)}
    results = list((known | {(new.name, new.rows): new}).values())
    document = {"machine": machine(), "results": [asdict(one) for one in results]}
    path.write_text(json.dumps(document, indent=1) + "\n")
    if name == RESULTS:  # what a quick run found is for the next one to compare with, and for nobody to read
        (folder / f"{name}.md").write_text(f"{table(results)}\n{_PICTURES}")


def _result(stored: dict[str, Any]) -> Result:
    contenders = {name: Figures(**found) for name, found in stored["contenders"].items()}
    return Result(**{**stored, "contenders": contenders})


def machine() -> dict[str, object]:
    """What it ran on."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "isovc": __version__,
        **{package: _version(package) for package in ("zstandard", "blake3", "msgpack")},
        **versions(),
    }


def table(results: list[Result]) -> str:
    """Markdown."""
    about = machine()
    peers = ", ".join(f"{name} {version}" for name, version in versions().items())
    told = (
        f"{about['when']}, {about['system']}, {about['cores']} cores, load {about['load']:.1f} at the end, Python "
        f"{about['python']}; {peers}. Times are the least, the median and the most of several goes, in turn with the "
        "peer's. A ratio below 1 means that isovc is faster. Other work on the machine moves all of them: compare "
        "ratios."
    )
    lines = [
        "# Results",
        "",
        told,
        "",
        "| work | rows | isovc: min / median / max | at rest | peer: min / median / max | ratio | limit | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        ours = one.contenders["isovc"]
        others = "; ".join(
            f"{name} {_three(found)}{f', {_bytes(found.bytes)}' if found.bytes and ours.bytes else ''}"
            for name, found in one.contenders.items()
            if name != "isovc"
        )
        rest = ", ".join(
            [_bytes(ours.bytes)] * bool(ours.bytes) + [f"peak {_bytes(ours.memory or 0)}"] * bool(ours.memory)
        )
        ratio = f"{one.ratio:.2f}" if one.ratio else ""
        holds = "" if one.holds is None else "yes" if one.holds else "**no**"
        others += f" ({one.note})" if one.note else ""
        lines.append(
            f"| {one.name} | {one.rows:,} | {_three(ours)} | {rest} | {others} | {ratio} | {one.limit} | {holds} |"
        )
    return "\n".join(lines) + "\n"


def _three(found: Figures) -> str:
    return " / ".join(map(_seconds, (found.minimum, found.median, found.maximum)))


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _bytes(value: int | None) -> str:
    if value is None:
        return ""
    return (
        f"{value / 1e6:.1f} MB" if value >= 1_000_000 else f"{value / 1000:.1f} kB" if value >= 1000 else f"{value} B"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
