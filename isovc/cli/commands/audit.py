"""`isovc audit`: the operation log as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from isovc.cli.at_desk import at_desk, passphrase
from isovc.cli.group import command_app
from isovc.cli.here import here_of
from isovc.cli.screen import Line, Styled, output_told
from isovc.cli.who import present
from isovc.cli.wording import moment
from isovc.errors import BadHead, Damage, OptionsClash
from isovc.formats.words import amount
from isovc.lifecycle.audit.chain import Audited, Demands
from isovc.lifecycle.audit.choice import Choice, Kept, newest_first, oldest_first
from isovc.lifecycle.audit.export import FORMS, live_of
from isovc.lifecycle.audit.exported import verify_export
from isovc.lifecycle.audit.files import write_file
from isovc.lifecycle.audit.keys import make_key, public_keys
from isovc.lifecycle.audit.verify import verify as verify_log
from isovc.repo.moments import from_microseconds, parse_moment
from isovc.repo.operations import Logged, OperationId, Operations
from isovc.repo.place import check_free
from isovc.repo.signing import KEY
from isovc.workspace.desk import check_foreign

app = command_app(help="Show, check and hand on the record of who did what, when and to which data.")

_PAGE = 50  # operations shown where no number is asked for
_DIGITS = frozenset("0123456789abcdef")

Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Only those begun then or later.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only those begun then or earlier.")]
User = Annotated[
    str, typer.Option("--user", metavar="NAME", help="Only those of this login or author.", show_default=False)
]
Command = Annotated[
    str, typer.Option("--command", metavar="NAME", help="Only those of this command.", show_default=False)
]
Table = Annotated[
    str, typer.Option("--table", metavar="NAME", help="Only those that changed this table.", show_default=False)
]


@app.command()
def log(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    user: User = "",
    command: Command = "",
    table: Table = "",
    number: Annotated[
        int | None, typer.Option("-n", min=0, max=2**31, metavar="N", help="Show so many at most (50; all in JSON).")
    ] = None,
) -> None:
    """List who did what, when, and to which data, the newest first."""
    here = here_of(ctx)
    most = number if number is not None or here.screen.json else _PAGE
    choice = _choice(since, until, user, command, table, most)
    with at_desk(here) as desk, desk.repository.file.reading() as db:
        found = list(newest_first(db, choice))
    lines = (line for each in found for line in _lines(each))
    here.screen.show([_document(each) for each in found], lines if found else ["No operation is like that."])


@app.command()
def verify(
    ctx: typer.Context,
    head: Annotated[
        str | None, typer.Option("--head", metavar="ID", help="This record, noted elsewhere, must be in it.")
    ] = None,
    public: Annotated[
        list[Path] | None,
        typer.Option("--public", metavar="FILE", help="Records must be signed with this key; may be given again."),
    ] = None,
    signed_from: Annotated[
        int | None,
        typer.Option("--signed-from", min=1, metavar="N", help="... from number N on, not from the first signed on."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="EXPORT", help="Check an export (jsonl), without a repository.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="The export holds chosen records only, so some may be missing.")
    ] = False,
) -> int:
    """Prove that nothing was removed from the log, reordered or altered.

    Records cut off at the end leave no trace in the chain itself: note `isovc audit head` elsewhere from time to time,
    and check against it with --head.
    """
    here = here_of(ctx)
    here.only_now()
    if partial and file is None:
        raise OptionsClash(options=("--partial", "no --file"))
    if signed_from is not None and not public:
        raise OptionsClash(options=("--signed-from", "no --public"))
    demands = Demands(
        head=None if head is None else _whole_id(head),
        keys=public_keys([here.path(each) for each in public]) if public else None,
        signed_from=signed_from,
        partial=partial,
    )
    if file is not None:
        found = verify_export(here.path(file), demands)
    else:
        with at_desk(here) as desk:
            found = verify_log(desk.repository, demands, progress=here.screen.progress())
    here.screen.show(
        {
            "whole": not found.faults,
            "records": found.records,
            "head": found.head or None,
            "signed": found.signed,
            "signed_from": found.first_signed,
            "signatures_checked": found.signatures_checked,
            "faults": [{"number": each.number, "id": each.id or None, "why": each.why} for each in found.faults],
        },
        _verdict(found, is_compared=head is not None, is_partial=partial),
    )
    return Damage.exit_code if found.faults else 0


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Where to; - is the standard output.")],
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON lines, or a table.")] = "jsonl",
    since: Since = None,
    until: Until = None,
    user: User = "",
    command: Command = "",
    table: Table = "",
    number: Annotated[
        int | None, typer.Option("-n", min=0, max=2**31, metavar="N", help="The newest N of them.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write operations to a file, the oldest first.

    The lines of jsonl hold what is needed to check them with other tools; csv is for spreadsheets.
    """
    here = here_of(ctx)
    if file == "-" and here.screen.json:
        raise OptionsClash(options=("--json", "-"))
    choice = _choice(since, until, user, command, table, number)
    path = here.path(Path(file))
    replace = force or here.screen.yes
    with at_desk(here) as desk, desk.repository.file.reading() as db:
        if file != "-":
            check_foreign(desk.repository, path)
        if file != "-" and path.is_file() and not replace:
            here.screen.confirm(f"{path} is there already: replace it?")
            replace = True
        passed = _Passed(oldest_first(db, choice))
        pieces = FORMS[form](passed)
        if file == "-":
            for piece in pieces:
                with output_told():
                    here.screen.out.write(piece)
            return
        write_file(path, (each.encode(errors="backslashreplace") for each in pieces), replace=replace)
    here.screen.done(
        {"file": str(path), "format": form, "records": passed.many, "last": passed.last},
        [f"{amount(passed.many, 'operation')} written to {path}."],
    )


