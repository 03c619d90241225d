"""Single rows of a version, also of virtual tables: looking them up, and having them otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from isovc.encoding.orderkey import encode_key
from isovc.model import Key, Table
from isovc.snapshot.files import WIDTH, files_root, with_files
from isovc.snapshot.version import FILES, Version
from isovc.snapshot.virtual.rows import rows_of, with_virtual_rows
from isovc.tree.build import build
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells
from isovc.tree.read import get, get_many

Rows = Mapping[str, Mapping[bytes, Cells | None]]  # by table and encoded key; None: there is no such row


def row_at(forest: Forest, version: Version, name: str, key: Key, like: Table | None = None) -> Cells | None:
    """The row with this key, in the columns of `like` if that is given; None too where rows have other keys there."""
    found = rows_of(forest, version, name)
    if found is None:
        return None
    table, root = found
    if like is not None and (table.key_kind, table.key) != (like.key_kind, like.key):
        return None
    row = get(forest, root.id, encode_key(key), width=len(table.cells))
    if row is None or like is None or table.cells == like.cells:
        return row
    cells = dict(zip(table.cells, row, strict=True))
    return tuple(cells.get(cell) for cell in like.cells)


def rows_at(forest: Forest, version: Version, name: str, keys: Iterable[bytes]) -> dict[bytes, Cells | None]:
    """Many rows of one table, by encoded key."""
    found = rows_of(forest, version, name)
    if found is None:
        return dict.fromkeys(keys)
    table, root = found
    return dict(get_many(forest, root.id, sorted(set(keys)), width=len(table.cells)))


def with_rows(forest: Forest, version: Version, rows: Rows) -> Version:
    """The version with some rows otherwise."""
    roots = dict(version.roots)
    files = files_root(version)
    virtual: dict[str, list[Edit]] = {}
    for name, some in rows.items():
        edits = [Edit(key, some[key]) for key in sorted(some)]
        if name == FILES:
            start = files_root(version) or build(forest, ())
            files = edit(forest, start.id, edits, width=WIDTH)
            continue
        table = version.shape.tables.get(name)
        if table is None:
            virtual[name] = edits
            continue
        roots[name] = edit(forest, roots[name].id, edits, width=len(table.cells), key_width=len(table.key))
    version = with_files(replace(version, roots=roots), files)
    for name, edits in virtual.items():
        version = with_virtual_rows(forest, version, name, edits)
    return version
