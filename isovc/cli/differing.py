"""A difference in lines for people: definitions, then table by table a line for each cell that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import ndiff
from typing import Any

from isovc.cli.screen import Line, Styled
from isovc.cli.wording import SIGNS, counts_document, on_one_line
from isovc.formats.delta import Definition, TableDelta, cell_changes, key_columns, row_patches
from isovc.formats.files import FileDelta, beside, line_changes
from isovc.formats.words import amount, both, key_shown, shown, size
from isovc.repo.moments import from_microseconds
from isovc.snapshot.compare import Counts
from isovc.snapshot.version import FILES
from isovc.workspace.comparing import Comparison

_BAR = 40  # characters of the longest bar


def lines(found: Comparison) -> Iterator[Line]:
    """All of it."""
    for definition in found.delta.definitions:
        yield from _definition(definition)
    for table in found.delta.tables:
        yield from _table(table)
    yield from _files(found)
    yield from _stored(found, "")
    if found.cut:
        yield "More differs than is shown."


def _stored(found: Comparison, margin: str) -> Iterator[Line]:
    """Virtual tables that store the same otherwise, or what only their module can read: no rows of anybody's."""
    for name, tables in sorted(found.stored.items()):
        many = sum(bool(next(table.rows(), None)) for table in tables)
        what = f"stored otherwise, in {amount(many, 'table')} of its own (-t {on_one_line(tables[0].name)})"
        yield (f"{margin}", Styled(on_one_line(name), "bold"), f"  {what}")


def stat(found: Comparison) -> Iterator[Line]:
    """A table and a bar."""
    for each in found.delta.definitions:
        sign, style = _sign(each.op)
        yield (Styled(f" {sign} ", style), f"{each.type} {on_one_line(each.name)}{_was(each)}")
    counted = [(table.name, found.counts(table)) for table in found.delta.tables]
    if found.files:
        counted.append((FILES, _count_files(found)))
    totals = [each.added + each.modified + each.removed for _, each in counted]
    width = max((len(on_one_line(name)) for name, _ in counted), default=0)
    digits = max((len(f"{total:,}") for total in totals), default=0)
    longest = max(totals, default=0)
    for (name, counts), total in zip(counted, totals, strict=True):
        head = f" {on_one_line(name):{width}} | {total:>{digits},} "
        yield (head, *_bar(counts, longest))
    if counted:
        tables = amount(len(counted), "table")
        words = [
            f"{many:,} {word}"
            for word in ("added", "modified", "removed")
            if (many := sum(getattr(each, word) for _, each in counted))
        ]
        yield f" {tables}: {', '.join(words) or 'no rows'}"
    yield from _stored(found, " ")


def _count_files(found: Comparison) -> Counts:
    ops = [each.op for each in found.files]
    return Counts(ops.count("added"), ops.count("modified") + ops.count("renamed"), ops.count("removed"))


def names(found: Comparison) -> Iterator[Line]:
    """The names of what differs, each on a line."""
    about = (each.table or each.name for each in found.delta.definitions)
    tables = [table.name for table in found.delta.tables]
    paths = [FILES + each.path for each in found.files]
    yield from sorted(map(on_one_line, {*about, *tables, *paths, *found.stored}))


def document(found: Comparison, origin: str, goal: str) -> dict[str, Any]:
    """The form of `--json`: what differs, counted. The rows are in `--format jsonl`."""
    counts = {table.name: found.counts(table) for table in found.delta.tables}
    if found.files:
        counts[FILES] = _count_files(found)
    return {
        "from": origin,
        "to": goal,
        "tables": counts_document(counts),
        "left_out": list(found.left_out),
        "renamed": _renamed(found.delta.definitions),
        "schema": [
            {"type": each.type, "name": each.name, "table": each.table, "op": each.op}
            for each in found.delta.definitions
        ],
    }


def _renamed(definitions: tuple[Definition, ...]) -> dict[str, Any]:
    tables = {each.was: each.name for each in definitions if each.was}
    columns = {each.name: dict(each.columns) for each in definitions if each.columns}
    return {"tables": tables, "columns": columns}


