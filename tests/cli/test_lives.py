"""`isovc history` and `isovc blame` from the outside."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.versioned import Versioned


@pytest.fixture
def lived(app: Versioned) -> Versioned:
    """A row that was changed on two branches, merged, renamed with its table, removed and added again."""
    app.ok("config", "user.name", "Ada")
    app.ok("config", "user.email", "ada@example.org")
    app.ok("commit", "--allow-empty", "-m", "nothing")
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE notes SET body = 'theirs' WHERE id = 3")
    app.commit("theirs")
    app.ok("switch", "main")
    app.sql("UPDATE notes SET title = 'ours' WHERE id = 3")
    app.commit("ours")
    app.ok("merge", "exp")
    app.sql("ALTER TABLE notes RENAME TO remarks; ALTER TABLE remarks RENAME COLUMN body TO text")
    app.commit("renamed")
    app.sql("DELETE FROM remarks WHERE id = 3")
    app.commit("gone")
    app.sql("INSERT INTO remarks VALUES(3, 'again', x'00ff')")
    app.commit("again")
    app.sql("UPDATE remarks SET text = NULL WHERE id = 3")
    return app


def plain(app: Versioned, text: str) -> str:
    """With names for ids, and no times."""
    for entry in [*app.json("log"), *app.json("log", "exp")]:
        name = entry["message"].strip()
        text = text.replace(entry["commit"], f"<{name}>").replace(entry["commit"][:12], f"<{name}>")
        text = text.replace(entry["author"], "Ada <ada@example.org>")
    text = re.sub(r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", "<then>", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<then>", text)


def subjects(app: Versioned, found: list[dict[str, Any]]) -> list[str | None]:
    names = {entry["commit"]: entry["message"].strip() for entry in app.json("log")}
    return [names[each["commit"]] if each["commit"] else None for each in found]


def test_the_history_of_a_row(lived: Versioned) -> None:
    head = "Author: Ada <ada@example.org>\nDate:   <then>\n        "
    assert plain(lived, lived.ok("history", "remarks", "3", "WORK")) == (
        "not committed yet\n  ~ remarks 3\n      text  x'00ff' -> NULL\n\n"
        f"commit <again>\n{head}again\n  + remarks 3\n      title  'again'\n      text  x'00ff'\n\n"
        f"commit <gone>\n{head}gone\n  - remarks 3\n      title  'ours'\n      text  'theirs'\n\n"
        f"commit <ours>\n{head}ours\n  ~ notes 3\n      title  'three' -> 'ours'\n\n"
        f"commit <theirs>\n{head}theirs\n  ~ notes 3\n      body  'third' -> 'theirs'\n\n"
        f"commit <first>\n{head}first\n  + notes 3\n      title  'three'\n      body  'third'\n"
    )


def test_the_history_of_a_row_as_json(lived: Versioned) -> None:
    found = lived.json("history", "remarks", "3")
    assert subjects(lived, found) == ["again", "gone", "ours", "theirs", "first"]
    assert [each["op"] for each in found] == ["added", "removed", "modified", "modified", "added"]
    assert set(found[0]) == {"commit", "time", "author", "op", "before", "after"}
    assert found[0]["before"] is None
    assert found[0]["after"] == {"id": 3, "title": "again", "text": {"$blob": "AP8="}}
    assert found[1]["before"] == {"id": 3, "title": "ours", "text": "theirs"}
    assert found[2]["before"] == {"id": 3, "title": "three", "body": "third"}
    assert found[0]["time"] == lived.json("log")[0]["time"]
    assert lived.json("history", "notes", "3") == found  # by the name it had
    assert lived.json("history", "NOTES", "'3'", "HEAD~2") == found[2:]


def test_who_wrote_the_cells_of_a_row(lived: Versioned) -> None:
    said = re.sub(r" .{20} <then>", "", plain(lived, lived.ok("blame", "remarks", "3", "HEAD~2")))
    assert said == "<first>  3  id  3\n<ours>  3  title  'ours'\n<theirs>  3  text  'theirs'\n"
    found = lived.json("blame", "remarks", "3")
    assert [(each["column"], each["value"]) for each in found] == [("id", 3), ("title", "again"), ("text", None)]
    assert subjects(lived, found) == ["again", "again", None]
    assert set(found[0]) == {"table", "key", "column", "value", "commit", "author", "time"}
    assert found[2]["author"] is found[2]["time"] is None
    assert "not yet      committed" in lived.ok("blame", "remarks", "3", "--columns", "TEXT")


def test_who_wrote_the_cells_of_a_table(lived: Versioned) -> None:
    found = lived.json("blame", "remarks", "--columns", "title,text")
    assert [(each["key"], each["column"]) for each in found] == [
        ([key], column) for key in (1, 2, 3) for column in ("title", "text")
    ]
    assert subjects(lived, found) == ["first"] * 4 + ["again", None]
    assert subjects(lived, lived.json("blame", "remarks", "--at", "HEAD~1")) == ["first"] * 6
    lived.sql("DELETE FROM remarks")
    assert lived.json("blame", "remarks") == []
    assert lived.ok("blame", "remarks") == ""


def test_a_merge_wrote_what_a_person_decided_otherwise(app: Versioned) -> None:
    app.ok("switch", "-c", "exp")
    app.sql("UPDATE notes SET title = 'theirs', body = 'body' WHERE id = 1")
    theirs = app.commit("theirs")
    app.ok("switch", "main")
    app.sql("UPDATE notes SET title = 'ours' WHERE id = 1")
    ours = app.commit("ours")
    assert app.run("merge", "exp").code == 3
    app.ok("resolve", "--set", "title=neither")
    app.ok("merge", "--continue")
    merge, first = (app.json("log")[at]["commit"] for at in (0, -1))
    assert [each["commit"] for each in app.json("blame", "notes", "1")] == [first, merge, theirs]
    found = app.json("history", "notes", "1")
    assert [each["commit"] for each in found] == [merge, ours, theirs, first]
    assert (found[0]["before"]["title"], found[0]["after"]["title"]) == ("ours", "neither")


def test_rows_without_a_commit(app: Versioned) -> None:
    app.sql("CREATE TABLE fresh(a TEXT, b, PRIMARY KEY(a, b)) WITHOUT ROWID; INSERT INTO fresh VALUES('3', 'x')")
    assert [each["commit"] for each in app.json("blame", "fresh", "3,x")] == [None, None]
    assert [each["commit"] for each in app.json("history", "fresh", "3,x", "WORK")] == [None]
    assert app.refused("history", "fresh", "3,x") == "no-such-table"


def test_rows_of_a_table_without_a_key(app: Versioned) -> None:
    found = app.json("blame", "tags", "2")
    assert [(each["key"], each["column"]) for each in found] == [([2], "note"), ([2], "tag")]
    assert app.json("history", "tags", "2")[0]["after"] == {"note": 2, "tag": "b"}


def test_a_large_value_comes_whole(app: Versioned) -> None:
    app.sql("UPDATE notes SET body = hex(zeroblob(50000)) WHERE id = 1")
    app.commit("large")
    assert len(app.json("history", "notes", "1")[0]["after"]["body"]) == 100_000
    assert len(app.json("blame", "notes", "1")[2]["value"]) == 100_000


def test_before_the_first_commit(app: Versioned) -> None:
    fresh = app.at(app.path.parent.parent / "fresh" / "fresh.db")
    fresh.path.parent.mkdir()
    fresh.sql("CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)")
    assert fresh.at(fresh.path.parent).run("init", fresh.path.name).code == 0
    assert fresh.refused("history", "t", "1") == "no-commits-yet"
    assert fresh.json("history", "t", "1", "WORK")[0]["op"] == "added"
    assert fresh.json("blame", "t")[0]["commit"] is None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("history", "nope", "1"), 1, "no-such-table"),
        (("history", "notes", "99"), 1, "no-such-row"),
        (("history", "notes", "abc"), 2, "bad-key"),
        (("history", "notes", "1,2"), 2, "bad-key"),
        (("history", "notes", ""), 2, "bad-key"),
        (("history", "notes", "1", "nowhere"), 1, "no-such-revision"),
        (("history", "notes", "1", "EMPTY"), 1, "no-such-table"),
        (("history", "notes"), 2, "usage"),
        (("blame", "nope"), 1, "no-such-table"),
        (("blame", "notes", "99"), 1, "no-such-row"),
        (("blame", "notes", "abc"), 2, "bad-key"),
        (("blame", "notes", "1", "EMPTY"), 1, "no-such-table"),
        (("blame", "notes", "1", "HEAD~9"), 1, "no-such-revision"),
        (("blame", "notes", "--columns", "title,nope"), 1, "no-such-column"),
        (("blame", "notes", "1", "HEAD", "--at", "HEAD"), 2, "options-clash"),
    ],
)
def test_bad_input_is_told(app: Versioned, words: tuple[str, ...], code: int, said: str) -> None:
    assert app.refused(*words, code=code) == said
    assert app.clean


def test_the_same_as_tables_in_sql(lived: Versioned) -> None:
    found = lived.json("history", "remarks", "3", "WORK")
    asked = lived.json("sql", "SELECT * FROM history('remarks', 3)")
    assert [(each["id"], each["op"]) for each in asked] == [(each["commit"], each["op"]) for each in found]
    assert [each["after"] and json.loads(each["after"]) for each in asked] == [each["after"] for each in found]
    query = "SELECT message, count(*) AS n FROM history('remarks') JOIN commits USING(id) GROUP BY 1"
    everything = lived.json("sql", query)
    assert {each["message"].strip(): each["n"] for each in everything} == {
        "first": 3,
        "theirs": 1,
        "ours": 1,
        "gone": 1,
        "again": 1,
    }
    cells = lived.json("sql", "SELECT id, key, \"column\", value FROM blame('remarks')", "--at", "HEAD~2")
    wanted = lived.json("blame", "remarks", "--at", "HEAD~2")
    assert [(each["id"], each["value"]) for each in cells] == [(each["commit"], each["value"]) for each in wanted]
    assert lived.refused("sql", "SELECT * FROM history('nope')") == "no-such-table"
    assert lived.refused("sql", "SELECT * FROM blame(1)", code=2) == "bad-query"
