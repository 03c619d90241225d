"""`isovc restore`: what the database held at a moment, brought back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.revision import commit_of
from isovc.cli.screen import Line
from isovc.cli.who import deed, present
from isovc.cli.wording import counts_document, difference_lines, moment, moves, on_one_line, totals
from isovc.errors import OptionsClash, WordMissing
from isovc.formats.words import amount
from isovc.history.git_history import GitHistory
from isovc.repo.moments import from_microseconds
from isovc.workspace.desk import Desk
from isovc.workspace.mirroring import mirror
from isovc.workspace.restoring.doing import Restored, Wanted, restore_branch, restore_file, restore_live
from isovc.workspace.restoring.points import Moment, Point, at_commit, at_transaction, at_words

app = command_app()


@app.command()
def restore(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="[REV]", help="A committed version.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME|REV", help="As it was then.")] = "",
    tx: Annotated[
        int | None, typer.Option("--tx", min=1, metavar="N", help="As after this recorded transaction.")
    ] = None,
    before_tx: Annotated[
        int | None, typer.Option("--before-tx", min=2, metavar="N", help="As before this recorded transaction.")
    ] = None,
    tables: Annotated[list[str] | None, typer.Option("-t", "--table", metavar="TABLE", help="Only this table.")] = None,
    where: Annotated[
        str, typer.Option("--where", metavar="SQL", help="Only the rows that meet it now, or met it then.")
    ] = "",
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FILE", help="Into a new file; nothing else changes.")
    ] = None,
    branch: Annotated[
        str, typer.Option("--branch", metavar="NAME", help="Onto a new branch; the database stays.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Rebuild and check it, and change nothing.")] = False,
) -> None:
    """Bring back what the database held at a moment, whole or in part.

    It is rebuilt and checked in a file of its own first. In the live database it becomes a new version, so that
    history stays, and isovc undo takes it back."""
    here = here_of(ctx)
    asked = [
        (option, value)
        for option, value in (("REV", revision), ("--at", at), ("--tx", tx), ("--before-tx", before_tx))
        if value
    ]
    if len(asked) != 1:
        if asked:
            raise OptionsClash(options=(asked[0][0], asked[1][0]))
        raise WordMissing(
            word="--at TIME", hint='isovc restore --at "10 minutes ago"; isovc coverage shows what is recorded'
        )
    if into and branch:
        raise OptionsClash(options=("--into", "--branch"))
    wanted = Wanted(tuple(tables or ()), where)
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        by = deed(here, desk.repository.settings, history)
        point = _point(here, desk, history, revision or at, tx or (before_tx or 1) - 1, is_time=bool(at))
        if into:
            found = restore_file(desk, point, wanted, here.path(into), dry_run=dry_run)
        elif branch:
            found = restore_branch(desk, history, point, wanted, branch, by, dry_run=dry_run)
        else:
            found = restore_live(desk, history, point, wanted, by, dry_run=dry_run)
        if not dry_run:
            here.screen.say_if(mirror(desk.repository, history))
        where_to = str(into) if into else branch or desk.worktree.branch or "HEAD"
    tell = here.screen.show if dry_run else here.screen.done
    said = revision or (f"transaction {tx}" if tx else f"the state before transaction {before_tx}" if before_tx else at)
    if found.files_left:
        files = amount(found.files_left, "file")
        here.screen.warn(f"{files} of {found.point.found.name} cannot be in a database: isovc export-files writes them")
    lines = _lines(found, said, where_to, dry_run=dry_run, elsewhere=bool(into or branch))
    tell(_document(found, dry_run=dry_run), lines)


def _point(here: Here, desk: Desk, history: GitHistory, text: str, number: int, *, is_time: bool) -> Point:
    if not text:
        return at_transaction(desk, number)
    if is_time:
        return at_words(desk, history, text, present(), lambda said: commit_of(here, desk, said).id)
    return at_commit(desk, history, commit_of(here, desk, text).id)


def _document(found: Restored, *, dry_run: bool) -> dict[str, Any]:
    point, proof = found.point, found.proof
    return {
        "asked": None if point.asked is None else moment(point.asked),
        "found": _said(point.found),
        "early_ms": point.early,
        "next": None if point.following is None else _said(point.following),
        "checked": {
            "tables": proof.tables,
            "rows": proof.rows,
            "against_rules": list(proof.against_rules),
            "broken_references": proof.broken,
        },
        "tables": counts_document(found.moved.tables),
        "commit": found.commit,
        "files_left": found.files_left,
        "dry_run": dry_run,
    }


def _said(each: Moment) -> dict[str, Any]:
    return {"transaction": each.number, "commit": each.commit, "time": moment(each.time)}


def _lines(found: Restored, said: str, where: str, *, dry_run: bool, elsewhere: bool) -> Iterator[Line]:
    point, proof = found.point, found.proof
    yield f"Asked for {on_one_line(said) if point.asked is None else _shown(point.asked)}:"
    early = "" if point.early is None else f", {_apart(point.early)} earlier"
    yield f"  {point.found.name} of {_shown(point.found.time)}{early}"
    if point.following is not None:
        yield f"  the next is {point.following.name} of {_shown(point.following.time)}"
    yield f"Rebuilt and checked: {amount(proof.tables, 'table')}, {amount(proof.rows, 'row')}."
    if proof.against_rules:
        yield f"  As it was then: {proof.against_rules[0]}"
    if proof.broken:
        yield f"  As it was then: {amount(proof.broken, 'row')} pointing to what is not there."
    if dry_run:
        would = f"Would change {totals(found.moved)}; nothing was changed."
        yield would if found.moved else "Nothing would change."
        yield from difference_lines(found.moved)
    elif elsewhere:
        at = f" at {found.commit[:12]}" if found.commit else ""
        yield f"{where} holds it now{at}; the database is as it was."
    else:
        yield f"{where} now is at {(found.commit or '')[:12]}: {moves(found.moved)}."


def _shown(time: int) -> str:
    return from_microseconds(time, present().tzinfo).isoformat(" ", "milliseconds")


def _apart(milliseconds: float) -> str:
    if milliseconds < 10_000:
        return f"{milliseconds:.1f} ms"
    seconds = milliseconds / 1000
    for size, word in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {word}"
    return f"{seconds:.1f} s"
