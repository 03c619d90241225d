"""Points in time as people write them; the zone and the present are told, never asked for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import BadMoment, ClockJumped, IsovcError
from isovc.repo.moments import from_microseconds, microseconds, parse_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 15, 30, 45, 123456, BERLIN)  # a Friday


def told(text, now=NOW):
    return from_microseconds(parse_moment(text, now=now), BERLIN).isoformat()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-11-20T15:30:45.123456+01:00"),
        ("2 hours ago", "2026-11-20T13:30:45.123456+01:00"),
        ("an hour  ago", "2026-11-20T14:30:45.123456+01:00"),
        ("1 Week ago", "2026-11-13T15:30:45.123456+01:00"),
        ("90 seconds ago", "2026-11-20T15:29:15.123456+01:00"),
        ("yesterday", "2026-11-19T15:30:45.123456+01:00"),
        ("yesterday 14:30", "2026-11-19T14:30:00+01:00"),
        ("yesterday 9:05:07", "2026-11-19T09:05:07+01:00"),
        ("today 00:00", "2026-11-20T00:00:00+01:00"),
        ("last tuesday 08:00", "2026-11-17T08:00:00+01:00"),
        ("last friday 08:00", "2026-11-13T08:00:00+01:00"),
        ("last week", "2026-11-13T15:30:45.123456+01:00"),
        ("2026-11-20", "2026-11-20T00:00:00+01:00"),
        ("2026-11-20 10:15", "2026-11-20T10:15:00+01:00"),
        ("2026-11-20T10:15:00Z", "2026-11-20T11:15:00+01:00"),
        ("2026-07-01T10:15:00.5-04:00", "2026-07-01T16:15:00.500000+02:00"),
        ("@1700000000", "2023-11-14T23:13:20+01:00"),
        ("@1700000000.25", "2023-11-14T23:13:20.250000+01:00"),
    ],
)
def test_words_for_a_time_are_understood(text, moment):
    assert told(text) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "yesterday 25:00", "2026-13-01", "last blursday", "² days ago", "\ud83d"]
)
def test_words_that_are_no_time_are_refused_in_our_words(text):
    with pytest.raises(BadMoment) as caught:
        parse_moment(text, now=NOW)
    assert caught.value.why == "it is written in no form known here"


@pytest.mark.parametrize("text", ["999999999 weeks ago", "99999999999999999999 hours ago", "@999999999999"])
def test_times_outside_the_calendar_are_refused(text):
    with pytest.raises(BadMoment) as caught:
        parse_moment(text, now=NOW)
    assert caught.value.why == "it lies outside the calendar"


def test_a_time_the_clocks_showed_twice_names_both_instants():
    with pytest.raises(ClockJumped) as caught:
        parse_moment("2026-10-25 02:30", now=NOW)
    error = caught.value
    assert (error.twice, error.first, error.second) == (True, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")


def test_a_time_the_clocks_left_out_names_both_instants():
    with pytest.raises(ClockJumped) as caught:
        parse_moment("2026-03-29 02:30", now=NOW)
    error = caught.value
    assert (error.twice, error.first, error.second) == (False, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z")


def test_hours_ago_are_hours_even_across_a_change_of_the_clocks():
    now = datetime(2026, 10, 25, 4, 0, tzinfo=BERLIN)
    assert told("3 hours ago", now=now) == "2026-10-25T02:00:00+02:00"


@given(st.datetimes(datetime(1971, 1, 1), datetime(2300, 1, 1)))  # noqa: DTZ001 - made aware below
def test_a_time_written_in_full_is_read_as_it_was_meant(naive):
    moment = naive.replace(tzinfo=UTC)
    assert parse_moment(moment.isoformat(), now=NOW) == microseconds(moment)
    assert from_microseconds(microseconds(moment)) == moment
    assert from_microseconds(microseconds(moment), None).utcoffset() == timedelta(0)


words = st.sampled_from(
    ["last ", "tuesday", "yesterday", " ago", "2 ", "hours", "12:30", "@", "1", "2026-", "11", "٣", "²", "T", "Z", " "]
)


@given(st.one_of(st.text(), st.lists(words, max_size=6).map("".join)))
def test_any_text_is_a_time_or_our_error(text):
    try:
        from_microseconds(parse_moment(text, now=NOW), BERLIN)
    except IsovcError as error:
        assert error.exit_code == 2
