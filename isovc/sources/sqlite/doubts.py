"""What of a database will not come back as it is, seen without reading a row. Knows nothing of versions.

Whether this SQLite can make a table and write to it is asked of SQLite itself: it looks for every collation and
function when it prepares a statement, and a statement that is only prepared does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import apsw

from isovc.errors import CannotComeBack, MissingCollation, MissingModule, RowidsNotKept
from isovc.model import ROWID_NAMES, SchemaObject
from isovc.sources.sqlite.failures import missing
from isovc.sources.sqlite.own_tables import is_own
from isovc.sources.sqlite.prepared import why_not
from isovc.sources.sqlite.schema_table import free_name
from isovc.sources.sqlite.shape import key_index, kind_of, read_objects, unknown_modules
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import module_of, name, options_of, renamed

Doubt: TypeAlias = MissingModule | CannotComeBack | RowidsNotKept
_FULL_TEXT = ("fts3", "fts4", "fts5")


def doubts(snapshot: Snapshot) -> tuple[Doubt, ...]:
    """Everything that people should know before they trust a version of this."""
    objects = read_objects(snapshot.connection)
    return (*_modules(snapshot, objects), *_tables(snapshot, objects), *_full_text(snapshot, objects))


def _modules(snapshot: Snapshot, objects: Sequence[SchemaObject]) -> Iterator[MissingModule]:
    for table, module in unknown_modules(snapshot.connection, objects):
        yield MissingModule(path=snapshot.path, table=table, module=module)


def _tables(snapshot: Snapshot, objects: Sequence[SchemaObject]) -> Iterator[CannotComeBack]:
    free = free_name(snapshot.connection)
    for each in objects:
        if kind_of(each) == "table" and not is_own(each.name):
            # Deleting some row, whichever, needs all indexes; making the table needs its CHECKs and generated columns.
            tried = (f"DELETE FROM main.{name(each.name)} WHERE random()", renamed(each.sql, free))
            lacking = next(filter(None, (_lacking(snapshot, sql) for sql in tried)), "")
            if lacking:
                yield CannotComeBack(path=snapshot.path, table=each.name, what=lacking)


def _lacking(snapshot: Snapshot, sql: str) -> str:
    error = why_not(snapshot.connection, sql)
    found = missing(str(error), snapshot.path, "") if error else None
    if isinstance(found, MissingModule) or found is None:
        return ""  # if something else is the matter, whoever meets it will say so
    return f"collation {found.collation}" if isinstance(found, MissingCollation) else f"function {found.function}"


def _full_text(snapshot: Snapshot, objects: Sequence[SchemaObject]) -> Iterator[RowidsNotKept]:
    for each in objects:
        if module_of(each.sql).lower() in _FULL_TEXT:
            options = options_of(each.sql)
            content = options.get("content", "")
            if content and _goes_by_rowid(snapshot.connection, content, options.get("content_rowid", "rowid")):
                yield RowidsNotKept(path=snapshot.path, table=each.name, content=content)


def _goes_by_rowid(connection: apsw.Connection, content: str, column: str) -> bool:
    """Whether rows of the table have a rowid that no column of it is, beside a key that names them."""
    columns = {str(row[1]).lower() for row in connection.execute(f"PRAGMA main.table_xinfo({name(content)})")}
    return (
        column.lower() in ROWID_NAMES and column.lower() not in columns and key_index(connection, content) is not None
    )
