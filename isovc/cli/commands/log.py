"""`isovc log`: the versions that lead to one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.graph import Graph
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.revision import warn_if_shared, where
from isovc.cli.screen import Line, Styled
from isovc.cli.who import present
from isovc.cli.wording import moment
from isovc.history import CommitId
from isovc.repo.commits import CommitEntry, CommitIndex
from isovc.repo.database import Database
from isovc.repo.moments import from_microseconds
from isovc.repo.names import BRANCHES, TAGS, short
from isovc.repo.refs import Refs
from isovc.repo.revisions import Empty, parse_range, resolve, resolve_commit
from isovc.workspace.desk import Desk

app = command_app()


@app.command()
def log(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV|A..B]", help="Where to begin.")] = "HEAD",
    oneline: Annotated[bool, typer.Option("--oneline", help="One line a version.")] = False,
    graph: Annotated[bool, typer.Option("--graph", help="Draw how they descend from each other.")] = False,
    number: Annotated[
        int | None, typer.Option("-n", min=0, max=2**31, metavar="N", help="Show so many at most.")
    ] = None,
) -> None:
    """Show the versions that lead to one, the newest first."""
    here = here_of(ctx)
    with at_desk(here) as desk, desk.repository.file.reading() as db:
        index = CommitIndex(db)
        sides = parse_range(revision)
        if sides is None:
            tips, without = _tips(here, desk, db, revision), list[CommitId]()
        else:
            without, tips = (_tips(here, desk, db, side) for side in sides[:2])
            if sides[2]:
                bases = list(index.merge_bases(*without, *tips)) if without and tips else []
                tips, without = without + tips, bases
        entries = list(islice(index.walk(tips, without=without), number))
        refs = Refs(db)
        names: dict[CommitId, list[str]] = {}
        for ref in [*refs.all(BRANCHES), *refs.all(TAGS)]:
            head = ref.name == desk.worktree.head
            names.setdefault(ref.target, []).append(f"HEAD -> {short(ref.name)}" if head else short(ref.name))
    here.screen.show([_document(entry) for entry in entries], _lines(entries, names, oneline=oneline, graph=graph))


def _tips(here: Here, desk: Desk, db: Database, text: str) -> list[CommitId]:
    """Where to begin; nowhere, if it is EMPTY."""
    if isinstance(resolve(db, text, where(desk)), Empty):
        return []
    warn_if_shared(here, db, text)
    return [resolve_commit(db, text, where(desk)).id]


def _document(entry: CommitEntry) -> dict[str, object]:
    return {
        "commit": entry.id,
        "parents": list(entry.parents),
        "author": entry.author,
        "time": moment(entry.time),
        "message": entry.message,
    }


def _lines(
    entries: list[CommitEntry], names: dict[CommitId, list[str]], *, oneline: bool, graph: bool
) -> Iterator[Line]:
    drawing = Graph() if graph else None
    for place, entry in enumerate(entries):
        above, beside, merged, below = drawing.step(entry.id, entry.parents) if drawing else ((), "", "", "")
        yield from (line.rstrip() for line in above)
        shown = names.get(entry.id)
        label: tuple[str | Styled, ...] = (Styled(f" ({', '.join(shown)})", "cyan"),) if shown else ()
        if oneline:
            subject = entry.message.partition("\n")[0]
            yield (beside, Styled(entry.id[:12], "yellow"), *label, f" {subject}")
            if merged:
                yield merged.rstrip()
            continue
        yield (beside, Styled(f"commit {entry.id}", "yellow"), *label)
        if len(entry.parents) > 1:
            yield f"{merged or below}Merge:  {' '.join(parent[:12] for parent in entry.parents)}"
        yield f"{below}Author: {entry.author}"
        yield f"{below}Date:   {from_microseconds(entry.time, present().tzinfo).strftime('%a %Y-%m-%d %H:%M:%S %z')}"
        yield below.rstrip()
        yield from (f"{below}    {line}".rstrip() for line in entry.message.splitlines())
        if place < len(entries) - 1:
            yield below.rstrip()
