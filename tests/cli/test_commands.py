"""Commands are found by name, explained, and imported only when typed."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points

import pytest
from typer.main import get_command

import isovc.cli.commands
from isovc import __version__
from isovc.cli.commands.help import topics_known
from isovc.cli.table import COMMANDS, SUMMARIES
from tests.cli.conftest import ROOT, Ended

Isovc = Callable[..., Ended]
Process = Callable[..., subprocess.CompletedProcess[str]]
MODULES = {module.name: module for module in pkgutil.iter_modules(isovc.cli.commands.__path__)}
HEAVY = "{'typer', 'rich', 'pygit2', 'apsw', 'sqlite3', 'msgpack', 'zstandard', 'blake3', 'xxhash'}"


def test_every_command_has_its_module_and_every_module_its_line() -> None:
    assert {f"isovc.cli.commands.{name}" for name in MODULES} == set(COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_table_is_the_first_line_of_the_commands_help(name: str) -> None:
    command = get_command(import_module(COMMANDS[name]).app)
    assert (command.help or "").partition("\n")[0] == SUMMARIES[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(isovc: Isovc, name: str) -> None:
    ended = isovc(name, "--help")
    assert ended.code == 0
    assert SUMMARIES[name] in ended.out
    assert isovc(name, "-h").out == ended.out


def test_help_lists_every_command_with_its_line(isovc: Isovc) -> None:
    ended = isovc("--help")
    assert ended.code == 0
    words = " ".join(ended.out.split())
    for name, line in SUMMARIES.items():
        assert f"{name} {line}" in words
    assert isovc().out == ended.out


def test_help_imports_no_command(process: Process) -> None:
    script = (
        "import sys; from isovc.cli.main import main; main(['--help'])\n"
        "print([name for name in sys.modules if name.startswith('isovc.cli.commands.')])"
    )
    assert process("-c", script).stdout.splitlines()[-1] == "[]"


def test_a_command_imports_no_other_command(process: Process) -> None:
    script = (
        "import sys; from isovc.cli.main import main; main(['help'])\n"
        "print([name for name in sys.modules if name.startswith('isovc.cli.commands.')])"
    )
    assert process("-c", script).stdout.splitlines()[-1] == "['isovc.cli.commands.help']"


def test_the_version_is_told_without_any_heavy_import(process: Process) -> None:
    script = (
        "import sys; before = set(sys.modules); from isovc.cli.main import main; main(['--version'])\n"
        f"print({HEAVY} & (set(sys.modules) - before))"  # measuring coverage has imported some before us
    )
    assert process("-c", script).stdout.splitlines() == [f"isovc {__version__}", "set()"]


def test_a_pipe_needs_no_rich(process: Process) -> None:
    script = "import sys; from isovc.cli.main import main; main(['help']); main(['hlep']); print('rich' in sys.modules)"
    assert process("-c", script).stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("words", [["--version"], ["-q", "--version"], ["--version", "-v"]])
def test_the_version_is_told_wherever_it_is_asked(isovc: Isovc, words: list[str]) -> None:
    assert isovc(*words) == Ended(0, f"isovc {__version__}\n", "")


def test_the_version_is_told_as_json(isovc: Isovc) -> None:
    assert json.loads(isovc("--json", "--version").out) == {"version": __version__}


def test_python_runs_the_package(process: Process) -> None:
    assert process("-m", "isovc", "--version").stdout == f"isovc {__version__}\n"
    assert process("-m", "isovc", "hlep").returncode == 2


def test_the_installed_command_is_the_same_program() -> None:
    # Outside scripts/test the package may be used from its folder, without being installed.
    for entry in entry_points(group="console_scripts", name="isovc"):
        assert entry.value == "isovc.cli.main:main"
    assert 'isovc = "isovc.cli.main:main"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_help_without_a_word_lists_the_topics(isovc: Isovc) -> None:
    ended = isovc("help")
    assert [line.split()[0] for line in ended.out.splitlines()[: len(topics_known())]] == topics_known()
    assert set(json.loads(isovc("help", "--json").out)) == set(topics_known())


@pytest.mark.parametrize("topic", topics_known())
def test_a_topic_is_shown_and_fits_the_terminal(isovc: Isovc, topic: str) -> None:
    ended = isovc("help", topic)
    assert ended.code == 0
    assert all(len(line) <= 100 for line in ended.out.splitlines())
    assert json.loads(isovc("--json", "help", topic).out)["text"].rstrip("\n") == ended.out.rstrip("\n")


def test_topics_name_only_options_and_commands_that_exist(isovc: Isovc) -> None:
    known = isovc("--help").out
    for topic in topics_known():
        text = isovc("help", topic).out
        for option in re.findall(r"^(--[a-z-]+|-[a-z])\b", text, flags=re.MULTILINE):
            assert option in known


def test_help_of_a_command_is_the_commands_own(isovc: Isovc) -> None:
    assert isovc("help", "help").out == isovc("help", "--help").out


def test_help_on_nothing_known_lists_the_topics(isovc: Isovc) -> None:
    ended = isovc("help", "xyzzy")
    assert ended.code == 2
    assert ended.err.startswith("error: there is no command and no topic 'xyzzy'\nhint: topics: exit-codes")


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("words", [["--json", "planted_group", "pop"], ["planted_group", "--json", "pop"]])
def test_a_command_below_a_command_knows_the_global_options(isovc: Isovc, words: list[str]) -> None:
    assert isovc(*words).out == '{"popped": true}\n'
    assert isovc("planted_group", "pop", "--json").out == '{"popped": true}\n'
    assert isovc("planted_group", "pop").out == "popped\n"


@pytest.mark.usefixtures("planted")
def test_a_misspelled_command_below_a_command_is_explained(isovc: Isovc) -> None:
    ended = isovc("planted_group", "pusch")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: no such command 'pusch'. Did you mean 'push'?\nhint: isovc planted_group --help\n"
    assert isovc("planted_group").code == 2
