"""The rows of a difference that meet a condition, before or after. SQLite itself looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from isovc.encoding.orderkey import encode_key
from isovc.errors import BadCondition
from isovc.formats.delta import Delta, TableDelta
from isovc.model import RowChange, Shape, Table
from isovc.snapshot.virtual.content import definition_of
from isovc.sources.sqlite import Twin, twin

_AT_ONCE = 512  # rows held against the condition together

Named = Callable[[str], Sequence[TableDelta]]


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL expression over the columns of a table. `path`: the database that an error is about."""

    text: str
    found: Delta
    path: Path

    def of_named(self, tables: Sequence[TableDelta], named: Iterable[str], everything: Named) -> list[TableDelta]:
        """What meets it in tables that somebody named: it must work in each of these, whether it differs or not.
        `everything`: all that a name stands for."""
        fitting = [table for table in tables if not self._why_not(table)]
        for name in named:
            known = everything(name)
            whys = [self._why_not(table) for table in known]
            if whys and all(whys):
                raise BadCondition(condition=self.text, why=whys[0], table=name)
        return [self._meeting(table) for table in fitting]

    def of_any(
        self, tables: Sequence[TableDelta], others: Iterable[TableDelta]
    ) -> tuple[list[TableDelta], tuple[str, ...]]:
        """What meets it in the tables where it works, and the names of those that differ and where it does not. It must
        work in one at least, be it one of the `others`, which do not differ."""
        whys = [self._why_not(table) for table in tables]
        fitting = [table for table, why in zip(tables, whys, strict=True) if not why]
        if not fitting:
            for other in others:
                why = self._why_not(other)
                if not why:
                    break
                whys.append(why)
            else:
                if whys:
                    raise BadCondition(condition=self.text, why=whys[0])
        left_out = tuple(table.name for table, why in zip(tables, whys, strict=False) if why)
        return [self._meeting(table) for table in fitting], left_out

    def _why_not(self, table: TableDelta) -> str:
        """Why it works on neither side of a table; empty: it works on one."""
        with ExitStack() as stack:
            said = [side.check(self.text) for side in self._twins(table, stack) if side is not None]
        return said[0] if all(said) else ""

    def _meeting(self, table: TableDelta) -> TableDelta:
        return replace(table, rows=partial(self._rows, table))

    def _twins(self, table: TableDelta, stack: ExitStack) -> list[Twin | None]:
        """A twin of the table as it was, and one of it as it is."""

        def one(side: Table | None, shape: Shape) -> Twin | None:
            if side is None:
                return None
            said = {each.name: each.sql for each in shape.objects if each.type == "table" and each.name in shape.tables}
            sql = said.get(side.name) or definition_of(side).sql  # virtual tables, and files, have none that would do
            return stack.enter_context(twin(side, sql, shape.encoding, self.path))

        return [one(table.before, self.found.old), one(table.after, self.found.new)]

    def _rows(self, table: TableDelta) -> Iterator[RowChange]:
        """The changes of rows that meet it before or after."""
        with ExitStack() as stack:
            before, after = self._twins(table, stack)
            before = before if before is not None and not before.check(self.text) else None
            after = after if after is not None and not after.check(self.text) else None
            changes = table.rows()
            while some := list(islice(changes, _AT_ONCE)):
                olds = [change.before for change in some if change.before is not None]
                news = [change.after for change in some if change.after is not None]
                was = before.matching(olds, self.text) if before and olds else set()
                now = after.matching(news, self.text) if after and news else set()
                for change in some:
                    key = encode_key(change.key)
                    if (change.before is not None and key in was) or (change.after is not None and key in now):
                        yield change
