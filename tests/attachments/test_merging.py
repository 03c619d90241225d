"""Files that both sides changed: content, mode and time, by every way of settling them."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import product

import pytest

from tests.attachments.filed import LONG_AGO, WRITTEN, Filed, Known

Change = Callable[[Filed, str, str], None]
LATER = WRITTEN + 5_000_000_000


def nothing(filed: Filed, path: str, side: str) -> None:
    pass


def wrote(filed: Filed, path: str, side: str) -> None:
    filed.put(path, f"{side}\n", mtime=WRITTEN if side == "ours" else LATER)


def wrote_the_same(filed: Filed, path: str, side: str) -> None:
    filed.put(path, "the same\n", mtime=WRITTEN if side == "ours" else LATER)


def touched(filed: Filed, path: str, side: str) -> None:
    when = WRITTEN if side == "ours" else LATER
    os.utime(filed.files / path, ns=(when, when))


def may_run(filed: Filed, path: str, side: str) -> None:
    (filed.files / path).chmod(0o755)


def may_not_be_read(filed: Filed, path: str, side: str) -> None:
    (filed.files / path).chmod(0o600)


def removed(filed: Filed, path: str, side: str) -> None:
    filed.drop(path)


CHANGES = (nothing, wrote, wrote_the_same, touched, may_run, may_not_be_read, removed)
PAIRS = ((wrote, wrote), (wrote, removed), (removed, wrote), (may_run, may_not_be_read))
Sides = dict[str, tuple[Known | None, ...]]


def part(filed: Filed, *pairs: tuple[Change, Change], base: bool = True) -> Sides:
    """A file a pair, changed by each side; as in base, ours and theirs, by path. On main, which is ours."""
    paths = {f"{ours.__name__}-{theirs.__name__}": (ours, theirs) for ours, theirs in pairs}
    seen: list[dict[str, Known]] = []
    for path in paths if base else ():
        filed.put(path, "base\n", mtime=LONG_AGO)
    filed.ok("commit", "-m", "base", "--allow-empty")
    for branch, side in (("exp", "theirs"), ("main", "ours")):
        seen.insert(0, filed.held())
        filed.ok("switch", *(("-c", "exp") if branch == "exp" else ("main",)))
        for path, (ours, theirs) in paths.items():
            (ours if side == "ours" else theirs)(filed, path, side)
        if branch == "exp":
            seen.insert(0, filed.held())
        filed.ok("commit", "-m", side, "--allow-empty")
    was, theirs_held = seen[-1], seen[1]
    mine = filed.held()
    return {path: (was.get(path), mine.get(path), theirs_held.get(path)) for path in paths}


def expected(base: Known, ours: Known | None, theirs: Known | None) -> tuple[set[str], Known | None]:
    """What waits (cells, or `row`), and the file until it is settled. Said again in the plainest way."""
    if ours == theirs or theirs == base:
        return set(), ours
    if ours == base:
        return set(), theirs
    if ours is None or theirs is None:
        return {"row"}, ours
    waits, content, mode, mtime = set(), ours.content, ours.mode, ours.mtime
    if base.mtime in (ours.mtime, theirs.mtime):
        mtime = theirs.mtime if ours.mtime == base.mtime else ours.mtime
    elif ours.content == theirs.content or base.content in (ours.content, theirs.content):
        mtime = max(ours.mtime, theirs.mtime)
    if ours.content != theirs.content and ours.content == base.content:
        content = theirs.content
    elif ours.content != theirs.content and theirs.content != base.content:
        waits.add("content")
    if ours.mode != theirs.mode:
        if ours.mode == base.mode:
            mode = theirs.mode
        elif theirs.mode != base.mode:
            waits.add("mode")
    return waits, Known(content, mode, mtime, False)


def test_every_change_against_every_other(filed: Filed) -> None:
    sides = part(filed, *product(CHANGES, CHANGES))
    before = filed.held()
    wanted = {path: expected(was, mine, other) for path, (was, mine, other) in sides.items() if was}
    assert len(wanted) == 49
    ended = filed.run("merge", "exp")
    assert ended.code == 3, ended
    found: dict[str, set[str]] = {}
    for each in filed.json("conflicts"):
        assert each["table"] == "files/"
        found.setdefault(each["key"][0], set()).add(each["column"] or "row")
    assert found == {path: waits for path, (waits, _) in wanted.items() if waits}
    now = filed.held()
    assert {path: now.get(path) for path in wanted} == {path: file for path, (_, file) in wanted.items()}
    filed.ok("merge", "--abort")
    assert filed.held() == before
    filed.sound()


def made_executable(filed: Filed, path: str, side: str) -> None:
    wrote_the_same(filed, path, side)
    (filed.files / path).chmod(0o755 if side == "theirs" else 0o644)


def test_both_added_alike_but_for_the_mode(filed: Filed) -> None:
    ((path, (_, mine, _)),) = part(filed, (made_executable, made_executable), base=False).items()
    assert filed.run("merge", "exp").code == 3
    assert filed.held()[path] == mine  # as a whole, with its time


def test_both_added(filed: Filed) -> None:
    sides = part(filed, (wrote_the_same, wrote_the_same), (wrote, wrote), base=False)
    assert filed.run("merge", "exp").code == 3
    (waits,) = filed.json("conflicts")
    assert (waits["kind"], waits["key"]) == ("add/add", ["wrote-wrote"])
    _, mine, other = sides["wrote_the_same-wrote_the_same"]
    assert mine and other and mine != other
    assert filed.held()["wrote_the_same-wrote_the_same"] == other  # the later time
    assert filed.held()["wrote-wrote"] == sides["wrote-wrote"][1]
    filed.ok("resolve", "files/", "wrote-wrote", "--theirs")
    filed.ok("merge", "--continue")
    assert filed.held()["wrote-wrote"] == sides["wrote-wrote"][2]
    filed.sound()


@pytest.mark.parametrize("way", ["base", "ours", "theirs"])
def test_settled_by_a_side(filed: Filed, way: str) -> None:
    sides = part(filed, *PAIRS)
    at = ("base", "ours", "theirs").index(way)
    assert filed.run("merge", "exp").code == 3
    filed.ok("resolve", "files/", "wrote-wrote", f"--{way}")
    filed.ok("resolve", "files/:wrote-removed", f"--{way}")
    assert len(filed.json("conflicts")) == 2
    filed.ok("resolve", f"--{way}")
    then = {path: each[at] for path, each in sides.items()}
    assert {path: filed.held().get(path) for path in sides} == then
    filed.ok("merge", "--continue")
    assert {path: filed.held().get(path) for path in sides} == then and filed.clean
    filed.ok("undo", "-n", "5")
    assert {path: filed.held().get(path) for path in sides} == {path: each[1] for path, each in sides.items()}
    filed.sound()


@pytest.mark.parametrize("way", ["ours", "theirs"])
def test_settled_before_it_waits(filed: Filed, way: str) -> None:
    sides = part(filed, *PAIRS)
    filed.ok("merge", "exp", "-X", way)
    at = ("base", "ours", "theirs").index(way)
    assert {path: filed.held().get(path) for path in sides} == {path: each[at] for path, each in sides.items()}
    assert filed.clean


def test_content_and_mode_are_settled_one_by_one(filed: Filed) -> None:
    def ours(app: Filed, path: str, side: str) -> None:
        app.put(path, "ours\n", mode=0o755)

    def theirs(app: Filed, path: str, side: str) -> None:
        app.put(path, "theirs, longer\n", mode=0o600, mtime=LATER)

    part(filed, (ours, theirs))
    assert filed.run("merge", "exp").code == 3
    filed.ok("resolve", "files/:ours-theirs:content", "--theirs")
    assert filed.held()["ours-theirs"] == Known(b"theirs, longer\n", 0o755, LATER, False)
    filed.ok("resolve", "files/:ours-theirs:mode", "--theirs")
    assert filed.held()["ours-theirs"] == Known(b"theirs, longer\n", 0o600, LATER, False)
    filed.ok("merge", "--continue")
    filed.sound()


def test_settled_by_writing_the_files(filed: Filed) -> None:
    part(filed, *PAIRS[:3])
    assert filed.run("merge", "exp").code == 3
    filed.put("wrote-wrote", "both\n", mode=0o750)
    filed.ok("resolve", "files/", "wrote-wrote")
    filed.put("wrote-removed", "both\n")
    filed.put("removed-wrote", "both\n")
    filed.ok("resolve")
    held = filed.held()
    filed.ok("merge", "--continue")
    assert filed.held() == held and filed.clean and filed.cat("HEAD", "removed-wrote") == "both\n"
    filed.sound()


def test_settled_by_removing_the_file(filed: Filed) -> None:
    part(filed, (wrote, wrote))
    assert filed.run("merge", "exp").code == 3
    filed.drop("wrote-wrote")
    filed.ok("resolve", "files/", "wrote-wrote")
    filed.ok("merge", "--continue")
    assert "wrote-wrote" not in filed.held() and filed.clean


def test_no_value_settles_a_file_and_no_number(filed: Filed) -> None:
    part(filed, (wrote, wrote), base=False)
    assert filed.run("merge", "exp").code == 3
    held = filed.held()
    assert filed.refused("resolve", "files/", "wrote-wrote", "--set", "mode=5") == "not-by-value"
    filed.refused("resolve", "--set", "content=x")
    filed.refused("resolve", "files/", "wrote-wrote", "--renumber")
    filed.refused("resolve", "--renumber")
    assert filed.held() == held and len(filed.json("conflicts")) == 1


@pytest.mark.parametrize("ours", [nothing, wrote])
def test_preview_writes_nothing(filed: Filed, ours: Change) -> None:
    part(filed, (ours, wrote))
    held, log = filed.held(), filed.json("op", "log")
    filed.run("merge", "exp", "--preview")
    assert filed.held() == held and filed.json("op", "log") == log
    assert not (filed.files / ".isovc-new").exists()


def test_into_a_branch_that_is_not_checked_out(filed: Filed) -> None:
    _, mine, other = part(filed, (nothing, wrote))["nothing-wrote"]
    filed.ok("branch", "third")
    filed.put("g", "g\n")
    filed.commit("g")
    held = filed.held()
    filed.ok("merge", "exp", "--into", "third")
    assert filed.held() == held and filed.cat("third", "nothing-wrote") == "theirs\n" and "g" not in filed.kept("third")
    filed.ok("switch", "third")
    assert filed.held()["nothing-wrote"] == other != mine


def test_into_is_refused_where_files_are_contested(filed: Filed) -> None:
    part(filed, (wrote, wrote))
    filed.ok("branch", "third", "main")
    held = filed.held()
    filed.refused("merge", "exp", "--into", "third", code=3)
    assert filed.held() == held and filed.cat("third", "wrote-wrote") == "ours\n"


def test_a_file_against_a_folder(filed: Filed) -> None:
    """One side has f, the other f/x: no folder holds both."""
    filed.ok("switch", "-c", "exp")
    filed.put("f/x", "x\n")
    filed.commit("theirs")
    filed.ok("switch", "main")
    filed.put("f", "f\n")
    filed.commit("ours")
    held = filed.held()
    ended = filed.run("merge", "exp")
    assert ended.code in (1, 3), ended
    if ended.code == 1:
        assert filed.held() == held
    else:
        filed.ok("merge", "--abort")
        assert filed.held() == held
    filed.sound()


def test_no_commit_and_then_commit(filed: Filed) -> None:
    _, _, other = part(filed, (nothing, wrote))["nothing-wrote"]
    filed.put("g", "g\n")
    filed.commit("g")
    filed.ok("merge", "exp", "--no-commit")
    assert filed.held()["nothing-wrote"] == other
    filed.ok("commit", "-m", "merged")
    assert filed.cat("HEAD", "nothing-wrote") == "theirs\n" and filed.cat("HEAD", "g") == "g\n" and filed.clean


def test_waits_with_rows_and_files_together(filed: Filed) -> None:
    filed.ok("switch", "-c", "exp")
    filed.put("a.txt", "theirs\n")
    filed.sql("UPDATE notes SET title = 'theirs' WHERE id = 1")
    filed.commit("theirs")
    filed.ok("switch", "main")
    filed.put("a.txt", "ours\n")
    filed.sql("UPDATE notes SET title = 'ours' WHERE id = 1")
    filed.commit("ours")
    assert filed.run("merge", "exp").code == 3
    assert {each["table"] for each in filed.json("conflicts")} == {"files/", "notes"}
    filed.ok("resolve", "files/", "--theirs")
    assert filed.cat("WORK", "a.txt") == "theirs\n"
    assert filed.rows("SELECT title FROM notes WHERE id = 1") == [("ours",)]
    filed.ok("resolve", "notes", "--ours")
    filed.ok("merge", "--continue")
    assert filed.cat("HEAD", "a.txt") == "theirs\n" and filed.clean
    filed.sound()


def test_pop_that_waits_for_a_file(filed: Filed) -> None:
    filed.put("a.txt", "aside\n")
    filed.ok("stash", "push")
    filed.put("a.txt", "another\n")
    filed.commit("another")
    assert filed.run("stash", "pop").code == 3
    assert filed.cat("WORK", "a.txt") == "another\n"
    filed.ok("resolve", "--theirs")
    filed.ok("stash", "pop", "--continue")
    assert filed.cat("WORK", "a.txt") == "aside\n" and filed.cat("HEAD", "a.txt") == "another\n"
    filed.sound()


def test_lines_that_do_not_touch_come_together(filed: Filed) -> None:
    lines = [f"line {number}\n" for number in range(9)]

    def with_line(at: int, text: str) -> str:
        return "".join([*lines[:at], text, *lines[at + 1 :]])

    filed.put("a.txt", "".join(lines), mtime=LONG_AGO)
    filed.put("b.bin", b"\0\n" * 9, mtime=LONG_AGO)
    filed.commit("base")
    filed.ok("switch", "-c", "exp")
    filed.put("a.txt", with_line(7, "theirs\n"), mtime=LATER)
    filed.put("b.bin", b"\1" + b"\0\n" * 9, mtime=LATER)
    filed.commit("theirs")
    filed.ok("switch", "main")
    filed.put("a.txt", with_line(1, "ours\n"), mtime=WRITTEN)
    filed.put("b.bin", b"\0\n" * 9 + b"\1", mtime=WRITTEN)
    (filed.files / "a.txt").chmod(0o600)
    filed.commit("ours")
    assert filed.run("merge", "exp").code == 3
    (waits,) = filed.json("conflicts")
    assert (waits["key"], waits["column"]) == (["b.bin"], "content")  # no text
    wanted = with_line(1, "ours\n").replace("line 7\n", "theirs\n").encode()
    assert filed.held()["a.txt"] == Known(wanted, 0o600, LATER, False)
    filed.ok("resolve", "--ours")
    filed.ok("merge", "--continue")
    assert filed.clean
    filed.sound()
