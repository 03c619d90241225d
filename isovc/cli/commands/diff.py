"""`isovc diff`: what differs between two versions, for people and for programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from enum import Enum
from shlex import quote
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.differing import document, lines, names, stat
from isovc.cli.group import command_app
from isovc.cli.handing import hand_over
from isovc.cli.here import Here, here_of
from isovc.cli.pager import paged
from isovc.cli.revision import commit_of, meant_by, version_of
from isovc.errors import BadRevision, NoSuchRevision, OptionsClash
from isovc.formats import csv_rows, html, jsonl, sql_patch
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.revisions import Commit, Empty, Found, Work, parse_range
from isovc.repo.versions import version_of as version_at
from isovc.snapshot.version import Version
from isovc.workspace.comparing import Comparison, Selection, compare
from isovc.workspace.desk import Desk

app = command_app()


class Format(Enum):
    """For whom."""

    text = "text"
    jsonl = "jsonl"
    sql = "sql"
    csv = "csv"
    html = "html"


@app.command()
def diff(
    ctx: typer.Context,
    old: Annotated[str | None, typer.Argument(metavar="[A|A..B|A...B]", help="The older version (HEAD).")] = None,
    new: Annotated[str | None, typer.Argument(metavar="[B]", help="The newer version (WORK, the database).")] = None,
    table: Annotated[list[str] | None, typer.Option("-t", metavar="TABLE", help="Only this table.")] = None,
    where: Annotated[str, typer.Option("--where", metavar="SQL", help="Only rows that meet it before or after.")] = "",
    columns: Annotated[str, typer.Option("--columns", metavar="A,B", help="Only changes of these columns.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="So many rows at most.")] = None,
    form: Annotated[Format, typer.Option("--format", help="What for: people, apply, sqlite3, sheets.")] = Format.text,
    *,
    schema: Annotated[bool, typer.Option("--schema", help="Only definitions.")] = False,
    with_stat: Annotated[bool, typer.Option("--stat", help="Only how many rows, with a bar.")] = False,
    name_only: Annotated[bool, typer.Option("--name-only", help="Only names of tables.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything differs.")] = False,
    no_pager: Annotated[bool, typer.Option("--no-pager", help="Never through a pager.")] = False,
) -> int:
    """Show what differs between two versions, row by row.

    Without A and B: what is uncommitted. A range A...B begins where the two parted. The formats jsonl and sql are
    patches: isovc apply takes both, and sqlite3 runs the second. The format csv is a line a change, with the cells
    before and after as JSON.

    The text shows a virtual table (FTS, R-Tree) by its rows; the other formats, and whoever names them with -t, get the
    tables in which it stores them.

    With -t the condition of --where must fit each table that is named, as it was or as it is. Without, it is asked of
    the tables that it fits, and those that differ and lack such a column are named.
    """
    here = here_of(ctx)
    _check(here, form, stat=with_stat, name_only=name_only, columns=columns)
    wanted = Selection(
        tuple(table or ()),
        where,
        tuple(each.strip() for each in columns.split(",") if each.strip()),
        limit,
        schema,
        as_virtual=form is Format.text and not here.screen.json,
        files_apart=form in (Format.text, Format.html, Format.sql),
        for_people=form in (Format.text, Format.html),
    )
    with at_desk(here) as desk, GitHistory(desk.repository.git_folder) as history:
        (origin, one), (goal, other) = _sides(here, desk, history, old, new)
        found = compare(desk, one, other, wanted)
        if found.files and form is Format.sql:
            here.screen.warn("files differ too, which no SQL can tell")
        if found.left_out:
            here.screen.warn(f"the condition does not fit {', '.join(found.left_out)}, of which nothing is shown")
        if here.screen.json:
            here.screen.show(document(found, origin, goal), [])
        elif form is not Format.text:
            hand_over(here.screen, _pieces(found, form, origin, goal))
        else:
            with paged(here.screen, wanted=not no_pager, environment=os.environ) as screen:
                said = stat(found) if with_stat else names(found) if name_only else None
                screen.show(None, lines(found) if said is None else said)
        return int(exit_code and bool(found))


def _check(here: Here, form: Format, *, stat: bool, name_only: bool, columns: str) -> None:
    said = f"--format {form.value}"
    clashes = (
        (stat and name_only, ("--stat", "--name-only")),
        (stat and form is not Format.text, ("--stat", said)),
        (name_only and form is not Format.text, ("--name-only", said)),
        (here.screen.json and form is not Format.text, ("--json", said)),
        (bool(columns) and form is Format.sql, ("--columns", said)),
    )
    for clash, options in clashes:
        if clash:
            raise OptionsClash(options=options)


def _pieces(found: Comparison, form: Format, origin: str, goal: str) -> Iterator[str]:
    if form is Format.html:
        counts = {table.name: found.counts(table) for table in found.delta.tables}
        said = {name: (each.added, each.modified, each.removed) for name, each in counts.items()}
        return html.pieces(found.delta, origin, goal, said, cut=found.cut, files=found.files, read=found.read)
    if form is Format.sql:
        return sql_patch.lines(found.delta, origin, goal)
    written: dict[Format, Callable[..., Iterator[str]]] = {Format.jsonl: jsonl.lines, Format.csv: csv_rows.lines}
    return written[form](found.delta)


def _sides(
    here: Here, desk: Desk, history: GitHistory, old: str | None, new: str | None
) -> tuple[tuple[str, Version], tuple[str, Version]]:
    """Both versions with what they are called."""
    sides = parse_range(old) if old is not None else None
    if sides is not None:
        if new is not None:
            raise BadRevision(text=str(old), why="a range names both versions, and a second one is given")
        return _parted(here, desk, history, sides) if sides[2] else _both(here, desk, history, sides[0], sides[1])
    if old is None and desk.worktree.commit is None:
        return ("EMPTY", Version()), _named(here, desk, history, "WORK")
    return _both(here, desk, history, old or "HEAD", new or "WORK")


def _both(
    here: Here, desk: Desk, history: GitHistory, old: str, new: str
) -> tuple[tuple[str, Version], tuple[str, Version]]:
    return _named(here, desk, history, old), _named(here, desk, history, new)


def _named(here: Here, desk: Desk, history: GitHistory, text: str) -> tuple[str, Version]:
    try:
        meant = meant_by(here, desk, text)
    except (BadRevision, NoSuchRevision):
        if text not in desk.head.roots:
            raise
        hint = f"isovc diff -t {quote(text)} shows what is uncommitted in it"
        raise NoSuchRevision(text=text, why="that is a table", hint=hint) from None
    return _called(meant, text), version_of(desk, history, meant)


def _called(meant: Found, text: str) -> str:
    if isinstance(meant, Commit):
        return text if meant.id.startswith(text) else f"{text} ({meant.id[:12]})"
    return "EMPTY" if isinstance(meant, Empty) else "WORK"


def _parted(
    here: Here, desk: Desk, history: GitHistory, sides: tuple[str, str, bool]
) -> tuple[tuple[str, Version], tuple[str, Version]]:
    """From where the two parted to the second."""
    first = commit_of(here, desk, sides[0]).id
    meant = meant_by(here, desk, sides[1])
    second = meant.id if isinstance(meant, Commit) else desk.worktree.commit if isinstance(meant, Work) else None
    with desk.repository.file.reading() as db:
        bases = CommitIndex(db).merge_bases(first, second) if second else ()
    begin = (bases[0][:12], version_at(history, bases[0])) if bases else ("EMPTY", Version())
    return begin, (_called(meant, sides[1]), version_of(desk, history, meant))
