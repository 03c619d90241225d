"""JSON texts merged key by key: against a plain model on dicts, and what must not change in a text."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.snapshot.merging.json_merge import Contested, merge_json

KEYS = st.sampled_from(["a", "b", "c", "d e", 'f"g', "ü😀", "\t"])
SCALARS = st.sampled_from([None, True, 0, 1, 1.0, -0.0, 10**30, 1e300, "", "x", "1", "é\n\u2028", "\x7f"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
OBJECTS = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, SCALARS, max_size=4), max_size=5)
STYLES = st.sampled_from(
    [{"separators": (",", ":")}, {}, {"indent": 2}, {"indent": "\t"}, {"indent": 0}, {"separators": (" , ", " : ")}]
)
GONE = object()


class Clash(Exception):
    pass


def said(value: Any) -> str:
    """What a value is, whatever the order of members."""
    return json.dumps(value, sort_keys=True) if value is not GONE else "gone"


def model(base: Any, ours: Any, theirs: Any) -> Any:
    if said(theirs) in (said(base), said(ours)):
        return ours
    if said(ours) == said(base):
        return theirs
    if not all(isinstance(each, dict) for each in (base, ours, theirs)):
        raise Clash
    return members(base, ours, theirs)


def members(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        value = model(base.get(key, GONE), ours.get(key, GONE), theirs.get(key, GONE))
        if value is not GONE:
            found[key] = value
    return found


@st.composite
def triples(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """An object and two that were made from it."""
    base = draw(OBJECTS)
    return base, draw(edited(base)), draw(edited(base))


@st.composite
def edited(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key in draw(st.permutations(list(value))):
        inside, deed = value[key], draw(st.sampled_from(["keep", "keep", "keep", "drop", "change", "inside"]))
        if deed == "inside" and isinstance(inside, dict):
            found[key] = draw(edited(inside))
        elif deed != "drop":
            found[key] = draw(VALUES) if deed == "change" else inside
    if draw(st.booleans()):
        found[draw(KEYS)] = draw(VALUES)
    return found


@given(triples(), STYLES, STYLES, STYLES)
def test_keys_are_merged_as_the_model_says_and_in_our_style(
    three: tuple[dict[str, Any], ...], one: dict[str, Any], two: dict[str, Any], other: dict[str, Any]
) -> None:
    base, ours, theirs = three
    texts = [
        json.dumps(value, ensure_ascii=False, **style) for value, style in zip(three, (one, two, other), strict=True)
    ]
    found = merge_json(*texts)
    try:
        expected = members(base, ours, theirs)
    except Clash:
        assert isinstance(found, Contested)
        assert found.why.startswith("both sides changed $.")
    else:
        assert isinstance(found, str)
        assert json.dumps(json.loads(found)) == json.dumps(expected)
        style = two if ours else other
        if style.get("separators") != (" , ", " : "):  # where nothing shows it, no blank is put before a comma
            assert found == json.dumps(expected, ensure_ascii=False, **style)


@given(OBJECTS, OBJECTS, STYLES)
def test_what_one_side_left_alone_comes_from_the_other(
    base: dict[str, Any], new: dict[str, Any], style: dict[str, Any]
) -> None:
    was, now = json.dumps(base), json.dumps(new, **style)
    assert merge_json(was, now, was) == now
    assert merge_json(was, now, now) == now
    theirs = merge_json(was, was, now)
    assert isinstance(theirs, str)
    assert said(json.loads(theirs)) == said(new)


@given(triples())
def test_both_directions_say_the_same(three: tuple[dict[str, Any], ...]) -> None:
    base, ours, theirs = map(json.dumps, three)
    one, other = merge_json(base, ours, theirs), merge_json(base, theirs, ours)
    if isinstance(one, str) and isinstance(other, str):
        assert said(json.loads(one)) == said(json.loads(other))
    else:
        assert one == other


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        # numbers are their text
        ('{"a":1}', '{"a":1,"b":0}', '{"a":1.0}', '{"a":1.0,"b":0}'),
        ('{"a":1e2}', '{"b":1E2,"a":1e2}', '{"a":100}', '{"b":1E2,"a":100}'),
        ('{"a":0}', '{"a":0,"b":12345678901234567890123}', '{"a":-0}', '{"a":-0,"b":12345678901234567890123}'),
        ('{"a":0.1}', '{"a":0.10}', '{"a":0.1,"b":0.1000000000000000055}', '{"a":0.10,"b":0.1000000000000000055}'),
        # blanks do not count, and ours stay
        ('{"a":[1,2]}', ' { "a" : [1, 2] } ', '{"a":[1,2],"b":3}', ' { "a" : [1, 2], "b" : 3 } '),
        ('{"a":[1,2]}', '{"a":[1,3]}', '{"a": [1, 3]}', '{"a":[1,3]}'),
        ("{ }", '{\r\n\t"a": 1\r\n}\n', '{"b":[]}', '{\r\n\t"a": 1,\r\n\t"b": []\r\n}\n'),
        # a key is what it says, however it is written; so is text
        ('{"a":1,"c":"x"}', '{"\\u0061":2,"c":"x"}', '{"a":1,"c":"\\u0078","d":"\\ud83d"}', None),
        ('{"a":1}', '{"a":1\n,"b":2}', '{"a":1,"c":3}', '{"a":1\n,"b":2\n,"c":3}'),
        # an object that loses all it had, and gets others
        ('{"o":{"a":1}}', '{"o":{"a":1},"n":2}', '{"o":{}}', '{"o":{},"n":2}'),
        ('{"o":{"a":1,"b":1}}', '{"o":{"a":1}}', '{"o":{"b":1,"c":[ 1 ]}}', '{"o":{"c":[1]}}'),
        ('{"a":1,"b":2,"c":3,"d":4}', '{"a":1,"b":2,"c":3,"d":4}', '{"c":3,"e":5}', '{"c":3,"e":5}'),
        ("{}", '{"a":1}', "{}", '{"a":1}'),
    ],
)  # fmt: skip
def test_texts(base: str, ours: str, theirs: str, merged: str | None) -> None:
    expected = '{"\\u0061":2,"c":"x","d":"\\ud83d"}' if merged is None else merged
    assert merge_json(base, ours, theirs) == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "place"),
    [
        ('{"a":1}', '{"a":2}', '{"a":3}', "$.a"),
        ('{"a":1}', '{"a":1.0}', '{"a":1.00}', "$.a"),
        ("{}", '{"a":{"x":1}}', '{"a":{"y":1}}', "$.a"),  # nothing says that they are one object
        ('{"a":1}', "{}", '{"a":2}', "$.a"),
        ('{"a":1}', '{"a":2}', "{}", "$.a"),
        ('{"a":[1]}', '{"a":[1,2]}', '{"a":[0,1]}', "$.a"),
        ('{"a":{"b c":1}}', '{"a":{"b c":2}}', '{"a":{"b c":3}}', '$.a."b c"'),
        (
            '{"a":1,"b":1,"c":1,"d":1,"e":1}',
            '{"a":2,"b":2,"c":2,"d":2,"e":2}',
            '{"a":3,"b":3,"c":3,"d":3,"e":3}',
            "$.a, $.b, $.c and 2 more",
        ),
    ],
)
def test_what_both_changed_is_named(base: str, ours: str, theirs: str, place: str) -> None:
    assert merge_json(base, ours, theirs) == Contested(f"both sides changed {place}")


NO_JSON = [
    "", " ", "{", "}", '{"a"}', '{"a":}', '{"a":1,}', "{,}", '{"a":1 "b":2}', '{"a":1}}', '{"a":1} x', "{'a':1}",
    "{a:1}",
    '{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":+1}', '{"a":-}', '{"a":0x1}', '{"a":NaN}', '{"a":Infinity}', '{"a":tru}',
    '{"a":"\t"}', '{"a":"\\x41"}', '{"a":"\\u12"}', '{"a":"', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1}', '{"a":{"b":1]}',
    '{"a":1/**/}', '\ufeff{"a":1}', '{"a":1,"a":1}', '{"a":{"b":1,"\\u0062":2}}', '{"a":[{"b":1,"b":1}]}',
    '{"a":"\udcff"}',
    '{"a":1}\0', '{"a"::1}', '{:1}', '{"a":1,,"b":1}', '{"a":١}', '\u00a0{"a":1}', '{"a":1}{"b":1}', '{1:1}', "[1]]",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_JSON)
@pytest.mark.parametrize("side", [0, 1, 2])
def test_what_is_no_json_is_not_merged(text: str, side: int) -> None:
    texts = ['{"a":1}', '{"a":1,"b":1}', '{"a":1,"c":1}']
    texts[side] = text
    assert merge_json(*texts) == Contested("one of its values is no JSON")


@pytest.mark.parametrize("text", ["[1]", "1", '"a"', "null", "[]", ' [{"a":1}] '])
def test_only_objects_are_merged(text: str) -> None:
    assert merge_json("{}", text, '{"a":1}') == Contested("one of its values is no JSON object")


@given(st.text(st.sampled_from('{}[],:"\\ \n01.e-tfu' + string.ascii_lowercase[:3]), max_size=12))
def test_what_is_json_is_what_json_says_it_is(text: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=once, parse_constant=lambda _: 1 / 0)
    except (ValueError, AssertionError, ZeroDivisionError):
        expected = False
    else:
        expected = True
    found = merge_json("{}", text, "{}")
    assert (found == Contested("one of its values is no JSON")) is not expected


def nested(inside: str, *, depth: int) -> str:
    return '{"k":' * depth + inside + "}" * depth


def test_no_depth_is_too_deep() -> None:
    deep = 20_000
    base, ours, theirs = (nested(inside, depth=deep) for inside in ("1", '1,"o":[]', "2"))
    assert merge_json(base, ours, theirs) == nested('2,"o":[]', depth=deep)
    contested = merge_json(base, nested("3", depth=deep), theirs)
    assert isinstance(contested, Contested)
    assert len(contested.why) < 200
    arrays = '{"a":' + "[" * deep + "]" * deep + "}"
    assert merge_json("{}", '{\n "b": 1\n}', arrays) != arrays
    assert merge_json("{}", '{"b":1}', arrays) == '{"b":1,' + arrays[1:]
