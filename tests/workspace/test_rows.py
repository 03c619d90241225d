"""The life of rows, compared with a plain model that keeps every version and goes through all of them."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.errors import NoSuchRow, NoSuchTable, NotCanonical
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.model import Column, KeyKind, SchemaObject, Shape, Table
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed
from isovc.repo.repository import Repository
from isovc.repo.revisions import Commit
from isovc.repo.settings import Settings
from isovc.repo.versions import version_of
from isovc.repo.worktrees import Worktrees
from isovc.snapshot.renames import pairs
from isovc.snapshot.version import Version, encode_version
from isovc.tree.build import build
from isovc.workspace.committing import write_commit
from isovc.workspace.desk import Desk, desk
from isovc.workspace.rows.blame import blame
from isovc.workspace.rows.changes import Event, history_of_row, history_of_table
from isovc.workspace.rows.past import Past
from isovc.workspace.rows.segment import Noted, decode_segment, encode_segment, joined, segment
from isovc.workspace.starting import start

Row = dict[str, Any]


@dataclass
class Content:
    """A table as plain Python has it: the first `key` columns name the rows."""

    columns: list[str]
    key: int
    rows: dict[tuple[Any, ...], Row] = field(default_factory=dict)

    def copy(self) -> Content:
        return Content(list(self.columns), self.key, {key: dict(row) for key, row in self.rows.items()})


@dataclass
class Made:
    """One commit of the model."""

    id: CommitId
    parents: list[Made | None]
    tables: dict[str, Content]
    version: Version


class World:
    """A repository whose commits are made of plain tables, without a database beside it."""

    def __init__(self, folder: Path) -> None:
        path = folder / "app.db"
        path.touch()
        self.deed = Deed(Identity("Ada", "ada@example.org"), 1_000_000_000_000_000)
        self.repository = Repository(start(path, self.deed), Settings({}, {}))
        self.history = GitHistory(self.repository.git_folder)
        self.made: list[Made] = []

    def close(self) -> None:
        self.history.close()
        self.repository.close()

    def commit(self, parents: list[Made], tables: dict[str, Content]) -> Made:
        version = self._version(tables)
        with self.repository.file.transaction() as db:
            ids = [parent.id for parent in parents]
            made, _ = write_commit(db, self.history, encode_version(version), ids, f"c{len(self.made)}", self.deed)
        self.made.append(Made(made, [*parents] or [None], tables, version))
        return self.made[-1]

    def _version(self, tables: dict[str, Content]) -> Version:
        shapes: dict[str, Table] = {}
        roots = {}
        with self.repository.forest.store.writing() as writer:
            for name, content in tables.items():
                kind = KeyKind.INTEGER if content.key == 1 else KeyKind.COLUMNS
                columns = tuple(
                    Column(column, "INTEGER" if kind is KeyKind.INTEGER and at == 0 else "", primary_key=at + 1)
                    if at < content.key
                    else Column(column)
                    for at, column in enumerate(content.columns)
                )
                shapes[name] = Table(name, columns, kind, without_rowid=kind is KeyKind.COLUMNS)
                rows = (tuple(row[column] for column in content.columns) for row in content.rows.values())
                ordered = sorted(rows, key=lambda row: encode_key(row[: content.key]))
                roots[name] = build(self.repository.forest, iter(ordered), writer=writer, key_width=content.key)
        objects = tuple(
            SchemaObject("table", name, name, f"CREATE TABLE {name}({', '.join(content.columns)})")
            for name, content in tables.items()
        )
        return Version(Shape(objects=objects, tables=shapes), roots)

    # -- the questions, asked of isovc -----------------------------------------------------------------------------

    def desk(self) -> Desk:
        with self.repository.file.reading() as db:
            return desk(self.repository, Worktrees(db).all()[0])

    def told(self, made: Made, table: str, key: tuple[Any, ...]) -> list[Any]:
        here = self.desk()
        past = Past(here, partial(version_of, self.history))
        try:
            said = list(history_of_row(past, past.start(Commit(made.id)), table, _typed(key), where="x"))
        except (NoSuchRow, NoSuchTable):
            return []
        return list(map(_plain, said))

    def all_told(self, made: Made, table: str) -> list[Any]:
        here = self.desk()
        past = Past(here, partial(version_of, self.history))
        return [_plain(each) for each in history_of_table(past, past.start(Commit(made.id)), table)]

    def blamed(self, made: Made, table: str, key: tuple[Any, ...] | None) -> dict[Any, CommitId | None]:
        here = self.desk()
        past = Past(here, partial(version_of, self.history))
        typed = None if key is None else _typed(key)
        cells = blame(past, past.start(Commit(made.id)), table, typed, where="x")
        return {(cell.key, cell.column): cell.entry and cell.entry.id for cell in cells}

    def time(self, made: Made) -> int:
        with self.repository.file.reading() as db:
            return CommitIndex(db).get(made.id).time

    # -- the same, asked of the model ------------------------------------------------------------------------------

    def renames(self, old: Made | None, new: Made) -> list[tuple[str | None, str | None, dict[str, str]]]:
        found = pairs(self.repository.forest, old.version if old else Version(), new.version)
        return [
            (pair.before.name if pair.before else None, pair.after.name if pair.after else None, dict(pair.columns))
            for pair in found
        ]

    def lives(self, top: Made, table: str, key: tuple[Any, ...]) -> list[Any]:
        """Every commit, by every way, with all that the table can have been called there."""
        names = tuple(top.tables[table].columns[: top.tables[table].key])
        waiting: list[tuple[Made, str, tuple[str, ...]]] = [(top, table, names)]
        seen = set()
        found = []
        while waiting:
            made, name, named = waiting.pop()
            if (made.id, name, named) in seen:
                continue
            seen.add((made.id, name, named))
            row = _row(made, name, named, key)
            sides: list[Row | None] = []
            olds: list[tuple[Row | None, dict[str, str]]] = []
            for parent in made.parents:
                before, columns = self._before(parent, made, name)
                back = {new: old for old, new in columns.items()}
                called = tuple(back.get(each, each) for each in named)
                old = _row(parent, before, called, key) if parent and before else None
                olds.append((old, columns))
                sides.append(_renamed(old, columns))
                if parent is not None and before is not None:
                    waiting.append((parent, before, called))
            if _own(row, sides):
                first = next((old for old, _ in olds if old is not None), None)
                found.append((self.time(made), made.id, first, row))
        return [each[1:] for each in sorted(found, key=lambda each: (-each[0], repr(each)))]

    def wrote(self, made: Made, table: str, named: tuple[str, ...], key: tuple[Any, ...], column: str) -> CommitId:
        """Commit by commit, up the first parent that has the same in the cell."""
        cell: str | None = column
        row = _row(made, table, named, key)
        assert row is not None
        value = row[column]
        while True:
            for parent in made.parents:
                before, columns = self._before(parent, made, table)
                if parent is None or before is None:
                    continue
                back = {new: old for old, new in columns.items()}
                called = tuple(back.get(each, each) for each in named)
                old = _row(parent, before, called, key)
                there = None if cell is None or (cell in columns and cell not in back) else back.get(cell, cell)
                if old is not None and _same(old.get(there) if there else None, value):
                    made, table, named, cell = parent, before, called, there
                    break
            else:
                return made.id

    def _before(self, parent: Made | None, made: Made, name: str) -> tuple[str | None, dict[str, str]]:
        for old, new, columns in self.renames(parent, made):
            if new == name:
                return old or name, columns if old else {}
        became = [new for old, new, _ in self.renames(parent, made) if old == name]
        return (None if became and became[0] else name), {}


def _plain(event: Event) -> Any:
    assert event.entry is not None
    return event.entry.id, event.before, event.after


def _typed(key: tuple[Any, ...]) -> str:
    return ",".join(f"'{each}'" if isinstance(each, str) else str(each) for each in key)


def _row(made: Made | None, table: str, named: tuple[str, ...], key: tuple[Any, ...]) -> Row | None:
    content = made.tables.get(table) if made else None
    if content is None or tuple(content.columns[: content.key]) != named:
        return None
    return content.rows.get(key)


def _renamed(row: Row | None, columns: dict[str, str]) -> Row | None:
    return None if row is None else {columns.get(name, name): value for name, value in row.items()}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _own(row: Row | None, sides: list[Row | None]) -> bool:
    there = [side for side in sides if side is not None]
    if row is None:
        return len(there) == len(sides)
    if not there:
        return True
    cells = {name for each in [row, *there] for name in each}
    return any(all(not _same(side.get(cell), row.get(cell)) for side in there) for cell in cells)


# -- random histories --------------------------------------------------------------------------------------------------

VALUES = [None, 0, 1, 1.0, "a", "b", b"\x00"]
COLUMNS = ["u", "v", "w", "x"]
TABLES = ["one", "two", "three"]


class Chance:
    """What people do to tables, drawn at random."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def first(self) -> dict[str, Content]:
        return {"one": self.table(1), "two": self.table(2)}

    def table(self, key: int) -> Content:
        content = Content([["id"], ["p", "q"]][key - 1] + self.draw.sample(COLUMNS, 2), key)
        for _ in range(self.draw.randrange(6)):
            self.row(content)
        return content

    def row(self, content: Content) -> None:
        key: tuple[Any, ...] = (self.draw.randrange(5),)
        if content.key == 2:
            key = (self.draw.choice("ab"), *key)
        named = dict(zip(content.columns, key, strict=False))
        rest = content.columns[content.key :]
        content.rows[key] = {**named, **{column: self.draw.choice(VALUES) for column in rest}}

    def changed(self, tables: dict[str, Content]) -> dict[str, Content]:
        tables = {name: content.copy() for name, content in tables.items()}
        for _ in range(self.draw.choice([0, 1, 1, 2, 3])):
            self._change(tables)
        return tables

    def _change(self, tables: dict[str, Content]) -> None:
        draw = self.draw
        name = draw.choice(list(tables)) if tables else ""
        kind = draw.choice(["row", "row", "cell", "cell", "cell", "gone", "column", "drop", "call", "table"])
        free = [each for each in TABLES if each not in tables]
        if not name or (kind == "table" and draw.random() < 0.4):
            if free:
                tables[draw.choice(free)] = self.table(draw.choice([1, 2]))
            return
        content = tables[name]
        rest = content.columns[content.key :]
        if kind == "row":
            self.row(content)
        elif kind == "cell" and content.rows and rest:
            content.rows[draw.choice(list(content.rows))][draw.choice(rest)] = draw.choice(VALUES)
        elif kind == "gone" and content.rows:
            del content.rows[draw.choice(list(content.rows))]
        elif kind == "column":
            new = [each for each in COLUMNS if each not in content.columns]
            if new:
                content.columns.append(new[0])
                value = draw.choice(VALUES)
                for row in content.rows.values():
                    row[new[0]] = value
        elif kind == "drop" and rest:
            gone = draw.choice(rest)
            content.columns.remove(gone)
            for row in content.rows.values():
                del row[gone]
        elif kind == "call":
            self._call(content)
        elif kind == "table":
            tables_free = free or [name]
            if draw.random() < 0.6:
                tables[draw.choice(tables_free)] = tables.pop(name)
            else:
                del tables[name]

    def _call(self, content: Content) -> None:
        """A column gets another name, one of the key too."""
        at = self.draw.randrange(len(content.columns))
        new = next(each for each in ["k", *COLUMNS, "y", "z"] if each not in content.columns)
        old, content.columns[at] = content.columns[at], new
        for key, row in content.rows.items():
            content.rows[key] = {new if name == old else name: value for name, value in row.items()}

    def merged(self, one: dict[str, Content], other: dict[str, Content]) -> dict[str, Content]:
        """Tables of one, with rows and cells of the other now and then, and now and then of neither."""
        tables = {name: content.copy() for name, content in one.items()}
        for name, content in tables.items():
            there = other.get(name)
            if there is None or there.columns[: there.key] != content.columns[: content.key]:
                continue
            for key in [*content.rows, *there.rows]:
                here, beside = content.rows.get(key), there.rows.get(key)
                if self.draw.random() < 0.3 and beside is not None:
                    content.rows[key] = {cell: beside.get(cell) for cell in content.columns}
                elif self.draw.random() < 0.2 and here is not None:
                    content.rows.pop(key)
                elif here is not None and beside is not None:
                    for cell in content.columns[content.key :]:
                        if self.draw.random() < 0.4:
                            here[cell] = beside.get(cell)
        for name in other.keys() - tables.keys():
            if self.draw.random() < 0.7:
                tables[name] = other[name].copy()
        return self.changed(tables) if self.draw.random() < 0.3 else tables


