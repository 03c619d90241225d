"""What every chunk store does. A new store is one more line in STORES."""

from __future__ import annotations

import pickle

import pytest

from isovc.encoding.compress import LARGEST_CHUNK
from isovc.encoding.digest import chunk_id, keyed_chunk_id
from isovc.errors import ChunkMissing, NotStorable
from isovc.store import MemoryChunks, Packing, SqliteChunks
from tests.store.contents import edited, leaf, store, versions

SECRET = keyed_chunk_id(bytes(32))
STORES = {
    "memory": lambda file: MemoryChunks(),
    "memory, keyed": lambda file: MemoryChunks(SECRET),
    "sqlite": SqliteChunks,
    "sqlite, keyed": lambda file: SqliteChunks(file, digest=SECRET),
    "sqlite, long chains": lambda file: SqliteChunks(file, packing=Packing(level=3, longest_chain=40)),
    "sqlite, no differences": lambda file: SqliteChunks(file, packing=Packing(longest_chain=0)),
}


@pytest.fixture(params=STORES)
def chunks(request, file):
    return STORES[request.param](file)


def test_what_was_put_is_read(chunks):
    contents = [leaf(1), b"\x03", b"", b"\x03" + bytes(300_000)]
    ids = store(chunks, *contents)
    assert chunks.get_many(ids) == contents
    assert [chunks.get(chunk) for chunk in ids] == contents


def test_an_id_depends_on_the_content_alone(chunks):
    alone = store(chunks, edited(leaf(1), 1))
    with chunks.writing() as writer:
        first = writer.put(leaf(1))
        assert writer.put(edited(leaf(1), 1), base=first) == alone[0]


def test_ids_are_plain_unless_keyed(chunks, request):
    (chunk,) = store(chunks, leaf(1))
    digest = SECRET if "keyed" in request.node.callspec.params["chunks"] else chunk_id
    assert chunk == digest(leaf(1))


def test_contents_come_in_the_order_asked_for_and_as_often(chunks):
    a, b = store(chunks, leaf(1), leaf(2))
    assert chunks.get_many([b, a, b]) == [leaf(2), leaf(1), leaf(2)]
    assert chunks.get_many([]) == []


def test_versions_of_a_chunk_are_all_read(chunks):
    ids = versions(chunks, leaf(1), 30)
    content = leaf(1)
    for number, chunk in enumerate(ids[1:]):
        content = edited(content, number)
        assert chunks.get(chunk) == content


def test_many_chunks_are_read(chunks):
    contents = [leaf(seed, rows=2) for seed in range(700)]
    ids = store(chunks, *contents)
    assert chunks.get_many(ids[::-1]) == contents[::-1]
    assert set(chunks.ids()) == set(ids)
    assert chunks.has_many(ids) == set(ids)


def test_more_than_a_batch_for_the_writer_thread_is_read(chunks):
    contents = [bytes([3, n]) * 200_000 for n in range(20)]
    assert chunks.get_many(store(chunks, *contents)) == contents


def test_putting_twice_keeps_one(chunks):
    store(chunks, leaf(1), leaf(1))
    store(chunks, leaf(1))
    assert list(chunks.ids()) == store(chunks, leaf(1))


def test_a_base_that_is_not_there_is_no_error(chunks):
    with chunks.writing() as writer:
        chunk = writer.put(leaf(1), base=chunk_id(b"never kept"))
    assert chunks.get(chunk) == leaf(1)


def test_a_base_of_the_same_block_serves(chunks):
    with chunks.writing() as writer:
        first = writer.put(leaf(1))
        second = writer.put(edited(leaf(1), 1), base=first)
    assert chunks.get_many([first, second]) == [leaf(1), edited(leaf(1), 1)]


def test_a_chunk_may_name_itself_as_base(chunks):
    (chunk,) = store(chunks, leaf(1))
    with chunks.writing() as writer:
        assert writer.put(leaf(1), base=chunk) == chunk
    assert chunks.get(chunk) == leaf(1)


