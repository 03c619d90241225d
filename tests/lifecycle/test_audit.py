"""Whatever is done to the operation log, the check finds it and names the first record that is not what it was."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from isovc.cli.main import main
from isovc.encoding.digest import record_id
from isovc.encoding.signing import new_key, public_key, signer
from isovc.lifecycle.audit.chain import Chain, Columns, Demands, Fault, Found
from isovc.lifecycle.audit.choice import Choice, oldest_first
from isovc.lifecycle.audit.export import as_csv, as_jsonl
from isovc.lifecycle.audit.exported import verify_export
from isovc.lifecycle.audit.verify import damages_of_the_log, verify
from isovc.repo.operations import OperationId, Operations, decode_operation, encode_operation
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from tests.sealed import reseal
from tests.versioned import Versioned

PRIVATE, PUBLIC = new_key("")
SIGN = signer(PRIVATE, "", source=Path("key"))
KEY = public_key(PUBLIC, source=Path("key"))
OTHER = public_key(new_key("")[1], source=Path("key"))


@pytest.fixture
def busy(app: Versioned) -> Versioned:
    """A repository in which many kinds of operations were made: the last six are signed."""
    key = app.path.with_name("key.pem")
    key.write_bytes(PRIVATE)
    app.sql("INSERT INTO tags VALUES(3, 'c')")
    app.ok("commit", "-m", "second")
    app.ok("branch", "exp")
    app.sql("UPDATE notes SET body = 'x'")
    app.ok("switch", "exp")
    app.ok("config", "audit.key", str(key))
    app.ok("tag", "v1")
    app.ok("branch", "-m", "exp", "more")
    app.ok("switch", "main")
    app.ok("undo")
    app.ok("redo")
    return app


def _audited(app: Versioned, demands: Demands | None = None):
    with Repository(app.folder, Settings({}, {})) as repository:
        return verify(repository, demands)


def _store(app: Versioned, script: str) -> None:
    with closing(sqlite3.connect(app.folder / "store.db", isolation_level=None)) as db:
        db.executescript(script)


def _found(app: Versioned) -> list[Found]:
    with closing(sqlite3.connect(app.folder / "store.db")) as db:
        listed: dict[int, set[str]] = {}
        for number, snapshot in db.execute("SELECT number, snapshot FROM operation_snapshot"):
            listed.setdefault(number, set()).add(snapshot.hex())
        rows = db.execute("SELECT number, id, worktree, ended, body, signature FROM operation ORDER BY number")
        return [
            Found(raw, body, signature, Columns(number, worktree, ended, frozenset(listed.get(number, ()))))
            for number, raw, worktree, ended, body, signature in rows
        ]


def _first_fault(found: list[Found], demands: Demands | None = None) -> Fault | None:
    chain = Chain(demands or Demands())
    for each in found:
        fault = chain.follow(each)
        if isinstance(fault, Fault):
            return fault
    return chain.end()


def _flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_log_that_nobody_touched_is_whole(busy: Versioned) -> None:
    found = _audited(busy)
    assert found.faults == ()
    assert (found.records, found.first_signed, found.signed, found.signatures_checked) == (11, 6, 6, True)
    assert found.head == busy.json("audit", "head")["id"]
    assert _first_fault(_found(busy)) is None
    assert busy.json("fsck")["damages"] == []


def test_any_bit_of_any_record_that_changes_is_found_and_named(busy: Versioned) -> None:
    chain = Chain(Demands())
    for at, each in enumerate(_found(busy)):
        for name in ("body", "id", "signature"):
            content = getattr(each, name)
            for bit in range(len(content or b"") * 8):
                altered = replace(each, **{name: _flipped(content, bit)})
                fault = copy(chain).follow(altered)
                assert isinstance(fault, Fault)
                assert fault.number == at + 1
                assert fault.id == altered.id.hex()
        assert not isinstance(chain.follow(each), Fault)


def test_records_removed_swapped_inserted_or_repeated_are_found(busy: Versioned) -> None:
    found = _found(busy)
    for at in range(len(found) - 1):  # the last one: only --head can tell
        fault = _first_fault([*found[:at], *found[at + 1 :]])
        assert (fault.number, fault.why, fault.id) == (at + 1, "it is missing", found[at].id.hex())
    for at in range(len(found) - 1):
        for other in range(at + 1, len(found)):
            swapped = list(found)
            swapped[at], swapped[other] = found[other], found[at]
            assert _first_fault(swapped).number == at + 1
            # with the columns left where they were
            swapped[at] = replace(found[other], columns=found[at].columns)
            swapped[other] = replace(found[at], columns=found[other].columns)
            assert _first_fault(swapped).number == at + 1
    for at in range(len(found)):
        assert _first_fault([*found[: at + 1], found[at], *found[at + 1 :]]) is not None
        assert _first_fault([*found[: at + 1], found[0], *found[at + 1 :]]) is not None


def test_records_numbered_otherwise_are_found(busy: Versioned) -> None:
    found = _found(busy)
    for at, each in enumerate(found):
        for number in (0, -1, at, at + 2, 1 << 40, "3", None, b"3", 1.5):
            altered = replace(each, columns=replace(each.columns, number=number))
            assert _first_fault([*found[:at], altered, *found[at + 1 :]]) is not None


@pytest.mark.parametrize("column", ["worktree", "ended"])
def test_a_column_that_disagrees_is_found(busy: Versioned, column: str) -> None:
    found = _found(busy)
    for at, each in enumerate(found):
        for value in (0, str(getattr(each.columns, column)), None, float(getattr(each.columns, column))):
            altered = replace(each, columns=replace(each.columns, **{column: value}))
            fault = _first_fault([*found[:at], altered, *found[at + 1 :]])
            assert fault.number == at + 1
            assert column in fault.why


def _forged(found: list[Found], at: int, *, sign=None, **said) -> list[Found]:
    """Somebody who knows the format alters one record, and writes all that follow anew."""
    made = list(found[:at])
    for place, each in enumerate(found[at:], at):
        operation = decode_operation(each.body)
        if place == at:
            operation = replace(operation, **(said or {"user": "somebody else"}))
        if made:
            operation = replace(operation, previous=OperationId(made[-1].id.hex()))
        body = encode_operation(operation)
        made.append(Found(record_id(body), body, sign(body) if sign else None, each.columns))
    return made


def test_one_record_written_anew_is_found_by_the_next(busy: Versioned) -> None:
    found = _found(busy)
    for at in range(10):
        fault = _first_fault([*found[:at], _forged(found, at)[at], *found[at + 1 :]])
        assert fault.number == at + 2
        assert "the record before it" in fault.why


def test_a_record_in_another_form_is_found(busy: Versioned) -> None:
    found = _found(busy)
    for old, new in ((b'":', b'": '), (b'{"author"', b'{"author":"","author"'), (b"i", b"\\u0069")):
        body = found[-1].body.replace(old, new, 1)
        fault = _first_fault([*found[:-1], replace(found[-1], body=body, id=record_id(body), signature=None)])
        assert (fault.number, fault.why) == (11, "it is written in another form than ours")


def test_a_move_from_where_nothing_was_is_found(busy: Versioned) -> None:
    found = _found(busy)
    moved = decode_operation(found[2].body).refs["refs/heads/main"][1]
    forged = _forged(found, 2, refs={"refs/heads/main": ("0" * 40, moved)})
    with closing(sqlite3.connect(busy.folder / "store.db", isolation_level=None)) as db:
        for number, each in enumerate(forged, 1):
            values = (each.id, each.body, each.signature, number)
            db.execute("UPDATE operation SET id = ?, body = ?, signature = ? WHERE number = ?", values)
        db.execute("UPDATE ref_log SET old = zeroblob(20) WHERE act = 3")
    (fault,) = _audited(busy).faults
    assert (fault.number, "refs/heads/main elsewhere" in fault.why) == (3, True)


def test_a_log_written_anew_is_found_by_a_head_noted_before(busy: Versioned) -> None:
    found = _found(busy)
    head = found[7].id.hex()
    assert _first_fault(found, Demands(head=head)) is None
    for at in range(8):
        forged = _forged(found, at)
        assert _first_fault(forged) is None  # nothing in it tells
        fault = _first_fault(forged, Demands(head=head))
        assert (fault.number, fault.id) == (None, head)
    assert _first_fault(_forged(found, 8), Demands(head=head)) is None  # it was noted before that


def test_a_log_written_anew_is_found_by_its_signatures(busy: Versioned) -> None:
    found = _found(busy)
    mine = Demands(keys={KEY})
    assert _first_fault(found, mine) is None
    assert _first_fault(found, Demands(keys={OTHER, KEY})) is None
    assert "another key" in _first_fault(found, Demands(keys={OTHER})).why
    strange = signer(new_key("")[0], "", source=Path("key"))
    for at in range(11):
        assert _first_fault(_forged(found, at), mine) is not None
        assert _first_fault(_forged(found, at, sign=strange), mine) is not None
    # only the tail is unsigned
    fault = _first_fault([*found[:9], *(replace(each, signature=None) for each in found[9:])], mine)
    assert (fault.number, fault.why) == (10, "it is not signed")
    assert _first_fault(_forged(found, 0, sign=SIGN), mine) is None  # whoever has the key can do it
    assert _first_fault(found, Demands(keys={KEY}, signed_from=6)) is None
    assert _first_fault(found, Demands(keys={KEY}, signed_from=5)).number == 5


@pytest.mark.parametrize("signature", [b"", b"\x01" * 97, b"\x02" * 97, "text", 7, b"\x01" * 96])
def test_what_is_no_signature_is_found(busy: Versioned, signature: object) -> None:
    found = _found(busy)
    found[2] = replace(found[2], signature=signature)
    assert _first_fault(found).number == 3


_CUT = "DELETE FROM operation WHERE number > 10; DELETE FROM operation_snapshot WHERE number > 10;"


@pytest.mark.parametrize(
    ("deed", "number", "why"),
    [
        ("DELETE FROM operation WHERE number = 4", 4, "missing"),
        ("DELETE FROM operation WHERE number = 1", 1, "missing"),
        ("DELETE FROM operation WHERE number > 8", 9, "speaks of it"),
        (_CUT, 11, "speaks of it"),
        (f"{_CUT} DELETE FROM ref_log WHERE act > 10", 10, "led it"),
        ("UPDATE operation SET number = 40 WHERE number = 4", 4, "missing"),
        ("UPDATE operation SET body = CAST(body AS TEXT) WHERE number = 4", 4, "content"),
        ("UPDATE operation SET id = CAST(id AS TEXT) WHERE number = 4", 4, "content"),
        ("UPDATE operation SET id = hex(id) WHERE number = 4", 4, "content"),
        ("UPDATE operation SET worktree = 2 WHERE number = 4", 4, "worktree"),
        ("UPDATE operation SET worktree = 'x' WHERE number = 4", 4, "worktree"),
        ("DELETE FROM operation_snapshot WHERE number = 2", 2, "other states"),
        ("INSERT INTO operation_snapshot VALUES(2, 'x')", 2, "other states"),
        ("INSERT INTO operation_snapshot VALUES(0, x'00')", 0, "speaks of it"),
        ("INSERT INTO operation_snapshot VALUES(99, x'00')", 99, "speaks of it"),
        ("UPDATE ref_log SET act = 99 WHERE act = 4", 99, "speaks of it"),
        ("UPDATE ref_log SET act = NULL WHERE act = 4", 4, "moved others"),
        ("UPDATE ref_log SET new = zeroblob(20) WHERE act = 4", 4, "moved others"),
        ("UPDATE ref SET target = zeroblob(20) WHERE name = 'refs/heads/more'", 8, "refs/heads/more stands where"),
        ("DELETE FROM ref WHERE name = 'refs/tags/v1'", 7, "refs/tags/v1 stands where"),
        ("INSERT INTO ref VALUES('refs/heads/new', zeroblob(20), '', x'')", None, "refs/heads/new stands where"),
        ("UPDATE worktree SET head = 'refs/heads/more'", 11, "working copy 1 stands where"),
        ("UPDATE worktree SET database = 'other.db'", 11, "working copy 1 stands where"),
    ],
)
def test_what_is_done_to_the_tables_is_found(busy: Versioned, deed: str, number: int | None, why: str) -> None:
    _store(busy, deed)
    found = _audited(busy)
    assert any(each.number == number and why in each.why for each in found.faults), found.faults
    with Repository(busy.folder, Settings({}, {})) as repository:
        told = [each.what for each in damages_of_the_log(repository)]
    assert told == [each.sentence for each in found.faults]


def test_a_log_that_began_later_than_the_repository_is_whole(app: Versioned) -> None:
    """As in a repository that was made before there were operations."""
    _store(
        app,
        "DELETE FROM operation; DELETE FROM operation_snapshot; UPDATE ref_log SET act = NULL;"
        "UPDATE total SET value = 0 WHERE name = 'operation'",
    )
    reseal(app.folder / "store.db")
    assert _audited(app).faults == ()
    app.ok("branch", "exp")
    app.ok("switch", "exp")
    app.sql("DELETE FROM tags")
    app.ok("commit", "-m", "second")
    found = _audited(app)
    assert (found.faults, found.records) == ((), 3)
    _store(app, "UPDATE ref SET target = zeroblob(20) WHERE name = 'refs/heads/exp'")
    assert [each.number for each in _audited(app).faults] == [3]


def test_what_gc_lets_go_of_is_no_fault(busy: Versioned) -> None:
    busy.ok("config", "gc.undo_days", "0")
    busy.ok("gc")
    assert _audited(busy).faults == ()
    assert "forget" in busy.ok("audit", "log", "--command", "gc")


def _exported(app: Versioned, path: Path, choice: Choice, write=as_jsonl) -> list[str]:
    with Repository(app.folder, Settings({}, {})) as repository, repository.file.reading() as db:
        lines = list(write(oldest_first(db, choice)))
    path.write_text("".join(lines), encoding="ascii")
    return lines


def test_an_export_is_checked_without_the_repository(busy: Versioned, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = _exported(busy, path, Choice())
    assert (verify_export(path, Demands()).faults, len(lines)) == ((), 11)
    assert verify_export(path, Demands(head=json.loads(lines[4])["id"], keys={KEY})).faults == ()
    draw = random.Random(3)
    for at, line in enumerate(lines):
        content = line.encode()
        for _ in range(40):
            bit = draw.randrange((len(content) - 1) * 8)
            path.write_bytes("".join(lines[:at]).encode() + _flipped(content, bit) + "".join(lines[at + 1 :]).encode())
            (fault,) = verify_export(path, Demands()).faults
            assert fault.number == at + 1 or f"line {at + 1} " in fault.why
    for at in range(len(lines) - 1):
        path.write_text("".join(lines[:at] + lines[at + 1 :]))
        assert verify_export(path, Demands()).faults[0].number == at + 1
        assert verify_export(path, Demands(partial=True)).faults == ()
    path.write_text("".join(lines[::-1]))
    assert verify_export(path, Demands(partial=True)).faults
    path.write_text("".join(lines)[:-20])
    assert "line 11 " in verify_export(path, Demands()).faults[0].why


# What somebody needs who has no isovc and does not trust it. docs/formats/operations.md shows the same.
_BY_HAND = """
import sys
from blake3 import blake3

