"""Draws the rooms of the house: docs/architecture.svg, from tests/layers.py and the words of docs/design/0001. A test
holds it to them. Light or dark as the reader has it."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from tests.layers import HOME, LAYERS

DOCS = Path(__file__).parent.parent / "docs"
_WIDTH, _LEFT, _ROW, _BOX = 880, 20, 58, 44  # pixels: the picture, its margin, from one floor to the next, a room
_STYLE = """
  text { font-family: ui-sans-serif, system-ui, sans-serif; fill: #24292f }
  .room { fill: #ddf4ff; stroke: #0969da }
  .name { font-size: 15px; font-weight: 600; text-anchor: middle }
  .says { font-size: 11px; text-anchor: middle; fill: #57606a }
  .below { stroke: #8c959f; fill: none; marker-end: url(#tip) }
  .tip { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .says { fill: #9198a1 } .room { fill: #0c2d6b; stroke: #4493f8 }
  }"""


def words() -> dict[str, str]:
    """What each room is for, as the design says it."""
    drawing = (DOCS / "design" / "0001-the-house.md").read_text(encoding="utf-8").split("```")[1]
    said = {}
    for line in drawing.strip().splitlines():
        rooms, about = re.split(r" {2,}", line, maxsplit=1)
        parts = re.split(r"; " if rooms.startswith("errors") else r" \| ", about)
        names = rooms.split(" | ")
        said |= dict(zip(names, parts if len(parts) == len(names) else [about], strict=True))
    return said


def picture() -> str:
    """The SVG."""
    height = _ROW * len(LAYERS) + 30
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        "<title>The rooms of isovc: imports go down only</title>",
        f"<style>{_STYLE}\n</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    about = words()
    for floor, rooms in enumerate(LAYERS):
        top = 15 + floor * _ROW
        lines += _floor(sorted(rooms, key=list(about).index), about, top)
        if floor:
            lines.append(f'<path class="below" d="M{_WIDTH / 2:g} {top - _ROW + _BOX} V{top}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _floor(rooms: list[str], about: dict[str, str], top: int) -> list[str]:
    gap = 10
    width = (_WIDTH - 2 * _LEFT - gap * (len(rooms) - 1)) / len(rooms)
    lines = []
    for number, room in enumerate(rooms):
        left = _LEFT + number * (width + gap)
        middle = left + width / 2
        library = ", ".join(sorted(name for name, homes in HOME.items() if room in homes))
        lines += [
            f'<rect class="room" x="{left:g}" y="{top}" width="{width:g}" height="{_BOX}" rx="6"/>',
            f'<text class="name" x="{middle:g}" y="{top + 19}">{escape(room)}</text>',
            f'<text class="says" x="{middle:g}" y="{top + 35}">{escape(about[room])}<title>{library}</title></text>',
        ]
    return lines


if __name__ == "__main__":
    (DOCS / "architecture.svg").write_text(picture(), encoding="utf-8")
