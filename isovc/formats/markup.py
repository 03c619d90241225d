"""Text that goes into a page."""

from __future__ import annotations

from html import escape

SIGNS = {"added": "+", "modified": "~", "removed": "&minus;", "renamed": "&rarr;"}


def safe(text: str) -> str:
    """Text that cannot be markup; what no page can hold is shown escaped."""
    valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = "".join(
        letter if letter.isprintable() or letter in "\n\t " else f"\\x{ord(letter):02x}" for letter in valid
    )
    return escape(shown)
