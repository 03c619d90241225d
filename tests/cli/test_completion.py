"""Pressing Tab in a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from isovc.cli.table import COMMANDS
from tests.cli.conftest import ROOT, Ended
from tests.versioned import Versioned

Isovc = Callable[..., Ended]


@pytest.fixture
def words(isovc: Isovc, app: Versioned, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What may stand where the last word is being typed, beside a database with a branch and a tag."""
    monkeypatch.chdir(app.path.parent)
    app.ok("branch", "exp")
    app.ok("tag", "v1")

    def ask(*typed: str) -> list[str]:
        ended = isovc("completion", "words", "--", *typed)
        assert (ended.code, ended.err) == (0, "")
        return [line.partition("\t")[0] for line in ended.out.splitlines()]

    return ask


def test_each_kind_of_word_is_offered_where_it_may_stand(words: Callable[..., list[str]]) -> None:
    assert words("sw") == ["switch"]
    assert words("--json", "-C", ".", "sta") == ["status", "stash", "stats"]
    assert words("op", "sh") == ["show"]
    assert words("switch", "") == ["exp", "main", "v1"]
    assert words("diff", "ma") == ["main"]
    assert words("diff", "main", "") == ["exp", "main", "v1", "HEAD"]
    assert words("diff", "-t", "") == ["notes", "tags"]
    assert words("diff", "--format", "c") == ["csv"]
    assert words("blame", "no") == ["notes"]
    assert words("history", "notes", "3", "v") == ["v1"]
    assert words("revert", "main", "v") == ["v1"]
    assert words("switch", "--cr") == ["--create"]
    assert words("switch", "--js") == ["--json"]
    assert words("help", "re") == [*(name for name in COMMANDS if name.startswith("re")), "revisions"]


def test_what_isovc_cannot_know_is_left_to_the_shell(words: Callable[..., list[str]], tmp_path: Path) -> None:
    assert words("init", "") == []
    assert words("blame", "notes", "") == []
    assert words("nonsense", "") == []
    assert words("switch", "main", "HEAD", "and-more", "") == []
    assert words("-C", str(tmp_path / "nowhere"), "switch", "") == []


@pytest.mark.needs("bash")
def test_bash_completes_names_that_need_quoting(app: Versioned, tmp_path: Path) -> None:
    app.sql('CREATE TABLE "my notes"(x)')
    app.ok("commit", "-m", "a name with a space")
    app.ok("branch", "experiment")
    program = tmp_path / "isovc"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m isovc "$@"\n'
    )
    program.chmod(0o755)
    script = """
        eval "$(isovc completion bash)"
        tab() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _isovc isovc; printf '%s,' "${COMPREPLY[@]}"; echo; }
        tab isovc swi
        tab isovc merge ex
        tab isovc diff -t my
        tab isovc init ''
        complete -p isovc
    """
    ended = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=app.path.parent,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines() == [
        "switch,",
        "experiment,",
        r"my\ notes,",
        ",",
        "complete -o default -F _isovc isovc",
    ]
    assert ended.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(isovc: Isovc, shell: str) -> None:
    ended = isovc("completion", shell)
    assert ended.code == 0
    assert "completion words --" in ended.out


def test_without_a_word_it_is_the_shell_of_the_person(isovc: Isovc, monkeypatch: pytest.MonkeyPatch) -> None:
    for shell, script in (("/usr/bin/fish", "fish"), ("/bin/zsh", "zsh"), ("/bin/sh", "bash")):
        monkeypatch.setenv("SHELL", shell)
        assert isovc("completion").out == isovc("completion", script).out
    assert isovc("completion", "tcsh").code == 2


@pytest.mark.parametrize("shell", [name for name in ("bash", "zsh", "fish") if shutil.which(name)])
def test_a_shell_can_read_its_script(isovc: Isovc, tmp_path: Path, shell: str) -> None:
    script = tmp_path / "script"
    script.write_text(isovc("completion", shell).out)
    subprocess.run([shell, "-n", str(script)], check=True)
