"""Questions as people type them: which version, which parameters, in which form the answer goes out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module

from isovc.cli.answers import json_lines, json_pieces, table
from isovc.cli.handing import hand_over
from isovc.cli.here import Here
from isovc.cli.revision import where
from isovc.errors import BadParameter, BadRevision
from isovc.formats import sheet
from isovc.history import CommitId
from isovc.model import Value
from isovc.snapshot.query.session import Answer
from isovc.snapshot.version import Version
from isovc.sql import unquoted
from isovc.workspace.desk import Desk
from isovc.workspace.revisions import Revisions

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_BLOB = re.compile(r"[xX]'((?:[0-9a-fA-F]{2})*)'\Z")
_QUOTED = re.compile(r"'(?:[^']|'')*'\Z", re.DOTALL)
_LARGEST = 1 << 63


def revisions_of(desk: Desk) -> Revisions:
    """What words mean here. Git is loaded when a version is asked that is not checked out."""
    return Revisions(desk, where(desk), partial(_then, desk))


def version_asked(at: str | None) -> str:
    """The version that --at names; empty: the live database, which an empty variable of a script does not mean."""
    if at is not None and not at.strip():
        raise BadRevision(text=at, why="it is empty")
    return at or ""


def _then(desk: Desk, commit: CommitId) -> Version:
    found: Version = import_module("isovc.cli.past").version_then(desk, commit)
    return found


def parameters_of(typed: Sequence[str]) -> dict[str, Value] | None:
    """The parameters of `-p name=value`. What looks like a number is one; quotes as in SQL make text of anything."""
    found: dict[str, Value] = {}
    for each in typed:
        label, equals, text = each.partition("=")
        label = label.lstrip(":@$")
        if not equals or not label:
            raise BadParameter(name=each, why="it is not written name=value")
        found[label] = _value(text)
    return found or None


def _value(text: str) -> Value:
    if _INTEGER.match(text) and -_LARGEST <= int(text) < _LARGEST:
        return int(text)
    if _REAL.match(text):
        return float(text)
    if blob := _BLOB.match(text):
        return bytes.fromhex(blob[1])
    if _QUOTED.match(text):
        return unquoted(text)
    return None if text.upper() == "NULL" else text


def show(here: Here, answers: Iterable[Answer], form: str) -> None:
    """Write answers to the standard output, one behind the other. Never through a pager: it would keep Ctrl-C from a
    query that takes long."""
    screen = replace(here.screen, json=False)  # the form says it
    for number, answer in enumerate(answers):
        if form != "table":
            hand_over(screen, pieces(answer, form))
            continue
        if number and answer.columns:
            screen.show(None, [""])
        screen.show(None, table(answer.columns, answer.rows, shortened=screen.out.isatty()))


def pieces(answer: Answer, form: str) -> Iterator[str]:
    """An answer in a form for programs."""
    return _WRITTEN[form](answer.columns, answer.rows)


_WRITTEN = {"json": json_pieces, "jsonl": json_lines, "csv": sheet.lines}
FORMS = ("table", *_WRITTEN)


def to_bytes(texts: Iterable[str]) -> Iterator[bytes]:
    """Exactly what was read, text that is not valid included."""
    return (text.encode("utf-8", "surrogateescape") for text in texts)
