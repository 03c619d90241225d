"""What VACUUM alone can change in a file: page size, auto_vacuum, and the encoding while it is empty."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from isovc.model import Shape
from isovc.sql import literal

TRANSACTIONAL = ("user_version", "application_id")  # what a transaction can set
_LAYOUT = ("page_size", "auto_vacuum")


def lay_out_empty(path: Path, shape: Shape) -> None:
    """Give a file of no bytes its encoding, page size and auto_vacuum."""
    # A connection of its own: SQLite fixes the encoding at the first look at the file.
    with closing(apsw.Connection(str(path.absolute()), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        connection.execute(f"PRAGMA encoding={literal(shape.encoding)}")
        for pragma in _LAYOUT:
            if pragma in shape.pragmas:
                connection.execute(f"PRAGMA {pragma}={int(shape.pragmas[pragma])}")
        # the first table settles all three
        connection.execute("BEGIN IMMEDIATE; CREATE TABLE isovc_aside (a); DROP TABLE isovc_aside; COMMIT")


def lay_out(connection: apsw.Connection, shape: Shape) -> bool:
    """Give the file the layout of the shape; False where it has it already."""
    wanted = {pragma: shape.pragmas[pragma] for pragma in _LAYOUT if pragma in shape.pragmas}
    differing = {pragma: value for pragma, value in wanted.items() if connection.pragma(pragma) != value}
    if not differing:
        return False
    for pragma, value in differing.items():
        connection.execute(f"PRAGMA {pragma}={value}")
    mode = connection.pragma("journal_mode")
    if mode == "wal" and "page_size" in differing:
        connection.execute("PRAGMA journal_mode=DELETE")  # pages of a log cannot change their size
        connection.execute(f"PRAGMA page_size={differing['page_size']}")
    connection.execute("VACUUM")
    if mode == "wal":
        connection.execute("PRAGMA journal_mode=WAL")
    return True
