"""Workloads on folders of files: a first version, one with nothing new, one large file in and out."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from dataclasses import replace
from itertools import count
from pathlib import Path

from processes import process
from registry import ENVIRONMENT, FULL, Bench, Contender, Outcome, PeerMissing, timed, workload

from isovc.history import Identity
from isovc.history.git_history import GitHistory
from isovc.repo.deeds import Deed
from isovc.repo.place import find
from isovc.repo.repository import Repository
from isovc.repo.settings import Settings
from isovc.workspace.committing import commit
from isovc.workspace.desk import sit_down

_FILES, _BYTES = 10_000, 100_000
_LARGE = 1 << 30
_numbers = count()
_NOW = count(1_700_000_000_000_000, 1_000_000)


def _files(bench: Bench) -> Path:
    """10,000 files of 100 kB: half of them text, half of what cannot be made smaller, as pictures."""

    def make() -> Path:
        folder = bench.scratch / "files"
        draw = random.Random(1)
        words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 10))) for _ in range(5000)]
        for number in range(_FILES // (1 if bench.rows >= FULL else 40)):
            place = folder / str(number // 100)
            place.mkdir(parents=True, exist_ok=True)
            text = " ".join(draw.choices(words, k=_BYTES // 6)).encode()[:_BYTES]
            (place / f"{number}.dat").write_bytes(text if number % 2 else draw.randbytes(_BYTES))
        return folder

    return bench.once("files", make)


class _Ours:
    """A small database with that folder beside it, in a repository of its own."""

    def __init__(self, bench: Bench, files: Path) -> None:
        self.folder = bench.scratch / f"ours-{next(_numbers)}"
        self.folder.mkdir()
        self._environment = {**ENVIRONMENT, "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config")}
        subprocess.run(["sqlite3", self.folder / "app.db", "CREATE TABLE t(a)"], check=True)
        self.isovc("init", "app.db", "--attachments", os.path.relpath(files, self.folder))

    def isovc(self, *words: str) -> Outcome:
        """A whole process."""
        at = self.folder / "app.db" if words[0] != "init" else self.folder
        took = process("-C", at, *words, at=self.folder, environment=self._environment)
        return replace(took, bytes=self.size())

    def commit(self) -> Outcome:
        """Whatever the folder holds now."""
        return self.isovc("commit", "-m", "files", "--allow-empty", "--author", "Bench <bench@example.com>")

    def commit_inside(self) -> Outcome:
        """The same without starting Python."""
        place = find(self.folder)
        settings = Settings.read(self.folder / "nobody.toml", place.folder / "config.toml")
        deed = Deed(Identity("Bench", "bench@example.com"), next(_NOW))

        def work() -> None:
            with Repository(place.folder, settings) as repository, GitHistory(repository.git_folder) as history:
                commit(sit_down(repository, place), history, "again", deed, allow_empty=True)

        return timed(work)

    def size(self) -> int:
        """Bytes of the whole repository."""
        return sum(file.stat().st_size for file in (self.folder / ".isovc").rglob("*") if file.is_file())


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _peer(name: str, *words: str, folder: Path) -> Outcome:
    if shutil.which(name) is None:
        raise PeerMissing(f"{name} is not installed")
    environment = {**os.environ, "RESTIC_PASSWORD": "bench", "HOME": str(folder.parent), "BORG_BASE_DIR": str(folder)}
    took = timed(lambda: subprocess.run([name, *words], env=environment, check=True, capture_output=True))
    return Outcome(took.seconds, bytes=_size(folder))


def _restic(folder: Path, files: Path, *, fresh: bool) -> Outcome:
    if fresh:
        _peer("restic", "-r", str(folder), "init", "-q", folder=folder)
    return _peer("restic", "-r", str(folder), "backup", "-q", "--no-cache", str(files), folder=folder)


def _borg(folder: Path, files: Path, *, fresh: bool) -> Outcome:
    if fresh:
        folder.mkdir()
        _peer("borg", "init", "-e", "none", str(folder / "repo"), folder=folder)
    return _peer("borg", "create", f"{folder / 'repo'}::v{next(_numbers)}", str(files), folder=folder)


@workload("commit 10,000 files of 100 kB", against="restic", ratio=2.0, rounds=3)
def _first(bench: Bench) -> dict[str, Contender]:
    """Bytes: the whole repository."""
    files = _files(bench)

    def ours() -> Outcome:
        made = _Ours(bench, files)
        try:
            return made.commit()
        finally:
            shutil.rmtree(made.folder)

    def theirs(start: object) -> Contender:
        def go() -> Outcome:
            folder = bench.scratch / f"peer-{next(_numbers)}"
            try:
                return start(folder, files, fresh=True)  # type: ignore[operator]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return go

    return {"isovc": ours, "restic": theirs(_restic), "borg": theirs(_borg)}


@workload("commit 10,000 files, nothing changed", against="restic", seconds=0.3, rounds=5)
def _again(bench: Bench) -> dict[str, Contender]:
    """Ours from opening the repository until the commit is kept, as for rows; theirs a whole process."""
    files = _files(bench)
    made = _Ours(bench, files)
    made.commit()
    restic, borg = bench.scratch / "restic-again", bench.scratch / "borg-again"
    contenders: dict[str, Contender] = {"isovc": made.commit_inside, "isovc, whole process": made.commit}
    for name, start, folder in (("restic", _restic, restic), ("borg", _borg, borg)):
        try:
            start(folder, files, fresh=True)
        except PeerMissing:
            continue
        contenders[name] = lambda start=start, folder=folder: start(folder, files, fresh=False)
    return contenders


@workload("one file of 1 GB in", seconds=_LARGE / 150e6, memory=300_000_000, rounds=2, is_large=True)
def _in(bench: Bench) -> dict[str, Contender]:
    """Half text, half random."""

    def ours() -> Outcome:
        made = _Ours(bench, _large(bench))
        try:
            return made.commit()
        finally:
            shutil.rmtree(made.folder)

    return {"isovc": ours}


@workload("one file of 1 GB out", seconds=_LARGE / 150e6, memory=300_000_000, rounds=2, is_large=True)
def _out(bench: Bench) -> dict[str, Contender]:
    """Written into a folder of its own, whole and synced."""
    made = _Ours(bench, _large(bench))
    made.commit()

    def ours() -> Outcome:
        place = bench.scratch / f"out-{next(_numbers)}"
        try:
            return made.isovc("export-files", "HEAD", str(place))
        finally:
            shutil.rmtree(place)

    return {"isovc": ours}


def _large(bench: Bench) -> Path:
    def make() -> Path:
        folder = bench.scratch / "large"
        folder.mkdir()
        draw = random.Random(2)
        words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 10))) for _ in range(5000)]
        with (folder / "large.dat").open("wb") as file:
            while file.tell() < _LARGE // (1 if bench.rows >= FULL else 40):
                file.write(draw.randbytes(4 << 20))
                file.write(" ".join(draw.choices(words, k=600_000)).encode()[: 4 << 20])
        return folder

    return bench.once("large", make)
