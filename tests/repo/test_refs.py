"""Branches and tags: git's rules for names, and a log that remembers where each has been."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.errors import BadRefName, NoSuchRef, RefExists, RefInTheWay, RefMoved
from isovc.history import CommitId
from isovc.repo.names import BRANCHES, TAGS, check_name, short, what_is
from isovc.repo.refs import Move, Ref, Refs, Stamp

A, B, C = (CommitId(letter * 40) for letter in "abc")
MAIN = BRANCHES + "main"


def at(time):
    return Stamp(time, f"op{time}")


def test_a_branch_is_made_moved_and_removed_and_its_log_tells(db):
    refs = Refs(db)
    refs.create(MAIN, A, at(1))
    refs.move(MAIN, B, at(2), seen=A)
    assert refs.get(MAIN) == Ref(MAIN, B)
    assert refs.delete(MAIN, at(3)) == Ref(MAIN, B)
    assert refs.get(MAIN) is None
    refs.move(MAIN, C, at(4), seen=None)
    moves = [Move(4, None, C, "op4"), Move(3, B, None, "op3"), Move(2, A, B, "op2"), Move(1, None, A, "op1")]
    assert list(refs.log(MAIN)) == moves
    assert list(refs.log(BRANCHES + "other")) == []


def test_a_tag_keeps_its_words_through_renaming_and_copying(db):
    refs = Refs(db)
    refs.create(TAGS + "v1", A, at(1), message="first")
    refs.copy(TAGS + "v1", TAGS + "v2", at(2))
    refs.rename(TAGS + "v2", TAGS + "v3", at(3))
    assert refs.all(TAGS) == [Ref(TAGS + "v1", A, "first"), Ref(TAGS + "v3", A, "first")]


def test_a_renamed_branch_takes_its_past_along_and_a_copy_shares_it(db):
    refs = Refs(db)
    refs.create(MAIN, A, at(1))
    refs.move(MAIN, B, at(2), seen=A)
    refs.rename(MAIN, BRANCHES + "trunk", at(3))
    refs.create(MAIN, C, at(4))  # another branch of the old name: no part of trunk's past
    refs.copy(BRANCHES + "trunk", BRANCHES + "copy", at(5))
    refs.move(BRANCHES + "trunk", C, at(6), seen=B)
    assert [move.time for move in refs.log(BRANCHES + "trunk")] == [6, 3, 2, 1]
    assert [move.time for move in refs.log(BRANCHES + "copy")] == [5, 3, 2, 1]
    assert [move.time for move in refs.log(MAIN)] == [4, 3, 2, 1]


def test_a_branch_can_move_into_a_folder_of_its_own_name(db):
    refs = Refs(db)
    refs.create(BRANCHES + "a", A, at(1))
    refs.rename(BRANCHES + "a", BRANCHES + "a/b", at(2))
    assert [ref.name for ref in refs.all()] == [BRANCHES + "a/b"]


def test_names_taken_or_in_the_way_are_refused_as_git_does(db):
    refs = Refs(db)
    refs.create(BRANCHES + "a/b", A, at(1))
    refs.create(BRANCHES + "a-b", A, at(1))
    for wrong, error in [("a/b", RefExists), ("a", RefInTheWay), ("a/b/c", RefInTheWay), ("a/b/c/d", RefInTheWay)]:
        with pytest.raises(error):
            refs.create(BRANCHES + wrong, A, at(2))
        with pytest.raises(error):
            refs.copy(BRANCHES + "a-b", BRANCHES + wrong, at(2))
    for fine in ("a/c", "a/b-c", "a/b0", "ab"):
        refs.create(BRANCHES + fine, A, at(2))
    refs.create(TAGS + "a", A, at(2))


def test_a_branch_moved_meanwhile_is_not_moved_again(db):
    refs = Refs(db)
    refs.create(MAIN, A, at(1))
    for seen in (B, None):
        with pytest.raises(RefMoved):
            refs.move(MAIN, C, at(2), seen=seen)
    with pytest.raises(RefMoved):
        refs.move(BRANCHES + "gone", C, at(2), seen=A)
    assert refs.need(MAIN).target == A
    assert len(list(refs.log(MAIN))) == 1


def test_a_missing_branch_is_told_with_near_names_of_its_own_kind(db):
    refs = Refs(db)
    refs.create(BRANCHES + "feature", A, at(1))
    refs.create(TAGS + "futures", A, at(1))
    with pytest.raises(NoSuchRef) as caught:
        refs.delete(BRANCHES + "featrue", at(2))
    assert (caught.value.near, caught.value.hint) == (["feature"], "did you mean feature?")
    with pytest.raises(NoSuchRef, match="there is no tag zzz"):
        refs.rename(TAGS + "zzz", TAGS + "y", at(2))


def test_other_kinds_of_refs_are_ours_to_name(db):
    refs = Refs(db)
    kept = f"refs/kept/commits/{A}"
    refs.create(kept, A, at(1))
    assert refs.all("refs/kept/") == [Ref(kept, A)]
    assert refs.all(BRANCHES) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "it is empty"),
        ("HEAD", "this word has a meaning of its own"),
        ("WORK", "this word has a meaning of its own"),
        ("EMPTY", "this word has a meaning of its own"),
        ("@", "this word has a meaning of its own"),
        ("-x", "it begins with -, like an option"),
        ("A" * 40, "it looks like the id of a commit"),
        ("a b", "it holds a space"),
        ("a~1", "it holds ~"),
        ("a\\b", "it holds \\"),
        ("a\tb", "it holds the control character U+0009"),
        ("a\udce4", "it is not valid Unicode text"),
        ("a..b", "it holds .."),
        ("a@{b", "it holds @{"),
        ("a.", "it ends with ."),
        ("/a", "it begins or ends with /, or holds //"),
        ("a/", "it begins or ends with /, or holds //"),
        ("a//b", "it begins or ends with /, or holds //"),
        ("a/.b", ".b begins with ."),
        ("a.lock/b", "a.lock ends with .lock"),
        ("ä" * 126, "a part of it is longer than 250 bytes"),
    ],
)
def test_a_wrong_name_is_told_exactly_why(name, why):
    with pytest.raises(BadRefName) as caught:
        check_name(BRANCHES + name)
    assert caught.value.why == why


@pytest.mark.parametrize("name", ["main", "a/b/c", "ä-ö", "🎉", "a@b", "a{b}", "1", "work", "a.b", "#1", "a" * 250])
def test_a_good_name_passes(name):
    check_name(TAGS + name)
    assert (short(TAGS + name), what_is(TAGS + name), what_is(BRANCHES + name)) == (name, "tag", "branch")


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab/.@{~^:?*[\\ -\x01éL"), min_size=1, max_size=7))
def test_whatever_passes_is_a_name_to_git_too(name):
    try:
        check_name(BRANCHES + name)
    except BadRefName:
        return
    assert (
        subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False).returncode == 0
    )


def test_a_name_that_is_no_text_is_no_name_of_a_branch(db):
    assert Refs(db).get(f"{BRANCHES}\udce4") is None
    with pytest.raises(NoSuchRef):
        Refs(db).delete(f"{BRANCHES}\udce4", at(1))


def test_two_thousand_branches_take_little_room(store):
    with store.transaction() as db:
        refs = Refs(db)
        for n in range(2000):
            refs.create(f"{BRANCHES}topic/{n}", A, at(n))
    with store.reading() as db:
        assert len(Refs(db).all(BRANCHES)) == 2000
    store.close()
    assert store.path.stat().st_size <= 2_000_000
