"""A setting of the repository changed, as an operation that can be undone; and the names in one that nothing here
has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isovc.errors import BadSetting, IsovcError
from isovc.model import Shape
from isovc.repo.acting import acting
from isovc.repo.decided import write_decided
from isovc.repo.deeds import Deed, Telling, without_passwords
from isovc.repo.names import near_names
from isovc.repo.settings import Plain
from isovc.repo.worktrees import Worktrees
from isovc.sql import folded
from isovc.workspace.attachments import SETTING, check_folder
from isovc.workspace.desk import Desk, database_path

_NAMING = (
    "merge.strategy",
    "merge.json",
    "merge.renumber",
    "attachment-refs",
)  # settings that list tables, or columns of tables


@dataclass(frozen=True, slots=True)
class Unknown:
    """A table or column that a setting names and nothing here has, and those it could be."""

    what: str
    name: str
    near: tuple[str, ...]


def unknown_names(desk: Desk, key: str) -> Iterator[Unknown]:
    """What a setting names that is neither in the database nor in the version it is at. Not refused: another branch may
    have it, or bring it."""
    if key not in _NAMING:
        return
    tables: dict[str, dict[str, str]] = {}  # by folded names; no columns: those of a virtual table are not known here
    names: dict[str, str] = {}
    for shape in _shapes(desk):
        names |= {folded(each.name): each.name for each in shape.objects if each.type == "table"}
        for name, table in shape.tables.items():
            tables.setdefault(folded(name), {}).update((folded(each.name), each.name) for each in table.columns)
    for each in sorted(desk.repository.settings.formed(key)):
        table, column = each if isinstance(each, tuple) else (each, "")
        known = tables.get(folded(table), {})
        if folded(table) not in names:
            yield Unknown("table", table, tuple(near_names(table, list(names.values()))))
        elif column and known and folded(column) not in known:
            near = (f"{table}.{one}" for one in near_names(column, list(known.values())))
            yield Unknown("column", f"{table}.{column}", tuple(near))


def _shapes(desk: Desk) -> Iterator[Shape]:
    yield desk.head.shape
    try:
        with desk.database.reading() as reading:
            yield reading.shape()
    except IsovcError:
        return  # a setting can be changed beside a database that nobody can read now


def change_setting(desk: Desk, key: str, value: Plain | None, deed: Deed) -> None:
    """Set it for this repository; None: what the person or the default says holds again."""
    if isinstance(value, str) and without_passwords(value) != value:
        raise BadSetting(key=key, value=without_passwords(value), allowed="no password, which others could read")
    before = desk.repository.settings.project.get(key)
    if key == SETTING and value:
        with desk.repository.file.reading() as db:
            main = database_path(desk.repository, Worktrees(db).all()[0])
        check_folder(main.parent / str(value), own=desk.repository.folder)
    # it holds for this operation already: a key that is lost must not keep anybody from naming another
    desk.repository.settings = desk.repository.settings.changed(key, value)
    with acting(desk.repository, deed, desk.worktree.id) as act:
        act.record(Telling(_said(key, value), settings={key: (before, value)} if before != value else {}))
    write_decided(desk.repository)


def _said(key: str, value: Plain | None) -> str:
    if value is None:
        return f"leave {key} to its default"
    return f"set {key} to {value}" if value != "" else f"set {key} to nothing"
