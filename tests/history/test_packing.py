"""Packing keeps everything readable, whatever happens in between."""

import subprocess
import sys
from pathlib import Path

import pytest

from isovc.errors import GitObjectDamaged, GitObjectMissing
from isovc.history import packing
from isovc.history.git_history import GitHistory

START = 1_700_000_000_000_000


def packs(history):
    return sorted((history.directory / "objects" / "pack").glob("*.pack"))


def read_all(history, commits):
    return [(history.read_commit(commit).message, history.read_file(commit, "snapshot.json")) for commit in commits]


def test_packed_commits_read_as_before_here_and_in_a_process_that_had_them_open(history, git, chain):
    commits = chain(30)
    before = read_all(history, commits)
    with GitHistory(history.directory) as other:
        other.read_commit(commits[0])
        done = history.pack()
        assert (done.objects, history.count_loose(), len(packs(history))) == (30 * 3 + 1, 0, 1)
        assert read_all(other, commits) == before
    assert read_all(history, commits) == before
    assert sorted(history.commit_ids()) == sorted(commits)
    history.mirror({"refs/heads/main": commits[-1]}, "refs/heads/main")
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_packing_nothing_changes_nothing(history):
    assert history.pack() == packing.Packed(0, 0)
    assert packs(history) == []


def test_packs_stay_few_and_big_ones_are_left_alone(history, chain, monkeypatch):
    monkeypatch.setattr(packing, "BIG", 60)
    commits, most = [], 0
    for round_ in range(24):
        commits += chain(3, after=commits[-1:], start=START + round_ * 1000)
        history.pack()
        most = max(most, len(packs(history)))
    assert most <= 8
    assert len(read_all(history, commits)) == 72


def test_a_run_is_bounded(history, chain, monkeypatch):
    monkeypatch.setattr(packing, "LOOSE_AT_ONCE", 10)
    commits = chain(5)
    assert history.pack().objects == 10
    assert history.count_loose() == 5 * 3 + 1 - 10
    assert len(read_all(history, commits)) == 5


def test_a_pack_the_user_keeps_is_not_joined(history, chain):
    chain(2)
    history.pack()
    packs(history)[0].with_suffix(".keep").touch()
    chain(4, start=START + 50)
    assert history.pack().packs_joined == 0


def test_a_damaged_object_stays_where_it_is_and_the_rest_is_packed(history, chain):
    commits = chain(3)
    path = history.directory / "objects" / commits[1][:2] / commits[1][2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:20])
    assert history.pack().objects == 3 * 3
    assert history.count_loose() == 1
    with pytest.raises(GitObjectDamaged, match="cut short"):
        history.read_commit(commits[1])


def test_what_a_stopped_run_left_is_dropped_by_the_next(history, chain):
    chain(1)
    (history.directory / packing.ROOM).mkdir()
    (history.directory / packing.ROOM / "pack-half.pack").write_bytes(b"PACK")
    (history.directory / "objects" / "tmp_object_git2_0123456789abcdef").write_bytes(b"half")
    history.pack()
    assert not (history.directory / packing.ROOM).exists()
    assert not list((history.directory / "objects").glob("tmp_object*"))


RUN = (
    "import sys\nfrom pathlib import Path\nfrom isovc.history.git_history import GitHistory\n"
    "GitHistory(Path(sys.argv[1])).pack()\n"
)


@pytest.mark.needs("strace")
@pytest.mark.parametrize("call", ["unlink,unlinkat", "rename", "fsync", "link"])
@pytest.mark.parametrize("nth", [1, 2, 4, 9])
def test_a_run_killed_at_any_step_loses_nothing(history, git, chain, call, nth):

    commits = chain(3)
    history.pack()
    commits += chain(3, after=commits[-1:], start=START + 500)
    before = read_all(history, commits)
    inject = f"inject={call}:signal=KILL:when={nth}"
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject, sys.executable, "-B", "-c", RUN]
    subprocess.run([*command, str(history.directory)], cwd=Path.cwd(), check=False)
    with GitHistory(history.directory) as again:
        assert read_all(again, commits) == before
        again.pack()
        assert read_all(again, commits) == before
        assert again.count_loose() == 0
        again.mirror({"refs/heads/main": commits[-1]}, "refs/heads/main")
    assert git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_a_damaged_pack_is_damage_and_never_wrong_words(history, chain, suffix):
    commits = chain(6)
    expected = read_all(history, commits)
    history.pack()
    path = packs(history)[0].with_suffix(suffix)
    good = path.read_bytes()
    path.chmod(0o644)
    broken = [good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :] for at in range(0, len(good), 61)]
    broken += [good[:at] for at in range(0, len(good), 211)]
    for data in broken:
        path.write_bytes(data)
        with GitHistory(history.directory) as again:
            for commit, wanted in zip(commits, expected, strict=True):
                try:
                    found = read_all(again, [commit])[0]
                except (GitObjectDamaged, GitObjectMissing):
                    continue
                assert found == wanted


def test_an_index_that_is_none_stops_packing(history, chain):
    chain(2)
    history.pack()
    index = packs(history)[0].with_suffix(".idx")
    index.chmod(0o644)
    index.write_bytes(b"nonsense")
    chain(2, start=START + 50)
    with pytest.raises(GitObjectDamaged):
        history.pack()
