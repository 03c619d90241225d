"""Which files `.isovcignore` leaves out, in git's syntax. Knows nothing of how a folder is walked."""

from __future__ import annotations

from dataclasses import dataclass

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from isovc.errors import BadIgnorePattern
from isovc.sources.files.names import decoded

IGNORE_FILE = ".isovcignore"


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The patterns of one folder, and those of the folders above it, which it outweighs."""

    folder: str  # "" or with a slash at its end
    patterns: GitIgnoreSpec
    above: Ignoring | None

    def ignores(self, path: str) -> bool:
        """Whether a path is left out; a folder has a slash at its end. No folder above it may be left out itself."""
        said = self.patterns.check_file(path.removeprefix(self.folder)).include
        if said is None:
            return self.above is not None and self.above.ignores(path)
        return said


def read_patterns(folder: str, text: bytes, above: Ignoring | None) -> Ignoring:
    """The patterns of an ignore file; a line that is none is told, since what it should leave out may be secret."""
    lines = decoded(text.removeprefix(b"\xef\xbb\xbf")).split("\n")
    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line], backend="simple")
        except GitIgnorePatternError:
            raise BadIgnorePattern(path=folder + IGNORE_FILE, line=number, text=line) from None
    # "simple" is Python's own re: another engine, if it happens to be installed, need not agree on every pattern
    return Ignoring(folder, GitIgnoreSpec.from_lines(lines, backend="simple"), above)
