"""Which SQLite opens users' databases."""

from __future__ import annotations

import apsw


def library() -> str:
    """The library and its SQLite, in words."""
    return f"apsw {apsw.apsw_version()}, SQLite {apsw.sqlite_lib_version()}"
