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


def test_a_table_where_diff_expects_a_version_is_told_the_option(app: Versioned) -> None:
    ended = app.run("diff", "notes")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "error: there is no version notes: that is a table\nhint: isovc diff -t notes shows what is uncommitted in it\n"
    )
    assert "that is a table" not in app.run("diff", "nots").err


def test_a_message_without_its_option_is_told_the_option(app: Versioned) -> None:
    ended = app.run("commit", "as it was")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[1] == (
        'hint: the message stands behind -m, in quotes: isovc commit -m "what this version is about"'
    )


def test_a_branch_that_is_not_there_can_be_made(app: Versioned) -> None:
    assert app.run("switch", "my-try").err == (
        "error: there is no branch my-try\nhint: isovc branch lists all; isovc switch -c my-try makes it\n"
    )
    app.ok("branch", "experiment")
    assert app.run("switch", "experimnt").err.endswith("hint: did you mean experiment?\n")


def test_words_of_git_are_answered(app: Versioned) -> None:
    for word, help_with in (("add", "isovc commit -m"), ("push", "isovc help patches"), ("reflog", "isovc op log")):
        ended = app.run(word, "x")
        assert (ended.code, ended.err.splitlines()[0]) == (2, f"error: isovc has no command '{word}'")
        assert help_with in ended.err.splitlines()[1]


def test_help_on_a_misspelled_word_says_which_was_meant(app: Versioned) -> None:
    assert app.run("help", "comit").err.endswith("hint: did you mean isovc help commit?\n")
    assert app.run("help", "revisons").err.endswith("hint: did you mean isovc help revisions?\n")


def test_a_first_database_that_is_not_there_is_nothing_to_make_again(app: Versioned) -> None:
    missing = app.path.with_name("missing.db")
    first = app.run("init", str(missing)).err
    assert "isovc makes none" in first and "worktree" not in first
    app.path.rename(missing)
    gone = app.run("status").err
    assert f"isovc worktree add {app.path} BRANCH makes the file of a working copy again" in gone
    app.ok("worktree", "add", str(app.path), "main")
    assert app.rows("SELECT count(*) FROM notes") == [(3,)]


def test_a_setting_is_found_by_its_last_word(app: Versioned) -> None:
    assert app.run("config", "name", "Ada").err.endswith("hint: did you mean user.name?\n")
    assert app.run("config", "author", "Ada").err.endswith("hint: isovc config --list shows all settings\n")


def test_one_operation_is_one(app: Versioned) -> None:
    app.ok("undo")
    assert "only 1 operation can be done again" in app.run("redo", "-n", "9").err
    app.ok("redo")
    assert "only 1 operation of this working copy can be undone" in app.run("undo", "-n", "9").err


def test_no_line_ends_in_blanks(app: Versioned) -> None:
    app.sql("DELETE FROM notes WHERE id = 1")
    for words in (("status",), ("show",), ("checkout", "HEAD", "-t", "notes")):
        assert [line for line in app.ok(*words).splitlines() if line.endswith(" ")] == []


def test_init_without_a_name_says_which_it_could_be(app: Versioned) -> None:
    folder = app.path.parent / "other"
    folder.mkdir()
    assert app.run("-C", str(folder), "init").err == (
        f"error: nothing in {folder} has the name of a database\nhint: isovc init FILE, whatever its name ends in\n"
    )
    for name in ("two.db", "one.db"):
        app.at(folder / name).sql("CREATE TABLE t(a)")
    assert app.run("-C", str(folder), "init").err.endswith("one.db, two.db\nhint: isovc init one.db\n")
    app.at(folder).ok("init", str(folder / "one.db"))
    assert "needs a folder of its own" in app.run("init", str(folder / "two.db")).err
