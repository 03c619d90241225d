"""What SQLite makes of a declared type. Knows nothing of tables or values."""

from __future__ import annotations

from isovc.sql.quote import folded

_PARTS = {
    "INTEGER": ("int",),
    "TEXT": ("char", "clob", "text"),
    "BLOB": ("blob",),
    "REAL": ("real", "floa", "doub"),
}


def affinity(declared: str) -> str:
    """The affinity of a column of that type: the first that fits.

    >>> affinity("VARCHAR(9)"), affinity("FLOATING POINT"), affinity(""), affinity("DATE")
    ('TEXT', 'INTEGER', 'BLOB', 'NUMERIC')
    """
    if not declared:
        return "BLOB"
    words = folded(declared)
    return next((found for found, parts in _PARTS.items() if any(part in words for part in parts)), "NUMERIC")
