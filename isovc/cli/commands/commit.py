"""`isovc commit`: the database as it is now, kept under a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.who import deed, present
from isovc.cli.wording import difference_lines, files_document, tables_document, totals
from isovc.errors import BadMessage, WordMissing
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.moments import from_microseconds
from isovc.workspace.capturing import notes, warnings
from isovc.workspace.choices import how_of
from isovc.workspace.committing import commit as make
from isovc.workspace.desk import Desk
from isovc.workspace.merging.ending import commit_waiting
from isovc.workspace.mirroring import mirror

app = command_app()

_DAY = 86_400_000_000  # microseconds: clocks of two machines differ by less


@app.command()
def commit(
    ctx: typer.Context,
    message: Annotated[
        list[str] | None,
        typer.Option("-m", "--message", help="What this version is about; typed again, a new paragraph."),
    ] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Commit even if nothing changed.")] = False,
    author: Annotated[str | None, typer.Option("--author", metavar="A", help='"Name <mail>".')] = None,
) -> None:
    """Keep the database as it is now as a new version."""
    here = here_of(ctx)
    text = "" if message is None else _message(message)
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        by = deed(here, desk.repository.settings, history, author)
        warned = list(warnings(desk))  # before the commit: after it nothing may fail any more
        if desk.worktree.merging is not None:
            how = how_of(desk.repository.settings)
            made = commit_waiting(desk, history, how, by, message=text, author=author or "")
        elif message is None:
            raise WordMissing(word="-m TEXT", hint='isovc commit -m "what this version is about"')
        else:
            made = make(desk, history, text, by, allow_empty=allow_empty, progress=here.screen.progress())
        warned += notes(desk)
        warned += _of_the_clock(desk, made.commit, by.now)
        for each in warned:
            here.screen.warn(each)
        here.screen.say_if(mirror(desk.repository, history))
    here.screen.done(
        {
            "commit": made.commit,
            "branch": made.branch,
            "parents": list(made.parents),
            "tables": tables_document(made.difference.tables),
            "attachments": files_document(made.difference.tables),
            "warnings": warned,
        },
        [
            f"[{made.branch or 'no branch'} {made.commit[:12]}] {made.subject}",
            *([] if not here.screen.verbose else difference_lines(made.difference)),
            f"  {totals(made.difference)}",
        ],
    )


def _message(paragraphs: list[str]) -> str:
    said = [each for each in paragraphs if each.strip()]
    if not said:
        raise BadMessage(why="it is empty")
    return said[0] if len(said) == 1 else "\n\n".join(each.strip("\n") for each in said)


def _of_the_clock(desk: Desk, commit: CommitId, now: int) -> Iterator[str]:
    """Times only ever rise: one version made by a clock that was far ahead puts all that follow there."""
    with desk.repository.file.reading() as db:
        time = CommitIndex(db).get(commit).time
    if time > now + _DAY:
        it, here = (from_microseconds(each, present().tzinfo).isoformat(" ", "seconds") for each in (time, now))
        yield f"this version is dated {it}, just after the newest one before it; the clock here shows {here}"
