"""What SQLite says, said again as errors of ours: the one place where an exception of apsw ends."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from isovc.errors import (
    DatabaseBusy,
    DatabaseCorrupt,
    DatabaseExists,
    DatabaseFailed,
    DatabaseForbidden,
    DatabaseReadOnly,
    DiskTrouble,
    IsovcError,
    MissingCollation,
    MissingFunction,
    MissingModule,
    NoSpace,
    NotADatabase,
    RowRefused,
)
from isovc.sources.sqlite.who import holders

_COLLATION = re.compile(r"no such collation sequence: (.+)")
_FUNCTION = re.compile(r"(?:no such|unknown) function: ([^()]+)")
_MODULE = re.compile(r"no such module: (.+)")


@contextmanager
def told(path: Path, *, seconds: float, table: str = "") -> Iterator[None]:
    """Whatever SQLite raises inside leaves as an error of ours about this database."""
    try:
        yield
    except apsw.Error as error:
        raise _ours(error, path, seconds, table) from error


@contextmanager
def told_of_file(path: Path) -> Iterator[None]:
    """What the system refuses while a new file is made leaves as an error of ours about that file."""
    try:
        yield
    except FileExistsError:
        raise DatabaseExists(path=path) from None
    except OSError as error:
        why = (error.strerror or "the system refuses").lower()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(path=path) from error
        if error.errno == errno.EIO:
            raise DiskTrouble(path=path, why=why) from error
        raise DatabaseForbidden(path=path, why=why) from error


def _ours(error: apsw.Error, path: Path, seconds: float, table: str) -> IsovcError:
    why = str(error)
    match error:
        case apsw.BusyError() | apsw.LockedError():
            return DatabaseBusy(path=path, seconds=seconds, who=holders(path))
        case apsw.NotADBError():
            return NotADatabase(path=path, why="its first bytes are not those of one")
        case apsw.CorruptError():
            return DatabaseCorrupt(path=path, why=why)
        case apsw.ReadOnlyError():
            return DatabaseReadOnly(path=path, what=_read_only_part(path))
        case apsw.CantOpenError() | apsw.PermissionsError():
            return DatabaseForbidden(path=path, why=why)
        case apsw.FullError():
            return NoSpace(path=path)
        # the file that connections share beside a log is made in full at once: on a full disk that fails first
        case apsw.IOError() if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:
            return NoSpace(path=path)
        case apsw.IOError():
            return DiskTrouble(path=path, why=why)
        case apsw.ConstraintError() | apsw.MismatchError() | apsw.TooBigError():
            return RowRefused(path=path, table=table, why=why, breaks_rule=True)
    return missing(why, path, table) or DatabaseFailed(path=path, why=why)


def missing(why: str, path: Path, table: str) -> MissingCollation | MissingFunction | MissingModule | None:
    """What SQLite lacks, if that is what it says."""
    if found := _COLLATION.search(why):
        return MissingCollation(path=path, collation=found[1], table=table)
    if found := _FUNCTION.search(why):
        return MissingFunction(path=path, function=found[1].strip())
    if found := _MODULE.search(why):
        return MissingModule(path=path, table=table, module=found[1])
    return None


def _read_only_part(path: Path) -> str:
    return "the file" if not os.access(path, os.W_OK) else f"the folder {path.parent}"
