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

HISTORY = """
-- Ids of commits are their 20 bytes. A commit is a small number here: parents are known by it (numbers with blanks
-- between them), and a walk reads neighbours together. jump: docs/design/0005.
-- Seals: docs/formats/store.md. A commit has two, because ways through history are walked without its words.
CREATE TABLE commit_entry(
    number INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    jump INTEGER NOT NULL,
    parents TEXT NOT NULL,
    id BLOB NOT NULL UNIQUE,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    seal BLOB NOT NULL,
    words_seal BLOB NOT NULL
);
CREATE INDEX commit_by_time ON commit_entry(time);
-- What is known of whole tables: all seals together (ref, ref_log, worktree), the number of the last row (operation).
CREATE TABLE total(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO total VALUES('ref', zeroblob(8)), ('ref_log', zeroblob(8));
CREATE TABLE ref(
    name TEXT PRIMARY KEY,
    target BLOB NOT NULL,
    message TEXT NOT NULL,
    seal BLOB NOT NULL
) WITHOUT ROWID;
-- One row a move; old or new is NULL where there was no ref. origin: this name goes on from another one's rows,
-- up to and with origin_seq (a branch that was renamed or copied).
CREATE TABLE ref_log(
    name TEXT NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    old BLOB,
    new BLOB,
    operation TEXT NOT NULL,
    origin TEXT,
    origin_seq INTEGER,
    seal BLOB NOT NULL,
    PRIMARY KEY(name, seq)
) WITHOUT ROWID;
"""

WORKTREES = """
-- A database that is a working copy. Files: the files of a version, packed. head: a full ref name or a commit's 40 hex;
-- live: the version found in the database when its mark was so; intent: what a command is about to make of it; merging:
-- the state of a merge that waits for a person, in the table snapshot.
CREATE TABLE worktree(
    id INTEGER PRIMARY KEY,
    database TEXT NOT NULL UNIQUE,
    head TEXT NOT NULL,
    head_commit BLOB,
    head_files BLOB NOT NULL,
    live_mark BLOB,
    live_files BLOB,
    intent BLOB,
    merging BLOB,
    seal BLOB NOT NULL
);
INSERT INTO total VALUES('worktree', zeroblob(8));
-- While a sweep is on (fact `sweeping`): chunks that somebody wanted to keep and found kept already. They must stay.
CREATE TABLE met(id BLOB PRIMARY KEY) WITHOUT ROWID;
"""

OPERATIONS = """
-- One row a command, never changed. body: canonical JSON that names the row before; id: BLAKE3 of body. The other
-- columns repeat what is looked for.
CREATE TABLE operation(
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    worktree INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    body BLOB NOT NULL,
    signature BLOB
);
CREATE INDEX operation_by_worktree ON operation(worktree, number);
INSERT INTO total VALUES('operation', 0);
-- Versions that live databases held when operations began and ended: the files of a version, packed, by their BLAKE3.
CREATE TABLE snapshot(id BLOB PRIMARY KEY, files BLOB NOT NULL) WITHOUT ROWID;
-- Which operation speaks of which.
CREATE TABLE operation_snapshot(number INTEGER, snapshot BLOB, PRIMARY KEY(number, snapshot)) WITHOUT ROWID;
-- the operation that moved a ref; NULL: it was moved before there were operations
ALTER TABLE ref_log ADD COLUMN act INTEGER;
"""

TIMELINE = """
-- What a watcher saw of a working copy while it was on a head. next: the number of the next entry; time: of the last;
-- seen: nothing else happened until then; place: where it was in the database's log; operation: the last one it knows;
-- seals: of all its packs and roots together.
CREATE TABLE timeline(
    id INTEGER PRIMARY KEY,
    worktree INTEGER NOT NULL,
    head TEXT NOT NULL,
    next INTEGER NOT NULL,
    time INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    place BLOB,
    operation INTEGER NOT NULL,
    seals BLOB NOT NULL,
    seal BLOB NOT NULL
);
-- Entries of a timeline, many in a row: docs/formats/timeline.md. large: of how many values only the name stands there.
CREATE TABLE timeline_pack(
    id INTEGER PRIMARY KEY,
    line INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    odd INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    large INTEGER NOT NULL,
    body BLOB NOT NULL,
    seal BLOB NOT NULL
);
-- times grow with numbers, so one index finds both
CREATE INDEX timeline_pack_by_number ON timeline_pack(line, first, first_time);
-- Whole versions, so that no rebuilding begins far away: the files of a version, packed.
CREATE TABLE timeline_root(
    line INTEGER NOT NULL,
    number INTEGER NOT NULL,
    files BLOB NOT NULL,
    seal BLOB NOT NULL,
    PRIMARY KEY(line, number)
) WITHOUT ROWID;
"""

PARTS = """
-- The bodies of chunks that are long: in the row of the chunk stands how many bytes it has, here they are, in order.
-- id: seq of the chunk x 32768 + the number of the part.
CREATE TABLE part(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
"""

TOTALS = ("operation", "ref", "ref_log", "worktree")  # of which the table `total` speaks

STEPS: tuple[str, ...] = (CHUNKS, HISTORY, WORKTREES, OPERATIONS + TIMELINE + PARTS)
