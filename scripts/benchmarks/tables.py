"""The tables of the benchmark, always the same rows; made once a machine and kept in the cache folder."""

from __future__ import annotations

import hashlib
import marshal
import random
from collections.abc import Iterator
from pathlib import Path

ITEMS = """CREATE TABLE items(
    id INTEGER PRIMARY KEY, name TEXT, email TEXT, amount REAL, status INTEGER, payload TEXT)"""
NOTES = """CREATE TABLE notes(
    id INTEGER PRIMARY KEY, guid TEXT NOT NULL, folder_id INTEGER, title TEXT, body TEXT,
    created REAL, modified REAL, pinned INTEGER, score REAL)"""

_WORDS = [
    "river",
    "table",
    "green",
    "paper",
    "cloud",
    "seven",
    "music",
    "window",
    "garden",
    "letter",
    "silver",
    "stone",
]


def items(rows: int) -> Iterator[tuple]:
    """id, name, email, amount, status, payload."""
    draw = random.Random(42)
    for number in range(1, rows + 1):
        digits = hashlib.md5(str(number).encode()).hexdigest()
        payload = hashlib.sha256(digits.encode()).hexdigest()[:48]
        amount, status = round(draw.random() * 9999.99, 2), draw.randrange(5)
        yield number, f"name-{digits[:10]}", f"{digits[10:18]}@example.com", amount, status, payload


def notes(rows: int) -> Iterator[tuple]:
    """id, guid, folder, title, body, created, modified, pinned, score."""
    draw = random.Random(7)
    for number in range(1, rows + 1):
        title = " ".join(draw.choices(_WORDS, k=4))
        body = " ".join(draw.choices(_WORDS, k=draw.randint(5, 40)))
        created = 1.7e9 + draw.random() * 1e7
        modified, score = created + draw.random() * 1e6, draw.random()
        pinned = int(draw.random() < 0.05)
        guid = f"{draw.getrandbits(128):032x}"
        yield number, guid, draw.randint(1, 100), title, body, created, modified, pinned, score


TABLES = {"items": items, "notes": notes}


def cached(folder: Path, table: str, rows: int) -> Path:
    """A file with the rows, as marshal writes a list."""
    path = folder / f"{table}-{rows}.marshal"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            marshal.dump(list(TABLES[table](rows)), file)
        unfinished.replace(path)
    return path


def load(path: Path) -> list[tuple]:
    """The rows in memory."""
    with path.open("rb") as file:
        rows: list[tuple] = marshal.load(file)
        return rows
