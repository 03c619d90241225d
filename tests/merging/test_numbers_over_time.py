"""Branches that go on in their own numbers and bring each other again and again: each edit, removal and link is done to
the row that was meant. Rows say who they are, so a model needs no number."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.encoding.orderkey import encode_key
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CommitIndex
from isovc.repo.deeds import Deed
from isovc.repo.merges import Task
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.snapshot.capture import capture
from isovc.snapshot.merging.how import How
from isovc.snapshot.merging.merge import merge
from isovc.snapshot.numbering.numbers import composed, encode_numbers
from isovc.snapshot.numbering.renumbering import first_free
from isovc.snapshot.numbering.sequence import noted
from isovc.snapshot.rows import with_rows
from isovc.snapshot.version import Version, encode_version
from isovc.sources.sqlite import Database
from isovc.tree.read import scan
from isovc.workspace.committing import write_commit
from isovc.workspace.merging.bases import in_numbers_of
from isovc.workspace.merging.numbering import Lines, Stand
from isovc.workspace.starting import start

SCHEMA = """
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, who, title, body, parent REFERENCES notes, item REFERENCES items);
    CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, who, title, body, note TEXT REFERENCES notes (id));
    CREATE TABLE details (note INTEGER PRIMARY KEY REFERENCES notes, title);
    CREATE TABLE tags (note INT NOT NULL REFERENCES notes, item INT NOT NULL REFERENCES items, title, PRIMARY KEY (note, item));
    CREATE TABLE marks (id INTEGER PRIMARY KEY AUTOINCREMENT, who, title, note, item, FOREIGN KEY (note, item) REFERENCES tags);
    INSERT INTO notes (who, title, body) VALUES ('n1', 0, 0), ('n2', 0, 0);
    INSERT INTO items (who, title, body) VALUES ('i1', 0, 0);
    INSERT INTO marks (who) VALUES ('m'); DELETE FROM marks;
