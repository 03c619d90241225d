"""Values that go in and out piece by piece are the same as those that go whole."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.blobs import What, apart, keep_stream, mentioned, parts, stream, whole
from isovc.encoding.digest import ChunkId, Kind, record_id
from isovc.encoding.values import External, encode
from isovc.errors import ChunkMissing, NotCanonical
from isovc.store import MemoryChunks
from isovc.store.packing import ReadyChunk

MIB = 1 << 20

# made by writing the whole value at once, before there was another way: the ids must never move
GOLDEN = {
    0: "e1e0e81d6ea39b0cf8b86ffd440921011f57400cbc3f76a8a171906a9b8d7505",
    100: "0918e4a503b6d36e20f223ff457a328458a6186e55258ce3307729f0a701b425",
    MIB - 1: "fd7d5e557f9dd9a058a71a7c72f8e3a3ff8a3e00d88283cd505f1ee55a3634af",
    MIB: "ad3d14d4ec07c93467a09b7ccdc266c54958d07530dd711b3ac779d62b02fb72",
    MIB + 1: "871ae75a9f43d2d08a7f180f5d1113c1eb01b9fbfcc6cc2d48cc23e91b11a337",
    7 * MIB + 13: "10d5311e60ffe4b283e61cd2873ffc19b8ae307a502cb1bb57b0fad4738d9584",
}


def some(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", GOLDEN)
def test_the_id_of_a_value_stays(size: int) -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        kept = keep_stream(writer, io.BytesIO(some(size)), kind="bytes")
        assert kept == apart(writer, some(size))
    assert kept.id.hex() == GOLDEN[size]


def divided(data: bytes, seed: int, longest: int) -> Iterator[bytes | memoryview]:
    rest, lengths = memoryview(data), random.Random(seed)
    while rest:
        length = lengths.randrange(longest)  # also nothing at all
        yield rest[:length] if length % 2 else bytes(rest[:length])
        rest = rest[length:]


@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from([0, 1, 100, 5000, 40_000]),
    st.integers(0, 99),
    st.sampled_from([100_000, 1 << 20, 3 << 20]),
    st.sampled_from(["bytes", "text", "file"]),
)
def test_however_it_is_divided_as_it_comes_it_is_the_same(
    piece: bytes, times: int, seed: int, longest: int, kind: What
) -> None:
    data = piece * times
    store, other = MemoryChunks(), MemoryChunks()
    with store.writing() as writer, other.writing() as another:
        at_once = apart(another, data)
        kept = keep_stream(writer, divided(data, seed, longest), kind=kind)
    assert kept == External(at_once.id, len(data), is_text=kind == "text", is_file=kind == "file")
    assert set(store.ids()) == set(other.ids()) == set(parts(store, kept))
    assert b"".join(stream(store, kept)) == data
    value = whole(store, kept)
    assert (value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value) == data


class Slow(io.RawIOBase):
    """A file that gives less than it is asked for."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 70_001))

    def __next__(self) -> bytes:
        raise AssertionError("a file is not read by lines: one may be all of it")


@pytest.mark.parametrize("size", [0, 5, 70_001, MIB, 3 * MIB])
def test_a_file_that_gives_little_at_a_time_is_read_to_its_end(size: int) -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        kept = keep_stream(writer, Slow(some(size)), kind="file")
    assert b"".join(stream(store, kept)) == some(size)
    assert kept.length == size


class Watched:
    """Counts what is under way: taken from the source, and not yet given to the store."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    def source(self, size: int) -> Iterator[bytes]:
        for at in range(size // 65_536):
            self.under_way += 65_536
            self.most = max(self.most, self.under_way)
            yield random.Random(at).randbytes(65_536)

    def put(self, content: bytes, *, base: ChunkId | None = None) -> ChunkId:
        self.under_way -= len(content) - 1
        return ChunkId(record_id(content))

    def put_ready(self, ready: ReadyChunk) -> None:
        raise AssertionError("nobody packs here")


def test_only_a_few_pieces_are_held() -> None:
    watched = Watched()
    kept = keep_stream(watched, watched.source(40 * MIB), kind="file")
    assert kept.length == 40 * MIB
    assert watched.most < 3 * MIB


def test_pieces_are_read_as_they_are_asked_for() -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        kept = keep_stream(writer, [some(9 * MIB)], kind="bytes")
    last = list(parts(store, kept))[-1]
    store.delete([last])
    pieces = stream(store, kept)
    assert some(9 * MIB).startswith(next(pieces))
    with pytest.raises(ChunkMissing):
        list(pieces)


def test_a_source_that_fails_keeps_no_value() -> None:
    def failing() -> Iterator[bytes]:
        yield some(2 * MIB)
        raise OSError("the disk is gone")

    store = MemoryChunks()
    with pytest.raises(OSError, match="the disk is gone"), store.writing() as writer:
        keep_stream(writer, failing(), kind="file")


@pytest.mark.parametrize("length", [0, 4, 6])
def test_a_value_of_another_length_than_its_name_says_is_damage(length: int) -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        kept = apart(writer, b"12345")
    with pytest.raises(NotCanonical):
        whole(store, External(kept.id, length, is_text=False))


def test_a_piece_of_another_length_than_the_list_says_is_damage() -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        ids = [writer.put(bytes([Kind.BLOB]) + some(length)) for length in (MIB, MIB + 1)]
        listed = writer.put(bytes([Kind.PIECES]) + encode([[MIB + 1, MIB], b"".join(ids)]))
    with pytest.raises(NotCanonical):
        whole(store, External(listed, 2 * MIB + 1, is_text=False))


def test_what_is_no_piece_is_damage() -> None:
    store = MemoryChunks()
    with store.writing() as writer:
        leaf = writer.put(bytes([Kind.LEAF]) + b"12345")
    with pytest.raises(NotCanonical):
        whole(store, External(leaf, 5, is_text=False))


def test_leaves_tell_which_files_they_name() -> None:
    file = External(id=bytes(range(32)), length=0, is_text=False, is_file=True)
    leaf = bytes([Kind.LEAF]) + encode([encode([1]), encode([file])])
    assert list(mentioned(leaf)) == [file]
