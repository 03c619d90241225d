"""Values in JSON and back: what JSON cannot say stands in an object with one key that begins with a dollar sign."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from math import isfinite
from typing import Any

from isovc.model import Value

_INTEGERS = 1 << 63


def encode_value(value: Value) -> Any:
    """What `json.dumps` shall be given for a value.

    >>> encode_value(b"\\x00\\xff"), encode_value(float("-inf")), encode_value("caf\\udce9")
    ({'$blob': 'AP8='}, {'$real': '-inf'}, {'$text': 'Y2Fm6Q=='})
    """
    if isinstance(value, bytes):
        return {"$blob": b64encode(value).decode()}
    if isinstance(value, float) and not isfinite(value):
        return {"$real": repr(value)}
    if isinstance(value, str) and not value.isascii():
        data = value.encode("utf-8", "surrogateescape")
        try:
            value.encode()
        except UnicodeEncodeError:
            return {"$text": b64encode(data).decode()}
    return value


def decode_value(said: Any) -> Value:
    """The value again; ValueError where it is none.

    >>> decode_value({"$blob": "AP8="}), decode_value({"$real": "-inf"})
    (b'\\x00\\xff', -inf)
    """
    if isinstance(said, Mapping):
        return _tagged(said)
    if isinstance(said, (bool, list)):
        raise ValueError(f"{json.dumps(said)[:40]} is no value of a cell")
    if isinstance(said, int) and not -_INTEGERS <= said < _INTEGERS:
        raise ValueError(f"{str(said)[:40]} does not fit into 64 bits")
    if isinstance(said, str):
        said.encode()  # a lone surrogate is no text: its bytes stand in "$text"
    return said  # type: ignore[no-any-return]  # all that JSON has left


def _tagged(said: Mapping[str, Any]) -> Value:
    tag, text = next(iter(said.items()), ("", None))
    if len(said) != 1 or not isinstance(text, str):
        raise ValueError(f"{json.dumps(said)[:40]} is no value of a cell")
    if tag == "$blob":
        return b64decode(text, validate=True)
    if tag == "$text":
        return b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    if tag == "$real" and text in ("inf", "-inf"):
        return float(text)
    raise ValueError(f"{json.dumps(said)[:40]} is no value of a cell")
