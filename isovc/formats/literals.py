"""Values as SQL on one line that every version of SQLite reads as exactly this value, and back.

Older versions read decimal fractions a last bit wrong now and then, so a float is written as people write it only where
every way to compute it gives the same; otherwise as a whole number through powers of two, which is exact everywhere.
"""

from __future__ import annotations

import re
from math import frexp, isinf

from isovc.model import Value
from isovc.sql import literal

_CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}
_BITS = 53
_STEP = 1 << _BITS  # 2^53: every power of two below is written as a product of this one
_ENDS = (("\n", "char(10)"), ("\r", "char(13)"))
_TEN = 10**22  # the largest power of ten that a float holds exactly

LITERAL = (
    r"NULL|-?[0-9.]+(?:e[+-]?[0-9]+)?|\(-9223372036854775807 - 1\)|'(?:[^']|'')*'|x'[0-9a-f]*'"
    r"|CAST\(x'[0-9a-f]*' AS TEXT\)|\(-?[0-9]+(?: [*/] [0-9]+\.0)+\)|\(-1 \* 0\.0\)"
    r"|(?:replace\(){1,2}'(?:[^']|'')*'(?:,'\\[nr0-9]+',char\(1[03]\)\)){1,2}"
)
_REPLACED = re.compile(r",'(\\[nr0-9]+)',char\((1[03])\)\)")


def exact_literal(value: Value, encoding: str) -> str:
    """A value as SQL.

    >>> exact_literal("it's\\nso", "UTF-8"), exact_literal(19.99, "UTF-8"), exact_literal(1e-300, "UTF-8")[:30]
    ("replace('it''s\\\\nso','\\\\n',char(10))", '19.99', '(6032057205060441 / 90071992547')
    """
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, str):
        return _text(value, encoding)
    return literal(value)


def value_of(text: str, encoding: str) -> Value:
    """The value again."""
    if text == "NULL":
        return None
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text[0] == "x":
        return bytes.fromhex(text[2:-1])
    if text[0] == "C":
        return _decoded(bytes.fromhex(text[7 : text.index("'", 7)]), encoding)
    if text[0] == "r":
        return _with_ends(text)
    if text[0] == "(":
        return _computed(text[1:-1])
    return float(text) if any(sign in text for sign in ".e") else int(text)


def stored(text: str, encoding: str) -> bytes:
    """The bytes that a database of this encoding keeps for a text."""
    data = text.encode("utf-8", "surrogateescape")
    if encoding == "UTF-8":
        return data
    return data.decode("utf-8", "surrogatepass").encode(_CODECS[encoding], "surrogatepass")


def _decoded(data: bytes, encoding: str) -> str:
    if encoding != "UTF-8":
        data = data.decode(_CODECS[encoding], "surrogatepass").encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "surrogateescape")


def _text(value: str, encoding: str) -> str:
    if "\0" in value or not _valid(value):
        return f"CAST(x'{stored(value, encoding).hex()}' AS TEXT)"
    if "\n" not in value and "\r" not in value:
        return literal(value)
    said, behind = value, ""
    calls = 0
    for end, code in _ENDS:
        if end in value:
            mark = _free_mark(said, "\\n" if end == "\n" else "\\r")
            said = said.replace(end, mark)
            behind += f",'{mark}',{code})"
            calls += 1
    return "replace(" * calls + literal(said) + behind


def _free_mark(text: str, mark: str) -> str:
    number = 0
    found = mark
    while found in text:
        found, number = f"{mark}{number}", number + 1
    return found


def _with_ends(text: str) -> str:
    start = text.index("'")
    quoted = re.compile(r"'(?:[^']|'')*'").match(text, start)
    assert quoted is not None
    value = quoted[0][1:-1].replace("''", "'")
    # the innermost call, whose mark was put in first, was computed first by SQLite; so it is here
    for mark, code in _REPLACED.findall(text, quoted.end()):
        value = value.replace(mark, chr(int(code)))
    return value


def _valid(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _real(value: float) -> str:
    if isinf(value):
        return literal(value)
    if value == 0:
        return "(-1 * 0.0)" if repr(value)[0] == "-" else "0.0"
    said = repr(value)
    if _read_alike(said, value):
        return said
    mantissa, exponent = frexp(value)
    whole, exponent = int(mantissa * _STEP), exponent - _BITS
    while whole % 2 == 0 and exponent < 0:
        whole, exponent = whole // 2, exponent + 1
    sign, left = ("*", exponent) if exponent >= 0 else ("/", -exponent)
    # Towards a denormal float every step but the last must be exact: the odd step comes first, then whole ones.
    steps = [left % _BITS] * bool(left % _BITS or not left) + [_BITS] * (left // _BITS)
    return f"({whole}" + "".join(f" {sign} {1 << step}.0" for step in steps) + ")"


def _read_alike(said: str, value: float) -> bool:
    """Whether any computation with an error of a thousandth of the last bit gives this float."""
    digits, _, power = said.partition("e")
    whole, _, fraction = digits.partition(".")
    number, places = int(whole + fraction), len(fraction) - int(power or 0)
    if places <= 0:
        return bool(abs(number) * 10**-places <= _STEP)
    ten = int(10**places)
    if abs(number) > _STEP or ten > _TEN:
        return False
    # how far the decimal lies from the float, in units of its last bit
    top, bottom = value.as_integer_ratio()
    ulp = max(_BITS - frexp(value)[1], 0)
    distance = abs(number * bottom - top * ten)
    # distance / (bottom * ten) < 0.499 * 2^-ulp
    return abs(value) < _STEP and (distance << ulp) * 1000 < 499 * bottom * ten


def _computed(text: str) -> Value:
    if text.startswith("-9223372036854775807"):
        return -(1 << 63)
    first, *rest = text.split(" ")
    value: int | float = int(first)
    if text == "-1 * 0.0":
        return -0.0
    for sign, factor in zip(rest[::2], rest[1::2], strict=True):
        value = value * float(factor) if sign == "*" else value / float(factor)
    return float(value)
