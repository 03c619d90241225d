"""Bits flipped, files cut short, zeros and blocks in wrong places: `fsck` finds what matters and names it, and no
command ever shows what is wrong: it answers as before, or says why it cannot."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from isovc.errors import IsovcError
from isovc.history import CommitId
from isovc.history.git_history import GitHistory
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.repo.versions import version_of
from isovc.snapshot.values import with_large
from isovc.tree.read import scan
from tests.crash.aftermath import Quiet
from tests.versioned import Ended

ALWAYS = (["log"], ["status"], ["branch"], ["tag"], ["op", "log"], ["show"])
IN_TURN = (["show", "exp"], ["log", "exp"], ["worktree", "list"], ["op", "show", "@~2"], ["log", "main@{2}"])
FLIP, CUT, ZERO, SWAP = "flip", "cut", "zero", "swap"
BLOCKS = (16, 512, 4096, 65536)  # bytes; the last is a page of store.db

Answer = tuple[int, Any]
Rows = dict[tuple[str, str], list[Any]]


@dataclass
class Base:
    """A repository as it was before anything happened to it, and all that it says then."""

    folder: Path
    place: Path  # where it is laid out each time, because paths are part of answers
    answers: dict[str, Answer] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)
    words: tuple[bytes, ...] = ()  # what lies in the small tables, for aiming

    @property
    def app(self) -> Quiet:
        return Quiet(self.place / "app.db")

    def lay_out(self) -> None:
        """As it was. Most of it still is, and folders stay."""
        if not self.files:
            shutil.copytree(self.folder, self.place)
            self.files = {path.relative_to(self.folder): path.read_bytes() for path in files_in(self.folder)}
        for path in files_in(self.place):
            if path.relative_to(self.place) not in self.files:
                path.unlink()
        for name, data in self.files.items():
            path = self.place / name
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)

    def learn(self) -> None:
        self.lay_out()
        self.answers = {" ".join(words): answer(self.app, words) for words in (*ALWAYS, *IN_TURN)}
        assert {code for code, _ in self.answers.values()} == {0}
        commits = {each["commit"] for name in ("log", "log exp") for each in self.answers[name][1]}
        self.rows, failed = read_rows(self.app, sorted(commits))
        assert not failed and len(self.rows) > 15
        assert self.app.json("fsck")["damages"] == []
        with closing(sqlite3.connect(self.place / ".isovc" / "store.db")) as db:
            listing = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('chunk', 'sqlite_sequence')"
            cells = [
                cell
                for (table,) in db.execute(listing).fetchall()
                for row in db.execute(f"SELECT * FROM {table}")
                for cell in row
                if isinstance(cell, (str, bytes)) and len(cell) > 3
            ]
        self.words = tuple(dict.fromkeys(cell.encode() if isinstance(cell, str) else cell for cell in cells))


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Base]]:
    """One whose log was folded back into store.db, and one as a killed command leaves it: with the log beside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-settings"))
        patch.setenv("GIT_AUTHOR_NAME", "Ada")
        patch.setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
        made = tmp_path_factory.mktemp("made") / "work"
        made.mkdir()
        app = Quiet(made / "app.db")
        plant(app)
        found = {"closed": Base(tmp_path_factory.mktemp("closed") / "work", tmp_path_factory.mktemp("a") / "work")}
        shutil.copytree(made, found["closed"].folder)
        found["log"] = Base(tmp_path_factory.mktemp("log") / "work", tmp_path_factory.mktemp("b") / "work")
        with closing(sqlite3.connect(app.folder / "store.db")) as keeper:  # the last to close would fold it back
            keeper.execute("SELECT count(*) FROM chunk").fetchall()
            go_on(app)
            shutil.copytree(made, found["log"].folder, ignore=shutil.ignore_patterns("*-shm"))
        assert os.path.getsize(found["log"].folder / ".isovc" / "store.db-wal") > 100_000
        for base in found.values():
            base.learn()
        yield found


