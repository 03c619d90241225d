"""What revisions mean, and what is said of those that mean nothing."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.errors import (
    AmbiguousRevision,
    BadMoment,
    BadRevision,
    BeforeHistory,
    ClockJumped,
    CommitNotIndexed,
    IsovcError,
    NoCommitsYet,
    NoSuchRevision,
)
from isovc.history import CommitId
from isovc.repo.commits import CommitIndex
from isovc.repo.moments import microseconds
from isovc.repo.names import BRANCHES, TAGS
from isovc.repo.refs import Refs, Stamp
from isovc.repo.revisions import (
    Commit,
    Empty,
    Where,
    Words,
    Work,
    parse,
    parse_range,
    resolve,
    resolve_commit,
    shared_name,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
MAIN = BRANCHES + "main"
ROOT, ONE, SIDE, MERGE = (CommitId(start + "0" * 36) for start in ("aaaa", "aabb", "aacc", "dddd"))


def ago(hours):
    return microseconds(NOW - timedelta(hours=hours))


@pytest.fixture
def repo(db):
    """A merge: root - one - merge on main, root - side on topic; main was made 40 hours ago, a tag stands on one."""
    index, refs = CommitIndex(db), Refs(db)
    for commit, parents, hours in [(ROOT, [], 40), (ONE, [ROOT], 30), (SIDE, [ROOT], 20), (MERGE, [ONE, SIDE], 10)]:
        index.add(commit, parents, ago(hours), "A <a>", "x")
    refs.create(MAIN, ROOT, Stamp(ago(40), "init"))
    refs.move(MAIN, ONE, Stamp(ago(30), "commit"), seen=ROOT)
    refs.move(MAIN, MERGE, Stamp(ago(10), "merge"), seen=ONE)
    refs.create(BRANCHES + "topic", SIDE, Stamp(ago(20), "branch"))
    refs.create(BRANCHES + "a{b}", SIDE, Stamp(ago(20), "branch"))
    refs.create(TAGS + "v1", ONE, Stamp(ago(5), "tag"))
    return db


WHERE = Where(MAIN, NOW)


@pytest.mark.parametrize(
    ("text", "commit"),
    [
        ("main", MERGE),
        ("HEAD", MERGE),
        ("@", MERGE),
        ("refs/heads/main", MERGE),
        ("v1", ONE),
        ("refs/tags/v1", ONE),
        ("a{b}", SIDE),
        ("aabb", ONE),
        ("DDDD0", MERGE),
        (MERGE, MERGE),
        ("main~", ONE),
        ("main~2", ROOT),
        ("main~0", MERGE),
        ("main^", ONE),
        ("main^2", SIDE),
        ("main^0", MERGE),
        ("main^2~", ROOT),
        ("@~1^1", ROOT),
        ("main@{0}", MERGE),
        ("main@{1}", ONE),
        ("@{2}", ROOT),
        ("@{1}~", ROOT),
        ("main@{11 hours ago}", ONE),
        ("@{yesterday}", ONE),
        ("@{10 hours ago}", MERGE),
        ("main@{35 hours ago}", ROOT),
        ("@{2026-11-19 20:00}", ONE),
        ("@{2026-11-20T01:00:00Z}", MERGE),
        ("topic@{25 hours ago}", ROOT),
        ("dddd@{25 hours ago}", ONE),
    ],
)
def test_a_revision_leads_to_its_commit(repo, text, commit):
    found = resolve(repo, text, WHERE)
    assert isinstance(found, Commit)
    assert found.id == commit


def test_a_name_remembers_which_ref_it_was(repo):
    assert resolve_commit(repo, "main", WHERE).ref == MAIN
    assert resolve_commit(repo, "v1", WHERE).ref == TAGS + "v1"
    assert resolve_commit(repo, "main~0", WHERE).ref is None


def test_the_live_database_and_nothing_are_versions_too(repo):
    assert resolve(repo, "WORK", WHERE) == Work()
    assert resolve(repo, "EMPTY", WHERE) == Empty()
    for text in ("WORK~1", "EMPTY@{1}"):
        with pytest.raises(BadRevision, match="has no history"):
            resolve(repo, text, WHERE)
    with pytest.raises(BadRevision, match="a commit is needed"):
        resolve_commit(repo, "WORK", WHERE)


def test_a_detached_head_is_its_commit(repo):
    where = Where(SIDE, NOW)
    assert resolve_commit(repo, "HEAD~", where).id == ROOT
    assert resolve_commit(repo, "@{25 hours ago}", where).id == ROOT


def test_a_branch_wins_over_an_id_that_begins_like_it_and_a_tag_over_both(repo):
    Refs(repo).create(BRANCHES + "dddd", ROOT, Stamp(1, "x"))
    assert resolve_commit(repo, "dddd", WHERE).id == ROOT
    Refs(repo).create(TAGS + "dddd", SIDE, Stamp(1, "x"))
    assert resolve_commit(repo, "dddd", WHERE).id == SIDE
    assert resolve_commit(repo, "refs/heads/dddd", WHERE).id == ROOT


def test_a_branch_wins_over_a_tag_where_that_is_asked_for(repo):
    Refs(repo).create(BRANCHES + "v1", SIDE, Stamp(1, "x"))
    assert resolve_commit(repo, "v1~0", WHERE).id == ONE
    assert resolve_commit(repo, "v1", WHERE, branch_first=True) == Commit(SIDE, BRANCHES + "v1")
    assert resolve_commit(repo, "v1~1", WHERE, branch_first=True).id == ROOT
    assert [shared_name(repo, text) for text in ("v1", "v1~1", "main", "HEAD", "@{1}", "refs/tags/v1")] == [
        *("v1", "v1"),
        *(None,) * 4,
    ]


def test_a_commit_that_gc_let_go_of_is_told_as_such(repo):
    Refs(repo).move(MAIN, ROOT, Stamp(ago(1), "reset"), seen=MERGE)
    repo.execute("DELETE FROM commit_entry WHERE id = ?", (bytes.fromhex(MERGE),))
    for text in ("main@{1}", "@{2 hours ago}", "main@{1}~2"):
        with pytest.raises(NoSuchRevision, match=f"{MERGE[:12]} was cleaned up by gc"):
            resolve(repo, text, WHERE)
    Refs(repo).move(MAIN, MERGE, Stamp(ago(0), "damage"), seen=ROOT)
    with pytest.raises(CommitNotIndexed):
        resolve(repo, "main~1", WHERE)


@pytest.mark.parametrize(
    ("text", "instead"),
    [("main@{50 hours ago}", "main@"), ("@{50 hours ago}~2", "@"), ("main^2@{50 hours ago}", "main^2@")],
)
def test_the_earliest_time_that_is_told_leads_to_the_first_commit(db, text, instead):
    index = CommitIndex(db)
    for commit, parents, hours in [(ROOT, [], 40), (ONE, [ROOT], 30), (SIDE, [ROOT], 20), (MERGE, [ONE, SIDE], 10)]:
        index.add(commit, parents, ago(hours) + 123_456, "A <a>", "x")
    Refs(db).create(MAIN, MERGE, Stamp(ago(1), "x"))
    with pytest.raises(BeforeHistory) as caught:
        resolve(db, text, WHERE)
    assert caught.value.instead == instead + "{2026-11-18T20:00:00.123456+01:00}"
    assert caught.value.hint == f"the earliest is {caught.value.instead}"
    assert resolve_commit(db, caught.value.instead, WHERE).id == ROOT
    assert "before the history begins at 2026-11-18T20:00:00+01:00" in caught.value.message
    with pytest.raises(BeforeHistory) as caught:
        resolve(db, "main@{2026-11-18T20:00:00}", WHERE)
    assert "for 2026-11-18T20:00:00+01:00, before the history begins at 2026-11-18T20:00:00.123456" in str(caught.value)


def test_waiting_refs_of_ours_are_never_suggested(repo):
    Refs(repo).create("refs/kept/heads/mian", SIDE, Stamp(1, "x"))
    with pytest.raises(NoSuchRevision) as caught:
        resolve(repo, "mian", WHERE)
    assert caught.value.near == ["main"]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("mian", NoSuchRevision, "did you mean main?"),
        ("HAED", NoSuchRevision, "did you mean HEAD?"),
        ("aab", NoSuchRevision, "isovc log"),
        ("\udce4", BadRevision, "no name"),
        ("x" * 100_000, NoSuchRevision, "isovc log"),
        ("main~3", NoSuchRevision, "does not go back that far"),
        ("main^3", NoSuchRevision, "has 2 parents"),
        ("aabb^2", NoSuchRevision, "has 1 parent"),
        ("main@{3}", NoSuchRevision, "moved 3 times"),
        ("aabb@{1}", NoSuchRevision, "moved 0 times"),
        ("main@{soon}", BadMoment, "'soon' is not a time"),
        ("main@{²}", BadMoment, "is not a time"),
        ("@{50 hours ago}", BeforeHistory, "2026-11-18T20:00:00+01:00"),
        ("@{@0}", BeforeHistory, "1970-01-01"),
        ("@{2026-10-25 02:30}", ClockJumped, "shown twice"),
        ("", BadRevision, "it is empty"),
        ("~1", BadRevision, "stands behind nothing"),
        ("a b", BadRevision, "no name is written like"),
        ("a..b", BadRevision, "no name is written like"),
        ("main@{1", BadRevision, "no name is written like"),
        ("main~9999999999", BadRevision, "no name is written like"),
    ],
)
def test_a_revision_that_leads_nowhere_is_told_why(repo, text, error, words):
    with pytest.raises(error) as caught:
        resolve(repo, text, WHERE)
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_an_ambiguous_beginning_names_the_candidates(repo):
    CommitIndex(repo).add(CommitId("aabbf" + "0" * 35), [], 1, "A <a>", "x")
    with pytest.raises(AmbiguousRevision) as caught:
        resolve(repo, "aabb", WHERE)
    assert caught.value.candidates == [ONE[:12], "aabbf0000000"]


def test_a_branch_without_commits_says_so(db):
    for text in ("HEAD", "@~1", "@{1}"):
        with pytest.raises(NoCommitsYet, match="branch main has no commits yet"):
            resolve(db, text, WHERE)


def test_a_branch_that_was_away_for_a_while_says_so(repo):
    refs = Refs(repo)
    refs.delete(BRANCHES + "topic", Stamp(ago(3), "delete"))
    refs.create(BRANCHES + "topic", MERGE, Stamp(ago(2), "again"))
    with pytest.raises(NoSuchRevision, match="did not exist then"):
        resolve(repo, "topic@{1}", WHERE)
    assert resolve_commit(repo, "topic@{2}", WHERE).id == SIDE


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("main", None),
        ("a..b", ("a", "b", False)),
        ("a...b", ("a", "b", True)),
        ("a..", ("a", "HEAD", False)),
        ("...b", ("HEAD", "b", True)),
        ("main@{1..2}", None),
        ("main@{2..}~1..v1", ("main@{2..}~1", "v1", False)),
    ],
)
def test_a_range_has_two_sides(text, sides):
    assert parse_range(text) == sides


names = st.text(st.characters(exclude_characters="~^:?*[\\@.{} \x7f", exclude_categories=["Cc", "Cs", "Z"]), min_size=1)
numbers = st.integers(0, 999_999_999).map(str)
steps = st.one_of(
    st.tuples(st.sampled_from("~^"), st.just("") | numbers).map("".join),
    st.text(st.characters(exclude_characters="{}")).map(lambda words: f"@{{{words}}}"),
)


@given(names, st.lists(steps, max_size=4).map(tuple))
def test_a_revision_put_together_comes_apart_the_same(name, done):
    assert parse(str(Words(name, done))) == Words(name, done)


pieces = st.sampled_from(
    ["main", "HEAD", "@", "~", "^", "{", "}", "@{", "1", "99999", "²", "..", "WORK", "refs/heads/", "aa", "yesterday"]
)


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(), st.lists(pieces, max_size=8).map("".join)))
def test_any_text_leads_somewhere_or_to_our_error(built, text):
    try:
        resolve(built, text, WHERE)
    except IsovcError as error:
        assert error.exit_code in {1, 2}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    from isovc.store import StoreFile

    store = StoreFile.create(tmp_path_factory.mktemp("built") / "store.db")
    with store.transaction() as db:
        CommitIndex(db).add(ROOT, [], ago(40), "A <a>", "x")
        Refs(db).create(MAIN, ROOT, Stamp(ago(40), "init"))
        yield db
    store.close()
