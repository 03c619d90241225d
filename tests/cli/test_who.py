"""Whose name a commit carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from isovc.cli import who
from isovc.cli.main import main
from tests.versioned import Versioned


@pytest.fixture
def told(app: Versioned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Versioned:
    """Nobody has said who they are, but for the login."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    monkeypatch.setattr(who, "getuser", lambda: "some body")
    monkeypatch.setattr(who, "gethostname", lambda: "host")
    monkeypatch.setattr("isovc.history.git_history.GitHistory.git_identity", lambda _: None)
    return app


def _author(app: Versioned) -> str:
    app.ok("commit", "-m", "x", "--allow-empty")
    return str(app.json("log")[0]["author"])


def _git(monkeypatch: pytest.MonkeyPatch, name: str, email: str) -> None:
    identity = who.Identity(name, email)
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
