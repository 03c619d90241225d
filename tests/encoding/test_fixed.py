"""Packed lists of values of one width: nothing but such lists is taken for one, and what is picked or found is
right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.fixed import pick, step, unlike
from isovc.encoding.values import decode, encode

scalars = (
    st.none()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.integers(-40, 200)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
alike = st.one_of(
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=100),
    st.lists(st.integers(0, 127), min_size=1, max_size=100),
    st.lists(st.integers(1 << 40, 1 << 41), min_size=1, max_size=100),
    *[st.lists(st.text("ab0", min_size=n, max_size=n), min_size=1, max_size=40) for n in (1, 31, 32, 48, 255, 256)],
    *[st.lists(st.binary(min_size=n, max_size=n), min_size=1, max_size=40) for n in (1, 200, 300)],
)


@given(st.lists(scalars, min_size=1, max_size=30) | alike)
def test_a_list_of_one_step_is_cut_at_its_values(values):
    data = encode(values)
    width = step(data, len(values))
    if width:
        picked = [pick([(data, width)], at, len(values))[0] for at in range(len(values))]
        assert repr(picked) == repr(values)


@pytest.mark.parametrize("many", [1, 15, 16, 300])
def test_one_value_of_each_of_many_lists_is_picked_at_once(many):
    lists = [encode([number, 100, 101]) for number in range(many)]
    assert pick([(data, step(data, 3)) for data in lists if step(data, 3)], 0, 3) == [
        number for number, data in enumerate(lists) if step(data, 3)
    ]


@pytest.mark.parametrize("values", [[0.5] * 20, [1] * 5, ["x" * 12] * 3, ["x" * 48] * 70000, [b"x" * 200] * 17, [None]])
def test_the_usual_columns_are_of_one_step(values):
    assert step(encode(values), len(values)) > 0


@pytest.mark.parametrize(
    "values", [[], [1, 300], ["a", "bcd"], ["x" * 40, "y" * 38 + "é"[:1] + "z" * 3], [0.5, b"1234567"]]
)
def test_others_are_not(values):
    assert step(encode(values), len(values)) == 0


@given(st.lists(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False) | st.none()), min_size=1, max_size=80))
def test_just_the_places_that_differ_are_found(pairs):
    old = [a for a, _ in pairs]
    new = [a if b is None else b for a, b in pairs]
    packed = encode(old), encode(new)
    expected = [at for at, (a, b) in enumerate(zip(old, new, strict=True)) if repr(a) != repr(b)]
    assert unlike(*packed, len(pairs), step(packed[0], len(pairs))) == expected


@given(st.binary(max_size=60), st.integers(0, 20))
def test_whatever_bytes_there_are_a_step_fits_them(data, count):
    width = step(data, count)
    assert width == 0 or len(data) - (1 if count < 16 else 3) == width * count


def test_a_step_means_that_decoding_gives_as_many_values():
    data = encode([1.5] * 40)
    assert len(decode(data)) * step(data, 40) == len(data) - 3
