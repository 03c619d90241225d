"""The pages that are written from the commands are what the commands say now."""

from __future__ import annotations

import re
import subprocess
from xml.etree import ElementTree

import pytest

from isovc.cli.table import COMMANDS
from scripts.numbers import PAGES, filled
from scripts.picture import picture, words
from scripts.reference import DOCS, manual, markdown
from tests.layers import LAYERS


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == markdown()  # python -m scripts.reference


def test_the_man_page_is_up_to_date() -> None:
    assert (DOCS / "isovc.1").read_text(encoding="utf-8") == manual()  # python -m scripts.reference


def test_every_command_has_its_part_in_both() -> None:
    assert set(re.findall(r"^### isovc (\S+)$", markdown(), re.MULTILINE)) == set(COMMANDS)
    told = {name.replace("\\-", "-") for name in re.findall(r"^\.SS isovc (\S+)$", manual(), re.MULTILINE)}
    assert told == set(COMMANDS)


@pytest.mark.needs("groff")
def test_groff_has_nothing_to_say_against_the_man_page() -> None:
    words = ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-z", str(DOCS / "isovc.1")]
    ended = subprocess.run(words, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_picture_of_the_rooms_is_up_to_date() -> None:
    assert (DOCS / "architecture.svg").read_text(encoding="utf-8") == picture()  # python -m scripts.picture
    assert set(words()) == {room for rooms in LAYERS for room in rooms}
    ElementTree.fromstring(picture())


def test_figures_are_those_that_were_measured() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert text == filled(text)  # python -m scripts.numbers
        assert "<!-- figures -->\n| " in text
