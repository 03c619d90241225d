"""A file of its own that holds a version."""

from __future__ import annotations

from pathlib import Path

from isovc.snapshot.capture import capture
from isovc.snapshot.files import without_files
from isovc.snapshot.move import plan_move
from isovc.snapshot.version import Version, laid_out_like
from isovc.sources.sqlite import Database, Mark, PageMap
from isovc.workspace.capturing import known_of, look
from isovc.workspace.desk import Desk


def fill(here: Desk, path: Path, target: Version, *, alone: bool = False) -> tuple[Mark, PageMap]:
    """Make a file that holds a version; what it looks like then. `alone`: of what is kept only, whatever the database
    here holds."""
    forest = here.repository.forest
    target = without_files(target)
    near = without_files(look(here)) if not alone and here.database.path.exists() and target.shape.tables else None
    if near is None or laid_out_like(target, near).shape != target.shape:
        database, live = Database.create(path, target.shape), Version()
    else:
        # a copy of the file is made in a moment, and only what differs has to be written after that
        known = known_of(here.again())
        here.database.copy_to(path)
        database = Database(path)
        with database.reading() as reading:
            live = capture(forest, reading, known).version
    with database.writing() as writing:
        plan = plan_move(forest, live, target)
        writing.apply(plan.target, plan.changes, contents=plan.contents)
    with database.reading() as reading:
        return reading.mark, reading.pages(target.shape).map
