"""Counts, differences and times in words and as JSON, the same in every command. Knows nothing of where they come
from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from isovc.cli.screen import Line, Styled
from isovc.snapshot.compare import Counts
from isovc.snapshot.version import FILES
from isovc.workspace.status import Difference, definitions

SIGNS = {"added": ("+", "green"), "modified": ("~", "yellow"), "removed": ("-", "red")}


def counts_document(tables: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """Counts by table, as every command's JSON has them."""
    return {
        name: {"added": each.added, "modified": each.modified, "removed": each.removed} for name, each in tables.items()
    }


def tables_document(tables: Mapping[str, Counts]) -> dict[str, dict[str, int]]:
    """The same of the database alone."""
    return counts_document({name: each for name, each in tables.items() if name != FILES})


def files_document(tables: Mapping[str, Counts]) -> dict[str, int]:
    """The same of the files beside it."""
    return counts_document(tables).get(FILES, {})


def schema_document(difference: Difference) -> list[dict[str, Any]]:
    """Definitions that differ."""
    return [each._asdict() for each in definitions(difference)]


def difference_lines(difference: Difference) -> Iterator[Line]:
    """What differs, a line a definition and a line a table."""
    for change in schema_document(difference):
        sign, style = SIGNS[change["op"]]
        yield (Styled(f"  {sign} ", style), f"{change['type']} {on_one_line(change['name'])}")
    width = max((len(on_one_line(name)) for name in difference.tables), default=0)
    for name, counts in difference.tables.items():
        name = on_one_line(name)
        parts: list[str | Styled] = [f"  {name:{width}}"]
        for word, many in (("added", counts.added), ("modified", counts.modified), ("removed", counts.removed)):
            if many:
                sign, style = SIGNS[word]
                parts += ["  ", Styled(f"{sign}{many:,}", style), f" {word}"]
        yield tuple(parts) if counts else f"  {name:{width}}  no rows"


def on_one_line(name: str) -> str:
    """A name may hold line ends and tabs, and stands in a table of ours."""
    return name.replace("\n", "\\x0a").replace("\t", "\\x09")


def totals(difference: Difference) -> str:
    """The same in a few words."""
    return ", ".join([*_in_database(difference), *_of_files(difference)]) or "nothing changed"


def moves(difference: Difference) -> str:
    """What moved in a database, and beside it."""
    rows, files = _in_database(difference), _of_files(difference)
    if files and not rows:
        return ", ".join(files)
    return ", ".join([f"{', '.join(rows) or 'nothing changed'} in the database", *files])


def _in_database(difference: Difference) -> list[str]:
    words = [
        f"{many:,} {word}"
        for word in ("added", "modified", "removed")
        if (many := sum(getattr(each, word) for name, each in difference.tables.items() if name != FILES))
    ]
    if many := len(definitions(difference)):
        words.append(f"{many} definition{'s' if many > 1 else ''}")
    return words


def _of_files(difference: Difference) -> list[str]:
    counts = difference.tables.get(FILES, Counts())
    found = [(many, word) for word in ("added", "modified", "removed") if (many := getattr(counts, word))]
    return [f"{many:,} file{'s' if many > 1 else ''} {word}" for many, word in found]


def moment(microseconds: int) -> str:
    """A time as JSON has it."""
    return (
        datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )
