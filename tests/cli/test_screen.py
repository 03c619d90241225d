"""What reaches the terminal, the pipe and the JSON reader; questions, bars, signals, closed pipes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from isovc.cli.main import main
from isovc.cli.options import Options
from isovc.cli.screen import ReaderGone, Screen, Styled, screen_for
from isovc.progress import SILENT
from tests.cli.conftest import ROOT, Ended

Isovc = Callable[..., Ended]
Process = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.usefixtures("planted")
PLANTED = ("-m", "tests.cli.planted", "planted")
YELLOW = "\x1b[33myellow\x1b[0m"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def _screen(options: Options, *, terminal: bool = True, person: bool = False, **environment: str) -> Screen:
    stream = Terminal if terminal else io.StringIO
    return screen_for(options, out=stream(), err=stream(), person=person, environment=environment)


def _said(screen: Screen) -> str:
    assert isinstance(screen.out, io.StringIO)
    return screen.out.getvalue()


@pytest.mark.parametrize(
    "color, terminal, environment, colored",
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {}, False),
    ],
)
def test_colors_appear_on_a_terminal_or_as_told(
    color: str, terminal: bool, environment: dict[str, str], colored: bool
) -> None:
    screen = _screen(Options(color=color), terminal=terminal, **environment)  # type: ignore[arg-type]
    screen.show({}, [Styled("yellow", "yellow")])
    assert _said(screen) == (YELLOW if colored else "yellow") + "\n"


def test_quiet_says_nothing_of_what_was_done() -> None:
    for options, said in ((Options(), "done\n"), (Options(quiet=True), ""), (Options(quiet=True, json=True), "{}\n")):
        screen = _screen(options, terminal=False)
        screen.done({}, ["done"])
        assert _said(screen) == said


def test_a_warning_goes_to_the_standard_error_and_is_dropped_where_nobody_reads_it() -> None:
    for options, said in (
        (Options(), "warning: a\\x1bb\n"),
        (Options(color="always"), "\x1b[1;33mwarning:\x1b[0m a\\x1bb\n"),
        (Options(quiet=True), ""),
        (Options(json=True), ""),
    ):
        screen = _screen(options, terminal=False)
        screen.warn("a\x1bb")
        assert isinstance(screen.err, io.StringIO)
        assert (screen.err.getvalue(), _said(screen)) == (said, "")


@pytest.mark.parametrize("words", [["--color", "always", "planted", "show"], ["planted", "show", "--color", "always"]])
def test_the_color_option_works_on_both_sides(isovc: Isovc, words: list[str]) -> None:
    assert YELLOW in isovc(*words, "-m", "yellow").out


def test_a_later_option_wins(isovc: Isovc) -> None:
    ended = isovc("--color", "always", "planted", "show", "-m", "yellow", "--color", "never")
    assert "\x1b" not in ended.out


@pytest.mark.parametrize("on_terminal", [True, False])
def test_control_characters_in_data_never_reach_the_terminal(on_terminal: bool) -> None:
    screen = _screen(Options(), terminal=on_terminal)
    screen.show({}, [("name ", Styled("a\x1b]0;evil\x07b\r\x9bc\td", ""))])
    assert _said(screen) == "name a\\x1b]0;evil\\x07b\\x0d\\x9bc\td\n"


@pytest.mark.parametrize("before, after", [(["--json"], []), ([], ["--json"])])
def test_json_is_one_document_and_nothing_else(isovc: Isovc, before: list[str], after: list[str]) -> None:
    ended = isovc(*before, "planted", "show", "-m", "Grüße 🎄", *after)
    assert json.loads(ended.out) == {"message": "Grüße 🎄", "count": 1, "folder": ".", "repo": "None"}
    assert "🎄" in ended.out
    assert ended.err == ""


def test_quiet_keeps_the_answer_and_drops_the_news(isovc: Isovc) -> None:
    assert isovc("planted", "show", "-m", "x").out == "on the way\nmessage x\n"
    assert isovc("-q", "planted", "show", "-m", "x").out == "message x\n"
    assert isovc("planted", "show", "-m", "x", "--quiet").out == "message x\n"


@pytest.mark.parametrize("place", ["a/b", "a/b/w.db"])
def test_the_folder_and_the_repository_are_told_to_the_command(
    isovc: Isovc, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "w.db").touch()
    monkeypatch.chdir(tmp_path)
    said = json.loads(isovc("-C", place, "planted", "show", "--repo", "c/.isovc", "--json").out)
    assert (said["folder"], said["repo"]) == (place, "a/b/c/.isovc")


@pytest.mark.parametrize("deed", ["end with 3", "exit 3"])
def test_a_command_may_end_with_a_code_of_the_table(isovc: Isovc, deed: str) -> None:
    assert isovc("planted", deed) == Ended(3, "", "")


def test_a_question_is_answered_by_the_person(monkeypatch: pytest.MonkeyPatch, isovc: Isovc) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("Yes\n"))
    assert isovc("planted", "confirm") == Ended(0, "confirmed\n", "Really? [y/N] ")
    monkeypatch.setattr("sys.stdin", Terminal("\n"))
    assert isovc("planted", "confirm").code == 1


def test_a_question_is_not_asked_where_a_program_reads_the_answer(
    monkeypatch: pytest.MonkeyPatch, isovc: Isovc
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    ended = isovc("planted", "confirm", "--json")
    assert (ended.code, json.loads(ended.out)["error"]["hint"]) == (1, "--yes answers yes")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_question_without_a_person_is_a_no_unless_yes_was_given(isovc: Isovc, more: list[str]) -> None:
    ended = isovc("planted", "confirm", *more)
    assert ended.code == 1
    assert "nobody can answer here: Really?" in ended.out + ended.err
    assert isovc("planted", "confirm", "--yes", *more).code == 0


@pytest.mark.parametrize(
    "options, environment",
    [
        (Options(quiet=True), {}),
        (Options(json=True), {}),
        (Options(no_progress=True), {}),
        (Options(), {"TERM": "dumb"}),
    ],
)
def test_bars_are_left_out_where_they_would_disturb(options: Options, environment: dict[str, str]) -> None:
    assert _screen(options, **environment).progress() is SILENT
    assert _screen(Options(), terminal=False).progress() is SILENT


def test_bars_are_drawn_on_a_terminal_and_go_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = _screen(Options())
    progress = screen.progress()
    for _ in range(2):  # one after the other
        with (
            progress.task("Counting", total=2, unit="[things]") as outer,
            progress.task("Within [b]", unit="x") as inner,
        ):
            inner.advance()
            outer.advance(2)
    assert isinstance(screen.err, io.StringIO)
    drawn = screen.err.getvalue()
    assert "Counting" in drawn
    assert "[things]" in drawn
    assert "Within [b]" in drawn
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 2  # the cursor is hidden and comes back
    assert _said(screen) == ""


def test_bars_go_away_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = _screen(Options())
    progress = screen.progress()
    with pytest.raises(ValueError, match="broken"), progress.task("Counting"):
        raise ValueError("broken")
    with progress.task("Again"):
        pass
    assert isinstance(screen.err, io.StringIO)
    drawn = screen.err.getvalue()
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 2
    assert drawn.rpartition("\x1b[2K")[2].strip() == "\x1b[?25h"  # after the last line was wiped, nothing was drawn


def test_a_real_terminal_gets_colors_and_bars(environment: dict[str, str]) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *PLANTED, "progress", "--count", "3"],
        cwd=ROOT,
        env=environment,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as running:
        os.close(follower)
        seen = b""
        while b"counted" not in seen:
            seen += os.read(leader, 4096)
        assert running.wait() == 0
    os.close(leader)
    assert b"Counting" in seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_tidily(environment: dict[str, str], number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, *PLANTED, "wait"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        out, err = running.communicate()
    assert (running.returncode, out) == (130, "tidied up\n")
    assert err == "error: interrupted; nothing is left half done\nhint: type the command again\n"


def test_ctrl_c_while_the_program_is_still_starting_is_no_traceback(process: Process) -> None:
    script = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'typer':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from isovc.cli.main import main\n"
        "sys.exit(main(['help']))"
    )
    done = process("-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")


@pytest.mark.parametrize("count", ["3", "100000"])
def test_a_reader_who_has_seen_enough_is_no_failure(environment: dict[str, str], count: str) -> None:
    with subprocess.Popen(
        [sys.executable, *PLANTED, "lines", "--count", count],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.wait() == 0
        assert running.stderr.read() == b""


def test_a_failure_nobody_reads_keeps_its_exit_code(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, *PLANTED, "damage", "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.wait() == 4
        assert running.stderr.read() == b""


def test_a_closed_pipe_is_noticed_when_the_output_is_handed_over() -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

        def write(self, text: str) -> int:
            raise BrokenPipeError

    screen = screen_for(Options(), out=Closed(), err=io.StringIO(), person=False, environment={})
    with pytest.raises(ReaderGone):
        screen.flush()
    with pytest.raises(ReaderGone):
        screen.say("x")


def test_a_name_that_is_no_text_is_shown_escaped(process: Process) -> None:
    done = process(*PLANTED, "show", "-m", "\udcff.db", PYTHONIOENCODING="utf-8:strict")
    assert (done.returncode, done.stdout) == (0, "on the way\nmessage \\udcff.db\n")


def test_a_script_may_catch_the_output_in_memory() -> None:
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        assert main(["planted", "show", "-m", "x", "-q"]) == 0
    assert caught.getvalue() == "message x\n"


def test_the_program_can_be_called_from_any_thread(capsys: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["planted", "end with 3"])))
    thread.start()
    thread.join()
    assert codes == [3]


def test_signals_are_as_before_when_the_command_has_ended(isovc: Isovc) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        isovc("planted", "terminate")
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
