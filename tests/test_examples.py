"""The examples of docs/python.md do what the page says: every block is run, in order, in a fresh folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.versioned import ROOT

PAGE = ROOT / "docs" / "python.md"


def test_every_example_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    script = tmp_path / "page.py"
    script.write_text("".join(blocks), encoding="utf-8")
    folder = tmp_path / "work"
    folder.mkdir()
    code = "import runpy, sys; sys.path.insert(0, sys.argv[2]); runpy.run_path(sys.argv[1])"
    words = [sys.executable, "-W", "error", "-c", code, str(script), str(ROOT)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
