"""The rooms keep to the design, and the check itself can fail: every kind of breach is planted once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.layers import HOME, LEVEL, OPTIONAL, breaches

ROOT = Path(__file__).parent.parent


def test_every_room_keeps_to_the_layers() -> None:
    assert breaches(ROOT / "isovc") == []


def test_every_room_of_the_package_is_in_the_design() -> None:
    rooms = {path.parent.name for path in (ROOT / "isovc").glob("*/__init__.py")}
    assert rooms <= set(LEVEL)


def test_every_dependency_has_a_home() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {line.partition(">")[0].replace("-", "_") for line in project["dependencies"]}
    assert named == set(HOME) - {"sqlite3"} - OPTIONAL
    extra = {line.partition(">")[0] for name in ("sign", "parquet") for line in project["optional-dependencies"][name]}
    assert extra == OPTIONAL


PLANTED = {
    "upward": ("tree/diff.py", "from isovc.snapshot import diff", "which lies above it"),
    "upward by a plain import": ("store/chunks.py", "import isovc.repo.open", "which lies above it"),
    "upward by the name of a room": ("errors.py", "from isovc import cli", "which lies above it"),
    "upward by a relative import": ("tree/diff.py", "from ..repo import open", "which lies above it"),
    "upward from a folder below": ("tree/deep/er.py", "from ...repo import open", "which lies above it"),
    "sideways": ("tree/diff.py", "from isovc.sources.sqlite import rows", "same line"),
    "model and store meet": ("store/chunks.py", "from isovc.model import Table", "same line"),
    "sources and tree meet": ("sources/sqlite.py", "import isovc.tree", "same line"),
    "errors and progress meet": ("errors.py", "from isovc.progress import SILENT", "same line"),
    "inside a function": ("repo/open.py", "def f():\n    from isovc.store import x", "inside a function"),
    "a library inside a function": (
        "history/log.py",
        "class A:\n    async def f(self):\n        import pygit2",
        "inside a function",
    ),
    "the standard library inside a function": ("repo/open.py", "def f():\n    import json", "inside a function"),
    "only for types": (
        "tree/diff.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from isovc.repo import R",
        "which lies above it",
    ),
    "behind try": ("tree/diff.py", "try:\n    import isovc.repo\nexcept ImportError:\n    pass", "lies above it"),
    "the command line touches the store": ("cli/x.py", "from isovc.store import y", "must never touch"),
    "the command line touches the tree": ("cli/x.py", "from isovc.tree import y", "must never touch"),
    "the command line touches the encoding": ("__main__.py", "from isovc.encoding import y", "must never touch"),
    "git away from home": ("repo/open.py", "import pygit2", "at home in history"),
    "apsw away from home": ("store/chunks.py", "import apsw.ext", "at home in sources"),
    "sqlite3 away from home": ("sources/sqlite.py", "from sqlite3 import connect", "at home in store"),
    "rich below the command line": ("repo/open.py", "from rich.console import Console", "at home in cli"),
    "compression away from home": ("store/chunks.py", "import zstandard as z", "at home in encoding"),
    "an optional library before it is needed": ("encoding/keys.py", "import cryptography.x509", "may be missing"),
    "an optional library away from home": ("repo/open.py", "def f():\n    import cryptography", "at home in encoding"),
    "a library nobody knows": ("cli/x.py", "import requests", "has no home"),
    "a room nobody knows": ("repo/open.py", "from isovc.utils import x", "no room of the design"),
    "a module nobody knows": ("helpers.py", "from isovc.errors import x", "no room of the design"),
    "the front imports a room": ("__init__.py", "from isovc.api import x", "no room of the design"),
    "the front imports a room beside what is for types": (
        "__init__.py",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from isovc.api import x\nelse:\n    from isovc.api import y",
        "no room of the design",
    ),
    "the front imports another room for types": (
        "__init__.py",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from isovc.repo import x",
        "no room of the design",
    ),
    "the front loads the door at once": (
        "__init__.py",
        "from importlib import import_module\nimport_module('isovc.api')",
        "loaded by name",
    ),
    "the front loads another room": (
        "__init__.py",
        "from importlib import import_module\ndef __getattr__(name):\n    return import_module('isovc.cli')",
        "loaded by name",
    ),
    "print": ("repo/open.py", "def f():\n    print('x')", "print() below"),
    "input": ("repo/open.py", "x = input()", "input() below"),
    "sys.exit": ("repo/open.py", "import sys\nsys.exit(1)", "sys.exit below"),
    "from sys import exit": ("repo/open.py", "from sys import exit", "sys.exit below"),
    "sys.stdout": ("repo/open.py", "import sys\nsys.stdout.write('x')", "sys.stdout below"),
    "os.environ": ("repo/open.py", "import os\nx = os.environ['HOME']", "os.environ below"),
    "os.getenv": ("repo/open.py", "import os\nx = os.getenv('HOME')", "os.getenv below"),
    "loaded by name": (
        "tree/diff.py",
        "import importlib\nx = importlib.import_module('isovc.repo')",
        "loaded by name",
    ),
    "loaded by __import__": ("tree/diff.py", "x = __import__('isovc.repo')", "loaded by name"),
}


def _planted(folder: Path, path: str, code: str) -> list[str]:
    file = folder / "isovc" / path
    file.parent.mkdir(parents=True)
    file.write_text(code + "\n", encoding="utf-8")
    return breaches(folder / "isovc")


@pytest.mark.parametrize("path, code, sentence", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_breach_is_found(tmp_path: Path, path: str, code: str, sentence: str) -> None:
    found = _planted(tmp_path, path, code)
    assert found
    assert any(sentence in breach for breach in found)
    assert all(breach.startswith(f"isovc/{path}:") for breach in found)


ALLOWED = {
    "downward": ("repo/open.py", "from isovc.store import x\nimport isovc.history.log\nfrom isovc.errors import Y"),
    "inside one room": ("tree/diff.py", "from isovc.tree.node import Node"),
    "at home": ("sources/sqlite.py", "import apsw"),
    "an optional library when it is needed": ("encoding/keys.py", "def f():\n    from cryptography import x509"),
    "the front shows the door": (
        "__init__.py",
        (
            "from importlib import import_module\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n"
            "    from isovc.api import *\ndef __getattr__(name):\n    return getattr(import_module('isovc.api'), name)"
        ),
    ),
    "the version": ("cli/main.py", "from isovc import __version__"),
    "a command loaded when typed": ("cli/group.py", "from importlib import import_module\nimport_module('x')"),
    "the command line speaks": ("cli/here.py", "import os, sys\nprint(os.environ, sys.argv)"),
    "a method with a loud name": ("repo/open.py", "class A:\n    def f(self):\n        self.print()"),
}


@pytest.mark.parametrize("path, code", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_design_allows_is_no_breach(tmp_path: Path, path: str, code: str) -> None:
    assert _planted(tmp_path, path, code) == []
