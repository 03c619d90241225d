"""Whose name a commit carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from isovc.cli import who
from isovc.cli.main import main
from isovc.cli.zone import LocalZone
from isovc.errors import ClockJumped
from isovc.history import Identity
from isovc.repo import person
from isovc.repo.moments import from_microseconds, parse_moment
from tests.versioned import Versioned


@pytest.fixture
def told(app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Versioned:
    """Nobody has said who they are, but for the login."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    monkeypatch.setattr(person, "getuser", lambda: "some body")
    monkeypatch.setattr(person, "gethostname", lambda: "host")
    monkeypatch.setattr("isovc.history.git_history.GitHistory.git_identity", lambda _: None)
    return app


def _author(app: Versioned) -> str:
    app.ok("commit", "-m", "x", "--allow-empty")
    return str(app.json("log")[0]["author"])


def _git(monkeypatch: pytest.MonkeyPatch, name: str, email: str) -> None:
    identity = Identity(name, email)
    monkeypatch.setattr("isovc.history.git_history.GitHistory.git_identity", lambda _: identity)


def test_name_and_mail_are_each_of_the_first_who_says_them(told: Versioned, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _author(told) == "some body <some-body@host>"
    _git(monkeypatch, "Git", "")
    assert _author(told) == "Git <>"
    _git(monkeypatch, "Git", "git@example.org")
    assert _author(told) == "Git <git@example.org>"
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Env")
    assert _author(told) == "Env <git@example.org>"
    assert main(["config", "--global", "user.email", "mine@example.org"]) == 0
    assert _author(told) == "Env <mine@example.org>"
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "env@example.org")
    assert _author(told) == "Env <mine@example.org>"
    told.ok("config", "user.name", "Ada")
    assert _author(told) == "Ada <mine@example.org>"
    told.ok("config", "user.email", "ada@example.org")
    assert _author(told) == "Ada <ada@example.org>"
    told.ok("config", "--unset", "user.email")
    assert main(["config", "--global", "--unset", "user.email"]) == 0
    assert _author(told) == "Ada <env@example.org>"


def test_a_mail_alone_goes_with_the_name_of_the_login(told: Versioned) -> None:
    told.ok("config", "user.email", "ada@example.org")
    assert _author(told) == "some body <ada@example.org>"


def test_a_name_without_any_mail_has_none(told: Versioned) -> None:
    told.ok("config", "user.name", "Ada")
    assert _author(told) == "Ada <>"


def test_what_is_no_author_is_refused(told: Versioned) -> None:
    assert told.refused("commit", "-m", "x", "--allow-empty", "--author", "", code=2) == "bad-identity"
    assert told.refused("config", "user.name", "A <b", code=2) == "bad-setting"
    assert told.json("config", "user.name")["origin"] == "default"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A machine that stands there, in winter; what its people mean by a time."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    now = datetime(2026, 11, 21, 20, 0, tzinfo=LocalZone())
    yield lambda text: from_microseconds(parse_moment(text, now=now), now.tzinfo).isoformat()
    monkeypatch.undo()
    time.tzset()


def test_a_time_is_meant_in_the_zone_as_it_was_then(berlin: Callable[[str], str]) -> None:
    assert berlin("2026-11-20 12:00") == "2026-11-20T12:00:00+01:00"
    assert berlin("2026-07-01 12:00") == "2026-07-01T12:00:00+02:00"
    assert berlin("2026-07-01T12:00Z") == "2026-07-01T14:00:00+02:00"
    assert who.present().tzinfo is not None


@pytest.mark.parametrize(("text", "twice"), [("2026-03-29 02:30", False), ("2026-10-25 02:30", True)])
def test_a_time_that_the_clocks_jumped_over_is_refused(berlin: Callable[[str], str], text: str, twice: bool) -> None:
    with pytest.raises(ClockJumped) as caught:
        berlin(text)
    assert caught.value.twice is twice
    # each of the hours that the error names is shown as what it is
    shown = [berlin(each)[-6:] for each in (caught.value.first, caught.value.second)]
    assert len(set(shown)) == 2
    instant = datetime.fromisoformat(caught.value.second)
    assert datetime.fromisoformat(berlin(caught.value.second)).astimezone(UTC) == instant


def test_the_zone_of_the_present_knows_summer_and_winter(berlin: Callable[[str], str]) -> None:
    zone = who.present().tzinfo
    offsets = {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)}
    assert len(offsets) == 2
