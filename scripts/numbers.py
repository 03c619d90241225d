"""Writes the figures in README.md and docs/comparison.md, out of docs/benchmarks and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "comparison.md")
RESULTS = ROOT / "docs" / "benchmarks" / "results.md"

# what people ask about first; its name in the results, and in words
_WORK = {
    "first commit": "first commit of a million rows",
    "commit 1,000 scattered updates": "commit of 1,000 scattered rows",
    "diff of 1,000 scattered changes": "diff of those",
    "merge of 1,000 with 1,000": "merge of 1,000 changed rows with 1,000, without conflicts",
    "1,000 conflicts found": "merge that finds 1,000 conflicts",
    "scan of all rows": "reading every row of a version",
    "switch between branches 1,000 rows apart": "switch between branches 1,000 rows apart, in a live database",
    "2,000 branches": "making 2,000 branches",
}
_GROWING = {"first commit", "commit 1,000 scattered updates"}  # of the others it was not measured on both sides alike
_MARKED = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_COPIES = ("keep items", "keep items, 1,000 scattered updates later", "give back items")
_COPIES_MARKED = re.compile(r"(<!-- copies -->\n).*?(<!-- end of copies -->)", re.DOTALL)


def table(results: str) -> str:
    """The least time of each, and what it took in the store where that was measured."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in results.splitlines() if line.startswith("| ")]
    measured = {row[0]: row for row in rows if row[1] == "1,000,000"}
    lines = ["| of a million rows | isovc | DoltLite |", "|---|---|---|"]
    for name, words in _WORK.items():
        row = measured[name]
        peer = re.search(r"doltlite ([^/]+) /[^,;]*(, [\d.]+ [kM]?B)?", row[4])
        theirs = [peer[1], (peer[2] or "").removeprefix(", ")] if peer else []
        shown = slice(2 if name in _GROWING else 1)
        both = [", ".join(filter(None, cells[shown])) for cells in ([row[2].partition(" / ")[0], row[3]], theirs)]
        lines.append(f"| {words} | {both[0]} | {both[1]} |")
    return "\n".join(lines) + "\n"


def copies(document: dict[str, Any]) -> str:
    """What each way of keeping copies takes: the least time, and what is on the disk then."""
    found = {one["name"]: one["contenders"] for one in document["results"] if one["rows"] == 1_000_000}
    lines = ["| | first copy | 1,000 rows later | the first given back |", "|---|---|---|---|"]
    for keeper in found[_COPIES[0]]:
        cells = [_time_and_size(found[work].get(keeper)) for work in _COPIES]
        lines.append(f"| {keeper} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _time_and_size(measured: dict[str, Any] | None) -> str:
    if measured is None:
        return ""
    size = measured["bytes"]
    grown = f"{size / 1e6:.1f} MB" if size and size >= 1e6 else f"{size / 1e3:.1f} kB" if size else ""
    return ", ".join(filter(None, [f"{measured['minimum']:.2f} s", grown]))


def filled(page: str) -> str:
    """A page with the tables between their marks."""
    results = RESULTS.read_text(encoding="utf-8")
    document = json.loads(RESULTS.with_suffix(".json").read_text(encoding="utf-8"))
    page = _MARKED.sub(lambda match: f"{match[1]}{table(results)}{match[2]}", page)
    return _COPIES_MARKED.sub(lambda match: f"{match[1]}{copies(document)}{match[2]}", page)


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(filled(each.read_text(encoding="utf-8")), encoding="utf-8")
