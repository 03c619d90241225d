"""Questions as scripts ask them: one at a time, or on a connection to a version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from isovc.cli.asked import revisions_of
from isovc.errors import OnlyReads
from isovc.repo.place import find
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.workspace.asking import ask, connection_at
from isovc.workspace.desk import sit_down
from isovc.workspace.revisions import Revisions
from tests.versioned import Versioned


@pytest.fixture
def revisions(app: Versioned) -> Iterator[Revisions]:
    app.sql(
        "UPDATE notes SET title = 'new' WHERE id = 1; CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES('hi')"
    )
    app.commit("second")
    app.sql("DELETE FROM notes")
    place = find(app.path.parent)
    with Repository(place.folder, Settings.read(Path("nowhere"), place.folder / "config.toml")) as repository:
        yield revisions_of(sit_down(repository, place))


def test_one_question(revisions: Revisions) -> None:
    answer = ask(revisions, "SELECT id, title FROM notes WHERE id < :n", "HEAD~1", {"n": 3})
    assert (answer.columns, list(answer.rows)) == (("id", "title"), [(1, "one"), (2, "two")])
    assert list(ask(revisions, "SELECT count(*) FROM notes").rows) == [(0,)]
    assert list(ask(revisions, "SELECT ?, ?", "HEAD", (1, "x")).rows) == [(1, "x")]
    with pytest.raises(OnlyReads):
        ask(revisions, "DELETE FROM notes", "HEAD")


def test_a_connection_to_a_version_is_a_database_of_its_own(revisions: Revisions) -> None:
    for _ in range(2):
        with connection_at(revisions, "HEAD") as connection:
            assert isinstance(connection, apsw.Connection)
            assert list(connection.execute("SELECT title FROM main.notes")) == [("new",), ("two",), ("three",)]
            assert connection.execute("SELECT x FROM f WHERE f MATCH 'hi'").get == "hi"
            with pytest.raises(apsw.ReadOnlyError):
                connection.execute("DELETE FROM notes")
    with connection_at(revisions) as connection:
        assert connection.execute("SELECT count(*) FROM notes").get == 0
        with pytest.raises(apsw.ReadOnlyError):
            connection.execute("INSERT INTO notes DEFAULT VALUES")
