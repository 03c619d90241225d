"""Questions to one version, or to the live database, answered one after the other.

Each begins with the tables as they lie in the trees. What reads more of them than that is good for is asked again with
those tables filled; what needs a database of its own, with indexes, modules or definitions, is asked there. No plan is
guessed: a query is tried, for a hundredth of a second at most.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from isovc.errors import BadQuery, IsovcError
from isovc.model import KeyKind, Row, Shape
from isovc.snapshot.query.filling import database, filled
from isovc.snapshot.query.handing import handed_over
from isovc.snapshot.query.shelf import Shelf
from isovc.snapshot.query.spool import gathered
from isovc.snapshot.query.trees import keyed
from isovc.snapshot.query.wanted import Wanted, wanted, with_what_lies_behind
from isovc.snapshot.version import Version
from isovc.sources.sqlite.asking import (
    Connection,
    Keyed,
    Meter,
    Parameters,
    Question,
    Questions,
    TableFunction,
    TooLarge,
    TooMuch,
    in_memory,
    of_file,
)
from isovc.tree.forest import Forest

_TRIED = 10_000  # rows read from the trees, or the work of as many: 10 to 50 ms, then the tables are filled
_GATHERED = 20_000  # rows of an answer; with more of them the rows of several tables were multiplied
_SHARE = 10  # a table that was read for less than a tenth of the work is left where it is


class Way(Enum):
    """How tables are answered for; the tests force what is otherwise found out."""

    FOUND_OUT = "found out"
    ROW_BY_ROW = "row by row"
    FILLED = "filled"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gives. The rows can be taken once, and only before the next question."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a statement can speak of beside the tables of the database: table functions by the names they have in it,
    and tables of other versions."""

    functions: Mapping[str, TableFunction] = field(default_factory=dict)
    tables: tuple[Keyed, ...] = ()


