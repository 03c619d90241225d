"""`isovc diff`: every choice of versions, rows and forms."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isovc.cli.main import main
from tests.versioned import ROOT, Versioned


def _lines(app: Versioned, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in app.ok("diff", *words, "--format", "jsonl").splitlines()]


def _keys(app: Versioned, *words: str) -> list[tuple[Any, ...]]:
    return [(each["table"], each["op"], *each["key"]) for each in _lines(app, *words) if "table" in each]


EDIT = (
    "UPDATE notes SET body = 'SECOND' WHERE id = 2; DELETE FROM notes WHERE id = 3;"
    "INSERT INTO notes VALUES(9, NULL, x'00ff'); UPDATE tags SET tag = 'z' WHERE note = 2"
)


def test_text_has_a_line_a_cell(app: Versioned) -> None:
    assert app.ok("diff") == ""
    app.sql(EDIT)
    assert app.ok("diff").splitlines() == [
        "notes",
        "  ~ 2  body  'second' -> 'SECOND'",
        "  - 3  title  'three'",
        "  - 3  body  'third'",
        "  + 9  body  x'00ff'",
        "tags",
        "  ~ 2  tag  'b' -> 'z'",
    ]


def test_what_scripts_read(app: Versioned) -> None:
    app.sql(EDIT)
    assert _lines(app)[:3] == [
        {
            "table": "notes",
            "op": "modified",
            "key": [2],
            "before": {"id": 2, "title": "two", "body": "second"},
            "after": {"id": 2, "title": "two", "body": "SECOND"},
        },
        {
            "table": "notes",
            "op": "removed",
            "key": [3],
            "before": {"id": 3, "title": "three", "body": "third"},
            "after": None,
        },
        {
            "table": "notes",
            "op": "added",
            "key": [9],
            "before": None,
            "after": {"id": 9, "title": None, "body": {"$blob": "AP8="}},
        },
    ]
    found = app.json("diff")
    assert found["tables"] == {
        "notes": {"added": 1, "modified": 1, "removed": 1},
        "tags": {"added": 0, "modified": 1, "removed": 0},
    }
    assert (found["to"], found["schema"], found["renamed"]) == ("WORK", [], {"tables": {}, "columns": {}})


def test_values_json_cannot_say(app: Versioned) -> None:
    app.sql("CREATE TABLE u(v, w); INSERT INTO u VALUES(9e999, CAST(x'61ff' AS TEXT)), (9007199254740993, 1.0)")
    with app.opened() as connection:
        connection.execute("INSERT INTO u VALUES(?, ?)", (float("-inf"), -0.0))
    cells = [tuple(line["after"].values()) for line in _lines(app, "-t", "u")[1:]]
    assert repr(cells) == repr(
        [({"$real": "inf"}, {"$text": "Yf8="}), (9007199254740993, 1.0), ({"$real": "-inf"}, -0.0)]
    )


def test_any_two_versions(app: Versioned) -> None:
    first = app.json("log")[0]["commit"]
    app.ok("switch", "-c", "exp")
    app.sql("INSERT INTO notes VALUES(10, 'exp', '')")
    app.commit("exp")
    app.ok("switch", "main")
    app.sql("INSERT INTO notes VALUES(20, 'main', '')")
    app.commit("main")
    app.ok("tag", "v1")
    app.sql("INSERT INTO notes VALUES(30, 'live', '')")
    ten, twenty, thirty = (("notes", "added", number) for number in (10, 20, 30))
    gone = ("notes", "removed", 10)
    assert _keys(app) == [thirty]
    assert _keys(app, "HEAD~1") == _keys(app, first[:8]) == [twenty, thirty]
    assert _keys(app, "exp") == [gone, twenty, thirty]
    assert _keys(app, "exp", "main") == _keys(app, "exp..main") == _keys(app, "exp..v1") == [gone, twenty]
    assert _keys(app, "exp...main") == [twenty]
    assert _keys(app, "main...exp") == [ten]
    assert _keys(app, "exp...WORK") == [twenty, thirty]
    assert _keys(app, "WORK", "main") == [("notes", "removed", 30)]
    assert len(_keys(app, "EMPTY", "HEAD")) == 6
    assert len(_keys(app, "EMPTY")) == 7
    assert app.refused("diff", "nowhere") == "no-such-revision"
    assert app.refused("diff", "exp..main", "HEAD", code=2) == "bad-revision"
    assert app.refused("diff", "WORK...main", code=2) == "bad-revision"


def test_before_the_first_commit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = Versioned(tmp_path / "n.db", capsys)
    new.sql("CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    assert main(["init", str(new.path)]) == 0
    assert _keys(new) == [("t", "added", 1)]


def test_some_tables_rows_and_columns(app: Versioned) -> None:
    app.sql(EDIT + "; CREATE INDEX by_title ON notes(title); CREATE VIEW v AS SELECT 1")
    assert {key[0] for key in _keys(app, "-t", "TAGS")} == {"tags"}
    assert {key[0] for key in _keys(app, "-t", "tags", "-t", "notes")} == {"tags", "notes"}
    assert [each["schema"]["name"] for each in _lines(app, "-t", "notes") if "schema" in each] == ["by_title"]
    assert [each["schema"]["name"] for each in _lines(app, "--schema")] == ["by_title", "v"]
    assert app.refused("diff", "-t", "nowhere") == "no-such-table"
    # before or after
    assert _keys(app, "--where", "body = 'second'") == [("notes", "modified", 2)]
    assert _keys(app, "--where", "body = 'SECOND' -- so") == [("notes", "modified", 2)]
    assert _keys(app, "--where", "notes.id > 2 AND typeof(body) = 'blob'") == [("notes", "added", 9)]
    assert _keys(app, "--where", "note = 2") == [("tags", "modified", 2)]
    assert _keys(app, "--where", "title IS NOT NULL") == [("notes", "modified", 2), ("notes", "removed", 3)]
    assert _keys(app, "--columns", "title") == [("notes", "removed", 3), ("notes", "added", 9)]
    assert _lines(app, "--columns", "BODY", "-t", "notes")[1]["after"] == {"body": "SECOND"}
    assert app.refused("diff", "--columns", "nope") == "no-such-column"
    assert _keys(app, "--limit", "2") == [("notes", "modified", 2), ("notes", "removed", 3)]
    assert _keys(app, "--limit", "0") == []
    assert "More differs than is shown." in app.ok("diff", "--limit", "2")
    assert "More differs" not in app.ok("diff", "--limit", "4")


@pytest.mark.parametrize(
    "condition",
    [
        "nope > 1",
        "id >",
        "1); DELETE FROM notes; SELECT (1",
        "1) ; ATTACH '/tmp/isovc-attached.db' AS x; --",
        "load_extension('x')",
        "id IN (SELECT name FROM pragma_database_list)",
        "",
    ],
)
def test_a_condition_is_only_a_condition(app: Versioned, condition: str) -> None:
    app.sql(EDIT)
    if condition:
        assert app.refused("diff", "--where", condition, code=2) == "bad-condition"
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    assert not Path("/tmp/isovc-attached.db").exists()


def test_stat_names_and_exit_code(app: Versioned) -> None:
    assert app.run("diff", "--exit-code").code == 0
    assert app.ok("diff", "--stat") == app.ok("diff", "--name-only") == ""
    app.sql(EDIT)
    assert app.run("diff", "--exit-code").code == 1
    assert app.run("diff", "--exit-code", "-t", "tags", "--where", "note = 1").code == 0
    assert app.ok("diff", "--name-only").split() == ["notes", "tags"]
    assert app.ok("diff", "--stat").splitlines() == [
        " notes | 3 +~-",
        " tags  | 1 ~",
        " 2 tables: 1 added, 2 modified, 1 removed",
    ]
    app.sql(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO notes SELECT i, 'x', '' FROM n"
    )
    longest = app.ok("diff", "--stat").splitlines()[0]
    assert 40 < len(longest) < 70
    assert "~-" in longest


@pytest.mark.parametrize(
    "words",
    [
        ["--stat", "--name-only"],
        ["--stat", "--format", "csv"],
        ["--name-only", "--format", "html"],
        ["--columns", "a", "--format", "sql"],
        ["--json", "--format", "jsonl"],
    ],
)
def test_options_that_cannot_be_meant_together(app: Versioned, words: list[str]) -> None:
    assert app.refused("diff", *words, code=2) == "options-clash"


def test_made_anew_with_the_same_rows_is_no_difference(app: Versioned) -> None:
    app.sql(
        "CREATE TABLE x AS SELECT * FROM notes; DROP TABLE notes;"
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT); INSERT INTO notes SELECT * FROM x;"
        "DROP TABLE x"
    )
    assert app.ok("diff") == ""
    assert app.run("diff", "--exit-code").code == 0


def test_renames_are_shown_as_renames(app: Versioned) -> None:
    app.sql("ALTER TABLE notes RENAME TO papers; ALTER TABLE tags RENAME COLUMN tag TO label")
    found = app.json("diff")
    assert found["renamed"] == {"tables": {"notes": "papers"}, "columns": {"tags": {"tag": "label"}}}
    assert found["tables"] == {}
    assert _keys(app) == []
    app.sql("UPDATE papers SET body = 'x' WHERE id = 1; UPDATE tags SET label = 'y' WHERE note = 1")
    assert _keys(app) == [("papers", "modified", 1), ("tags", "modified", 1)]
    said = app.ok("diff")
    assert "> table papers (was notes)" in said
    assert "papers (was notes)\n  ~ 1  body  'first' -> 'x'" in said
    assert "column tag is now label" in said
    assert "  ~ 1  label  'a' -> 'y'" in said
    assert _keys(app, "-t", "notes") == _keys(app, "-t", "papers") == [("papers", "modified", 1)]
    assert _keys(app, "--columns", "tag") == [("tags", "modified", 1)]


def test_what_is_no_rename(app: Versioned) -> None:
    app.sql("DROP TABLE notes; CREATE TABLE other(id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
    app.sql("INSERT INTO other VALUES(1, 'quite', 'another'), (2, 'content', 'here'), (3, 'x', 'y')")
    found = app.json("diff")
    assert found["renamed"]["tables"] == {}
    assert {name: (each["added"], each["removed"]) for name, each in found["tables"].items()} == {
        "notes": (0, 3),
        "other": (3, 0),
    }


def test_of_several_that_could_be_it_none_is(app: Versioned) -> None:
    app.sql("CREATE TABLE one AS SELECT * FROM tags; CREATE TABLE two AS SELECT * FROM tags; DROP TABLE tags")
    assert app.json("diff")["renamed"]["tables"] == {}
    app.commit()
    app.sql("ALTER TABLE one RENAME TO three; DROP TABLE two")
    assert app.json("diff")["renamed"]["tables"] == {}
    assert app.json("diff", "WORK", "HEAD")["renamed"]["tables"] == {}


def test_a_new_column_changes_only_rows_that_have_something_in_it(app: Versioned) -> None:
    app.sql("ALTER TABLE notes ADD COLUMN more")
    assert _keys(app) == []
    app.sql("UPDATE notes SET more = 1 WHERE id = 2")
    assert _keys(app) == [("notes", "modified", 2)]
    app.commit()
    app.sql("ALTER TABLE notes DROP COLUMN more")
    assert app.ok("diff").splitlines()[-2:] == ["notes", "  ~ 2  more  1 -> NULL"]


def test_virtual_tables_are_shown_by_their_rows(app: Versioned) -> None:
    app.sql(
        "CREATE VIRTUAL TABLE f USING fts5(t); CREATE VIRTUAL TABLE r USING rtree(id, low, high);"
        "INSERT INTO f VALUES('first'); INSERT INTO r VALUES(1, 0, 1)"
    )
    app.commit()
    app.sql("INSERT INTO f VALUES('hello'); UPDATE r SET high = 2; INSERT INTO notes VALUES(4, '', '')")
    shown = ["f", "  + 2  t  'hello'", "notes", "  + 4  title  ''", "  + 4  body  ''", "r", "  ~ 1  high  1.0 -> 2.0"]
    assert app.ok("diff").splitlines() == shown
    assert app.ok("diff", "-t", "f").splitlines() == shown[:2]
    assert app.ok("diff", "--where", "high = 2").splitlines() == shown[-2:]
    assert app.ok("diff", "--where", "id = 1").splitlines() == shown[-2:]
    assert app.ok("diff", "--stat").splitlines() == [
        " f     | 1 +",
        " notes | 1 +",
        " r     | 1 ~",
        " 3 tables: 2 added, 1 modified",
    ]
    assert app.ok("diff", "--name-only").split() == ["f", "notes", "r"]
    # what programs read is every table there is, and so is what somebody names
    assert {"f_data", "f_content", "r_node"} <= set(app.json("diff")["tables"])
    assert {each["table"] for each in _lines(app, "-t", "f")} >= {"f_data", "f_content"}
    assert "+ 2  c0  'hello'" in app.ok("diff", "-t", "f_content")


def test_a_virtual_table_without_rows_of_its_own_is_named_and_not_counted(app: Versioned) -> None:
    app.sql("CREATE VIRTUAL TABLE f USING fts5(body, content=notes, content_rowid=id)")
    app.commit()
    app.sql("INSERT INTO f(rowid, body) VALUES(1, 'first')")
    said = "f  stored otherwise, in 3 tables of its own (-t f_data)"
    assert app.ok("diff").splitlines() == [said]
    assert app.ok("diff", "--stat").splitlines() == [f" {said}"]
    assert app.ok("diff", "--name-only").split() == ["f"]
    assert app.run("diff", "--exit-code").code == 1
    app.sql("INSERT INTO notes VALUES(4, '', '')")
    assert app.ok("diff", "--stat").splitlines() == [" notes | 1 +", " 1 table: 1 added", f" {said}"]
    assert app.ok("diff", "--where", "id > 3", "--stat").splitlines() == [" notes | 1 +", " 1 table: 1 added"]


def test_a_condition_must_fit_the_tables_that_are_named(app: Versioned) -> None:
    app.sql("CREATE VIRTUAL TABLE f USING fts5(t); CREATE TABLE same(only_here)")
    app.commit()
    app.sql(EDIT + "; CREATE TABLE new(fresh); INSERT INTO new VALUES(1)")
    # nobody named a table: those that it fits, and a word about the others
    done = app.run("diff", "--where", "note = 2", "--name-only")
    assert (done.code, done.out.split()) == (0, ["new", "tags"])  # definitions are no rows
    assert "does not fit new, notes" in done.err
    assert app.json("diff", "--where", "note = 2")["left_out"] == ["new", "notes"]
    assert _keys(app, "--where", "fresh = 1") == [("new", "added", 1)]
    # each that is named
    assert app.refused("diff", "-t", "tags", "-t", "notes", "--where", "note = 2", code=2) == "bad-condition"
    assert "in the table notes: no such column: note" in app.run("diff", "-t", "notes", "--where", "note = 2").err
    assert app.ok("diff", "-t", "same", "--where", "only_here = 1") == ""
    assert app.refused("diff", "-t", "same", "--where", "nope = 1", code=2) == "bad-condition"
    assert app.ok("diff", "-t", "f", "--where", "t = 'x'") == ""
    assert app.refused("diff", "-t", "f", "--where", "nope = 1", code=2) == "bad-condition"
    app.commit()
    # nothing differs: a condition that fits nowhere is wrong all the same
    assert app.ok("diff", "--where", "note = 2") == ""
    assert app.refused("diff", "--where", "nope = 2", code=2) == "bad-condition"


def test_a_condition_asks_nothing_of_what_a_module_stores(app: Versioned) -> None:
    app.sql("CREATE VIRTUAL TABLE f USING fts5(t)")
    app.commit()
    app.sql("INSERT INTO f VALUES('hello'); INSERT INTO notes VALUES(10, '', '')")
    assert _keys(app, "--where", "id = 10") == [("notes", "added", 10)]
    assert _keys(app, "--where", "id = 10", "-t", "f_data") == [("f_data", "modified", 10)]


def test_data_cannot_play_with_the_terminal(app: Versioned) -> None:
    app.sql("INSERT INTO notes VALUES(7, char(27) || '[31m' || char(10), 'x')")
    app.sql('CREATE TABLE "line\nend"(a); INSERT INTO "line\nend" VALUES(1)')
    for words in ([], ["--stat"], ["--name-only"]):
        said = app.ok("diff", *words)
        assert "\x1b" not in said
        assert "line\\x0aend" in said
    assert "'\\x1b[31m\\n'" in app.ok("diff")


def test_the_other_forms(app: Versioned) -> None:
    app.sql(EDIT)
    sheet = app.ok("diff", "--format", "csv").splitlines()
    assert sheet[0] == "kind,table,op,key,before,after"
    assert sheet[1] == 'row,notes,modified,[2],"{""body"":""second""}","{""body"":""SECOND""}"'
    assert len(sheet) == 1 + 4  # one line a change
    page = app.ok("diff", "--format", "html")
    assert page.startswith("<!DOCTYPE html>") and "<del>&#x27;second&#x27;</del><ins>&#x27;SECOND&#x27;</ins>" in page


def test_through_the_pager(app: Versioned, tmp_path: Path) -> None:
    app.sql(EDIT)
    seen = tmp_path / "seen"
    assert b"SECOND" not in _on_a_terminal(app, ["diff"], PAGER=f"cat > {seen}")
    assert "SECOND" in seen.read_text()
    assert "\x1b[" in seen.read_text()
    assert b"SECOND" in _on_a_terminal(app, ["diff"], PAGER="cat")
    assert b"SECOND" in _on_a_terminal(app, ["diff", "--no-pager"], PAGER="false")
    assert b"Traceback" not in _on_a_terminal(app, ["diff"], PAGER="true")  # it reads nothing and is gone


def _on_a_terminal(app: Versioned, words: list[str], **environment: str) -> bytes:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "isovc", "-C", str(app.path), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        said += piece
    process.wait()
    os.close(ours)
    assert process.returncode == 0, said
    return said


def test_a_table_whose_column_was_renamed_too_is_the_same_table(app: Versioned) -> None:
    app.sql("ALTER TABLE notes RENAME TO papers; ALTER TABLE papers RENAME COLUMN title TO name")
    app.sql("UPDATE papers SET body = 'x' WHERE id = 1")
    found = app.json("diff")
    assert found["renamed"] == {"tables": {"notes": "papers"}, "columns": {"papers": {"title": "name"}}}
    assert _keys(app) == [("papers", "modified", 1)]
    app.sql("DROP TABLE papers; CREATE TABLE papers (one INTEGER PRIMARY KEY, two, three)")
    app.sql("INSERT INTO papers VALUES (1, 'one', 'x'), (2, 'two', 'second'), (3, 'three', 'third')")
    assert app.json("diff")["renamed"]["tables"] == {}
