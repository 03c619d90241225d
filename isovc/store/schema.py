"""The tables of store.db, version by version. A step once released is never edited; a change is a new step."""

from __future__ import annotations

APPLICATION_ID = 0x69736F76  # "isov": lets `file` and us tell store.db from any other SQLite database

# bytes: a chunk takes 1-10 kB at rest, and pages of SQLite's default 4 KiB waste 19 % of the file on them, these 8 %;
# a commit of one row writes some pages more bytes into the log for it, 0.2 ms (docs/design/0002)
PAGE_SIZE = 65536

CHUNKS = """
CREATE TABLE fact(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO fact VALUES('next_seq', 1);
-- seq: never used twice, so that "newer than" can be asked. base: seq of the chunk that body is a difference to.
-- depth: how many differences lie between body and a body that stands alone.
CREATE TABLE chunk(seq INTEGER PRIMARY KEY, id BLOB NOT NULL, base INTEGER, depth INTEGER NOT NULL, body BLOB NOT NULL);
-- eight bytes of the id find it as surely as 32 do, in a third of the space
CREATE INDEX chunk_by_id ON chunk(substr(id, 1, 8));
-- who must be packed anew before a chunk goes
CREATE INDEX chunk_by_base ON chunk(base) WHERE base IS NOT NULL;
"""

STEPS: tuple[str, ...] = (CHUNKS,)
