import os
import subprocess

import pytest

from isovc.history import Identity
from isovc.history.git_history import GitHistory

START = 1_700_000_000_123_456


@pytest.fixture
def ada():
    return Identity("Ada Example", "ada@example.org")


@pytest.fixture
def history(tmp_path):
    made = GitHistory.create(tmp_path / "git")
    yield made
    made.close()


@pytest.fixture
def git(history, tmp_path):
    """Stock git on the history: its output, and a failure where it fails."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
        "GIT_PAGER": "",
    }
    env |= {f"GIT_{who}_{what}": "git" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def run(*arguments, check=True):
        command = ["git", "-c", f"safe.directory={history.directory}", "-C", str(history.directory), *arguments]
        done = subprocess.run(command, env=env, capture_output=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
        return (done.stdout + done.stderr).decode()

    return run


@pytest.fixture
def chain(history, ada):
    """Write so many commits in a row; their ids, oldest first."""

    def write(amount, *, after=(), start=START):
        made, parents = [], list(after)
        for n in range(amount):
            files = {"schema.sql": b"CREATE TABLE t(a);\n", "snapshot.json": b'{"rows": %d}\n' % (start + n)}
            parents = [history.write_commit(files, parents, ada, start + n, f"commit {n}")]
            made += parents
        return made

    return write
