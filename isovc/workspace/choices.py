"""What the settings say about merging. Knows nothing of the versions to be merged."""

from __future__ import annotations

from isovc.repo.settings import Settings
from isovc.snapshot.merging.how import How, Side


def how_of(settings: Settings, prefer: Side | None = None) -> How:
    """How to merge here. `prefer`: the side that somebody has named for this one merge, whatever the settings say."""
    return How(
        prefer=prefer,
        tables={} if prefer else settings.formed("merge.strategy"),
        json=settings.formed("merge.json"),
        renumber=dict.fromkeys(settings.formed("merge.renumber")),
    )
