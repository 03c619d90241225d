"""A repository, opened: store, trees and the tables of store.db in one hand. Loads no git; `isovc.history` does
that."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from isovc.encoding.signing import Sign
from isovc.errors import NotOurs, StoreDamaged
from isovc.repo.settings import Settings
from isovc.repo.signing import KEY, signer_of
from isovc.snapshot.compare import Tally
from isovc.store import Packing, SqliteChunks, StoreFile
from isovc.tree.forest import Forest


class Repository:
    """The folder `.isovc`. `passphrase` opens the key that signs, where it is locked."""

    def __init__(self, folder: Path, settings: Settings, *, passphrase: str = "") -> None:
        self.folder = folder
        self.settings = settings
        self._passphrase = passphrase
        self._signer: tuple[str, Sign | None] | None = None
        try:
            self.file = StoreFile(folder / "store.db", busy_seconds=settings.number("busy.seconds"))
        except NotOurs as error:
            if not self.git_folder.is_dir():
                raise
            # among the other parts of a repository it was ours
            raise StoreDamaged(path=error.path, why=error.why) from None
        packing = Packing(level=settings.whole("store.level"), longest_chain=settings.whole("store.chain"))
        self.chunks = SqliteChunks(self.file, packing=packing)
        self.forest = Forest(self.chunks)
        self.tally: Tally = {}  # of what was counted while this is open
        self.notes: dict[int, tuple[str, ...]] = {}  # by working copy, what of its files could not be read just now

    @property
    def git_folder(self) -> Path:
        """The bare git repository with the commits."""
        return self.folder / "git"

    @property
    def cache(self) -> Path:
        """What may be deleted at any time."""
        return self.folder / "cache"

    def signer(self) -> Sign | None:
        """What signs records; None: nobody asked for it. It is asked for before anything is changed: the key may not be
        there."""
        named = self.settings.text(KEY)
        if self._signer is None or self._signer[0] != named:
            self._signer = (named, signer_of(self.settings, self.folder.parent, self._passphrase))
        return self._signer[1]

    def close(self) -> None:
        """Let go of store.db."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
