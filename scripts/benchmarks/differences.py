"""Workloads on what `diff` shows: everything from opening the repository to the last line, in this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from databases import Versioned
from peers import doltlite, update
from registry import Bench, Contender, Outcome, workload

from isovc.cli.differing import lines
from isovc.formats import jsonl, sql_patch
from isovc.history import Identity
from isovc.repo.deeds import Deed
from isovc.workspace.capturing import look
from isovc.workspace.committing import commit
from isovc.workspace.comparing import Comparison, Selection, compare

_numbers = count()
_DEED = Deed(Identity("Bench", "bench@example.com"), 1_700_000_000_000_000)


def _edited(bench: Bench) -> Versioned:
    """A database whose uncommitted changes have been looked at once, as `isovc status` leaves it."""

    def make() -> Versioned:
        made = Versioned(bench, "differing")
        made.run(lambda desk, history: commit(desk, history, "first", _DEED))
        chosen = random.Random(0).sample(range(1, bench.rows + 1), bench.scattered)
        made.change("UPDATE items SET amount = amount + 0.25 WHERE id = ?", [(number,) for number in chosen])
        made.run(lambda desk, _history: look(desk))
        return made

    return bench.once("differing", make)


def _told(bench: Bench, tell: Callable[[Comparison], Iterator[Any]]) -> dict[str, Contender]:
    versioned = _edited(bench)

    def ours() -> Outcome:
        def work(desk: Any, _history: Any) -> int:
            found = compare(desk, desk.head, look(desk), Selection())
            return sum(1 for _ in tell(found))

        return versioned.run(work)

    def theirs() -> Outcome:
        peer = doltlite(bench)
        branch = f"differing-{next(_numbers)}"
        chosen = random.Random(0).sample(range(1, bench.rows + 1), bench.scattered)
        peer.run("SELECT dolt_checkout('main')", f"SELECT dolt_checkout('-b', '{branch}')")
        peer.run(*update(sorted(chosen), 0.25))
        return peer.run(f"SELECT * FROM dolt_diff_items('main', '{branch}')")

    return {"isovc": ours, "doltlite": theirs}


@workload("`diff` of 1,000 scattered changes, text", against="doltlite")
def _text(bench: Bench) -> dict[str, Contender]:
    """From opening the repository to the last line; DoltLite: the query alone, on an open database."""
    return _told(bench, lines)


@workload("`diff` of 1,000 scattered changes, jsonl", against="doltlite")
def _jsonl(bench: Bench) -> dict[str, Contender]:
    """The same."""
    return _told(bench, lambda found: jsonl.lines(found.delta))


@workload("`diff` of 1,000 scattered changes, sql", against="doltlite")
def _sql(bench: Bench) -> dict[str, Contender]:
    """The same."""
    return _told(bench, lambda found: sql_patch.lines(found.delta, "HEAD", "WORK"))
