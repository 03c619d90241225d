"""Every command with its section and its one line of help. Knows commands by name only, so listing them is quick.

The one line is the first line of the command's docstring; a test holds the two together.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Getting to know isovc": {
        "demo": "Try isovc on a small sample database in a new folder.",
        "help": "Explain a command or a topic.",
    },
}

COMMANDS: dict[str, str] = {
    name: f"isovc.cli.commands.{name.replace('-', '_')}" for names in SECTIONS.values() for name in names
}

SUMMARIES: dict[str, str] = {name: line for names in SECTIONS.values() for name, line in names.items()}
