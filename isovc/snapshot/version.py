"""A version of a database as two files that people and git can read. Pure; never touches a store or a file.

`snapshot.json` says what there is and names the root of every table; `schema.sql` holds the definitions in an order in
which they can be executed. The length of each definition stands in the JSON, so the SQL needs no parsing to be taken
apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from isovc.encoding.digest import ID_BYTES, ChunkId
from isovc.errors import FormatTooNew, NotCanonical
from isovc.model import Column, KeyKind, SchemaObject, Shape, Table
from isovc.tree.forest import Root

FORMAT = 1
READABLE = (1,)
JSON_FILE, SQL_FILE = "snapshot.json", "schema.sql"

# The files beside the database are one more table, a row a path: no definition speaks of it, and nobody gives a table
# such a name.
FILES = "files/"
FILE_TABLE = Table(
    FILES,
    (
        Column("path", "TEXT", not_null=True, primary_key=1),
        Column("mode", "INTEGER", not_null=True),
        Column("size", "INTEGER", not_null=True),
        Column("mtime", "INTEGER", not_null=True),
        Column("media", "TEXT", not_null=True),
        Column("content", "BLOB", not_null=True),
    ),
    KeyKind.COLUMNS,
    without_rowid=True,
    strict=True,
)

_LAYOUT = ("page_size", "auto_vacuum")
_END = ";\n\n"  # what stands behind each definition in schema.sql


@dataclass(frozen=True, slots=True)
class Version:
    """The shape of a database and the root of each of its tables, and of its files."""

    shape: Shape = field(default_factory=Shape)
    roots: Mapping[str, Root] = field(default_factory=dict)


def same(one: Version, other: Version) -> bool:
    """Whether two versions hold the same, however their files are laid out."""
    return same_shape(one.shape, other.shape) and {name: root.id for name, root in one.roots.items()} == {
        name: root.id for name, root in other.roots.items()
    }


def same_shape(one: Shape, other: Shape) -> bool:
    """The same of shapes. Definitions may stand in any order that can be executed."""
    return (
        pragmas_said(one) == pragmas_said(other)
        and frozenset(one.objects) == frozenset(other.objects)
        and one.tables == other.tables
    )


def pragmas_said(shape: Shape) -> dict[str, int]:
    """The pragmas that somebody set, without those that only say how the file is laid out."""
    return {name: value for name, value in shape.pragmas.items() if value and name not in _LAYOUT}


def laid_out_like(version: Version, live: Version) -> Version:
    """The version as a file holds it that keeps its own layout: only writing all of the file anew could change it."""
    layout = {name: live.shape.pragmas[name] for name in _LAYOUT if name in live.shape.pragmas}
    pragmas = {**version.shape.pragmas, **layout}
    return replace(version, shape=replace(version.shape, encoding=live.shape.encoding, pragmas=pragmas))


def encode_version(version: Version) -> dict[str, bytes]:
    """The two files."""
    shape = version.shape
    files = version.roots.get(FILES)
    tables = {
        name: {
            "root": version.roots[name].id.hex(),
            "rows": version.roots[name].rows,
            "bytes": version.roots[name].bytes,
            "key": list(table.key),
            "key_kind": table.key_kind.value,
            **{flag: getattr(table, flag) for flag in _FLAGS if getattr(table, flag)},
            "columns": [_encode_column(column) for column in table.columns],
        }
        for name, table in sorted(shape.tables.items())
        if name != FILES
    }
    document = {
        "format": FORMAT,
        "dialect": "sqlite",
        "encoding": shape.encoding,
        "pragmas": dict(sorted(shape.pragmas.items())),
        "tables": tables,
        "schema": [
            {"type": each.type, "name": each.name, "table": each.table, "characters": len(each.sql)}
            for each in shape.objects
        ],
        "attachments": files and {"root": files.id.hex(), "files": files.rows, "bytes": files.bytes},
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    script = "".join(each.sql + _END for each in shape.objects)
    return {JSON_FILE: (text + "\n").encode(*_UTF8), SQL_FILE: script.encode(*_UTF8)}


def decode_version(files: Mapping[str, bytes]) -> Version:
    """The version these files were made from."""
    try:
        document = json.loads(files[JSON_FILE].decode(*_UTF8))
        if document["format"] not in READABLE:
            raise FormatTooNew(path=JSON_FILE, version=document["format"], readable=max(READABLE))
        script = files[SQL_FILE].decode(*_UTF8)
        objects: list[SchemaObject] = []
        at = 0
        for each in document["schema"]:
            end = at + each["characters"]
            objects.append(SchemaObject(each["type"], each["name"], each["table"], script[at:end]))
            if script[end : end + len(_END)] != _END:
                raise ValueError("schema.sql does not fit snapshot.json")
            at = end + len(_END)
        tables = {name: _decode_table(name, each) for name, each in document["tables"].items()}
        roots = {
            name: Root(_id(each["root"]), each["rows"], each["bytes"]) for name, each in document["tables"].items()
        }
        if (said := document["attachments"]) is not None:
            tables[FILES] = FILE_TABLE
            roots[FILES] = Root(_id(said["root"]), said["files"], said["bytes"])
        shape = Shape(document["encoding"], document["pragmas"], tuple(objects), tables)
        return Version(shape, roots)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotCanonical(what="a version of the database", why=str(error) or type(error).__name__) from None


_UTF8 = ("utf-8", "surrogatepass")  # names and definitions of a damaged database may hold anything
_FLAGS = ("without_rowid", "strict", "shadow_of")
_COLUMN = {each.name: each.default for each in fields(Column) if each.name != "name"}


def _encode_column(column: Column) -> dict[str, Any]:
    said = {name: getattr(column, name) for name, usual in _COLUMN.items() if getattr(column, name) != usual}
    return {"name": column.name, **said}


def _decode_table(name: str, said: Mapping[str, Any]) -> Table:
    columns = tuple(Column(**each) for each in said["columns"])
    flags = {flag: said[flag] for flag in _FLAGS if flag in said}
    return Table(name, columns, KeyKind(said["key_kind"]), **flags)


def _id(text: str) -> ChunkId:
    found = bytes.fromhex(text)
    if len(found) != ID_BYTES:
        raise ValueError(f"{text!r} is no id")
    return ChunkId(found)
