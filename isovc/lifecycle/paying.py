"""Whether it would pay to clean up. Costs next to nothing to ask, loads no git."""

from __future__ import annotations

from isovc.repo.repository import Repository

_LEAST = 16 << 20  # bytes in use: below, there is nothing worth a moment of anybody's time
_GROWTH = 2  # times what was in use after the last sweep: so all sweeps together cost about as much as the last one
_FACT = "bytes_when_cleaned"


def pays(repository: Repository) -> bool:
    """Whether the store has grown so much since the last sweep that another is likely to find something."""
    with repository.file.reading() as db:
        before = db.execute("SELECT value FROM fact WHERE name = ?", (_FACT,)).fetchone()
    return _in_use(repository) >= max(_LEAST, _GROWTH * before[0] if before else 0)


def note_cleaned(repository: Repository) -> None:
    """A sweep was made, or tried: do not think of another before the store has grown again."""
    size = _in_use(repository)
    with repository.file.transaction() as db:
        db.execute("INSERT OR REPLACE INTO fact(name, value) VALUES(?, ?)", (_FACT, size))


def _in_use(repository: Repository) -> int:
    with repository.file.reading() as db:
        size, pages, free = (
            int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
        )
    return size * (pages - free)