def grow(world: World, chance: Chance, commits: int) -> None:
    """A history with branches and merges; not all of it leads to the newest."""
    world.commit([], chance.first())
    for _ in range(commits):
        newest = world.made[-4:]
        one = chance.draw.choice(newest)
        other = chance.draw.choice(world.made)
        if chance.draw.random() < 0.3 and other is not one:
            world.commit([one, other], chance.merged(one.tables, other.tables))
        else:
            world.commit([one], chance.changed(one.tables))


def keys_of(world: World, table: str, width: int) -> set[tuple[Any, ...]]:
    tables = [content for made in world.made for content in made.tables.values() if content.key == width]
    return {key for content in tables for key in content.rows}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def check(world: World, made: Made) -> None:
    """All that can be asked of one version."""
    for name, content in made.tables.items():
        named = tuple(content.columns[: content.key])
        alone = {}
        for key in sorted(keys_of(world, name, content.key), key=repr):
            wanted = world.lives(made, name, key)
            assert world.told(made, name, key) == wanted, (name, key)
            if key in content.rows:
                alone |= world.blamed(made, name, key)
        assert alone == {
            (key, column): world.wrote(made, name, named, key, column)
            for key in content.rows
            for column in content.columns
        }
        assert world.blamed(made, name, None) == alone


