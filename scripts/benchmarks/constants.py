"""What the constants of trees cost and save: the table in docs/design/0003-trees.md. Run by hand, with a number of
rows."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the project's own rooms, installed or not

from tables import TABLES, cached, load

from isovc.encoding.digest import ChunkId
from isovc.encoding.orderkey import encode_key
from isovc.store import Packing, SqliteChunks, StoreFile
from isovc.store.parts import BODY_BYTES
from isovc.tree.build import build
from isovc.tree.diff import diff
from isovc.tree.edit import Edit, edit
from isovc.tree.forest import Forest
from isovc.tree.read import batches
from isovc.tree.rules import Rules

CHOICES = {
    "as chosen": (Rules(), Packing()),
    "leaves of 32": (Rules(bits=5), Packing()),
    "leaves of 128": (Rules(bits=7), Packing()),
    "runs to 32 KiB": (Rules(heaviest=32 << 10), Packing()),
    "runs to 128 KiB": (Rules(heaviest=128 << 10), Packing()),
    "zstd 3": (Rules(), Packing(level=3)),
    "no chains": (Rules(), Packing(longest_chain=0)),
    "chains to 2": (Rules(), Packing(longest_chain=2)),
    "chains to 32": (Rules(), Packing(longest_chain=32)),
}
VERSIONS = 20  # edits of the same rows one upon the other: what makes chains long


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    print(
        "| table | choice | build | at rest | edit 1,000 | bytes | diff of them | diff after 20 edits | scan |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for table in TABLES:
        rows = load(cached(Path(tempfile.gettempdir()) / "isovc-benchmarks", table, many))
        for name, (rules, packing) in CHOICES.items():
            print(f"| {table} | {name} | {' | '.join(_measured(rows, rules, packing))} |", flush=True)


def _measured(rows: list[tuple], rules: Rules, packing: Packing) -> list[str]:
    width, changed = len(rows[0]), len(rows[0]) - 3  # a REAL in one table, an integer of few bytes in none
    chosen = sorted(random.Random(4).sample(range(len(rows)), min(1000, len(rows) // 100)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store.db")
        StoreFile.create(path).close()

        def cold(work: Callable[[Forest], object]) -> tuple[float, object]:
            file = StoreFile(path)
            try:
                start = time.process_time()
                found = work(Forest(SqliteChunks(file, packing=packing), rules))
                return time.process_time() - start, found
            finally:
                file.close()

        def bodies() -> int:
            file = StoreFile(path)
            with file.reading() as database:
                found: int = database.execute(f"SELECT sum({BODY_BYTES}) FROM chunk").fetchone()[0]
            file.close()
            return found

        def version(number: int) -> list[Edit]:
            edits = []
            for at in chosen:
                row = list(rows[at])
                row[changed] = at + number / 8
                edits.append(Edit(encode_key(row[:1]), tuple(row)))
            return edits

        def changed_again(root: ChunkId, edits: list[Edit], trees: Forest) -> ChunkId:
            return edit(trees, root, edits, width=width).id

        built, root = cold(lambda trees: build(trees, rows).id)
        size = path.stat().st_size
        before = bodies()
        edited, last = cold(lambda trees: edit(trees, root, version(1), width=width).id)
        grown = bodies() - before
        compared, _ = cold(lambda trees: list(diff(trees, root, last, width=width)))
        previous = last
        for number in range(2, VERSIONS + 1):
            previous, (_, last) = last, cold(partial(changed_again, last, version(number)))
        old_compared, _ = cold(lambda trees: list(diff(trees, previous, last, width=width)))
        scanned, _ = cold(lambda trees: [len(batch) for batch in batches(trees, root, cells=range(width))])
    seconds = f"{built:.2f} s", f"{size / 1e6:.1f} MB", f"{edited * 1000:.0f} ms", f"{grown / 1000:.0f} kB"
    return [*seconds, f"{compared * 1000:.0f} ms", f"{old_compared * 1000:.0f} ms", f"{scanned:.2f} s"]


main()
