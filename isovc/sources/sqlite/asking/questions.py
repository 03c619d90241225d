"""Questions put to a connection: what one reads, and its rows exactly as they are. Composes guard, modules and cells;
knows nothing of versions."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from sys import getsizeof
from typing import Any, TypeAlias

import apsw

from isovc.errors import BadParameter, BadQuery, OnlyReads
from isovc.model import Row, SchemaObject, Value
from isovc.sources.sqlite.asking.functions import FunctionModule, TableFunction
from isovc.sources.sqlite.asking.guard import Guard
from isovc.sources.sqlite.asking.keyed import DECLARED, Keyed, add_collations
from isovc.sources.sqlite.asking.plain import Plain, plain
from isovc.sources.sqlite.asking.virtual import Meter, Module
from isovc.sources.sqlite.cells import exact, from_exact
from isovc.sources.sqlite.connection import CACHE_KIB
from isovc.sources.sqlite.failures import told
from isovc.sql import literal, name, tokens

Connection: TypeAlias = apsw.Connection
Parameters: TypeAlias = Mapping[str, Value] | Sequence[Value] | None

_STEPS = 50_000  # of SQLite's machine between two looks at whether somebody pressed Ctrl-C: about 2 ms
_AT_ONCE = 16  # rows
_HEAVY = 1 << 16  # bytes of a row that is taken alone
_NO_TABLE = re.compile(r"no such table: (.+)", re.DOTALL)
_READING = ("SELECT", "WITH", "VALUES", "PRAGMA", "EXPLAIN")
# what is wrong with the database rather than with the question
_OF_THE_FILE = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.IOError,
    apsw.FullError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
)


@dataclass(frozen=True, slots=True)
class Question:
    """One statement, understood. `reads`: columns by table, in lower case; a table that is only counted has the column
    of no name."""

    sql: str
    columns: tuple[str, ...]
    reads: Mapping[str, frozenset[str]]


class Questions:
    """A connection that only answers. `path`: what an error is about."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._encoding = str(connection.pragma("encoding"))
        self._guard = Guard(connection)
        self._attached: list[str] = []
        self._stopped = ""  # why the last statement was
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        # Python looks for Ctrl-C between two steps of its own, and there are none in a long statement
        connection.set_progress_handler(lambda: False, _STEPS)

    # -- what there is to be asked about ---------------------------------------------------------------------------

    def offer(self, keyed: Keyed, meter: Meter) -> None:
        """A table that lies elsewhere. A table of the database with that name comes before it."""
        add_collations(self._connection, keyed.table, self._without_collation)
        self._enter(keyed.called, Module(keyed, meter))

    def offer_function(self, function: TableFunction, *, called: str) -> None:
        """A table function under this name. Anything else that has the name comes before it."""
        self._enter(called, FunctionModule(function))

    def _enter(self, called: str, module: Any) -> None:
        self._connection.create_module(
            called, module, use_bestindex_object=True, eponymous=True, eponymous_only=True, read_only=True
        )

    def _without_collation(self, collation: str) -> None:
        self._stopped = f"no such collation sequence: {collation}"
        self._connection.interrupt()

    def add_view(self, view: SchemaObject) -> None:
        """A view over what is offered and attached."""
        _, _, end = next(iter(tokens(view.sql)))
        with self._guard.ours():
            self._connection.execute(f"{view.sql[:end]} TEMP{view.sql[end:]}")

    def attach(self, path: Path) -> None:
        """A file with a table that comes before one that is offered under its name."""
        schema = f"isovc_{len(self._attached)}"
        with self._guard.ours(), told(path, seconds=0):
            self._connection.execute(f"ATTACH {literal(str(path.absolute()))} AS {schema}")
            self._connection.execute(f"PRAGMA {schema}.cache_size=-{CACHE_KIB // 2}")
        self._attached.append(schema)

    def detach_all(self) -> None:
        """Let go of these files."""
        with self._guard.ours():
            while self._attached:
                self._connection.execute(f"DETACH {self._attached.pop()}")

    def wake(self, virtual: str) -> None:
        """Let the module of a virtual table prepare what it may need, writing included, which a query may not."""
        with self._guard.ours(), self._told():
            self._connection.execute(f"SELECT * FROM {name(virtual)} LIMIT 0")

    def wake_all(self) -> None:
        """The same for every virtual table of the database whose module is here."""
        with self._guard.ours(), self._told():
            listed = self._connection.execute("PRAGMA main.table_list").fetchall()
        for _, label, kind, *_ in listed:
            if kind == "virtual":
                with suppress(BadQuery):
                    self.wake(str(label))

    # -- questions ---------------------------------------------------------------------------------------------------

    def understand(self, sql: str, parameters: Parameters = None) -> Question:
        """What a statement reads and gives; nothing is run. Raises for one that does more than read."""
        cursor, seen = self._connection.cursor(), []

        def only_look(at: apsw.Cursor, _sql: str, _bindings: object) -> bool:
            labels = tuple(label for label, *_ in at.get_description())
            seen.append((labels, at.is_readonly, frozenset(filter(None, at.bindings_names))))
            return False

        self._guard.restart()
        self._stopped = ""
        cursor.exec_trace = only_look
        try:
            with self._told():
                cursor.execute(sql, _bindings(parameters), can_cache=False)
        except apsw.ExecTraceAbort:
            pass
        if not seen:
            raise BadQuery(why="there is nothing to be done")
        labels, only_reads, named = seen[0]
        if not only_reads or first_word(sql).upper() not in _READING:
            raise OnlyReads(what=first_word(sql))
        if isinstance(parameters, Mapping) and (unknown := sorted(parameters.keys() - named)):
            raise BadParameter(name=unknown[0], why="the query has no such parameter")
        reads = {table: frozenset(columns) for table, columns in self._guard.reads.items() if table != DECLARED}
        return Question(sql, labels, reads)

    def plainly(self, question: Question, parameters: Parameters = None) -> Plain | None:
        """Whether it only hands over the one table it reads, which must be offered."""
        with self._told(), closing(self._connection.cursor()) as cursor:
            try:
                program = cursor.execute(f"EXPLAIN {question.sql}", _bindings(parameters), can_cache=False).fetchall()
            except UnicodeDecodeError:  # a constant in it, so it is more than that
                return None
        return plain(program, len(question.columns))

    def rows(self, question: Question, parameters: Parameters = None) -> Generator[Row]:
        """The answer. Who does not take all of it closes it."""
        with closing(self._batches(question, parameters)) as batches:
            for batch in batches:
                yield from batch

    def _batches(self, question: Question, parameters: Parameters) -> Generator[list[Row]]:
        if self._encoding != "UTF-8":  # SQLite would change text that is not valid on its way
            yield from self._exactly(question, parameters, 0)
            return
        given = 0
        with self._told(), closing(self._connection.cursor()) as cursor:
            # never a statement of before: another table may have the name by now
            cursor.execute(question.sql, _bindings(parameters), can_cache=False)
            many = _AT_ONCE
            while True:
                rows: list[Row] = []
                try:
                    rows.extend(islice(cursor, many))
                except UnicodeDecodeError:
                    yield rows
                    yield from self._exactly(question, parameters, given + len(rows))
                    return
                if not rows:
                    return
                given += len(rows)
                yield rows
                many = 1 if sum(map(getsizeof, rows[-1])) > _HEAVY else _AT_ONCE

    def _exactly(self, question: Question, parameters: Parameters, skip: int) -> Generator[list[Row]]:
        """The same by way of the stored bytes."""
        if not question.columns:
            return
        labels = [f"c{at}" for at in range(len(question.columns))]
        told_apart = _told_apart(question.sql)
        sql = (
            f"WITH isovc_answer({', '.join(labels)}) AS MATERIALIZED (\n{told_apart}\n)"
            f" SELECT {', '.join(map(exact, labels))} FROM isovc_answer"
        )
        direct = first_word(told_apart).upper() in ("PRAGMA", "EXPLAIN")
        with self._told(), closing(self._connection.cursor()) as cursor:
            cursor.execute(question.sql if direct else sql, _bindings(parameters), can_cache=False)
            rows = islice(cursor, skip, None)
            while some := list(islice(rows, _AT_ONCE)):
                yield some if direct else [from_exact(row, self._encoding) for row in some]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with told_if_of_file(self._path):
                yield
        except apsw.AuthError:
            raise OnlyReads(what=self._guard.refused or "this statement") from None
        except apsw.BindingsError as error:
            raise BadParameter(name="", why=str(error).partition(".")[0].lower()) from None
        except KeyError as error:
            raise BadParameter(name=str(error.args[0]), why="it has no value") from None
        except apsw.Error as error:
            if isinstance(error, apsw.ExecTraceAbort):
                raise
            if self._guard.refused:
                raise OnlyReads(what=self._guard.refused) from None
            missing = _NO_TABLE.match(str(error))
            raise BadQuery(why=self._stopped or str(error), table=missing[1] if missing else "") from None


@contextmanager
def told_if_of_file(path: Path) -> Iterator[None]:
    """What is wrong with a file as an error about it; all else goes through."""
    try:
        yield
    except _OF_THE_FILE:
        with told(path, seconds=0):
            raise


def _bindings(parameters: Parameters) -> Mapping[str, Value] | Sequence[Value] | None:
    return parameters or None


def first_word(sql: str) -> str:
    return next((token for token, _, _ in tokens(sql)), "")


def _told_apart(sql: str) -> str:
    """The statement without the semicolon at its end."""
    found = list(tokens(sql))
    return sql[: found[-1][1]] if found and found[-1][0] == ";" else sql
