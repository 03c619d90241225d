"""The bytes of commits: any words come back exactly, odd ones are refused in our words."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import BadIdentity, BadMessage, IsovcError, NotCanonical
from isovc.history import CommitId, CommitObject, Identity
from isovc.history.commit import LAST_TIME, decode_commit, encode_commit

TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ADA = Identity("Ada Example", "ada@example.org")

identities = st.builds(Identity, st.text(min_size=1), st.text())
times = st.integers(0, LAST_TIME)
ids = st.text("0123456789abcdef", min_size=40, max_size=40).map(CommitId)


def fits(identity: Identity) -> bool:
    try:
        identity.check()
    except BadIdentity:
        return False
    return True


commits = st.builds(
    CommitObject,
    tree=ids,
    parents=st.lists(ids, max_size=3).map(tuple),
    author=identities.filter(fits),
    authored=times,
    committer=identities.filter(fits),
    committed=times,
    message=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    zone=st.integers(-14 * 60, 14 * 60),
)


@given(commits)
def test_a_commit_comes_back_as_it_was_written(commit):
    assert decode_commit(encode_commit(commit)) == commit


@given(st.binary())
def test_any_bytes_give_a_commit_or_our_error(data):
    with suppress(NotCanonical):
        decode_commit(data)


@given(commits, st.data())
def test_a_changed_byte_gives_a_commit_or_our_error(commit, data):
    raw = bytearray(encode_commit(commit))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(NotCanonical):
        decode_commit(bytes(raw))


@pytest.mark.parametrize(
    "message", ["", "\n", "one line", "ends with\n", "a\r\nb\r\n", "\n\nleading", "  \n\n\n", "é 🎉 \u2028"]
)
def test_line_ends_and_blank_lines_of_a_message_are_kept(message):
    commit = CommitObject(TREE, (), ADA, 1, ADA, 1, message)
    assert decode_commit(encode_commit(commit)).message == message


@pytest.mark.parametrize("message", ["nul \0 inside", "half a pair \ud83d", "\udce4 raw byte"])
def test_a_message_git_cannot_keep_is_refused(message):
    with pytest.raises(BadMessage):
        encode_commit(CommitObject(TREE, (), ADA, 1, ADA, 1, message))


def test_a_commit_of_git_itself_has_whole_seconds_and_its_message_without_gits_newline():
    raw = (
        f"tree {TREE}\nauthor A U Thor <a@b.c> 1700000000 +0530\ncommitter C <> 1700000001 -0800\n"
        "gpgsig -----BEGIN\n and more\n -----END\n\nsubject\n\nbody\n"
    )
    commit = decode_commit(raw.encode())
    assert commit.authored == 1700000000_000000
    assert commit.committed == 1700000001_000000
    assert (commit.zone, commit.committer, commit.message) == (330, Identity("C", ""), "subject\n\nbody")


def test_a_message_in_another_encoding_is_read_by_it():
    head = f"tree {TREE}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\nencoding "
    assert decode_commit(head.encode() + b"ISO-8859-1\n\ncaf\xe9\n").message == "café"
    assert decode_commit(head.encode() + b"no-such-code\n\ncaf\xe9\n").message == "caf\ufffd"


@pytest.mark.parametrize("time", [-1, LAST_TIME + 1])
def test_a_time_outside_the_calendar_is_refused(time):
    with pytest.raises(ValueError, match="between 1970 and 9999"):
        encode_commit(CommitObject(TREE, (), ADA, 1, ADA, time, "x"))


@given(identities.filter(fits))
def test_an_identity_is_read_as_it_is_shown(identity):
    assert Identity.parse(str(identity)) == identity


@given(st.text())
def test_any_text_is_an_identity_or_our_error(text):
    try:
        Identity.parse(text).check()
    except IsovcError as error:
        assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it must read: Name <mail>"),
        ("Ada", "it must read: Name <mail>"),
        ("Ada <a@b", "it must read: Name <mail>"),
        ("Ada <a<b>", "it must read: Name <mail>"),
        ("Ada <a@b> and more", "it must read: Name <mail>"),
        ("<a@b>", "the name is empty"),
        ("A\nda <a@b>", "the name holds the control character U+000A"),
        ("Ada <a@\x7fb>", "the mail address holds the control character U+007F"),
        ("Ada\udce4 <a@b>", "the name is not valid Unicode text"),
    ],
)
def test_a_wrong_author_is_told_why(text, why):
    with pytest.raises(BadIdentity) as caught:
        Identity.parse(text)
    assert caught.value.why == why


@pytest.mark.parametrize(
    ("name", "why"), [("A <b", "the name holds <"), (" Ada", "the name begins or ends with a space")]
)
def test_a_wrong_author_put_together_by_hand_is_refused_when_written(name, why):
    with pytest.raises(BadIdentity) as caught:
        encode_commit(CommitObject(TREE, (), Identity(name, "m"), 1, ADA, 1, "x"))
    assert caught.value.why == why
