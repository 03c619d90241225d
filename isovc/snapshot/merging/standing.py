"""One table of three versions: which definition of it stands, and whose rows. Knows nothing of other definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from isovc.model import Column, KeyKind, Table
from isovc.snapshot.merging.conflict import Kind
from isovc.snapshot.merging.how import Side
from isovc.snapshot.merging.lineage import SIDES, Lineage
from isovc.snapshot.version import Version
from isovc.sql import affinity, merge_texts, words


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a table: its text (None: it goes), and whose rows (None: those of all, merged). `contested`: what
    a person must say, as kind and words."""

    sql: str | None
    rows: Side | None = None
    contested: tuple[tuple[Kind, str], ...] = ()
    is_kept: bool = False  # against the side that took it away


Filled: TypeAlias = tuple[frozenset[str], frozenset[str]]  # columns that ours, and that theirs, put something into
NOTHING_FILLED: Filled = (frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Constraint:
    """What other definitions ask of a table: that it stays, that columns stay, that it is not merged because SQLite
    does not take what comes of that."""

    held: bool = False
    columns: frozenset[str] = frozenset()
    refused: str = ""


def standing(
    each: Lineage,
    versions: Sequence[Version],
    texts: Sequence[str | None],
    asked: Constraint,
    filled: Filled = NOTHING_FILLED,
) -> Standing:
    """What stands of one table. `texts` are its definitions in the three versions, in the names of the merged one.
    `filled`: columns that the other side dropped."""
    was, mine, other = texts
    named: list[tuple[Kind, str]] = [("schema", f"both sides changed {what}") for what in each.contested]
    if each.is_out:
        return Standing(None, contested=tuple(named))
    if each.decided is not None and not asked.held:
        at = SIDES.index(each.decided)
        return Standing(texts[at], None if mine and other else "ours" if mine else "theirs" if other else "base")
    if mine is None or other is None:
        return _one_sided(each, versions, texts, asked, named)
    if why := _key_and_rows(each, versions):
        if each.side is None:
            return Standing(mine, "ours", (*named, ("rows against schema", why)))
        return Standing(texts[SIDES.index(each.side)] or mine)
    if asked.refused:
        named += [("schema", f"what both sides made of it cannot be one table: {asked.refused}")] * (each.side is None)
        return Standing((texts[SIDES.index(each.side)] if each.side else mine) or mine, contested=tuple(named))
    # a column stays with the side that counts, if that put something into it
    counted = filled if each.side == "base" else (filled[1 if each.side == "theirs" else 0],)
    held = frozenset[str]().union(*counted)
    made = merge_texts(was, mine, other, side=each.side, held=asked.columns | held, banned=each.apart)
    if made is None:
        return Standing(mine, contested=tuple(named))
    named += [("schema", f"both sides changed {what}") for what in made[1]]
    if each.side is None and any(filled):
        columns = ", ".join(sorted(filled[0] | filled[1]))
        kind: Kind = "schema" if named else "rows against schema"
        named.append((kind, f"one side dropped {columns}, the other put something into it"))
    return Standing(made[0], contested=tuple(named))


def _one_sided(
    each: Lineage,
    versions: Sequence[Version],
    texts: Sequence[str | None],
    asked: Constraint,
    named: list[tuple[Kind, str]],
) -> Standing:
    was, mine, other = texts
    there: Side = "ours" if mine is not None else "theirs"
    sql = mine if mine is not None else other
    if was is None or sql is None:
        return Standing(sql, there if sql is not None else None, tuple(named))
    if asked.held:
        return Standing(sql, there, tuple(named), is_kept=True)
    at = SIDES.index(there)
    has_rows = _root(each, versions, at) != _root(each, versions, 0)
    if not has_rows and words(sql) == words(was):
        return Standing(None)
    if each.side is not None:
        stands = texts[SIDES.index(each.side)]
        return Standing(stands, there, is_kept=stands is not None)
    if has_rows:
        named.append(("rows against schema", "one side dropped the table, the other changed rows of it"))
    else:
        named.append(("schema", "one side dropped the table, the other changed its definition"))
    return Standing(mine, "ours", tuple(named), is_kept=mine is not None)


def _key_and_rows(each: Lineage, versions: Sequence[Version]) -> str:
    """What is to be said where rows of one side are named otherwise on the other."""
    tables = [version.shape.tables.get(name or "") for version, name in zip(versions, each.own, strict=True)]
    keys = [None if table is None else key_of(table, each, at) for at, table in enumerate(tables)]
    if keys[1] == keys[2]:
        return ""
    if tables[0] is None:
        return "both sides made the table, with different keys"
    changed = [keys[at] != keys[0] for at in (1, 2)]
    rows = [_root(each, versions, at) != _root(each, versions, 0) for at in (1, 2)]
    if all(changed):
        return "both sides gave the table another key"
    if rows[0 if changed[1] else 1]:
        return "one side gave the table another key, the other changed rows of it"
    return ""


def key_of(table: Table, each: Lineage, at: int) -> tuple[object, ...]:
    """What names a row: the columns by their merged names, and what these make of values."""
    columns = sorted((column for column in table.columns if column.primary_key), key=lambda each: each.primary_key)
    if table.key_kind is KeyKind.ROWID:
        return ()
    return tuple((each.columns[at].get(column.name, column.name), affinity_in(table, column)) for column in columns)


def _root(each: Lineage, versions: Sequence[Version], at: int) -> object:
    name = each.own[at]
    return None if name is None or name not in versions[at].roots else versions[at].roots[name].id


def affinity_in(table: Table, column: Column) -> str:
    """What a column makes of values in that table."""
    return "BLOB" if table.strict and column.type.upper() == "ANY" else affinity(column.type)
