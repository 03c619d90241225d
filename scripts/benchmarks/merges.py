"""Workloads on whole merges: from opening the repository until the live database holds what came of it."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from databases import Versioned
from peers import DoltLite, doltlite, update
from processes import process
from registry import Bench, Contender, Outcome, workload

from isovc.history import Identity
from isovc.repo.deeds import Deed
from isovc.repo.names import BRANCHES
from isovc.repo.refs import Refs
from isovc.snapshot.merging.how import PLAIN
from isovc.workspace.committing import commit
from isovc.workspace.merging.bringing import bring
from isovc.workspace.merging.choosing import Choice, Which
from isovc.workspace.merging.resolving import resolve
from isovc.workspace.merging.tasks import plan_merge
from isovc.workspace.naming import create
from isovc.workspace.switching import switch
from isovc.workspace.undoing import go
from isovc.workspace.ways import plan_undo

_numbers = count()
_NOW = count(1_700_000_000_000_000, 1_000_000)
_MANY = 10_000  # rows that each side changes where memory is looked at


def _deed() -> Deed:
    return Deed(Identity("Bench", "bench@example.com"), next(_NOW), command="merge")


def _parted(bench: Bench, name: str, *, alike: bool, many: int) -> Versioned:
    """Two branches that each changed so many rows; `alike`: the same rows, and otherwise."""

    def make() -> Versioned:
        made = Versioned(bench, name)
        draw = random.Random(name)
        chosen = draw.sample(range(1, bench.rows + 1), 2 * many)
        ours, theirs = chosen[:many], chosen[:many] if alike else chosen[many:]
        made.run(lambda desk, history: commit(desk, history, "first", _deed()))
        made.run(lambda desk, _: create(desk, BRANCHES + "exp", desk.worktree.commit, _deed()))
        _edit(made, ours, "ours")
        made.run(lambda desk, history: _switch(desk, history, "exp"))
        _edit(made, theirs, "theirs")
        made.run(lambda desk, history: _switch(desk, history, "main"))
        return made

    return bench.once(name, make)


def _edit(made: Versioned, chosen: list[int], word: str) -> None:
    made.change("UPDATE items SET name = ? WHERE id = ?", [(f"{word} {number}", number) for number in chosen])
    made.run(lambda desk, history: commit(desk, history, word, _deed()))


def _switch(desk: Any, history: Any, branch: str) -> None:
    switch(desk, history, BRANCHES + branch, _tip(desk, branch), _deed())


def _tip(desk: Any, branch: str) -> Any:
    with desk.repository.file.reading() as db:
        return Refs(db).need(BRANCHES + branch).target


def _merge(desk: Any, history: Any) -> None:
    theirs = _tip(desk, "exp")
    with desk.repository.file.reading() as db:
        plan = plan_merge(db, desk.worktree.commit, theirs, name="exp", what="branch", branch="main")
    assert plan is not None
    bring(desk, history, plan, PLAIN, _deed())


def _undo(desk: Any, history: Any) -> None:
    go(desk, history, plan_undo(desk, 1), _deed())


def _peer(bench: Bench, *, alike: bool) -> tuple[DoltLite, str]:
    """Two branches of its own for each go; on one of them, and the name of the other."""
    peer, turn = doltlite(bench), next(_numbers)
    chosen = random.Random(turn).sample(range(1, bench.rows + 1), 2 * bench.scattered)
    ours, theirs = chosen[: bench.scattered], chosen[: bench.scattered] if alike else chosen[bench.scattered :]
    peer.run("SELECT dolt_checkout('main')", f"SELECT dolt_checkout('-b', 'ours-{turn}')")
    peer.run(*update(sorted(ours), 0.25))
    peer.run("SELECT dolt_checkout('main')", f"SELECT dolt_checkout('-b', 'theirs-{turn}')")
    peer.run(*update(sorted(theirs), 0.75))
    peer.run(f"SELECT dolt_checkout('ours-{turn}')")
    return peer, f"theirs-{turn}"


@workload("merge of 1,000 with 1,000, the live database too", against="doltlite", rounds=6)
def _clean(bench: Bench) -> dict[str, Contender]:
    versioned = _parted(bench, "merging", alike=False, many=bench.scattered)

    def ours() -> Outcome:
        took = versioned.run(_merge)
        versioned.run(_undo)
        return took

    def theirs() -> Outcome:
        peer, other = _peer(bench, alike=False)
        return peer.run(f"SELECT dolt_merge('{other}')")

    return {"isovc": ours, "doltlite": theirs}


@workload("merge with 1,000 conflicts, until they wait", against="doltlite", seconds=0.3, rounds=6)
def _contested(bench: Bench) -> dict[str, Contender]:
    versioned = _parted(bench, "contested", alike=True, many=bench.scattered)

    def ours() -> Outcome:
        took = versioned.run(_merge)
        versioned.run(_undo)
        return took

    def theirs() -> Outcome:
        peer, other = _peer(bench, alike=True)
        peer.run("BEGIN")
        took = peer.run(f"SELECT dolt_merge('{other}')", may_fail=True)
        peer.run("ROLLBACK", may_fail=True)
        return took

    return {"isovc": ours, "doltlite": theirs}


@workload("resolve of 1,000 conflicts", against="doltlite", seconds=0.3, rounds=6)
def _resolved(bench: Bench) -> dict[str, Contender]:
    versioned = _parted(bench, "contested", alike=True, many=bench.scattered)

    def ours() -> Outcome:
        versioned.run(_merge)
        took = versioned.run(lambda desk, _: resolve(desk, Which(), Choice("theirs"), _deed()))
        versioned.run(_undo)
        versioned.run(_undo)
        return took

    def theirs() -> Outcome:
        peer, other = _peer(bench, alike=True)
        peer.run("BEGIN")
        peer.run(f"SELECT dolt_merge('{other}')", may_fail=True)
        took = peer.run("SELECT dolt_conflicts_resolve('--theirs', 'items')", may_fail=True)
        peer.run("ROLLBACK", may_fail=True)
        return took

    return {"isovc": ours, "doltlite": theirs}


@workload("merge of 10,000 with 10,000: memory", memory=300_000_000, rounds=1, is_large=True)
def _memory(bench: Bench) -> dict[str, Contender]:
    versioned = _parted(bench, "merging-many", alike=False, many=min(_MANY, bench.rows // 4))

    def ours() -> Outcome:
        took = process("merge", "exp", at=versioned.folder)
        versioned.run(_undo)
        return took

    return {"isovc": ours}
