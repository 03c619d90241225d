"""What every test can rely on: slow tests wait for `--long`, a missing program skips (under CI it fails)."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from isovc.cli.main import main
from tests.versioned import Versioned

# who starts the tests in the background may have them ignore Ctrl-C, and whatever they start would too
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# a machine under load is no failure
settings.register_profile("isovc", deadline=None)
settings.load_profile("isovc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes long; runs with --long"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = sorted(tool for mark in item.iter_markers("needs") for tool in mark.args if not shutil.which(tool))
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"missing programs: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing programs: {', '.join(missing)}")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the person who runs the tests counts."""
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-settings"))


@pytest.fixture
def app(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Versioned]:
    """A database with some rows under version control, one version committed."""
    made = Versioned(tmp_path / "work" / "app.db", capsys)
    made.path.parent.mkdir()
    made.sql(
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT, body TEXT);"
        "INSERT INTO notes VALUES(1, 'one', 'first'), (2, 'two', 'second'), (3, 'three', 'third');"
        "CREATE TABLE tags(note INTEGER, tag TEXT);"
        "INSERT INTO tags VALUES(1, 'a'), (2, 'b')"
    )
    assert main(["init", str(made.path)]) == 0
    made.ok("commit", "-m", "first")
    yield made
    gc.unfreeze()  # the command line turns collecting off for the one command that a process runs
    gc.enable()