class Session:
    """`version`: what is asked; None: the database behind `live`. `path`: what errors are about. `beside` is told each
    statement, and the shape it is put to, if that is known."""

    def __init__(
        self,
        forest: Forest,
        shelf: Shelf,
        path: Path,
        *,
        version: Version | None = None,
        live: Connection | None = None,
        beside: Callable[[str], Beside] = lambda _: Beside(),
        way: Way = Way.FOUND_OUT,
    ) -> None:
        self._forest = forest
        self._shelf = shelf
        self._path = path
        self._version = version
        self._beside = beside
        self._way = way
        self._meter = Meter()
        self._open = ExitStack()
        self._last: Generator[Row] | None = None
        self._live = Questions(live, path) if live is not None else None
        self._light: Questions | None = None
        self._files: dict[Path, Questions] = {}
        self._views: set[str] = set()
        self._spare: Shelf | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget_last()
        self._open.close()
        self._shelf.close()

    def ask(self, sql: str, parameters: Parameters = None) -> Answer:
        """The answer to one statement. Raises for what is more than one, and for what does more than read."""
        self._forget_last()
        question, rows = self._answered(sql, parameters)
        self._last = rows
        return Answer(question.columns, rows)

    def _forget_last(self) -> None:
        if self._last is not None:
            self._last.close()  # what is still being read cannot be let go of
            self._last = None

    def _answered(self, sql: str, parameters: Parameters) -> tuple[Question, Generator[Row]]:
        beside = self._beside(sql)
        if self._version is None:
            assert self._live is not None
            return self._live_answer(self._live, beside, sql, parameters)
        found = wanted(self._version.shape, sql)
        if not found.needs_file and self._way is not Way.FILE:
            light = self._light_for(self._version, found, beside)
            try:
                question = light.understand(sql, parameters)
            except BadQuery:
                pass  # a file may know better, and has the words that people know
            else:
                if not _only_in_a_file(self._version.shape, question):
                    tables = self._offered(self._version, found, beside)
                    views = {view.name.lower() for view in found.views}
                    handed = self._handed_over(light, tables, question.reads.keys() - views, question, parameters)
                    return question, handed or self._rows(light, tables, question, parameters)
        return self._from_a_file(self._version, found, beside, sql, parameters)

    # -- the connections -----------------------------------------------------------------------------------------------

    def _live_answer(
        self, live: Questions, beside: Beside, sql: str, parameters: Parameters
    ) -> tuple[Question, Generator[Row]]:
        live.detach_all()
        self._meter.restart(None, casts=True)
        _offer(live, beside, self._meter)
        live.wake_all()
        question = live.understand(sql, parameters)
        return question, self._rows(live, _by_name(beside.tables), question, parameters)

    def _light_for(self, version: Version, found: Wanted, beside: Beside) -> Questions:
        """The connection without any table of its own."""
        if self._light is None:
            self._light = Questions(self._open.enter_context(in_memory()), self._path)
        light = self._light
        light.detach_all()
        self._meter.restart(None, casts=found.casts)
        _offer(light, beside, self._meter)
        for name in found.tables:
            light.offer(keyed(self._forest, version, name, called=name), self._meter)
        for view in found.views:
            if view.name not in self._views:
                light.add_view(view)
                self._views.add(view.name)
        return light

    def _offered(self, version: Version, found: Wanted, beside: Beside) -> dict[str, Keyed]:
        own = [keyed(self._forest, version, name, called=name) for name in found.tables]
        return _by_name([*beside.tables, *own])

    def _from_a_file(
        self, version: Version, found: Wanted, beside: Beside, sql: str, parameters: Parameters
    ) -> tuple[Question, Generator[Row]]:
        if not found.virtual:  # their modules read what they store before anything is asked
            # first without rows: what is no query at all is told before they are written down
            self._prepared(self._file(version, frozenset()), found, beside, parameters, sql)
        there = self._file(version, with_what_lies_behind(version.shape, found))
        question = self._prepared(there, found, beside, parameters, sql)
        return question, self._rows(there, _by_name(beside.tables), question, parameters)

    def _prepared(
        self, questions: Questions, found: Wanted, beside: Beside, parameters: Parameters, sql: str
    ) -> Question:
        questions.detach_all()
        self._meter.restart(None, casts=found.casts)
        _offer(questions, beside, self._meter)
        for each in found.virtual:
            questions.wake(each.name)
        return questions.understand(sql, parameters)

    def _file(self, version: Version, tables: frozenset[str]) -> Questions:
        path = database(self._shelf, self._forest, version, tables)
        questions = self._files.get(path)
        if questions is None:
            questions = self._files[path] = Questions(self._open.enter_context(of_file(path)), self._path)
        return questions

    # -- the rows ------------------------------------------------------------------------------------------------------

    def _handed_over(
        self,
        light: Questions,
        tables: Mapping[str, Keyed],
        reads: Set[str],
        question: Question,
        parameters: Parameters,
    ) -> Generator[Row] | None:
        """The rows of a table without a detour, where that is all that is wanted."""
        if self._way is not Way.FOUND_OUT or len(reads) != 1 or not reads <= tables.keys():
            return None
        table = tables[next(iter(reads))]
        wanted_only = light.plainly(question, parameters)
        if wanted_only is None or (-1 in wanted_only.columns and not table.named_by_rowid):
            return None
        if not wanted_only.columns:
            return gathered([(table.rows,)])
        return handed_over(self._shelf, table, wanted_only.columns, backwards=wanted_only.backwards)

    def _rows(
        self, questions: Questions, tables: Mapping[str, Keyed], question: Question, parameters: Parameters
    ) -> Generator[Row]:
        """The answer, from the trees or from what is filled for it."""
        left = {name: table for name, table in tables.items() if name in question.reads}
        if self._way is Way.FILLED:
            for name, table in left.items():
                questions.attach(filled(self._shelf, table, question.reads[name]))
            left = {}
        while left and self._way is not Way.ROW_BY_ROW:
            self._meter.restart(_TRIED, casts=self._meter.casts)
            try:
                with closing(questions.rows(question, parameters)) as rows:
                    return gathered(_bounded(rows))
            except (TooMuch, UnicodeError):
                spent = self._meter.spent
            costly = {
                name for name, table in left.items() if spent.get(table.called, 0) * _SHARE >= sum(spent.values())
            }
            try:
                for name in costly or set(left):
                    questions.attach(self._filled(left.pop(name), question.reads[name]))
            except (IsovcError, OSError, TooLarge):
                break  # no room for it: then it is read row by row, however long that takes
        self._meter.restart(None, casts=self._meter.casts)
        return _told(questions.rows(question, parameters))

    def _filled(self, table: Keyed, columns: Set[str]) -> Path:
        """A file with these columns; where the shelf has no room, among the system's temporary ones, for this
        session: row by row a join would take hours."""
        if self._spare is None:
            try:
                return filled(self._shelf, table, columns)
            except (IsovcError, OSError):
                folder = self._open.enter_context(TemporaryDirectory(prefix="isovc-", ignore_cleanup_errors=True))
                self._spare = Shelf(Path(folder), capacity=self._shelf.capacity)
        return filled(self._spare, table, columns)


def _told(rows: Generator[Row]) -> Generator[Row]:
    with closing(rows):
        try:
            yield from rows
        except (UnicodeDecodeError, UnicodeEncodeError) as error:
            raise BadQuery(
                why=f"it meets text that is not valid where only valid text will do ({error.reason})"
            ) from None


def _offer(questions: Questions, beside: Beside, meter: Meter) -> None:
    for called, function in beside.functions.items():
        questions.offer_function(function, called=called)
    for table in beside.tables:
        questions.offer(table, meter)


def _by_name(tables: Iterable[Keyed]) -> dict[str, Keyed]:
    return {table.called.lower(): table for table in tables}


def _only_in_a_file(shape: Shape, question: Question) -> bool:
    """Whether it asks for the number of a row that has another key: trees do not keep it."""
    return any(
        table.key_kind not in (KeyKind.INTEGER, KeyKind.ROWID)
        and "rowid" in question.reads.get(table.name.lower(), frozenset())
        and "rowid" not in {column.name.lower() for column in table.columns}
        for table in shape.tables.values()
    )


def _bounded(rows: Iterable[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number == _GATHERED:
            raise TooMuch
        yield row
