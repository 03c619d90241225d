"""Bytes that were written once are read for ever. A changed golden is a new format number: never edit these files,
add a new one and keep reading the old."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from isovc.encoding.compress import compress, compress_against, decompress, decompress_against
from isovc.encoding.digest import Kind, chunk_id, keyed_chunk_id
from isovc.encoding.orderkey import decode_key, encode_key
from isovc.encoding.values import External, decode, encode

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"


def load(name):
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def value(written):
    """A value as the fixtures write it: JSON where that is exact, else {"storage class": "hex"}."""
    if not isinstance(written, dict):
        return written
    ((kind, data),) = written.items()
    match kind:
        case "real":
            return struct.unpack(">d", bytes.fromhex(data))[0]
        case "text":
            return bytes.fromhex(data).decode("utf-8", "surrogateescape")
        case "blob":
            return bytes.fromhex(data)
        case "external":
            is_file = data.get("is_file", False)
            return External(bytes.fromhex(data["id"]), data["length"], is_text=data["is_text"], is_file=is_file)
    raise AssertionError(kind)


def exact(values):
    return [(type(v), struct.pack(">d", v) if type(v) is float else v) for v in values]


@pytest.mark.parametrize("case", load("values-1.json") + load("files-1.json"), ids=lambda case: case["name"])
def test_values_keep_their_bytes(case):
    values = [value(one) for one in case["values"]]
    assert encode(values).hex() == case["bytes"]
    assert exact(decode(bytes.fromhex(case["bytes"]))) == exact(values)


@pytest.mark.parametrize("case", load("keys-1.json"), ids=lambda case: case["name"])
def test_keys_keep_their_bytes(case):
    cells = [value(one) for one in case["cells"]]
    assert encode_key(cells).hex() == case["bytes"]
    assert exact(decode_key(bytes.fromhex(case["bytes"]), len(cells))) == exact(cells)


@pytest.mark.parametrize("case", load("ids-1.json"), ids=lambda case: case["name"])
def test_ids_stay(case):
    content = bytes([Kind[case["kind"]]]) + bytes.fromhex(case["content"])
    assert chunk_id(content).hex() == case["id"]
    assert keyed_chunk_id(bytes.fromhex(case["key"]))(content).hex() == case["keyed_id"]


@pytest.mark.parametrize("case", load("frames-1.json"), ids=lambda case: case["name"])
def test_frames_stay_readable(case):
    # Another release of zstd may write other bytes: those are no part of any id, so only reading is held to.
    content, base, frame = (bytes.fromhex(case[part]) for part in ("content", "base", "frame"))
    if base:
        assert decompress_against(frame, base) == content
        assert decompress_against(compress_against(content, base, level=1), base) == content
    else:
        assert decompress(frame) == content
        assert decompress(compress(content, level=1)) == content
