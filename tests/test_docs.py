"""What the documentation promises is there: linked files, scripts and commands it names, libraries in their rooms."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from isovc.cli.commands.help import topics_known
from isovc.cli.table import COMMANDS
from tests.layers import HOME, LAYERS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOR_PEOPLE = [ROOT / "README.md", ROOT / "docs" / "index.md"]


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_finds_it(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", _read(page))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_script_that_is_named_can_be_run(page: Path) -> None:
    named = set(re.findall(r"(?:scripts/(?:check|test|bench|docs|demo)|\.ci/run)\b", _read(page)))
    assert [name for name in named if not os.access(ROOT / name, os.X_OK)] == []


@pytest.mark.parametrize("page", FOR_PEOPLE, ids=lambda page: page.name)
def test_every_command_people_are_told_of_exists(page: Path) -> None:
    named = re.findall(r"`isovc ([a-z-]+)( [a-z-]+)?", _read(page))
    assert {command for command, _ in named if not command.startswith("-")} <= set(COMMANDS)
    assert {word.strip() for command, word in named if command == "help" and word} <= {*topics_known(), *COMMANDS}


def test_the_menu_of_the_site_leads_to_every_page() -> None:
    menu = re.findall(r"^ +- (\S+\.md)$", _read(ROOT / "scripts" / "mkdocs.yml"), re.MULTILINE)
    assert sorted(menu) == sorted(page.relative_to(ROOT / "docs").as_posix() for page in PAGES[1:])


def test_every_library_is_listed_with_its_room() -> None:
    rows = re.findall(r"^\| ([a-z0-9-]+)[^|]*\| ([a-z]+) \|", _read(ROOT / "docs/design/dependencies.md"), re.MULTILINE)
    listed = {library.replace("-", "_"): {room} for library, room in rows if library != "library"}
    assert listed == HOME


def test_the_drawn_rooms_are_the_rooms_that_are_checked() -> None:
    drawing = _read(ROOT / "docs/design/0001-the-house.md").split("```")[1]
    rooms = [set(re.split(r" \| ", re.split(r" {2,}", line)[0])) for line in drawing.strip().splitlines()]
    assert rooms == LAYERS


def test_the_top_level_holds_only_what_the_design_names() -> None:
    kept = {"pyproject.toml", "isovc", "tests", "fixtures", "docs", "scripts", "README.md", "LICENSE", ".ci"}
    made = {".git", ".gitignore", *_read(ROOT / ".gitignore").replace("/", "").split()}
    found = {path.name for path in ROOT.iterdir()}
    assert {name for name in found - kept - made if not name.startswith(".coverage")} == set()
