"""`isovc doctor`: what is wrong or slow here, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import typer

from isovc.cli.at_desk import passphrase, place_of, profile
from isovc.cli.group import command_app
from isovc.cli.here import Here, here_of
from isovc.cli.screen import Line, Styled
from isovc.cli.wording import on_one_line
from isovc.errors import Damage, IsovcError, NoRepository, Refused
from isovc.formats.words import amount
from isovc.lifecycle.doctor.examine import examine
from isovc.lifecycle.doctor.finding import Finding, advice, problem

app = command_app()

_STYLES = {"ok": "green", "advice": "yellow", "problem": "red"}


@app.command()
def doctor(ctx: typer.Context) -> int:
    """Say what is wrong or slow here, and what helps.

    Looks at this machine, the repository, its databases, the files beside them and the settings, and changes nothing.
    Works where nothing else does: outside a repository, on a damaged one, while others hold everything. isovc fsck
    reads all that is kept; this looks whether one should.
    """
    here = here_of(ctx)
    here.only_now()
    found = list(_found(here))
    here.screen.show(
        {
            "findings": [_document(each) for each in found],
            "problems": sum(each.level == "problem" for each in found),
            "advice": sum(each.level == "advice" for each in found),
            "damaged": any(each.damaged for each in found),
        },
        _lines(found),
    )
    if any(each.damaged for each in found):
        return Damage.exit_code
    return Refused.exit_code if any(each.level == "problem" for each in found) else 0


def _found(here: Here) -> Iterator[Finding]:
    folder: Path | None = None
    wrong: IsovcError | None = None
    try:
        folder = place_of(here).folder
    except NoRepository as error:
        wrong = error if here.repo else None  # one that was named shall be there
    except IsovcError as error:
        wrong = error
    yield from examine(folder, profile(), passphrase=passphrase(), progress=here.screen.progress())
    if folder is None and wrong is None:
        yield advice("repository", "none in this folder, nor in any above it", "isovc init DATABASE makes one")
    if wrong is not None:
        yield problem("repository", wrong.message, wrong.hint, damaged=isinstance(wrong, Damage))


def _document(each: Finding) -> dict[str, object]:
    said = asdict(each)
    del said["damaged"]
    return said


def _lines(found: list[Finding]) -> Iterator[Line]:
    for each in found:
        mark = Styled(f"{each.level:8}", _STYLES[each.level])
        hint = (Styled("  hint: ", "cyan"), on_one_line(each.hint)) if each.hint else ()
        yield (mark, f"{on_one_line(each.about)}: {on_one_line(each.message)}", *hint)
    problems, advice = (sum(each.level == level for each in found) for level in ("problem", "advice"))
    many = amount(problems, "problem") if problems else "no problem"
    yield f"{many[:1].upper()}{many[1:]}, {amount(advice, 'piece')} of advice."
