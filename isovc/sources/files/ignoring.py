"""Which files `.isovcignore` leaves out, in git's syntax. Knows nothing of how a folder is walked.

pathspec makes regular expressions of patterns; which pattern decides is settled here. pathspec judges paths of which
nothing else is known, so that a pattern for a folder speaks for all that lies in it, and then weighs such patterns
against others; a walk never enters a folder that is left out, so here as in git the last pattern decides that matches
the path itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from isovc.errors import BadIgnorePattern
from isovc.sources.files.names import decoded

IGNORE_FILE = ".isovcignore"
_LONGEST = 4096  # characters of a pattern: as long as a path may be; making one of 3 MB takes longer than anybody waits
_SHOWN = 40  # characters of one that is longer
_BY_A_FOLDER = "ps_d"  # pathspec's group that has matched when it is not the path but a folder above it that fits


@dataclass(frozen=True, slots=True)
class _Pattern:
    matches: re.Pattern[str]
    ignores: bool  # no "!" before it
    only_folders: bool


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The patterns of one folder, and those of the folders above it, which it outweighs."""

    folder: str  # "" or with a slash at its end
    patterns: tuple[_Pattern, ...]  # the last one first
    above: Ignoring | None

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path is left out, of which no folder above is left out."""
        name = path.removeprefix(self.folder)
        for pattern in self.patterns:
            if pattern.only_folders and not is_folder:
                continue
            match = pattern.matches.search(name)
            if match is not None and not match.groupdict().get(_BY_A_FOLDER):
                return pattern.ignores
        return self.above is not None and self.above.ignores(path, is_folder=is_folder)


def read_patterns(folder: str, text: bytes, above: Ignoring | None) -> Ignoring:
    """The patterns of an ignore file; a line that is none is told, since what it should leave out may be secret."""
    lines = decoded(text.removeprefix(b"\xef\xbb\xbf")).split("\n")
    patterns = [_compiled(folder + IGNORE_FILE, number, line) for number, line in enumerate(lines, 1)]
    return Ignoring(folder, tuple(one for one in reversed(patterns) if one is not None), above)


def _compiled(path: str, number: int, line: str) -> _Pattern | None:
    text = line if line.endswith("\\ ") else line.rstrip()
    if not text or text.startswith("#"):
        return None
    if len(text) > _LONGEST:
        raise BadIgnorePattern(path=path, line=number, text=f"{text[:_SHOWN]}...")
    body = text.removeprefix("!")
    only_folders = body.endswith("/")
    body = body.removesuffix("/")
    if body.startswith(("!", "#")):
        body = "\\" + body  # the second mark is a letter like others
    try:
        made = GitIgnoreSpecPattern(body)
    except (GitIgnorePatternError, re.error):
        raise BadIgnorePattern(path=path, line=number, text=line) from None
    if made.include is None or made.regex is None:  # nothing is left of it, or pathspec drops it as git does
        raise BadIgnorePattern(path=path, line=number, text=line)
    return _Pattern(made.regex, not text.startswith("!"), only_folders)
