"""zstd, alone or against a known neighbour, with a cap on the way out. Knows nothing of ids or stores.

Frames leave out zstd's four magic bytes: where they lie says what they are, and a delta of one row is only some 70
bytes.
"""

from __future__ import annotations

import threading

import zstandard

from isovc.errors import NotCanonical

# bytes: one row of 2,000 columns just under 16 KiB each is 32 MB and must fit; nothing larger is ever cut as one chunk
LARGEST_CHUNK = 64 << 20

_NOTHING = bytes.fromhex("2000010000")  # the one frame of no content; the library looks no further once it reads 0
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS
_MAGIC = zstandard.FRAME_HEADER
_LARGEST_BLOCK = 128 << 10  # bytes, says zstd
_REPEATED = 1  # the kind of block that is one byte, so many times


class _Contexts(threading.local):
    """zstd contexts serve one thread at a time and are costly to make: one set a thread."""

    def __init__(self) -> None:
        self.compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor(format=_FORMAT)
        self.chains = zstandard.ZstdDecompressor()


_contexts = _Contexts()


def compress(content: bytes, *, level: int) -> bytes:
    """One frame that stands alone."""
    compressor = _contexts.compressors.get(level)
    if compressor is None:
        parameters = zstandard.ZstdCompressionParameters.from_level(level, format=_FORMAT, write_content_size=True)
        compressor = zstandard.ZstdCompressor(compression_params=parameters)
        _contexts.compressors[level] = compressor
    return compressor.compress(content)


def compress_against(content: bytes, base: bytes, *, level: int) -> bytes:
    """One frame that can be read only with `base` at hand: small where the two are alike."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=len(content), dict_size=len(base), format=_FORMAT, write_content_size=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=_raw(base)).compress(content)


def decompress(frame: bytes) -> bytes:
    """What `compress` was given. Raises NotCanonical for anything else, before it takes more memory than allowed."""
    size = _refuse_foreign(frame)
    try:
        return _contexts.decompressor.decompress(frame, max_output_size=max(size, 1), allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise NotCanonical(what="a compressed chunk", why=str(error)) from None


def decompress_against(frame: bytes, base: bytes) -> bytes:
    """What `compress_against` was given with the same base."""
    _refuse_foreign(frame)
    whole = _MAGIC + frame
    try:
        # a context with a dictionary of its own takes ten times as long to make as to use. What reads chains keeps one,
        # but wants the base as a frame, and does not look behind the last one
        content: bytes = _contexts.chains.decompress_content_dict_chain([_as_frame(base), whole])
        end = _end(whole)
    except (zstandard.ZstdError, ValueError) as error:
        raise NotCanonical(what="a compressed chunk", why=str(error)) from None
    if end != len(whole):
        raise NotCanonical(what="a compressed chunk", why="there is something behind it")
    return content


def _as_frame(content: bytes) -> bytes:
    """A frame of blocks that are not compressed."""
    parts = [_MAGIC, b"\xa0", len(content).to_bytes(4, "little")]  # a0: one segment, four bytes tell its size
    for start in range(0, len(content) or 1, _LARGEST_BLOCK):
        block = content[start : start + _LARGEST_BLOCK]
        is_last = start + _LARGEST_BLOCK >= len(content)
        parts += [(len(block) << 3 | is_last).to_bytes(3, "little"), block]
    return b"".join(parts)


def _end(frame: bytes) -> int:
    """Where a sound frame ends."""
    at = zstandard.frame_header_size(frame)
    while True:
        head = int.from_bytes(frame[at : at + 3], "little")
        at += 3 + (1 if head >> 1 & 3 == _REPEATED else head >> 3)
        if head & 1 or at >= len(frame):
            return at


def _raw(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _refuse_foreign(frame: bytes) -> int:
    """How much the frame says that it holds, if it may hold so much."""
    try:
        size = zstandard.get_frame_parameters(frame, format=_FORMAT).content_size
    except zstandard.ZstdError as error:
        raise NotCanonical(what="a compressed chunk", why=str(error)) from None
    if size > LARGEST_CHUNK:  # also the value that stands for "not told"
        raise NotCanonical(what="a compressed chunk", why=f"it claims to hold {size} bytes")
    if size == 0 and frame != _NOTHING:
        raise NotCanonical(what="a compressed chunk", why="it says that it is empty, and is not")
    return size
