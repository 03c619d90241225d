"""What merge, revert, cherry-pick, rebase and stash pop have in common: how they go on or end, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import typer

from isovc.cli.at_desk import at_desk
from isovc.cli.here import Here
from isovc.cli.revision import commit_of
from isovc.cli.screen import Line
from isovc.cli.who import deed
from isovc.cli.wording import counts_document, moves, totals
from isovc.errors import OptionsClash, Waiting
from isovc.formats.words import amount
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.names import BRANCHES
from isovc.snapshot.merging.how import Side
from isovc.workspace.choices import how_of
from isovc.workspace.desk import Desk
from isovc.workspace.merging.bringing import Brought, bring
from isovc.workspace.merging.elsewhere import bring_into
from isovc.workspace.merging.ending import give_up, go_on
from isovc.workspace.merging.planning import commits_meant as look_up
from isovc.workspace.merging.tasks import Plan
from isovc.workspace.merging.waiting import refuse_while_waiting
from isovc.workspace.mirroring import mirror
from isovc.workspace.status import Difference

_SOME = 5  # numbers that are told


def begin(
    here: Here,
    plan: Callable[[Desk, GitHistory], Plan | None],
    *,
    prefer: Side | None = None,
    preview: bool = False,
    into: str = "",
    command: str = "",
    nothing: str = "Already up to date.",
) -> None:
    """Make a plan and do it. `into`: to another branch; `command`: what does the same on it. `nothing`: what is said
    where there is nothing to do."""
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        by = deed(here, desk.repository.settings, history)
        if not into:
            refuse_while_waiting(desk)
        made = plan(desk, history)
        how = how_of(desk.repository.settings, prefer)
        found: Brought | None = None
        if made and into and BRANCHES + into != desk.worktree.head:
            found = bring_into(desk, history, BRANCHES + into, made, how, by, command=command, preview=preview)
        elif made:
            found = bring(desk, history, made, how, by, preview=preview)
        if found is not None and not preview:
            here.screen.say_if(mirror(desk.repository, history))
        here_now = desk.worktree
        is_elsewhere = bool(into) and BRANCHES + into != here_now.head
    if found is None:
        tell(here, Brought(here_now.standing, (), (), Difference({}, (), ())), first=nothing)
    else:
        first = f"Into {into}:" if preview and into else ""
        forward = made is not None and not made.tasks
        tell(here, found, preview=preview, forward=forward, is_elsewhere=is_elsewhere, first=first)


def end(
    here: Here,
    command: str,
    *,
    goes_on: bool,
    aborts: bool,
    skips: bool = False,
    message: str = "",
    beside: Mapping[str, object] = MappingProxyType({}),
) -> bool:
    """Do what one of the options that end things asks for; False: none was given. `beside`: what else was said, by
    the word for it; that is for beginning, so whoever says both would not get what they asked for."""
    asked = [word for word, is_on in (("--continue", goes_on), ("--abort", aborts), ("--skip", skips)) if is_on]
    if not asked:
        return False
    asked += [word for word, said in beside.items() if said]
    if len(asked) > 1:
        raise OptionsClash(options=(asked[0], asked[1]))
    with at_desk(here, tidies=True) as desk, GitHistory(desk.repository.git_folder) as history:
        by = deed(here, desk.repository.settings, history)
        if aborts:
            found = give_up(desk, history, command, by)
        else:
            how = how_of(desk.repository.settings)
            found = go_on(desk, history, command, how, by, message=message, skip=skips)
        here.screen.say_if(mirror(desk.repository, history))
    where = "" if found.standing.branch else ", on no branch"
    done = "What was put aside is back." if command.startswith("stash") and found.waiting is None else ""
    tell(here, found, first=f"Back to where it began{where}." if aborts else done)
    return True


def tell(
    here: Here,
    found: Brought,
    more: Mapping[str, Any] | None = None,
    *,
    preview: bool = False,
    forward: bool = False,
    is_elsewhere: bool = False,
    first: str = "",
) -> None:
    """Say what came of it; conflicts that wait are exit code 3. `is_elsewhere`: in no database, on another branch."""
    waiting = found.waiting
    show = here.screen.show if preview else here.screen.done
    show(
        {
            "commit": found.standing.commit,
            "branch": found.standing.branch,
            "made": list(found.made),
            "forward": forward,
            "preview": preview,
            "tables": counts_document(found.moved.tables),
            "conflicts": waiting.open if waiting else 0,
            "waiting": waiting.command if waiting else None,
            "empty": [each.theirs for each in found.empty],
            "renumbered": {
                table: {str(old): new for old, new in numbers.items()} for table, numbers in found.numbers.items()
            },
            **(more or {}),
        },
        _lines(found, preview=preview, forward=forward, is_elsewhere=is_elsewhere, first=first),
    )
    if waiting is not None and waiting.open:
        raise typer.Exit(Waiting.exit_code)


def _lines(found: Brought, *, preview: bool, forward: bool, is_elsewhere: bool, first: str) -> Iterator[Line]:
    where, waiting = found.standing.branch or "HEAD", found.waiting
    at = (found.standing.commit or "")[:12]
    if first:
        yield first
    for table, numbers in found.numbers.items():
        some = ", ".join(f"{old} is now {new}" for old, new in list(numbers.items())[:_SOME])
        yield f"Renumbered in {table}: {some}{', ...' if len(numbers) > _SOME else ''}"
    for task in found.empty:
        yield f"{task.name} brings nothing new."
    if preview:
        yield f"Would bring {totals(found.moved)}{' and go forward' if forward else ''}; nothing was changed."
    elif forward or found.made:
        many = amount(len(found.made), "new version")
        moved = f"{totals(found.moved)} there" if is_elsewhere else moves(found.moved)
        yield f"{where} now is at {at}: {many if found.made else 'forward'}, {moved}."
    elif found.moved:
        yield f"{moves(found.moved)}."
    if waiting is None:
        return
    name = waiting.task.name
    if waiting.open:
        many = amount(waiting.open, "conflict")
        if preview:
            yield f"{many} would wait."
            return
        yield f"{many} with {name} wait{'s' * (waiting.open == 1)}; meanwhile the database has your side there."
        yield "isovc conflicts lists them, isovc resolve settles them,"
        yield f"isovc {waiting.command} --continue finishes it then, isovc {waiting.command} --abort gives it up."
    elif not preview:
        yield f"Nothing is committed yet: isovc {waiting.command} --continue does it, --abort goes back."


def commits_meant(here: Here, desk: Desk, words: Sequence[str], *, oldest_first: bool) -> list[CommitId]:
    """The commits that revisions and ranges mean, in the order they are to be taken."""
    return look_up(desk, words, partial(commit_of, here, desk), oldest_first=oldest_first)