"""  # noqa: E501
LINKS = {"notes": {"parent": "notes", "item": "items"}, "items": {"note": "notes"}, "marks": {}}
HOW = How(renumber={"notes": None, "items": None, "marks": None})
BY = Deed(Identity("Somebody", "some@example.com"), 1_000_000_000_000_000, command="merge")

Id = tuple[str, ...]  # the table and who it is; of a row without a name of its own who it points to


class Said(NamedTuple):
    """What somebody has put somewhere, and when: no two are the same."""

    when: int
    value: Any


class Model:
    """What a branch holds, and all that has been said on the way there. `is_there`: of each row whether it is."""

    def __init__(self) -> None:
        self.is_there: dict[Id, Said] = {}
        self.cells: dict[Id, dict[str, Said]] = {}
        self.heard: set[int] = set()

    def copy(self) -> Model:
        made = Model()
        made.is_there = dict(self.is_there)
        made.cells = {row: dict(cells) for row, cells in self.cells.items()}
        made.heard = set(self.heard)
        return made

    def rows(self) -> dict[Id, dict[str, Any]]:
        return {
            row: {cell: said.value for cell, said in self.cells[row].items()}
            for row, there in self.is_there.items()
            if there.value
        }


class Branch(NamedTuple):
    tip: CommitId
    version: Version
    model: Model


class World:
    """Some branches in one repository. `argued`: rows that were contested once; who asks again may be told again."""

    def __init__(
        self,
        repository: Repository,
        history: GitHistory,
        begin: Version,
        chance: random.Random,
        *,
        removes: bool = True,
    ) -> None:
        self.repository, self.history, self.forest = repository, history, repository.forest
        self.chance = chance
        self.removes = removes
        self.time = 0
        self.argued: set[Id] = set()
        self.gone: set[Id] = set()
        self.made: Counter[Id] = Counter()
        self.held: set[tuple[Id, str, Any]] = set()
        self.pointed_at: set[Id] = {("notes", "n1")}  # something is always there
        self.merges = self.contested = self.crossed = self.renumbered = 0
        model = Model()
        for row, cells in self.told(begin).items():
            model.is_there[row] = self.say(model, True)
            model.cells[row] = {cell: self.say(model, value) for cell, value in cells.items()}
            self.held |= {(row, cell, value) for cell, value in cells.items()}
        self.begin = Branch(self.commit(begin, ()), begin, model)

    def say(self, model: Model, value: Any) -> Said:
        self.time += 1
        model.heard.add(self.time)
        return Said(self.time, value)

    def commit(self, version: Version, parents: tuple[CommitId, ...], more: dict[str, bytes] | None = None) -> CommitId:
        with self.repository.file.transaction() as db:
            files = {**encode_version(version), **(more or {})}
            return write_commit(db, self.history, files, parents, str(self.time), BY)[0]

    # -- what a version says, without numbers --------------------------------------------------------------------------

    def table(self, version: Version, name: str) -> Iterator[dict[str, Any]]:
        cells = version.shape.tables[name].cells
        for row in scan(self.forest, version.roots[name].id, cells=range(len(cells))):
            yield dict(zip(cells, row, strict=True))

    def told(self, version: Version) -> dict[Id, dict[str, Any]]:
        names = {name: self.names(version, name) for name in LINKS}
        found: dict[Id, dict[str, Any]] = {}

        def add(row: Id, cells: dict[str, Any]) -> None:
            assert row not in found, "a row stands there twice"
            found[row] = cells

        def who(table: str, number: Any) -> Any:
            return None if number is None else names[table][int(number)]

        for table, links in LINKS.items():
            for row in self.table(version, table):
                cells = {cell: value for cell, value in row.items() if cell not in ("id", "who")}
                cells |= {cell: who(parent, row[cell]) for cell, parent in links.items()}
                if table == "marks":
                    cells |= {"note": who("notes", row["note"]), "item": who("items", row["item"])}
                add((table, row["who"]), cells)
        for row in self.table(version, "details"):
            add(("details", who("notes", row["note"])), {"title": row["title"]})
        for row in self.table(version, "tags"):
            add(("tags", who("notes", row["note"]), who("items", row["item"])), {"title": row["title"]})
        return found

    def names(self, version: Version, table: str) -> dict[int, str]:
        return {row["id"]: row["who"] for row in self.table(version, table)}

    # -- edits ---------------------------------------------------------------------------------------------------------

    def edited(self, branch: Branch, many: int) -> Branch:
        version, model = branch.version, branch.model.copy()
        for _ in range(many):
            version = self.edit(version, model)
        return Branch(self.commit(version, (branch.tip,)), version, model)

    def edit(self, version: Version, model: Model) -> Version:
        rows = list(model.rows())
        deed = self.chance.choice(["add", "add", "edit", "edit", "link", "remove"])
        if deed == "add":
            table = self.chance.choice(["notes", "notes", "items", "details", "tags", "marks"])
            row = self.fresh(table, rows)
            return version if row is None else self.put(version, model, row, self.cells(row, rows))
        if deed == "edit":
            row = self.chance.choice(rows)
            cell = self.chance.choice([cell for cell in model.cells[row] if cell in ("title", "body")])
            return self.put(version, model, row, {cell: self.time + 1})
        if deed == "link":
            row = self.chance.choice([row for row in rows if row[0] in LINKS] or rows)
            links = {cell: value for cell, value in self.cells(row, rows).items() if cell not in ("title", "body")}
            # what a cell has held before nobody puts there again: it would read as if nothing had been done
            if any((row, cell, value) in self.held for cell, value in links.items()):
                return version
            return self.put(version, model, row, links)
        if not self.removes:
            return version
        free = [row for row in rows if row not in self.pointed_at and self.made[row] < 2]
        return self.put(version, model, self.chance.choice(free), None) if free else version

    def fresh(self, table: str, rows: list[Id]) -> Id | None:
        self.time += 1
        if table in LINKS:
            return table, f"{table[0]}{self.time}"
        row = (table, str(self.some("notes", rows)))
        row = row if table == "details" else (*row, str(self.some("items", rows)))
        return None if row in rows or row in self.gone or "None" in row else row

    def some(self, table: str, rows: list[Id]) -> str | None:
        """A row to point to. One that is gone anywhere is left alone, and so is, when it goes, one that is pointed to:
        what points to nothing is told elsewhere."""
        known = [row for row in rows if row[0] == table and row not in self.gone]
        if not known:
            return None
        row = self.chance.choice(known)
        self.pointed_at.add(row)
        return row[1]

    def cells(self, row: Id, rows: list[Id]) -> dict[str, Any]:
        found: dict[str, Any] = {"title": self.time}
        if row[0] in ("notes", "items"):
            found["body"] = self.time
        for cell, parent in LINKS.get(row[0], {}).items():
            found[cell] = self.some(parent, rows) if self.chance.random() < 0.7 else None
        if row[0] == "marks":
            tags = [each for each in rows if each[0] == "tags" and each not in self.gone]
            tag = self.chance.choice(tags) if tags else ("tags", None, None)
            self.pointed_at.add(tag)  # type: ignore[arg-type]
            found |= {"note": tag[1], "item": tag[2]}
        return found

    def put(self, version: Version, model: Model, row: Id, cells: dict[str, Any] | None) -> Version:
        """In the version and in the model."""
        table = version.shape.tables[row[0]]
        numbers = {name: {who: number for number, who in self.names(version, name).items()} for name in LINKS}
        known = model.rows().get(row)
        if cells is None:
            self.gone.add(row)
            model.is_there[row] = self.say(model, False)
        else:
            before = model.cells.get(row, {}) if known is not None else {}
            if known is None:
                self.made[row] += 1
                model.is_there[row] = self.say(model, True)
            model.cells[row] = {**before, **{cell: self.say(model, value) for cell, value in cells.items()}}
        self.held |= {(row, cell, said.value) for cell, said in model.cells[row].items()}
        new = {}
        whole = {cell: said.value for cell, said in model.cells[row].items()}
        if row[0] in LINKS:
            number = numbers[row[0]].get(row[1])
            if number is None:
                number = first_free(self.forest, [(version, row[0])])
                version = noted(self.forest, version, {row[0]: number})
            new = {"id": number, "who": row[1]}
            links = LINKS[row[0]] or {"note": "notes", "item": "items"}
            whole |= {cell: numbers[parent].get(whole[cell]) for cell, parent in links.items() if whole[cell]}
            if row[0] == "items" and whole["note"]:
                whole["note"] = str(whole["note"])
        else:
            new = dict(
                zip(("note", "item"), (numbers["notes"].get(row[1]), numbers["items"].get(row[-1])), strict=True)
            )
        new = {**whole, **new}
        values = tuple(new[cell] for cell in table.cells)
        key = encode_key(values[: len(table.key)])
        return with_rows(self.forest, version, {row[0]: {key: None if cells is None else values}})

    # -- merging -------------------------------------------------------------------------------------------------------

    def merged(self, ours: Branch, theirs: Branch) -> Branch:
        with self.repository.file.reading() as db:
            bases = CommitIndex(db).merge_bases(ours.tip, theirs.tip)
        if theirs.tip in bases:
            return ours
        if ours.tip in bases:
            return theirs
        self.merges += 1
        self.crossed += len(bases) > 1
        lines = Lines(self.repository, self.history)
        task = Task("theirs", bases, theirs.tip, "", parents=(theirs.tip,))
        said = in_numbers_of(lines, Stand(ours.version, ((ours.tip, {}),)), task)
        found = merge(self.forest, said.base, ours.version, said.theirs, HOW)
        told = {self.who(each.table, each.row, found.version) for each in found.conflicts}
        expected, contested = self.both(ours.model, theirs.model)
        self.contested += len(told)
        assert contested - told <= self.argued, "something was contested, and decided all the same"
        assert told - contested <= self.argued, "a row that only one side has touched"
        self.argued |= told | contested
        actual, wanted = self.told(found.version), expected.rows()
        for row in self.argued & (actual.keys() | wanted.keys()):
            self.give_in(expected, row, actual.get(row), ours.model, theirs.model)
        assert actual == expected.rows()
        numbers = encode_numbers(composed(said.numbers, found.renumbered), theirs.tip)
        self.renumbered += bool(numbers)
        return Branch(self.commit(found.version, (ours.tip, theirs.tip), numbers), found.version, expected)

    def who(self, table: str, row: Any, version: Version) -> Id:
        """Which row a conflict is about. Its number is one of ours."""
        cells = version.shape.tables[table].cells
        whole = dict(zip(cells, next(side for side in (row.ours, row.theirs, row.base) if side), strict=True))
        if "who" in whole:
            return table, whole["who"]
        notes, items = (self.names(version, name) for name in ("notes", "items"))
        return (table, notes[whole["note"]], *([items[whole["item"]]] if table == "tags" else []))

    def both(self, ours: Model, theirs: Model) -> tuple[Model, set[Id]]:
        """What is to come out: who has heard what the other side says, and says something else, has the last word."""
        found, contested = ours.copy(), set()
        found.heard |= theirs.heard
        for row, there in theirs.is_there.items():
            here = ours.is_there.get(row)
            if here is None:
                found.is_there[row], found.cells[row] = there, dict(theirs.cells[row])
                continue
            if here.value and there.value:
                for cell, said in theirs.cells[row].items():
                    mine = ours.cells[row][cell]
                    if mine.when in theirs.heard:
                        found.cells[row][cell] = said
                    elif said.when not in ours.heard and said.value != mine.value:
                        contested.add(row)
                if there.when not in ours.heard:
                    found.is_there[row] = there
            elif here.value != there.value and there.when not in ours.heard:
                mine = {here, *ours.cells[row].values()} if here.value else {here}
                if all(each.when in theirs.heard for each in mine):
                    found.is_there[row], found.cells[row] = there, dict(theirs.cells[row])
                elif here.value or not all(each.when in ours.heard for each in theirs.cells[row].values()):
                    contested.add(row)
            elif there.value and not here.value and here.when not in theirs.heard:
                contested |= {row for each in theirs.cells[row].values() if each.when not in ours.heard}
        for row in contested:
            found.is_there[row] = self.say(found, found.is_there[row].value)
        return found, contested

    def give_in(self, model: Model, row: Id, actual: dict[str, Any] | None, ours: Model, theirs: Model) -> None:
        """What was argued about may come out as either side has it."""
        if (actual is not None) != model.is_there[row].value:
            model.is_there[row] = self.say(model, actual is not None)
        for cell, value in (actual or {}).items():
            if model.cells[row][cell].value != value:
                known = [side.cells[row][cell].value for side in (ours, theirs) if row in side.cells]
                assert value in known
                model.cells[row][cell] = self.say(model, value)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, GitHistory, Version]]:
    """One repository for all examples: their histories have nothing in common but the first version."""
    path = Path(tmp_path_factory.mktemp("numbers"), "app.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA)
    with Repository(start(path, BY), Settings({}, {})) as repository, GitHistory(repository.git_folder) as history:
        with Database(path).reading() as live:
            begin = capture(repository.forest, live).version
        yield repository, history, begin


STEP = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 2), st.integers(1, 5)),
    st.tuples(st.just("merge"), st.integers(0, 2), st.integers(1, 2)),
    st.tuples(st.just("cross"), st.integers(0, 2), st.integers(1, 2)),
)


def played(world: World, steps: list[tuple[str, int, int]], branches: int) -> dict[int, Branch]:
    now = {at: world.edited(world.begin, 3) for at in range(branches)}
    for deed, at, much in steps:
        at = at % branches
        other = (at + 1 + much % (branches - 1)) % branches
        if deed == "edit":
            now[at] = world.edited(now[at], much)
        elif deed == "merge":
            now[at] = world.merged(now[at], now[other])
        else:
            one, two = now[at], now[other]
            now[at], now[other] = world.merged(one, two), world.merged(two, one)
    return now


@given(st.lists(STEP, max_size=14), st.integers(0, 1 << 32))
def test_two_branches(place: Any, steps: list[tuple[str, int, int]], seed: int) -> None:
    world = World(*place, random.Random(seed))
    played(world, steps, 2)


@given(st.lists(STEP, max_size=14), st.integers(0, 1 << 32))
def test_three_branches(place: Any, steps: list[tuple[str, int, int]], seed: int) -> None:
    """Nothing is removed: a number that is free again on one branch may be given to another row by another branch."""
    world = World(*place, random.Random(seed), removes=False)
    played(world, steps, 3)