@given(seed=st.integers(0, 2**32), commits=st.integers(1, 14), state=st.sampled_from(["slow", "some", "bulk", "full"]))
def test_the_life_of_rows_is_that_of_the_model(seed: int, commits: int, state: str) -> None:
    chance = Chance(seed)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        world = World(Path(folder))
        stack.callback(world.close)
        if state == "slow":  # the index holds nothing, and each commit is looked at
            stack.enter_context(patch("isovc.workspace.rows.changes.ENOUGH", 0.0))
            stack.enter_context(patch("isovc.workspace.rows.blame.ENOUGH", 0.0))
        if state == "bulk":  # commits that change more than two rows count for all of them
            stack.enter_context(patch("isovc.workspace.rows.finding._BULK", 2))
            stack.enter_context(patch("isovc.workspace.rows.segment.MOST_ENTRIES", 12))
        grow(world, chance, commits)
        check(world, world.made[-1])
        if state == "some":
            grow_on = chance.draw.randrange(1, 4)
            for _ in range(grow_on):
                world.commit([world.made[-1]], chance.changed(world.made[-1].tables))
        check(world, world.made[-1])
        check(world, chance.draw.choice(world.made))


# -- what chance seldom finds ------------------------------------------------------------------------------------------


def some(names: tuple[str, ...] = ("id", "u"), rows: int = 8) -> Content:
    made = Content(list(names), 1)
    for number in range(rows):
        made.rows[(number,)] = dict(zip(names, (number, f"row {number}"), strict=True))
    return made


