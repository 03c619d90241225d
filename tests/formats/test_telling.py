"""Values and rows as the forms tell them, and what is refused when they are read back."""

from __future__ import annotations

import csv
import json
import sqlite3
import struct
import subprocess
from contextlib import closing
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from isovc.errors import NoPatch
from isovc.formats import csv_rows, html, jsonl, sql_patch
from isovc.formats.json_values import decode_value, encode_value
from isovc.formats.literals import exact_literal, value_of
from isovc.formats.words import both, shown
from tests.formats.pairs import Pair
from tests.sources.files import make

ANY_TEXT = st.binary(max_size=30).map(lambda data: data.decode("utf-8", "surrogateescape"))
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=9), ANY_TEXT
)


@given(VALUES)
@example("\\n\n\r\\r'")
@example(-0.0)
@example(-(2**63))
def test_a_value_comes_back_from_json_and_sql(value: Any) -> None:
    assert repr(decode_value(json.loads(json.dumps(encode_value(value))))) == repr(value)
    said = exact_literal(value, "UTF-8")
    assert "\n" not in said and "\r" not in said
    assert repr(value_of(said, "UTF-8")) == repr(value)


@given(st.binary(max_size=12).filter(lambda data: len(data) % 2 == 0))
def test_text_of_a_utf16_database_comes_back(data: bytes) -> None:
    inner = data.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
    text = inner.decode("utf-8", "surrogateescape")
    assert value_of(exact_literal(text, "UTF-16le"), "UTF-16le") == text


@pytest.mark.needs("sqlite3")
@settings(max_examples=10, deadline=None)
@given(st.lists(st.one_of(st.floats(allow_nan=False), st.decimals(0, 10**9, places=6).map(float)), max_size=200))
@example([594779.318088, 5e-324, 2.5e-310, 1.7976931348623157e308, 4909812.582607958, 0.005631316215939815])
def test_every_sqlite_reads_a_float_to_the_last_bit(values: list[float]) -> None:
    query = "".join(f"SELECT {exact_literal(value, 'UTF-8')} = {_bits(value)};" for value in values)
    done = subprocess.run(["sqlite3", ":memory:"], input=query.encode(), capture_output=True, check=True)
    assert done.stdout.split() == [b"1"] * len(values)


def _bits(value: float) -> str:
    """The same float, put together by the shell from its bits."""
    return f"ieee754_from_blob(x'{struct.pack('>d', value).hex()}')"


def test_long_values_are_shortened_around_what_changed() -> None:
    long = "a" * 500
    one, other = both(long + "X" + long, long + "Y" + long)
    assert "X" in one and "Y" in other and len(one) < 80
    assert both("x", "y") == ("'x'", "'y'")
    assert both(None, 1) == ("NULL", "1")
    assert shown(bytes(100)).endswith("(100 bytes)")
    assert shown("two\nlines") == "'two\\nlines'"
    assert "04" in both(bytes(50) + b"\4", bytes(50) + b"\5")[0]


NASTY = [
    "<script>alert(1)</script>",
    "&amp;",
    "=1+2",
    "+1",
    "-1",
    "@x",
    "\tx",
    'quo"te,',
    "\x1b[31m",
    "\udcff",
    "\0",
    "two\nlines",
]


def _nasty(folder: Path) -> Pair:
    make(folder / "a.db", "CREATE TABLE t(a PRIMARY KEY, b)")
    make(folder / "b.db", "CREATE TABLE t(a PRIMARY KEY, b); CREATE VIEW \"<b>\" AS SELECT '<i>'")
    with closing(sqlite3.connect(folder / "b.db", isolation_level=None)) as connection:
        for text in NASTY:
            data = text.encode("utf-8", "surrogateescape")
            connection.execute("INSERT INTO t VALUES(CAST(? AS TEXT), -5)", (data,))
    return Pair(folder)


