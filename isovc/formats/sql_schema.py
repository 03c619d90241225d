"""How tables get from one definition to another in plain SQL: what can be altered, what is made anew, what hangs on it.
Knows nothing of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from isovc.formats.delta import Definition
from isovc.formats.sql_rows import rowid_name
from isovc.model import KeyKind, SchemaObject, Shape, Table
from isovc.sql import added_columns, literal, module_of, name, renamed, statement
from isovc.sql.definition import tokens, unquoted

Way = Literal["rename", "add", "remake", "drop", "create"]
_NEEDS_CARE = {"UNIQUE", "PRIMARY", "GENERATED", "AS", "CHECK", "REFERENCES", "DEFAULT", "NOT"}
_BY_HAND, _BY_SQLITE = "PRAGMA writable_schema = ON;\n", "PRAGMA writable_schema = RESET;\n"


@dataclass(frozen=True, slots=True)
class TableWay:
    """How one stored table goes from here to there."""

    way: Way
    before: Table | None
    after: Table | None
    old_sql: str
    new_sql: str
    columns: Mapping[str, str]

    @property
    def in_two(self) -> bool:
        """Rows leave before the definition changes, and come after it."""
        return self.way in ("drop", "create", "remake")


def is_own(table: str) -> bool:
    """SQLite keeps all names that begin so for itself."""
    return table.lower().startswith("sqlite_")


def ways(old: Shape, new: Shape, definitions: Iterable[Definition]) -> dict[str, TableWay]:
    """For each stored table whose definition differs, by its name before and by its name after."""
    found: dict[str, TableWay] = {}
    for each in definitions:
        before, after = old.tables.get(each.was or each.name), new.tables.get(each.name)
        if each.type != "table" or (before is None and after is None) or is_own(each.name):
            continue
        old_sql, new_sql = str(each.before or ""), str(each.after or "")
        way = TableWay(_way(each, old_sql, new_sql, before, after), before, after, old_sql, new_sql, each.columns)
        found[each.was or each.name] = found[each.name] = way
    return found


def _way(each: Definition, old: str, new: str, before: Table | None, after: Table | None) -> Way:
    if before is None or after is None:  # no stored table there; a virtual one may have its name
        return "create" if before is None else "drop"
    if each.was and renamed(old, each.name) == new and each.was.lower() != each.name.lower():
        return "rename"
    return "add" if not each.was and _can_add(old, new) else "remake"


def _can_add(old: str, new: str) -> bool:
    """Whether ALTER TABLE ADD COLUMN gives this very text, and NULL in every row."""
    pieces = added_columns(old, new)
    plain = all(not _NEEDS_CARE & {word.upper() for word, _, _ in tokens(piece)} for piece in pieces)
    said = ", ".join(pieces)
    at = new.find(", " + said)
    return bool(pieces) and plain and at > 0 and new[:at] + new[at + len(said) + 2 :] == old


def table_statements(ways: Iterable[TableWay], aside: str) -> Iterator[str]:
    """What makes the tables as they shall be. `aside`: a name that nothing has."""
    for each in ways:
        before, after = each.before, each.after
        if each.way == "create":
            yield statement(each.new_sql) + "\n"
        elif before is not None and each.way == "drop":
            yield f"DROP TABLE {name(before.name)};\n"
        elif before is not None and after is not None:
            if each.way == "rename":
                yield f"ALTER TABLE {name(before.name)} RENAME TO {name(after.name)};\n"
            elif each.way == "add":
                for piece in added_columns(each.old_sql, each.new_sql):
                    yield f"ALTER TABLE {name(before.name)} ADD COLUMN {piece};\n"
            else:
                yield from _remake(before, after, each, aside)


def _remake(before: Table, after: Table, each: TableWay, aside: str) -> Iterator[str]:
    """The old table steps aside, the new one is made under its name, the rows that stay move over."""
    yield f"ALTER TABLE {name(before.name)} RENAME TO {name(aside)};\n"
    yield statement(each.new_sql) + "\n"
    old = {each.columns.get(cell, cell): cell for cell in before.cells}
    key = tuple(each.columns.get(cell, cell) for cell in before.key)
    if (before.key_kind, key) == (after.key_kind, after.key):
        stored = {column.name for column in after.columns if not column.generated}
        goal = [column.name for column in after.columns if column.name in stored]
        source = [name(old[column]) if column in old else "NULL" for column in goal]
        into = list(map(name, goal))
        if not (before.without_rowid or after.without_rowid) and after.key_kind is not KeyKind.INTEGER:
            rowids = [rowid_name(before), rowid_name(after)]
            if all(rowids):
                source, into = [rowids[0], *source], [rowids[1], *into]
        yield f"INSERT INTO {name(after.name)} ({', '.join(into)}) SELECT {', '.join(source)} FROM {name(aside)};\n"
    yield f"DROP TABLE {name(aside)};\n"


def dropped_first(old: Shape, changed: set[tuple[str, str]], moved: set[str], touched: set[str]) -> Iterator[str]:
    """Whatever stands in the way of rows and tables: triggers would fire, indexes and views would be stale. `changed`:
    type and name of definitions that differ; `moved`: tables that are made anew or renamed; `touched`: tables whose
    rows change."""
    order = {"trigger": 0, "view": 1, "index": 2}
    going = [each for each in old.objects if each.type in order and _goes(each, changed, moved, touched)]
    for each in sorted(going, key=lambda each: order[each.type]):
        yield f"DROP {each.type.upper()} {name(each.name)};\n"


def created_last(new: Shape, changed: set[tuple[str, str]], moved: set[str], touched: set[str]) -> Iterator[str]:
    """The same on the other side, in an order that can be executed. Names are those of the newer version."""
    for each in new.objects:
        if each.type in ("index", "view", "trigger") and _goes(each, changed, moved, touched):
            yield statement(each.sql) + "\n"


def _goes(each: SchemaObject, changed: set[tuple[str, str]], moved: set[str], touched: set[str]) -> bool:
    if (each.type, each.name) in changed:
        return True
    if each.type == "trigger":  # those of a view go with it
        return each.table in moved or each.table in touched or ("view", each.table) in changed
    return each.type == "index" and each.table in moved


def forgotten(definitions: Iterable[Definition]) -> Iterator[str]:
    """Virtual tables that go, without asking their modules; their stored tables are tables like others."""
    gone = [each.was or each.name for each in definitions if each.type == "table" and module_of(str(each.before or ""))]
    if gone:
        said = ", ".join(map(literal, gone))
        yield f"{_BY_HAND}DELETE FROM sqlite_schema WHERE type = 'table' AND name IN ({said});\n{_BY_SQLITE}"


def entered(definitions: Iterable[Definition], aside: str) -> Iterator[str]:
    """Virtual tables that come; CREATE VIRTUAL TABLE would make and fill stored tables that are there already."""
    came = [each for each in definitions if each.type == "table" and module_of(str(each.after or ""))]
    if came:
        # a table that comes and goes makes other connections read the definitions again
        yield f"CREATE TABLE {name(aside)} (a);\nDROP TABLE {name(aside)};\n{_BY_HAND}"
        for each in came:
            values = ", ".join(["'table'", literal(each.name), literal(each.name), "0", literal(str(each.after))])
            yield f"INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ({values});\n"
        yield _BY_SQLITE


def own_tables(definitions: Iterable[Definition], *, come: bool, aside: str) -> Iterator[str]:
    """Tables that SQLite keeps for itself: those that come, or those that go."""
    for each in definitions:
        if each.type != "table" or not is_own(each.name):
            continue
        if come and each.before is None:
            yield f"{_BY_HAND}{statement(str(each.after))}\n{_BY_SQLITE}"
        elif not come and each.after is None:
            # under a name where it may be dropped
            old, new = literal(each.name), literal(aside)
            yield (
                f"{_BY_HAND}UPDATE sqlite_schema SET name = replace(name, {old}, {new}), tbl_name = {new},"
                f" sql = CASE type WHEN 'table' THEN {literal(renamed(str(each.before), aside))} END"
                f" WHERE tbl_name = {old};\n{_BY_SQLITE}DROP TABLE {name(aside)};\n"
            )


def unique_cells(table: Table, sql: str, indexes: Iterable[SchemaObject]) -> frozenset[str]:
    """The cells whose change can break a rule of uniqueness before all rows have changed: perhaps more, never less."""
    cells = {cell.lower(): cell for cell in table.cells[len(table.key) :]}
    generated = {column.name.lower() for column in table.columns if column.generated}
    words: set[str] = set()
    for piece in _pieces(sql):
        if any(word.upper() == "UNIQUE" for word, _, _ in tokens(piece)):
            words |= {unquoted(word).lower() for word, _, _ in tokens(piece)}
    for each in indexes:
        said = [word for word, _, _ in tokens(each.sql)]
        if each.table == table.name and len(said) > 1 and said[1].upper() == "UNIQUE":
            words |= {unquoted(word).lower() for word in said}
    return frozenset(cells.values()) if words & generated else frozenset(cells[word] for word in words & cells.keys())


def _pieces(sql: str) -> Iterator[str]:
    """The columns and constraints of a table, as text."""
    depth, begin = 0, 0
    for token, start, end in tokens(sql):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "(" and depth == 1:
            begin = end
        elif (token == "," and depth == 1) or (token == ")" and depth == 0):
            yield sql[begin:start]
            begin = end


def free_name(*shapes: Shape) -> str:
    """A table name that nothing has."""
    taken = {each.name.lower() for shape in shapes for each in shape.objects}
    number = 0
    while f"isovc_aside_{number}" in taken:
        number += 1
    return f"isovc_aside_{number}"
