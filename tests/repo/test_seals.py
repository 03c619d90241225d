"""What was damaged in the small tables of store.db is never shown as truth, be it a cell or a row that is not there."""

import random
import sqlite3

import pytest

from isovc.errors import Damage, OperationDamaged, RowDamaged
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.decided import decided
from isovc.repo.operations import Operation, Operations
from isovc.repo.past import look_back
from isovc.repo.refs import Refs, Stamp
from isovc.repo.snapshots import keep_snapshot, kept_since, read_snapshot
from isovc.repo.worktrees import Live, Worktrees

A, B, C = (CommitId(f"{n}" * 40) for n in "abc")
FILES = {"schema.sql": b"CREATE TABLE t(a);\n", "tables.json": b"{}"}
PLAIN = {
    "command": "tag",
    "words": (),
    "summary": "",
    "author": "",
    "user": "",
    "host": "",
    "begun": 1,
    "ended": 2,
    "worktree": 1,
    "database": "",
}


@pytest.fixture
def full(db):
    """Something in every table."""
    index = CommitIndex(db)
    for n, (commit, parents) in enumerate(((A, []), (B, [A]), (C, [B]))):
        index.add(commit, parents, 1000 + n, "Ada <ada@example.org>", f"number {n}")
    operations = Operations(db)
    previous = None
    for number in (1, 2, 3):
        refs = Refs(db, act=number)
        if number == 1:
            refs.create("refs/heads/main", A, Stamp(1, "commit: number 0"))
            refs.create("refs/tags/v1", A, Stamp(1, "tag"), message="the first")
        else:
            refs.move("refs/heads/main", (B, C)[number - 2], Stamp(number, "commit"), seen=(A, B)[number - 2])
        previous = operations.append(Operation(number=number, previous=previous and previous.id, **PLAIN))
    worktrees = Worktrees(db)
    worktrees.add("app.db", "refs/heads/main", C, FILES)
    worktrees.add("other.db", "refs/heads/other", None, FILES)
    worktrees.set_live(1, Live(b"mark", FILES))
    return db


def read(db):
    """All that commands show of the small tables."""
    index, refs = CommitIndex(db), Refs(db)
    return {
        "log": list(index.walk([C])),
        "refs": refs.all(),
        "main": list(refs.log("refs/heads/main")),
        "tag": list(refs.log("refs/tags/v1")),
        "been": refs.been_since(0),
        "worktrees": Worktrees(db).all(),
        "operations": list(Operations(db).newest_first()),
    }


TABLES = ("commit_entry", "ref", "ref_log", "worktree")
KEYS = {"commit_entry": "number", "ref": "name", "ref_log": "rank", "worktree": "id"}


def cells(db):
    """Every cell of these tables: table, column, a condition that finds its row."""
    for table in TABLES:
        columns = [(row[1], row[5]) for row in db.execute(f"PRAGMA table_info({table})")]
        keys = [name for name, key in columns if key]
        for row in db.execute(f"SELECT {', '.join(keys)} FROM {table}").fetchall():
            where = " AND ".join(f"{key} = {value!r}" for key, value in zip(keys, row, strict=True))
            for column, _ in columns:
                yield table, column, where


def test_whatever_is_put_into_any_cell_is_damage_or_changes_no_answer(full):
    right = read(full)
    others = (
        5,
        -1,
        4675590000000000000,
        1 << 62,
        "x",
        "",
        "refs/heads/main",
        "1 2",
        b"",
        b"\0",
        b"\xaa" * 20,
        b"\0" * 8,
    )
    chance = random.Random(1)
    told = 0
    for table, column, where in cells(full):
        for value in chance.sample(others, 4):
            full.execute("SAVEPOINT before")
            try:
                full.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,))
                try:
                    assert read(full) == right, (table, column, where, value)
                except Damage as damage:
                    assert "in store.db" in damage.message or "index of the commits" in damage.message
                    told += 1
            except sqlite3.IntegrityError:
                pass
            full.execute("ROLLBACK TO before")
    assert told > 200
    assert read(full) == right


