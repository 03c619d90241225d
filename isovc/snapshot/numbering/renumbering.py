"""Rows that both sides added under one number: theirs get others before the sides are merged, and what points to them
follows. Rows of ours never change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from isovc.encoding.orderkey import decode_key, encode_key
from isovc.errors import CannotRenumber
from isovc.model import KeyKind, Table
from isovc.snapshot.compare import changes
from isovc.snapshot.numbering.links import Link, links
from isovc.snapshot.numbering.sequence import noted, number_given
from isovc.snapshot.version import Version
from isovc.sql import folded, is_autoincrement
from isovc.tree.diff import differing_cells
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root
from isovc.tree.leaf import Row
from isovc.tree.read import get

HIGHEST = (1 << 63) - 1  # a rowid has 64 bits
NUMBERED = (KeyKind.INTEGER, KeyKind.ROWID)


def renumbered(
    forest: Forest,
    base: Version,
    ours: Version,
    theirs: Version,
    renumber: Mapping[str, frozenset[bytes] | None],
) -> tuple[Version, Mapping[str, Mapping[int, int]]]:
    """`theirs` with other numbers for what ours added under the same ones and with other content, and which they are,
    by table, old to new."""
    chosen = _chosen(ours, theirs, renumber)
    if not chosen:
        return theirs, {}
    work = _Renumbering(forest, base, ours, theirs, chosen)
    work.find()
    if not work.moved:
        return theirs, {}
    work.follow()
    return work.version(), work.numbers


def first_free(forest: Forest, used: Iterable[tuple[Version, str]]) -> int:
    """Behind every number that anybody has used for a table, in some versions with its name there."""
    highest = 0
    for version, table in used:
        if table in version.roots:
            last = forest.top(version.roots[table].id).entries.keys[-1:]
            highest = max([highest, number_given(forest, version, table), *(decode_key(key, 1)[0] for key in last)])
    return highest + 1


def _chosen(
    ours: Version, theirs: Version, renumber: Mapping[str, frozenset[bytes] | None]
) -> dict[str, frozenset[bytes] | None]:
    """The tables that both have, by the names that they have."""
    found: dict[str, frozenset[bytes] | None] = {}
    for said, keys in renumber.items():
        for version in (ours, theirs):
            for each in version.shape.objects:
                if each.type in ("table", "view") and folded(each.name) == folded(said):
                    _check(version.shape.tables.get(each.name), each.name)
        for name in theirs.shape.tables.keys() & ours.shape.tables.keys():
            if folded(name) == folded(said):
                before = found.get(name, frozenset())
                found[name] = None if keys is None or before is None else before | keys
    return found


def _check(table: Table | None, name: str) -> None:
    if table is None:
        raise CannotRenumber(table=name, why="it keeps no rows of its own")
    if name.lower().startswith("sqlite_"):
        raise CannotRenumber(table=name, why="SQLite keeps it for itself")
    if table.shadow_of:
        raise CannotRenumber(table=name, why=f"it belongs to the virtual table {table.shadow_of}")
    if table.key_kind not in NUMBERED:
        columns = ", ".join(column.name for column in table.columns if column.primary_key)
        raise CannotRenumber(table=name, why=f"its key ({columns}) is no number that SQLite gives")


class _Renumbering:
    """What becomes of their rows. `moved`: by table and key, a row and what it shall be."""

    def __init__(
        self,
        forest: Forest,
        base: Version,
        ours: Version,
        theirs: Version,
        chosen: Mapping[str, frozenset[bytes] | None],
    ) -> None:
        self._forest = forest
        self._base, self._ours, self._theirs = base, ours, theirs
        self._links = links(base.shape, ours.shape, theirs.shape)
        # where the number itself points to another row, it is that row's, and follows it only
        following = {link.child for link in self._links if 0 in link.cells}
        self._chosen = {name: keys for name, keys in chosen.items() if name not in following and self._is_alike(name)}
        self._next: dict[str, int] = {}
        # for each of these: what rows were pointed to by, and what they shall be
        self._moved_to: list[dict[tuple[object, ...], Row]] = [{} for _ in self._links]
        self.moved: dict[str, dict[bytes, tuple[Row, Row]]] = {}
        self.numbers: dict[str, dict[int, int]] = {}

    def find(self) -> None:
        """Rows under one key that are not the same."""
        for table in self._chosen:
            pairs = self._common(table)
            for key, mine, other in self._added_by_both(table):
                if differing_cells([mine[at] for at, _ in pairs], [other[at] for _, at in pairs]):
                    self._number(table, key, other, other)

    def follow(self) -> None:
        """What they added or changed and that points to such rows goes with them; and so on, until nothing moves any
        more. A row that was the same on both sides and now points elsewhere is not the same any more."""
        moving = True
        while moving:
            moving = False
            for table in dict.fromkeys(link.child for link in self._links):
                pairs = zip(self._links, self._moved_to, strict=True)
                pointing = [(link, moved_to) for link, moved_to in pairs if link.child == table and moved_to]
                if pointing:
                    for change in changes(self._forest, self._base, self._theirs, table):
                        if change.after is not None:
                            moving |= self._follow(table, pointing, change.key, change.after, new=change.before is None)

    def _follow(
        self,
        table: str,
        pointing: list[tuple[Link, dict[tuple[object, ...], Row]]],
        key: bytes,
        row: Row,
        *,
        new: bool,
    ) -> bool:
        """Whether the row has moved."""
        now = self.moved[table][key][1] if key in self.moved.get(table, {}) else row
        cells = list(now)
        for link, moved_to in pointing:
            name = link.pointed_at(row)
            parent = moved_to.get(name) if name is not None else None
            for cell, value in link.followed(row, parent) if parent is not None else ():
                cells[cell] = value
        after = tuple(cells)
        if not differing_cells(now, after):
            return False
        self._move(table, key, row, after)
        if new and table in self._chosen and after[0] == row[0]:
            mine = get(self._forest, self._ours.roots[table].id, key, width=1)
            if mine is not None:
                self._number(table, key, row, after)
        return True

    def version(self) -> Version:
        """Theirs with all of it done."""
        roots = dict(self._theirs.roots)
        for table, moved in self.moved.items():
            roots[table] = self._edited(table, moved)
        texts = {each.name: each.sql for each in self._theirs.shape.objects if each.type == "table"}
        given = {
            table: max(numbers.values())
            for table, numbers in self.numbers.items()
            if is_autoincrement(texts.get(table, ""))
        }
        return noted(self._forest, replace(self._theirs, roots=roots), given)

    def _edited(self, table: str, moved: Mapping[bytes, tuple[Row, Row]]) -> Root:
        shape, root = self._theirs.shape.tables[table], self._theirs.roots[table].id
        width, key_width = len(shape.cells), len(shape.key)
        edits: dict[bytes, Row | None] = dict.fromkeys(moved)
        for _, row in moved.values():
            key = encode_key(row[:key_width])
            if edits.get(key) is not None or (key not in moved and get(self._forest, root, key, width=1) is not None):
                what = ", ".join(map(str, row[:key_width]))
                raise CannotRenumber(table=table, why=f"it has a row {what} already that points to nothing")
            edits[key] = row
        return edit(
            self._forest, root, (Edit(key, edits[key]) for key in sorted(edits)), width=width, key_width=key_width
        )

    def _number(self, table: str, key: bytes, row: Row, after: Row) -> None:
        """The next number for a row, if it may have one; where there is none left, it stays in conflict."""
        allowed = self._chosen[table]
        if allowed is not None and key not in allowed:
            return
        number = self._next.get(table) or first_free(
            self._forest, ((version, table) for version in (self._base, self._ours, self._theirs))
        )
        if number <= HIGHEST:
            self._next[table] = number + 1
            self._move(table, key, row, (number, *after[1:]))

    def _move(self, table: str, key: bytes, row: Row, after: Row) -> None:
        self.moved.setdefault(table, {})[key] = (row, after)
        for link, moved_to in zip(self._links, self._moved_to, strict=True):
            name = link.name_of(row) if link.parent == table else None
            if name is not None and name != link.name_of(after):
                moved_to[name] = after
        if self._theirs.shape.tables[table].key_kind in NUMBERED and row[0] != after[0]:
            self.numbers.setdefault(table, {})[int(row[0])] = int(after[0])

    def _added_by_both(self, table: str) -> Iterator[tuple[bytes, Row, Row]]:
        ours, theirs = self._added(self._ours, table), self._added(self._theirs, table)
        mine, other = next(ours, None), next(theirs, None)
        while mine is not None and other is not None:
            if mine[0] == other[0]:
                yield mine[0], mine[1], other[1]
            step_ours, step_theirs = mine[0] <= other[0], other[0] <= mine[0]
            mine = next(ours, None) if step_ours else mine
            other = next(theirs, None) if step_theirs else other

    def _added(self, side: Version, table: str) -> Iterator[tuple[bytes, Row]]:
        for change in changes(self._forest, self._base, side, table):
            if change.before is None and change.after is not None:
                yield change.key, change.after

    def _common(self, table: str) -> list[tuple[int, int]]:
        """The places of the cells that both sides have, behind the key."""
        mine, other = (version.shape.tables[table].cells for version in (self._ours, self._theirs))
        at = {cell: place for place, cell in enumerate(mine)}
        return [(at[cell], place) for place, cell in enumerate(other) if place and cell in at]

    def _is_alike(self, table: str) -> bool:
        """Whether the same key names the same row in all versions that have the table."""
        versions = (self._base, self._ours, self._theirs)
        return len({v.shape.tables[table].key_kind for v in versions if table in v.shape.tables}) == 1
