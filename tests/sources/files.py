"""Databases made for a test, and what is in them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from isovc.encoding.orderkey import encode_key
from isovc.errors import IsovcError
from isovc.model import Row, Shape
from isovc.sources.sqlite import Database, Reading

State = dict[str, dict[bytes, Row]]  # by table and encoded key


def make(path: Path, sql: str, encoding: str = "UTF-8") -> Database:
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_FKEY, 0)
    connection.execute(f"PRAGMA encoding='{encoding}'")
    list(connection.execute(sql))
    connection.close()
    return Database(path)


def content(database: Database) -> tuple[Shape, dict[str, list[Row]]]:
    with database.reading() as reading:
        shape = reading.shape()
        return shape, {name: list(rows.values()) for name, rows in state(reading, shape).items()}


def state(reading: Reading, shape: Shape) -> State:
    """Every row that one snapshot sees."""
    return {
        name: {encode_key(row[: len(table.key)]): row for batch in reading.rows(table) for row in batch}
        for name, table in shape.tables.items()
    }


def check(path: Path) -> object:
    connection = apsw.Connection(str(path))
    try:
        return connection.execute("PRAGMA integrity_check").get
    finally:
        connection.close()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A folder on a disk of 1 MiB; skips where this user cannot make one."""
    place = folder / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def as_nobody(prepare: Callable[[Path], None], act: Callable[[Path], None]) -> str:
    """What the error of `act` is called where the user has only the rights that `prepare` gave: root has them all."""
    folder = Path(tempfile.mkdtemp())  # pytest's own folders cannot be entered by another user
    try:
        folder.chmod(0o755)
        prepare(folder)
        if os.geteuid():
            return _code(act, folder)
        ours, theirs = socket.socketpair()
        child = os.fork()
        if not child:
            try:
                os.setgid(65534)
                os.setuid(65534)
                theirs.send(_code(act, folder).encode())
            except BaseException as error:
                theirs.send(repr(error).encode())
            finally:
                os._exit(0)
        theirs.close()
        os.waitpid(child, 0)
        with ours:
            return ours.recv(1000).decode()
    finally:
        for inner in (folder, *folder.rglob("*")):
            inner.chmod(0o755)
        shutil.rmtree(folder)


def _code(act: Callable[[Path], None], folder: Path) -> str:
    try:
        act(folder)
    except IsovcError as error:
        return error.code
    return "done"
