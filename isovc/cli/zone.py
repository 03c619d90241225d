"""The zone of this machine, as the system knows it for any moment. Knows nothing of how times are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


class LocalZone(tzinfo):
    """What its clocks show and showed: in summer another offset than in winter, whatever it is now."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """How far the clocks are before UTC then."""
        return None if moment is None else _shown(moment).utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Not known: nobody needs to."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """What the system calls it then."""
        return None if moment is None else _shown(moment).tzname()

    def fromutc(self, moment: datetime) -> datetime:
        """What they show at a moment of UTC; an hour that they show twice says which it is."""
        there = moment.replace(tzinfo=UTC).astimezone()
        first = there.replace(tzinfo=self, fold=0)
        return first if first.utcoffset() == there.utcoffset() else first.replace(fold=1)


def _shown(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None).astimezone()
