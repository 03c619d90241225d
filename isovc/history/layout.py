"""The files of a fresh bare repository. Knows nothing of objects or refs.

Made by hand rather than by libgit2, so that it appears whole or not at all and no lock file is ever left behind.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from isovc.disk import fsync_folder, write_durably

# preciousObjects makes git's own `gc` and `prune` delete nothing: undone commits hang on the operation log alone,
# which git does not know. The pack limits keep a packing run small in memory (wide databases have big snapshots).
CONFIG = """[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[extensions]
\tpreciousObjects = true
[gc]
\tauto = 0
[pack]
\twindowMemory = 32m
\tdeltaCacheSize = 32m
"""
FOLDERS = ("objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags")


def lay_out(directory: Path) -> None:
    """Make the repository beside its place, then rename it there; an empty folder in its place is taken over."""
    fresh = directory.with_name(f".{directory.name}.{secrets.token_hex(6)}")
    fresh.mkdir()
    try:
        for folder in FOLDERS:
            (fresh / folder).mkdir()
        write_durably(fresh / "config", CONFIG.encode())
        write_durably(fresh / "HEAD", b"ref: refs/heads/main\n")
        for folder in (*FOLDERS, "."):
            fsync_folder(fresh / folder)
        fresh.rename(directory)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    fsync_folder(directory.parent)
