"""One large value as chunks, and back.

    03 | bytes                                       a value, or a piece of one
    04 | msgpack [[length of each piece], ids joined]  a value in pieces

Pieces end where the bytes just before say so (FastCDC), so that a byte changed, put in or taken out in the middle of a
large value changes the one or two pieces around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, TypeAlias

from pyfastcdc import Chunk, FastCDC

from isovc.blobs.incoming import Incoming, Pieces
from isovc.encoding.digest import ID_BYTES, ChunkId, Kind
from isovc.encoding.values import External, decode, packer
from isovc.errors import NotCanonical
from isovc.store.protocol import ChunkStore, ChunkWriter

IS_LARGE = 16 << 10  # bytes, or characters of text: below, a value does better beside its neighbours
_CUT_FROM = 1 << 20  # bytes: one edit of a value smaller than this costs less, as a difference, than a list of pieces
_SMALLEST, _AVERAGE, _LARGEST = 16 << 10, 64 << 10, 256 << 10  # bytes of a piece

_BLOB, _PIECES, _LEAF = bytes([Kind.BLOB]), bytes([Kind.PIECES]), bytes([Kind.LEAF])
_AT_ONCE = 16  # pieces read at a time: a statement for each costs more, and these are a MiB or two
_NAMED = b"\xc7\x29\x01"  # how the name of a large value begins in a packed column: extension 1 of 41 bytes

What: TypeAlias = Literal["bytes", "text", "file"]


def apart(writer: ChunkWriter, value: str | bytes) -> External:
    """Keep a value on its own; what stands in the row instead."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    kept = writer.put(_BLOB + data) if len(data) < _CUT_FROM else _keep(writer, _cutter().cut_buf(data))[0]
    return External(id=kept, length=len(data), is_text=isinstance(value, str))


def keep_stream(writer: ChunkWriter, pieces: Pieces, *, kind: What) -> External:
    """The same of bytes that come piece by piece, of which only a few are held at a time. Where they are divided as
    they come is all the same; text comes as UTF-8."""
    incoming = Incoming(pieces)
    head = incoming.head(_CUT_FROM)
    if len(head) < _CUT_FROM:
        kept, length = writer.put(_BLOB + head), len(head)
    else:
        kept, length = _keep(writer, _cutter().cut_stream(incoming))
    return External(id=kept, length=length, is_text=kind == "text", is_file=kind == "file")


def whole(store: ChunkStore, external: External) -> str | bytes:
    """The value again."""
    data = b"".join(stream(store, external))
    return data.decode("utf-8", "surrogateescape") if external.is_text else data


def stream(store: ChunkStore, external: External) -> Iterator[bytes]:
    """The bytes of a value, piece by piece, each of them verified before it is given."""
    pieces = iter(_pieces(store, ChunkId(external.id), external.length))
    while some := list(islice(pieces, _AT_ONCE)):
        contents = store.get_many([chunk for chunk, _ in some])
        for (chunk, length), content in zip(some, contents, strict=True):
            if content[:1] != _BLOB or len(content) != 1 + length:
                raise NotCanonical(what=f"the piece {chunk.hex()[:12]} of a value", why="it is of another length")
            yield content[1:]


def parts(store: ChunkStore, external: External) -> Iterator[ChunkId]:
    """All chunks of a value."""
    first = ChunkId(external.id)
    yield first
    for piece, _ in _pieces(store, first, external.length):
        if piece != first:
            yield piece


def _cutter() -> FastCDC:
    return FastCDC(avg_size=_AVERAGE, min_size=_SMALLEST, max_size=_LARGEST)


def _keep(writer: ChunkWriter, pieces: Iterable[Chunk]) -> tuple[ChunkId, int]:
    lengths: list[int] = []
    ids: list[ChunkId] = []
    for piece in pieces:
        lengths.append(piece.length)
        ids.append(writer.put(_BLOB + piece.data))  # its memory may be used for the next one
    return writer.put(_PIECES + packer()([lengths, b"".join(ids)])), sum(lengths)


def _pieces(store: ChunkStore, chunk: ChunkId, length: int) -> list[tuple[ChunkId, int]]:
    """The pieces of a value and how long each is."""
    if length < _CUT_FROM:
        return [(chunk, length)]
    content = store.get(chunk)
    parts = decode(content[1:]) if content[:1] == _PIECES else []
    if [type(part) for part in parts] != [list, bytes]:
        raise NotCanonical(what=f"the list of pieces {chunk.hex()[:12]}", why="its parts are of the wrong kinds")
    lengths, ids = parts
    if {*map(type, lengths)} != {int} or sum(lengths) != length or len(ids) != ID_BYTES * len(lengths):
        raise NotCanonical(what=f"the list of pieces {chunk.hex()[:12]}", why="its pieces do not make up the value")
    each = [ChunkId(ids[at : at + ID_BYTES]) for at in range(0, len(ids), ID_BYTES)]
    return list(zip(each, lengths, strict=True))


def mentioned(content: bytes) -> Iterator[External]:
    """The large values that the rows of a leaf name. Other chunks name none."""
    if content[:1] != _LEAF or _NAMED not in content:
        return
    for column in decode(content[1:]):
        if type(column) is bytes and _NAMED in column:
            yield from (value for value in decode(column) if type(value) is External)
