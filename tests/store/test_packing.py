"""How chunks lie at rest: bounded chains, stars, and standing alone; and what a deletion makes of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isovc.encoding.compress import compress, decompress
from isovc.encoding.digest import Kind
from isovc.errors import ChunkDamaged
from isovc.store import Packing, SqliteChunks, StoreFile
from isovc.store.check import check, stats
from isovc.store.packing import LONGEST_CHAIN, Stored, pack, unpack_against
from tests.store.contents import edited, leaf, store, versions


def rows(chunks):
    """{id: (id of its base or None, depth, bytes at rest)}."""
    with chunks.file.reading() as db:
        return {
            chunk: (base, depth, size)
            for chunk, base, depth, size in db.execute(
                "SELECT c.id, b.id, c.depth, length(c.body) FROM chunk c LEFT JOIN chunk b ON b.seq = c.base"
            )
        }


def chain(kept, chunk):
    """The ids from a chunk to the one that stands alone."""
    line = [chunk]
    while kept[line[-1]][0] is not None:
        line.append(kept[line[-1]][0])
    return line


@pytest.mark.parametrize("longest", [1, 2, 5, LONGEST_CHAIN])
def test_no_chain_is_longer_than_allowed(file, longest):
    chunks = SqliteChunks(file, packing=Packing(longest_chain=longest))
    versions(chunks, leaf(1), 40)
    kept = rows(chunks)
    assert max(len(chain(kept, chunk)) - 1 for chunk in kept) == longest
    assert all(depth == len(chain(kept, chunk)) - 1 for chunk, (_, depth, _) in kept.items())
    assert stats(chunks).longest_chain == longest


def test_behind_a_full_chain_the_first_of_it_serves_again(chunks):
    ids = versions(chunks, leaf(1), LONGEST_CHAIN + 2)
    kept = rows(chunks)
    assert [kept[chunk][0] for chunk in ids] == [None, *ids[:LONGEST_CHAIN], ids[0], ids[LONGEST_CHAIN + 1]]


def test_without_differences_every_chunk_stands_alone(file):
    chunks = SqliteChunks(file, packing=Packing(longest_chain=0))
    versions(chunks, leaf(1), 5)
    assert {(base, depth) for base, depth, _ in rows(chunks).values()} == {(None, 0)}


def test_a_chunk_unlike_its_base_stands_alone(chunks):
    (first,) = store(chunks, leaf(1))
    with chunks.writing() as writer:
        second = writer.put(leaf(2), base=first)
    assert rows(chunks)[second] == (None, 0, len(compress(leaf(2), level=1)))


def test_a_star_that_grew_too_large_starts_anew(chunks):
    ids = versions(chunks, leaf(1), 400)
    kept = rows(chunks)
    alone = [chunk for chunk in ids if kept[chunk][0] is None]
    assert 2 <= len(alone) <= 20
    assert sum(size for _, _, size in kept.values()) < 400 * len(compress(leaf(1), level=1)) / 8


def test_one_changed_row_of_28_kb_takes_few_bytes(chunks):
    chance = random.Random(5)
    first = b"\x01" + chance.randbytes(28_000)
    (base,) = store(chunks, first)
    with chunks.writing() as writer:
        writer.put(first[:9000] + chance.randbytes(20) + first[9020:], base=base)
    assert sorted(size for _, _, size in rows(chunks).values())[0] < 60


contents = st.binary(max_size=200) | st.integers(0, 99).map(leaf)


@given(contents, contents, st.integers(0, 9))
def test_whatever_is_packed_can_be_unpacked_and_is_never_larger(content, base, depth):
    packed = pack(content, Stored(7, depth, base), Packing())
    if packed.base is None:
        assert packed.depth == 0 and decompress(packed.body) == content
    else:
        assert (packed.base, packed.depth) == (7, depth + 1)
        assert unpack_against(packed.body, base) == content
    assert len(packed.body) <= max(len(compress(content, level=1)), len(content) // 4)


def test_what_depended_on_a_deleted_chunk_depends_on_the_newest_of_them(chunks):
    (first,) = store(chunks, leaf(1))
    with chunks.writing() as writer:
        siblings = [writer.put(edited(leaf(1), number), base=first) for number in range(5)]
    assert {rows(chunks)[chunk][0] for chunk in siblings} == {first}
    chunks.delete([first])
    kept = rows(chunks)
    assert kept[siblings[-1]][:2] == (None, 0)
    assert {kept[chunk][:2] for chunk in siblings[:-1]} == {(siblings[-1], 1)}
    assert check(chunks).clean


def test_nothing_is_packed_anew_that_is_deleted_too(chunks):
    ids = versions(chunks, leaf(1), LONGEST_CHAIN)
    before = rows(chunks)
    chunks.delete(ids[4:])
    assert rows(chunks) == {chunk: before[chunk] for chunk in ids[:4]}


@settings(max_examples=25)
@given(data=st.data())
def test_after_any_deletion_chains_are_whole_and_bounded(data, tmp_path_factory):
    file = StoreFile.create(tmp_path_factory.mktemp("deletion") / "store.db")
    try:
        chunks = SqliteChunks(file, packing=Packing(longest_chain=data.draw(st.integers(1, 5))))
        ids = versions(chunks, leaf(1, rows=20), 25)
        for _ in range(2):
            chunks.delete(data.draw(st.sets(st.sampled_from(ids))))
            kept = rows(chunks)
            for chunk, (base, depth, _) in kept.items():
                assert depth == 0 if base is None else depth > kept[base][1]
                assert len(chain(kept, chunk)) - 1 <= depth <= chunks.packing.longest_chain
            assert check(chunks).clean
    finally:
        file.close()


def test_a_deletion_takes_time_in_proportion_to_what_it_deletes(chunks):
    """SQLite itself says how it looks for what depends on a chunk."""
    statements = []
    ids = versions(chunks, leaf(1), 5)
    with chunks.file.reading() as db:
        db.set_trace_callback(statements.append)
    chunks.delete(ids[:1])
    with chunks.file.reading() as db:
        db.set_trace_callback(None)
        asked = [line for line in statements if line.startswith(("SELECT", "DELETE", "UPDATE"))]
        plans = [step[3] for line in asked for step in db.execute(f"EXPLAIN QUERY PLAN {line}")]
    assert asked
    assert not [step for step in plans if "SCAN" in step]


# -- long bodies -------------------------------------------------------------------------------------------------------


_BLOB = bytes([Kind.BLOB])


def _pages(file):
    with file.reading() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.path.stat().st_size


def test_long_bodies_take_little_more_than_their_bytes(file):
    chunks = SqliteChunks(file)
    draw = random.Random(5)
    before = _pages(file)
    contents = [_BLOB + draw.randbytes(draw.randint(20_000, 200_000)) for _ in range(200)]
    with chunks.writing() as writer:
        ids = [writer.put(content) for content in contents]
    assert chunks.get_many(ids) == contents
    total = sum(map(len, contents))
    assert stats(chunks).body_bytes >= total
    assert _pages(file) - before < 1.02 * total
    assert check(chunks).clean


@given(st.lists(st.integers(0, 300_000), max_size=6), st.integers(0, 9))
@settings(max_examples=20)
def test_bodies_of_any_length_come_back_and_go_without_a_trace(tmp_path_factory, sizes, seed):
    file = StoreFile.create(tmp_path_factory.mktemp("parts") / "store.db")
    try:
        chunks = SqliteChunks(file)
        draw = random.Random(seed)
        contents = [_BLOB + draw.randbytes(size) for size in sizes]
        ids = []
        for content in contents:
            with chunks.writing() as writer:
                ids.append(writer.put(content))
        assert [SqliteChunks(file).get(each) for each in ids] == contents
        assert check(chunks).clean
        kept = {*ids[-1:]}
        chunks.delete({*ids} - kept)  # equal bodies are one chunk
        assert {*chunks.ids()} == kept
        with file.reading() as db:
            assert {row[0] >> 15 for row in db.execute("SELECT id FROM part")} <= {
                row[0] for row in db.execute("SELECT seq FROM chunk")
            }
    finally:
        file.close()


@pytest.mark.parametrize(
    "deed",
    [
        "DELETE FROM part WHERE id = (SELECT max(id) FROM part)",
        "DELETE FROM part",
        "UPDATE part SET bytes = zeroblob(length(bytes)) WHERE id = (SELECT min(id) FROM part)",
        "UPDATE part SET bytes = 5",
        "UPDATE part SET bytes = bytes || x'00'",
        "UPDATE chunk SET body = 0 WHERE typeof(body) = 'integer'",
    ],
)
def test_a_part_that_is_lost_or_other_is_damage(file, deed):
    chunks = SqliteChunks(file)
    with chunks.writing() as writer:
        sound = writer.put(_BLOB + b"short")
        chunk = writer.put(_BLOB + random.Random(1).randbytes(200_000))
    with file.transaction() as db:
        db.execute(deed)
    fresh = SqliteChunks(file)
    if deed.startswith("UPDATE chunk"):  # the parts say what it is, its length is only for counting
        assert len(fresh.get(chunk)) == 200_001
        return
    with pytest.raises(ChunkDamaged):
        fresh.get(chunk)
    assert [each.chunk for each in check(fresh).damaged] == [chunk]
    assert fresh.get(sound) == _BLOB + b"short"
