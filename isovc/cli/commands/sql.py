"""`isovc sql`: a question to the database, or to any version of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from isovc.cli.answers import plain, table
from isovc.cli.asked import parameters_of, pieces, revisions_of, show, to_bytes, version_asked
from isovc.cli.at_desk import at_desk
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.errors import BadQuery, OptionMissing, OptionsClash, SeveralStatements
from isovc.formats import parquet
from isovc.lifecycle.audit.files import write_file
from isovc.model import Value
from isovc.snapshot.query.session import Answer
from isovc.snapshot.query.spool import Spool
from isovc.snapshot.query.wanted import statements
from isovc.workspace.asking import Asking, asking
from isovc.workspace.desk import check_foreign

app = command_app()


class Format(Enum):
    """For whom."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


@app.command()
def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY|-", help="SQL that reads; - is the standard input.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="REV|TIME", help="The version to ask (the live database).")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="What :NAME in the query stands for.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What for: people, or programs.")] = Format.table,
    output: Annotated[str, typer.Option("-o", metavar="FILE", help="Write the answer to a file.")] = "",
    *,
    csv: Annotated[bool, typer.Option("--csv", help="The same as --format csv.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Ask the database, or any version of it, in SQL; nothing is changed.

    Every table and view is there under its name, and "notes@main~3" is one as it was. commits, tables and
    diff('notes', 'A', 'B') are tables too: isovc help sql
    """
    here = here_of(ctx)
    chosen = _form(here, form, csv=csv)
    if chosen is Format.parquet:
        if not output:
            raise OptionMissing(
                word="--format parquet", option="-o FILE", hint="a terminal cannot show it: name a file with -o"
            )
        parquet.check_installed()
    if output and here.screen.json:
        raise OptionsClash(options=("--json", "-o"))
    text = sys.stdin.read() if query == "-" else query
    parts = statements(text)
    if not parts:
        raise BadQuery(why="there is nothing to be done")
    if len(parts) > 1 and (chosen is not Format.table or output):
        raise SeveralStatements(form="a file" if output else chosen.value)
    values = parameters_of(parameter or ())
    if len(parts) > 1 and values:
        raise SeveralStatements(form="-p")
    with at_desk(here) as desk, asking(revisions_of(desk), version_asked(at)) as asked:
        if output:
            path = here.path(Path(output))
            check_foreign(desk.repository, path)
            _write(here, asked.ask(parts[0], values), chosen, path, replace=force or here.screen.yes)
            return
        show(here, _answers(asked, parts, values), chosen.value)


def _form(here: Here, form: Format, *, csv: bool) -> Format:
    if csv and form not in (Format.table, Format.csv):
        raise OptionsClash(options=("--csv", f"--format {form.value}"))
    chosen = Format.csv if csv else form
    if here.screen.json:
        if chosen not in (Format.table, Format.json):
            raise OptionsClash(options=("--json", f"--format {chosen.value}"))
        return Format.json
    return chosen


def _answers(asked: Asking, parts: list[str], values: dict[str, Value] | None) -> Iterator[Answer]:
    """The answers, one after the other."""
    for part in parts:
        yield asked.ask(part, values)


def _write(here: Here, answer: Answer, form: Format, path: Path, *, replace: bool) -> None:
    if path.is_file() and not replace:
        here.screen.confirm(f"{path} is there already: replace it?")
        replace = True
    if form is Format.parquet:
        with Spool(answer.rows) as spool, tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "answer")
            parquet.write(made, answer.columns, spool.rows)
            with made.open("rb") as file:
                write_file(path, iter(lambda: file.read(1 << 20), b""), replace=replace)
    else:
        lines = _text(answer) if form is Format.table else pieces(answer, form.value)
        write_file(path, to_bytes(lines), replace=replace)
    here.screen.done({"file": str(path), "format": form.value}, [f"The answer is in {path}."])


def _text(answer: Answer) -> Iterator[str]:
    return (plain(line) + "\n" for line in table(answer.columns, answer.rows, shortened=False))
