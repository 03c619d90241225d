"""The recording in the README shows what the commands show now."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.recording import SVG, drawn, record, words


@pytest.mark.needs("sqlite3", "bash")
def test_the_recorded_commands_still_say_the_same(tmp_path: Path) -> None:
    recorded = SVG.read_text(encoding="utf-8")
    assert words(recorded) == words(drawn(record(tmp_path)))  # else: python -m scripts.recording


def test_the_recording_stands_by_itself_and_is_small() -> None:
    recorded = SVG.read_text(encoding="utf-8")
    assert len(recorded.encode()) < 300_000
    assert {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(recorded).iter()} == {
        *("svg", "title", "style", "rect", "circle", "text"),
    }
    assert "http" not in recorded.replace("http://www.w3.org/2000/svg", "")
