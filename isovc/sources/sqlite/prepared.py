"""Statements that are prepared and never run. Knows nothing of what they say."""

from __future__ import annotations

import apsw

from isovc.model import Row


def why_not(connection: apsw.Connection, sql: str, bound: Row = ()) -> apsw.Error | None:
    """What SQLite says when it prepares this one statement; None: nothing, and it could be run."""
    cursor = connection.cursor()
    cursor.exec_trace = lambda _cursor, _sql, _bindings: False
    try:
        cursor.execute(sql, bound, can_cache=False)  # one that was prepared before would say what was true then
    except apsw.ExecTraceAbort:
        return None
    except apsw.Error as error:
        return error
    return None
