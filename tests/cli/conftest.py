"""How the tests of this room run a command line: in this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from isovc.cli.main import main
from tests.cli.planted import plant, pull_out

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Ended:
    """What a command line left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def isovc(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run a command line in this process."""

    def run(*words: str) -> Ended:
        code = main(list(words))
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def planted() -> Iterator[None]:
    """The planted command is known while the test runs."""
    plant()
    yield
    pull_out()


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment for a process: ours, able to import the project, without wishes about colors or buffers."""
    wishes = ("NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if name not in wishes}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


@pytest.fixture
def process(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python WORDS` as a process in the project's folder."""

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run
