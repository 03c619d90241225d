"""The power goes while a command is at work, or right after: every disk that may be left then opens, and is right."""

from __future__ import annotations

import posixpath
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.crash import scenarios
from tests.crash.disk import Disk, Held, Loss, read_folder, write_folder
from tests.crash.recording import Deed, record
from tests.crash.scenarios import MAIN, Scenario, Words
from tests.crash.witness import Course, State, Witness, Wrong, demand
from tests.versioned import Versioned

_FEW, _MANY = 14, 120  # disks a command

_SQL = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.argv[2]); db.close()"


_CHAIN: tuple[str | Words, ...] = (
    ("init", MAIN),
    ("commit", "-m", "first"),
    "UPDATE notes SET title = 'mine' WHERE id % 9 = 0",
    ("commit", "-m", "second"),
    ("switch", "-c", "exp"),
    "INSERT INTO tags VALUES(1, 'exp'); CREATE TABLE extra(a)",
    ("commit", "-m", "third"),
    "DELETE FROM tags WHERE note < 50",
    ("switch", "main"),
    ("tag", "v1"),
    ("reset", "--hard", "exp"),
    ("branch", "-m", "exp", "a/b"),
    ("config", "user.name", "zed"),
    ("switch", "a/b"),
    ("gc",),
)


@pytest.mark.needs("strace", "git")
@pytest.mark.parametrize(("scenario", "amount"), scenarios.trials(_FEW, _MANY))
def test_power_cut_during_a_command(
    witness: Witness, capsys: pytest.CaptureFixture[str], tmp_path: Path, scenario: Scenario, amount: int
) -> None:
    prepared, place, trace = tmp_path / "prepared", tmp_path / "work", tmp_path / "trace"
    scenario = scenarios.ready(scenario, prepared, Versioned(prepared, capsys))
    shutil.copytree(prepared, place, symlinks=True)
    course = witness.course(scenario, place)
    shutil.rmtree(place)

    shutil.copytree(prepared, place, symlinks=True)
    deeds = record(_isovc(place / scenario.at, scenario.words), place, trace, code=scenario.code)
    before = read_folder(prepared)
    _agree(Disk(before), deeds, place)

    wrong = []
    told = next((number for number, deed in enumerate(deeds) if deed.what == "told"), len(deeds))
    for number, moment in enumerate(_moments(deeds, amount, scenario.name)):
        disk = Disk(before)
        for deed in deeds[:moment]:
            disk.play(deed)
        loss = Loss(disk, f"{scenario.name} {number}")
        must = course.after if moment > told else None
        if reason := _wrong(witness, course, loss, place, must):
            where = f"before {deeds[moment]}"[:150] if moment < len(deeds) else "at the end"
            wrong.append(f"disk {number} ({loss.manner}, {where}): {reason}")
    assert not wrong, "\n".join([f"{len(wrong)} of {amount}:", *wrong])


@pytest.mark.needs("strace", "git")
def test_what_was_told_is_there_though_the_disk_never_rests(
    witness: Witness, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One command after the other, and no sync but those they make themselves: each may lean on the one before."""
    place, lost, trace = tmp_path / "work", tmp_path / "lost", tmp_path / "trace"
    app = Versioned(place / MAIN, capsys)
    scenarios.plain(app)
    app.sql("PRAGMA journal_mode = WAL")  # where the rows a person writes are on the disk when SQLite says so
    disk = Disk(read_folder(place))
    wrong, seen = [], 0
    for step in _CHAIN:
        words = [sys.executable, "-c", _SQL, str(place / MAIN), step] if isinstance(step, str) else _isovc(place, step)
        for deed in record(words, place, trace):
            disk.play(deed)
        shutil.rmtree(lost, ignore_errors=True)
        shutil.copytree(place, lost, symlinks=True)
        told = witness.state(lost)
        for number in range(4):
            seen += 1
            loss = Loss(disk, f"{step} {number}")
            shutil.rmtree(lost)
            write_folder(lost, loss.files())
            try:
                found = witness.state(lost)
                for field in fields(State):
                    demand(getattr(found, field.name) == getattr(told, field.name), f"{field.name} are not as told")
                witness.sound(lost)
                if told.settings:
                    witness.goes_on(lost)
            except Wrong as reason:
                wrong.append(f"after {step} ({loss.manner}): {reason}")
    assert not wrong, "\n".join([f"{len(wrong)} of {seen}:", *wrong])


@pytest.mark.needs("strace")
def test_what_git_is_given_is_synced_before_it_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    app = Versioned(tmp_path / "work" / MAIN, capsys)
    scenarios.dirty(app)
    deeds = record(_isovc(app.path, ("commit", "-m", "more")), app.path.parent, tmp_path / "trace")

    made = [(at, deed) for at, deed in enumerate(deeds) if deed.what == "link" and "/git/objects/" in deed.other]
    assert len(made) == 3  # what is in the version, its tree, the commit itself
    # the one transaction of store.db that moves the branch; all that it leads to lies on the disk by then
    counts = max(at for at, deed in enumerate(deeds) if deed.what == "sync" and deed.path == ".isovc/store.db-wal")
    for at, deed in made:
        folder = posixpath.dirname(deed.other)
        assert ("sync", deed.path) in _done(deeds[_last_write(deeds, deed.path) : at])
        assert ("sync", folder) in _done(deeds[at:counts])
        assert ("folder", folder) not in _done(deeds) or ("sync", ".isovc/git/objects") in _done(deeds[at:counts])
    assert sum(deed.what == "sync" and ".isovc/git/objects" in deed.path for deed in deeds[:counts]) >= 7

    ((at, shown),) = [
        (at, deed) for at, deed in enumerate(deeds) if deed.what == "rename" and deed.other == ".isovc/git/packed-refs"
    ]
    assert ("sync", shown.path) in _done(deeds[_last_write(deeds, shown.path) : at])


def _done(deeds: Sequence[Deed]) -> list[tuple[str, str]]:
    return [(deed.what, deed.path) for deed in deeds]


def _last_write(deeds: Sequence[Deed], path: str) -> int:
    return max(at for at, deed in enumerate(deeds) if deed.what == "write" and deed.path == path)


def _wrong(witness: Witness, course: Course, loss: Loss, place: Path, must: object) -> str:
    shutil.rmtree(place)
    write_folder(place, loss.files())
    try:
        witness.judge(course, place, must=must)
    except Wrong as reason:
        return str(reason)
    return ""


def _moments(deeds: Sequence[Deed], amount: int, seed: str) -> list[int]:
    """Right before things become durable the most is at stake; and at the end, when all has been told."""
    dice = random.Random(seed)
    at_stake = [number for number, deed in enumerate(deeds) if deed.what in ("sync", "rename", "remove", "told")]
    dice.shuffle(at_stake)
    ends = [len(deeds)] * (amount // 4)
    anywhere = [dice.randrange(len(deeds)) for _ in range(amount)]
    return [*ends, *at_stake[: amount // 2], *anywhere][:amount]


def _agree(disk: Disk, deeds: Sequence[Deed], place: Path) -> None:
    """The model and the machine: without a power cut both hold the same."""
    for deed in deeds:
        disk.play(deed)
    now, real = disk.now(), read_folder(place)
    assert now.keys() == real.keys()
    assert [path for path in now if not _alike(now[path], real[path])] == []


def _alike(now: Held | None, real: Held | None) -> bool:
    return now == (replace(real, time=None) if real and now and now.time is None else real)


def _isovc(at: Path, words: Words) -> list[str]:
    return [sys.executable, "-m", "isovc", "-C", str(at), *words]
