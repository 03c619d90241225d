"""Lists of tables and columns, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.repo.lists import columns, sides, tables
from isovc.repo.settings import SETTINGS
from isovc.sql import folded, name

NAMES = st.text(st.sampled_from("aBü,.= \"'\t[😀"), min_size=1, max_size=6)
BLANKS = st.sampled_from(["", " ", "\t ", "\n"])


def written(text: str, *, quoted: bool) -> str:
    plain = not set(text) & set('", .=\t')
    return text if plain and not quoted else name(text)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=4, unique_by=lambda each: folded(each[0])), st.booleans(), BLANKS)
def test_any_names_can_be_listed(pairs: list[tuple[str, str]], quoted: bool, blank: str) -> None:
    comma = f"{blank},{blank}"
    one, other = ([written(pair[at], quoted=quoted) for pair in pairs] for at in (0, 1))
    assert tables(blank + comma.join(one) + blank) == tuple(pair[0] for pair in pairs)
    both = comma.join(f"{a}.{b}" for a, b in zip(one, other, strict=True))
    assert columns(blank + both + blank) == frozenset(pairs)
    said = [("ours", "theirs")[at % 2] for at in range(len(pairs))]
    text = comma.join(f"{a}{blank}={blank}{side}" for a, side in zip(one, said, strict=True))
    assert sides(blank + text + blank) == dict(zip((pair[0] for pair in pairs), said, strict=True))


@given(st.text(st.sampled_from('ab,.=" '), max_size=9))
def test_any_text_is_a_list_or_not(text: str) -> None:
    for form in (sides, columns, tables):
        try:
            found = form(text)
        except ValueError:
            continue
        assert bool(found) == bool(text.strip())


@pytest.mark.parametrize(
    "text", [",", "a,", ",a", "a,,b", "a b", '"a', 'a"', '"a"b', '""', ".", "a.", ".a", "=", "a , ", "a, A"]
)
def test_what_is_no_list(text: str) -> None:
    for form in (tables, columns, sides):
        with pytest.raises(ValueError):
            form(text)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("merge.strategy", "log"),
        ("merge.strategy", "log=base"),
        ("merge.strategy", "log=Ours"),
        ("merge.strategy", "log="),
        ("merge.strategy", "a.b=ours"),
        ("merge.strategy", "log=ours=theirs"),
        ("merge.strategy", "log=ours, LOG=theirs"),
        ("merge.json", "notes"),
        ("merge.json", "a.b.c"),
        ("merge.json", "a.b=ours"),
        ("merge.json", "a. b"),
        ("merge.json", "a.b, A.B"),
        ("merge.renumber", "a.b"),
        ("merge.renumber", "a=ours"),
    ],
)
def test_what_is_another_list(key: str, text: str) -> None:
    form = SETTINGS[key].form
    assert form is not None
    with pytest.raises(ValueError):
        form(text)