def _definition(each: Definition) -> Iterator[Line]:
    sign, style = _sign(each.op)
    yield (Styled(f"{sign} ", style), Styled(f"{each.type} {on_one_line(each.name)}", "bold"), _was(each))
    for old, new in each.columns.items():
        yield f"    column {on_one_line(old)} is now {on_one_line(new)}"
    sides = ["" if side is None else str(side) for side in (each.before, each.after)]
    for line in ndiff(sides[0].splitlines(), sides[1].splitlines()):
        if line[:1] in "+-":
            yield Styled(f"  {line}", "green" if line[0] == "+" else "red")
        elif line[:1] == " ":
            yield f"  {line}"


def _table(table: TableDelta) -> Iterator[Line]:
    was = table.before.name if table.before and table.before.name != table.name else ""
    began = False
    key = set(key_columns(table.shown))
    for found in row_patches(table):
        if not began:
            yield (Styled(on_one_line(table.name), "bold"), f" (was {on_one_line(was)})" if was else "")
            began = True
        sign, style = _sign(found.op)
        head: tuple[str | Styled, ...] = (Styled(f"  {sign} ", style), Styled(key_shown(found.key), "cyan"))
        told = False
        for column, before, after in cell_changes(found, table.columns):
            if found.op != "modified" and column in key:
                continue  # it stands before them
            if found.op == "modified":
                one, other = both(before, after)
                yield (*head, f"  {on_one_line(column)}  ", Styled(one, "red"), " -> ", Styled(other, "green"))
            else:
                value = after if found.op == "added" else before
                yield (*head, f"  {on_one_line(column)}  ", Styled(shown(value), style))
            told = True
        if not told:
            yield head


def _files(found: Comparison) -> Iterator[Line]:
    if found.files:
        yield Styled(FILES, "bold")
    for each in found.files:
        sign, style = _sign(each.op)
        changes = line_changes(each, found.read)
        about = _about_file(each, with_type=changes is None)
        yield (Styled(f"  {sign} ", style), Styled(_paths(each), "cyan"), f"  {about}".rstrip())
        for line in changes or ():
            yield Styled(f"      {line}", {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], ""))


def _paths(each: FileDelta) -> str:
    one, other = each.before, each.after
    if one is not None and other is not None and one.path != other.path:
        return f"{on_one_line(one.path)} -> {on_one_line(other.path)}"
    return on_one_line(each.path)


def _about_file(each: FileDelta, *, with_type: bool) -> str:
    """Its size, and what else there is to say. `with_type`: also of one whose content differs on both sides."""
    one, other = each.before, each.after
    side = other or one
    assert side is not None
    said = [f"{what} {was} -> {now}" for what, was, now in beside(each)]
    if one is None or other is None:
        said = [size(side.size), side.kind]
    elif not each.is_same_content:
        said.insert(0, f"{size(one.size)} -> {size(other.size)}" if one.size != other.size else size(other.size))
        if with_type and one.kind == other.kind:
            said.insert(1, side.kind)
    elif not said and each.op == "modified":
        moments = (from_microseconds(each.mtime // 1000).isoformat(" ", "seconds")[:19] for each in (one, other))
        said = [f"only its time, {' -> '.join(moments)}"]
    return ", ".join(said)


def _bar(counts: Counts, longest: int) -> Iterator[Styled]:
    """As long as the table's share of the most that changed in one; no sign is lost to rounding."""
    scale = min(1.0, _BAR / longest) if longest else 0
    for word in ("added", "modified", "removed"):
        many = getattr(counts, word)
        if many:
            sign, style = _sign(word)
            yield Styled(sign * max(1, round(many * scale)), style)


def _sign(op: str) -> tuple[str, str]:
    signs: Mapping[str, tuple[str, str]] = {**SIGNS, "renamed": (">", "yellow")}
    return signs[op]


def _was(each: Definition) -> str:
    return f" (was {on_one_line(each.was)})" if each.was else ""
