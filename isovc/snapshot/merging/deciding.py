"""What becomes of one row that two sides have: the row that stands, or what a person must decide. Reads no trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from isovc.encoding.values import External
from isovc.formats.words import shown
from isovc.snapshot.merging.fitting import Fitting
from isovc.tree.diff import differing_cells
from isovc.tree.leaf import Row
from isovc.tree.merge import Conflict, ConflictKind


@dataclass(frozen=True, slots=True)
class Whole:
    """One row of a version: its own cells, the same in the merged columns, and which of these cannot stand there
    because the column refuses them."""

    own: Row
    row: Row
    refused: frozenset[int] = frozenset()


Three: TypeAlias = tuple[Whole | None, Whole | None, Whole | None]


def _told_lost(value: Any, column: str, at: int) -> str:
    said = "a large value" if type(value) is External else shown(value)
    here, there = ("here", "there") if at == 1 else ("there", "here")
    return f"{said} was put into {column} {here}, and {column} is dropped {there}"


def _has_put(row: Whole, fit: Fitting, cell: int) -> bool:
    """Whether somebody put something into a column that came new."""
    place, default = fit.came[cell]
    return bool(differing_cells([default], [row.own[place]]))


@dataclass(frozen=True, slots=True)
class Open:
    """A row that a person must decide, and why if that cannot be seen."""

    conflict: Conflict
    why: str = ""
    is_stuck: bool = False  # what one side has cannot stand there, so that nobody's word settles it


@dataclass(frozen=True, slots=True)
class Deciding:
    """What becomes of rows of three versions. The fittings are those of base, ours and theirs; `names` are the cells of
    the merged table, `needed` those that take no NULL."""

    fits: tuple[Fitting | None, Fitting, Fitting]
    names: tuple[str, ...]
    needed: frozenset[int]

    def decide(self, key: bytes, was: Whole | None, mine: Whole | None, other: Whole | None) -> Row | Open | None:
        """The row that stands; None: there is none."""
        if mine is None and other is None:
            return None
        if mine is None or other is None:
            return self._one_sided(key, was, mine, other)
        merged, contested = self._cells(was, mine, other)
        lost = [*self._lost(was, mine, 1), *self._lost(was, other, 2)]
        kind: ConflictKind = "edit/edit" if was else "add/add"
        if lost and not contested:
            kind = "edit/drop" if self._lost(was, mine, 1) else "drop/edit"
        return self._checked(key, kind, (was, mine, other), merged, contested, lost)

    def _one_sided(self, key: bytes, was: Whole | None, mine: Whole | None, other: Whole | None) -> Row | Open | None:
        there, at = (mine, 1) if mine is not None else (other, 2)
        assert there is not None
        lost = self._lost(was, there, at)
        if was is None:
            kind: ConflictKind = "edit/drop" if at == 1 else "drop/edit"
            return self._checked(key, kind, (was, mine, other), list(there.row), set(), lost)
        if not lost and not self._touched(was, there, at):
            return None
        if at == 2:
            return self._told(key, "delete/edit", (was, mine, other), None, set(), lost)
        merged = list(there.row)
        self._replaced(merged, (was, mine, other))
        stands = None if any(merged[cell] is None for cell in self.needed) else tuple(merged)
        return self._told(key, "edit/delete", (was, mine, other), stands, set(), lost)

    def _touched(self, was: Whole, there: Whole, at: int) -> list[int]:
        """Cells that a side changed. What it has put into columns that came new changes no row."""
        known, fit = self.fits[0], self.fits[at]
        assert known is not None and fit is not None
        both = sorted(known.has & fit.has)
        return [both[place] for place in differing_cells([was.row[c] for c in both], [there.row[c] for c in both])]

    def _lost(self, was: Whole | None, there: Whole, at: int) -> list[str]:
        """In words: what this side put into columns that are gone."""
        fit, known = self.fits[at], self.fits[0]
        assert fit is not None
        found = []
        for label, (place, default) in fit.lost.items():
            value = there.own[place]
            if was is not None and known is not None and label in known.lost:
                before = was.own[known.lost[label][0]]
                is_lost = bool(differing_cells([before], [value]))
            else:
                is_lost = value is not None and bool(differing_cells([default], [value]))
            if is_lost:
                found.append(_told_lost(value, label, at))
        return found

    def _cells(self, was: Whole | None, mine: Whole, other: Whole) -> tuple[list[Any], set[int]]:
        known, ours, theirs = self.fits
        merged = list(mine.row)
        contested: set[int] = set()
        if was is not None and known is not None:
            for cell in known.has - ours.has - theirs.has:
                merged[cell] = was.row[cell]
        for cell in differing_cells(mine.row, other.row):
            # a version that lacks a column has in it what rows get there by themselves
            before = [] if was is None else [was.row[cell]]
            if before and known is not None and cell not in known.has and cell in ours.has and cell in theirs.has:
                # each side began with the default of its own column, not with that of the merged one
                touched = _has_put(mine, ours, cell), _has_put(other, theirs, cell)
                if all(touched):
                    contested.add(cell)
                else:
                    merged[cell] = (before[0], other.row[cell], mine.row[cell])[touched[1] + 2 * touched[0]]
            elif cell not in ours.has:
                merged[cell] = other.row[cell]
            elif cell not in theirs.has or (before and not differing_cells(before, [other.row[cell]])):
                continue
            elif before and not differing_cells(before, [mine.row[cell]]):
                merged[cell] = other.row[cell]
            else:
                contested.add(cell)
        return merged, contested

    def _checked(
        self,
        key: bytes,
        kind: ConflictKind,
        rows: Three,
        merged: list[Any],
        contested: set[int],
        lost: Sequence[str],
    ) -> Row | Open:
        """No value where it cannot be, no NULL where there has to be something: another version's value stands there
        meanwhile, or there is no row."""
        contested |= set(self._replaced(merged, rows))
        can_stand = all(merged[cell] is not None for cell in self.needed)
        if not contested and not lost:
            return tuple(merged)
        if contested and kind in ("edit/drop", "drop/edit"):
            kind = "edit/edit" if rows[0] else "add/add"
        return self._told(key, kind, rows, tuple(merged) if can_stand else None, contested, lost)

    def _replaced(self, merged: list[Any], rows: Three) -> list[int]:
        """The cells that cannot be as they are, and have become what a version has that can."""
        doubtful = self.needed.union(*(row.refused for row in rows if row is not None))
        wrong = [cell for cell in doubtful if not self._good(cell, merged[cell], rows)]
        for cell in wrong:
            values = [row.row[cell] for row in (rows[2], rows[1], rows[0]) if row is not None]
            good = [value for value in (*values, None) if self._good(cell, value, rows)]
            merged[cell] = good[0] if good else None
        return wrong

    def _good(self, cell: int, value: object, rows: Three) -> bool:
        """Whether a value can stand in a column."""
        if value is None:
            return cell not in self.needed
        return not any(
            row is not None and cell in row.refused and not differing_cells([row.row[cell]], [value]) for row in rows
        )

    def _told(
        self,
        key: bytes,
        kind: ConflictKind,
        rows: Three,
        merged: Row | None,
        contested: set[int],
        lost: Sequence[str],
    ) -> Open:
        """In the merged columns: what a version does not have is shown as it stands."""
        sides: list[Row | None] = []
        for row, fit in zip(rows, self.fits, strict=True):
            if merged is not None and row is not None and kind in ("edit/drop", "drop/edit"):
                sides.append(merged)  # there is nothing else to decide
                continue
            stands = merged or (row.row if row else ())
            sides.append(
                None
                if row is None or fit is None
                else tuple(row.row[cell] if cell in fit.has else stands[cell] for cell in range(len(row.row)))
            )
        if sides[0] is not None and rows[0] is not None:
            # a base without a column has in it, where the sides disagree, what rows get there by themselves
            by_itself = {
                cell: rows[0].row[cell]
                for cell in contested & self.fits[1].came.keys() & self.fits[2].came.keys()
                if self._good(cell, rows[0].row[cell], rows)
            }
            sides[0] = tuple(by_itself.get(cell, value) for cell, value in enumerate(sides[0]))
        why = list(lost)
        asked = contested if kind == "edit/edit" else range(len(self.fits[1].fresh))
        bad = [(cell, row[cell]) for row in sides if row for cell in asked if not self._good(cell, row[cell], rows)]
        empty = dict.fromkeys(self.names[cell] for cell, value in bad if value is None)
        refused = dict.fromkeys(self.names[cell] for cell, value in bad if value is not None)
        if empty:
            why.append(f"NULL cannot stand in {', '.join(empty)} as the table is now")
        if refused:
            why.append(f"a value of another type cannot stand in {', '.join(refused)} as the table is now")
        told = Conflict(key, kind, sides[0], sides[1], sides[2], tuple(sorted(contested)), merged)
        return Open(told, "; ".join(why), bool(bad))
