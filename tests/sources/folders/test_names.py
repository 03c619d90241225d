"""Which paths a folder takes, and which would be one: laws."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import PathLeavesFolder
from isovc.sources.files import Folder, Place, collisions
from isovc.sources.files.names import decoded, encoded, folded, is_reserved, parts_of

PARTS = st.one_of(
    st.sampled_from(
        ["..", ".", "", "a", "A", ".isovc", ".ISOVC", ".isovc-new", "\0", "é", "e\u0301", "\udcff", "\ud800"]
    ),
    st.text(max_size=5),
    st.binary(max_size=5).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
PATHS = st.lists(PARTS, max_size=4).map("/".join)


@given(PATHS)
def test_a_path_that_is_taken_leads_nowhere_else(path: str) -> None:
    try:
        parts = parts_of(path)
    except PathLeavesFolder as refused:
        refused.message.encode()  # it can be shown
        return
    assert decoded(b"/".join(parts)) == path
    assert all(part and part not in (b".", b"..") and b"/" not in part and b"\0" not in part for part in parts)
    assert not any(is_reserved(decoded(part)) for part in parts)


@given(st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=4))
def test_every_name_that_a_disk_can_hold_is_taken(names: list[bytes]) -> None:
    path = decoded(b"/".join(names))
    if not any(name in (b".", b"..") or b"/" in name or b"\0" in name or is_reserved(decoded(name)) for name in names):
        assert parts_of(path) == tuple(names)


@given(st.sets(PATHS.filter(lambda path: path.strip("/") == path and "//" not in path and path), max_size=8))
def test_groups_are_what_folds_to_the_same(paths: set[str]) -> None:
    groups = collisions(paths)
    whole = {tuple(sorted(group)) for group in groups}
    assert len(whole) == len(groups)
    for one in paths:
        for other in paths - {one}:
            same = [folded(part) for part in one.split("/")] == [folded(part) for part in other.split("/")]
            assert same == any({one, other} <= set(group) for group in groups)
    assert collisions(paths, case=False, forms=False) == []


@given(st.text(max_size=6))
def test_folding_is_done_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert folded(unicodedata.normalize("NFD", name)) == folded(unicodedata.normalize("NFC", name))


def test_folders_that_would_be_one_are_found_too() -> None:
    assert collisions(["A/x", "a/y", "b"]) == [("A", "a")]
    assert collisions(["A/x", "a"]) == [("A", "a")]
    assert collisions(["A/x", "a/x"]) == [("A", "a"), ("A/x", "a/x")]
    assert collisions(["é", "E\u0301"], forms=False) == []
    assert collisions(["é", "e\u0301"], case=False) == [("e\u0301", "é")]
    assert collisions(["a", "A"], case=False) == []
    assert collisions(["a", "a"]) == []


@given(st.sets(st.binary(min_size=1, max_size=8), min_size=1, max_size=6))
def test_what_was_walked_can_be_placed_and_is_walked_again(
    tmp_path_factory: pytest.TempPathFactory, names: set[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    paths = {
        f"d/{decoded(name)}" for name in names if b"/" not in name and b"\0" not in name and name not in (b".", b"..")
    }
    paths = {path for path in paths if not is_reserved(path[2:])}
    with Folder(folder).placing() as placing:
        for path in paths:
            placing.stage(Place(path, is_link=False, mode=0o644, mtime=1), [encoded(path)])
        placing.arrive([])
    entries = Folder(folder).walk().entries
    assert [seen.path for seen in entries] == sorted(paths, key=encoded)
    for seen in entries:
        with Folder(folder).reading(seen) as file:
            assert file.read() == encoded(seen.path)


def test_a_hint_comes_with_a_path_that_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(PathLeavesFolder) as told:
        parts_of("../\udcff\n")
    assert told.value.message.count("\n") == 0
    assert "\\" in told.value.message
