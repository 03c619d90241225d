"""The peers, each started so that it cannot disturb us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from registry import Bench, Outcome, PeerMissing
from tables import ITEMS, cached

PYTHON = os.environ.get("PEERS", sys.executable)  # that has the peers of the package index


class DoltLite:
    """The items table in DoltLite, in a process of its own; times are measured there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        program = Path(__file__).with_name("doltlite_process.py")
        self._process = subprocess.Popen(
            [PYTHON, str(program), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        first = self._line()
        if "missing" in first:
            self.close()
            raise PeerMissing(first["missing"])
        self.version = first["version"]

    def run(self, *work: str | tuple[str, Any], may_fail: bool = False) -> Outcome:
        """Run statements, each alone or with the parameters of many, and say how long it took."""
        request = [{"sql": one} if isinstance(one, str) else {"sql": one[0], **one[1]} for one in work]
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._line()
        if "error" in answer and not may_fail:
            raise RuntimeError(answer["error"])
        return Outcome(answer["seconds"], bytes=self.size())

    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.path.parent.glob(self.path.name + "*"))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("DoltLite's process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


_SAYING = {
    "doltlite": (PYTHON, "-c", "import importlib.metadata as m; print(m.version('doltlite'))"),
    "sqlite3": ("sqlite3", "--version"),
    "restic": ("restic", "version"),
    "borg": ("borg", "--version"),
    "litestream": ("litestream", "version"),
}


@cache
def versions() -> dict[str, str]:
    """Of the peers that are here."""
    found = {}
    for name, words in _SAYING.items():
        try:
            said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        found[name] = next(word for word in said.split() if word[0].isdigit())
    return found


def update(ids: list[int], add: float) -> list[str | tuple[str, Any]]:
    """Statements that change one column of these rows and commit."""
    change = ("UPDATE items SET amount = id + ? WHERE id = ?", {"many": [(add, number) for number in ids]})
    return ["BEGIN", change, "COMMIT", "SELECT dolt_commit('-A', '-m', 'changed')"]


def doltlite(bench: Bench) -> DoltLite:
    """DoltLite with the items table committed, on branch main."""

    def make() -> DoltLite:
        peer = DoltLite(bench.scratch / "doltlite.db")
        bench.closing.append(peer.close)
        rows = {"rows": str(cached(bench.cache, "items", bench.rows))}
        fill = ("INSERT INTO items VALUES(?, ?, ?, ?, ?, ?)", rows)
        peer.run(ITEMS, "BEGIN", fill, "COMMIT", "SELECT dolt_commit('-A', '-m', 'first')")
        return peer

    return bench.once("doltlite", make)
