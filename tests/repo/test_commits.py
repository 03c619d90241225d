"""The index of the commits gives the answers that walking the whole graph gives."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.errors import CommitNotIndexed
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.repo.commits import CANDIDATES, CommitIndex
from isovc.store.schema import HISTORY


def name(number):
    return CommitId(f"{number:040x}")


def memory():
    db = sqlite3.connect(":memory:")
    db.executescript(HISTORY)
    return db


@st.composite
def graphs(draw):
    """Parents of each commit, oldest first; the clock sometimes stands still or goes back."""
    parents = []
    for n in range(draw(st.integers(1, 24))):
        above = st.lists(st.integers(max(0, n - 8), n - 1), max_size=3, unique=True) if n else st.just([])
        parents.append(draw(above))
    clocks = draw(st.lists(st.integers(0, 5), min_size=len(parents), max_size=len(parents)))
    return parents, clocks


def build(graph):
    db = memory()
    index = CommitIndex(db)
    for n, (parents, clock) in enumerate(zip(*graph, strict=True)):
        index.add(name(n), [name(parent) for parent in parents], 100 + clock, "A <a>", f"commit {n}")
    return db


def reach(parents, start):
    """Slow and plain: everything a commit leads to."""
    seen, waiting = set(), [start]
    while waiting:
        n = waiting.pop()
        if n not in seen:
            seen.add(n)
            waiting += parents[n]
    return seen


picks = st.integers(0, 23)


@given(graphs(), picks, picks)
def test_ancestry_is_what_walking_everything_says(graph, a, b):
    parents = graph[0]
    a, b = a % len(parents), b % len(parents)
    assert CommitIndex(build(graph)).is_ancestor(name(a), name(b)) == (a in reach(parents, b))


@given(graphs(), picks, picks)
def test_merge_bases_are_the_common_ancestors_below_no_other(graph, a, b):
    parents = graph[0]
    a, b = a % len(parents), b % len(parents)
    common = reach(parents, a) & reach(parents, b)
    best = {n for n in common if not any(n != other and n in reach(parents, other) for other in common)}
    bases = CommitIndex(build(graph)).merge_bases(name(a), name(b))
    assert len(bases) == len(best)
    assert set(bases) == {name(n) for n in best}


@given(graphs(), picks, picks, st.integers(1, 7))
def test_log_pages_hold_what_is_reached_newest_first_and_nothing_twice(graph, a, b, limit):
    parents = graph[0]
    a, b = a % len(parents), b % len(parents)
    index = CommitIndex(build(graph))
    entries, tips = [], (name(a),)
    while tips:
        page = index.log(tips, without=[name(b)], limit=limit)
        assert len(page.entries) <= limit
        entries += page.entries
        tips = page.rest
    assert {entry.id for entry in entries} == {name(n) for n in reach(parents, a) - reach(parents, b)}
    assert [entry.time for entry in entries] == sorted((entry.time for entry in entries), reverse=True)
    assert len({entry.id for entry in entries}) == len(entries)
    assert list(index.walk([name(a)], without=[name(b)])) == entries
    for entry in entries:
        assert entry.parents == tuple(name(n) for n in parents[int(entry.id, 16)])
        assert entry.message == f"commit {int(entry.id, 16)}"


@given(graphs(), picks, st.integers(0, 30), st.integers(99, 140))
def test_going_up_first_parents_is_going_up_one_by_one(graph, a, steps, time):
    parents = graph[0]
    line = [a % len(parents)]
    while parents[line[-1]]:
        line.append(parents[line[-1]][0])
    index = CommitIndex(build(graph))
    assert index.ancestor(name(line[0]), steps) == (name(line[steps]) if steps < len(line) else None)
    assert index.first(name(line[0])).id == name(line[-1])
    early = [n for n in line if index.get(name(n)).time <= time]
    assert index.as_of(name(line[0]), time) == (name(early[0]) if early else None)


@given(graphs())
def test_times_and_generations_grow_from_parent_to_child(graph):
    index = CommitIndex(build(graph))
    for n, parents in enumerate(graph[0]):
        entry = index.get(name(n))
        above = [index.get(name(parent)) for parent in parents]
        assert all(entry.time > each.time for each in above)
        assert entry.generation == 1 + max((each.generation for each in above), default=0)


def test_the_next_time_is_later_than_every_commit_even_when_the_clock_was_set_back(db):
    index = CommitIndex(db)
    assert index.next_time(500) == 500
    index.add(name(1), [], 500, "A <a>", "x")
    assert index.next_time(500) == 501
    assert index.next_time(3) == 501
    assert index.next_time(900) == 900


def test_a_commit_entered_twice_is_entered_once(db):
    index = CommitIndex(db)
    index.add(name(1), [], 5, "A <a>", "x")
    index.add(name(1), [], 7, "B <b>", "y")
    assert (name(1) in index, name(2) in index) == (True, False)
    assert index.get(name(1)).message == "x"
    assert len(index.log([name(1)], limit=10).entries) == 1


def test_an_unknown_commit_is_damage(db):
    index = CommitIndex(db)
    with pytest.raises(CommitNotIndexed):
        index.get(name(1))
    with pytest.raises(CommitNotIndexed):
        index.add(name(2), [name(1)], 5, "A <a>", "x")
    assert name(2) not in index


def test_a_row_that_went_missing_is_damage_not_a_traceback(db):
    index = CommitIndex(db)
    for n in range(3):
        index.add(name(n), [name(n - 1)] if n else [], n, "A <a>", "x")
    db.execute("DELETE FROM commit_entry WHERE number = 2")
    with pytest.raises(CommitNotIndexed):
        list(CommitIndex(db).walk([name(2)]))


def test_a_beginning_of_an_id_finds_every_commit_that_begins_so(db):
    index = CommitIndex(db)
    ids = [CommitId(f"abc{n:x}" + "0" * 36) for n in range(16)] + [CommitId("abd" + "f" * 37)]
    for each in ids:
        index.add(each, [], 5, "A <a>", "x")
    assert index.find("abd") == (ids[-1],)
    assert index.find("abc7") == (ids[7],)
    assert index.find(ids[3]) == (ids[3],)
    assert index.find("abc") == tuple(ids[:CANDIDATES])
    assert index.find("abe") == ()


@settings(max_examples=5, deadline=None)
@given(graphs())
def test_the_index_is_made_again_from_git(tmp_path_factory, graph):
    history = GitHistory.create(tmp_path_factory.mktemp("g") / "git")
    db = memory()
    index = CommitIndex(db)
    made = []
    for n, parents in enumerate(graph[0]):
        above = [made[parent] for parent in parents]
        time = index.next_time(100 + graph[1][n])
        made.append(history.write_commit({"a": b"%d" % n}, above, Identity("A", "a"), time, f"commit {n}"))
        index.add(made[-1], above, time, "A <a>", f"commit {n}")
    before = [index.get(commit) for commit in made]
    db.execute("UPDATE commit_entry SET time = 1, message = 'wrong'")
    again = CommitIndex(db)
    assert again.rebuild(history, made) == len(made)
    assert [again.get(commit) for commit in made] == before
    assert again.rebuild(history, made[:1]) == len(reach(graph[0], 0))
    history.close()


def test_thousands_of_commits_are_walked_without_deep_recursion(db):
    index = CommitIndex(db)
    for n in range(3000):
        index.add(name(n), [name(n - 1)] if n else [], n, "A <a>", "x")
    fresh = CommitIndex(db)
    assert fresh.ancestor(name(2999), 2999) == name(0)
    assert len(list(fresh.walk([name(2999)]))) == 3000
    assert fresh.merge_bases(name(2999), name(17)) == (name(17),)


class Asked:
    """Counts the statements that pass through."""

    def __init__(self, db):
        self.db, self.count = db, 0

    def execute(self, *words):
        self.count += 1
        return self.db.execute(*words)

    def executemany(self, *words):
        raise AssertionError("reading only")


def test_far_up_and_a_page_ask_little_of_a_long_history(db):
    index = CommitIndex(db)
    for n in range(20_000):
        index.add(name(n), [name(n - 1)] if n else [], n, "A <a>", "x")
    asked = Asked(db)
    assert CommitIndex(asked).ancestor(name(19_999), 19_000) == name(999)
    assert CommitIndex(asked).as_of(name(19_999), 42) == name(42)
    CommitIndex(asked).log([name(19_999)], limit=30)
    assert asked.count < 80
