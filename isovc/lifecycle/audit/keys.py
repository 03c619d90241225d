"""Making the keys that sign, and reading those that check."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from isovc.encoding.signing import PublicKey, new_key, public_key
from isovc.errors import PathTaken
from isovc.lifecycle.audit.files import write_file
from isovc.repo.signing import read_key

_ENDING = ".pub"


def make_key(path: Path, passphrase: str) -> Path:
    """Write a private key to `path`, locked if there is a passphrase, and the public one beside it; where that is."""
    public_path = path.with_name(path.name + _ENDING)
    if os.path.lexists(public_path):  # before anything is written
        raise PathTaken(path=public_path)
    private, public = new_key(passphrase)
    write_file(path, [private], mode=0o600)
    try:
        write_file(public_path, [public])
    except BaseException:
        path.unlink()
        raise
    return public_path


def public_keys(paths: Sequence[Path]) -> frozenset[PublicKey]:
    """The keys in these files."""
    return frozenset(public_key(read_key(path), source=path) for path in paths)
