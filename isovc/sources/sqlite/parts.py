"""Cuts a table into stretches of about equal weight, so that several processes can read it. Knows pages only."""

from __future__ import annotations

from itertools import pairwise

from isovc.model import KeyKind, KeyRange, Table
from isovc.sources.sqlite.pages import Pages


def even_parts(pages: Pages, table: Table, many: int, *, least: int) -> tuple[KeyRange, ...]:
    """`many` stretches of as many pages each; one, the whole, where the table has fewer than `least` pages or its
    rows do not lie in the order of its key."""
    walks = pages.walks.get(table.name, ())
    if table.key_kind not in (KeyKind.INTEGER, KeyKind.ROWID) or not walks or len(walks[0].leaves) < least:
        return (KeyRange(None, None),)
    separator, inner = walks[0].separator, len(walks[0].leaves) - 1
    cuts = [separator(inner * part // many) for part in range(1, many)]
    bounds = [None, *((int(cut),) for cut in cuts if not isinstance(cut, bytes)), None]
    return tuple(KeyRange(after, upto) for after, upto in pairwise(bounds))