@pytest.mark.parametrize("table", [*TABLES, "operation", "total"])
def test_a_row_that_went_missing_is_damage(full, table):
    key = {"ref_log": "(name, seq)", "ref": "name", "total": "name", "worktree": "id"}.get(table, "number")
    many = full.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert many > 1
    for at in range(many):
        full.execute("SAVEPOINT before")
        full.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT {key.strip('()')} FROM {table} LIMIT 1 OFFSET {at})")
        with pytest.raises(Damage):
            read(full)
        full.execute("ROLLBACK TO before")


def test_the_row_is_named(full):
    def says(deed):
        full.execute("SAVEPOINT before")
        full.execute(deed)
        with pytest.raises(RowDamaged) as told:
            read(full)
        full.execute("ROLLBACK TO before")
        assert told.value.hint == "isovc fsck" and told.value.exit_code == 4
        return told.value.message

    assert (
        says("UPDATE commit_entry SET time = 9 WHERE number = 2")
        == f"the entry of commit {'b' * 12} in store.db is damaged"
    )
    assert says("UPDATE commit_entry SET message = 'x' WHERE number = 2").startswith(f"the entry of commit {'b' * 12}")
    assert (
        says("UPDATE ref SET message = 'x' WHERE message = ''") == "the row of refs/heads/main in store.db is damaged"
    )
    assert says("UPDATE ref_log SET time = 0 WHERE seq = 2").startswith("line 2 of the log of refs/heads/main")
    assert says("UPDATE worktree SET head = 5 WHERE id = 2").startswith("the row of working copy 2")
    assert says("DELETE FROM ref WHERE message = ''") == "the table ref in store.db is damaged"


def test_a_ref_that_was_lost_is_not_made_again(full):
    for lost in ("DELETE FROM ref WHERE name = 'refs/tags/v1'", "UPDATE ref SET name = 'v9' WHERE name LIKE '%/v1'"):
        full.execute("SAVEPOINT before")
        full.execute(lost)
        for name in ("refs/tags/v1", "refs/tags/v1/below"):
            with pytest.raises(RowDamaged, match="the row of refs/tags/v1 in"):
                Refs(full).create(name, B, Stamp(5, "tag"))
        full.execute("ROLLBACK TO before")
    Refs(full).create("refs/tags/a/b", A, Stamp(5, "tag"))
    full.execute("DELETE FROM ref WHERE name = 'refs/tags/a/b'")
    with pytest.raises(RowDamaged, match="the row of refs/tags/a/b in"):
        Refs(full).create("refs/tags/a", B, Stamp(6, "tag"))


def test_a_ref_that_went_may_come_again_under_itself_and_above(full):
    refs = Refs(full)
    refs.create("refs/tags/a/b", A, Stamp(5, "tag"))
    refs.delete("refs/tags/a/b", Stamp(6, "delete"))
    refs.create("refs/tags/a", B, Stamp(7, "tag"))
    refs.delete("refs/tags/a", Stamp(8, "delete"))
    refs.create("refs/tags/a/b", C, Stamp(9, "tag"))
    assert [move.new for move in refs.log("refs/tags/a/b")] == [C, None, A]


def test_to_make_a_ref_is_no_reading_of_all_others(full):
    class Heard:
        def __init__(self):
            self.rows = 0

        def execute(self, sql, parameters=()):
            found = _Found(full.execute(sql, parameters).fetchall())
            self.rows += len(found)
            return found

    few, many = Heard(), Heard()
    Refs(few).create("refs/tags/few", A, Stamp(5, "tag"))
    for number in range(50):
        Refs(full).create(f"refs/tags/of/{number}", A, Stamp(6, "tag"))
    Refs(many).create("refs/tags/many", A, Stamp(7, "tag"))
    assert few.rows == many.rows


class _Found(list):
    def fetchone(self):
        return self[0] if self else None

    def fetchall(self):
        return self


