"""What pages for people show of a shell is what a shell shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shell_pages import drifted, fits, steps_of

ROOT = Path(__file__).parent.parent
PAGES = [
    page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if "```console" in page.read_text()
]
# one way of writing commands down: what is in no console block there is run by nobody
TRIED = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "howto").glob("*.md"))]


@pytest.mark.needs("sqlite3", "faketime")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_shows_what_the_page_says(page: Path, tmp_path: Path) -> None:
    assert "\n\n".join(drifted(page, tmp_path)) == ""


@pytest.mark.parametrize("page", TRIED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_command_is_told_without_being_run(page: Path) -> None:
    fences = re.findall(r"^```(\w*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
    assert set(fences) == {"console"}


def test_a_page_that_says_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n$ echo 'a\n> b'\na\nb\n$ seq 9\n1\n...\n9\n$ (exit 3)\n```\n")
    assert [found.split("\n")[0] for found in drifted(page, tmp_path)] == ["$ echo one", "$ (exit 3)"]


@pytest.mark.parametrize(
    ("shown", "found", "well"),
    [
        ("at ...: 3", "at 1a2b: 3", True),
        ("at ...: 3", "at 1a2b: 4", False),
        ("a\n...\nz", "a\nz", True),
        ("a\n...", "a\nb\nc", True),
        ("a", "a\nb", False),
        ("", "", True),
        ("", "said", False),
    ],
)
def test_three_dots_stand_for_anything_and_nothing_else_does(shown: str, found: str, well: bool) -> None:
    assert fits(shown, found) is well


def test_a_command_goes_on_over_lines() -> None:
    (step,) = steps_of("```console\n$ sqlite3 a.db '\n> SELECT 1;\n> '\n1\n```\n")
    assert (step.command, step.shown) == ("sqlite3 a.db '\nSELECT 1;\n'", "1")
