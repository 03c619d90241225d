"""Each command with files beside the rows: what the folder holds afterwards, to the nanosecond."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from isovc.sources.files import Folder
from tests.attachments.filed import LONG_AGO, WRITTEN, Filed, Known, link, read


def edited(filed: Filed) -> dict[str, Known]:
    """One of everything that can happen to files, and to rows; what the folder holds then."""
    filed.put("a.txt", "A, longer\n")
    filed.put("deep/new.txt", "new\n", mode=0o640)
    filed.drop("b.txt")
    (filed.files / "run.sh").chmod(0o700)
    os.utime(filed.files / "empty", ns=(WRITTEN, WRITTEN))
    link(filed.files / "to-a", "deep/new.txt")
    filed.drop("deep/er/c.bin")
    (filed.files / "deep/er").rmdir()
    filed.put("deep/er", "a file where a folder was\n")
    filed.sql("UPDATE notes SET title = 'ONE' WHERE id = 1")
    return filed.held()


def branched(filed: Filed) -> tuple[dict[str, Known], dict[str, Known]]:
    """Committed on exp, back on main: what the folder holds on each."""
    on_main = filed.held()
    filed.ok("switch", "-c", "exp")
    on_exp = edited(filed)
    filed.commit("exp")
    assert filed.held() == on_exp
    filed.ok("switch", "main")
    return on_main, on_exp


def title(filed: Filed) -> str:
    return str(filed.rows("SELECT title FROM notes WHERE id = 1")[0][0])


def test_a_commit_keeps_every_file_and_status_tells_them(filed: Filed) -> None:
    assert filed.clean
    assert filed.kept()["run.sh"] == (5, 0o100755, LONG_AGO)
    assert filed.kept()["to-a"] == (5, 0o120777, LONG_AGO)
    edited(filed)
    status = filed.json("status")
    assert not status["clean"] and status["tables"].keys() == {"notes"}
    assert status["attachments"] == {"added": 2, "modified": 4, "removed": 2}
    filed.commit("more")
    assert filed.clean
    assert filed.kept() == {
        path: (len(each.content), each.mode | (0o120000 if each.is_link else 0o100000), each.mtime)
        for path, each in filed.held().items()
    }
    assert filed.cat("HEAD~1", "a.txt") == "a\n" and filed.cat("HEAD", "a.txt") == "A, longer\n"
    filed.sound()


def test_looking_changes_nothing(filed: Filed) -> None:
    held = edited(filed)
    for words in (("status",), ("diff",), ("diff", "--stat"), ("log",), ("ls", "WORK"), ("show", "HEAD"), ("fsck",)):
        filed.ok(*words)
    assert filed.held() == held


def test_diff_tells_files_and_follows_them(filed: Filed) -> None:
    assert filed.run("diff", "--exit-code").code == 0
    edited(filed)
    assert filed.run("diff", "--exit-code").code == 1
    said = filed.ok("diff")
    assert "A, longer" in said and "deep/new.txt" in said
    lines = [json.loads(line) for line in filed.ok("diff", "--format", "jsonl").splitlines()]
    ops = {tuple(each["key"]): each["op"] for each in lines if each["table"] == "files/"}
    assert ops[("a.txt",)] == "modified" and ops[("deep/new.txt",)] == "added" and ops[("b.txt",)] == "removed"
    filed.commit("more")
    assert filed.run("diff", "--exit-code", "HEAD~1", "HEAD").code == 1
    only = filed.ok("diff", "-t", "files/", "HEAD~1", "HEAD", "--format", "jsonl").splitlines()
    assert {json.loads(line)["table"] for line in only} == {"files/"}


def test_diff_tells_what_differs_where_no_line_does(filed: Filed) -> None:
    filed.put("ends", "a\nb\n")
    filed.put("one.json", '{"a": 1}')
    filed.put("pic.png", b"\x89PNG\0before")
    filed.commit("base")
    filed.put("ends", "a\r\nb\r\n")
    filed.put("one.json", '{"a":1}')
    filed.put("pic.png", b"\x89PNG\0after")
    filed.put("nothing", "")
    said = filed.ok("diff")
    assert "(only the ends of lines differ)" in said and "(only the layout differs)" in said
    assert said.count("(only") == 2 and "11 bytes -> 10 bytes, image/png" in said
    page = filed.ok("diff", "--format", "html")
    assert page.count("(only") == 2 and "image/png" in page


@pytest.mark.parametrize("form", ["text", "html"])
def test_a_cell_that_is_long_is_not_held_to_be_shown(filed: Filed, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    filed.sql("CREATE TABLE big(id INTEGER PRIMARY KEY, v BLOB, t TEXT)")
    filed.sql("INSERT INTO big VALUES(1, zeroblob(3000000), replace(hex(zeroblob(1000000)), '00', 'ab'))")
    filed.commit("long")
    filed.sql("UPDATE big SET v = CAST(v || x'01' AS BLOB), t = t || 'c'")
    filed.commit("longer")
    monkeypatch.setattr("isovc.snapshot.values.whole", lambda *_: pytest.fail("all of it was read"))
    said = filed.ok("diff", "HEAD~2", "HEAD", "--format", form) + filed.ok("diff", "HEAD~1", "--format", form)
    assert "(3,000,001 bytes)" in said and "00000000" in said
    assert "(3,000,001 bytes)" in filed.ok("blame", "big", "1")
    assert "(3,000,000 bytes)" in filed.ok("history", "big", "1")


def test_switch_there_and_back(filed: Filed) -> None:
    on_main, on_exp = branched(filed)
    assert filed.held() == on_main and title(filed) == "one"
    for _ in range(2):
        filed.ok("switch", "exp")
        assert filed.held() == on_exp and title(filed) == "ONE" and filed.clean
        filed.ok("switch", "main")
        assert filed.held() == on_main and title(filed) == "one" and filed.clean
    assert not (filed.files / "deep/new.txt").exists()
    filed.sound()


def test_switch_keeps_what_is_uncommitted_on_its_branch(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.put("b.txt", "mine\n")
    filed.put("fresh.txt", "mine too\n")
    mine = filed.held()
    filed.ok("switch", "exp")
    assert filed.held() == on_exp
    filed.ok("switch", "main")
    assert filed.held() == mine
    filed.sound()


def test_switch_carry_takes_files_along(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.put("fresh.txt", "mine\n")
    mine = filed.held()["fresh.txt"]
    filed.ok("switch", "--carry", "exp")
    assert filed.held() == {**on_exp, "fresh.txt": mine}
    filed.sound()


def test_switch_carry_refuses_what_does_not_fit(filed: Filed) -> None:
    branched(filed)
    filed.put("a.txt", "mine\n")
    held = filed.held()
    filed.refused("switch", "--carry", "exp")
    assert filed.held() == held and title(filed) == "one"
    assert filed.json("status")["branch"] == "main"


def test_checkout_of_a_version_and_of_the_files_alone(filed: Filed) -> None:
    on_main, on_exp = branched(filed)
    filed.ok("checkout", "exp", "--detach")
    assert filed.held() == on_exp and title(filed) == "ONE"
    filed.ok("switch", "main")
    filed.ok("checkout", "-t", "files/", "exp")
    assert filed.held() == on_exp and title(filed) == "one"
    status = filed.json("status")
    assert status["attachments"] and not status["tables"]
    filed.ok("undo")
    assert filed.held() == on_main
    filed.sound()


def test_taking_the_files_of_a_version_that_has_none(filed: Filed) -> None:
    before = filed.held()
    filed.drop(*before)
    filed.commit("none")
    filed.ok("checkout", "-t", "files/", "HEAD~1")
    assert filed.held() == before
    filed.ok("checkout", "-t", "files/", "HEAD")
    assert filed.held() == {}
    filed.sound()


def test_reset_hard_and_undo(filed: Filed) -> None:
    on_main, on_exp = branched(filed)
    held = edited(filed)
    filed.ok("reset", "--hard", "HEAD")
    assert filed.held() == on_main and title(filed) == "one" and filed.clean
    filed.ok("undo")
    assert filed.held() == held and title(filed) == "ONE"
    filed.ok("redo")
    assert filed.held() == on_main
    filed.ok("reset", "--hard", "exp")
    assert filed.held() == on_exp and filed.clean
    filed.sound()


def test_reset_soft_leaves_the_folder(filed: Filed) -> None:
    on_main, _ = branched(filed)
    filed.ok("reset", "--soft", "exp")
    assert filed.held() == on_main and not filed.clean


def test_undo_and_redo_of_each(filed: Filed) -> None:
    on_main, on_exp = branched(filed)
    filed.ok("switch", "exp")
    filed.ok("undo")
    assert filed.held() == on_main
    filed.ok("redo")
    assert filed.held() == on_exp
    filed.put("since.txt", "since\n")
    since = filed.held()
    filed.ok("undo")
    assert filed.held() == on_main
    filed.ok("redo")
    assert filed.held() in (on_exp, since)
    filed.sound()


def test_files_written_since_come_back_with_redo(filed: Filed) -> None:
    """As with rows: what was written after the operation that is undone is in the record of the undo."""
    branched(filed)
    filed.ok("switch", "exp")
    filed.put("since.txt", "since\n")
    filed.sql("INSERT INTO notes VALUES(9, 'since')")
    since = filed.held()
    filed.ok("undo")
    filed.ok("redo")
    with_rows = bool(filed.rows("SELECT 1 FROM notes WHERE id = 9"))
    assert with_rows == (filed.held() == since)


def test_undo_of_a_commit_leaves_the_files(filed: Filed) -> None:
    held = edited(filed)
    filed.commit("more")
    filed.ok("undo")
    assert filed.held() == held and not filed.clean


def test_stash_push_and_pop(filed: Filed) -> None:
    before = filed.held()
    held = edited(filed)
    filed.ok("stash", "push")
    assert filed.held() == before and title(filed) == "one"
    filed.ok("gc")
    filed.ok("stash", "pop")
    assert filed.held() == held and title(filed) == "ONE"
    filed.ok("undo")
    assert filed.held() == before
    filed.ok("redo")
    assert filed.held() == held
    filed.sound()


def test_stash_of_files_alone(filed: Filed) -> None:
    before = filed.held()
    filed.put("a.txt", "mine\n")
    held = filed.held()
    filed.ok("stash", "push")
    assert filed.held() == before
    filed.ok("stash", "pop")
    assert filed.held() == held
    filed.sound()


def test_a_worktree_has_a_folder_of_its_own(filed: Filed) -> None:
    on_main, on_exp = branched(filed)
    filed.ok("worktree", "add", "other.db", "exp")
    beside = filed.path.with_name("files-other")
    assert read(beside) == on_exp and filed.held() == on_main
    other = Filed(filed.path.with_name("other.db"), filed._capsys)
    other.files_folder = "files-other"
    other.put("theirs.txt", "theirs\n")
    assert other.json("status")["attachments"] == {"added": 1, "modified": 0, "removed": 0}
    assert filed.clean
    other.commit("theirs")
    held = other.held()
    filed.ok("worktree", "remove", "other.db", "--yes")
    assert not beside.exists() and filed.held() == on_main
    filed.ok("undo")
    assert read(beside) == held
    assert other.clean
    filed.ok("redo")
    assert not beside.exists()
    other.path.parent.joinpath("files-other").mkdir()
    filed.ok("worktree", "add", "other.db", "exp")
    assert read(beside) == held
    filed.ok("undo")
    assert not beside.exists()
    filed.sound()
    assert [each.name for each in filed.path.parent.glob(".*")] == [".isovc"]


def test_a_worktree_removed_with_something_uncommitted(filed: Filed) -> None:
    filed.ok("worktree", "add", "other.db", "-c", "exp")
    beside = filed.path.with_name("files-other")
    (beside / "mine.txt").write_text("mine\n")
    held = read(beside)
    filed.ok("worktree", "remove", "other.db", "--yes")
    assert not beside.exists()
    filed.ok("undo")
    assert read(beside) == held


def test_a_worktree_elsewhere(filed: Filed) -> None:
    (filed.path.parent / "beside").mkdir()
    filed.ok("worktree", "add", "beside/other.db", "-c", "exp")
    assert read(filed.path.parent / "beside" / "files-other") == filed.held()


def test_merge_brings_files_of_both(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.put("ours.txt", "ours\n")
    ours = filed.held()["ours.txt"]
    filed.commit("ours")
    before = filed.held()
    filed.ok("merge", "exp")
    assert filed.held() == {**on_exp, "ours.txt": ours} and filed.clean
    filed.ok("undo")
    assert filed.held() == before
    filed.ok("redo")
    assert filed.held() == {**on_exp, "ours.txt": ours}
    filed.sound()


def test_merge_forward(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.ok("merge", "exp")
    assert filed.held() == on_exp and filed.clean


def test_merge_keeps_uncommitted_files(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.put("mine.txt", "mine\n")
    mine = filed.held()["mine.txt"]
    filed.ok("merge", "exp")
    assert filed.held() == {**on_exp, "mine.txt": mine}
    assert filed.json("status")["attachments"] == {"added": 1, "modified": 0, "removed": 0}


def test_merge_is_refused_where_uncommitted_files_are_in_the_way(filed: Filed) -> None:
    branched(filed)
    filed.put("a.txt", "mine\n")
    held = filed.held()
    filed.refused("merge", "exp")
    assert filed.held() == held and title(filed) == "one"


def test_revert_and_cherry_pick(filed: Filed) -> None:
    on_main, on_exp = branched(filed)
    filed.ok("cherry-pick", "exp")
    assert filed.held() == on_exp and title(filed) == "ONE" and filed.clean
    filed.ok("revert", "HEAD")
    assert filed.held() == on_main and title(filed) == "one" and filed.clean
    filed.ok("undo")
    assert filed.held() == on_exp
    filed.sound()


def test_rebase(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.put("main.txt", "main\n")
    of_main = filed.held()["main.txt"]
    filed.commit("main")
    filed.ok("switch", "exp")
    filed.ok("rebase", "main")
    assert filed.held() == {**on_exp, "main.txt": of_main} and filed.clean
    assert filed.kept("HEAD~1").keys() >= {"main.txt", "b.txt"}
    filed.sound()


def test_restore_of_all_of_the_files_and_of_one(filed: Filed) -> None:
    before = filed.held()
    held = edited(filed)
    filed.commit("more")
    filed.ok("restore", "HEAD~1")
    assert filed.held() == before and title(filed) == "one" and filed.clean
    filed.ok("undo")
    assert filed.held() == held
    filed.ok("restore", "HEAD~1", "-t", "files/")
    assert filed.held() == before and title(filed) == "ONE"
    filed.ok("undo")
    filed.ok("restore", "HEAD~1", "-t", "files/", "--where", "path = 'b.txt'")
    assert filed.held() == {**held, "b.txt": before["b.txt"]} and title(filed) == "ONE"
    filed.sound()


def test_restore_dry_run_writes_nothing(filed: Filed) -> None:
    held = edited(filed)
    filed.commit("more")
    filed.ok("restore", "HEAD~1", "--dry-run")
    assert filed.held() == held


def test_restore_onto_a_branch_and_into_a_file(filed: Filed) -> None:
    before = filed.kept()
    held = edited(filed)
    filed.commit("more")
    filed.ok("restore", "HEAD~1", "--branch", "then")
    assert filed.held() == held and filed.kept("then") == before
    ended = filed.run("restore", "HEAD~1", "--into", "old.db")
    assert ended.code == 0 and f"{len(before)} files of commit" in ended.err and "export-files" in ended.err
    assert filed.held() == held
    assert not filed.run("restore", "HEAD~1", "--into", "notes.db", "-t", "notes").err


def test_export_of_the_files(filed: Filed) -> None:
    before = filed.held()
    edited(filed)
    filed.commit("more")
    filed.ok("export-files", "HEAD~1", str(filed.path.parent / "out"))
    assert read(filed.path.parent / "out") == before
    assert filed.refused("export-files", "HEAD", str(filed.path.parent / "out")) == "folder-taken"
    ended = filed.run("export-files", "HEAD", str(filed.path.parent / "no/out"), "--json")
    error = json.loads(ended.out)["error"]
    assert error["code"] == "folder-missing" and error["message"].endswith("/no") and ended.code == 1
    assert read(filed.path.parent / "out") == before


def test_what_is_wrong_with_a_time_is_told_and_not_with_half_of_it(filed: Filed) -> None:
    ended = filed.run("cat", "main@{1999-12-31 23:59}:a.txt")
    assert "main@{1999-12-31 23:59}" in ended.err and "before the history" in ended.err
    filed.put("a:{b", "odd\n")
    assert filed.cat("WORK", "a:{b") == "odd\n"
    filed.put("x@{y:z", "odder\n")
    assert filed.cat("WORK", "x@{y:z") == "odder\n"


def test_names_that_are_no_text_can_be_asked_for_in_sql(filed: Filed) -> None:
    filed.put("b\udcff", "odd\n")
    found = filed.json("sql", "SELECT path, CAST(path AS TEXT) AS said FROM files WHERE size = 4 ORDER BY path")
    assert found == [{"path": {"$blob": "Yv8="}, "said": {"$text": "Yv8="}}]


def test_looking_back(filed: Filed) -> None:
    before = filed.kept()
    edited(filed)
    filed.commit("more")
    operation = filed.json("op", "log")[1]["id"]
    found = filed.json("--at-op", operation, "ls", "HEAD", "-r")
    assert {each["path"] for each in found} == set(before)
    assert filed.ok("--at-op", operation, "cat", "HEAD:b.txt") == "b\n"
    assert filed.json("sql", "SELECT path FROM files ORDER BY path", "--at", "HEAD~1") == [
        {"path": path} for path in sorted(before)
    ]


def test_gc_keeps_all_that_somebody_can_ask_for(filed: Filed) -> None:
    _, on_exp = branched(filed)
    filed.put("mine.txt", "mine\n" * 50_000)
    held = filed.held()
    filed.ok("status")
    filed.ok("gc")
    filed.ok("reset", "--hard", "HEAD")
    filed.ok("gc")
    filed.ok("undo")
    assert filed.held() == held
    filed.ok("reset", "--hard", "exp")
    assert filed.held() == on_exp
    filed.sound()


def test_gc_of_a_folder_that_was_empty(filed: Filed) -> None:
    filed.drop(*filed.held())
    filed.commit("none")
    filed.ok("config", "gc.undo_days", "0")
    filed.ok("gc")
    filed.put("again.txt", "again\n")
    assert filed.json("status")["attachments"] == {"added": 1, "modified": 0, "removed": 0}
    filed.commit("again")
    filed.sound()


def test_gc_frees_the_content_of_files_that_nothing_leads_to(filed: Filed) -> None:
    filed.ok("switch", "-c", "gone")
    filed.put("big", os.urandom(3_000_000))
    filed.commit("big")
    filed.ok("switch", "main")
    filed.ok("branch", "-D", "gone")
    filed.ok("config", "gc.undo_days", "0")

    def total() -> int:
        return sum(each.stat().st_size for each in filed.folder.rglob("*") if each.is_file())

    before = total()
    filed.ok("gc")
    assert total() < before - 2_500_000
    filed.sound()


def test_init_names_the_folder_from_where_one_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Filed(tmp_path / "app.db", capsys)
    made.sql("CREATE TABLE a(b)")
    (tmp_path / "in").mkdir()
    made.files_folder = "in"
    made.put("x", "x")
    Filed(tmp_path / "in", capsys).ok("init", "../app.db", "--attachments", ".")
    made.commit("first")
    assert set(made.kept()) == {"x"}


def test_what_a_command_has_written_is_not_read_again(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    branched(filed)
    opened: list[str] = []
    reading = Folder.reading
    monkeypatch.setattr(Folder, "reading", lambda self, seen: opened.append(seen.path) or reading(self, seen))
    filed.ok("switch", "exp")
    time.sleep(0.05)  # what was written in the clock's last tick is read once more
    filed.ok("status")
    opened.clear()
    filed.ok("status")
    assert opened == []
    filed.ok("reset", "--hard", "main")
    assert "run.sh" in opened or not opened
    opened.clear()
    filed.ok("status")
    assert "deep/nowhere" not in opened  # it has not been touched since it was read first
