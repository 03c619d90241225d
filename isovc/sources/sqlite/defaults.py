"""What SQLite puts into the rows that are there when a column with a default is added. Knows nothing of any file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import apsw

from isovc.model import Column, Value
from isovc.sql import name


def constant_defaults(columns: Sequence[Column], *, strict: bool) -> tuple[Value, ...] | None:
    """The value of each new column; None where SQLite would not add them to rows, as with the time of day."""
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t (isovc_row INT){' STRICT' if strict else ''}; INSERT INTO t VALUES (1)")
        cursor, run = connection.cursor(), []

        def only_one(_cursor: apsw.Cursor, sql: str, _bindings: object) -> bool:
            run.append(sql)
            return len(run) == 1  # a version from elsewhere may say anything where a type or default should stand

        cursor.exec_trace = only_one
        try:
            for column in columns:
                run.clear()
                default = f" DEFAULT ({column.default})" if column.default is not None else ""
                cursor.execute(f"ALTER TABLE t ADD COLUMN {name(column.name)} {column.type}{default}")
            return tuple(connection.execute("SELECT * FROM t").fetchall()[0][1:])
        except (apsw.Error, UnicodeError):
            return None
