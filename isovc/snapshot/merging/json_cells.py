"""Cells that hold JSON, which both sides changed, merged key by key. Knows nothing of trees."""

from __future__ import annotations

from isovc.blobs import apart, whole
from isovc.encoding.values import External
from isovc.model import Table
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.json_merge import Contested, merge_json
from isovc.snapshot.values import is_large
from isovc.sql import folded
from isovc.store.protocol import ChunkStore, ChunkWriter
from isovc.tree.edit import Edit
from isovc.tree.merge import Conflict


class JsonCells:
    """The columns of one table that somebody has said to hold JSON."""

    def __init__(self, store: ChunkStore, writer: ChunkWriter, table: Table, how: How) -> None:
        self._store = store
        self._writer = writer
        self._names = table.cells
        said = {folded(column) for owner, column in how.json if folded(owner) == folded(table.name)}
        self._cells = frozenset(at for at, name in enumerate(table.cells) if folded(name) in said)

    def decided(self, contested: Conflict) -> tuple[Conflict | Edit, str]:
        """What stays in conflict of a row, and more about it in words; or the row, if nothing does."""
        cells = [cell for cell in contested.cells if cell in self._cells]
        rows = contested.base, contested.ours, contested.theirs
        if contested.kind != "edit/edit" or not cells or None in rows or contested.merged is None:
            return contested, ""
        merged, left, why = list(contested.merged), set(contested.cells), []
        for cell in cells:
            found = self._merged(*(row[cell] for row in rows if row is not None))
            if isinstance(found, Contested):
                why.append(f"{self._names[cell]}: {found.why}")
            else:
                merged[cell] = found
                left.discard(cell)
        if not left:
            return Edit(contested.key, tuple(merged)), ""
        rest = tuple(cell for cell in contested.cells if cell in left)
        return contested._replace(cells=rest, merged=tuple(merged)), "; ".join(why)

    def _merged(self, base: object, ours: object, theirs: object) -> str | External | Contested:
        texts = [whole(self._store, each) if isinstance(each, External) else each for each in (base, ours, theirs)]
        was, mine, other = texts
        if not (isinstance(was, str) and isinstance(mine, str) and isinstance(other, str)):
            return Contested("one of its values is no text")
        found = merge_json(was, mine, other)
        if isinstance(found, Contested):
            return found
        return apart(self._writer, found) if is_large(found) else found