def test_an_index_that_leads_to_another_row_is_damage(full):
    """As a flipped bit in the index of the ids does it, which says only where a row lies."""

    class Misled:
        def execute(self, sql, parameters=()):
            return full.execute(
                sql.replace("SELECT number FROM commit_entry WHERE id = ?", "SELECT 2 WHERE ? != ''"), parameters
            )

    with pytest.raises(RowDamaged):
        CommitIndex(Misled()).get(C)


def test_what_is_changed_through_us_stays_whole(full):
    refs, worktrees = Refs(full, act=4), Worktrees(full)
    refs.rename("refs/heads/main", "refs/heads/trunk", Stamp(4, "rename"))
    refs.copy("refs/heads/trunk", "refs/heads/copy", Stamp(4, "copy"))
    refs.delete("refs/tags/v1", Stamp(4, "delete"))
    worktrees.set_head(1, "refs/heads/trunk", C, FILES)
    worktrees.set_database(2, "elsewhere.db")
    worktrees.set_live(1, None)
    worktrees.remove(2)
    found = read(full)
    assert [each.name for each in found["refs"]] == ["refs/heads/copy", "refs/heads/trunk"]
    assert [move.new for move in Refs(full).log("refs/heads/copy")] == [C, C, C, B, A]
    assert [each.database for each in found["worktrees"]] == ["app.db"]


def test_a_damaged_row_is_not_sealed_again_by_the_next_change(full):
    full.execute("UPDATE worktree SET database = 'b.db' WHERE id = 1")
    for change in (lambda each: each.set_live(1, None), lambda each: each.set_head(1, "refs/heads/x", None, FILES)):
        with pytest.raises(RowDamaged):
            change(Worktrees(full))
    full.execute("UPDATE ref SET message = 'y' WHERE name = 'refs/heads/main'")
    with pytest.raises(RowDamaged):
        Refs(full).move("refs/heads/main", A, Stamp(9, "x"), seen=C)


def test_a_state_that_was_altered_is_never_shown(full):
    one, two = keep_snapshot(full, FILES), keep_snapshot(full, {"a": b"b"})
    full.execute("INSERT INTO operation_snapshot VALUES(3, ?)", (bytes.fromhex(one),))
    assert (read_snapshot(full, one), kept_since(full, 0)) == (FILES, [FILES])
    other = full.execute("SELECT files FROM snapshot WHERE id = ?", (bytes.fromhex(two),)).fetchone()[0]
    for wrong in (other, b"", b"\0", b"\x20\x00\x01\x00\x00", "text", 5):
        full.execute("UPDATE snapshot SET files = ? WHERE id = ?", (wrong, bytes.fromhex(one)))
        for ask in (lambda: read_snapshot(full, one), lambda: kept_since(full, 0)):
            with pytest.raises(RowDamaged, match=f"state {one[:12]}"):
                ask()


@pytest.mark.parametrize("value", [5, "x", "[]", b"\xff", None])
def test_decisions_that_make_no_sense_are_damage(db, value):
    db.execute("INSERT INTO fact VALUES('decided_settings', ?)", (value,))
    with pytest.raises(RowDamaged):
        decided(db)


def test_the_past_is_sealed_too(full):
    found = Operations(full).find("@~1")
    full.execute("SAVEPOINT before")
    look_back(full, found.id)
    assert [(each.name, each.target) for each in Refs(full).all()] == [("refs/heads/main", B), ("refs/tags/v1", A)]
    assert [move.new for move in Refs(full).log("refs/heads/main")] == [B, A]
    assert Refs(full).get("refs/heads/none") is None
    assert Refs(full).been_since(0) == {A, B}
    assert len(list(Operations(full).newest_first())) == 2
    full.execute("ROLLBACK TO before")
    full.execute("UPDATE ref_log SET new = old WHERE seq = 2")
    with pytest.raises(RowDamaged):
        look_back(full, found.id)


def test_a_log_without_its_end_is_damage_for_whoever_goes_on(full):
    full.execute("DELETE FROM operation WHERE number = 3")
    with pytest.raises(OperationDamaged):
        Operations(full).last()
    with pytest.raises(OperationDamaged):
        Operations(full).last(1)