def plant(app: Quiet) -> None:
    app.sql(
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT);"
        "CREATE TABLE tags(note INTEGER, tag TEXT, PRIMARY KEY(note, tag)) WITHOUT ROWID;"
        "CREATE TABLE heaps(a, b);"
    )
    chance = random.Random(1)
    with app.opened() as db:
        many = [(at, chance.randbytes(12).hex(), f"body {at} " * chance.randrange(9)) for at in range(900)]
        db.executemany("INSERT INTO notes VALUES(?, ?, ?)", many)
        db.executemany("INSERT INTO tags VALUES(?, ?)", [(at % 300, f"t{at}") for at in range(600)])
        db.execute("INSERT INTO heaps VALUES('large', ?)", (chance.randbytes(1_050_000),))
    assert app.run("init", str(app.path)).code == 0
    app.commit("the first of all")
    for turn in range(4):
        app.sql(
            f"UPDATE notes SET body = 'turn {turn}' || id WHERE id % 97 = {turn};"
            f"DELETE FROM tags WHERE note = {turn}; INSERT INTO heaps VALUES({turn}, 'x')"
        )
        app.commit(f"turn number {turn}")
        if turn == 2:  # what was packed, and what is not yet
            with GitHistory(app.folder / "git") as history:
                assert history.pack().objects > 10
    app.ok("switch", "-c", "exp", "HEAD~2")
    app.sql("DELETE FROM notes WHERE id > 700; ALTER TABLE heaps ADD COLUMN c")
    app.commit("an experiment")
    app.sql("UPDATE notes SET title = NULL WHERE id < 5")  # waits on exp
    app.ok("switch", "main")
    app.ok("tag", "released")
    app.ok("worktree", "add", str(app.path.with_name("second.db")), "-c", "second")
    app.sql("INSERT INTO tags VALUES(9999, 'uncommitted')")
    app.ok("status")


def go_on(app: Quiet) -> None:
    app.commit("after that")
    app.sql("UPDATE notes SET body = 'late' WHERE id % 50 = 0")
    app.commit("the last one")
    app.ok("branch", "late")
    app.ok("tag", "late")


def answer(app: Quiet, words: list[str]) -> Answer:
    """What a reading command says: its document, or the code of its failure, told as every failure is."""
    ended: Ended = app.run(*words, "--json")
    said = json.loads(ended.out)
    if ended.code == 0:
        return 0, said
    assert ended.code in (1, 4), (words, ended)
    assert set(said["error"]) == {"code", "message", "hint"} and said["error"]["message"], ended
    assert said["error"]["code"] != "unexpected", (words, ended)
    return ended.code, said["error"]["code"]


def read_rows(app: Quiet, commits: list[str]) -> tuple[Rows, set[tuple[str, str]]]:
    """The rows of every table of these versions, and those (of all tables: "") that cannot be read."""
    rows: Rows = {}
    failed: set[tuple[str, str]] = set()
    try:
        settings = Settings.read(app.folder / "nobody", app.folder / "config.toml")
        with Repository(app.folder, settings) as repository, GitHistory(app.folder / "git") as history:
            for commit in commits:
                try:
                    version = version_of(history, CommitId(commit))
                except IsovcError:
                    failed.add((commit, ""))
                    continue
                for name, root in version.roots.items():
                    cells = range(len(version.shape.tables[name].cells))
                    try:
                        found = scan(repository.forest, root.id, cells=cells)
                        rows[commit, name] = [with_large(repository.chunks, row) for row in found]
                    except IsovcError:
                        failed.add((commit, name))
    except IsovcError:
        return {}, {("", "")}
    return rows, failed


@dataclass(frozen=True)
class Harm:
    """One thing that happened to one file."""

    file: str
    kind: str
    at: int
    size: int = 1
    other: int = 0

    def done_to(self, data: bytes) -> bytes:
        at, size, other = self.at, self.size, self.other
        if self.kind == FLIP:
            return data[:at] + bytes([data[at] ^ 1 << other]) + data[at + 1 :]
        if self.kind == CUT:
            return data[:at]
        if self.kind == ZERO:
            return data[:at] + bytes(min(size, len(data) - at)) + data[at + size :]
        first, second = sorted((at, other))
        size = min(size, second - first, len(data) - second)
        one, two = data[first : first + size], data[second : second + size]
        return data[:first] + two + data[first + size : second] + one + data[second + size :]


