"""SQLite files that other programs use: what is in them, what changed, how to change it. Knows nothing of versions."""

from isovc.sources.sqlite.database import Database
from isovc.sources.sqlite.defaults import constant_defaults
from isovc.sources.sqlite.following import Begun, Following, RowsNow, following
from isovc.sources.sqlite.foreign_keys import Broken
from isovc.sources.sqlite.frames import Commit, LogLost, Place
from isovc.sources.sqlite.holding import MOST_FRAMES
from isovc.sources.sqlite.long_cells import Apart
from isovc.sources.sqlite.mark import Mark
from isovc.sources.sqlite.noticing import Glance, Notices, glancing
from isovc.sources.sqlite.pages import Changed, Changes, Everything, PageMap, Pages, Unchanged, find_changes
from isovc.sources.sqlite.parts import even_parts
from isovc.sources.sqlite.reading import Reading
from isovc.sources.sqlite.refusal import Refusal
from isovc.sources.sqlite.scratch import Scratch, scratch
from isovc.sources.sqlite.twin import Twin, shape_of, twin
from isovc.sources.sqlite.writing import Writing

__all__ = [
    "MOST_FRAMES",
    "Apart",
    "Begun",
    "Broken",
    "Changed",
    "Changes",
    "Commit",
    "Database",
    "Everything",
    "Following",
    "Glance",
    "LogLost",
    "Mark",
    "Notices",
    "PageMap",
    "Pages",
    "Place",
    "Reading",
    "Refusal",
    "RowsNow",
    "Scratch",
    "Twin",
    "Unchanged",
    "Writing",
    "constant_defaults",
    "even_parts",
    "find_changes",
    "following",
    "glancing",
    "scratch",
    "shape_of",
    "twin",
]
