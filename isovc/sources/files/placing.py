"""Giving files of a folder their names, and taking others away. Knows nothing of versions.

Killed at any step, each file is the old one or the new one, and what is left over lies in `.isovc-new`, which the next
placing clears.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable

from isovc.errors import FileRefused, NoPermission, PathInTheWay, PathLeavesFolder, PathsCollide
from isovc.sources.files.beneath import beneath, telling
from isovc.sources.files.names import above, collisions, encoded, folded
from isovc.sources.files.planning import Plan, Planning, by_folder, joined, split
from isovc.sources.files.seen import Place
from isovc.sources.files.staging import Staging, unlinked


class Placing:
    """Files that wait for their names. Made by `Folder.placing`."""

    def __init__(self, top: int, staging: Staging, left_out: Collection[str]) -> None:
        self._top, self._staging, self._left_out = top, staging, left_out

    def stage(self, place: Place, content: Iterable[bytes]) -> None:
        """Make a file or link that has everything but its name."""
        self._staging.make(place, content)

    def check(self, arriving: Iterable[str], *, removed: Iterable[str], staying: Iterable[str] = ()) -> None:
        """Refuse, before anything is written, what `arrive` could not do or what would cost something: `staying` are
        the paths that were there and are neither replaced nor removed."""
        self._plan(frozenset(arriving), frozenset(removed), staying)

    def prepare(self, removed: Iterable[str], *, staying: Iterable[str] = ()) -> None:
        """Everything of `arrive` that can be done or refused while nothing outside `.isovc-new` has changed: what was
        staged is on the disk after it. To be called before anything else is committed that needs the files."""
        self._ready(removed, staying)

    def arrive(self, removed: Iterable[str]) -> None:
        """Take away what is removed, and give all that was staged its name."""
        staged = self._staging.names
        plan = self._ready(removed, ())
        early = _in_the_way(plan, staged.keys())
        touched: set[str] = set()
        self._remove(early, touched)
        for folder in plan.giving_way:
            self._in_its_folder(folder, os.rmdir, touched)
        for folder in plan.making:
            self._in_its_folder(folder, os.mkdir, touched)
        for folder, names in by_folder(staged):
            self._name(folder, names, touched)
        self._remove(plan.going - early, touched)
        self._tidy(plan.left, touched)
        for folder in sorted(touched):
            self._sync(folder)
        staged.clear()

    def folds_case(self) -> bool:
        """Whether names that differ only in case are one name here."""
        return self._staging.one_name("a", "A")

    def normalises(self) -> bool:
        """Whether names that differ only in the form of their accents are one name here."""
        return self._staging.one_name("\u00e9", "e\u0301")

    # -- before anything is done

    def _ready(self, removed: Iterable[str], staying: Iterable[str]) -> Plan:
        self._staging.finish()
        return self._plan(frozenset(self._staging.names), frozenset(removed), staying)

    def _plan(self, arriving: frozenset[str], removed: frozenset[str], staying: Iterable[str]) -> Plan:
        self._distinct(arriving.union(staying))
        self._spared((*arriving, *removed))
        return Planning(self._top, arriving, removed - arriving).look()

    def _spared(self, paths: Collection[str]) -> None:
        """Nothing comes to or goes from where the database, or a file that belongs to it, lies or would lie."""
        if not self._near_database(paths, case=True, forms=True):
            return  # as nearly always, and no file need be made to find out how names are compared here
        for path in self._near_database(paths, case=self.folds_case(), forms=self.normalises()):
            raise PathLeavesFolder(path=path, why="the database lies there")

    def _near_database(self, paths: Collection[str], *, case: bool, forms: bool) -> list[str]:
        spared = {folded(path, case=case, forms=forms) for path in self._left_out}
        return [
            path
            for path in paths
            if spared and any(folded(one, case=case, forms=forms) in spared for one in (*above(path), path))
        ]

    def _distinct(self, paths: Collection[str]) -> None:
        for path in paths:
            for folder in above(path):
                if folder in paths:
                    raise PathInTheWay(path=folder, needed_for=path, why="it cannot be a file and a folder")
        if collisions(paths):  # only then is it worth a file to find out how names are compared here
            for group in collisions(paths, case=self.folds_case(), forms=self.normalises()):
                raise PathsCollide(paths=group)

    # -- arriving

    def _remove(self, paths: Collection[str], touched: set[str]) -> None:
        for folder, names in by_folder(paths):
            with telling(folder), beneath(self._top, split(folder)) as handle:
                for name in names:
                    unlinked(encoded(name), handle)
            touched.add(folder)

    def _name(self, folder: str, names: list[str], touched: set[str]) -> None:
        with telling(folder), beneath(self._top, split(folder)) as handle:
            for name in names:
                with telling(joined(folder, name)):
                    fresh = self._staging.names[joined(folder, name)]
                    os.replace(fresh, encoded(name), src_dir_fd=self._staging.folder, dst_dir_fd=handle)
        touched.add(folder)

    def _in_its_folder(self, folder: str, deed: Callable[..., None], touched: set[str]) -> None:
        outer, _, name = folder.rpartition("/")
        with telling(folder), beneath(self._top, split(outer)) as handle:
            deed(encoded(name), dir_fd=handle)
        touched.discard(folder)
        touched.add(outer)

    def _tidy(self, folders: set[str], touched: set[str]) -> None:
        """Take away folders that lost their last file, and those that held nothing but them."""
        waiting = sorted(folders, key=len)
        while waiting:
            folder = waiting.pop()
            try:
                self._in_its_folder(folder, os.rmdir, touched)
            except (FileRefused, NoPermission):
                continue  # something is in it, or it must stay: an empty folder costs nobody anything
            outer = folder.rpartition("/")[0]
            if outer:
                waiting.append(outer)

    def _sync(self, folder: str) -> None:
        with telling(folder), beneath(self._top, split(folder)) as handle:
            os.fsync(handle)


def _in_the_way(plan: Plan, arriving: Collection[str]) -> set[str]:
    """What must go before anything comes; the rest goes after, so that a file that moves is never nowhere."""
    if collisions(plan.going.union(arriving)):
        return plan.going  # readme comes and README goes: where these are one name, the new one would be removed
    ways = {*plan.giving_way, *plan.making}
    return {path for path in plan.going if path in ways or not ways.isdisjoint(above(path))}
