"""Files of versions as people name them: REV:PATH."""

from __future__ import annotations

from isovc.cli.here import Here
from isovc.cli.revision import meant_by, version_of
from isovc.errors import BadRevision, IsovcError
from isovc.history.git_history import GitHistory
from isovc.snapshot.version import Version
from isovc.workspace.desk import Desk


def named(here: Here, desk: Desk, history: GitHistory, text: str) -> tuple[str, str, Version]:
    """The revision, the path and the version that are meant. Times hold colons too, and so do paths: the first place
    counts before which there stands a revision."""
    colons = [at for at, letter in enumerate(text) if letter == ":"]
    # not one inside of @{...}: what is wrong with the time is to be told, and not with half of it
    places = [at for at in colons if "@{" not in text[:at].rpartition("}")[2]] or colons
    if not places:
        raise BadRevision(text=text, why="it is to be REV:PATH, as HEAD:letters/a.txt")
    wrong: IsovcError | None = None
    for at in places:
        revision, path = text[:at] or "HEAD", text[at + 1 :]
        try:
            return revision, path, version_of(desk, history, meant_by(here, desk, revision))
        except IsovcError as error:
            wrong = wrong or error
    assert wrong is not None
    raise wrong