def edited(content: Content, key: int, value: Any) -> Content:
    made = content.copy()
    made.rows[(key,)][made.columns[1]] = value
    return made


def test_a_table_that_took_the_name_of_a_renamed_one_has_its_own_life(world: World) -> None:
    first = world.commit([], {"one": some()})
    second = world.commit([first], {"one": edited(some(), 3, "old")})
    third = world.commit([second], {"two": second.tables["one"].copy()})
    fourth = world.commit([third], {"two": third.tables["two"].copy(), "one": some(("id", "v"), 4)})
    assert [commit for commit, _, _ in world.told(fourth, "one", (3,))] == [fourth.id]
    assert [commit for commit, _, _ in world.told(fourth, "two", (3,))] == [second.id, first.id]
    check(world, fourth)


def test_a_branch_that_knows_the_old_names_is_followed(world: World) -> None:
    base = world.commit([], {"one": some()})
    ours = world.commit([base], {"two": base.tables["one"].copy()})
    theirs = world.commit([base], {"one": edited(some(), 3, "theirs")})
    merged = world.commit([ours, theirs], {"two": edited(some(), 3, "theirs")})
    later = world.commit([merged], {"two": edited(merged.tables["two"], 5, "later")})
    assert [commit for commit, _, _ in world.told(later, "two", (3,))] == [theirs.id, base.id]
    assert world.blamed(later, "two", (3,))[(3,), "u"] == theirs.id
    check(world, later)


def test_a_table_by_the_name_it_had(world: World) -> None:
    first = world.commit([], {"one": some(), "two": some(("id", "v"))})
    second = world.commit([first], {"three": some(), "two": some(("id", "v"))})
    third = world.commit([second], {"three": some()})
    assert world.told(third, "ONE", (3,)) == world.told(third, "three", (3,)) != []
    assert [commit for commit, _, _ in world.told(third, "two", (3,))] == [third.id, first.id]
    with pytest.raises(NoSuchTable):
        past = Past(world.desk(), partial(version_of, world.history))
        history_of_row(past, past.start(Commit(third.id)), "four", "3", where="x")


