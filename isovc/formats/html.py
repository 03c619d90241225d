"""A difference as one page for a browser: nothing is fetched, everything is escaped, light or dark as the reader is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import ndiff

from isovc.formats import file_pages
from isovc.formats.delta import Definition, Delta, RowPatch, TableDelta, key_columns, row_patches, same
from isovc.formats.files import FileDelta, Read
from isovc.formats.markup import SIGNS, safe
from isovc.formats.words import amount, both, key_shown, shown
from isovc.model import Value

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
:root {{ --paper: #fff; --ink: #1f2328; --soft: #656d76; --line: #d8dee4; --band: #f6f8fa; --link: #0b5cad;
  --add: #116329; --add-bg: #dafbe1; --del: #82071e; --del-bg: #ffebe9; --mod: #7d4e00; --mod-bg: #fff8c5 }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #0d1117; --ink: #e6edf3; --soft: #8d96a0; --line: #30363d;
  --band: #161b22; --link: #6cb6ff; --add: #7ee787; --add-bg: #12361f; --del: #ffa198; --del-bg: #4a1518;
  --mod: #e3b341; --mod-bg: #332701 }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; padding: 2rem 1.5rem 6rem; max-width: 90rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }}
h1 {{ font-size: 1.5rem; font-weight: 650; margin: 0 0 .25rem }}
h1 code {{ background: var(--band); border-radius: .3em; padding: .05em .35em }}
p {{ color: var(--soft); margin: .25rem 0 1.5rem }}
a {{ color: var(--link); text-decoration: none }} a:hover {{ text-decoration: underline }}
code, td, th, pre {{ font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace }}
.list {{ border-collapse: collapse; margin-bottom: 2.5rem }}
.list td {{ padding: .2rem 1.25rem .2rem 0; border-bottom: 1px solid var(--line) }}
.list td + td {{ text-align: right; font-variant-numeric: tabular-nums }}
section {{ margin-bottom: 3rem }}
h2 {{ position: sticky; top: 0; z-index: 2; margin: 0; padding: .6rem 0; background: var(--paper);
  border-bottom: 2px solid var(--line); font-size: 1.05rem; font-weight: 650 }}
h2 small {{ color: var(--soft); font-weight: 400 }}
.wide {{ overflow-x: auto }}
.rows {{ border-collapse: collapse; min-width: 100% }}
.rows th {{ text-align: left; color: var(--soft); font-weight: 500; background: var(--band) }}
.rows td, .rows th {{ padding: .3rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: pre-wrap; overflow-wrap: anywhere; max-width: 34rem }}
.rows td:first-child {{ width: 1.5rem; text-align: center; font-weight: 700 }}
.key {{ font-weight: 600 }}
.same {{ color: var(--soft) }}
.null {{ font-style: italic; opacity: .7 }}
.added > td {{ background: var(--add-bg) }} .added > td:first-child {{ color: var(--add) }}
.removed > td {{ background: var(--del-bg) }} .removed > td:first-child {{ color: var(--del) }}
.modified > td:first-child {{ color: var(--mod) }} .modified > td.cell {{ background: var(--mod-bg) }}
del, ins {{ display: block; width: fit-content; border-radius: .25em; padding: 0 .3em; text-decoration: none }}
del {{ color: var(--del); background: var(--del-bg) }} del::before {{ content: "\\2212\\a0" }}
ins {{ color: var(--add); background: var(--add-bg) }} ins::before {{ content: "+\\a0" }}
pre {{ margin: .5rem 0 0; padding: .8rem 1rem; background: var(--band); border-radius: .4rem; overflow-x: auto }}
pre del, pre ins {{ border-radius: 0; width: auto }}
.plus {{ color: var(--add) }} .minus {{ color: var(--del) }} .tilde {{ color: var(--mod) }}
.pair {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: .6rem 0 1.5rem }}
figure {{ margin: 0; max-width: 46% }} figcaption {{ color: var(--soft) }}
img {{ max-width: 100%; max-height: 32rem; border: 1px solid var(--line); border-radius: .3rem;
  background: repeating-conic-gradient(var(--band) 0 25%, var(--paper) 0 50%) 0 / 16px 16px }}
.file {{ margin: 1rem 0 0 }} .file b {{ font-weight: 650 }}
@media print {{ h2 {{ position: static }} body {{ max-width: none }} }}
</style>
</head>
<body>
"""

Counts = Mapping[str, tuple[int, int, int]]  # added, modified, removed


def pieces(
    delta: Delta,
    origin: str,
    goal: str,
    counts: Counts,
    *,
    cut: bool,
    files: Sequence[FileDelta] = (),
    read: Read = lambda _: b"",
) -> Iterator[str]:
    """The page. `counts`: by the names of the tables; `cut`: more differs than is here; `read`: what a file holds."""
    title = f"{origin} to {goal}"
    yield _HEAD.format(title=safe(title))
    yield f"<h1><code>{safe(origin)}</code> &rarr; <code>{safe(goal)}</code></h1>\n"
    yield f"<p>{_summary(delta, counts, files, cut=cut)}</p>\n"
    yield from _contents(delta, counts, files)
    if delta.definitions:
        yield '<section id="definitions"><h2>Definitions</h2>\n'
        yield from map(_definition, delta.definitions)
        yield "</section>\n"
    for number, table in enumerate(delta.tables):
        yield from _table(table, number, counts.get(table.name, (0, 0, 0)))
    if files:
        yield from file_pages.pieces(files, read)
    yield "</body>\n</html>\n"


