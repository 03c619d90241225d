"""A process that runs SQL in DoltLite: it takes the place of SQLite in a whole process, so it gets one of its own.

Reads one JSON list a line, [statement or [statement, parameters of many], ...], and answers with the seconds it took.
"""

from __future__ import annotations

import json
import marshal
import sys
import time
from pathlib import Path

# isort: off
try:
    import doltlite  # noqa: F401 - must come before sqlite3, whose library it replaces
except ImportError:
    print(json.dumps({"missing": "doltlite is not installed"}), flush=True)
    sys.exit()
import sqlite3


def main() -> None:
    database = sqlite3.connect(sys.argv[1], isolation_level=None)
    print(json.dumps({"version": database.execute("SELECT dolt_version()").fetchone()[0]}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        rows = {}
        for work in request:
            if "rows" in work:
                rows[work["rows"]] = marshal.loads(Path(work["rows"]).read_bytes())
        start = time.perf_counter()
        try:
            for work in request:
                if "rows" in work:
                    database.executemany(work["sql"], rows[work["rows"]])
                elif "many" in work:
                    database.executemany(work["sql"], work["many"])
                else:
                    database.execute(work["sql"]).fetchall()
            answer = {"seconds": time.perf_counter() - start}
        except sqlite3.Error as error:
            answer = {"seconds": time.perf_counter() - start, "error": str(error)}
        print(json.dumps(answer), flush=True)


main()
