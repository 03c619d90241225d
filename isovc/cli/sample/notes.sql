-- The database of `isovc demo`: small enough to read, with every storage class and a foreign key.
PRAGMA foreign_keys = ON;
BEGIN;
CREATE TABLE notebook(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE note(
    id INTEGER PRIMARY KEY,
    notebook INTEGER NOT NULL REFERENCES notebook(id),
    title TEXT NOT NULL,
    body TEXT,
    stars REAL,
    thumbnail BLOB
);
CREATE TABLE tag(
    note INTEGER NOT NULL REFERENCES note(id),
    word TEXT NOT NULL,
    PRIMARY KEY(note, word)
) WITHOUT ROWID;
CREATE INDEX note_by_notebook ON note(notebook);
INSERT INTO notebook VALUES (1, 'Kitchen'), (2, 'Garden');
INSERT INTO note VALUES
    (1, 1, 'Bread', 'Flour, water, salt, time 🍞', 4.5, x'89504e47'),
    (2, 1, 'Soup', 'Whatever the garden gives', 4.0, NULL),
    (3, 2, 'Beans', NULL, NULL, NULL),
    (4, 2, 'Größe der Beete', '2 × 1,2 m', 3.5, NULL);
INSERT INTO tag VALUES (1, 'sourdough'), (1, 'weekend'), (2, 'quick'), (3, 'may');
COMMIT;
