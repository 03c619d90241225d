"""What VACUUM alone can change in a file: page size, auto_vacuum, and the encoding while it is empty."""

from __future__ import annotations

import apsw

from isovc.model import Shape
from isovc.sql import literal

TRANSACTIONAL = ("user_version", "application_id")  # what a transaction can set
_LAYOUT = ("page_size", "auto_vacuum")


def lay_out(connection: apsw.Connection, shape: Shape) -> bool:
    """Give the file the layout of the shape; False where it has it already."""
    is_empty = connection.pragma("page_count") == 0
    wanted = {pragma: shape.pragmas[pragma] for pragma in _LAYOUT if pragma in shape.pragmas}
    differing = {pragma: value for pragma, value in wanted.items() if connection.pragma(pragma) != value}
    if is_empty:
        connection.execute(f"PRAGMA encoding={literal(shape.encoding)}")
    elif not differing:
        return False
    for pragma, value in differing.items():
        connection.execute(f"PRAGMA {pragma}={value}")
    if is_empty:
        # any write makes the first page, and with it all three are settled
        connection.execute("BEGIN IMMEDIATE; PRAGMA user_version=0; COMMIT")
        return True
    mode = connection.pragma("journal_mode")
    if mode == "wal" and "page_size" in differing:
        connection.execute("PRAGMA journal_mode=DELETE")  # pages of a log cannot change their size
        connection.execute(f"PRAGMA page_size={differing['page_size']}")
    connection.execute("VACUUM")
    if mode == "wal":
        connection.execute("PRAGMA journal_mode=WAL")
    return True
