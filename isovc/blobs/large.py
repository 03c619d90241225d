"""One large value as chunks, and back.

    03 | bytes                                       a value, or a piece of one
    04 | msgpack [[length of each piece], ids joined]  a value in pieces

Pieces end where the bytes just before say so (FastCDC), so that a byte changed, put in or taken out in the middle of a
large value changes the one or two pieces around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyfastcdc import FastCDC

from isovc.encoding.digest import ID_BYTES, ChunkId, Kind
from isovc.encoding.values import External, decode, packer
from isovc.errors import NotCanonical
from isovc.store.protocol import ChunkStore, ChunkWriter

IS_LARGE = 16 << 10  # bytes, or characters of text: below, a value does better beside its neighbours
_CUT_FROM = 1 << 20  # bytes: one edit of a value smaller than this costs less, as a difference, than a list of pieces
_SMALLEST, _AVERAGE, _LARGEST = 16 << 10, 64 << 10, 256 << 10  # bytes of a piece

_BLOB, _PIECES, _LEAF = bytes([Kind.BLOB]), bytes([Kind.PIECES]), bytes([Kind.LEAF])
_NAMED = b"\xc7\x29\x01"  # how the name of a large value begins in a packed column: extension 1 of 41 bytes


def apart(writer: ChunkWriter, value: str | bytes) -> External:
    """Keep a value on its own; what stands in the row instead."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return External(id=_keep(writer, data), length=len(data), is_text=isinstance(value, str))


def whole(store: ChunkStore, external: External) -> str | bytes:
    """The value again."""
    data = b"".join(store.get(piece)[1:] for piece in _pieces(store, ChunkId(external.id), external.length))
    return data.decode("utf-8", "surrogateescape") if external.is_text else data


def parts(store: ChunkStore, external: External) -> Iterator[ChunkId]:
    """All chunks of a value."""
    first = ChunkId(external.id)
    yield first
    for piece in _pieces(store, first, external.length):
        if piece != first:
            yield piece


def _keep(writer: ChunkWriter, data: bytes) -> ChunkId:
    if len(data) < _CUT_FROM:
        return writer.put(_BLOB + data)
    cutter = FastCDC(avg_size=_AVERAGE, min_size=_SMALLEST, max_size=_LARGEST)
    view = memoryview(data)
    lengths: list[int] = []
    ids: list[ChunkId] = []
    for piece in cutter.cut_buf(data):
        lengths.append(piece.length)
        ids.append(writer.put(_BLOB + view[piece.offset : piece.offset + piece.length]))
    return writer.put(_PIECES + packer()([lengths, b"".join(ids)]))


def _pieces(store: ChunkStore, chunk: ChunkId, length: int) -> list[ChunkId]:
    if length < _CUT_FROM:
        return [chunk]
    content = store.get(chunk)
    parts = decode(content[1:]) if content[:1] == _PIECES else []
    if [type(part) for part in parts] != [list, bytes]:
        raise NotCanonical(what=f"the list of pieces {chunk.hex()[:12]}", why="its parts are of the wrong kinds")
    lengths, ids = parts
    if {*map(type, lengths)} != {int} or sum(lengths) != length or len(ids) != ID_BYTES * len(lengths):
        raise NotCanonical(what=f"the list of pieces {chunk.hex()[:12]}", why="its pieces do not make up the value")
    return [ChunkId(ids[at : at + ID_BYTES]) for at in range(0, len(ids), ID_BYTES)]


def mentioned(content: bytes) -> Iterator[External]:
    """The large values that the rows of a leaf name. Other chunks name none."""
    if content[:1] != _LEAF or _NAMED not in content:
        return
    for column in decode(content[1:]):
        if type(column) is bytes and _NAMED in column:
            yield from (value for value in decode(column) if type(value) is External)
