"""isovc as a process of its own, which says how much memory it needed at most."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from registry import ENVIRONMENT, Outcome

# What a process inherits when it is forked counts in what the system says of it afterwards, so it tells itself.
_TELLING = """
import re, resource, sys
from isovc.cli.main import main
code = main(sys.argv[1:])
own = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss), file=sys.stderr)
sys.exit(code)
"""


def process(
    *words: str | Path, at: Path, out: Path | None = None, environment: Mapping[str, str] = ENVIRONMENT
) -> Outcome:
    """A command that must work: how long it took, and the memory of the largest of its processes."""
    command = [sys.executable, "-c", _TELLING, *words]
    with (out or Path(os.devnull)).open("wb") as file:
        start = time.perf_counter()
        ended = subprocess.run(command, cwd=at, env=environment, check=True, stdout=file, stderr=subprocess.PIPE)
        seconds = time.perf_counter() - start
    return Outcome(seconds, memory=int(ended.stderr.split()[-1]) * 1024)
