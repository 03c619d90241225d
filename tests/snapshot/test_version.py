"""A version as two files, and back; what counts as a difference between two."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.digest import ChunkId
from isovc.errors import FormatTooNew, NotCanonical
from isovc.model import Column, KeyKind, SchemaObject, Shape, Table
from isovc.snapshot.files import with_files
from isovc.snapshot.version import JSON_FILE, SQL_FILE, Version, decode_version, encode_version, laid_out_like, same
from isovc.tree.forest import Root

TEXT = st.text(max_size=20)
NAMES = st.text(min_size=1, max_size=12)
COLUMNS = st.builds(
    Column,
    NAMES,
    TEXT,
    st.booleans(),
    st.none() | TEXT,
    st.integers(0, 3),
    st.sampled_from(["BINARY", "NOCASE", "odd"]),
    st.sampled_from(["", "virtual", "stored"]),
)
OBJECTS = st.builds(SchemaObject, st.sampled_from(["table", "index", "view", "trigger"]), NAMES, NAMES, TEXT)
IDS = st.binary(min_size=32, max_size=32).map(ChunkId)
ROOTS = st.builds(Root, IDS, st.integers(0, 1 << 40), st.integers(0, 1 << 50))


@st.composite
def versions(draw: st.DrawFn) -> Version:
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    tables = {
        name: Table(
            name,
            tuple(draw(st.lists(COLUMNS, max_size=4))),
            draw(st.sampled_from(KeyKind)),
            draw(st.booleans()),
            draw(st.booleans()),
            draw(TEXT),
        )
        for name in names
    }
    pragmas = draw(st.dictionaries(st.sampled_from(["page_size", "user_version", "application_id"]), st.integers()))
    shape = Shape(draw(st.sampled_from(["UTF-8", "UTF-16le"])), pragmas, tuple(draw(st.lists(OBJECTS))), tables)
    return with_files(Version(shape, {name: draw(ROOTS) for name in names}), draw(st.none() | ROOTS))


@given(versions())
def test_the_two_files_give_the_version_back(version: Version) -> None:
    files = encode_version(version)
    assert decode_version(files) == version
    assert encode_version(decode_version(files)) == files
    assert same(version, decode_version(files))


@given(versions(), versions())
def test_two_versions_are_the_same_only_if_all_that_counts_is(one: Version, other: Version) -> None:
    assert same(one, other) == same(other, one)
    if {n: r.id for n, r in one.roots.items()} != {n: r.id for n, r in other.roots.items()}:
        assert not same(one, other)


def test_layout_and_order_are_no_difference() -> None:
    objects = tuple(SchemaObject("view", name, name, f"CREATE VIEW {name} AS SELECT 1") for name in "ab")
    one = Version(Shape("UTF-8", {"page_size": 4096, "auto_vacuum": 1, "user_version": 3}, objects))
    other = Version(Shape("UTF-16le", {"page_size": 512, "auto_vacuum": 0, "user_version": 3}, objects[::-1]))
    assert same(one, other)
    assert laid_out_like(one, other).shape == replace(other.shape, objects=objects)
    assert not same(one, replace(one, shape=replace(one.shape, pragmas={"user_version": 4})))
    assert not same(one, replace(one, shape=replace(one.shape, objects=objects[:1])))
    assert not same(one, with_files(one, Root(ChunkId(bytes(32)), 1, 2)))
    assert same(one, with_files(one, Root(ChunkId(bytes(32)), 0, 2)))


GOOD = encode_version(
    Version(
        Shape(
            objects=(SchemaObject("table", "t", "t", "CREATE TABLE t(a)"),),
            tables={"t": Table("t", (Column("a"),), KeyKind.ROWID)},
        ),
        {"t": Root(ChunkId(bytes(32)), 1, 2)},
    )
)


def _with(**changes: object) -> dict[str, bytes]:
    document = json.loads(GOOD[JSON_FILE])
    table = document["tables"]["t"]
    for name, value in changes.items():
        (table if name in table else document)[name] = value
    return {**GOOD, JSON_FILE: json.dumps(document).encode()}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {JSON_FILE: GOOD[JSON_FILE]},
        {**GOOD, JSON_FILE: b"\xff"},
        {**GOOD, JSON_FILE: b"[]"},
        {**GOOD, JSON_FILE: b"[" * 100_000},
        {**GOOD, SQL_FILE: b"CREATE TABLE other(a);\n\n"},
        _with(root="00"),
        _with(root=5),
        _with(key_kind="nothing"),
        _with(columns=[{"name": "a", "unknown": 1}]),
        _with(schema=[{"type": "table"}]),
        _with(attachments="zz"),
    ],
)
def test_files_that_make_no_sense_are_damage(files: dict[str, bytes]) -> None:
    with pytest.raises(NotCanonical):
        decode_version(files)


def test_a_newer_format_is_told() -> None:
    with pytest.raises(FormatTooNew):
        decode_version(_with(format=2))
