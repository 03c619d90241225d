"""Every exception of SQLite and of the system leaves as an error of ours."""

from __future__ import annotations

import errno
from pathlib import Path

import apsw
import pytest

from isovc import errors
from isovc.sources.sqlite.failures import told, told_of_file


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (apsw.BusyError("x"), errors.DatabaseBusy),
        (apsw.LockedError("x"), errors.DatabaseBusy),
        (apsw.NotADBError("x"), errors.NotADatabase),
        (apsw.CorruptError("x"), errors.DatabaseCorrupt),
        (apsw.ReadOnlyError("x"), errors.DatabaseReadOnly),
        (apsw.CantOpenError("x"), errors.DatabaseForbidden),
        (apsw.PermissionsError("x"), errors.DatabaseForbidden),
        (apsw.FullError("x"), errors.NoSpace),
        (apsw.IOError("x"), errors.DiskTrouble),
        (apsw.ConstraintError("x"), errors.RowRefused),
        (apsw.TooBigError("x"), errors.RowRefused),
        (apsw.SQLError("no such collation sequence: mine"), errors.MissingCollation),
        (apsw.SQLError("unknown function: f()"), errors.MissingFunction),
        (apsw.SQLError("no such module: spatial"), errors.MissingModule),
        (apsw.SQLError("something else"), errors.DatabaseFailed),
    ],
)
def test_what_sqlite_raises(tmp_path: Path, raised: apsw.Error, expected: type[errors.IsovcError]) -> None:
    with pytest.raises(expected) as caught, told(tmp_path / "a.db", seconds=1, table="t"):
        raise raised
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EEXIST, errors.DatabaseExists),
        (errno.ENOSPC, errors.NoSpace),
        (errno.EDQUOT, errors.NoSpace),
        (errno.EIO, errors.DiskTrouble),
        (errno.EACCES, errors.DatabaseForbidden),
        (errno.ENOENT, errors.DatabaseForbidden),
    ],
)
def test_what_the_system_refuses(tmp_path: Path, number: int, expected: type[errors.IsovcError]) -> None:
    with pytest.raises(expected, match="a\\.db"), told_of_file(tmp_path / "a.db"):
        raise OSError(number, "why")