def test_every_change_of_every_row_of_a_table(world: World) -> None:
    grow(world, Chance(7), 25)
    for made in world.made[-3:]:
        for name, content in made.tables.items():
            wanted = {repr(each) for key in keys_of(world, name, content.key) for each in world.lives(made, name, key)}
            assert {repr(each) for each in world.all_told(made, name)} == wanted
            assert len(world.all_told(made, name)) == len(wanted)


def test_the_index_may_be_gone_damaged_or_in_the_way(world: World) -> None:
    grow(world, Chance(11), 12)
    check(world, world.made[-1])
    folder = world.repository.cache / "rows"
    files = list(folder.iterdir())
    assert files
    for file in files:
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 4
        file.write_bytes(bytes(data))
    (folder / "1-abc.part").write_bytes(b"left by somebody who was killed")
    check(world, world.made[-1])
    assert not set(files) & set(folder.iterdir())
    assert not list(folder.glob("*.part"))
    shutil.rmtree(folder)
    check(world, world.made[-1])
    shutil.rmtree(folder)
    folder.write_text("no folder")
    check(world, world.made[-1])


def test_the_index_stays_a_few_files(world: World) -> None:
    made = world.commit([], {"one": some()})
    for number in range(20):
        made = world.commit([made], {"one": edited(made.tables["one"], number % 8, number)})
        world.told(made, "one", (3,))
    assert len(list((world.repository.cache / "rows").iterdir())) <= 5
    assert [commit for commit, _, _ in world.told(made, "one", (3,))] == [
        world.made[each].id for each in (20, 12, 4, 0)
    ]


def test_commits_that_are_forgotten_or_numbered_anew_change_nothing(world: World) -> None:
    grow(world, Chance(5), 14)
    made = world.made[-1]
    check(world, made)
    with world.repository.file.transaction() as db:
        index = CommitIndex(db)
        there = {entry.id for entry in index.walk([made.id])}
        assert any(each.id not in there for each in world.made)
        index.rebuild(world.history, [made.id])
    check(world, made)
    world.commit([made], made.tables)
    check(world, world.made[-1])


def test_damage_on_another_branch_stops_nobody(world: World) -> None:
    first = world.commit([], {"one": some()})
    other = world.commit([first], {"one": edited(some(), 3, "other")})
    second = world.commit([first], {"one": edited(some(), 3, "second")})
    objects = world.repository.git_folder / "objects"
    (objects / other.id[:2] / other.id[2:]).unlink()
    assert [commit for commit, _, _ in world.told(second, "one", (3,))] == [second.id, first.id]


@pytest.mark.parametrize("cut", [0, 5, 20, 30, -1])
def test_a_piece_of_the_index_is_itself_again_or_nothing(cut: int) -> None:
    made = segment(
        [
            Noted(b"a" * 20, {"whole", "é"}, [("old", "new")], [("t", b"k1"), ("t", b"k2")]),
            Noted(b"b" * 20, set(), [], [("t", b"k1")]),
        ]
    )
    data = encode_segment(made)
    assert decode_segment(data) == made
    assert list(made.touching(["t"], b"k1")) == [b"a" * 20, b"b" * 20]
    assert list(made.touching(["é", "t"], b"k3")) == [b"a" * 20]
    with pytest.raises(NotCanonical):
        decode_segment(data[:cut])


def test_pieces_are_joined_without_what_is_not_known_any_more() -> None:
    one = segment([Noted(bytes([at]) * 20, {"w"} if at == 2 else set(), [], [("t", bytes([at]))]) for at in range(4)])
    two = segment([Noted(bytes([at]) * 20, set(), [("a", "b")], [("t", bytes([at]))]) for at in range(3, 6)])
    known = {bytes([at]) * 20 for at in (0, 2, 3, 5)}
    both = joined([one, two], known)
    assert set(both.commits) == known
    assert [(both.commits[place], old, new) for place, old, new in both.turns] == [(bytes([5]) * 20, "a", "b")]
    for at in range(6):
        wanted = {bytes([at]) * 20} & known | {bytes([2]) * 20}
        assert set(both.touching(["t", "w"], bytes([at]))) == wanted
