"""Trees for tests: small ranks, so that some hundred rows stand several levels deep, and every kind of key."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.store.memory import MemoryChunks
from isovc.tree.build import build
from isovc.tree.edit import Edit
from isovc.tree.forest import Forest, Root
from isovc.tree.rules import Rules
from isovc.tree.walk import walk

RULES = Rules(bits=2, heaviest=600)

values = st.none() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, "x", b"x"]) | st.text(max_size=40)
cells = (
    st.none()
    | st.integers(-5, 5)
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.sampled_from([0.5, -0.0, 2.0, 1e300, float("-inf")])
    | st.text("aé\0z", max_size=3)
    | st.binary(max_size=2)
)


def forest(rules: Rules = RULES) -> Forest:
    return Forest(MemoryChunks(), rules)


def planted(trees: Forest, rows: Iterable[tuple], key_width: int = 1) -> Root:
    """A tree of rows in any order."""
    by_key = {encode_key(row[:key_width]): row for row in rows}
    return build(trees, [by_key[key] for key in sorted(by_key)], key_width=key_width)


def edits(rows: Iterable[tuple[tuple, tuple | None]]) -> list[Edit]:
    """Edits from (key cells, row or None) in any order."""
    return sorted(Edit(encode_key(key), row) for key, row in dict(rows).items())


def leaf_ids(trees: Forest, root: Root) -> list[bytes]:
    return [chunk for chunk in walk(trees, root.id) if trees.store.get(chunk)[:1] == b"\x01"]
