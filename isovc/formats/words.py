"""Values for people: on one line, and long ones shortened around what changed."""

from __future__ import annotations

from itertools import compress, count
from operator import ne

from isovc.formats.long_words import BLOB, WIDTH, around, first_difference, is_text
from isovc.model import Unread, Value

_CONTEXT = 16  # characters before the first that changed
_ESCAPES = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})


def shown(value: Value | Unread) -> str:
    """A value by itself.

    >>> shown("it's"), shown(None), shown(b"\\x00\\xff"), shown("a" * 99)[-16:]
    ("'it''s'", 'NULL', "x'00ff'", "aaaaaaaaaaaa'...")
    """
    if isinstance(value, Unread):
        return _long(value, 0)
    if isinstance(value, str):
        return _quoted(value, 0)
    if isinstance(value, bytes):
        return _blob(value, 0)
    return "NULL" if value is None else repr(value)


def both(before: Value | Unread, after: Value | Unread) -> tuple[str, str]:
    """Two values, beginning shortly before they differ."""
    if isinstance(before, Unread) or isinstance(after, Unread):
        kinds = [(is_text(each), isinstance(each, Unread | str | bytes)) for each in (before, after)]
        if kinds[0] != kinds[1]:
            return shown(before), shown(after)
        start = max(0, first_difference(before, after) - (_CONTEXT if kinds[0][0] else BLOB // 4))
        return _long(before, start), _long(after, start)
    if isinstance(before, str) and isinstance(after, str):
        start = _start(before, after, WIDTH, _CONTEXT)
        return _quoted(before, start), _quoted(after, start)
    if isinstance(before, bytes) and isinstance(after, bytes):
        start = _start(before, after, BLOB, BLOB // 4)
        return _blob(before, start), _blob(after, start)
    return shown(before), shown(after)


def key_shown(key: tuple[Value, ...]) -> str:
    """What names a row; the place for a rowid that does not is left out."""
    cells = key[:-1] if len(key) > 1 and key[-1] is None else key
    return ", ".join(map(shown, cells))


def amount(many: int, thing: str) -> str:
    """
    >>> amount(1, "row"), amount(2_000, "branch")
    ('1 row', '2,000 branches')
    """
    if many == 1:
        return f"1 {thing}"
    return f"{many:,} {thing}{'es' if thing.endswith('ch') else 's'}"


def size(count: int) -> str:
    """Bytes for people."""
    rest = float(count)
    for unit in ("bytes", "kB", "MB"):
        if rest < 1000:
            return f"{rest:.0f} {unit}" if unit == "bytes" else f"{rest:.1f} {unit}"
        rest /= 1000
    return f"{rest:.1f} GB"


def _start(before: str | bytes, after: str | bytes, width: int, context: int) -> int:
    if max(len(before), len(after)) <= width:
        return 0
    shortest = min(len(before), len(after))
    alike = next(compress(count(), map(ne, before, after)), shortest)
    return max(0, alike - context)


def _long(value: Value | Unread, start: int) -> str:
    """A value from this byte on, as `_quoted` and `_blob` say it."""
    data, length = around(value, start)
    if not is_text(value):
        if len(data) == length:
            return f"x'{data.hex()}'"
        more = "..." if start + len(data) < length else ""
        return f"{'...' if start else ''}x'{data.hex()}'{more} ({length:,} bytes)"
    text = data.decode("utf-8", "surrogateescape")[:WIDTH]
    more = "..." if start + len(text.encode("utf-8", "surrogateescape")) < length else ""
    quoted = text.translate(_ESCAPES).replace("'", "''")
    return f"{'...' if start else ''}'{quoted}'{more}"


def _quoted(text: str, start: int) -> str:
    cut = text[start : start + WIDTH].translate(_ESCAPES).replace("'", "''")
    return f"{'...' if start else ''}'{cut}'{'...' if start + WIDTH < len(text) else ''}"


def _blob(data: bytes, start: int) -> str:
    cut = data[start : start + BLOB]
    if cut == data:
        return f"x'{data.hex()}'"
    more = "..." if start + BLOB < len(data) else ""
    return f"{'...' if start else ''}x'{cut.hex()}'{more} ({len(data):,} bytes)"
