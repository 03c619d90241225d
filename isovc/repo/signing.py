"""Who signs the records of operations: the private key that a setting names. Reads the file; knows nothing of keys."""

from __future__ import annotations

from pathlib import Path

from isovc.encoding.signing import Sign, signer
from isovc.errors import KeyUnusable
from isovc.repo.settings import Settings

KEY = "audit.key"  # the setting
_LARGEST = 64 << 10  # bytes; a key takes some hundred, and a setting may name any file


def signer_of(settings: Settings, beside: Path, passphrase: str) -> Sign | None:
    """What signs here; None: nobody asked for it. A relative path is meant from the folder of the database."""
    named = settings.text(KEY)
    if not named:
        return None
    path = beside / named
    return signer(read_key(path), passphrase, source=path)


def read_key(path: Path) -> bytes:
    """The file of a key."""
    try:
        if not path.is_file():
            raise KeyUnusable(path=path, why="it is no file" if path.exists() else "it is not there")
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise KeyUnusable(path=path, why=error.strerror or "the system refused") from None
    except ValueError:  # a name with a zero byte
        raise KeyUnusable(path=path, why="no file can have this name") from None
