"""What waits, asked in SQL."""

from __future__ import annotations

from tests.merging.conftest import Parted
from tests.versioned import Versioned


def test_what_waits_is_a_table(parted: Parted) -> None:
    app = parted(
        "UPDATE notes SET title = 'ours' WHERE id = 1; DELETE FROM notes WHERE id = 2;"
        "UPDATE notes SET body = x'00' WHERE id = 3; CREATE VIEW v AS SELECT 1",
        "UPDATE notes SET title = NULL WHERE id = 1; UPDATE notes SET body = 7 WHERE id = 2;"
        "UPDATE notes SET body = 7.5 WHERE id = 3; CREATE VIEW v AS SELECT 2",
    )
    assert app.json("sql", "SELECT * FROM conflicts") == []
    assert app.run("merge", "exp").code == 3
    found = app.json("sql", "SELECT * FROM conflicts WHERE key IS NOT NULL ORDER BY key")
    listed = {each["id"]: each for each in app.json("conflicts")}
    assert list(found[0]) == ["id", "table", "key", "column", "kind", "base", "ours", "theirs", "status"]
    assert [tuple(each.values())[1:] for each in found] == [
        ("notes", "[1]", "title", "edit/edit", "one", "ours", None, "open"),
        (
            "notes",
            "[2]",
            None,
            "delete/edit",
            '{"id": 2, "title": "two", "body": "second"}',
            None,
            '{"id": 2, "title": "two", "body": "7"}',
            "open",
        ),
        ("notes", "[3]", "body", "edit/edit", "third", {"$blob": "AA=="}, "7.5", "open"),
    ]
    assert {each["id"] for each in found} < set(listed)
    (view,) = app.json("sql", 'SELECT "table", key, kind, ours, definition FROM conflicts WHERE key IS NULL')
    assert view == {
        "table": "v",
        "key": None,
        "kind": "schema",
        "ours": "CREATE VIEW v AS SELECT 1",
        "definition": "view v",
    }
    # what is settled stays, and says so
    app.ok("resolve", "notes", "1", "--theirs")
    states = "SELECT status, count(*) AS n FROM conflicts GROUP BY status ORDER BY status"
    assert app.json("sql", states) == [{"status": "open", "n": 3}, {"status": "settled", "n": 1}]
    assert app.json("sql", "SELECT base, ours FROM conflicts WHERE status = 'settled'") == [
        {"base": "one", "ours": "ours"}
    ]
    app.ok("resolve", "--ours")
    assert app.json("sql", states) == [{"status": "settled", "n": 4}]
    app.ok("merge", "--continue")
    assert app.json("sql", states) == []


def test_what_was_settled_before_its_table_got_other_columns(parted: Parted) -> None:
    app = parted(
        "UPDATE t SET a = 'ours'; ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'x'; ALTER TABLE t ADD COLUMN d",
        "UPDATE t SET a = 'theirs'; ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 1",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES(1, '1', 1), (2, '2', 2)",
    )
    assert app.run("merge", "exp").code == 3
    app.ok("resolve", "t", "1", "a", "--ours")
    settled = "SELECT * FROM conflicts WHERE status = 'settled' AND key = '[1]'"
    before = app.json("sql", settled)
    assert [(each["key"], each["ours"]) for each in before] == [("[1]", "ours")]
    app.ok("resolve", "--theirs")
    after = app.json("sql", settled)
    assert [(each["key"], each["ours"]) for each in after] == [("[1]", None)]


def test_a_table_of_that_name_comes_first(app: Versioned) -> None:
    app.sql("CREATE TABLE conflicts(mine); INSERT INTO conflicts VALUES(1)")
    assert app.json("sql", "SELECT * FROM conflicts") == [{"mine": 1}]
    assert app.json("sql", "SELECT * FROM isovc_conflicts") == []
