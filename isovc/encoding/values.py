"""The msgpack dialect: SQLite's values exactly, one encoding per value. Knows nothing of rows or tables.

Integers take msgpack's shortest form and floats always 64 bits, so equal bytes mean equal values of equal storage
class. Text that is not valid UTF-8 travels as a str with lone surrogates and is packed as its original bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import msgpack

from isovc.errors import NotCanonical, NotStorable

EXTERNAL = 1  # msgpack extension code of a value kept outside its row

_LONGEST = 1 << 30  # bytes; SQLite's own limit for a value is below 2^31, its default 10^9


@dataclass(frozen=True, slots=True)
class External:
    """Stands in a row for a large value stored as an object of its own, or for the content of a file, however small."""

    id: bytes
    length: int  # bytes of the value
    is_text: bool
    is_file: bool = False  # neither text nor blob: whoever reads the row is not given the content with it


def _pack_external(value: Any) -> msgpack.ExtType:
    if type(value) is External:
        kind = b"f" if value.is_file else b"t" if value.is_text else b"b"
        return msgpack.ExtType(EXTERNAL, kind + value.length.to_bytes(8, "big") + value.id)
    raise NotStorable(what=f"a value of type {type(value).__name__}", why="SQLite has no storage class for it")


def _refuse_map(_: object) -> Any:
    raise NotCanonical(what="a list of values", why="it holds a map")


def _unpack_external(code: int, data: bytes) -> External:
    if code != EXTERNAL or len(data) != 41 or data[:1] not in (b"t", b"b", b"f"):
        raise NotCanonical(what="a value", why=f"it has an unknown extension {code} of {len(data)} bytes")
    length, kind = int.from_bytes(data[1:9], "big"), data[:1]
    return External(id=data[9:], length=length, is_text=kind == b"t", is_file=kind == b"f")


# One Packer serves one thread at a time and keeps its buffer; packb() would build a new one for each call, which costs
# more than packing 64 small integers. `packer()` makes one for whoever has many values to pack.
def packer() -> Callable[[Any], bytes]:
    """A function that packs, for use by one thread. It takes what came out of SQLite and looks at no type twice."""
    pack: Callable[[Any], bytes] = msgpack.Packer(default=_pack_external, unicode_errors="surrogateescape").pack
    return pack


def encode(values: Sequence[Any]) -> bytes:
    """A list of values as bytes; lists in it may hold values too. Raises NotStorable for what SQLite could not hold."""
    try:
        _refuse_foreign(values)
        return packer()(values)
    except (OverflowError, UnicodeEncodeError, ValueError, RecursionError) as error:
        raise NotStorable(what="a value", why=str(error)) from None


def decode(data: bytes) -> list[Any]:
    """The list of values that `encode` was given. Raises NotCanonical for anything else."""
    values = unpack(data)
    # looking for a byte costs a hundredth of looking at each value, and most columns hold none of these
    if b"\xc2" in data or b"\xc3" in data or b"\xff" in data:
        _refuse_unreadable(values)
    return values


def unpack(data: bytes | memoryview) -> list[Any]:
    """The same for a caller who looks at the kinds of all values itself: False, True and times may be among them."""
    try:
        values = msgpack.unpackb(
            data,
            ext_hook=_unpack_external,
            unicode_errors="surrogateescape",
            strict_map_key=False,  # which keys it has is all the same
            object_pairs_hook=_refuse_map,
            max_str_len=_LONGEST,
            max_bin_len=_LONGEST,
        )
    except NotCanonical:
        raise
    except (ValueError, msgpack.UnpackException, UnicodeDecodeError, MemoryError, RecursionError) as error:
        raise NotCanonical(what="a list of values", why=str(error) or type(error).__name__) from None
    if type(values) is not list:
        raise NotCanonical(what="a list of values", why=f"it is a {type(values).__name__}")
    return values


def _refuse_foreign(values: Sequence[Any]) -> None:
    for value in values:
        if type(value) in (list, tuple):
            _refuse_foreign(value)
        elif type(value) not in _STORABLE or (type(value) is int and not -_INTEGERS <= value < _INTEGERS):
            raise NotStorable(what=f"a value of type {type(value).__name__}", why="SQLite has no storage class for it")
        elif type(value) is float and isnan(value):
            raise NotStorable(what="the value NaN", why="SQLite keeps NULL in its place")


def _refuse_unreadable(values: list[Any]) -> None:
    """False (c2), true (c3) and time (extension ff), the one extension that no hook is asked about. Not by recursion:
    msgpack nests deeper than Python calls."""
    waiting = [values]
    while waiting:
        some = waiting.pop()
        kinds = set(map(type, some))
        if list in kinds:
            waiting.extend(value for value in some if type(value) is list)
        if not kinds <= _READABLE:
            names = ", ".join(sorted(kind.__name__ for kind in kinds - _READABLE))
            raise NotCanonical(what="a list of values", why=f"it holds a {names}")


_STORABLE = frozenset({type(None), int, float, str, bytes, External})
_READABLE = _STORABLE | {list}
_INTEGERS = 1 << 63
