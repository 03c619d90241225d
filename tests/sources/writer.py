"""Another program at work in a database: a process of its own with the stock sqlite3 module, told what to do line by
line. In this process, closing the file would drop the locks of the connections that are tested."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Rows = dict[str, list[tuple[Any, ...]]]

_PROGRAM = """
import pickle, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
db.text_factory = lambda data: data.decode('utf-8', 'surrogateescape')
while True:
    try:
        script, see = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    said, seen = '', {}
    try:
        for statement in script:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement).fetchall()
    except sqlite3.Error as error:
        said = str(error)
        if db.in_transaction:
            db.execute('ROLLBACK')
    if see:
        names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
        seen = {name: sorted(map(repr, db.execute(f'SELECT * FROM "{name}"'))) for (name,) in names.fetchall()}
    pickle.dump((said, seen), sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""


class Writer:
    """That process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, *script: Any, see: bool = False) -> Any:
        """Do this, statement by statement; an error undoes what is open. What it said, or all rows as text."""
        assert self._process.stdin is not None and self._process.stdout is not None
        pickle.dump((script, see), self._process.stdin)
        self._process.stdin.flush()
        said, seen = pickle.load(self._process.stdout)
        return seen if see else said

    def transaction(self, *script: Any) -> Any:
        """The same as one transaction; all rows behind it."""
        return self.run("BEGIN IMMEDIATE", *script, "COMMIT", see=True)


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """It ends with the block."""
    words = [sys.executable, "-c", _PROGRAM, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Writer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=30)
