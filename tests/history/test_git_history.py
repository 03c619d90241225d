"""The history as isovc and as stock git see it."""

import os
import re
import shutil
import stat
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from isovc.errors import (
    BadIdentity,
    BadMessage,
    DiskFailed,
    DiskFull,
    GitConfigUnreadable,
    GitObjectDamaged,
    GitObjectMissing,
    HistoryBusy,
    HistoryMissing,
    HistoryUnreadable,
    NoPermission,
)
from isovc.history import CommitId, Identity
from isovc.history.git_history import GitHistory
from isovc.history.lock import exclusive

START = 1_700_000_000_123_456

FILES = {"snapshot.json": b'{"format": 1}\n', "schema.sql": b"CREATE TABLE t(a);\n"}


def object_path(history, name):
    return history.directory / "objects" / name[:2] / name[2:]


def overwrite(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_commit_is_read_as_it_was_written(history, ada):
    bob = Identity("Bob", "")
    first = history.write_commit(FILES, [], ada, START, "one")
    second = history.write_commit(FILES, [first], ada, START + 7, "two\r\n", authored=5, committer=bob, zone=-90)
    commit = history.read_commit(second)
    assert (commit.author, commit.authored, commit.committer, commit.committed) == (ada, 5, bob, START + 7)
    assert (commit.parents, commit.message, commit.zone) == ((first,), "two\r\n", -90)
    assert history.read_file(second, "schema.sql") == FILES["schema.sql"]
    assert history.read_file(second, "no-such-file") is None
    assert history.file_names(second) == ("schema.sql", "snapshot.json")
    assert sorted(history.commit_ids()) == sorted([first, second])


def test_stock_git_finds_nothing_to_complain_about(history, git, ada, chain):
    for message in ("", "\n", "a\r\nb", "no newline", "🎉", "x" * 5000):
        tip = history.write_commit(FILES, [], ada, START, message)
        history.mirror({"refs/heads/main": tip}, "refs/heads/main")
        assert git("fsck", "--strict", "--no-dangling") == ""
    tips = chain(5)
    history.mirror(
        {"refs/heads/main": tips[-1], "refs/heads/old/one": tips[1], "refs/tags/v1": tips[0]}, "refs/heads/main"
    )
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_stock_git_shows_what_each_commit_did(history, git, chain):
    tips = chain(3)
    history.mirror({"refs/heads/main": tips[-1], "refs/heads/side": tips[0]}, "refs/heads/main")
    shown = git("log", "--stat", "-p", "--graph", "--all")
    assert all(commit in shown for commit in tips)
    assert '+{"rows"' in shown
    assert "Ada Example <ada@example.org>" in shown
    assert git("log", "-1", "--format=%ct", "main").strip() == str(START // 1_000_000)


def test_stock_git_bisects_while_isovc_goes_on(history, git, chain):
    tips = chain(8)
    history.mirror({"refs/heads/main": tips[-1]}, "refs/heads/main")
    git("bisect", "start", "--no-checkout", tips[-1], tips[0])
    more = chain(1, after=[tips[-1]], start=START + 100)
    history.mirror({"refs/heads/main": more[-1]}, "refs/heads/main")
    said = ""
    for _ in range(10):
        at = git("rev-parse", "BISECT_HEAD").strip()
        said = git("bisect", "bad" if tips.index(at) >= 5 else "good")
        if "is the first bad commit" in said:
            break
    assert said.startswith(f"{tips[5]} is the first bad commit")
    git("bisect", "reset")


def test_git_gc_by_the_user_takes_nothing_away(history, git, chain):
    kept, hidden = chain(3), chain(3, start=START + 50)
    history.mirror({"refs/heads/main": kept[-1]}, "refs/heads/main")
    git("gc", "--prune=now", "--aggressive")
    git("prune", "--expire=now", check=False)
    git("pack-refs", "--all")
    for commit in [*kept, *hidden]:
        assert history.read_commit(commit).committed
        assert history.read_file(commit, "schema.sql")
    assert history.mirror({"refs/heads/main": kept[-1]}, "refs/heads/main") is False
    more = chain(1, after=[kept[-1]], start=START + 100)
    assert history.read_commit(more[0]).parents == (kept[-1],)


def test_commits_packed_by_stock_git_under_our_feet_are_still_read(history, git, chain):
    tips = chain(5)
    history.mirror({"refs/heads/main": tips[-1]}, "refs/heads/main")
    git("-c", "extensions.preciousObjects=false", "repack", "-a", check=False)
    git("prune-packed", check=False)
    assert [history.read_commit(tip).message for tip in tips] == [f"commit {n}" for n in range(5)]


def test_words_git_cannot_keep_are_refused_before_anything_is_written(history, ada):
    with pytest.raises(BadMessage):
        history.write_commit(FILES, [], ada, START, "\0")
    with pytest.raises(BadIdentity):
        history.write_commit(FILES, [], Identity("a\nb", "c"), START, "x")
    with pytest.raises(ValueError, match="not the name of a file"):
        history.write_commit({".git": b""}, [], ada, START, "x")
    assert history.count_loose() == 0


def test_a_commit_without_its_parent_is_never_written(history, ada):
    with pytest.raises(GitObjectMissing) as caught:
        history.write_commit(FILES, [CommitId("12" * 20)], ada, START, "x")
    assert caught.value.exit_code == 4


def test_a_missing_object_is_named(history, ada):
    tip = history.write_commit(FILES, [], ada, START, "x")
    with pytest.raises(GitObjectMissing):
        history.read_commit(CommitId("ab" * 20))
    tree = history.read_commit(tip).tree
    object_path(history, tree).unlink()
    with GitHistory(history.directory) as again, pytest.raises(GitObjectMissing, match=f"needed by commit {tip[:12]}"):
        again.read_file(tip, "schema.sql")


def test_an_object_of_another_kind_is_damage(history, ada):
    tip = history.write_commit(FILES, [], ada, START, "x")
    with pytest.raises(GitObjectDamaged, match="it is a tree, not a commit"):
        history.read_commit(CommitId(history.read_commit(tip).tree))


def test_every_flipped_bit_and_every_cut_of_a_commit_is_found(history, ada):
    tip = history.write_commit(FILES, [], ada, START, "x")
    path = object_path(history, tip)
    good = path.read_bytes()
    broken = [good[:at] for at in range(0, len(good), 7)]
    broken += [good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :] for at in range(0, len(good), 3)]
    broken.append(zlib.compress(b"commit 3\0abc"))
    broken.append(b"\0" * len(good))
    expected = history.read_commit(tip)
    for data in broken:
        overwrite(path, data)
        with GitHistory(history.directory) as again:
            try:
                found = again.read_commit(tip)
            except (GitObjectDamaged, GitObjectMissing):
                continue
            assert found == expected  # a bit of zlib's own that means nothing


def test_a_commit_that_hashes_right_but_reads_wrong_is_damage(history, git, tmp_path):
    (tmp_path / "odd").write_bytes(b"tree nonsense\n\nhello\n")
    name = git("hash-object", "-t", "commit", "--literally", "-w", str(tmp_path / "odd")).strip()
    with pytest.raises(GitObjectDamaged):
        history.read_commit(CommitId(name))


def test_a_damaged_object_stops_a_listing_of_all_commits(history, ada):
    tip = history.write_commit(FILES, [], ada, START, "x")
    overwrite(object_path(history, tip), b"")
    with GitHistory(history.directory) as again, pytest.raises(GitObjectDamaged):
        list(again.commit_ids())


def test_a_folder_that_is_no_repository_is_told_apart(tmp_path):
    with pytest.raises(HistoryMissing):
        GitHistory(tmp_path)
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    with pytest.raises(HistoryUnreadable):
        GitHistory(tmp_path)


def test_creating_takes_over_an_empty_folder_and_refuses_a_full_one(tmp_path):
    (tmp_path / "git").mkdir()
    GitHistory.create(tmp_path / "git").close()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DiskFailed):
        GitHistory.create(tmp_path / "git")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_read_only_place_is_said_to_be_one(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("nothing is read-only for the administrator")
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(NoPermission):
            GitHistory.create(tmp_path / "git")
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("number", "error"), [("ENOSPC", DiskFull), ("EACCES", NoPermission), ("EROFS", NoPermission), ("EIO", DiskFailed)]
)
@pytest.mark.needs("strace")
def test_a_failing_disk_is_told_in_our_words(history, number, error):
    code = (
        "import sys\nfrom pathlib import Path\nfrom isovc.errors import IsovcError\n"
        "from isovc.history import Identity\nfrom isovc.history.git_history import GitHistory\n"
        "history = GitHistory(Path(sys.argv[1]))\n"
        "try:\n    history.write_commit({'a': b'new'}, [], Identity('A', 'a'), 5, 'x')\n"
        "except IsovcError as error:\n    print(type(error).__name__)\n"
    )
    inject = f"inject=link,rename:error={number}" if number != "EIO" else "inject=fsync:error=EIO"
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        inject,
        sys.executable,
        "-c",
        code,
        str(history.directory),
    ]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path.cwd())
    assert done.stdout.decode().strip() == error.__name__


