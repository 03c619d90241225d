"""Records of operations: one form, one id, one chain; and bytes that were written once are read for ever."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.digest import record_id
from isovc.encoding.signing import is_genuine, key_of, public_key, signer
from isovc.errors import AmbiguousOperation, NoSuchOperation, OperationDamaged
from isovc.repo.operations import Operation, OperationId, Operations, Standing, decode_operation, encode_operation

GOLDEN = json.loads((Path(__file__).parents[2] / "fixtures" / "golden" / "operations-1.json").read_text("utf-8"))

# also what is no text: a name on a command line may hold any bytes, and Python keeps them as lone surrogates
TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
COMMITS = st.none() | st.binary(min_size=20, max_size=20).map(bytes.hex)
IDS = st.binary(min_size=32, max_size=32).map(bytes.hex)
STANDINGS = st.none() | st.builds(Standing, TEXTS, TEXTS, COMMITS)
SETTINGS = st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


def _by(names, values):
    return st.dictionaries(names, values, max_size=3)


OPERATIONS = st.builds(
    Operation,
    number=st.integers(1, 2**60),
    previous=st.none() | IDS,
    command=TEXTS,
    words=st.lists(TEXTS, max_size=4).map(tuple),
    summary=TEXTS,
    author=TEXTS,
    user=TEXTS,
    host=TEXTS,
    begun=NUMBERS,
    ended=NUMBERS,
    worktree=NUMBERS,
    database=TEXTS,
    refs=_by(TEXTS, st.tuples(COMMITS, COMMITS)),
    worktrees=_by(TEXTS, st.tuples(STANDINGS, STANDINGS)),
    live=_by(TEXTS, st.tuples(st.none() | IDS, st.none() | IDS)),
    tables=_by(TEXTS, st.tuples(NUMBERS, NUMBERS, NUMBERS)),
    settings=_by(TEXTS, st.tuples(SETTINGS, SETTINGS)),
    undone=st.lists(IDS, max_size=2).map(tuple),
    redone=st.lists(IDS, max_size=2).map(tuple),
    below=st.none() | IDS,
    passed_over=st.booleans(),
    irreversible=st.booleans(),
)

PLAIN = Operation(
    number=1,
    previous=None,
    command="tag",
    words=("tag", "a"),
    summary="make tag a",
    author="Ada <ada@example.org>",
    user="ada",
    host="mill",
    begun=1,
    ended=2,
    worktree=1,
    database="app.db",
)


@given(OPERATIONS)
def test_a_record_comes_back_as_it_was(operation):
    body = encode_operation(operation)
    again = decode_operation(body)
    assert again == operation
    assert encode_operation(again) == body


@given(OPERATIONS)
def test_a_record_is_canonical_json_of_ascii(operation):
    body = encode_operation(operation)
    assert all(0x20 <= byte < 0x7F for byte in body)
    said = json.loads(body)
    assert json.dumps(said, sort_keys=True, separators=(",", ":")).encode() == body
    assert said["format"] == 1


@given(OPERATIONS, st.data())
def test_any_bit_changes_the_id(operation, data):
    body = encode_operation(operation)
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[at // 8] ^= 1 << at % 8
    assert record_id(bytes(changed)) != record_id(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"number":1', '"number":1.0'),
        ('"number":1', '"number":"1"'),
        ('"number":1', '"number":true'),
        ('"passed_over":false', '"passed_over":0'),
        ('"previous":null', '"previous":"ab"'),
        ('"words":["tag","a"]', '"words":["tag",1]'),
        ('"words":["tag","a"]', '"words":null'),
        ('"refs":{}', '"refs":{"refs/heads/a":[null]}'),
        ('"refs":{}', '"refs":{"refs/heads/a":[null,7]}'),
        ('"refs":{}', '"refs":{"refs/heads/a":[null,"AB"]}'),
        ('"refs":{}', '"refs":[]'),
        ('"live":{}', '"live":{"1":[null,"00"]}'),
        ('"worktrees":{}', '"worktrees":{"1":[null,{}]}'),
        ('"worktrees":{}', '"worktrees":{"1":[null,{"commit":null,"database":1,"head":""}]}'),
        ('"tables":{}', '"tables":{"t":[1,2]}'),
        ('"tables":{}', '"tables":{"t":[1,2,null]}'),
        ('"host":"mill"', '"host":"mill","more":1'),
        ('"host":"mill",', ""),
        ('"format":1', '"format":2'),
        ('"host":"mill"', '"host":' + "[" * 100_000),
        ("{", "[{"),
    ],
)
def test_what_is_no_record_is_refused(old, new):
    body = encode_operation(PLAIN)
    assert old.encode() in body
    with pytest.raises(OperationDamaged):
        decode_operation(body.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize("body", [b"", b"\xff", b"null", b"[]", b"1" * 5000, "{}".encode("utf-16")])
def test_what_is_no_object_is_refused(body):
    with pytest.raises(OperationDamaged):
        decode_operation(body)


@pytest.mark.parametrize("case", GOLDEN["records"], ids=lambda case: case["name"])
def test_records_keep_their_bytes_and_ids(case):
    body = case["body"].encode("ascii")
    assert encode_operation(decode_operation(body)) == body
    assert record_id(body).hex() == case["id"]


@pytest.mark.parametrize("case", GOLDEN["records"][1:], ids=lambda case: case["name"])
def test_signatures_keep_their_bytes(case):
    body, signature = case["body"].encode("ascii"), bytes.fromhex(case["signature"])
    assert signer(GOLDEN["private_key"].encode(), "", source=Path("key"))(body) == signature
    assert key_of(signature) == public_key(GOLDEN["public_key"].encode(), source=Path("key"))
    assert is_genuine(body, signature)
    for at in range(len(signature)):
        changed = bytearray(signature)
        changed[at] ^= 4
        assert not is_genuine(body, bytes(changed))


def test_the_log_is_read_from_both_ends_and_by_id(db):
    log = Operations(db)
    assert log.last() is None
    previous = None
    made = []
    for number in range(1, 8):
        operation = replace(PLAIN, number=number, previous=previous, worktree=1 + number % 2)
        made.append(log.append(operation))
        previous = made[-1].id
    assert list(log.newest_first(batch=2)) == made[::-1]
    assert [each.operation.number for each in log.newest_first(worktree=2)] == [7, 5, 3, 1]
    assert [each.operation.number for each in log.newest_first(before=3)] == [2, 1]
    assert log.last() == made[-1]
    assert log.find("@~6") == made[0]
    assert log.get(made[3].id) == log.find(made[3].id[:8].upper()) == made[3]
    for text in ("@~7", "@~", "@x", "", "abc", "g" * 8, "0" * 65):
        with pytest.raises(NoSuchOperation):
            log.find(text)
    with pytest.raises(NoSuchOperation):
        log.get(OperationId("00" * 32))


def test_the_beginning_of_several_ids_is_not_enough(db):
    for number in (1, 2):
        body = encode_operation(replace(PLAIN, number=number))
        raw = b"\xab\xcd" + record_id(body)[2:]
        db.execute("INSERT INTO operation VALUES(?, ?, 1, 2, ?, NULL)", (number, raw, body))
    with pytest.raises(AmbiguousOperation) as told:
        Operations(db).find("abcd")
    assert len(told.value.candidates) == 2


@pytest.mark.parametrize(
    "deed", ["body = replace(CAST(body AS TEXT), 'tag', 'tog')", "id = zeroblob(32)", "number = 2"]
)
def test_a_record_that_was_altered_is_never_shown(db, deed):
    Operations(db).append(PLAIN)
    db.execute(f"UPDATE operation SET {deed}")
    with pytest.raises(OperationDamaged):
        Operations(db).last()
