"""Git's refs always show what they were told to show, and what belongs to git's tools stays."""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.history import CommitId
from isovc.history.mirror import mirror_refs

A, B = CommitId("a" * 40), CommitId("b" * 40)


def shown(git):
    listed = git("for-each-ref", "--format=%(objectname) %(refname)")
    return {name: commit for commit, name in (line.split(" ", 1) for line in listed.splitlines())}


def test_git_shows_the_refs_it_was_told(history, git, chain):
    one, two = chain(2)
    wanted = {"refs/heads/main": two, "refs/heads/a/b": one, "refs/heads/ä-ö/ü": one, "refs/tags/v1": one}
    assert history.mirror(wanted, "refs/heads/main") is True
    assert shown(git) == wanted
    assert git("symbolic-ref", "HEAD").strip() == "refs/heads/main"
    assert history.mirror(wanted, "refs/heads/main") is False
    assert history.mirror({"refs/heads/a": two}, one) is True
    assert shown(git) == {"refs/heads/a": two}
    assert git("rev-parse", "HEAD").strip() == one
    assert history.mirror({}, "refs/heads/new") is True
    assert shown(git) == {}


def test_what_git_changed_is_put_right(history, git, chain):
    one, two = chain(2)
    wanted = {"refs/heads/main": two, "refs/heads/x/y": one}
    history.mirror(wanted, "refs/heads/main")
    git("branch", "-f", "x/y", two)
    git("branch", "deep/er/still", one)
    git("branch", "-D", "main", check=False)
    git("symbolic-ref", "HEAD", "refs/heads/x/y")
    assert history.mirror(wanted, "refs/heads/main") is True
    assert shown(git) == wanted
    assert [path.name for path in (history.directory / "refs" / "heads").iterdir()] == []
    git("pack-refs", "--all")
    assert history.mirror(wanted, "refs/heads/main") is False


def test_refs_of_gits_own_tools_stay(history, git, chain):
    one, two = chain(2)
    history.mirror({"refs/heads/main": one}, "refs/heads/main")
    git("update-ref", "refs/notes/commits", one)
    git("pack-refs", "--all")
    git("update-ref", "refs/bisect/bad", two)
    history.mirror({"refs/heads/main": two}, "refs/heads/main")
    assert shown(git) == {"refs/heads/main": two, "refs/notes/commits": one, "refs/bisect/bad": two}


@pytest.mark.parametrize("left", [b"", b"\0" * 64, b"garbage\n\xff\xfe", b"# pack-refs with: peeled \n^abc\n"])
def test_a_torn_file_is_put_right(history, git, chain, left):
    (one,) = chain(1)
    history.mirror({"refs/heads/main": one}, "refs/heads/main")
    (history.directory / "packed-refs").write_bytes(left)
    (history.directory / "HEAD").write_bytes(left)
    assert history.mirror({"refs/heads/main": one}, "refs/heads/main") is True
    assert shown(git) == {"refs/heads/main": one}


def test_lock_files_nobody_holds_are_cleared_and_fresh_ones_never_block(history, git, chain):
    (one,) = chain(1)
    old, new = time.time() - 3600, time.time()
    places = ["HEAD.lock", "packed-refs.lock", "config.lock", "refs/heads/main.lock"]
    for age in (old, new):
        for place in places:
            path = history.directory / place
            path.touch()
            os.utime(path, (age, age))
        history.mirror({"refs/heads/main": one, f"refs/heads/b{age:.0f}": one}, "refs/heads/main")
        left = [place for place in places if (history.directory / place).exists()]
        assert left == ([] if age == old else places)


def test_what_a_killed_command_left_in_the_middle_of_a_change_goes(history, git, chain):
    (one,) = chain(1)
    left = [history.directory / name for name in (".packed-refs.0a1b2c3d4e5f", ".HEAD.0a1b2c3d4e5f")]
    for path in left:
        path.write_bytes(b"half a li")
    history.mirror({"refs/heads/main": one}, "refs/heads/main")
    assert not any(path.exists() for path in left)
    assert shown(git) == {"refs/heads/main": one}


@pytest.mark.parametrize("name", ["main", "refs/notes/x", "refs/heads/a\nb"])
def test_a_ref_that_is_not_ours_is_refused(history, name):
    with pytest.raises(ValueError, match="not the full name"):
        history.mirror({name: A}, "refs/heads/main")


names = st.lists(st.sampled_from(["a", "b", "c.d", "é"]), min_size=1, max_size=3).map("/".join)
refs = st.dictionaries(
    st.tuples(st.sampled_from(["refs/heads/", "refs/tags/"]), names).map("".join), st.sampled_from([A, B])
)


@settings(max_examples=40)
@given(st.lists(refs, min_size=1, max_size=4))
def test_after_mirroring_nothing_is_left_to_mirror(tmp_path_factory, states):
    directory = tmp_path_factory.mktemp("git")
    for state in states:
        mirror_refs(directory, state, "refs/heads/a")
        assert mirror_refs(directory, state, "refs/heads/a") is False


def test_two_thousand_branches_are_one_small_file(history, git, chain):
    (one,) = chain(1)
    wanted = {f"refs/heads/topic/{n}": one for n in range(2000)}
    history.mirror(wanted, "refs/heads/topic/0")
    assert shown(git) == wanted
    assert sum(path.stat().st_size for path in history.directory.rglob("*") if path.is_file()) < 300_000
