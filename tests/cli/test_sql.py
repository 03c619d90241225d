"""`isovc sql`: what there is to be asked, what is refused, and every form of the answer."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from isovc.workspace.own_tables import OWN
from tests.versioned import ROOT, Versioned

EDIT = (
    "UPDATE notes SET body = 'SECOND' WHERE id = 2; DELETE FROM notes WHERE id = 3;"
    "INSERT INTO notes VALUES(9, NULL, x'00ff'); CREATE TABLE later(x)"
)


@pytest.fixture
def edited(app: Versioned) -> Versioned:
    """Two versions, and uncommitted changes."""
    app.sql(EDIT)
    app.commit("second")
    app.sql("UPDATE notes SET title = 'now' WHERE id = 1")
    return app


def _ask(app: Versioned, query: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.json("sql", query, *words)
    return found


# -- which version -----------------------------------------------------------------------------------------------------


def test_without_a_revision_the_live_database_is_asked(edited: Versioned) -> None:
    assert _ask(edited, "SELECT title FROM notes WHERE id = 1") == [{"title": "now"}]
    with edited.held("BEGIN IMMEDIATE"):  # somebody else is about to write
        assert _ask(edited, "SELECT count(*) AS n FROM notes") == [{"n": 3}]


@pytest.mark.parametrize("at", ["HEAD~1", "main~1", "@{1}"])
def test_any_version_is_asked_without_checking_it_out(edited: Versioned, at: str) -> None:
    before = edited.path.read_bytes()
    query = "SELECT id, body FROM notes ORDER BY id DESC"
    assert [row["body"] for row in _ask(edited, query, "--at", at)] == ["third", "second", "first"]
    assert _ask(edited, query, "--at", "HEAD")[0] == {"id": 9, "body": {"$blob": "AP8="}}
    assert _ask(edited, query, "--at", "WORK") == _ask(edited, query)
    assert edited.path.read_bytes() == before


def test_a_time_is_a_version_too(edited: Versioned) -> None:
    assert len(_ask(edited, "SELECT * FROM notes", "--at", "now")) == 3
    assert edited.refused("sql", "SELECT 1", "--at", "2 years ago") == "before-history"
    assert edited.refused("sql", "SELECT 1", "--at", "no such thing at all", code=2) == "bad-revision"
    assert edited.refused("sql", "SELECT 1", "--at", "nowhere") == "no-such-revision"
    for text in ("2026-13-01", "2026-11-21 25:00", "2026-11-21T19:00:00 XYZ", "12:00"):
        assert edited.refused("sql", "SELECT 1", "--at", text, code=2) == "bad-time", text
    for words in (("sql", "SELECT 1"), ("shell",)):
        assert edited.refused(*words, "--at", "", code=2) == "bad-revision"


def test_the_empty_version_has_no_tables(edited: Versioned) -> None:
    assert _ask(edited, "SELECT 1 AS one, count(*) AS n FROM tables", "--at", "EMPTY") == [{"one": 1, "n": 0}]


def test_another_version_of_a_table_stands_beside(edited: Versioned) -> None:
    query = (
        'SELECT n.id, old.body FROM notes n JOIN "notes@HEAD~1" old USING (id) WHERE n.body <> old.body'
        " AND old.body <> 'nobody@example.com'"
    )
    for at in ("HEAD", "WORK", "main"):
        assert _ask(edited, query, "--at", at) == [{"id": 2, "body": "second"}]
    assert _ask(edited, 'SELECT count(*) AS n FROM "notes@@{now}"') == [{"n": 3}]
    assert edited.refused("sql", 'SELECT * FROM "notes@nowhere"') == "no-such-revision"
    assert edited.refused("sql", 'SELECT * FROM "later@HEAD~1"') == "no-such-table"


def test_looking_at_the_past_asks_what_was_there_then(edited: Versioned) -> None:
    operation = edited.json("op", "log")[1]["id"]
    assert _ask(edited, "SELECT count(*) AS n FROM notes WHERE body = 'third'", "--at-op", operation) == [{"n": 1}]


# -- tables of ours ----------------------------------------------------------------------------------------------------


def test_commits_are_those_that_lead_to_the_version(edited: Versioned) -> None:
    assert [row["message"] for row in _ask(edited, "SELECT message FROM commits")] == ["second", "first"]
    assert [row["message"] for row in _ask(edited, "SELECT message FROM commits", "--at", "HEAD~1")] == ["first"]
    assert _ask(edited, "SELECT count(*) AS n FROM commits('HEAD~1')") == [{"n": 1}]
    logged = edited.json("log")
    query = "SELECT id AS 'commit', author, message, json_extract(parents, '$[0]') AS p FROM commits"
    for one, other in zip(_ask(edited, query), logged, strict=True):
        assert (one["commit"], one["author"], one["message"]) == (other["commit"], other["author"], other["message"])
        assert one["p"] == next(iter(other["parents"]), None)
    assert _ask(edited, "SELECT count(*) AS n FROM commits WHERE datetime(time) > '2000-01-01'") == [{"n": 2}]


def test_tables_of_a_version(edited: Versioned) -> None:
    assert _ask(edited, "SELECT name, rows, key FROM tables") == [
        {"name": "later", "rows": 0, "key": '["rowid"]'},
        {"name": "notes", "rows": 3, "key": '["id"]'},
        {"name": "tags", "rows": 2, "key": '["rowid"]'},
    ]
    assert [row["name"] for row in _ask(edited, "SELECT name FROM tables('HEAD~1')")] == ["notes", "tags"]


def test_a_difference_has_the_columns_of_its_table(edited: Versioned) -> None:
    assert _ask(edited, "SELECT * FROM diff('notes', 'HEAD~1', 'HEAD')") == [
        {
            "op": op,
            "id": number,
            "before_title": before[0],
            "after_title": after[0],
            "before_body": before[1],
            "after_body": after[1],
        }
        for op, number, before, after in [
            ("modified", 2, ("two", "second"), ("two", "SECOND")),
            ("removed", 3, ("three", "third"), (None, None)),
            ("added", 9, (None, None), (None, {"$blob": "AP8="})),
        ]
    ]
    assert [row["op"] for row in _ask(edited, "SELECT op FROM diff('notes')")] == ["modified"]
    query = "SELECT after->>'title' AS now, key FROM diff('NOTES', 'HEAD')"
    assert _ask(edited, query) == [{"now": "now", "key": "[1]"}]
    # a table that is named by a parameter has the same rows as JSON
    words = ("SELECT * FROM diff(:t, 'HEAD~1', 'HEAD') WHERE op = 'added'", "-p", "t=notes")
    assert _ask(edited, *words)[0]["key"] == "[9]"
    assert edited.refused("sql", "SELECT * FROM diff('nothing')") == "no-such-table"
    assert edited.refused("sql", "SELECT * FROM diff", code=2) == "bad-query"


def test_a_difference_has_a_renamed_column_under_its_newer_name(app: Versioned) -> None:
    app.sql("ALTER TABLE notes RENAME COLUMN body TO text; ALTER TABLE notes ADD COLUMN more")
    app.sql("UPDATE notes SET text = 'x', more = 1 WHERE id = 2")
    app.commit()
    title = {"before_title": "two", "after_title": "two"}
    text = {"before_text": "second", "after_text": "x", "before_more": None, "after_more": 1}
    row = {"op": "modified", "id": 2, **title}
    assert _ask(app, "SELECT * FROM diff('notes', 'HEAD~1', 'HEAD')") == [{**row, **text}]
    back = {"before_more": 1, "after_more": None, "before_body": "x", "after_body": "second"}
    assert _ask(app, "SELECT * FROM diff('notes', 'HEAD', 'HEAD~1')") == [{**row, **back}]
    # a table that has another name by now goes by both, and a column that is gone keeps its name
    app.sql("ALTER TABLE notes RENAME TO n; UPDATE n SET text = 'y' WHERE id = 1")
    for name in ("n", "notes"):
        found = _ask(app, f"SELECT op, before_text, after_text FROM diff('{name}')")
        assert found == [{"op": "modified", "before_text": "first", "after_text": "y"}]
    app.commit()
    app.sql("ALTER TABLE n DROP COLUMN title")
    assert _ask(app, "SELECT before_title, after_title FROM diff('n') WHERE id = 1") == [
        {"before_title": "one", "after_title": None}
    ]


def test_a_table_of_the_database_comes_before_ours(edited: Versioned) -> None:
    edited.sql("CREATE TABLE commits(mine); INSERT INTO commits VALUES('m')")
    edited.commit("third")
    for at in ((), ("--at", "HEAD")):
        assert _ask(edited, "SELECT * FROM commits", *at) == [{"mine": "m"}]
        assert _ask(edited, "SELECT count(*) AS n FROM isovc_commits", *at) == [{"n": 3}]
        assert "isovc_commits(" in edited.run("sql", "SELECT * FROM commits('HEAD')", *at).err
        assert "did you mean commits?" in edited.run("sql", "SELECT * FROM commit_", *at).err


def test_every_table_of_ours_is_explained(app: Versioned) -> None:
    text = app.ok("help", "sql")
    assert [name for name in OWN if name not in text] == []


# -- what is refused ---------------------------------------------------------------------------------------------------

WRITES = [
    "INSERT INTO notes VALUES(99, 'x', 'y')",
    "UPDATE notes SET title = 'x'",
    "DELETE FROM notes",
    "WITH gone AS (SELECT 1) DELETE FROM notes",
    "REPLACE INTO notes VALUES(1, 'x', 'y')",
    "CREATE TABLE made(x)",
    "CREATE TEMP TABLE made(x)",
    "CREATE TEMP VIEW made AS SELECT 1",
    "CREATE VIRTUAL TABLE made USING fts5(x)",
    "DROP TABLE notes",
    "ALTER TABLE notes ADD COLUMN x",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SAVEPOINT s",
    "PRAGMA user_version = 5",
    "PRAGMA journal_mode = WAL",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA wal_checkpoint",
    "SELECT load_extension('x')",
    "SELECT fts3_tokenizer('simple')",
    "EXPLAIN DELETE FROM notes",
]


@pytest.mark.parametrize("at", [(), ("--at", "HEAD")], ids=["live", "HEAD"])
@pytest.mark.parametrize("query", WRITES)
def test_what_would_change_anything_is_refused(app: Versioned, query: str, at: tuple[str, ...]) -> None:
    before, files = app.dump(), sorted(os.listdir(app.path.parent))
    assert app.refused("sql", query, *at, code=2) == "only-reads"
    assert (app.dump(), sorted(os.listdir(app.path.parent))) == (before, files)


BAD = {
    "": "bad-query",
    " -- nothing\n;;": "bad-query",
    "SELECT": "bad-query",
    "SELEKT 1": "bad-query",
    "SELECT nothing FROM notes": "bad-query",
    "SELECT writefile('x', 'y')": "bad-query",
    "SELECT * FROM notes WHERE id = :x": "bad-parameter",
    "SELECT ?": "bad-parameter",
    "SELECT json('{')": "bad-query",
    "SELECT abs(-9223372036854775808)": "bad-query",
    "SELECT 1 LIMIT 'x'": "bad-query",
    "SELECT 1; SELECT 2": "several-statements",
    "SELECT * FROM pragma_nothing": "no-such-table",
    "SELECT 'unfinished": "bad-query",
}


@pytest.mark.parametrize("at", [(), ("--at", "HEAD")], ids=["live", "HEAD"])
@pytest.mark.parametrize("query", BAD)
def test_a_bad_query_is_one_sentence(app: Versioned, query: str, at: tuple[str, ...]) -> None:
    code = 1 if BAD[query] == "no-such-table" else 2
    assert app.refused("sql", query, *at, code=code) == BAD[query]


def test_a_table_that_is_not_there_is_told_with_what_is(edited: Versioned) -> None:
    assert "did you mean notes" in edited.run("sql", "SELECT * FROM nots").err
    ended = edited.run("sql", "SELECT * FROM later", "--at", "HEAD~1")
    assert ended.code == 1
    assert "no table 'later' in HEAD~1" in ended.err
    assert "--at HEAD" in ended.err
    edited.sql("DROP TABLE later")
    assert "HEAD has it" in edited.run("sql", "SELECT * FROM later").err
    edited.sql("CREATE TABLE newer(x)")
    edited.ok("status")
    assert "leave --at out" in edited.run("sql", "SELECT * FROM main.newer", "--at", "HEAD").err


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "--csv"),
        ("--csv", "--format", "jsonl"),
        ("--format", "parquet"),
        ("-p", "x"),
        ("-p", "=5"),
        ("-p", "x=5"),
        ("--format", "xml"),
        ("--json", "-o", "file"),
    ],
)
def test_options_that_make_no_sense_are_refused(app: Versioned, words: tuple[str, ...]) -> None:
    assert app.run("sql", "SELECT 1", *words).code == 2


# -- parameters and forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("5", 5),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("007", 7),
        ("'007'", "007"),
        ("it's", "it's"),
        ("'it''s'", "it's"),
        ("", ""),
        ("a=b", "a=b"),
        ("null", None),
        ("x'00ff'", {"$blob": "AP8="}),
        ("9223372036854775808", 9.223372036854776e18),
    ],
)
def test_a_parameter_is_a_number_or_text(app: Versioned, typed: str, value: object) -> None:
    assert _ask(app, "SELECT :x AS x", "-p", f"x={typed}") == [{"x": value}]
    assert _ask(app, "SELECT $x AS x, @x AS y, id FROM notes LIMIT 1", "--at", "HEAD", "-p", f":x={typed}") == [
        {"x": value, "y": value, "id": 1}
    ]


def test_json_tells_columns_of_one_name_apart(app: Versioned) -> None:
    assert _ask(app, "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a") == [{"a": 1, "a_3": 2, "a_2": 3, "a_4": 4}]
    assert _ask(app, "SELECT 1 WHERE 0") == []


ALL = "SELECT NULL AS n, '' AS e, 'a,\"b\"' AS q, 'x\ny' AS l, x'00ff' AS b, 9e999 AS i, 1.0 AS f, 'ä🙂' AS u"


def test_csv_comes_back(app: Versioned) -> None:
    text = app.ok("sql", ALL, "--csv")
    assert text.endswith('\r\n,"","a,""b""","x\ny",x\'00ff\',inf,1.0,ä🙂\r\n')
    assert list(csv.reader(io.StringIO(text, newline="")))[1] == [
        "",
        "",
        'a,"b"',
        "x\ny",
        "x'00ff'",
        "inf",
        "1.0",
        "ä🙂",
    ]


