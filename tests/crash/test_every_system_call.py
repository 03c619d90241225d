"""Each writing command, stopped once at any system call it makes: killed, failed, or left with a write cut short."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.crash import scenarios
from tests.crash.scenarios import Scenario
from tests.crash.stopping import EIO, ENOSPC, KILL, NOTHING, accidents, again, calls, stop
from tests.crash.witness import Witness, Wrong, demand
from tests.versioned import Versioned

_TRIES = 3  # more, where a run made its calls in another order than the one they were counted in
_FEW, _MANY = 8, 65  # accidents a command: more than 200 in all, and more than 2,000


@pytest.mark.needs("strace", "git")
@pytest.mark.parametrize(("scenario", "amount"), scenarios.trials(_FEW, _MANY))
def test_stopped_anywhere(
    witness: Witness, capsys: pytest.CaptureFixture[str], tmp_path: Path, scenario: Scenario, amount: int
) -> None:
    prepared, place, trace = tmp_path / "prepared", tmp_path / "work", tmp_path / "trace"
    scenario = scenarios.ready(scenario, prepared, Versioned(prepared, capsys))
    words = ["-C", str(place / scenario.at), *scenario.words]

    _copy(prepared, place)
    course = witness.course(scenario, place)
    _copy(prepared, place)
    possible = calls(words, place, trace, code=scenario.code)

    wrong, met = [], 0
    for accident in accidents(possible, amount, f"{scenario.name} {amount}"):
        _copy(prepared, place)
        stopped = stop(words, accident, trace)
        for _ in range(_TRIES):
            if stopped.met:
                break
            accident = again(accident, trace, place)
            _copy(prepared, place)
            stopped = stop(words, accident, trace)
        met += stopped.met
        try:
            for bad in ("Traceback", "unexpectedly"):
                demand(bad not in stopped.said, stopped.said)
            demand(stopped.code >= 0 or accident.fault == KILL, f"ended by signal {-stopped.code}")
            if "/cache/" in accident.call.thing and accident.fault in (EIO, ENOSPC, NOTHING):
                demand(stopped.code == scenario.code, f"the cache is needed: {stopped.said}")
            # what was told to be done is done
            witness.judge(course, place, must=course.after if stopped.code == scenario.code or stopped.told else None)
        except Wrong as reason:
            wrong.append(f"{accident}, exit code {stopped.code}: {reason}")
    assert not wrong, "\n".join([f"{len(wrong)} of {amount}:", *wrong])
    assert met >= min(amount, len(possible)) * 0.9  # else the runs differ too much for the count to mean anything


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
