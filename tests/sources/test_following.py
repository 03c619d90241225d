"""Each transaction of a live database, as its log shows it, is what a plain model saw."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from isovc.encoding.orderkey import encode_key
from isovc.model import Shape
from isovc.sources.sqlite.following import Following, following
from tests.sources.writer import Writer, writing
from tests.watched import companions_of, has_ended, wait_for

Model = dict[str, dict[bytes, tuple[Any, ...]]]

TABLES = (
    "CREATE TABLE plain(id INTEGER PRIMARY KEY, a, b TEXT)",
    "CREATE TABLE keyless(a, b)",
    "CREATE TABLE named(name TEXT NOT NULL PRIMARY KEY, a REAL, b)",
    "CREATE TABLE maybe(x TEXT, y INT, a, PRIMARY KEY(x, y))",
    "CREATE TABLE sorted(k TEXT, n INT, a, PRIMARY KEY(k, n)) WITHOUT ROWID",
    "CREATE INDEX plain_a ON plain(a)",
    "CREATE INDEX keyless_b ON keyless(b, a)",
)


class Follower:
    """Takes in one transaction after another, by its rows; where these are not told, it reads all."""

    def __init__(self, followed: Following) -> None:
        self.followed = followed
        self.shape = followed.look()
        self.model = self.read()
        self.whole = 0  # transactions that had to be read as a whole
        followed.done()

    def read(self) -> Model:
        reading = self.followed.reading()
        return {
            name: {encode_key(row[: len(table.key)]): row for batch in reading.rows(table) for row in batch}
            for name, table in self.shape.tables.items()
        }

    def states(self) -> Iterator[tuple[Model, Shape]]:
        for commit in self.followed.commits():
            found = self.followed.rows(commit, most=1000)
            self.followed.settle(commit)
            if found is None:
                self.whole += 1
                self.shape = self.followed.look()
                self.model = self.read()
            else:
                for one in found:
                    width, rows = len(one.table.key), self.model[one.table.name]
                    for key in one.gone:
                        del rows[encode_key(key)]
                    rows.update({encode_key(row[:width]): row for row in one.rows})
            yield self.model, self.shape
        self.followed.done()


def as_seen(model: Model, shape: Shape) -> dict[str, list[str]]:
    """The model as the other program shows it: columns as declared."""
    found = {}
    for name, table in shape.tables.items():
        places = [table.cells.index(column.name) for column in table.columns]
        found[name] = sorted(repr(tuple(row[at] for at in places)) for row in model[name].values())
    return found


@contextmanager
def followed_by(path: Path, *before: str) -> Iterator[tuple[Writer, Follower]]:
    with writing(path) as writer:
        assert writer.run(*before, "PRAGMA journal_mode=WAL") == ""
        for table in TABLES:
            assert writer.run(table) == ""
        with following(path, busy_seconds=5) as followed:
            assert followed is not None
            followed.begin(None)
            yield writer, Follower(followed)


def some_value(draw: random.Random) -> Any:
    return draw.choice(
        [
            None,
            draw.randrange(-3, 3),
            draw.random(),
            float(draw.randrange(5)),
            "x" * draw.choice([0, 3, 50, 900, 6000, 30000]),
            draw.randbytes(draw.choice([1, 40, 5000])),
            "é" * 20,
        ]
    )


def some_statement(draw: random.Random) -> tuple[str, tuple[Any, ...]]:
    table = draw.choice(["plain", "keyless", "named", "maybe", "sorted"])
    value, number, text = some_value(draw), draw.randrange(60), str(draw.randrange(30))
    new = {
        "plain": ("INSERT OR REPLACE INTO plain VALUES(?, ?, ?)", (draw.choice([None, number, -number]), value, text)),
        "keyless": ("INSERT INTO keyless VALUES(?, ?)", (number, value)),
        "named": ("INSERT OR REPLACE INTO named VALUES(?, ?, ?)", (text, number, value)),
        "maybe": (
            "INSERT OR REPLACE INTO maybe VALUES(?, ?, ?)",
            (draw.choice([None, text]), draw.choice([None, number]), value),
        ),
        "sorted": ("INSERT OR REPLACE INTO sorted VALUES(?, ?, ?)", (text * draw.choice([1, 900]), number, value)),
    }
    column = {"plain": "a", "keyless": "a", "named": "b", "maybe": "a", "sorted": "a"}[table]
    key = {"plain": "id", "keyless": "rowid", "named": "name", "maybe": "y", "sorted": "n"}[table]
    return draw.choice(
        [
            new[table],
            new[table],
            new[table],
            (f"UPDATE {table} SET {column} = ? WHERE {key} % 7 = ?", (value, number % 7)),
            (f"UPDATE {table} SET {column} = replace({column}, 'x', 'y') WHERE {key} % 7 = ?", (number % 7,)),
            (f"DELETE FROM {table} WHERE {key} % 11 = ?", (number % 11,)),
            (f"UPDATE OR IGNORE {table} SET {key} = {key} + 1 WHERE {key} % 5 = ?", (number % 5,)),
            (f"DELETE FROM {table} WHERE length({column}) % 3 = ?", (number % 3,)),
        ]
    )


CHECKPOINTS = ("PASSIVE", "FULL", "RESTART", "TRUNCATE")


@pytest.mark.parametrize(
    "before",
    [
        (),
        ("PRAGMA page_size=512",),
        ("PRAGMA auto_vacuum=FULL", "PRAGMA page_size=1024"),
        ("PRAGMA auto_vacuum=INCREMENTAL",),
        ("PRAGMA page_size=65536",),
        ("PRAGMA encoding='UTF-16le'",),
        ("PRAGMA secure_delete=ON", "PRAGMA page_size=1024"),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_every_transaction_is_seen_as_it_was(tmp_path: Path, seed: int, before: tuple[str, ...]) -> None:
    draw = random.Random(f"{seed} {before}")
    with followed_by(tmp_path / "app.db", *before, "PRAGMA busy_timeout=0") as (writer, follower):
        last = writer.run(see=True)
        for _ in range(12):
            wanted = []
            for _ in range(draw.randrange(1, 9)):
                script = [some_statement(draw) for _ in range(draw.choice([1, 1, 1, 2, 6]))]
                if draw.random() < 0.08:
                    script.append(draw.choice(_SCHEMA).format(draw.randrange(1000)))  # type: ignore[arg-type]
                wanted.append(writer.transaction(*script))
                if draw.random() < 0.1:
                    wanted.append(writer.run(draw.choice(["VACUUM", "PRAGMA incremental_vacuum(3)"]), see=True))
                if draw.random() < 0.2:
                    writer.run(f"PRAGMA wal_checkpoint({draw.choice(CHECKPOINTS)})")
            seen = [as_seen(model, shape) for model, shape in follower.states()]
            assert _without_repeats(seen, last) == _without_repeats(wanted, last)
            last = wanted[-1]
            if draw.random() < 0.3:
                follower.followed.rest(most=100)
                assert not list(follower.followed.commits())
                follower.followed.done()


_SCHEMA = (
    "CREATE TABLE extra{}(a, b)",
    "CREATE INDEX more{} ON keyless(a)",
    "ALTER TABLE plain ADD COLUMN c{} DEFAULT 5",
    "PRAGMA user_version={}",
)


def _without_repeats(states: list[Any], first: Any) -> list[Any]:
    """A statement that changed nothing may have made no transaction."""
    kept = [first]
    for state in states:
        if state != kept[-1]:
            kept.append(state)
    return kept[1:]


@pytest.mark.parametrize("alive", [True, False])
def test_a_log_that_was_written_over_is_followed_where_its_companion_kept_it(tmp_path: Path, alive: bool) -> None:
    path, names = tmp_path / "app.db", tmp_path / "names"
    others = companions_of(os.getpid())
    with writing(path) as writer:
        assert writer.run("PRAGMA journal_mode=WAL", *TABLES) == ""
        with suppress(KeyError), following(path, busy_seconds=5, names=names) as followed:
            assert followed is not None
            followed.begin(None)
            follower = Follower(followed)

            def is_at_rest() -> bool:
                followed.rest(most=4)
                return not list(follower.states()) and followed.is_at_rest

            wait_for(lambda: not list(follower.states()) and names.exists())
            wait_for(is_at_rest)
            writer.transaction("INSERT INTO plain VALUES(1, 1, 'x')")  # the log is short now
            assert len(list(follower.states())) == 1
            wait_for(is_at_rest)
            place = followed.place
            [companion] = set(companions_of(os.getpid())) - set(others)
            raise KeyError
        wait_for(names.with_suffix(".rest").exists)
        seen = [writer.transaction(f"INSERT INTO plain VALUES({at}, 1, '{at * 9000}')") for at in range(2, 5)]
        seen.append(writer.transaction(f"INSERT INTO named VALUES('n', 1, '{'x' * 50000}')"))
        if not alive:
            os.kill(companion, 9)
            wait_for(lambda: has_ended(companion))
        with following(path, busy_seconds=5, names=names) as followed:
            assert followed is not None
            begun = followed.begin(place)
            follower = Follower(followed)
            if alive:
                assert (begun.exactly, begun.skipped) == (True, 0)
                assert [as_seen(*each) for each in follower.states()] == seen
            else:
                assert not begun.exactly
            wait_for(lambda: not list(follower.states()) and has_ended(companion))
        wait_for(lambda: companions_of(os.getpid()) == others)
