"""Every command with its section and its one line of help. Knows commands by name only, so listing them is quick.

The one line is the first line of the command's docstring; a test holds the two together.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "Versions of a database": {
        "init": "Put a database under version control.",
        "status": "Show the branch, and what changed since its last commit.",
        "commit": "Keep the database as it is now as a new version.",
        "log": "Show the versions that lead to one, the newest first.",
        "show": "Show one version: who, when, why, and what it changed.",
        "diff": "Show what differs between two versions, row by row.",
        "history": "Show every change of one row, the newest first.",
        "blame": "Show which commit wrote each cell of a row, or of a whole table.",
        "apply": "Change the database as a patch says, or not at all.",
        "sql": "Ask the database, or any version of it, in SQL; nothing is changed.",
        "shell": "Ask one question after the other.",
        "tag": "List tags, or make or remove one.",
    },
    "Branches and going back": {
        "branch": "List branches, or make, rename, copy or remove one.",
        "switch": "Go to another branch.",
        "checkout": "Make the database another version, or take some tables of one.",
        "merge": "Bring what another version holds into this branch, cell by cell.",
        "conflicts": "List what waits for a decision after a merge, with what each side has.",
        "resolve": "Settle conflicts: all of them, or those of one table, row or cell.",
        "revert": "Take back what commits changed, whatever came after them.",
        "cherry-pick": "Do once more on this branch what commits changed on another.",
        "rebase": "Put what was done on this branch on top of another version.",
        "restore": "Bring back what the database held at a moment, whole or in part.",
        "stash": "Put uncommitted changes aside, and bring them back on any branch.",
        "reset": "Move the branch to another version.",
        "undo": "Take the last command back, with the rows it changed.",
        "redo": "Do again what was undone last.",
        "op": "Look at the operations, go back to one, or take one back.",
        "worktree": "Have other versions as database files of their own, beside this one.",
    },
    "Every moment": {
        "watch": "Record every transaction of the database as it happens.",
        "coverage": "Show which times were recorded, and where something is missing.",
    },
    "Files beside the database": {
        "ls": "List the files of a version: permissions, size, when it was written, path.",
        "cat": "Write a file as it was in a version to the standard output, byte for byte.",
        "export-files": "Write all files of a version into a new folder.",
    },
    "The repository": {
        "audit": "Show, check and hand on the record of who did what, when and to which data.",
        "config": "Show or change settings.",
        "doctor": "Say what is wrong or slow here, and what helps.",
        "fsck": "Check that everything kept is whole, and name what is not.",
        "gc": "Give back the space of what nothing leads to any more.",
        "stats": "Show what the repository holds and what it weighs.",
    },
    "Getting to know isovc": {
        "completion": "Print the script by which a shell completes what you type.",
        "demo": "Try isovc on a small sample database in a new folder.",
        "help": "Explain a command or a topic.",
    },
}

COMMANDS: dict[str, str] = {
    name: f"isovc.cli.commands.{name.replace('-', '_')}" for names in SECTIONS.values() for name in names
}

SUMMARIES: dict[str, str] = {name: line for names in SECTIONS.values() for name, line in names.items()}
