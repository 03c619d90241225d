"""The store, driven at random beside a dict, with a second process's store on the same file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from isovc.encoding.digest import chunk_id
from isovc.errors import ChunkMissing
from isovc.store import Packing, SqliteChunks, StoreFile
from isovc.store.check import check, stats
from tests.store.contents import edited, leaf

seeds = st.integers(0, 10**6)


class Store(RuleBasedStateMachine):
    ids = Bundle("ids")

    @initialize(longest=st.integers(0, 5))
    def create(self, longest):
        self.folder = tempfile.TemporaryDirectory()
        self.packing = Packing(longest_chain=longest)
        self.path = Path(self.folder.name, "store.db")
        StoreFile.create(self.path).close()
        self.kept: dict[bytes, bytes] = {}
        self.opened = [self.open(), self.open()]

    def open(self):
        return SqliteChunks(StoreFile(self.path), packing=self.packing)

    @rule(target=ids, which=st.integers(0, 1), fresh=st.lists(seeds, max_size=4))
    def put(self, which, fresh):
        contents = [leaf(seed, rows=seed % 80) for seed in fresh]
        with self.opened[which].writing() as writer:
            ids = [writer.put(content) for content in contents]
        self.kept.update(zip(ids, contents, strict=True))
        return multiple(*ids)

    @rule(target=ids, which=st.integers(0, 1), base=ids, seed=seeds, count=st.integers(1, 8))
    def put_versions(self, which, base, seed, count):
        content = self.kept.get(base, leaf(seed))
        with self.opened[which].writing() as writer:
            for step in range(count):
                content = edited(content, seed + step) if content.count(b"\n") > 1 else leaf(seed + step)
                base = writer.put(content, base=base)
                self.kept[base] = content
        return base

    @rule(target=ids, which=st.integers(0, 1), base=ids, seed=seeds)
    def put_something_unlike_its_base(self, which, base, seed):
        with self.opened[which].writing() as writer:
            chunk = writer.put(leaf(seed, rows=5), base=base)
        self.kept[chunk] = leaf(seed, rows=5)
        return chunk

    @rule(which=st.integers(0, 1), seed=seeds)
    def fail_while_writing(self, which, seed):
        chunk = chunk_id(leaf(seed, rows=3))
        with pytest.raises(ZeroDivisionError), self.opened[which].writing() as writer:
            writer.put(leaf(seed, rows=3), base=next(iter(self.kept), None))
            raise ZeroDivisionError
        assert self.opened[which].has_many([chunk]) == ({chunk} & set(self.kept))

    # what another process deleted may still be remembered by this one: only its own deletions must show at once
    @rule(chunks=st.lists(consumes(ids), max_size=5))
    def delete(self, chunks):
        there = {chunk for chunk in chunks if chunk in self.kept}
        assert self.opened[0].delete(chunks) == len(there)
        self.opened[1].file.close()
        self.opened[1] = self.open()
        for chunk in there:
            del self.kept[chunk]
            with pytest.raises(ChunkMissing):
                self.opened[0].get(chunk)

    @rule(which=st.integers(0, 1))
    def reopen(self, which):
        self.opened[which].file.close()
        self.opened[which] = self.open()

    @rule(which=st.integers(0, 1))
    def check(self, which):
        found = check(self.opened[which])
        assert found.clean and found.chunks == len(self.kept)
        assert stats(self.opened[which]).longest_chain <= self.packing.longest_chain

    @rule(which=st.integers(0, 1), chunks=st.lists(ids))
    def ask(self, which, chunks):
        assert self.opened[which].has_many(chunks) == {chunk for chunk in chunks if chunk in self.kept}

    @invariant()
    def everything_is_read(self):
        for opened in getattr(self, "opened", []):
            assert opened.get_many(list(self.kept)) == list(self.kept.values())
            assert set(opened.ids()) == set(self.kept)

    def teardown(self):
        for opened in getattr(self, "opened", []):
            opened.file.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.mark.long
class TestStoreLong(Store.TestCase):
    settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
