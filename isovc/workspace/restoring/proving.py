"""A version made a file, and held against what was recorded, before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isovc.errors import NotAsRecorded
from isovc.snapshot.capture import capture
from isovc.snapshot.files import without_files
from isovc.snapshot.version import Version, laid_out_like, same
from isovc.sources.sqlite import Database
from isovc.workspace.desk import Desk
from isovc.workspace.filling import fill

# what integrity_check says of rows that a rule of the table would not take today, and took then
_OF_RULES = (
    "NULL value in ",
    "CHECK constraint failed in ",
    "non-unique entry in ",
    "NUMERIC value in ",
    "TEXT value in ",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found in the file: rows of all tables, what its rules say against rows that were there already, and
    rows that pointed to nothing then."""

    tables: int
    rows: int
    against_rules: tuple[str, ...]
    broken: int


def prove(desk: Desk, version: Version, path: Path, *, what: str) -> Proof:
    """Make the file, read all of it back, and refuse what is not as recorded."""
    fill(desk, path, version, alone=True)
    database = Database(path)
    with database.reading() as reading:
        said = reading.integrity()
        wrong = [line for line in said if not line.startswith(_OF_RULES)]
        if wrong:
            raise NotAsRecorded(what=what, why=wrong[0])
        found = capture(desk.repository.forest, reading, None).version
        broken = len(reading.broken_references())
    wanted = laid_out_like(without_files(version), found)
    for name, root in wanted.roots.items():
        there = found.roots.get(name)
        if there is None or (there.id, there.rows) != (root.id, root.rows):
            raise NotAsRecorded(what=what, why=f"the rows of {name} are others")
    if not same(found, wanted):
        raise NotAsRecorded(what=what, why="its definitions are others")
    return Proof(len(found.roots), sum(root.rows for root in found.roots.values()), tuple(said), broken)
