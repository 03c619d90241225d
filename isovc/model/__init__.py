"""Tables, rows and changes as plain values. Knows nothing of files, SQL or trees."""

from isovc.model.changes import KeyRange, RowChange
from isovc.model.shape import ROWID_NAMES, Column, KeyKind, SchemaObject, Shape, Table
from isovc.model.values import ContentId, Key, Row, Unread, Value

__all__ = [
    "ROWID_NAMES",
    "Column",
    "ContentId",
    "Key",
    "KeyKind",
    "KeyRange",
    "Row",
    "RowChange",
    "SchemaObject",
    "Shape",
    "Table",
    "Unread",
    "Value",
]
