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


class _Contexts(threading.local):
    """zstd contexts serve one thread at a time and are costly to make: one set a thread."""

    def __init__(self) -> None:
        self.compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor(format=_FORMAT)


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
    return _decompress(_contexts.decompressor, frame)


def decompress_against(frame: bytes, base: bytes) -> bytes:
    """What `compress_against` was given with the same base."""
    return _decompress(zstandard.ZstdDecompressor(dict_data=_raw(base), format=_FORMAT), frame)


def _raw(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _decompress(decompressor: zstandard.ZstdDecompressor, frame: bytes) -> bytes:
    try:
        size = zstandard.get_frame_parameters(frame, format=_FORMAT).content_size
        if size > LARGEST_CHUNK:  # also the value that stands for "not told"
            raise NotCanonical(what="a compressed chunk", why=f"it claims to hold {size} bytes")
        if size == 0 and frame != _NOTHING:
            raise NotCanonical(what="a compressed chunk", why="it says that it is empty, and is not")
        return decompressor.decompress(frame, max_output_size=max(size, 1), allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise NotCanonical(what="a compressed chunk", why=str(error)) from None
