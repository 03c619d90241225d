"""Points in time as people write them. Knows the zone and the present only by being told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from isovc.errors import BadMoment, ClockJumped

MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2_629_800, "year": 31_557_600}
_AGO = re.compile(r"(?P<many>\d+|an?|one) ?(?P<unit>second|minute|hour|day|week|month|year)s? ago")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LAST = re.compile(rf"last (?P<day>{'|'.join(_DAYS)}|week|month|year)(?: (?P<clock>\d{{1,2}}:\d{{2}}(?::\d{{2}})?))?")
_DAY = re.compile(r"(?P<day>today|yesterday)(?: (?P<clock>\d{1,2}:\d{2}(?::\d{2})?))?")
_UNIX = re.compile(r"@\d{1,12}(\.\d{1,6})?")


def parse_moment(text: str, *, now: datetime) -> int:
    """Microseconds since 1970. `now` is the present in the zone that times without one are meant in."""
    words = " ".join(text.lower().split())
    try:
        moment = _parsed(words, text.strip(), now)
        from_microseconds(moment, now.tzinfo)  # whoever shows it must be able to
        return moment
    except OverflowError:
        raise BadMoment(text=text, why="it lies outside the calendar") from None
    except ValueError:
        raise BadMoment(text=text, why="it is written in no form known here") from None


def microseconds(moment: datetime) -> int:
    """A time as commits keep it."""
    return (moment - _EPOCH) // MICROSECOND


def from_microseconds(time: int, zone: tzinfo | None = UTC) -> datetime:
    """The other way; without a zone in UTC."""
    return (_EPOCH + time * MICROSECOND).astimezone(zone or UTC)


def _parsed(words: str, text: str, now: datetime) -> int:
    if words == "now":
        return microseconds(now)
    if _UNIX.fullmatch(words):
        whole, _, part = words[1:].partition(".")
        return int(whole) * 1_000_000 + int(part.ljust(6, "0") or 0)
    if found := _AGO.fullmatch(words):
        many = 1 if found["many"] in ("a", "an", "one") else int(found["many"])
        return microseconds(now) - many * _UNITS[found["unit"]] * 1_000_000  # true hours, whatever the clocks did
    if found := _DAY.fullmatch(words):
        day = now.date() - timedelta(days=found["day"] == "yesterday")
        if found["clock"] is None:
            return microseconds(now - timedelta(days=1)) if found["day"] == "yesterday" else microseconds(now)
        return _local(datetime.combine(day, _clock(found["clock"])), now, text)
    if found := _LAST.fullmatch(words):
        if found["day"] in _UNITS:
            return microseconds(now) - _UNITS[found["day"]] * 1_000_000
        back = (now.weekday() - _DAYS.index(found["day"]) - 1) % 7 + 1
        day = now.date() - timedelta(days=back)
        return _local(datetime.combine(day, _clock(found["clock"] or now.strftime("%H:%M:%S"))), now, text)
    moment = datetime.fromisoformat(text)
    return microseconds(moment) if moment.tzinfo else _local(moment, now, text)


def _clock(text: str) -> time:
    return time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text.zfill(8))


def _local(naive: datetime, now: datetime, text: str) -> int:
    """A time of the wall clock; one that was shown twice or never could mean two instants."""
    early, late = (naive.replace(tzinfo=now.tzinfo, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        instants = sorted([early.astimezone(UTC), late.astimezone(UTC)])
        back = early.astimezone(UTC).astimezone(now.tzinfo).replace(tzinfo=None) == naive
        raise ClockJumped(text=text, twice=back, first=_iso(instants[0]), second=_iso(instants[1]))
    return microseconds(early.astimezone(UTC))


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
