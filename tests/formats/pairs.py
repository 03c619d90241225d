"""Two databases and what differs between them, told in a form and done to a copy of the first."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

from isovc.formats import jsonl, sql_patch
from isovc.formats.delta import Delta
from isovc.formats.reading import Patch, read_patch
from isovc.snapshot.capture import capture
from isovc.snapshot.delta import delta
from isovc.snapshot.move import plan_move
from isovc.snapshot.patching import patched
from isovc.snapshot.version import Version, laid_out_like, pragmas_said
from isovc.sources.sqlite import Database
from isovc.store import MemoryChunks
from isovc.tree.forest import Forest


class Pair:
    """Versions of files in one forest. An empty file is the version without anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.forest = Forest(MemoryChunks())

    def version(self, path: Path) -> Version:
        with Database(path).reading() as reading:
            return capture(self.forest, reading).version

    def delta(self, old: Version, new: Version) -> Delta:
        return delta(self.forest, old, new)

    def patch(self, pieces: Iterable[str]) -> Patch:
        return read_patch(BytesIO("".join(pieces).encode("utf-8", "surrogateescape")), "the patch")

    def jsonl(self, old: Version, new: Version) -> Patch:
        return self.patch(jsonl.lines(self.delta(old, new)))

    def sql(self, old: Version, new: Version) -> Patch:
        return self.patch(sql_patch.lines(self.delta(old, new), "A", "B"))

    def patched(self, live: Version, patch: Patch) -> Version:
        return patched(self.forest, live, patch, self.folder / "a.db")

    def by_shell(self, path: Path, old: Version, new: Version) -> Version:
        """What the stock shell makes of a copy of the first file."""
        return self.version(shell(path, self.folder / "copy.db", sql_patch.lines(self.delta(old, new), "A", "B")))

    def in_a_file(self, path: Path, old: Version, new: Version) -> Version:
        """What a live database becomes that is moved to the version that came out."""
        copy = self.folder / "moved.db"
        shutil.copy(path, copy)
        wanted = laid_out_like(new, old)
        with Database(copy).writing() as writing:
            plan = plan_move(self.forest, old, wanted)
            writing.apply(plan.target, plan.changes, contents=plan.contents)
        return self.version(copy)


def shell(path: Path, copy: Path, pieces: Iterable[str]) -> Path:
    shutil.copy(path, copy)
    script = "".join(pieces).encode("utf-8", "surrogateescape")
    done = subprocess.run(["sqlite3", "-bail", str(copy)], input=script, capture_output=True, check=False)
    assert done.returncode == 0, (done.stderr, script.decode("utf-8", "replace"))
    return copy


def held(version: Version) -> tuple[object, ...]:
    """Everything a version holds, however its file is laid out."""
    roots = {name: root.id for name, root in version.roots.items()}
    return pragmas_said(version.shape), frozenset(version.shape.objects), dict(version.shape.tables), roots


Told = Callable[[Pair, Version, Version], Patch]
