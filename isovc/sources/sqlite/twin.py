"""A table in memory that takes rows as the table of a database would: what it makes of values, which rows meet a
condition. And the shape that definitions give. Knows nothing of files or versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from isovc.encoding.orderkey import encode_key
from isovc.errors import BadCondition, ShapeNotReached
from isovc.model import Row, SchemaObject, Shape, Table
from isovc.sources.sqlite.access import Access, access
from isovc.sources.sqlite.cells import exact, from_exact
from isovc.sources.sqlite.connection import set_off_nothing
from isovc.sources.sqlite.failures import told
from isovc.sources.sqlite.load import insert_rows
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.rows import read_rows
from isovc.sources.sqlite.schema_table import add_virtual, create
from isovc.sources.sqlite.shape import kind_of, read_shape
from isovc.sources.sqlite.snapshot import Snapshot
from isovc.sql import name

_HARMLESS = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE}
_NO_MARK = Mark(0, 0, 0, 0, 0, bytes(14))
_BATCH_ROWS = 512  # rows that stand in the table together: enough to forget the cost of a batch


def shape_of(objects: Sequence[SchemaObject], like: Shape, path: Path) -> Shape:
    """The shape of a database with these definitions, and the pragmas and encoding of another. `path`: the database
    that an error is about. Indexes, views and triggers are taken as they are said."""
    with told(path, seconds=0), beside(path, like.encoding) as snapshot:
        by_kind: dict[str, list[SchemaObject]] = {}
        for each in objects:
            by_kind.setdefault(kind_of(each), []).append(each)
        for each in sorted(by_kind.get("table", ()), key=lambda each: not each.name.startswith("sqlite_")):
            create(snapshot, each)
        add_virtual(snapshot, by_kind.get("virtual", ()))
        found = read_shape(snapshot.connection)
    for each in objects:
        if each.type == "table" and each not in found.objects:
            raise ShapeNotReached(path=path, type="table", name=each.name, why="its text came out different")
    # SQLite makes tables of its own along with those that need them
    there = {(each.type, each.name) for each in objects}
    own = [each for each in found.objects if each.name.startswith("sqlite_") and (each.type, each.name) not in there]
    return Shape(like.encoding, like.pragmas, (*own, *objects), found.tables)


class Twin:
    """A table of that definition, and nothing else, in a database of its own."""

    def __init__(self, snapshot: Snapshot, way: Access) -> None:
        self._snapshot = snapshot
        self._way = way

    def settled(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows as the table keeps them, in the order of their keys within some hundred. They must fit together."""
        for batch in _batches(rows):
            with self._holding(batch):
                for found in read_rows(self._snapshot.connection, self._way):
                    yield from found

    def computed(self, rows: list[Row], columns: Sequence[str]) -> list[Row]:
        """What the table makes of generated columns. The rows are in the order of their keys, and fit together."""
        told_exactly = ", ".join(exact(name(column)) for column in columns)
        order = ", ".join(self._way.sorted_by)
        query = f"SELECT {told_exactly} FROM main.{name(self._way.table.name)} ORDER BY {order}"
        with self._holding(rows):
            return [from_exact(row, self._way.encoding) for row in self._snapshot.connection.execute(query)]

    def matching(self, rows: Iterable[Row], condition: str) -> set[bytes]:
        """The encoded keys of the rows that meet a condition. They must fit together."""
        width = len(self._way.key)
        found: set[bytes] = set()
        for batch in _batches(rows):
            with self._holding(batch):
                for key in self._select(condition, slice(width)):
                    found.add(encode_key(from_exact(key, self._way.encoding)))
        return found

    def check(self, condition: str) -> str:
        """What is wrong with a condition here; empty: nothing. It can only look at the row."""
        try:
            self._select(condition, slice(1))
        except BadCondition as error:
            return error.why
        return ""

    def _select(self, condition: str, part: slice) -> list[Row]:
        connection = self._snapshot.connection
        connection.authorizer = _only_reads
        try:
            # on a line of its own, so that a comment at its end comments nothing of ours
            query = self._way.select(f"(\n{condition}\n)", exactly=True, ordered=False, part=part)
            cursor, run = connection.cursor(), []

            def only_one(_cursor: apsw.Cursor, sql: str, _bindings: object) -> bool:
                run.append(sql)
                return len(run) == 1  # a condition that ends itself and goes on as a statement is none

            cursor.exec_trace = only_one
            return list(cursor.execute(query))
        except (apsw.SQLError, apsw.AuthError, apsw.ExecTraceAbort, apsw.AbortError) as error:
            raise BadCondition(condition=condition, why=str(error) or "it is more than a condition") from None
        finally:
            connection.authorizer = None

    @contextmanager
    def _holding(self, rows: list[Row]) -> Iterator[None]:
        connection, table = self._snapshot.connection, self._way.table.name
        try:
            with told(self._snapshot.path, seconds=0, table=table):
                insert_rows(connection, self._snapshot.path, self._way, rows)
            yield
        finally:
            connection.execute(f"DELETE FROM main.{name(table)}")


@contextmanager
def twin(table: Table, sql: str, encoding: str, path: Path) -> Iterator[Twin]:
    """The twin of a table of that definition. `path`: the database that an error is about."""
    with told(path, seconds=0, table=table.name), beside(path, encoding) as snapshot:
        create(snapshot, SchemaObject("table", table.name, table.name, sql))
        yield Twin(snapshot, access(snapshot.connection, path, table))


@contextmanager
def beside(path: Path, encoding: str, *, where: str = ":memory:") -> Iterator[Snapshot]:
    """A database of that encoding that holds nothing and sets off nothing. `path`: the one that an error is about."""
    connection = apsw.Connection(where)
    try:
        set_off_nothing(connection)
        connection.execute(f"PRAGMA encoding='{encoding}'")
        yield Snapshot(connection, path, 0, _NO_MARK)
    finally:
        connection.close()


def _only_reads(operation: int, *_: object) -> int:
    return apsw.SQLITE_OK if operation in _HARMLESS else apsw.SQLITE_DENY


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
