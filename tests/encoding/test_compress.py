"""What is compressed comes back; what was not compressed by us is refused before it costs memory."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.compress import LARGEST_CHUNK, compress, compress_against, decompress, decompress_against
from isovc.errors import NotCanonical

contents = st.binary(max_size=300) | st.tuples(st.binary(max_size=20), st.integers(0, 4000)).map(lambda p: p[0] * p[1])
levels = st.sampled_from([1, 3, 6])


@given(contents, levels)
def test_content_comes_back(content, level):
    assert decompress(compress(content, level=level)) == content


@given(contents, contents, levels)
def test_a_difference_comes_back_with_its_base(content, base, level):
    assert decompress_against(compress_against(content, base, level=level), base) == content


@given(contents, levels)
def test_the_same_content_gives_the_same_frame(content, level):
    assert compress(content, level=level) == compress(content, level=level)


@given(st.binary(max_size=80), contents)
def test_foreign_bytes_give_only_our_error(frame, base):
    for read in (lambda: decompress(frame), lambda: decompress_against(frame, base)):
        with contextlib.suppress(NotCanonical):
            assert len(read()) <= LARGEST_CHUNK


@given(contents, contents, st.data())
def test_mutated_frames_give_only_our_error(content, base, data):
    for frame, read in [
        (compress(content, level=1), decompress),
        (compress_against(content, base, level=1), lambda frame: decompress_against(frame, base)),
    ]:
        mutated = bytearray(frame)
        mutated[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
        with contextlib.suppress(NotCanonical):
            assert len(read(bytes(mutated[: data.draw(st.integers(0, len(frame)))]))) <= LARGEST_CHUNK


def magicless(content: bytes, **options: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(format=zstandard.FORMAT_ZSTD1_MAGICLESS, **options)
    return zstandard.ZstdCompressor(compression_params=parameters).compress(content)


def test_a_frame_that_holds_more_than_a_chunk_may_is_refused():
    bomb = magicless(bytes(LARGEST_CHUNK + 1), write_content_size=1)
    assert len(bomb) < 10_000
    with pytest.raises(NotCanonical, match=str(LARGEST_CHUNK + 1)):
        decompress(bomb)


def test_a_chunk_of_the_largest_size_comes_back():
    assert decompress(compress(bytes(LARGEST_CHUNK), level=1)) == bytes(LARGEST_CHUNK)


@pytest.mark.parametrize("claimed", [2**26 + 1, 2**40, 2**63, 2**64 - 1, 2**64 - 2])
def test_a_frame_that_claims_much_takes_no_memory(claimed):
    frame = b"\xe0" + claimed.to_bytes(8, "little") + b"\x01\x00\x00"
    tracemalloc.start()
    try:
        with pytest.raises(NotCanonical):
            decompress(frame)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_frame_that_holds_more_than_it_claims_is_refused():
    frame = compress(b"abc" * 100, level=1)
    assert frame[:3] == b"\x60\x2c\x00"  # 300 - 256
    with pytest.raises(NotCanonical):
        decompress(b"\x60\x00\x00" + frame[3:])


def test_a_frame_that_does_not_tell_its_size_is_refused():
    with pytest.raises(NotCanonical):
        decompress(magicless(b"abc" * 100, write_content_size=0))


@pytest.mark.parametrize("content", [b"", b"abc" * 100])
@pytest.mark.parametrize("more", [b"x", bytes(9), compress(b"abc", level=1)])
def test_bytes_behind_the_frame_are_refused(content, more):
    with pytest.raises(NotCanonical):
        decompress(compress(content, level=1) + more)
    with pytest.raises(NotCanonical):
        decompress_against(compress_against(content, b"abcabc", level=1) + more, b"abcabc")


@pytest.mark.parametrize("size", [0, 1, (128 << 10) - 1, 128 << 10, (128 << 10) + 1, 300_000])
def test_a_base_may_be_of_any_size(size):
    base = b"".join(i.to_bytes(4, "big") for i in range(size // 4 + 1))[:size]
    content = base[: size // 2] + b"changed" + base[size // 2 :]
    frame = compress_against(content, base, level=1)
    assert decompress_against(frame, base) == content
    with pytest.raises(NotCanonical):
        decompress_against(b"\xe0" + ((1 << 40) + size).to_bytes(8, "little") + frame[-8:], base)


def test_a_difference_without_its_base_is_no_content():
    base = b"".join(i.to_bytes(2, "big") for i in range(2000))
    frame = compress_against(base[:2000] + b"x" + base[2000:], base, level=1)
    assert len(frame) < 60
    with pytest.raises(NotCanonical):
        decompress(frame)
