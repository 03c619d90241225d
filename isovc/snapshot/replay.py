"""A version with some rows made others, row by row. Knows nothing of where the rows were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from isovc.snapshot.version import Version
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.leaf import Row as Cells

Rows = Mapping[str, Mapping[bytes, Cells | None]]  # by table and encoded key: the row as it is then, None: gone


def replay(forest: Forest, version: Version, rows: Rows) -> Version:
    """The version with these rows. Its chunks are kept; nothing refers to them yet."""
    roots = dict(version.roots)
    with forest.store.writing() as writer:
        for name, some in rows.items():
            table = version.shape.tables[name]
            edits = (Edit(key, some[key]) for key in sorted(some))
            roots[name] = edit(
                forest, roots[name].id, edits, width=len(table.cells), key_width=len(table.key), writer=writer
            )
    return replace(version, roots=roots)