def test_a_missing_chunk_is_named(chunks):
    (there,) = store(chunks, leaf(1))
    missing = chunk_id(b"never kept")
    with pytest.raises(ChunkMissing) as raised:
        chunks.get_many([there, missing])
    assert raised.value.chunk == missing
    with pytest.raises(ChunkMissing, match=missing.hex()[:12]):
        chunks.get(missing)
    assert chunks.has_many([there, missing]) == {there}


def test_ids_that_begin_alike_are_told_apart(chunks):
    (there,) = store(chunks, leaf(1))
    twin = there[:8] + bytes(24)
    assert chunks.has_many([twin]) == set()
    with pytest.raises(ChunkMissing):
        chunks.get(twin)
    assert chunks.delete([twin]) == 0
    with chunks.writing() as writer:
        writer.put(leaf(2), base=twin)
    assert chunks.get(there) == leaf(1)


def test_deleted_chunks_are_gone_and_counted(chunks):
    a, b, c = store(chunks, leaf(1), leaf(2), leaf(3))
    assert chunks.delete([a, b, a, chunk_id(b"never kept")]) == 2
    assert list(chunks.ids()) == [c]
    for gone in (a, b):
        with pytest.raises(ChunkMissing):
            chunks.get(gone)
    assert chunks.delete([a]) == 0
    assert chunks.delete([]) == 0
    assert store(chunks, leaf(1)) == [a]
    assert chunks.get(a) == leaf(1)


@pytest.mark.parametrize("which", [slice(0, 1), slice(5, 6), slice(0, 29), slice(0, 30, 2), slice(1, 30, 3)])
def test_what_is_left_after_a_deletion_is_read(chunks, which):
    ids = versions(chunks, leaf(1), 30)
    contents = dict(zip(ids, chunks.get_many(ids), strict=True))
    assert chunks.delete(ids[which]) == len(ids[which])
    for chunk in ids[which]:
        del contents[chunk]
    assert dict(zip(contents, chunks.get_many(list(contents)), strict=True)) == contents
    assert set(chunks.ids()) == set(contents)


def test_deleting_more_than_one_transaction_takes(chunks):
    ids = store(chunks, *(leaf(seed, rows=1) for seed in range(1200)))
    assert chunks.delete(ids[100:]) == 1100
    assert set(chunks.ids()) == set(ids[:100])


def test_chunks_made_ready_elsewhere_are_kept(chunks):
    contents = [leaf(seed) for seed in range(400)]
    packer = pickle.loads(pickle.dumps(chunks.packer()))
    with chunks.writing() as writer:
        plain = writer.put(contents[0])
        for content in contents:
            writer.put_ready(packer.ready(content))
        edited_one = writer.put(edited(contents[5], 1), base=packer.ready(contents[5]).id)
    ids = [packer.ready(content).id for content in contents]
    assert ids[0] == plain
    assert chunks.get_many(ids) == contents
    assert chunks.get(edited_one) == edited(contents[5], 1)
    assert len(set(chunks.ids())) == 401
    with pytest.raises(NotStorable):
        packer.ready(bytes(LARGEST_CHUNK + 1))


def test_an_error_in_the_block_comes_out_and_keeps_nothing_of_a_small_block(chunks):
    with pytest.raises(KeyboardInterrupt), chunks.writing() as writer:
        chunk = writer.put(leaf(1))
        writer.put(edited(leaf(1), 1), base=chunk)
        raise KeyboardInterrupt
    assert list(chunks.ids()) == []
    with pytest.raises(ChunkMissing):
        chunks.get(chunk)
    assert chunks.get_many(store(chunks, leaf(1))) == [leaf(1)]


def test_a_chunk_too_large_to_be_read_back_is_refused(chunks):
    with pytest.raises(NotStorable, match=str(LARGEST_CHUNK)), chunks.writing() as writer:
        writer.put(bytes(LARGEST_CHUNK + 1))
    assert list(chunks.ids()) == []


def test_an_empty_block_is_fine(chunks):
    with chunks.writing():
        pass
    assert list(chunks.ids()) == []
