"""Folders of files: what is in them, and how files come and go. Knows the operating system, and nothing of versions."""

from isovc.sources.files.folder import Folder
from isovc.sources.files.ignoring import IGNORE_FILE
from isovc.sources.files.media import media_type
from isovc.sources.files.names import FILES_NEW, collisions
from isovc.sources.files.placing import Placing
from isovc.sources.files.seen import EARLIEST, LATEST, Place, Seen, Skipped, Walk

__all__ = [
    "EARLIEST",
    "FILES_NEW",
    "IGNORE_FILE",
    "LATEST",
    "Folder",
    "Place",
    "Placing",
    "Seen",
    "Skipped",
    "Walk",
    "collisions",
    "media_type",
]
