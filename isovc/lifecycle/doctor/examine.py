"""All the looks, one after the other: at the machine, and at a repository where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isovc.lifecycle.doctor.finding import Finding, looked
from isovc.lifecycle.doctor.machine import machine
from isovc.lifecycle.doctor.repository import repository
from isovc.progress import SILENT, Progress


def examine(
    folder: Path | None, person: Path, *, passphrase: str = "", progress: Progress = SILENT
) -> Iterator[Finding]:
    """What is found. `folder`: the repository; None: only this machine. `person`: the file of one's own settings."""
    yield from looked("versions", machine)
    if folder is not None:
        yield from looked("repository", lambda: repository(folder, person, passphrase, progress))
