"""Databases that nobody here made: what applications write comes back exactly."""

from __future__ import annotations

import lzma
import subprocess
from pathlib import Path

import pytest

from isovc.cli.main import main
from tests.versioned import ROOT, Versioned

EDITS = {
    "proj.db": "UPDATE geodetic_crs SET name = name || '!' WHERE code % 3 = 0; DELETE FROM metadata;"
    "CREATE INDEX extra ON alias_name(alt_name); DROP VIEW authority_list",
    "elements.db": "DELETE FROM elements WHERE atomic_number > 50; UPDATE elements SET name = 'x' WHERE period = 2;"
    "CREATE TABLE more(a); INSERT INTO more VALUES(1.5)",
    "curve.gpkg": "UPDATE gpkg_contents SET description = 'x'; ALTER TABLE gpkg_ogr_contents ADD COLUMN more TEXT",
    "nulls.gpkg": "UPDATE gpkg_contents SET description = 'x'; DELETE FROM gpkg_spatial_ref_sys WHERE srs_id = 0",
}


def _statements(app: Versioned) -> list[str]:
    """What the database is made of. A table, index or view made anew stands behind the others, as SQLite has it."""
    return sorted(app.dump().splitlines())


@pytest.mark.needs("sqlite3", "git")
@pytest.mark.parametrize("name", EDITS)
def test_it_comes_back_exactly(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = Versioned(tmp_path / name, capsys)
    app.path.write_bytes(lzma.decompress((ROOT / "fixtures/databases" / f"{name}.xz").read_bytes()))
    before, checked = app.dump(), app.check()
    assert main(["init", str(app.path)]) == 0
    app.commit("as it came")
    assert app.dump() == before
    app.sql(EDITS[name])
    edited = app.dump()
    assert edited != before
    app.commit("edited")
    app.ok("checkout", "HEAD~1")
    assert (_statements(app), app.check()) == (sorted(before.splitlines()), checked)
    assert app.clean
    assert app.json("status", "--verify")["clean"]
    app.ok("switch", "main")
    assert _statements(app) == sorted(edited.splitlines())
    assert app.check() == checked
    assert app.json("status", "--verify")["clean"]
    assert app.json("fsck", "--trees")["damages"] == []
    git = ["git", "-C", str(app.folder / "git")]
    assert "edited" in subprocess.run([*git, "log", "--stat", "-p"], capture_output=True, check=True, text=True).stdout
    subprocess.run([*git, "fsck", "--strict"], capture_output=True, check=True)
