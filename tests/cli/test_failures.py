"""Every failure is one sentence with a hint and the exit code of its family, as text and as JSON."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable

import pytest

from isovc import errors
from isovc.cli.failure import explain
from tests.cli.conftest import Ended

Isovc = Callable[..., Ended]
pytestmark = pytest.mark.usefixtures("planted")

FAILURES = {
    "refused": ("refused", 1, "that is not possible"),
    "waiting": ("waiting", 3, "2 conflicts wait"),
    "damage": ("chunk-missing", 4, "chunk 010101010101 is missing"),
    "busy": ("busy", 5, "the repository is busy"),
    "interrupt": ("interrupted", 130, "interrupted; nothing is left half done"),
    "terminate": ("interrupted", 130, "interrupted; nothing is left half done"),
    "bug": ("unexpected", 1, "isovc failed unexpectedly: ValueError: two lines"),
    "silent bug": ("unexpected", 1, "isovc failed unexpectedly: AssertionError"),
    "no file": ("not-found", 1, "nowhere/at/all is not there"),
    "rename": ("not-found", 1, "a and b is not there"),
    "disk full": ("disk-full", 1, "the disk is full, at store.db"),
    "strange system error": ("system", 1, "the system refused: OSError: [Errno 40] Too many levels: 'loop'"),
    "system error without a number": ("system", 1, "the system refused: OSError: it is odd"),
    "broken pipe elsewhere": ("partner-gone", 1, "a program that isovc was writing to ended too early"),
}


@pytest.mark.parametrize("deed", FAILURES)
def test_a_failure_is_one_sentence_on_the_standard_error(isovc: Isovc, deed: str) -> None:
    _, exit_code, message = FAILURES[deed]
    ended = isovc("planted", deed)
    assert (ended.code, ended.out) == (exit_code, "")
    first, *rest = ended.err.splitlines()
    assert first == f"error: {message}"
    assert all(line.startswith("hint: ") for line in rest)
    assert len(rest) <= 1


@pytest.mark.parametrize("deed", FAILURES)
def test_a_failure_with_json_is_one_document_on_the_standard_output(isovc: Isovc, deed: str) -> None:
    code, exit_code, message = FAILURES[deed]
    ended = isovc("--json", "planted", deed)
    assert (ended.code, ended.err) == (exit_code, "")
    said = json.loads(ended.out)
    assert set(said) == {"error"}
    assert set(said["error"]) == {"code", "message", "hint"}
    assert (said["error"]["code"], said["error"]["message"]) == (code, message)


WRONG_USAGE = {
    "an unknown command": (["hlep"], "isovc has no command 'hlep'", "did you mean isovc help?"),
    "a command like no other": (["xyzzy"], "isovc has no command 'xyzzy'", "isovc --help"),
    "an unknown option": (["planted", "show", "--cuont", "1"], "no such option: --cuont", "did you mean --count?"),
    "an option like no other": (["planted", "show", "--xyz"], "no such option: --xyz", "isovc planted --help"),
    "an unknown global option": (["--xyz", "planted"], "no such option: --xyz", "isovc --help"),
    "an option without its value": (["-C"], "option '-C' requires an argument", "isovc --help"),
    "too many words": (["planted", "show", "x"], "got unexpected extra argument(s) (x)", "isovc planted --help"),
    "a number that is none": (
        ["planted", "show", "--count", "many"],
        "invalid value for '--count': ",
        "isovc planted --help",
    ),
    "a color that is none": (["--color", "blue", "planted", "show"], "invalid value for '--color'", "isovc --help"),
    "a missing word": (["planted"], "missing argument", "isovc planted --help"),
    "only JSON": ([], "no command was given", "isovc --help"),
}


@pytest.mark.parametrize("words, message, hint", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage_ends_with_2_in_the_same_form(isovc: Isovc, words: list[str], message: str, hint: str) -> None:
    ended = isovc("--json", *words)
    assert (ended.code, ended.err) == (2, "")
    error = json.loads(ended.out)["error"]
    assert error["message"].startswith(message)
    assert error["hint"] == hint
    if words:
        as_text = isovc(*words)
        assert (as_text.code, as_text.out) == (2, "")
        assert as_text.err == f"error: {error['message']}\nhint: {hint}\n"


def test_json_after_two_dashes_is_an_ordinary_word(isovc: Isovc) -> None:
    ended = isovc("hlep", "--", "--json")
    assert ended.out == ""
    assert ended.err.startswith("error: ")


def test_the_value_of_an_option_is_no_wish_for_json(isovc: Isovc) -> None:
    ended = isovc("planted", "show", "-m", "--json")
    assert (ended.code, ended.out) == (0, "on the way\nmessage --json\n")


def test_the_value_of_an_option_is_no_wish_for_json_when_the_command_fails(isovc: Isovc) -> None:
    ended = isovc("--repo", "/nowhere", "commit", "-m", "--json")
    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize("words", [["-v", "planted", "bug"], ["planted", "bug", "--verbose"]])
def test_an_unexpected_failure_shows_its_place_only_when_asked(isovc: Isovc, words: list[str]) -> None:
    plain = isovc("planted", "bug")
    assert "Traceback" not in plain.err
    assert "-v shows where" in plain.err
    verbose = isovc(*words)
    assert "Traceback" in verbose.err
    assert 'raise ValueError("two\\nlines")' in verbose.err


def test_an_explained_failure_never_shows_code(isovc: Isovc) -> None:
    assert "Traceback" not in isovc("-v", "planted", "damage").err


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR])
def test_a_system_error_names_the_file_and_gives_a_hint(number: int) -> None:
    failure = explain(OSError(number, "words of the system", "notes.db"))
    assert "notes.db" in failure.message
    assert "words of the system" not in failure.message
    assert failure.hint
    assert failure.exit_code == 1


def test_a_system_error_without_a_file_is_a_sentence_too() -> None:
    assert explain(PermissionError(errno.EACCES, "x")).message == "no permission to use a file"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_without_a_file_says_no_more_than_is_known(number: int) -> None:
    said = explain(OSError(number, "x")).message
    assert "a file" not in said
    assert not said.endswith(("at", ","))


def test_a_number_that_is_none_is_told_in_plain_words(isovc: Isovc) -> None:
    for words, said in (
        (["log", "-n", "abc"], "'abc' is not a whole number"),
        (["log", "-n", "-1"], "-1 is not between 0 and 2147483648"),
        (["undo", "-n", "0"], "0 is less than 1"),
        (["planted", "show", "--count", "many"], "'many' is not a whole number"),
    ):
        assert said in isovc(*words).err.splitlines()[0]


def test_a_branch_that_moved_is_told_by_its_short_name() -> None:
    assert errors.HeadMoved(head="refs/heads/a/b").message.startswith("branch a/b was moved")
    assert errors.HeadMoved(head="1234567890ab" + "0" * 28).message.startswith(
        "the working copy at 1234567890ab was moved"
    )


def test_an_interrupt_outside_any_command_is_explained() -> None:
    assert explain(KeyboardInterrupt()).exit_code == 130


def test_end_of_input_is_no_traceback(isovc: Isovc, monkeypatch: pytest.MonkeyPatch) -> None:
    class Person(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Person(""))
    ended = isovc("planted", "confirm")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.err.rstrip().splitlines()[-1].startswith("error: not done, because the answer was no")


def test_every_family_of_errors_has_the_exit_code_of_the_table(isovc: Isovc) -> None:
    table = isovc("help", "exit-codes").out
    for family in errors.IsovcError.__subclasses__():
        assert f"\n  {family.exit_code} " in table


def _all_errors(family: type[errors.IsovcError]) -> list[type[errors.IsovcError]]:
    return [family, *(below for child in family.__subclasses__() for below in _all_errors(child))]


def test_every_error_belongs_to_a_family_and_keeps_its_exit_code() -> None:
    families = errors.IsovcError.__subclasses__()
    for family in families:
        for error in _all_errors(family):
            assert error.exit_code == family.exit_code
            assert error.__doc__
            assert error.code == error.code.lower().replace("_", "-").replace(" ", "-")