def _summary(delta: Delta, counts: Counts, files: Sequence[FileDelta], *, cut: bool) -> str:
    totals = [sum(each[at] for each in counts.values()) for at in range(3)]
    words = [
        f"{amount(many, 'row')} {word}"
        for many, word in zip(totals, ("added", "modified", "removed"), strict=True)
        if many
    ]
    words += [
        f"{amount(many, thing)} differ{'s' * (many == 1)}"
        for many, thing in ((len(delta.definitions), "definition"), (len(files), "file"))
        if many
    ]
    said = ", ".join(words) or "Nothing differs"
    return said + ("; more than is shown here." if cut else ".")


def _contents(delta: Delta, counts: Counts, files: Sequence[FileDelta]) -> Iterator[str]:
    if len(delta.tables) + bool(delta.definitions) + bool(files) < 2:
        return
    yield '<table class="list">\n'
    if delta.definitions:
        yield f'<tr><td><a href="#definitions">Definitions</a></td><td>{len(delta.definitions):,}</td></tr>\n'
    for number, table in enumerate(delta.tables):
        said = _said(counts.get(table.name, (0, 0, 0)))
        yield f'<tr><td><a href="#t{number}">{safe(table.name)}</a></td><td>{said}</td></tr>\n'
    if files:
        yield f'<tr><td><a href="#files">Files</a></td><td>{len(files):,}</td></tr>\n'
    yield "</table>\n"


def _said(counts: tuple[int, int, int]) -> str:
    signs = (("plus", "+"), ("tilde", "~"), ("minus", "&minus;"))
    found = [
        f'<span class="{kind}">{sign}{many:,}</span>' for many, (kind, sign) in zip(counts, signs, strict=True) if many
    ]
    return " ".join(found)


def _definition(each: Definition) -> str:
    was = f" (was {safe(each.was)})" if each.was else ""
    columns = "".join(f" {safe(old)} &rarr; {safe(new)}" for old, new in each.columns.items())
    head = f"<p><b>{SIGNS[each.op]}</b> {each.type} <b>{safe(each.name)}</b>{was}{columns}</p>\n"
    sides = ["" if side is None else str(side) for side in (each.before, each.after)]
    lines = []
    for line in ndiff(sides[0].splitlines(), sides[1].splitlines()):
        tag = {"- ": "del", "+ ": "ins"}.get(line[:2])
        text = safe(line[2:]) or "&nbsp;"
        if tag:
            lines.append(f"<{tag}>{text}</{tag}>")
        elif line[:2] == "  ":
            lines.append(f"<span>{text}</span>\n")
    return f"{head}<pre>{''.join(lines)}</pre>\n"


def _table(table: TableDelta, number: int, counts: tuple[int, int, int]) -> Iterator[str]:
    was = table.before.name if table.before and table.before.name != table.name else ""
    renamed = f" <small>was {safe(was)}</small>" if was else ""
    yield f'<section id="t{number}"><h2>{safe(table.name)}{renamed} <small>{_said(counts)}</small></h2>\n'
    columns = _columns(table)
    heads = "".join(f"<th>{safe(column)}</th>" for column in columns)
    yield f'<div class="wide"><table class="rows">\n<tr><th></th><th>{_key_name(table)}</th>{heads}</tr>\n'
    for change in row_patches(table):
        yield _row(change, columns, table.columns)
    yield "</table></div></section>\n"


def _columns(table: TableDelta) -> list[str]:
    """The columns beside the key, those of the newer table first."""
    sides = [side.cells[len(side.key) :] if side else () for side in (table.before, table.after)]
    old = [table.columns.get(name, name) for name in sides[0]]
    key = set(key_columns(table.shown))
    return [
        name for name in dict.fromkeys([*sides[1], *old]) if name not in key and (not table.only or name in table.only)
    ]


def _key_name(table: TableDelta) -> str:
    return safe(", ".join(key_columns(table.shown)) or "rowid")


def _row(change: RowPatch, columns: list[str], renamed: Mapping[str, str]) -> str:
    before = {renamed.get(name, name): value for name, value in (change.before or {}).items()}
    after = change.after or {}
    cells = []
    for column in columns:
        old, new = before.get(column), after.get(column)
        if change.op != "modified":
            cells.append(f"<td>{_value(after.get(column) if change.after is not None else old)}</td>")
        elif same(old, new):
            cells.append(f'<td class="same">{_value(new)}</td>')
        else:
            was, now = both(old, new)
            cells.append(f'<td class="cell"><del>{safe(was)}</del><ins>{safe(now)}</ins></td>')
    head = f'<td>{SIGNS[change.op]}</td><td class="key">{safe(key_shown(change.key))}</td>'
    return f'<tr class="{change.op}">{head}{"".join(cells)}</tr>\n'


def _value(value: Value) -> str:
    return '<span class="null">NULL</span>' if value is None else safe(shown(value))
