"""What stands of a thing that is merged whole. Knows nothing of what it is."""

from __future__ import annotations

from typing import TypeVar

_T = TypeVar("_T")


def choose(base: _T, ours: _T, theirs: _T) -> tuple[_T, bool]:
    """What stands when a whole thing is merged, and whether both sides changed it, and not alike."""
    if theirs in (base, ours):
        return ours, False
    return (theirs, False) if ours == base else (ours, True)
