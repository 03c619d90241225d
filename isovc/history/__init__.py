"""Versions as git commits in a bare repository of our own. Knows nothing of tables, chunks or live databases.

`GitHistory` lives in `isovc.history.git_history`, apart, because libgit2 takes a tenth of a second to load and many
commands only need the records.
"""

from isovc.history.commit import CommitId, CommitObject
from isovc.history.identity import Identity

__all__ = ["CommitId", "CommitObject", "Identity"]