def test_json_lines(app: Versioned) -> None:
    lines = app.ok("sql", "SELECT id FROM notes", "--format", "jsonl").splitlines()
    assert list(map(json.loads, lines)) == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_table_is_aligned(app: Versioned) -> None:
    app.sql("INSERT INTO notes VALUES(1000, '日本', NULL), (1001, 'a\tb', 'x\ny')")
    assert app.ok("sql", "SELECT id, title, body FROM notes WHERE id > 2; SELECT 1 AS one").splitlines() == [
        "id    title  body",
        "----  -----  -----",
        "   3  three  third",
        "1000  日本   NULL",
        "1001  a\\tb   x\\ny",
        "",
        "one",
        "---",
        "  1",
    ]


def test_a_file_appears_whole_and_replaces_nothing_unasked(app: Versioned, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    app.ok("sql", "SELECT id FROM notes", "--csv", "-o", str(target))
    assert target.read_bytes() == b"id\r\n1\r\n2\r\n3\r\n"
    assert app.run("sql", "SELECT 5 AS x", "--csv", "-o", str(target)).code == 1
    assert app.run("sql", "SELECT abs(-9223372036854775808)", "--csv", "--force", "-o", str(target)).code == 2
    assert target.read_bytes().startswith(b"id")
    app.ok("sql", "SELECT 5 AS x", "-o", str(target), "--force")
    assert target.read_text() == "x\n-\n5\n"
    assert app.run("sql", "SELECT 1", "-o", str(app.path), "--force").code == 1
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]


