"""What is left of a command that was killed while files arrived, and what others do before the next one comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from isovc.sources.files import Placing
from isovc.workspace import outposts
from isovc.workspace.arriving import Arriving
from tests.attachments.filed import Filed

FILES = ("a.txt", "b.txt", "c.txt", "d.txt")


class Killed(BaseException):
    """Nothing catches it."""


def begun(filed: Filed, monkeypatch: pytest.MonkeyPatch, *, rows: bool, arrived: int) -> tuple[object, object]:
    """A switch to exp that was killed when so many files had arrived; what the folder holds on main and on exp."""
    for path in FILES:
        filed.put(path, "main\n")
    filed.commit("base")
    on_main = filed.held()
    filed.ok("switch", "-c", "exp")
    for path in FILES:
        filed.put(path, "exp\n")
    if rows:
        filed.sql("UPDATE notes SET title = 'exp' WHERE id = 1")
    filed.commit("exp")
    on_exp = filed.held()
    filed.ok("switch", "main")

    def killed(self: Arriving) -> None:
        for path in FILES[:arrived]:
            filed.put(path, "exp\n")
        raise Killed

    monkeypatch.setattr(Arriving, "arrive", killed)
    with pytest.raises(Killed):
        filed.run("switch", "exp")
    monkeypatch.undo()
    return on_main, on_exp


@pytest.mark.parametrize("arrived", range(5))
@pytest.mark.parametrize("rows", [True, False])
def test_the_next_command_goes_one_way_or_the_other(
    filed: Filed, monkeypatch: pytest.MonkeyPatch, rows: bool, arrived: int
) -> None:
    on_main, on_exp = begun(filed, monkeypatch, rows=rows, arrived=arrived)
    log = len(filed.json("op", "log"))
    there = filed.json("status")["branch"]
    assert there == ("exp" if rows or arrived else "main")
    assert filed.held() == (on_exp if there == "exp" else on_main)
    assert filed.rows("SELECT title FROM notes WHERE id = 1") == [("exp" if rows else "one",)]
    assert filed.clean and len(filed.json("op", "log")) == log
    filed.ok("switch", "exp" if there == "main" else "main")
    filed.sound()


@pytest.mark.parametrize(("rows", "arrived"), [(True, 0), (True, 4), (False, 0), (False, 2)])
def test_what_was_made_and_did_not_arrive_is_cleared_by_the_next_command(
    filed: Filed, monkeypatch: pytest.MonkeyPatch, rows: bool, arrived: int
) -> None:
    begun(filed, monkeypatch, rows=rows, arrived=arrived)
    new = filed.files / ".isovc-new"
    new.mkdir()
    (new / "new-1").write_text("exp\n")
    assert filed.clean and not new.exists()


def test_what_somebody_writes_before_the_next_command_stays(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(filed, monkeypatch, rows=True, arrived=1)
    filed.put("b.txt", "somebody's\n")
    filed.put("new", "somebody's\n")
    assert filed.json("status")["branch"] == "exp"
    assert [filed.texts_of(path) for path in (*FILES, "new")] == [
        "exp\n",
        "somebody's\n",
        "exp\n",
        "exp\n",
        "somebody's\n",
    ]


def test_reading_goes_on_where_files_cannot_have_their_places(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(filed, monkeypatch, rows=True, arrived=1)
    (filed.files / ".isovc-new").mkdir(exist_ok=True)
    (filed.files / ".isovc-new" / "mine").write_text("mine\n")
    ended = filed.run("log")
    assert ended.code == 0 and "interrupted" in ended.out + ended.err
    filed.refused("switch", "exp")
    (filed.files / ".isovc-new" / "mine").unlink()
    assert filed.json("status")["branch"] == "exp" and filed.clean
    filed.sound()


def test_names_that_collide_are_looked_at_with_what_stays(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only where the file system makes one name of two: else what stays is not even counted."""
    asked: list[set[str]] = []
    prepare = Placing.prepare

    def spied(self: Placing, removed: Iterable[str], *, staying: Iterable[str] = ()) -> None:
        asked.append(set(staying))
        prepare(self, removed, staying=staying)

    monkeypatch.setattr(Placing, "prepare", spied)
    filed.put("a.txt", "more\n")
    filed.ok("reset", "--hard", "HEAD")
    assert asked in ([set()], [set(filed.held()) - {"a.txt"}])


@pytest.mark.parametrize("is_decided", [True, False])
def test_a_working_copy_that_is_interrupted_comes_with_its_files_or_not_at_all(
    filed: Filed, monkeypatch: pytest.MonkeyPatch, is_decided: bool
) -> None:
    filed.put("a.txt", "main\n")
    filed.commit("base")
    enter = outposts._enter

    def killed(*parts: Any) -> None:
        if is_decided:
            enter(*parts)
        raise Killed

    monkeypatch.setattr(outposts, "_enter", killed)
    with pytest.raises(Killed):
        filed.run("worktree", "add", "other.db", "-c", "exp")
    monkeypatch.undo()
    other = Filed(filed.path.with_name("other.db"), filed._capsys)
    assert len(filed.json("worktree", "list")) == 1 + is_decided
    assert other.path.exists() == is_decided
    if is_decided:
        assert other.clean
        assert other.path.with_name("files-other").joinpath("a.txt").read_text() == "main\n"
        other.sound()
    assert not list(filed.path.parent.glob(".*isovc-new"))
