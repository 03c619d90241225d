"""Writes the figures in README.md and docs/comparison.md, out of docs/benchmarks/results.md and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

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


def table(results: str) -> str:
    """The least time of each, and what it took in the store where that was measured."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in results.splitlines() if line.startswith("| ")]
    measured = {row[0]: row for row in rows}
    lines = ["| of a million rows | isovc | DoltLite |", "|---|---|---|"]
    for name, words in _WORK.items():
        row = measured[name]
        peer = re.search(r"doltlite ([^/]+) /[^,;]*(, [\d.]+ [kM]?B)?", row[4])
        theirs = [peer[1], (peer[2] or "").removeprefix(", ")] if peer else []
        shown = slice(2 if name in _GROWING else 1)
        both = [", ".join(filter(None, cells[shown])) for cells in ([row[2].partition(" / ")[0], row[3]], theirs)]
        lines.append(f"| {words} | {both[0]} | {both[1]} |")
    return "\n".join(lines) + "\n"


def filled(page: str, results: str) -> str:
    """A page with the table between its marks."""
    return _MARKED.sub(lambda match: f"{match[1]}{table(results)}{match[2]}", page)


if __name__ == "__main__":
    for each in PAGES:
        text = filled(each.read_text(encoding="utf-8"), RESULTS.read_text(encoding="utf-8"))
        each.write_text(text, encoding="utf-8")
