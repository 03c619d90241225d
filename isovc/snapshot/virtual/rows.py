"""Single rows of a virtual table, and what becomes of an index when single rows of its table do. Knows nothing of
merging."""

from __future__ import annotations

from collections.abc import Sequence

from isovc.encoding.orderkey import decode_key
from isovc.errors import ChoiceRefused
from isovc.formats.words import key_shown
from isovc.model import Table
from isovc.snapshot.version import Version
from isovc.snapshot.virtual.content import columns_of, content, is_in_step, kind_of
from isovc.snapshot.virtual.rebuild import of_rows, of_what_it_indexes
from isovc.snapshot.virtual.settings import settings_of
from isovc.snapshot.virtual.tables import NotMade, indexed, keeps_rowids, thing, things_of, with_thing
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest, Root


def table_of(version: Version, name: str) -> Table | None:
    """The columns in which rows of a table are told, be it a virtual one; None: it has no rows of its own."""
    found = version.shape.tables.get(name)
    if found is None and name in (groups := things_of((version,))):
        each = thing(version, name, groups[name])
        if each is not None and kind_of(each) == "rows":
            return columns_of(version, each)
    return found


def rows_of(forest: Forest, version: Version, name: str) -> tuple[Table, Root] | None:
    """The same, with the rows."""
    if name in version.shape.tables:
        return version.shape.tables[name], version.roots[name]
    if name in (groups := things_of((version,))):
        each = thing(version, name, groups[name])
        if each is not None and kind_of(each) == "rows":
            return content(forest, version, each)
    return None


def with_virtual_rows(forest: Forest, version: Version, name: str, edits: Sequence[Edit]) -> Version:
    """The version with rows of a virtual table otherwise, which is made anew for that."""
    names = things_of((version,))[name]
    each = thing(version, name, names)
    assert each is not None
    table, root = content(forest, version, each)
    try:
        root = edit(forest, root.id, edits, width=len(table.cells))
        return with_thing(version, names, of_rows(forest, version, each, table, root, settings_of(forest, name, each)))
    except NotMade as error:
        key = key_shown(tuple(decode_key(edits[0].key, len(table.key))))
        raise ChoiceRefused(table=name, key=key, why=str(error)) from error


def reindexed(forest: Forest, before: Version, after: Version) -> Version:
    """The later version, in which single rows are otherwise, with full-text indexes of these rows made anew: those that
    were in step before."""
    for name, names in things_of((after,)).items():
        was, each = thing(before, name, names), thing(after, name, names)
        if each is None or each.definition is None or was != each or kind_of(each) != "index":
            continue
        sources = indexed(after.shape, each.definition) or ()
        if all(before.roots.get(one.name) == after.roots.get(one.name) for one in sources):
            continue
        if not keeps_rowids(after.shape, each.definition, sources):
            continue
        try:
            if is_in_step(forest, before, each):
                made = of_what_it_indexes(forest, after, each, settings_of(forest, name, each))
                after = with_thing(after, names, made)
        except NotMade:
            continue  # nobody can make it here, and so nobody has
    return after
