"""Streams that are closed, full, or cannot take every letter: the answer, the words and the exit code stay right."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT


def _run(environment: dict[str, str], redirected: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, *words],
        cwd=ROOT,
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("redirected", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words, code", [(["help"], 0), (["--version"], 0), (["hlep"], 2), (["hlep", "--json"], 2)])
def test_a_stream_that_was_closed_beforehand_stops_nothing(
    environment: dict[str, str], redirected: str, words: list[str], code: int
) -> None:
    done = _run(environment, redirected, "-m", "isovc", *words)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["help"], ["help", "--json"], ["--version"], ["--json", "--version"]])
def test_an_output_that_is_full_is_told_in_one_sentence(
    environment: dict[str, str], words: list[str], unbuffered: str
) -> None:
    done = _run(environment, ">/dev/full", "-m", "isovc", *words, PYTHONUNBUFFERED=unbuffered)
    said = "error: the disk is full, at the standard output\nhint: make room and type the command again\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_failure_that_a_full_output_cannot_take_is_told_on_the_other(environment: dict[str, str]) -> None:
    done = _run(environment, ">/dev/full", "-m", "isovc", "hlep", "--json")
    assert (done.returncode, done.stderr) == (2, "error: isovc has no command 'hlep'\nhint: did you mean isovc help?\n")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "iso-8859-1"])
def test_json_is_json_in_every_encoding(environment: dict[str, str], encoding: str) -> None:
    done = _run(environment, "", "-m", "isovc", "--json", "h\u00e4lp\U0001f600", PYTHONIOENCODING=encoding)
    assert "h\u00e4lp\U0001f600" in json.loads(done.stdout)["error"]["message"]