@app.command()
def head(ctx: typer.Context) -> None:
    """Print the id of the newest record, to be noted elsewhere."""
    here = here_of(ctx)
    with at_desk(here) as desk, desk.repository.file.reading() as db:
        found = Operations(db).find("@")
    here.screen.show(
        {"id": found.id, "number": found.operation.number, "time": moment(found.operation.begun)}, [found.id]
    )


@app.command()
def keygen(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="For the private key; the public one goes to FILE.pub.")],
) -> None:
    """Make a key that signs operations from then on.

    Where the environment holds ISOVC_KEY_PASSPHRASE, the private key is locked with it, and can be used only with it.
    """
    here = here_of(ctx)
    here.only_now()
    path = here.path(file).absolute()
    check_free(path)
    public = make_key(path, passphrase())
    here.screen.done(
        {"private": str(path), "public": str(public), "locked": bool(passphrase())},
        [f"{path} is the private key, {public} the public one.", f"Next: isovc config {KEY} {path}"],
    )


class _Passed:
    """Records on their way, counted."""

    def __init__(self, records: Iterable[Kept]) -> None:
        self._records = records
        self.many = 0
        self.last: OperationId | None = None

    def __iter__(self) -> Iterator[Kept]:
        for kept in self._records:
            self.many, self.last = self.many + 1, kept.logged.id
            yield kept


def _choice(since: str | None, until: str | None, user: str, command: str, table: str, most: int | None) -> Choice:
    first, last = (None if each is None else parse_moment(each, now=present()) for each in (since, until))
    return Choice(first, last, user, command, table, most)


def _whole_id(text: str) -> OperationId:
    told = text.strip().lower()
    if len(told) != 64 or set(told) - _DIGITS:
        raise BadHead(text=text)
    return OperationId(told)


def _document(logged: Logged) -> dict[str, Any]:
    found = logged.operation
    before, after = live_of(found)
    return {
        "number": found.number,
        "id": logged.id,
        "previous": found.previous,
        "begun": moment(found.begun),
        "ended": moment(found.ended),
        "user": found.user,
        "host": found.host,
        "author": found.author,
        "command": found.command,
        "words": list(found.words),
        "summary": found.summary,
        "worktree": found.worktree,
        "database": found.database,
        "tables": {
            name: {"added": added, "modified": modified, "removed": removed}
            for name, (added, modified, removed) in found.tables.items()
        },
        "version_before": before,
        "version_after": after,
        "refs": {name: {"before": old, "after": new} for name, (old, new) in found.refs.items()},
    }


def _lines(logged: Logged) -> Iterable[Line]:
    found = logged.operation
    when = from_microseconds(found.begun, present().tzinfo).strftime("%Y-%m-%d %H:%M:%S %z")
    yield (Styled(logged.id[:12], "yellow"), f"  {when}  {found.user} on {found.host} as {found.author}")
    yield (f"              {found.summary}", Styled(f"  {found.database}", "dim"))
    for name, (added, modified, removed) in found.tables.items():
        yield f"              {name}: {added:,} added, {modified:,} modified, {removed:,} removed"


def _verdict(found: Audited, *, is_compared: bool, is_partial: bool) -> Iterable[Line]:
    for fault in found.faults:
        yield (Styled("damaged: ", "red"), fault.sentence)
    if found.faults:
        yield f"The log cannot be trusted; whole are the {found.records:,} before that."
        return
    if is_partial:
        yield f"{amount(found.records, 'record')} chosen from a log, as written."
    else:
        yield f"{amount(found.records, 'record')}, an unbroken chain up to {found.head or 'nothing'}."
    if found.signed:
        checked = "" if found.signatures_checked else ", and the library to check them is missing"
        yield f"{found.signed:,} are signed, from number {found.first_signed} on{checked}."
    if not is_compared and not is_partial:
        yield "Whether any were cut off at its end, only --head with an id noted elsewhere can tell."