def test_a_sheet_computes_nothing(tmp_path: Path) -> None:
    pair = _nasty(tmp_path)
    found = pair.delta(pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db"))
    rows = list(csv.reader(StringIO("".join(csv_rows.lines(found)), newline="")))
    assert tuple(rows[0]) == csv_rows.HEAD
    assert {len(row) for row in rows} == {len(csv_rows.HEAD)}
    assert [row[:3] for row in rows[1:2]] == [["view", "<b>", "added"]]
    assert [decode_value(json.loads(row[5])["a"]) for row in rows[2:]] == sorted(NASTY, key=_bytes)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def test_a_sheet_says_one_line_a_change_and_tells_null_from_an_empty_text(tmp_path: Path) -> None:
    table = 'CREATE TABLE "=t"(a, b, c, PRIMARY KEY(a, b));'
    make(
        tmp_path / "a.db",
        f"{table} INSERT INTO \"=t\" VALUES(1, 'x', ''), (2, '', NULL); PRAGMA user_version=1;"
        "CREATE TABLE u(id INTEGER PRIMARY KEY, old); INSERT INTO u VALUES(1, 'kept'), (2, 'kept too')",
    )
    make(
        tmp_path / "b.db",
        f"{table} INSERT INTO \"=t\" VALUES(1, 'x', NULL), (3, NULL, x'00'); PRAGMA user_version=-2;"
        "CREATE TABLE u(id INTEGER PRIMARY KEY, new); INSERT INTO u VALUES(1, 'kept'), (2, '')",
    )
    pair = Pair(tmp_path)
    found = pair.delta(pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db"))
    rows = list(csv.reader(StringIO("".join(csv_rows.lines(found)), newline="")))
    before = '{"name":"u","sql":"CREATE TABLE u(id INTEGER PRIMARY KEY, old)"}'
    after = '{"name":"u","sql":"CREATE TABLE u(id INTEGER PRIMARY KEY, new)"}'
    assert rows[1:] == [
        ["table", "u", "modified", "", before, after],
        ["pragma", "user_version", "modified", "", '{"value":1}', '{"value":-2}'],
        ["row", "'=t", "modified", '[1,"x",null]', '{"c":""}', '{"c":null}'],
        ["row", "'=t", "removed", '[2,"",null]', '{"a":2,"b":"","c":null}', ""],
        ["row", "'=t", "added", "[3,null,2]", "", '{"a":3,"b":null,"c":{"$blob":"AA=="}}'],
        ["row", "u", "modified", "[2]", '{"new":"kept too"}', '{"new":""}'],
    ]


class _Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_is_whole_escaped_and_fetches_nothing(tmp_path: Path) -> None:
    pair = _nasty(tmp_path)
    found = pair.delta(pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db"))
    said = "".join(html.pieces(found, "<A>", "B", {"t": (len(NASTY), 0, 0)}, cut=False))
    page = _Page()
    page.feed(said)
    page.close()
    assert page.open == []
    assert not {"script", "b ", "i", "link", "img"} & set(page.tags)
    assert {link[:1] for link in page.links} <= {"#"}
    assert "url(" not in said and "http" not in said.replace("http-equiv", "")
    assert "<script>alert(1)</script>" in page.text
    assert "12 rows added, 1 definition differs." in page.text
    said.encode()
    assert not [letter for letter in said if ord(letter) < 32 and letter != "\n"]
    assert "prefers-color-scheme: dark" in said and "position: sticky" in said


def test_nothing_differs(tmp_path: Path) -> None:
    pair = _nasty(tmp_path)
    version = pair.version(tmp_path / "b.db")
    found = pair.delta(version, version)
    assert list(jsonl.lines(found)) == []
    assert len("".join(sql_patch.lines(found, "A", "B")).splitlines()) == 2
    assert pair.sql(version, version).tables == pair.jsonl(version, version).tables == {}
    assert "Nothing differs." in "".join(html.pieces(found, "A", "B", {}, cut=False))


LINE = '{"table":"t","op":"modified","key":[1],"before":{"a":1,"b":2},"after":{"a":1,"b":3}}\n'


@pytest.mark.parametrize(
    "text",
    [
        "no patch",
        "-- a comment\n",
        "PK\3\4",
        "[]\n" + LINE,
        LINE + "{",
        LINE + "null\n",
        LINE + '{"table":"t"}\n',
        '{"table":"t","op":"added","key":[1],"before":{"a":1},"after":null}\n',
        '{"table":"t","op":"added","key":[1],"before":null,"after":null}\n',
        '{"table":"t","op":"added","key":[true],"before":null,"after":{"a":1}}\n',
        '{"table":"t","op":"added","key":[{"$blob":"!"}],"before":null,"after":{"a":1}}\n',
        '{"table":"t","op":"added","key":[1],"before":null,"after":{"a":[1]}}\n',
        '{"table":"t","op":"added","key":[1],"before":null,"after":{"a":123456789012345678901234567890}}\n',
        '{"table":"t","op":"added","key":[1],"before":null,"after":{"a":"\\ud800"}}\n',
        '{"table":"t","op":"added","key":1,"before":null,"after":{"a":1}}\n',
        '{"table":5,"op":"added","key":[1],"before":null,"after":{"a":1}}\n',
        '{"schema":{"op":"added","type":"table","name":"x"}}\n',
        '{"schema":{"op":"added","type":"pragma","name":"x","before":null,"after":"1; ATTACH"}}\n',
        '{"schema":{"op":"dropped","type":"table","name":"x","before":"a","after":null}}\n',
        '{"schema":[]}\n',
        "{" * 100_000,
        "\ufeff" + LINE,
    ],
)
def test_what_is_no_patch_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(NoPatch):
        Pair(tmp_path).patch([text])


def test_a_row_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    patch = Pair(tmp_path).patch([LINE, LINE])
    with pytest.raises(NoPatch):
        list(patch.rows("t"))


@pytest.mark.parametrize("spoil", ["cut", "edit", "add", "format"])
def test_an_sql_patch_is_taken_only_as_it_was_written(tmp_path: Path, spoil: str) -> None:
    pair = _nasty(tmp_path)
    found = pair.delta(pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db"))
    said = "".join(sql_patch.lines(found, "A", "B"))
    pair.patch([said])
    spoiled = {
        "cut": said[: len(said) // 2],
        "edit": said.replace("-5", "-6"),
        "add": said + "ATTACH '/tmp/x' AS x;\n",
        "format": said.replace("patch 1:", "patch 2:", 1),
    }[spoil]
    with pytest.raises(NoPatch):
        pair.patch([spoiled])


def test_definitions_that_look_like_our_marks(tmp_path: Path) -> None:
    sql = "CREATE TABLE t(a,\n-- rows\n-- that was rows\n--{\"isovc\": {}}\n b); INSERT INTO t VALUES ('-- rows', 1)"
    make(tmp_path / "a.db", "CREATE TABLE u(a)")
    make(tmp_path / "b.db", sql)
    pair = Pair(tmp_path)
    old, new = pair.version(tmp_path / "a.db"), pair.version(tmp_path / "b.db")
    patch = pair.sql(old, new)
    assert pair.patched(old, patch).roots["t"].id == new.roots["t"].id
    assert pair.by_shell(tmp_path / "a.db", old, new).roots["t"].id == new.roots["t"].id
