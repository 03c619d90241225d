"""What differs in virtual tables, as rows under their own columns instead of the tables in which they store it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from isovc.formats.delta import TableDelta
from isovc.snapshot.delta import delta
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.content import as_version
from isovc.snapshot.virtual.rows import rows_of
from isovc.snapshot.virtual.tables import NotMade
from isovc.tree.forest import Forest


@dataclass(frozen=True, slots=True)
class Folded:
    """`tables`: ordinary ones and, by their rows, virtual ones. `stored`: the virtual ones whose rows do not differ or
    cannot be told, while what they store does: the tables in which it does."""

    tables: tuple[TableDelta, ...]
    virtual: frozenset[str]
    stored: Mapping[str, tuple[TableDelta, ...]]


def folded(
    forest: Forest, old: Version, new: Version, tables: Iterable[TableDelta], *, apart: Collection[str] = ()
) -> Folded:
    """The tables with those that belong to a virtual table folded into it. `apart`: names in lower case of those that
    somebody wants to see as they are."""
    found: list[TableDelta] = []
    groups: dict[str, list[TableDelta]] = {}
    for table in tables:
        owner = table.shown.shadow_of
        if owner and table.name.lower() not in apart:
            groups.setdefault(owner, []).append(table)
        else:
            found.append(table)
    virtual: set[str] = set()
    stored: dict[str, tuple[TableDelta, ...]] = {}
    for name, parts in groups.items():
        rows = _rows(forest, old, new, name)
        if rows is None:
            stored[name] = tuple(parts)
        else:
            virtual.add(name)
            found.append(rows)
    found.sort(key=lambda table: table.name)
    return Folded(tuple(found), frozenset(virtual), stored)


def _rows(forest: Forest, old: Version, new: Version, name: str) -> TableDelta | None:
    """Its rows that differ; None: there are none, or nobody here can read them."""
    sides = []
    for version in (old, new):
        try:
            rows = rows_of(forest, version, name)
        except NotMade:
            return None
        if rows is None and any((each.type, each.name) == ("table", name) for each in version.shape.objects):
            return None
        sides.append(Version() if rows is None else as_version(*rows))
    return next(iter(delta(forest, *sides).tables), None)
