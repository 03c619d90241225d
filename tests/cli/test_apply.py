"""`isovc apply`: all of a patch or nothing, and back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.versioned import ROOT, Versioned

EDIT = (
    "UPDATE notes SET body = 'SECOND' WHERE id = 2; DELETE FROM notes WHERE id = 3;"
    "INSERT INTO notes VALUES(9, NULL, x'00ff'); ALTER TABLE tags RENAME TO labels;"
    "CREATE INDEX by_title ON notes(title); PRAGMA user_version = 3"
)
LINE = '{"table":"notes","op":"modified","key":[%s],"before":{"body":"%s"},"after":{"body":"%s"}}\n'


def _patch(app: Versioned, form: str, *words: str) -> str:
    """A patch of what is uncommitted, which is taken back."""
    path = app.path.with_name(f"patch.{form}")
    path.write_text(app.ok("diff", *words, "--format", form), encoding="utf-8", newline="")
    app.ok("reset", "--hard", "HEAD")
    return path.name


@pytest.mark.parametrize("form", ["jsonl", "sql"])
def test_there_and_back(app: Versioned, form: str) -> None:
    app.sql(EDIT)
    wanted = app.dump()
    patch = _patch(app, form)
    before = app.dump()
    would = app.json("apply", "--dry-run", patch)
    assert (would["dry_run"], app.clean) == (True, True)
    done = app.json("apply", patch)
    assert {**done, "dry_run": True} == would
    assert done["tables"]["notes"] == {"added": 1, "modified": 1, "removed": 1}
    assert sorted(app.dump().splitlines()) == sorted(wanted.splitlines())
    assert app.rows("PRAGMA user_version") == [(3,)]
    app.ok("undo")
    assert sorted(app.dump().splitlines()) == sorted(before.splitlines())
    app.ok("redo")
    app.ok("apply", "--reverse", patch)
    assert app.clean
    assert app.json("op", "log")[0]["command"] == "apply"


@pytest.mark.parametrize("form", ["jsonl", "sql"])
def test_a_name_that_stands_on_another_table(app: Versioned, form: str) -> None:
    app.sql(
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x); CREATE INDEX by_x ON a(x);"
        "CREATE TRIGGER t AFTER UPDATE ON a BEGIN DELETE FROM a; END"
    )
    app.commit()
    app.sql("ALTER TABLE a ADD COLUMN y; ALTER TABLE a RENAME TO b")
    wanted = app.dump()
    patch = _patch(app, form)
    app.ok("apply", patch)
    assert sorted(app.dump().splitlines()) == sorted(wanted.splitlines())
    app.ok("apply", "--reverse", patch)
    assert app.clean


def test_what_hangs_on_a_table_that_goes_is_told(app: Versioned) -> None:
    app.sql("DROP TABLE tags")
    patch = _patch(app, "jsonl")
    app.sql("CREATE INDEX one_more ON tags(tag)")
    app.commit()
    assert app.refused("apply", patch) == "patch-does-not-fit"
    line = {"op": "added", "type": "index", "name": "i", "table": "nowhere", "before": None}
    text = json.dumps({"schema": {**line, "after": "CREATE INDEX i ON nowhere(x)"}})
    app.path.with_name("own.jsonl").write_text(text + "\n", encoding="utf-8")
    assert app.refused("apply", "own.jsonl") == "patch-does-not-fit"
    assert app.clean


@pytest.mark.parametrize("form", ["jsonl", "sql"])
def test_rows_it_does_not_speak_of_may_differ(app: Versioned, form: str) -> None:
    app.sql("UPDATE notes SET body = 'SECOND' WHERE id = 2")
    patch = _patch(app, form)
    app.sql("UPDATE notes SET body = 'mine' WHERE id = 1; INSERT INTO notes VALUES(50, 'mine', '')")
    app.ok("apply", patch)
    assert app.rows("SELECT body FROM notes") == [("mine",), ("SECOND",), ("third",), ("",)]


MISFITS = {
    "changed": ("UPDATE notes SET body = 'mine' WHERE id = 2", "body of the row notes 2 is another"),
    "gone": ("DELETE FROM notes WHERE id = 2", "the row notes 2 is not there"),
    "there": ("INSERT INTO notes VALUES(9, 'x', 'y')", "the row notes 9 is there already"),
    "class": ("UPDATE notes SET body = x'7365636f6e64' WHERE id = 2", "body of the row notes 2 is another"),
    "table": ("ALTER TABLE tags ADD COLUMN mine", "the table tags is defined otherwise"),
    "no table": ("DROP TABLE tags", "there is no table tags"),
    "name": ("CREATE TABLE labels(a)", "there is a table labels already"),
    "index": ("CREATE INDEX by_title ON notes(body)", "there is a index by_title already"),
    "pragma": ("PRAGMA user_version = 8", "the pragma user_version is 8, not 0"),
}


@pytest.mark.parametrize("form", ["jsonl", "sql"])
@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_named_and_nothing_is_changed(app: Versioned, form: str, misfit: str) -> None:
    app.sql(EDIT)
    patch = _patch(app, form)
    edit, said = MISFITS[misfit]
    app.sql(edit)
    before, operations = app.dump(), app.json("op", "log")
    assert app.refused("apply", patch) == "patch-does-not-fit"
    assert said in app.run("apply", patch).err
    assert app.refused("apply", "--dry-run", patch) == "patch-does-not-fit"
    assert (app.dump(), app.json("op", "log")) == (before, operations)


@pytest.mark.needs("sqlite3")
@pytest.mark.parametrize("misfit", [each for each in MISFITS if each != "pragma"])  # SQL cannot ask for it
@pytest.mark.parametrize("bail", [True, False])
def test_the_shell_takes_everything_back_too(app: Versioned, misfit: str, bail: bool) -> None:
    app.sql(EDIT)
    patch = app.path.with_name(_patch(app, "sql"))
    app.sql(MISFITS[misfit][0])
    before = app.dump()
    words = ["sqlite3", *(["-bail"] if bail else []), app.path]
    done = subprocess.run(words, input=patch.read_bytes(), capture_output=True, check=False)
    assert done.returncode
    assert app.dump() == before


@pytest.mark.needs("sqlite3")
@pytest.mark.parametrize("bail", [True, False])
@pytest.mark.parametrize(
    "edit",
    ["ALTER TABLE notes ADD COLUMN c INT NOT NULL DEFAULT 7", "DROP TABLE notes", "ALTER TABLE notes DROP COLUMN body"],
)
@pytest.mark.parametrize(
    "extra",
    [
        "CREATE INDEX extra ON Notes(title)",
        "CREATE TRIGGER extra AFTER INSERT ON notes BEGIN SELECT 1; END",
    ],
)
def test_the_shell_drops_nothing_that_the_patch_does_not_know(
    app: Versioned, edit: str, extra: str, bail: bool
) -> None:
    app.sql(edit)
    patch = app.path.with_name(_patch(app, "sql"))
    app.ok("reset", "--hard", "HEAD")
    app.sql(extra)
    before = app.dump()
    words = ["sqlite3", *(["-bail"] if bail else []), app.path]
    done = subprocess.run(words, input=patch.read_bytes(), capture_output=True, check=False)
    assert done.returncode
    assert app.dump() == before


def test_from_the_standard_input(app: Versioned) -> None:
    app.sql("UPDATE notes SET body = 'x' WHERE id = 1")
    patch = app.path.with_name(_patch(app, "jsonl"))
    words = [sys.executable, "-m", "isovc", "-C", str(app.path), "apply", "-"]
    done = subprocess.run(
        words, input=patch.read_bytes(), env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert done.returncode == 0, done
    assert app.rows("SELECT body FROM notes WHERE id = 1") == [("x",)]


def test_a_patch_that_somebody_wrote(app: Versioned) -> None:
    """In any order; only the cells that matter; values as SQLite would take them."""
    patch = app.path.with_name("p.jsonl")
    patch.write_text(
        LINE % (3, "third", "3rd")
        + '{"table":"tags","op":"added","key":[70],"before":null,"after":{"note":"5","tag":6}}\n\n'
        + LINE % (1, "first", "1st")
        + '{"table":"notes","op":"removed","key":[2],"before":{"title":"two"},"after":null}\n'
    )
    app.ok("apply", "p.jsonl")
    assert app.rows("SELECT id, body FROM notes") == [(1, "1st"), (3, "3rd")]
    assert app.rows("SELECT rowid, note, tag FROM tags WHERE rowid > 2") == [(70, 5, "6")]
    status = app.json("status")
    assert app.json("status", "--verify") == status  # what is noted is what is there


SECOND_STATEMENT = (
    '{"schema":{"op":"added","type":"view","name":"x","before":null,'
    '"after":"CREATE VIEW x AS SELECT 1; DELETE FROM notes"}}'
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("nonsense", "no-patch"),
        ("{}", "no-patch"),
        (LINE % (1, "first", "x") + LINE % (1, "first", "y"), "no-patch"),
        (LINE % ('"1"', "first", "x"), "patch-does-not-fit"),
        ('{"table":"nowhere","op":"added","key":[1],"before":null,"after":{"a":1}}', "patch-does-not-fit"),
        ('{"table":"notes","op":"added","key":[7],"before":null,"after":{"nope":1}}', "no-such-column"),
        ('{"table":"notes","op":"added","key":[7],"before":null,"after":{"id":8}}', "patch-does-not-fit"),
        (
            '{"table":"notes","op":"added","key":["x"],"before":null,"after":{"id":"x","title":null,"body":null}}',
            "row-refused",
        ),
        ('{"schema":{"op":"added","type":"table","name":"x","before":null,"after":"DROP TABLE notes"}}', None),
        ('{"schema":{"op":"added","type":"index","name":"x","table":"notes","before":null,"after":"ATTACH x"}}', None),
        (SECOND_STATEMENT, None),
        ('{"schema":{"op":"modified","type":"pragma","name":"journal_mode","before":0,"after":1}}', None),
        ('{"schema":{"op":"added","type":"table","name":"x","before":null,"after":"CREATE TABLE y(a)"}}', None),
    ],
)
def test_bad_input_changes_nothing(app: Versioned, text: str, what: str | None) -> None:
    before, operations = app.dump(), app.json("op", "log")
    app.path.with_name("p.jsonl").write_text(text)
    found = app.refused("apply", "p.jsonl")
    assert what is None or found == what
    assert (app.dump(), app.json("op", "log"), app.clean) == (before, operations, True)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1" + "0" * 400 + ".0"])
def test_a_number_that_is_none_is_refused(app: Versioned, number: str) -> None:
    before = app.dump()
    row = '{"table":"tags","op":"added","key":[%d],"before":null,"after":{"note":1,"tag":%s}}\n'
    app.path.with_name("p.jsonl").write_text(row % (8, '"x"') + row % (9, number))
    assert app.refused("apply", "p.jsonl") == "no-patch"
    sign = "-" if number.startswith("-") else ""
    said = f'is no number that a cell can hold; an infinity is {{"$real":"{sign}inf"}}'
    assert f"line 2 of p.jsonl is no patch: {number[:40]} {said}" in app.run("apply", "p.jsonl").err
    assert app.dump() == before
    app.path.with_name("p.jsonl").write_text(row % (9, f'{{"$real":"{sign}inf"}}'))
    app.ok("apply", "p.jsonl")
    assert app.rows("SELECT tag FROM tags WHERE rowid = 9") == [(f"{sign}Inf",)]


def test_a_column_that_is_not_there_is_named_with_its_line(app: Versioned) -> None:
    path = app.path.with_name("p.jsonl")
    row = '{"table":"notes","op":"modified","key":[%d],"before":%s,"after":%s}\n'
    good = row % (3, "{}", "{}") + "\n" + row % (1, "{}", "{}")
    path.write_text(good + row % (2, '{"title":"two"}', '{"titel":"x"}'))
    assert app.refused("apply", "p.jsonl") == "no-such-column"
    said = "line 4 of p.jsonl: there is no column 'titel' in the table notes\nhint: columns: id, title, body"
    assert said in app.run("apply", "p.jsonl").err
    path.write_text(good + row % (2, '{"titel":"two"}', '{"title":"x"}'))
    assert said in app.run("apply", "p.jsonl").err
    path.write_text(good + row % (2, '{"titel":"x"}', '{"title":"two"}'))  # the way back of it fits
    assert said in app.run("apply", "--dry-run", "--reverse", "p.jsonl").err
    # a patch in SQL, on lines of its own
    app.sql("ALTER TABLE notes RENAME COLUMN body TO text; UPDATE notes SET text = 'a' || char(10) || 'b'")
    app.commit()
    app.sql("UPDATE notes SET text = 'c' WHERE id = 3")
    path.write_text(patch := app.ok("diff", "--format", "sql"))
    app.ok("reset", "--hard", "HEAD~1")
    number = 1 + next(at for at, line in enumerate(patch.splitlines()) if line.startswith('UPDATE "notes"'))
    assert f"line {number} of p.jsonl: there is no column 'text'" in app.run("apply", "p.jsonl").err


def test_files_that_are_none(app: Versioned) -> None:
    assert app.refused("apply", "nowhere.jsonl") == "not-found"
    assert app.refused("apply", ".") == "not-a-file"
    app.path.with_name("empty").touch()
    assert "changes nothing" in app.ok("apply", "empty")
    assert app.json("op", "log")[0]["command"] != "apply"


def test_a_table_is_not_dropped_with_rows_the_patch_does_not_know(app: Versioned) -> None:
    app.sql("DROP TABLE tags")
    patch = _patch(app, "jsonl")
    app.sql("INSERT INTO tags VALUES(3, 'mine')")
    assert "1 rows of tags are not in the patch and would be lost" in app.run("apply", patch).err
    assert app.rows("SELECT count(*) FROM tags") == [(3,)]


def test_broken_foreign_keys(app: Versioned) -> None:
    app.sql("CREATE TABLE child(id INTEGER PRIMARY KEY, note REFERENCES notes)")
    app.commit()
    app.sql("INSERT INTO child VALUES(1, 3)")
    patch = _patch(app, "jsonl")
    app.sql("DELETE FROM notes WHERE id = 3")
    assert app.refused("apply", patch) == "foreign-keys-broken"
    assert app.rows("SELECT * FROM child") == []
    app.ok("apply", "--allow-broken-keys", patch)
    assert app.rows("SELECT * FROM child") == [(1, 3)]


def test_a_rule_of_the_table_is_kept(app: Versioned) -> None:
    app.sql("CREATE TABLE u(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL); INSERT INTO u VALUES(1, 'a')")
    app.commit()
    app.sql("INSERT INTO u VALUES(2, 'b')")
    patch = _patch(app, "sql")
    app.sql("INSERT INTO u VALUES(3, 'b')")
    assert app.refused("apply", patch) == "row-refused"
    assert app.rows("SELECT id FROM u") == [(1,), (3,)]


@pytest.mark.parametrize("form", ["jsonl", "sql"])
def test_values_that_trade_places(app: Versioned, form: str) -> None:
    app.sql("CREATE TABLE u(id INTEGER PRIMARY KEY, name UNIQUE); INSERT INTO u VALUES(1, 'a'), (2, 'b')")
    app.commit()
    app.sql(
        "UPDATE u SET name = 'x' WHERE id = 1; UPDATE u SET name = 'a' WHERE id = 2;"
        "UPDATE u SET name = 'b' WHERE id = 1"
    )
    patch = _patch(app, form)
    copy = app.at(app.path.with_name("copy.db"))
    shutil.copy(app.path, copy.path)
    app.ok("apply", patch)
    assert app.rows("SELECT name FROM u ORDER BY id") == [("b",), ("a",)]
    if form == "sql":
        script = app.path.with_name(patch).read_bytes()
        subprocess.run(["sqlite3", "-bail", copy.path], input=script, check=True)
        assert copy.rows("SELECT name FROM u ORDER BY id") == [("b",), ("a",)]


def test_part_of_a_difference(app: Versioned) -> None:
    app.sql(EDIT.replace("ALTER TABLE tags RENAME TO labels;", "DELETE FROM tags;"))
    path = app.path.with_name("p.sql")
    path.write_text(app.ok("diff", "-t", "notes", "--where", "id = 2", "--format", "sql"), newline="")
    app.ok("reset", "--hard", "HEAD")
    copy = app.path.with_name("copy.db")
    shutil.copy(app.path, copy)
    app.ok("apply", "p.sql")
    assert app.rows("SELECT body FROM notes") == [("first",), ("SECOND",), ("third",)]
    assert {each["name"] for each in json.loads(app.ok("status", "--json"))["schema"]} == {"by_title"}
    subprocess.run(["sqlite3", "-bail", copy], input=path.read_bytes(), check=True)
    assert sorted(app.at(copy).dump().splitlines()) == sorted(app.dump().splitlines())


def test_a_large_patch_streams(app: Versioned) -> None:
    app.sql(
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " INSERT INTO notes SELECT i, 'x' || i, hex(randomblob(8)) FROM n"
    )
    app.commit()
    app.sql("UPDATE notes SET title = 'y' WHERE id % 3 = 0; DELETE FROM notes WHERE id % 7 = 0")
    wanted = app.dump()
    for form in ("jsonl", "sql"):
        patch = _patch(app, form)
        app.ok("apply", patch)
        assert app.dump() == wanted


def test_a_new_row_of_which_the_patch_shows_a_part_is_refused(app: Versioned, tmp_path: Path) -> None:
    app.sql("INSERT INTO notes VALUES(50, 'new', 'whole')")
    patch = tmp_path / "part.jsonl"
    patch.write_text(app.ok("diff", "--columns", "body", "--format", "jsonl"), encoding="utf-8")
    app.ok("stash", "push")
    before = app.dump()
    ended = app.run("apply", str(patch))
    assert ended.code == 1
    assert "notes 50 is new and says no title" in ended.err
    assert app.dump() == before