def harms(base: Base, chance: random.Random) -> Iterator[Harm]:
    """Without end. Half of it to the store, where most bytes are; half of that where somebody can see it."""
    files = {str(name): data for name, data in base.files.items() if name.parts[0] == ".isovc"}
    full = [name for name, data in files.items() if data]
    stores = [name for name in full if "store.db" in name]
    while True:
        name = chance.choice(stores if chance.random() < 0.5 else full)
        data = files[name]
        kind = chance.choice((FLIP, FLIP, FLIP, CUT, ZERO, SWAP))
        at = chance.randrange(len(data))
        size = chance.choice(BLOCKS)
        other = chance.randrange(8 if kind == FLIP else len(data))
        if name.endswith("store.db") and chance.random() < 0.1:
            at = chance.randrange(100)  # what SQLite says of the file as a whole
        elif name in stores and chance.random() < 0.5:
            word = chance.choice(base.words)
            like = chance.choice([each for each in base.words if len(each) == len(word)])
            found = max(data.find(word, at), data.find(word))
            if found >= 0:  # numbers lie beside it
                at = max(0, found - 8) + chance.randrange(len(word) + 16)
                size = chance.choice((1, 4, 16))
                if kind == SWAP and like in data:
                    at, other, size = found, data.find(like), len(word)
        elif kind in (ZERO, SWAP) and chance.random() < 0.7:
            at -= at % size
            other -= other % size if kind == SWAP else 0
        harm = Harm(name, kind, min(at, len(data) - 1), size, other)
        if harm.done_to(data) != data:
            yield harm


def befalls(base: Base, harm: Harm) -> str:
    """Do it, ask everything, and say how it was taken: found, or harmless."""
    base.lay_out()
    victim = base.place / harm.file
    victim.write_bytes(harm.done_to(victim.read_bytes()))
    app = base.app
    commits = sorted({commit for commit, _ in base.rows})
    checked = app.run("fsck", "--json")
    said = json.loads(checked.out)
    damages = said.get("damages", [])
    assert checked.code in (0, 1, 4), checked
    assert (checked.code == 4) == bool(damages) or "error" in said, checked
    rows, failed = read_rows(app, commits)
    wrong = [place for place in rows if rows[place] != base.rows.get(place)]
    assert not wrong, f"{harm}: other rows in {wrong}"
    differing = []
    for words in (*ALWAYS, IN_TURN[harm.at % len(IN_TURN)]):
        code, found = answer(app, words)
        if (code, found) != base.answers[" ".join(words)]:
            # SQLite ends the log before a part that is damaged: what is shown then was true once, and fsck must know
            assert code or harm.file.endswith("-wal"), f"{harm}: {words} shows {found}"
            differing.append((words, code, found))
    is_harmless = not failed and not differing
    assert is_harmless or checked.code, f"{harm}: {failed or differing}, and fsck finds nothing"
    if checked.code == 4 and damages:
        named = {(each["commit"], each["table"]) for each in damages}
        for commit, table in failed:
            assert (commit, table or None) in named or (commit, None) in named, f"{harm}: {commit} {table} not named"
    return "found" if checked.code else "harmless"


CHUNK = 25
SHARE = 12


@pytest.mark.parametrize(
    "turn", [turn if turn < SHARE else pytest.param(turn, marks=pytest.mark.long) for turn in range(1000 // CHUNK)]
)
def test_whatever_happens_to_a_file_is_found_or_harmless(bases: dict[str, Base], turn: int) -> None:
    base = bases["log" if turn % 4 == 3 else "closed"]
    happening = harms(base, random.Random(turn))
    taken = [befalls(base, next(happening)) for _ in range(CHUNK)]
    assert "found" in taken


@pytest.mark.parametrize("turn", [1, *(pytest.param(turn, marks=pytest.mark.long) for turn in range(2, 9))])
def test_a_damaged_cache_hides_no_change(bases: dict[str, Base], turn: int) -> None:
    """What was remembered of the pages says only where to look; it must never be believed about what is there."""
    base, chance = bases["closed"], random.Random(turn)
    changes = (
        "UPDATE notes SET body = 'news' WHERE id IN (3, 400, 650); DELETE FROM tags WHERE note = 200;"
        "INSERT INTO notes VALUES(5000, 'new', NULL); INSERT INTO heaps VALUES('small', 1)"
    )
    base.lay_out()
    base.app.sql(changes)
    expected = base.app.json("status", "--verify")
    caches = [name for name in base.files if name.parts[:2] == (".isovc", "cache")]
    assert caches
    for _ in range(40):
        base.lay_out()
        name = chance.choice(caches)
        data = base.files[name]
        kind = chance.choice((FLIP, FLIP, FLIP, CUT, ZERO, SWAP))
        size, other = chance.choice((1, 8, 64)), chance.randrange(8 if kind == FLIP else len(data))
        harm = Harm(str(name), kind, chance.randrange(len(data)), size, other)
        (base.place / name).write_bytes(harm.done_to(data))
        base.app.sql(changes)
        assert base.app.json("status") == expected, harm
        base.app.commit("after that")
        assert base.app.json("status", "--verify")["clean"], harm
