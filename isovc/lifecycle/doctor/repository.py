"""The folder `.isovc`: is its store whole, who holds it, what is left in it, and do its settings mean something?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from isovc.errors import SigningNotInstalled
from isovc.formats.words import size
from isovc.history.git_history import GitHistory
from isovc.lifecycle.doctor.database import database
from isovc.lifecycle.doctor.files import looked_at_files
from isovc.lifecycle.doctor.finding import Finding, advice, looked, ok, problem, some
from isovc.lifecycle.doctor.machine import disk
from isovc.lifecycle.paying import pays
from isovc.progress import Progress
from isovc.repo.commits import CommitIndex
from isovc.repo.moments import from_microseconds, microseconds
from isovc.repo.repository import Repository
from isovc.repo.settings import SETTINGS, Settings
from isovc.repo.signing import KEY, signer_of
from isovc.repo.worktrees import Worktree, Worktrees
from isovc.sources.sqlite import Database
from isovc.sources.sqlite.who import holders
from isovc.workspace.desk import Desk, database_path
from isovc.workspace.setting import unknown_names
from isovc.workspace.watching.watchers import left_by, watcher_of

_SECONDS = 0.5  # to wait for others: somebody wants to know why things wait, and not wait too
_LONG_LOG = 128 << 20  # bytes of store.db-wal: it is cut to 16 MiB whenever it is folded back
_MIB = 1 << 20
_DAY = 86_400_000_000  # microseconds


def repository(folder: Path, person: Path, passphrase: str, progress: Progress) -> Iterator[Finding]:
    """Everything about a repository and its working copies."""
    found: list[Settings] = []
    yield from looked("settings", partial(_settings, folder, person, found))
    settings = (found or [Settings({}, {})])[0].changed("busy.seconds", _SECONDS)
    yield from looked(str(folder), partial(disk, folder, 2 * _size(folder / "store.db")))
    yield from looked("git", partial(_git, folder, settings))
    yield from looked("cache", partial(_cache, folder, settings))
    yield from looked(KEY, partial(_key, settings, folder, passphrase))
    yield from looked("left", partial(_left, folder))
    yield from looked("store.db", partial(_opened, folder, settings, passphrase, progress))


def _settings(folder: Path, person: Path, found: list[Settings]) -> Iterator[Finding]:
    settings = Settings.read(person, folder / "config.toml")
    found.append(settings)
    for key in SETTINGS:
        if SETTINGS[key].form is not None:
            settings.formed(key)
    yield ok("settings", f"{len(settings.project):,} set here, {len(settings.person):,} by you")


def _opened(folder: Path, settings: Settings, passphrase: str, progress: Progress) -> Iterator[Finding]:
    who = holders(folder / "store.db")
    if who:
        yield ok("store.db", f"in use by {some(who)}")
    with Repository(folder, settings, passphrase=passphrase) as opened:
        yield from looked("store.db", partial(_store, opened, progress))
        with opened.file.reading() as db:
            known = Worktrees(db).all()
        for each in known:
            yield from _working_copy(opened, each, progress)


def _store(opened: Repository, progress: Progress) -> Iterator[Finding]:
    with progress.task("Checking store.db"), opened.file.reading() as db:
        lines = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
        if lines != ["ok"]:
            said = some([" ".join(each.removeprefix("*** in database main ***").split()) for each in lines])
            yield problem("store.db", f"SQLite finds it damaged: {said}", "isovc fsck names what is lost", damaged=True)
            return
        commits = [each.commit for each in Worktrees(db).all() if each.commit]
        newest = max((CommitIndex(db).get(each).time for each in commits), default=0)
    yield ok("store.db", f"{size(_size(opened.file.path))}; SQLite's quick check finds nothing wrong")
    log = _size(opened.file.path.with_name("store.db-wal"))
    if log > _LONG_LOG:
        said = f"its log has {size(log)}: somebody has been reading it for long, and keeps it from being folded back"
        yield advice("store.db", said, "end what holds it; the next command folds it back")
    if not opened.settings.get("gc.auto") and pays(opened):
        yield advice("store.db", "it has grown much since it was cleaned up last, and gc.auto is off", "isovc gc")
    now = microseconds(datetime.now(UTC))
    if newest > now + _DAY:
        said = f"the newest version is dated {from_microseconds(newest).isoformat(' ', 'seconds')}, in the future"
        yield advice("clock", said, "set the clock of this machine, or of the one that made it")


def _working_copy(opened: Repository, worktree: Worktree, progress: Progress) -> Iterator[Finding]:
    path = database_path(opened, worktree)
    desk = Desk(opened, worktree, Database(path, busy_seconds=_SECONDS))
    if worktree.intent is not None:
        said = f"`isovc {worktree.intent.deed.command}` was interrupted here"
        yield advice(path.name, said, f"the next command finishes or drops it: isovc -C {path} status")
    yield from database(path, seconds=_SECONDS, progress=progress)
    if path.parent.is_dir() and path.parent != opened.folder.parent:
        yield from looked(str(path.parent), partial(disk, path.parent, _size(path)))
    yield from looked(path.name, partial(_watcher, desk))
    yield from looked(path.name, partial(_waiting_files, path))
    yield from looked_at_files(desk, progress)
    yield from looked("settings", partial(_names, desk))


def _watcher(desk: Desk) -> Iterator[Finding]:
    name = desk.database.path.name
    watcher, gone = watcher_of(desk), left_by(desk)
    if watcher is not None:
        yield ok(name, f"watched by process {watcher.pid}")
    if gone is not None:
        said = f"its watcher (process {gone.pid}) ended without saying so: nothing has been recorded since"
        yield advice(name, said, f"isovc -C {desk.database.path} watch goes on where it was")


def _waiting_files(path: Path) -> Iterator[Finding]:
    left = [each.name for ending in (".isovc-new", ".isovc") for each in path.parent.glob(f".{path.name}{ending}")]
    if left:
        said = f"{some(left)} lies beside it: a command is at work there, or was interrupted"
        yield advice(path.name, said, f"the next command there takes care of it: isovc -C {path} status")


def _names(desk: Desk) -> Iterator[Finding]:
    for key in SETTINGS:
        for each in unknown_names(desk, key):
            near = f"did you mean {' or '.join(each.near)}? " if each.near else ""
            said = f"{key} names the {each.what} {each.name}, which {desk.database.path.name} does not have"
            yield advice("settings", said, f"{near}isovc config {key} ...")


def _git(folder: Path, settings: Settings) -> Iterator[Finding]:
    with GitHistory(folder / "git", wait=_SECONDS) as history:
        loose = history.count_loose()
    most = settings.whole("history.pack_after")
    if loose > 2 * most:
        said = f"{loose:,} loose objects, where more than {most:,} are packed: something kept it from that"
        yield advice("git", said, "the next commit packs them; look whether you may write in .isovc/git/objects")
    else:
        yield ok("git", f"{loose:,} loose objects")
    locks = sorted(str(each.relative_to(folder)) for each in (folder / "git").rglob("*.lock"))
    if locks:
        yield advice(
            "git", f"{some(locks)}: a program is at work there, or was killed", "the next isovc commit clears it"
        )


def _cache(folder: Path, settings: Settings) -> Iterator[Finding]:
    held = sum(_size(each) for each in (folder / "cache").rglob("*"))
    most = settings.whole("sql.cache") * _MIB
    if held > max(most, _MIB):
        said = f"the cache has {size(held)}, and queries shall leave {size(most)} at most"
        yield advice("cache", said, f"it may be deleted at any time: rm -r {folder / 'cache'}")
    else:
        yield ok("cache", size(held))


def _key(settings: Settings, folder: Path, passphrase: str) -> Iterator[Finding]:
    named = settings.text(KEY)
    if not named:
        return
    path = folder.parent / named
    try:
        signer_of(settings, folder.parent, passphrase)
    except SigningNotInstalled as error:
        yield problem(KEY, error.message, error.hint)
        return
    yield ok(KEY, f"operations are signed with {path.name}")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield advice(KEY, f"others may read the private key {path}", f"chmod 600 {path}")


def _left(folder: Path) -> Iterator[Finding]:
    unfinished = [each.name for each in folder.parent.glob(".isovc.new-*")]
    nurseries = [each.name for each in folder.iterdir() if each.name.startswith(".store.db-")]
    if unfinished or nurseries:
        yield advice("left", f"an interrupted isovc init left {some([*unfinished, *nurseries])}", "they may be deleted")


def _size(path: Path) -> int:
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
