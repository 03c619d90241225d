"""What a cell can hold: SQLite's five storage classes, nothing else."""

from __future__ import annotations

from typing import TypeAlias

# Text that is not valid UTF-8 is a str whose bad bytes are lone surrogates (Python's "surrogateescape"): it stays text,
# compares and concatenates like text, and gives its exact bytes back. Beware: 1 == 1.0 == True and 0.0 == -0.0 in
# Python, but they are different values here; compare encoded bytes where that matters.
Value: TypeAlias = None | int | float | str | bytes
Row: TypeAlias = tuple[Value, ...]
Key: TypeAlias = tuple[Value, ...]
