"""Values of megabytes through every command that brings a database to another state."""

from __future__ import annotations

import random

from tests.versioned import Versioned

MIB = 1 << 20


def bytes_of(app: Versioned) -> list[tuple[object, ...]]:
    return app.rows("SELECT id, title, body, CAST(body AS BLOB), typeof(body) FROM notes ORDER BY id")


def test_they_come_back_whatever_brings_them(app: Versioned) -> None:
    draw = random.Random(5)
    with app.opened() as database:
        database.execute("INSERT INTO notes VALUES(10, 'blob', ?)", (draw.randbytes(3 * MIB),))
        database.execute("INSERT INTO notes VALUES(11, 'text', ?)", ("ä\0😀" * 300_000,))
    first = bytes_of(app)
    app.ok("commit", "-m", "long")
    with app.opened() as database:
        database.execute("UPDATE notes SET title = 'other' WHERE id = 10")
        database.execute("UPDATE notes SET body = ? WHERE id = 11", (draw.randbytes(2 * MIB),))
        database.execute("INSERT INTO notes VALUES(12, 'new', ?)", (draw.randbytes(5 * MIB),))
    second = bytes_of(app)
    app.ok("commit", "-m", "other")

    app.ok("checkout", "HEAD~1")
    assert bytes_of(app) == first
    app.ok("switch", "main")
    assert bytes_of(app) == second
    app.ok("undo")
    assert bytes_of(app) == first
    app.ok("undo")
    app.ok("restore", "--at", "HEAD~1", "-t", "notes")
    assert bytes_of(app) == first
    app.ok("undo")
    assert bytes_of(app) == second
    assert app.check() == "ok"

    copy = app.at(app.path.with_name("copy.db"))
    app.ok("worktree", "add", str(copy.path), "HEAD~1")
    assert bytes_of(copy) == first
    assert copy.check() == "ok"


def test_two_branches_with_some_are_merged(app: Versioned) -> None:
    draw = random.Random(6)
    app.ok("switch", "-c", "side")
    with app.opened() as database:
        database.execute("INSERT INTO notes VALUES(20, 'theirs', ?)", (draw.randbytes(2 * MIB),))
        database.execute("UPDATE notes SET body = ? WHERE id = 1", (draw.randbytes(2 * MIB),))
    theirs = {row[0]: row for row in bytes_of(app)}
    app.ok("commit", "-m", "theirs")
    app.ok("switch", "main")
    with app.opened() as database:
        database.execute("INSERT INTO notes VALUES(21, 'ours', ?)", (draw.randbytes(3 * MIB),))
        database.execute("UPDATE notes SET title = 'mine' WHERE id = 1")
    ours = {row[0]: row for row in bytes_of(app)}
    app.ok("commit", "-m", "ours")
    app.ok("merge", "side")
    found = {row[0]: row for row in bytes_of(app)}
    assert found[20] == theirs[20]
    assert found[21] == ours[21]
    assert found[1] == (1, "mine", *theirs[1][2:])
    assert app.check() == "ok"
