"""A patch applied to the live database: all of it in one operation, or nothing."""

from __future__ import annotations

from isovc.formats.reading import Patch
from isovc.repo.deeds import Deed, Telling
from isovc.snapshot.files import files_root, with_files, without_files
from isovc.snapshot.patching import patched
from isovc.snapshot.version import Version, laid_out_like, same
from isovc.workspace.capturing import look
from isovc.workspace.desk import Desk
from isovc.workspace.moving import Step, changing, confirm, move
from isovc.workspace.status import Difference, difference


def preview(desk: Desk, patch: Patch) -> Difference:
    """What `apply` would do. Refuses what does not fit, and changes nothing."""
    live = look(desk)
    return difference(desk, live, _patched(desk, live, patch))


def apply(desk: Desk, patch: Patch, deed: Deed, *, allow_broken_keys: bool = False) -> Difference:
    """Change the database as the patch says. `allow_broken_keys`: even where rows point to rows then that are not
    there."""
    with changing(desk) as (desk, writing, live):
        wanted = laid_out_like(_patched(desk, live, patch), live)
        if same(wanted, live):
            return difference(desk, live, wanted)
        now = desk.worktree
        telling = Telling(f"apply {patch.name}")
        step = Step(deed, telling, now.head, now.commit, now.files, wanted, merging=now.merging)
        intent = move(desk, writing, live, step, refuse_violations=not allow_broken_keys)
        moved = difference(desk, live, wanted)  # counted while it was moved
    confirm(desk, intent, writing, moved)
    return moved


def _patched(desk: Desk, live: Version, patch: Patch) -> Version:
    """Patches are about databases: the files stay."""
    found = patched(desk.repository.forest, without_files(live), patch, desk.database.path)
    return with_files(found, files_root(live))
