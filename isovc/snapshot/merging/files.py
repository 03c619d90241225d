"""Files that both sides changed. What a file holds, how long it is and when it was written is one thing: there is no
file with the content of one side and the length of the other. Text is merged line by line."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from isovc.blobs import keep_stream, stream
from isovc.snapshot.files import WIDTH, File, as_file, files_root
from isovc.snapshot.merging.conflict import Conflict
from isovc.snapshot.merging.how import How, Side
from isovc.snapshot.merging.lines import merge_text
from isovc.snapshot.version import FILE_TABLE, FILES, Version
from isovc.store.protocol import ChunkStore, ChunkWriter
from isovc.tree.build import build
from isovc.tree.edit import Edit, Replacement, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row
from isovc.tree.merge import Conflict as RowConflict
from isovc.tree.merge import merge

_MODE, _MTIME, _CONTENT = (FILE_TABLE.cells.index(name) for name in ("mode", "mtime", "content"))
_LONGEST = 1 << 20  # bytes of a text that is merged line by line
_WITH_CONTENT = tuple(FILE_TABLE.cells.index(name) for name in ("size", "mtime", "media", "content"))


def merge_files(
    forest: Forest, base: Version, ours: Version, theirs: Version, how: How, conflicts: list[Conflict]
) -> Root | None:
    """The files of both sides; what is contested is added to `conflicts`, and stays as ours."""
    was, mine, other = files_root(base), files_root(ours), files_root(theirs)
    if other in (was, mine):
        return mine
    if mine == was:
        return other
    was, mine, other = (root or build(forest, ()) for root in (was, mine, other))
    steps = merge(forest, was.id, mine.id, other.id, width=WIDTH)
    with forest.store.writing() as writer:
        texts = Texts(forest.store, writer)
        return edit(forest, mine.id, _decided(steps, how.side(FILES), conflicts, texts), width=WIDTH, writer=writer)


@dataclass(frozen=True, slots=True)
class Texts:
    """What files hold, where it is text and not too long to be merged line by line."""

    store: ChunkStore
    writer: ChunkWriter

    def merged(self, contested: RowConflict) -> File | None:
        """The file with the lines of both sides; None: it cannot be told."""
        if contested.base is None or contested.ours is None or contested.theirs is None:
            return None
        sides = [as_file(row) for row in (contested.base, contested.ours, contested.theirs)]
        if any(each.is_link or each.size > _LONGEST for each in sides):
            return None
        texts = [b"".join(stream(self.store, each.content)) for each in sides]
        found = merge_text(*texts, is_json=sides[1].media == "application/json")
        if found is None:
            return None
        newest = max(sides[1].mtime, sides[2].mtime)
        content = keep_stream(self.writer, [found], kind="file")
        return sides[1]._replace(size=len(found), mtime=newest, content=content)


def together(table: str, column: str) -> tuple[str, ...]:
    """The cells that one side's word settles where it is about this one."""
    is_content = table == FILES and column == FILE_TABLE.cells[_CONTENT]
    return tuple(FILE_TABLE.cells[at] for at in _WITH_CONTENT) if is_content else (column,)


def _decided(
    steps: Iterator[Edit | Replacement | RowConflict], side: Side | None, conflicts: list[Conflict], texts: Texts
) -> Iterator[Edit | Replacement]:
    for step in steps:
        if isinstance(step, (Edit, Replacement)):
            yield step
            continue
        found = _settled(step, texts)
        if isinstance(found, RowConflict) and side is None:
            conflicts.append(Conflict(FILES, "row", found))
            yield Edit(found.key, found.merged)
        elif isinstance(found, RowConflict):
            assert side is not None
            yield Edit(found.key, _of(found, side))
        else:
            yield found


def _settled(contested: RowConflict, texts: Texts) -> RowConflict | Edit:
    """What is left to a person, or the file where nothing is."""
    ours, theirs = contested.ours, contested.theirs
    if ours is None or theirs is None or contested.merged is None:
        return contested
    merged = list(contested.merged)
    left = [cell for cell in contested.cells if cell in (_MODE, _CONTENT)]
    if _CONTENT in left:
        text = texts.merged(contested)
        for cell in _WITH_CONTENT:
            merged[cell] = (text or ours)[cell]
        if text is not None:
            left.remove(_CONTENT)
    elif _MTIME in contested.cells:  # somebody has only touched it
        merged[_MTIME] = max(ours[_MTIME], theirs[_MTIME])
    if left and contested.base is None:
        merged = list(ours)  # both added it: it waits as a whole
    if left and stat.S_IFMT(int(ours[_MODE])) != stat.S_IFMT(int(theirs[_MODE])):
        left, merged = [_MODE, _CONTENT], list(ours)  # no link leads to what a file holds
    if not left:
        return Edit(contested.key, tuple(merged))
    return contested._replace(cells=tuple(left), merged=tuple(merged))


def _of(contested: RowConflict, side: Side) -> Row | None:
    """The file when the word of one side counts."""
    row = {"base": contested.base, "ours": contested.ours, "theirs": contested.theirs}[side]
    if row is None or contested.merged is None:
        return row
    merged = list(contested.merged)
    for cell in contested.cells:
        for also in _WITH_CONTENT if cell == _CONTENT else (cell,):
            merged[also] = row[also]
    return tuple(merged)