@pytest.mark.needs("strace")
def test_a_commit_is_on_disk_when_it_returns(history, tmp_path):
    """Each new object: the file, then its folder; last the folder of folders, where a new folder's name stands."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom isovc.history import Identity\n"
        "from isovc.history.git_history import GitHistory\nhistory = GitHistory(Path(sys.argv[1]))\n"
        "history.write_commit({'a': b'1', 'b': b'2'}, [], Identity('A', 'a'), 5, 'x')\n"
    )
    log = tmp_path / "calls"
    command = ["strace", "-f", "-y", "-qq", "-o", str(log), "-e", "trace=fsync,link,rename", sys.executable, "-c", code]
    subprocess.run([*command, str(history.directory)], check=True, cwd=Path.cwd())
    calls = log.read_text().splitlines()
    linked = [match[1] for call in calls if (match := re.search(r'link\(.*"([^"]*)"\) = 0', call))]
    synced = [match[1] for call in calls if (match := re.search(r"fsync\(\d+<([^>]*)>\)\s+= 0", call))]
    assert len(linked) == 4  # two blobs, tree, commit
    assert sum("tmp_object_git2" in path for path in synced) == 4
    assert {str(Path(path).parent) for path in linked} <= set(synced)
    assert synced[-1] == str(history.directory / "objects")


def test_waiting_for_another_process_ends_in_busy_and_only_then(history, ada):
    patient = GitHistory(history.directory, wait=0.05)
    with exclusive(history.directory, wait=0), pytest.raises(HistoryBusy) as caught:
        patient.write_commit(FILES, [], ada, START, "x")
    assert caught.value.exit_code == 5
    assert patient.write_commit(FILES, [], ada, START, "x")
    patient.close()


def test_a_killed_writer_blocks_nobody(history, ada):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom isovc.history.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1]), wait=0):\n    print('held', flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(history.directory)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with GitHistory(history.directory, wait=5) as again:
        assert again.write_commit(FILES, [], ada, START, "x")


def test_the_persons_own_git_configuration_tells_who_they_are(history, git):
    assert history.git_identity() is None or str(history.git_identity())
    git("config", "user.name", " Grace ")
    with GitHistory(history.directory) as again:
        assert again.git_identity().name == "Grace"
    git("config", "user.email", "grace@example.org")
    with GitHistory(history.directory) as again:
        assert again.git_identity() == Identity("Grace", "grace@example.org")
    git("config", "user.name", "")
    with GitHistory(history.directory) as again:
        assert again.git_identity() == Identity("", "grace@example.org")


def identity_with_home(home, directory):
    code = (
        "import sys\nfrom pathlib import Path\nfrom isovc.errors import IsovcError\n"
        "from isovc.history.git_history import GitHistory\n"
        "try:\n    print(GitHistory(Path(sys.argv[1])).git_identity())\n"
        "except IsovcError as error:\n    print(type(error).__name__)\n"
    )
    env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "xdg")}
    done = subprocess.run([sys.executable, "-c", code, str(directory)], env=env, capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_the_global_git_configuration_is_found_in_the_home_folder(history, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    assert identity_with_home(home, history.directory) == "None"
    (home / ".gitconfig").write_text("[user]\n\tname = Lin\n\temail = lin@example.org\n")
    assert identity_with_home(home, history.directory) == "Lin <lin@example.org>"
    (home / ".gitconfig").write_text("[user\nname=")
    assert identity_with_home(home, history.directory) in {HistoryUnreadable.__name__, GitConfigUnreadable.__name__}


def test_a_moved_repository_is_the_same_repository(history, ada, tmp_path):
    tip = history.write_commit(FILES, [], ada, START, "x")
    shutil.move(history.directory, tmp_path / "elsewhere")
    with GitHistory(tmp_path / "elsewhere") as moved:
        assert moved.read_commit(tip).message == "x"


def test_objects_are_readable_by_whoever_the_folder_lets_in(history, ada):
    tip = history.write_commit(FILES, [], ada, START, "x")
    assert stat.S_IMODE(object_path(history, tip).stat().st_mode) & 0o400
