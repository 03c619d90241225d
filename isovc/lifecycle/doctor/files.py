"""The folder of files beside a database: can all of it be read and kept, here and elsewhere?"""

from __future__ import annotations

import os
from collections.abc import Iterator

from isovc.formats.words import amount
from isovc.lifecycle.doctor.finding import Finding, advice, looked, ok, problem, some
from isovc.progress import Progress
from isovc.sources.files.names import FILES_NEW, folded
from isovc.workspace.attachments import folder_of
from isovc.workspace.desk import Desk


def files(desk: Desk, progress: Progress) -> Iterator[Finding]:
    """What there is to say about it; nothing, if there is no such folder."""
    folder = folder_of(desk)
    if folder is None:
        return
    about = f"{folder.path.name}/"
    if not folder.path.is_dir():
        said = f"the folder of files is not there: {folder.path}"
        yield problem(about, said, "make it or bring it back; isovc config attachments DIR names another one")
        return
    if os.path.lexists(folder.path / FILES_NEW):
        said = f"{FILES_NEW} lies in it: a command is at work there, or was interrupted"
        yield advice(about, said, "it goes with the next command that writes files")
    walk = folder.walk(progress)
    if walk.skipped:
        listed = [f"{each.path} ({each.why})" for each in walk.skipped]
        yield problem(about, f"not kept: {some(listed)}", "name them in .isovcignore, or make them readable")
    by_name: dict[str, list[str]] = {}
    for each in walk.entries:
        by_name.setdefault(folded(each.path), []).append(each.path)
    for alike in (each for each in by_name.values() if each[1:]):
        said = f"one and the same name where case or accents make no difference: {some(alike)}"
        yield advice(about, said, "rename all but one, or such a system cannot check this version out")
    yield ok(about, amount(len(walk.entries), "file"))


def looked_at_files(desk: Desk, progress: Progress) -> Iterator[Finding]:
    """The same where looking may fail."""
    yield from looked("files", lambda: files(desk, progress))