def test_parquet_needs_its_library(app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    target = tmp_path / "out.parquet"
    ended = app.run("sql", "SELECT 1", "--format", "parquet", "-o", str(target))
    assert ended.code == 1
    assert "pip install 'isovc[parquet]'" in ended.err
    assert not target.exists()


def test_parquet_keeps_every_value_or_refuses(app: Versioned, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "out.parquet"
    query = "SELECT id, title, id * 0.5 AS half, x'00ff' AS b, NULL AS n, iif(id = 2, 1.5, id) AS mixed FROM notes"
    app.ok("sql", query, "--at", "HEAD", "--format", "parquet", "-o", str(target))
    assert parquet.read_table(target).to_pylist()[1] == {
        "id": 2,
        "title": "two",
        "half": 1.0,
        "b": b"\x00\xff",
        "n": None,
        "mixed": 1.5,
    }
    for value in ("iif(id = 2, 'x', id)", "iif(id = 2, 1.5, 9007199254740993)", "CAST(x'ff' AS TEXT)"):
        ended = app.run("sql", f"SELECT {value} AS x FROM notes", "--format", "parquet", "--force", "-o", str(target))
        assert ended.code == 1
        assert "has no place in Parquet" in ended.err


def test_the_query_comes_from_the_standard_input(app: Versioned) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "isovc", "-C", str(app.path), "sql", "-", "--csv"],
        input=b"SELECT 'a;b' AS x -- and; more\n;",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"x\r\na;b\r\n"


def test_text_that_is_not_valid_goes_out_as_it_is(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = CAST(x'63ff' AS TEXT) WHERE id = 2")
    app.commit("bad text")
    for at in ((), ("--at", "HEAD")):
        assert _ask(app, "SELECT id, title FROM notes WHERE id < 3", *at)[1] == {"id": 2, "title": {"$text": "Y/8="}}
        assert _ask(app, "SELECT hex(title) AS h, length(title) AS n FROM notes WHERE id = 2", *at) == [
            {"h": "63FF", "n": 2}
        ]
        done = subprocess.run(
            [sys.executable, "-m", "isovc", "-C", str(app.path), "sql", "SELECT title FROM notes", "--csv", *at],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        assert b"c\xff" in done.stdout


ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"


@pytest.mark.parametrize("at", [(), ("--at", "HEAD")], ids=["live", "HEAD"])
def test_ctrl_c_ends_a_query_that_takes_too_long(app: Versioned, at: tuple[str, ...]) -> None:
    with app.started("sql", ENDLESS, *at) as process:
        while not _computes(process.pid):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in said


def _computes(pid: int) -> bool:
    """Whether a process has used the processor for two seconds: it is past its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) > 2 * os.sysconf("SC_CLK_TCK")


def test_on_a_terminal_long_values_are_cut(app: Versioned) -> None:
    app.sql("UPDATE notes SET body = printf('%.200c', 'x') WHERE id = 2")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "isovc", "-C", str(app.path), "sql", "SELECT id, body FROM notes"]
    with subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}, stdout=theirs) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:
                break
            if not some:
                break
            said += some
        process.wait()
    os.close(ours)
    assert b"x" * 57 + b"..." in said
    assert b"x" * 58 not in said


def test_a_damaged_file_is_told(app: Versioned) -> None:
    with sqlite3.connect(app.path) as database:
        database.execute("PRAGMA user_version")
    database.close()
    data = bytearray(app.path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    app.path.write_bytes(data)
    assert app.run("sql", "SELECT * FROM notes").code in (1, 4)
    assert _ask(app, "SELECT count(*) AS n FROM notes", "--at", "HEAD") == [{"n": 3}]
