"""What `switch` and `checkout` say when they have gone somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isovc.cli.screen import Line
from isovc.cli.wording import counts_document, moves
from isovc.repo.names import BRANCHES, short
from isovc.workspace.switching import Switched


def document(came: Switched) -> dict[str, Any]:
    """The form of `--json`."""
    return {
        "branch": short(came.head) if came.head.startswith(BRANCHES) else None,
        "commit": came.commit,
        "tables": counts_document(came.moved.tables),
        "kept": came.kept,
        "returned": came.returned,
        "waiting": came.waiting,
        "carried": came.carried,
        "left": came.left,
    }


def lines(came: Switched, left: str) -> Iterator[Line]:
    """The same in words."""
    where = f"branch {short(came.head)}" if came.head.startswith(BRANCHES) else "no branch"
    at = f", at {came.commit[:12]}" if came.commit else ""
    yield f"Now on {where}{at}: {moves(came.moved)}."
    if came.kept:
        yield f"Your uncommitted changes stay with {left} and come back when you do ({came.kept[:12]})."
    if came.returned:
        yield "The uncommitted changes you had left here are back."
    if came.carried:
        yield "Your uncommitted changes came along."
    if came.waiting:
        yield f"Uncommitted changes kept here do not fit any more: isovc show {came.waiting[:12]} has them."
    if came.left:
        yield f"No branch leads to the version you left: isovc branch NAME {came.left[:12]} makes one."
