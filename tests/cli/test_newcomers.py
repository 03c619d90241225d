"""What people try first, before they have read anything."""

from __future__ import annotations

from tests.versioned import Versioned


def test_undo_after_an_update_says_what_takes_the_update_back(app: Versioned) -> None:
    app.sql("UPDATE notes SET title = 'gone'")
    told = app.ok("undo")
    assert told.endswith(
        "The rows stay, as a commit changes none. To take back what another program wrote:\n"
        "  isovc redo && isovc checkout HEAD -t TABLE\n"
    )
    app.ok("redo")
    app.ok("checkout", "HEAD", "-t", "notes")
    assert app.rows("SELECT title FROM notes ORDER BY id") == [("one",), ("two",), ("three",)]
    assert "The rows stay" not in app.ok("undo")  # that one changed rows, and they came back


def test_a_table_where_a_version_is_meant_is_told_the_option(app: Versioned) -> None:
    app.sql('CREATE TABLE "my tags"(x)')
    app.ok("commit", "-m", "a name with a space")
    for table, quoted in (("notes", "notes"), ("my tags", "'my tags'")):
        ended = app.run("checkout", table)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == (
            f"error: there is no version {table}: that is a table\n"
            f"hint: isovc checkout HEAD -t {quoted} takes it as the last version has it\n"
        )


def test_reset_hard_alone_goes_to_the_last_version(app: Versioned) -> None:
    app.sql("DELETE FROM notes")
    app.ok("reset", "--hard")
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]
    app.ok("undo")
    assert app.rows("SELECT count(*) FROM notes") == [(0,)]
