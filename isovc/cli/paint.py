"""Colors for the terminal, by rich. Imported only when there is something to color."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.style import Style


def paint(text: str, style: str) -> str:
    """The text with the codes of one of the sixteen colors every terminal has."""
    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)
