"""What the tests of accidents share."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from tests.crash.witness import Witness
from tests.versioned import Versioned


@pytest.fixture
def witness(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    # one process runs thousands of commands here, and half of their time would go into reading the same declarations
    known = functools.cache(typer.main.get_params_from_function)
    monkeypatch.setattr(typer.main, "get_params_from_function", known)
    yield Witness(Versioned(tmp_path, capsys))
    gc.unfreeze()  # the command line turns collecting off for the one command that a process runs
    gc.enable()
