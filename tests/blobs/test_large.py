"""Large values come back exactly, and cost what changed in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.blobs import IS_LARGE, apart, mentioned, parts, whole
from isovc.encoding.digest import ChunkId, Kind
from isovc.encoding.values import External, encode
from isovc.errors import ChunkMissing, NotCanonical
from isovc.store import MemoryChunks, SqliteChunks, StoreFile

MIB = 1 << 20


@pytest.fixture
def chunks(tmp_path: Path) -> Iterator[SqliteChunks]:
    file = StoreFile.create(tmp_path / "store.db")
    yield SqliteChunks(file)
    file.close()


@given(st.binary(max_size=300), st.sampled_from([1, 100, 5000, 40_000]), st.booleans())
def test_a_value_comes_back_as_it_was(piece: bytes, times: int, is_text: bool) -> None:
    data = piece * times
    value = data.decode("utf-8", "surrogateescape") if is_text else data
    store = MemoryChunks()
    with store.writing() as writer:
        named = apart(writer, value)
    assert whole(store, named) == value
    assert named.length == len(data)
    assert {ChunkId(named.id), *parts(store, named)} == set(parts(store, named)) == set(store.ids())


@pytest.mark.parametrize("size", [IS_LARGE, MIB - 1, MIB, MIB + 1, 5 * MIB])
def test_every_way_of_keeping_gives_it_back(size: int) -> None:
    store = MemoryChunks()
    value = random.Random(size).randbytes(size)
    with store.writing() as writer:
        assert apart(writer, value) == (named := apart(writer, value))
    assert whole(store, named) == value


def test_one_byte_of_32_megabytes_costs_little(chunks: SqliteChunks) -> None:
    data = bytearray(random.Random(1).randbytes(32 * MIB))
    with chunks.writing() as writer:
        apart(writer, bytes(data))
    before = _bytes(chunks)
    data[20_000_000] ^= 1
    with chunks.writing() as writer:
        changed = apart(writer, bytes(data))
    assert _bytes(chunks) - before <= 200_000
    data.insert(7_000_000, 5)
    with chunks.writing() as writer:
        longer = apart(writer, bytes(data))
    assert _bytes(chunks) - before <= 400_000
    assert whole(chunks, longer) == bytes(data)
    assert whole(chunks, changed) != bytes(data)


def _bytes(chunks: SqliteChunks) -> int:
    with chunks.file.reading() as db:
        return int(db.execute("SELECT sum(length(body)) FROM chunk").fetchone()[0])


def test_leaves_tell_which_values_they_name() -> None:
    named = External(id=bytes(range(32)), length=70_000, is_text=True)
    column = encode([None, 1, named, "text"])
    leaf = bytes([Kind.LEAF]) + encode([encode([1, 2, 3, 4]), column])
    assert list(mentioned(leaf)) == [named]
    assert list(mentioned(bytes([Kind.LEAF]) + encode([encode([1, 2])]))) == []
    assert list(mentioned(bytes([Kind.BLOB]) + column)) == []


@pytest.mark.parametrize(
    "content",
    [
        bytes([Kind.BLOB]) + b"no list",
        bytes([Kind.PIECES]) + encode(["lengths", b""]),
        bytes([Kind.PIECES]) + encode([[1, 2], b"short"]),
        bytes([Kind.PIECES]) + encode([[2 * MIB], bytes(31)]),
        bytes([Kind.PIECES]) + encode([["x"], bytes(32)]),
        bytes([Kind.PIECES]) + encode([[MIB], bytes(32)]),
    ],
)
def test_a_list_of_pieces_that_makes_no_sense_is_damage(content: bytes) -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        named = External(id=writer.put(content), length=2 * MIB, is_text=False)
    with pytest.raises(NotCanonical):
        whole(store, named)


def test_a_missing_piece_is_told() -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        named = apart(writer, random.Random(3).randbytes(2 * MIB))
    store.delete(list(parts(store, named))[2:3])
    with pytest.raises(ChunkMissing):
        whole(store, named)
