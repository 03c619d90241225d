"""Which library writes git objects."""

from __future__ import annotations

from importlib.metadata import version

import pygit2


def library() -> str:
    """The library and its libgit2, in words."""
    return f"pygit2 {version('pygit2')}, libgit2 {pygit2.LIBGIT2_VERSION}"
