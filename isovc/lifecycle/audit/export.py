"""Operations in forms for other tools: JSON lines that anybody can check, and a table for spreadsheets. Writes no file.

docs/formats/operations.md says how both are read.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from isovc.lifecycle.audit.choice import Kept
from isovc.repo.moments import from_microseconds
from isovc.repo.operations import Operation, SnapshotId

COLUMNS = (
    "number",
    "id",
    "previous",
    "begun",
    "ended",
    "user",
    "host",
    "author",
    "command",
    "words",
    "summary",
    "worktree",
    "database",
    "tables",
    "version_before",
    "version_after",
    "refs",
)
# spreadsheets take a cell that begins so for a formula, in the wide forms of East Asian letters too
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ESCAPED = str.maketrans({each: f"\\{each}" for each in "\\;:"})


def as_jsonl(records: Iterable[Kept]) -> Iterator[str]:
    """A line a record, its body as it is stored."""
    for kept in records:
        signature = "null" if kept.signature is None else f'"{kept.signature.hex()}"'
        yield f'{{"id":"{kept.logged.id}","signature":{signature},"body":{kept.body.decode("ascii")}}}\n'


def as_csv(records: Iterable[Kept]) -> Iterator[str]:
    """A row a record, below the names of the columns."""
    yield _row(COLUMNS)
    for kept in records:
        operation = kept.logged.operation
        before, after = live_of(operation)
        yield _row(
            (
                operation.number,
                kept.logged.id,
                operation.previous or "",
                _time(operation.begun),
                _time(operation.ended),
                operation.user,
                operation.host,
                operation.author,
                operation.command,
                shlex.join(operation.words),
                operation.summary,
                operation.worktree,
                operation.database,
                _listed(operation.tables, lambda many: "+{}~{}-{}".format(*many)),
                before or "",
                after or "",
                _listed(operation.refs, lambda pair: f"{pair[0] or 'none'}..{pair[1] or 'none'}"),
            )
        )


FORMS: dict[str, Callable[[Iterable[Kept]], Iterator[str]]] = {"jsonl": as_jsonl, "csv": as_csv}


def live_of(operation: Operation) -> tuple[SnapshotId | None, SnapshotId | None]:
    """What the database held before and after: that beside which it was typed, or the one it made or removed."""
    own = operation.live.get(str(operation.worktree))
    return own or next(iter(operation.live.values()), (None, None))


def _row(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in cells
    )
    return line.getvalue()


def _listed(things: Mapping[str, Any], said: Callable[[Any], str]) -> str:
    return ";".join(f"{name.translate(_ESCAPED)}:{said(each)}" for name, each in sorted(things.items()))


def _time(time: int) -> str:
    return from_microseconds(time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
