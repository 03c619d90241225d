"""Tables of ours that a query can name beside those of the database: `commits`, `tables`, `diff('notes', 'A', 'B')`.

Another one is a function that makes a `TableFunction` and stands in `OWN`. A table or view of the database that has
such a name comes first, and ours is then called `isovc_commits`, `isovc_diff` and so on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from isovc.errors import BadQuery, NoSuchTable
from isovc.formats.delta import TableDelta
from isovc.formats.json_values import encode_value
from isovc.model import Row, RowChange, Table, Value
from isovc.model.shape import ROWID
from isovc.repo.commits import CommitIndex
from isovc.repo.moments import from_microseconds
from isovc.snapshot.delta import delta
from isovc.snapshot.files import files_in
from isovc.snapshot.renames import pairs
from isovc.snapshot.version import Version
from isovc.sources.sqlite.asking import TableFunction
from isovc.sql import module_of, tokens, unquoted
from isovc.workspace.merging.asked import conflicts_function
from isovc.workspace.revisions import Revisions
from isovc.workspace.rows.asked import blame_function, history_function

_PREFIX = "isovc_"


@dataclass(frozen=True, slots=True)
class Ground:
    """What these tables stand on. `at`: the version that is asked, as a revision."""

    revisions: Revisions
    at: str


Call = tuple[str, ...]  # the arguments of one call that are written down as text, up to the first that is not
Maker = Callable[[Ground, Sequence[Call]], TableFunction]


def own_tables(ground: Ground, sql: str) -> dict[str, TableFunction]:
    """Those that a statement mentions, by the names they have in it."""
    found: dict[str, TableFunction] = {}
    calls = _calls(sql)
    for called, make in OWN.items():
        if called in calls or _PREFIX + called in calls:
            function = make(ground, [*calls.get(called, ()), *calls.get(_PREFIX + called, ())])
            found[called] = found[_PREFIX + called] = function
    return found


def _calls(sql: str) -> dict[str, list[Call]]:
    """Every name in lower case, with the calls of it."""
    words = [token for token, _, _ in tokens(sql)]
    found: dict[str, list[Call]] = {}
    for at, word in enumerate(words):
        calls = found.setdefault(unquoted(word).lower(), [])
        if words[at + 1 : at + 2] == ["("]:
            calls.append(tuple(_texts(words[at + 2 :])))
    return found


def _texts(words: Sequence[str]) -> Iterator[str]:
    for at in range(0, len(words) - 1, 2):
        if not words[at].startswith("'") or words[at + 1] not in (",", ")"):
            return
        yield unquoted(words[at])
        if words[at + 1] == ")":
            return


# -- commits -----------------------------------------------------------------------------------------------------------


def _commits(ground: Ground, _calls: Sequence[Call]) -> TableFunction:
    def rows(given: Mapping[str, Value], _used: frozenset[str]) -> Iterator[Row]:
        tip = ground.revisions.commit(_text(given, "revision", ground.at))
        if tip is None:
            return
        with ground.revisions.desk.repository.file.reading() as db:
            entries = list(CommitIndex(db).walk([tip]))  # a reading must not outlive this step
        for entry in entries:
            moment = from_microseconds(entry.time).isoformat(timespec="microseconds").replace("+00:00", "Z")
            yield entry.id, json.dumps(entry.parents), entry.author, moment, entry.message, entry.generation

    return TableFunction(
        "commits",
        (
            ("id", "TEXT"),
            ("parents", "TEXT"),
            ("author", "TEXT"),
            ("time", "TEXT"),
            ("message", "TEXT"),
            ("generation", "INTEGER"),
        ),
        rows,
        arguments=("revision",),
        about="the versions that lead to the one that is asked, or commits('REV')",
    )


# -- tables ------------------------------------------------------------------------------------------------------------


def _tables(ground: Ground, _calls: Sequence[Call]) -> TableFunction:
    def rows(given: Mapping[str, Value], _used: frozenset[str]) -> Iterator[Row]:
        version = ground.revisions.version(_text(given, "revision", ground.at))
        shape = version.shape
        for each in sorted(shape.objects, key=lambda each: each.name):
            if each.type not in ("table", "view"):
                continue
            table, root = shape.tables.get(each.name), version.roots.get(each.name)
            if table is None or root is None:
                yield each.name, "virtual" if module_of(each.sql) else each.type, None, None, None, None, each.sql
                continue
            kind = "shadow" if table.shadow_of else "table"
            key = json.dumps(_key(table), ensure_ascii=False)
            yield each.name, kind, root.rows, len(table.columns), key, root.bytes, each.sql

    return TableFunction(
        "tables",
        (
            ("name", "TEXT"),
            ("type", "TEXT"),
            ("rows", "INTEGER"),
            ("columns", "INTEGER"),
            ("key", "TEXT"),
            ("bytes", "INTEGER"),
            ("sql", "TEXT"),
        ),
        rows,
        arguments=("revision",),
        about="the tables and views of the version that is asked, or tables('REV')",
    )


# -- files -------------------------------------------------------------------------------------------------------------


def _files(ground: Ground, _calls: Sequence[Call]) -> TableFunction:
    def rows(given: Mapping[str, Value], _used: frozenset[str]) -> Iterator[Row]:
        version = ground.revisions.version(_text(given, "revision", ground.at))
        for each in files_in(ground.revisions.desk.repository.forest, version):
            yield each.path, each.mode, each.size, each.mtime, each.media, each.content.id.hex()

    return TableFunction(
        "files",
        (
            ("path", "TEXT"),
            ("mode", "INTEGER"),
            ("size", "INTEGER"),
            ("mtime", "INTEGER"),
            ("media", "TEXT"),
            ("content", "TEXT"),
        ),
        rows,
        arguments=("revision",),
        about="the files of the version that is asked, or files('REV')",
    )


# -- diff --------------------------------------------------------------------------------------------------------------

_TOLD = (("key", "TEXT"), ("before", "TEXT"), ("after", "TEXT"))  # as JSON, each


def _diff(ground: Ground, calls: Sequence[Call]) -> TableFunction:
    """With the table written down, its columns are columns here too: the key, and `before_x` and `after_x` for each
    other column x. Several calls share one set of them."""
    key: dict[str, str] = {}
    others: dict[str, str] = {}
    for table, renamed in chain.from_iterable(_known(ground, call) for call in calls):
        types = {column.name: column.type for column in table.columns}
        names = _key(table)
        key.update((renamed.get(name, name), types.get(name, "INTEGER")) for name in names)
        cells = (cell for cell in table.cells if cell != ROWID and cell not in names)
        others.update((renamed.get(cell, cell), types[cell]) for cell in cells)
    columns = [("op", "TEXT")]
    taken = {"op", "key", "before", "after", *_ARGUMENTS}
    for name, kind in [*key.items(), *((f"{side}_{x}", kind) for x, kind in others.items() for side in _SIDES)]:
        if name.lower() not in taken:
            taken.add(name.lower())
            columns.append((name, kind))
    shown = (*columns, *_TOLD)

    def rows(given: Mapping[str, Value], used: frozenset[str]) -> Iterator[Row]:
        name = given.get("of_table")
        if not isinstance(name, str):
            raise BadQuery(why="diff() needs the name of a table: diff('notes', 'A', 'B')")
        old, new = _text(given, "old", "HEAD"), _text(given, "new", "WORK")
        for found in _changes(ground, name, old, new):
            yield from (_row(found, change, shown, used) for change in found.rows())

    hidden = frozenset(label for label, _ in _TOLD) if key else frozenset()
    about = "what differs in a table: diff('notes', 'A', 'B'), where B is the live database and A HEAD if left out"
    return TableFunction("diff", shown, rows, arguments=_ARGUMENTS, hidden=hidden, about=about)


_ARGUMENTS = ("of_table", "old", "new")
_SIDES = ("before", "after")


def _known(ground: Ground, call: Call) -> Iterator[tuple[Table, Mapping[str, str]]]:
    """The table of a call, in both versions as far as they have it, with what its columns are called in the newer."""
    if call:
        before, after = map(ground.revisions.version, [*call[1:3], *("HEAD", "WORK")[len(call[1:3]) :]])
        for pair in pairs(ground.revisions.desk.repository.forest, before, after):
            sides = [(table, renamed) for table, renamed in ((pair.before, pair.columns), (pair.after, {})) if table]
            if call[0].lower() in {table.name.lower() for table, _ in sides}:
                yield from sides


def _changes(ground: Ground, name: str, old: str, new: str) -> Iterator[TableDelta]:
    before, after = ground.revisions.version(old), ground.revisions.version(new)
    if not _has(before, name) and not _has(after, name):
        raise NoSuchTable(table=name, known=sorted({*before.shape.tables, *after.shape.tables}))
    for found in delta(ground.revisions.desk.repository.forest, before, after).tables:
        if name.lower() in {each.name.lower() for each in (found.before, found.after) if each is not None}:
            yield found


def _has(version: Version, name: str) -> bool:
    return name.lower() in {table.lower() for table in version.shape.tables}


def _row(found: TableDelta, change: RowChange, shown: Sequence[tuple[str, str]], used: frozenset[str]) -> Row:
    before = _by_column(found.before, change.before, found.columns)
    after = _by_column(found.after, change.after, {})
    cells: dict[str, Value] = {"op": change.op}
    cells.update({name: value for side in (before, after) for name, value in (side or {}).items()})
    for label, side in (("before", before), ("after", after)):
        cells.update({f"{label}_{name}": value for name, value in (side or {}).items()})
        cells[label] = _json(side) if side is not None and label in used else None
    cells["op"] = change.op
    cells["key"] = (
        json.dumps([encode_value(cell) for cell in change.key], ensure_ascii=False) if "key" in used else None
    )
    return tuple(cells.get(name) for name, _ in shown)


def _by_column(table: Table | None, row: Row | None, renamed: Mapping[str, str]) -> dict[str, Value] | None:
    """A row by the names its columns have in the newer version."""
    if table is None or row is None:
        return None
    labels = (*_key(table), *table.cells[len(table.key) :]) if len(_key(table)) == len(table.key) else table.cells
    return {renamed.get(label, label): value for label, value in zip(labels, row, strict=True)}


def _json(row: Mapping[str, Value]) -> str:
    return json.dumps({name: encode_value(value) for name, value in row.items()}, ensure_ascii=False)


def _key(table: Table) -> list[str]:
    """The names of the key for people: a rowid that stands in for a NULL is nobody's column."""
    cells = list(table.key)
    if cells == [ROWID]:
        return ["rowid"]
    return cells[:-1] if cells[-1] == ROWID else cells


def _text(given: Mapping[str, Value], name: str, default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise BadQuery(why=f"a revision is text, and {value!r} is none")
    return value


OWN: dict[str, Maker] = {
    "blame": lambda ground, _: blame_function(ground.revisions, ground.at),
    "commits": _commits,
    "conflicts": lambda ground, _: conflicts_function(ground.revisions.desk),
    "diff": _diff,
    "files": _files,
    "history": lambda ground, _: history_function(ground.revisions, ground.at),
    "tables": _tables,
}