previous, number = b"null", 0
for line in open(sys.argv[1], "rb"):
    name, body = line[7:71], line[line.index(b',"body":') + 8 : -2]
    number += 1
    assert blake3(body).hexdigest().encode() == name, number
    assert b'"previous":' + previous + b"," in body and b'"number":%d,' % number in body, number
    previous = b'"' + name + b'"'
print(number, previous.decode())
"""


def test_an_export_can_be_checked_without_our_code(busy: Versioned, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = _exported(busy, path, Choice())
    words = [sys.executable, "-I", "-c", _BY_HAND, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["11", '"' + busy.json("audit", "head")["id"] + '"']
    assert _BY_HAND.strip() in (Path(__file__).parents[2] / "docs/formats/operations.md").read_text(encoding="utf-8")
    path.write_text("".join(lines).replace("second", "sekond"))
    assert subprocess.run(words, capture_output=True, check=False).returncode == 1


def test_a_signature_can_be_checked_without_our_code(busy: Versioned, tmp_path: Path) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(PUBLIC)
    line = _exported(busy, tmp_path / "log.jsonl", Choice())[-1]
    body, signature = line[line.index(',"body":') + 8 : -2].encode(), bytes.fromhex(json.loads(line)["signature"])
    assert signature[:33] == b"\x01" + key.public_bytes_raw()
    key.verify(signature[33:], body)
    with pytest.raises(InvalidSignature):
        key.verify(signature[33:], body + b" ")


def test_a_table_holds_no_formula(app: Versioned, tmp_path: Path) -> None:
    import csv

    odd = ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", "＝1"]
    app.sql('CREATE TABLE "=cmd|x;y:z\\"(a); INSERT INTO "=cmd|x;y:z\\" VALUES(1)')
    app.ok("commit", "-m", "odd\n=1", "--author", "=Eve <eve@example.org>")
    with Repository(app.folder, Settings({}, {})) as repository, repository.file.transaction() as db:
        log = Operations(db)
        for user in odd:
            last = log.last()
            log.append(replace(last.operation, number=last.operation.number + 1, previous=last.id, user=user, live={}))
    rows = list(csv.DictReader(_exported_csv(app), strict=True))
    assert [row["user"] for row in rows[-len(odd) :]] == [f"'{each}" for each in odd]
    assert rows[2]["author"] == "'=Eve <eve@example.org>"
    assert rows[2]["tables"] == "'=cmd|x\\;y\\:z\\\\:+1~0-0"
    assert "\n" in rows[2]["words"]
    assert rows[2]["refs"].startswith("refs/heads/main:")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())


def _exported_csv(app: Versioned) -> io.StringIO:
    with Repository(app.folder, Settings({}, {})) as repository, repository.file.reading() as db:
        return io.StringIO("".join(as_csv(oldest_first(db, Choice()))), newline="")


class Commands(RuleBasedStateMachine):
    """Whatever commands are typed: the log stays whole, grows at its end only, and every older head stays in it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "app.db")
        self._sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(1, 1), (2, 2)")
        assert self._run("init", path=self.path.parent) == 0
        self.heads: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()
        gc.unfreeze()
        gc.enable()

    @rule(n=st.integers(1, 9), commits=st.booleans())
    def edits(self, n: int, commits: bool) -> None:
        self._sql(f"INSERT OR REPLACE INTO t VALUES({n}, {n} + (SELECT total(b) FROM t))")
        if commits:
            self._run("commit", "-m", "x")

    @rule(
        words=st.sampled_from(
            [
                "commit --allow-empty -m empty",
                "branch a",
                "branch -m a b",
                "branch -c b c",
                "branch -D b",
                "tag v",
                "tag -d v",
                "switch a",
                "switch b",
                "switch main",
                "checkout --detach HEAD",
                "reset --hard HEAD",
                "reset HEAD~1",
                "undo",
                "undo -n 2",
                "redo",
                "op revert @~1",
                "op restore @~3",
                "config gc.auto false",
                "config gc.auto --unset",
                "gc",
                "worktree add other.db -c other",
                "worktree remove other.db",
            ]
        )
    )
    def types(self, words: str) -> None:
        self._run(*words.split())

    @invariant()
    def the_log_is_whole(self) -> None:
        if not hasattr(self, "heads"):
            return
        with Repository(self.path.parent / ".isovc", Settings({}, {})) as repository:
            found = verify(repository)
            assert found.faults == ()
            assert found.records >= len(set(self.heads))
            for head in self.heads[:1] + self.heads[-2:]:
                assert verify(repository, Demands(head=head)).faults == ()
        self.heads.append(found.head)

    def _run(self, *words: str, path: Path | None = None) -> int:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as told:
            code = main(["-C", str(path or self.path), *words])
        assert code in (0, 1, 2), (words, told.getvalue())
        assert "unexpected" not in told.getvalue(), (words, told.getvalue())
        return code

    def _sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.executescript(script)


TestCommands = Commands.TestCase
TestCommands.settings = settings(max_examples=6, stateful_step_count=15, deadline=None)
