"""What a query may do: read. And what it reads, as SQLite tells while it prepares it. Knows nothing of versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

_READS = {apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE}
_REFUSED_FUNCTIONS = {"load_extension", "writefile", "readfile", "edit", "fts3_tokenizer"}
# these only tell, with an argument and without; those in the second set tell without one
_WITH_ARGUMENT = {
    "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "integrity_check",
    "quick_check", "table_info", "table_list", "table_xinfo",
}  # fmt: skip
_PRAGMAS = {
    "application_id", "auto_vacuum", "collation_list", "compile_options", "data_version", "database_list",
    "encoding", "freelist_count", "function_list", "journal_mode", "module_list", "page_count", "page_size",
    "pragma_list", "schema_version", "user_version", *_WITH_ARGUMENT,
}  # fmt: skip


class Guard:
    """The authorizer of one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._ours = 0
        self.refused = ""  # what the last statement wanted to do
        self.reads: dict[str, set[str]] = {}  # columns by table, all in lower case
        connection.authorizer = self._judge

    @contextmanager
    def ours(self) -> Iterator[None]:
        """In this block statements are our own."""
        self._ours += 1
        try:
            yield
        finally:
            self._ours -= 1

    def restart(self) -> None:
        """Forget what was seen."""
        self.refused, self.reads = "", {}

    def _judge(self, operation: int, one: str | None, other: str | None, *_: object) -> int:
        if self._ours or operation in _READS:
            return apsw.SQLITE_OK
        if operation == apsw.SQLITE_READ:
            self.reads.setdefault(str(one).lower(), set()).add(str(other).lower())
            return apsw.SQLITE_OK
        if operation == apsw.SQLITE_FUNCTION and str(other).lower() not in _REFUSED_FUNCTIONS:
            return apsw.SQLITE_OK
        if operation == apsw.SQLITE_PRAGMA and str(one).lower() in (_PRAGMAS if other is None else _WITH_ARGUMENT):
            return apsw.SQLITE_OK
        self.refused = self.refused or _in_words(operation, one, other)
        return apsw.SQLITE_DENY


def _in_words(operation: int, one: str | None, other: str | None) -> str:
    word = str(apsw.mapping_authorizer_function[operation]).removeprefix("SQLITE_").replace("_", " ")
    if operation == apsw.SQLITE_FUNCTION:
        return f"the function {other}"
    if operation == apsw.SQLITE_TRANSACTION:
        return str(one)
    if operation == apsw.SQLITE_PRAGMA:
        return f"PRAGMA {one}" + (f"={other}" if other is not None else "")
    if operation in (apsw.SQLITE_ATTACH, apsw.SQLITE_DETACH):
        return word
    return f"{word} {one}" if one else word
