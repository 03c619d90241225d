"""Values as people type them on a command line."""

from __future__ import annotations

import re

from isovc.model import Value

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_LONGEST = 1 << 63


def typed_value(text: str) -> Value:
    """NULL, a number, 'text' in quotes or x'00ff' as in SQL; anything else is text as it stands. What a column makes of
    it is the column's.

    >>> typed_value("NULL"), typed_value("-1"), typed_value("1.50"), typed_value("'it''s'"), typed_value("a b")
    (None, -1, 1.5, "it's", 'a b')
    >>> typed_value("x'00FF'"), typed_value("99999999999999999999"), typed_value("'open")
    (b'\\x00\\xff', 1e+20, "'open")
    """
    if text.upper() == "NULL":
        return None
    if _WHOLE.fullmatch(text) and -_LONGEST <= int(text) < _LONGEST:
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if re.fullmatch(r"'(?:[^']|'')*'", text, re.DOTALL):
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"[xX]'(?:[0-9a-fA-F]{2})*'", text):
        return bytes.fromhex(text[2:-1])
    return text
