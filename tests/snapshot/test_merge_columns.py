"""A column that came with a default: the table is not written anew, and every row holds what it held."""

from __future__ import annotations

import pytest

from isovc.model import Column
from isovc.sources.sqlite import constant_defaults
from tests.versioned import Versioned

ROOT_PAGE = "SELECT rootpage FROM sqlite_schema WHERE name = 'notes'"
ROWS = "SELECT *, typeof(more) FROM notes ORDER BY id"


@pytest.mark.parametrize(
    "definition",
    [
        "more DEFAULT 5",
        "more TEXT DEFAULT 5",
        "more REAL NOT NULL DEFAULT -5",
        "more DEFAULT x'00ff'",
        "more DEFAULT 'it''s'",
        "more DEFAULT NULL",
        "more, other DEFAULT 7, double AS (other + 1)",
    ],
)
def test_a_column_with_a_default_comes_and_only_rows_that_differ_are_written(app: Versioned, definition: str) -> None:
    first, *others = definition.split(", ")
    app.sql(
        f"ALTER TABLE notes ADD COLUMN {first}" + "".join(f"; ALTER TABLE notes ADD COLUMN {each}" for each in others)
    )
    null = "3" if "NOT NULL" in definition else "NULL"
    app.sql(f"UPDATE notes SET more = {null} WHERE id = 1; UPDATE notes SET more = 9, body = 'z' WHERE id = 2")
    app.sql("INSERT INTO notes (id, title) VALUES (0, 'zero'), (9, 'nine')")
    rows = app.rows(ROWS)
    app.commit("added")
    app.ok("checkout", "HEAD~1")
    app.sql("INSERT INTO notes (id, title) VALUES (5, 'gone'), (50, 'gone')")
    page = app.rows(ROOT_PAGE)
    app.sql("CREATE TABLE further (a)")  # a table made anew would begin on another page
    app.ok("switch", "main")
    assert app.rows(ROWS) == rows
    assert app.rows(ROOT_PAGE) == page
    assert app.check() == "ok"
    assert app.json("status", "--verify")["clean"]


@pytest.mark.parametrize(
    ("declared", "default", "strict", "value"),
    [
        ("", "5", False, (5,)),
        ("TEXT", "5", False, ("5",)),
        ("REAL", "5", False, (5.0,)),
        ("", "TRUE", False, (1,)),
        ("", None, False, (None,)),
        ("ANY", "'5'", True, ("5",)),
        ("", "CURRENT_TIMESTAMP", False, None),
        ("", "random()", False, None),
        ("INTEGER", "'x'", True, None),
        ("", "5); DROP TABLE t; --", False, None),
        ("INT; DROP TABLE t", "5", False, None),
    ],
)
def test_what_rows_get_that_were_there(
    declared: str, default: str | None, strict: bool, value: tuple[object, ...] | None
) -> None:
    found = constant_defaults([Column("c", declared, default=default)], strict=strict)
    assert repr(found) == repr(value)
