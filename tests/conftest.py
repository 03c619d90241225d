"""What every test can rely on: slow tests wait for `--long`, a missing program skips (under CI it fails)."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import settings

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
