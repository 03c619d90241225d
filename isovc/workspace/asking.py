"""Questions in SQL to the live database or to any version, with tables of ours and of other versions beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches

from isovc.errors import BadQuery, IsovcError, NoTableThere
from isovc.model import Row
from isovc.repo.revisions import Commit, Work
from isovc.snapshot.files import without_files
from isovc.snapshot.query.filling import database
from isovc.snapshot.query.session import Answer, Beside, Session
from isovc.snapshot.query.shelf import Shelf
from isovc.snapshot.query.trees import keyed
from isovc.snapshot.version import Version
from isovc.sources.sqlite.asking import Connection, Keyed, Parameters, live, of_file
from isovc.sql import tokens, unquoted
from isovc.workspace.own_tables import OWN, Ground, own_tables
from isovc.workspace.revisions import Revisions

_FOLDER = "sql"  # in the cache
_MIB = 1 << 20
_NEAR = 3  # names that are suggested


@dataclass(frozen=True, slots=True)
class Asking:
    """A session at one desk. `at`: the revision that is asked; empty: the live database."""

    revisions: Revisions
    at: str
    session: Session
    version: Version | None

    def ask(self, sql: str, parameters: Parameters = None) -> Answer:
        """The answer to one statement."""
        try:
            return self.session.ask(sql, parameters)
        except BadQuery as error:
            if not error.table:
                raise self._in_the_way(error) from None
            raise self._without(error.table) from None

    def names(self) -> list[str]:
        """Tables and views of the database, in order."""
        version = self._asked()
        return sorted(each.name for each in version.shape.objects if each.type in ("table", "view"))

    def definitions(self, name: str = "") -> list[str]:
        """The definitions of a table and what hangs on it, or of everything."""
        return [
            each.sql
            for each in self._asked().shape.objects
            if not name or name.lower() in (each.name.lower(), each.table.lower())
        ]

    def _asked(self) -> Version:
        return self.version if self.version is not None else self.revisions.version("WORK")

    def _in_the_way(self, error: BadQuery) -> BadQuery:
        """A table of the database that has the name of one of ours, and was called as ours."""
        for name in OWN:
            if error.why == f"'{name}' is not a function":
                return BadQuery(why=error.why, hint=f"the database has a table {name}; ours is isovc_{name}(...)")
        return error

    def _without(self, table: str) -> IsovcError:
        """What is to be said about a table that is not there."""
        name = table.rpartition(".")[2] if table.lower().startswith(("main.", "temp.")) else table
        left, at, right = name.partition("@")
        if at and left and right:
            known = self.revisions.version(right).shape.tables  # raises for what is no revision
            return NoTableThere(table=left, at=right, near=get_close_matches(left, known, _NEAR))
        here = list(dict.fromkeys([*self.names(), *OWN]))
        elsewhere = ""
        if self.version is not None:
            live_files = self.revisions.desk.worktree.live
            there = {"HEAD": self.revisions.desk.head}
            if live_files is not None:
                there["WORK"] = self.revisions.version("WORK")
            elsewhere = next((said for said, version in there.items() if _has(version, name)), "")
        elif _has(self.revisions.desk.head, name):
            elsewhere = "HEAD"
        near = get_close_matches(name, here, _NEAR)
        return NoTableThere(table=name, at=self.at or "the database", near=near, elsewhere=elsewhere)


@contextmanager
def asking(revisions: Revisions, at: str = "") -> Iterator[Asking]:
    """Ask the version that a revision or a time means; empty: the live database."""
    desk = revisions.desk
    found = revisions.found(at) if at else Work()
    past = not isinstance(found, Work) or desk.then is not None
    version = without_files(revisions.version_of(found)) if past else None
    # later statements mean the same version, whatever happens to the branch meanwhile
    ground = Ground(revisions, found.id if isinstance(found, Commit) else at or "WORK")
    shelf = _shelf(revisions)

    def beside(sql: str) -> Beside:
        return Beside(own_tables(ground, sql), tuple(_of_other_versions(revisions, sql)))

    forest, path = desk.repository.forest, desk.database.path
    if version is not None:
        with Session(forest, shelf, path, version=version, beside=beside) as session:
            yield Asking(revisions, at, session, version)
        return
    with (
        live(path, busy_seconds=desk.database.busy_seconds) as connection,
        Session(forest, shelf, path, live=connection, beside=beside) as session,
    ):
        yield Asking(revisions, at, session, None)


def ask(revisions: Revisions, sql: str, at: str = "", parameters: Parameters = None) -> Answer:
    """The answer to a single question. What is opened for it is closed with the last row."""
    opened = ExitStack()
    try:
        answer = opened.enter_context(asking(revisions, at)).ask(sql, parameters)
    except BaseException:
        opened.close()
        raise

    def rows() -> Iterator[Row]:
        with opened:
            yield from answer.rows

    return Answer(answer.columns, rows())


@contextmanager
def connection_at(revisions: Revisions, at: str = "") -> Iterator[Connection]:
    """A connection of apsw to a version as a database of its own, or to the live database, to be read with anything. A
    version is written down whole for it, once."""
    desk = revisions.desk
    found = revisions.found(at) if at else Work()
    if isinstance(found, Work) and desk.then is None:
        with live(desk.database.path, busy_seconds=desk.database.busy_seconds) as connection:
            yield connection
        return
    version = without_files(revisions.version_of(found))
    shelf = _shelf(revisions)
    path = database(shelf, desk.repository.forest, version, frozenset(version.shape.tables))
    try:
        with of_file(path) as connection:
            yield connection
    finally:
        shelf.close()


def _shelf(revisions: Revisions) -> Shelf:
    repository = revisions.desk.repository
    return Shelf(repository.cache / _FOLDER, capacity=repository.settings.whole("sql.cache") * _MIB)


def _of_other_versions(revisions: Revisions, sql: str) -> Iterator[Keyed]:
    """Tables that are written "notes@main~3"."""
    quoted = {unquoted(token) for token, _, _ in tokens(sql) if token[:1] in ('"', "`", "[") and "@" in token}
    for called in sorted(quoted):
        table, _, revision = called.partition("@")
        try:
            version = revisions.version(revision)
        except IsovcError:
            continue  # it may be a word of another kind; if it is not, nothing has that name
        for name in version.shape.tables:
            if name.lower() == table.lower():
                yield keyed(revisions.desk.repository.forest, version, name, called=called)


def _has(version: Version, table: str) -> bool:
    return any(each.name.lower() == table.lower() for each in version.shape.objects if each.type in ("table", "view"))
