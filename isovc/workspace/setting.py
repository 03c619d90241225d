"""A setting of the repository changed, as an operation that can be undone."""

from __future__ import annotations

from isovc.errors import BadSetting
from isovc.repo.acting import acting
from isovc.repo.decided import write_decided
from isovc.repo.deeds import Deed, Telling, without_passwords
from isovc.repo.settings import Plain
from isovc.workspace.desk import Desk


def change_setting(desk: Desk, key: str, value: Plain | None, deed: Deed) -> None:
    """Set it for this repository; None: what the person or the default says holds again."""
    if isinstance(value, str) and without_passwords(value) != value:
        raise BadSetting(key=key, value=without_passwords(value), allowed="no password, which others could read")
    before = desk.repository.settings.project.get(key)
    # it holds for this operation already: a key that is lost must not keep anybody from naming another
    desk.repository.settings = desk.repository.settings.changed(key, value)
    with acting(desk.repository, deed, desk.worktree.id) as act:
        act.record(Telling(_said(key, value), settings={key: (before, value)} if before != value else {}))
    write_decided(desk.repository)


def _said(key: str, value: Plain | None) -> str:
    if value is None:
        return f"leave {key} to its default"
    return f"set {key} to {value}" if value != "" else f"set {key} to nothing"
