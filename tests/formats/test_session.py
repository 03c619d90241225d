"""What differs by us, and what differs by SQLite's own session extension: the same rows, and the same end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.formats.delta import Delta
from tests.formats.pairs import Pair, held

pytestmark = pytest.mark.skipif(not hasattr(apsw, "Session"), reason="SQLite was built without the session extension")

NEARLY_THE_SAME = [None, 0, 0.0, 1, 1.0, "1", b"1", "1.0"]
OTHERS = ["", b"", "NULL", "\x00", "a\nb", "x'y\"z;\n", "\U0001f40b", b"\x00\xff", -(2**63), 2**63 - 1, 2.0**63, 0.1]
OTHERS += [5e-324, 1e308, float("inf")]
# kinds of tables that the extension knows: those with a PRIMARY KEY, and no NULL in it
TABLES = {
    "plain": "CREATE TABLE plain(k INTEGER PRIMARY KEY, v, w)",
    "typed": "CREATE TABLE typed(k INTEGER PRIMARY KEY, v TEXT, w REAL)",
    "loose": "CREATE TABLE loose(v, k, w, PRIMARY KEY(k))",
    "pair": "CREATE TABLE pair(w, k, l TEXT, v, PRIMARY KEY(l, k)) WITHOUT ROWID",
    "bound": "CREATE TABLE bound(k INTEGER PRIMARY KEY, v UNIQUE, w)",
    "made": "CREATE TABLE made(k INTEGER PRIMARY KEY, v, w, g AS (v || w))",
}
Side: TypeAlias = dict[str, dict[int, tuple[Any, Any]]]
Changed: TypeAlias = set[tuple[str, str, bytes]]  # table, what happened, key


def _side(random: Random, other: Side | None = None) -> Side:
    """Rows; such as the other side may have become, where there is one."""

    def value() -> Any:
        return random.choice(random.choice([NEARLY_THE_SAME, OTHERS]))

    side: Side = {table: {} for table in TABLES}
    for table, key in product(TABLES, range(9)):
        was = other[table].get(key) if other else None
        if was is None or random.random() < 0.2:
            was = (value(), value()) if random.random() < 0.7 else None
        elif random.random() < 0.6:
            was = random.choice([(was[0], value()), (value(), was[1])])
        if was is not None:
            side[table][key] = was
    return side


@contextmanager
def _opened(path: Path) -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(str(path))) as db:
        db.execute("PRAGMA synchronous = OFF")
        yield db


def _make(path: Path, side: Side) -> None:
    with _opened(path) as db, db:
        for table, sql in TABLES.items():
            db.execute(sql)
            for key, (v, w) in side[table].items():
                more = {"l": f"l{key % 2}"} if table == "pair" else {}
                cells: dict[str, Any] = {"k": key, "v": v, "w": w, **more}
                marks = ", ".join("?" for _ in cells)
                db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(cells)}) VALUES ({marks})", [*cells.values()])


def _changeset(old: Path, new: Path, copy: Path) -> bytes:
    """What SQLite notes down while the old file becomes the new one; of a row that goes and comes again, what is
    otherwise then. Its own comparison of two files is no match: it takes 1 and 1.0 for the same."""
    shutil.copy(old, copy)
    with _opened(copy) as db:
        db.execute("ATTACH ? AS new", [str(new)])
        with closing(apsw.Session(db, "main")) as session, db:
            session.attach()
            for table in TABLES:
                cells = "k, l, v, w" if table == "pair" else "k, v, w"
                db.execute(f"DELETE FROM main.{table}")
                db.execute(f"INSERT INTO main.{table} ({cells}) SELECT {cells} FROM new.{table}")
            found: bytes = session.changeset()
            return found


def _applied(path: Path, copy: Path, changeset: bytes) -> Path:
    shutil.copy(path, copy)

    def conflict(reason: int, change: Any) -> int:
        raise AssertionError((reason, change))

    with _opened(copy) as db:
        apsw.Changeset.apply(changeset, db, conflict=conflict)
    return copy


_KEYS = {"pair": (2, 1), "loose": (1,)}  # places of the key's columns, in the order of the key
_OPS = {"INSERT": "added", "DELETE": "removed", "UPDATE": "modified"}


def _by_sqlite(changeset: bytes) -> Changed:
    found = set()
    for change in apsw.Changeset.iter(changeset):
        row = change.new if change.op == "INSERT" else change.old
        assert row is not None
        key = tuple(row[at] for at in _KEYS.get(change.name, (0,)))
        found.add((change.name, _OPS[change.op], encode_key(key)))
    return found


def _by_us(told: Delta) -> Changed:
    return {
        (table.name, change.op, encode_key(change.key[: len(_KEYS.get(table.name, (0,)))]))
        for table in told.tables
        for change in table.rows()
    }


@settings(max_examples=40)
@given(random=st.integers(0, 2**64 - 1).map(Random))
def test_we_and_sqlite_tell_the_same(random: Random) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, pair = Path(name), Pair(Path(name))
        a, b, copy = folder / "a.db", folder / "b.db", folder / "copy.db"
        first = _side(random)
        _make(a, first)
        _make(b, _side(random, first))
        changeset = _changeset(a, b, copy)
        before, after = pair.version(a), pair.version(b)
        assert _by_us(pair.delta(before, after)) == _by_sqlite(changeset)
        assert held(pair.by_shell(a, before, after)) == held(after)
        assert held(pair.version(_applied(a, copy, changeset))) == held(after)
        assert held(pair.by_shell(b, after, before)) == held(before)
        assert held(pair.version(_applied(b, copy, apsw.Changeset.invert(changeset)))) == held(before)
