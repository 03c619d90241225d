"""Values that are not held are told as those that are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isovc.formats.words import both, shown
from isovc.model import Unread, Value

_PIECE = 700


def unread(value: str | bytes) -> Unread:
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value

    def pieces() -> Iterator[bytes]:
        yield from (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))

    return Unread(data[:32], len(data), isinstance(value, str), pieces)


LONG = "it's a line\n" * 500


@pytest.mark.parametrize("value", [LONG, LONG.encode(), b"\0" * 1000, "\udcff" * 1000, "\u65e5" * 1000])
def test_a_long_value_begins_as_one_that_is_held(value: str | bytes) -> None:
    assert shown(unread(value)) == shown(value)


@pytest.mark.parametrize("at", [0, 3, 700, 699, 5_990, 5_999])
@pytest.mark.parametrize("is_text", [True, False])
def test_two_are_shown_where_they_differ(at: int, is_text: bool) -> None:
    other = LONG[:at] + "X" + LONG[at + 1 :]
    pairs: list[tuple[str | bytes, str | bytes]] = [(LONG, other), (LONG, LONG + "more"), (LONG[: -at or None], LONG)]
    for one, two in pairs:
        if not is_text:
            one, two = str(one).encode(), str(two).encode()
        assert both(unread(one), unread(two)) == both(one, two)
        assert both(unread(one), two) == both(one, two)  # type: ignore[arg-type]


def test_a_letter_is_never_cut() -> None:
    one, two = "\u65e5" * 1000, "\u65e5" * 500 + "x" + "\u65e5" * 499
    said = both(unread(one), unread(two))
    assert "x" in said[1]
    assert all(letter in "\u65e5x'." for letter in said[0] + said[1])


@pytest.mark.parametrize("other", [None, 5, 1.5, b"\1"])
def test_what_is_of_another_class_is_shown_as_it_is(other: Value) -> None:
    assert both(other, unread(LONG)) == (shown(other), shown(LONG))
