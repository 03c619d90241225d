"""Damage is found and named, and never becomes wrong data or somebody else's error."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from isovc.encoding.digest import chunk_id
from isovc.errors import ChunkDamaged, Damage, IsovcError, StoreDamaged
from isovc.store import SqliteChunks, StoreFile
from isovc.store.check import check
from isovc.store.schema import PAGE_SIZE
from tests.store.contents import leaf, store, versions

SMALL = Path(__file__).parents[2] / "fixtures" / "stores" / "version-1.db"
PAGE = 512  # bytes a page of it


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The bytes of a small store of the newest version, and its contents by id."""
    path = tmp_path_factory.mktemp("small") / "store.db"
    shutil.copyfile(SMALL, path)
    chunks = SqliteChunks(StoreFile(path))
    contents = dict(zip(chunks.ids(), chunks.get_many(list(chunks.ids())), strict=True))
    chunks.file.close()
    return path.read_bytes(), contents


def look(path, contents, *, always_check=False):
    """Read all of a store that may be damaged. True: something is wrong, and it was said in our words."""
    try:
        file = StoreFile(path, busy_seconds=0)
    except IsovcError:
        return True
    try:
        chunks = SqliteChunks(file)
        wrong = False
        for chunk, content in contents.items():
            try:
                assert chunks.get(chunk) == content
            except IsovcError:
                wrong = True
        try:
            wrong |= chunks.has_many(contents) != set(contents) or set(chunks.ids()) != set(contents)
        except IsovcError:
            wrong = True
        if wrong or always_check:
            found = check(chunks)
            assert not (wrong and found.clean), "something cannot be read, and the check says that all is well"
            wrong = not found.clean
        return wrong
    finally:
        file.close()


def look_at(place, data, contents, **options):
    path = place / "store.db"
    for left in place.iterdir():
        left.unlink()
    path.write_bytes(data)
    return look(path, contents, **options)


def flipped(data, at, bits):
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def test_the_small_store_is_sound(tmp_path, small):
    assert not look_at(tmp_path, *small, always_check=True)


def test_bytes_flipped_in_turn_are_detected_or_harmless(tmp_path, small):
    """Some thousand of them; the long test below takes every bit of every byte."""
    data, contents = small
    places = range(0, len(data), 1 + len(data) // 4000)
    found = sum(look_at(tmp_path, flipped(data, at, 1 << at % 8), contents) for at in places)
    assert found > len(places) / 10


@pytest.mark.long
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16, 32, 64, 128, 255])
def test_every_bit_flipped_in_turn_is_detected_or_harmless(tmp_path, small, bits):
    data, contents = small
    for at in range(len(data)):
        look_at(tmp_path, flipped(data, at, bits), contents, always_check=True)


def test_writing_into_a_damaged_store_gives_only_our_errors_and_loses_nothing(tmp_path, small):
    data, contents = small
    chance = random.Random(7)
    for _ in range(250):
        path = tmp_path / "store.db"
        for left in tmp_path.iterdir():
            left.unlink()
        path.write_bytes(flipped(data, chance.randrange(len(data)), chance.randrange(1, 256)))
        try:
            file = StoreFile(path, busy_seconds=0)
        except IsovcError:
            continue
        try:
            chunks = SqliteChunks(file)
            for base in contents:
                with chunks.writing() as writer:
                    chunk = writer.put(leaf(chance.randrange(999), rows=3), base=base)
                assert chunk_id(SqliteChunks(file).get(chunk)) == chunk
            chunks.delete(list(contents)[:5])
        except IsovcError:
            pass
        finally:
            file.close()


def test_a_store_that_says_it_must_not_be_written_is_told(tmp_path, small):
    path = tmp_path / "store.db"
    path.write_bytes(small[0][:18] + b"\3" + small[0][19:])  # the version that writers must know
    file = StoreFile(path)
    assert check(SqliteChunks(file)).problems == (
        f"{path} is damaged: its first page says that it must not be written",
    )
    with pytest.raises(StoreDamaged), file.transaction() as db:
        db.execute("DELETE FROM chunk")
    file.close()


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.long)])
def test_a_store_cut_short_is_detected(tmp_path, small, step):
    data, contents = small
    for size in range(0, len(data), step):
        assert look_at(tmp_path, data[:size], contents)


def test_pages_of_zeros_are_detected_or_harmless(tmp_path, small):
    data, contents = small
    for start in range(0, len(data), PAGE):
        wrong = look_at(tmp_path, data[:start] + bytes(PAGE) + data[start + PAGE :], contents, always_check=True)
        assert wrong or start == 0


def test_pages_that_changed_places_are_detected(tmp_path, small):
    data, contents = small
    pages = [data[start : start + PAGE] for start in range(0, len(data), PAGE)]
    for one in range(len(pages)):
        for other in range(one):
            swapped = list(pages)
            swapped[one], swapped[other] = pages[other], pages[one]
            if swapped != pages:
                assert look_at(tmp_path, b"".join(swapped), contents, always_check=True)


def test_old_pages_in_new_places_are_detected(tmp_path, small):
    data, contents = small
    for start in range(PAGE, len(data), PAGE):
        copied = data[PAGE : 2 * PAGE]
        if copied != data[start : start + PAGE]:
            assert look_at(tmp_path, data[:start] + copied + data[start + PAGE :], contents, always_check=True)


def test_damage_in_the_log_is_detected_or_harmless(tmp_path, small):
    """What was committed last lies in the log, not yet in the file."""
    data, contents = small
    work = tmp_path / "work"
    work.mkdir()
    (work / "store.db").write_bytes(data)
    file = StoreFile(work / "store.db")
    chunks = SqliteChunks(file)
    for seed in range(3):
        (chunk,) = store(chunks, leaf(seed, rows=2))
        contents = contents | {chunk: leaf(seed, rows=2)}
    saved, log = (work / "store.db").read_bytes(), (work / "store.db-wal").read_bytes()
    file.close()
    place = tmp_path / "place"
    place.mkdir()
    for at in random.Random(3).sample(range(len(log)), 200):
        for left in place.iterdir():
            left.unlink()
        (place / "store.db-wal").write_bytes(flipped(log, at, 0x10))
        (place / "store.db").write_bytes(saved)
        try:
            chunks = SqliteChunks(StoreFile(place / "store.db"))
        except IsovcError:
            continue
        # the log ends at its first bad frame: what is behind it is missing, and nothing is wrong
        assert all(chunks.get(chunk) == contents[chunk] for chunk in chunks.ids())
        assert check(chunks).clean
        chunks.file.close()


# -- what the check says -----------------------------------------------------------------------------------------------


@contextmanager
def meddling(chunks):
    """Statements that isovc would never make."""
    with sqlite3.connect(chunks.file.path) as db:
        yield db
    db.close()


def damaged(chunks):
    return {damage.chunk for damage in check(chunks).damaged}


@pytest.mark.parametrize(
    "deed",
    [
        "body = x''",
        "body = x'00'",
        "body = 'text'",
        "body = 7",
        "body = zeroblob(length(body))",
        "body = substr(body, 1, length(body) - 1)",
        "body = body || x'00'",
        "depth = depth + 1",
        "depth = 'deep'",
        "depth = -1",
        "base = 3",
        "base = 99",
        "base = 'text'",
        "base = x'01'",
        "base = seq",
    ],
)
def test_a_damaged_chunk_is_found_and_named(chunks, deed):
    ids = store(chunks, *map(leaf, range(5)))
    with meddling(chunks) as db:
        db.execute(f"UPDATE chunk SET {deed} WHERE seq = 2")
    assert damaged(chunks) == {ids[1]}
    (found,) = check(chunks).damaged
    assert found.place == "row 2 of store.db" and ids[1].hex()[:12] in found.message and found.hint
    if not deed.startswith("depth") and deed != "base = 3":  # a body that stands alone reads the same with a base
        with pytest.raises(ChunkDamaged) as raised:
            SqliteChunks(chunks.file).get_many(ids)
        assert raised.value.chunk == ids[1]


@pytest.mark.parametrize(
    "deed", ["id = x'00'", "id = 'text'", "id = 7", "id = zeroblob(32)", "seq = 10000000000000", "seq = -5"]
)
def test_a_row_under_a_wrong_name_is_found(chunks, deed):
    store(chunks, *map(leaf, range(5)))
    with meddling(chunks) as db:
        db.execute(f"UPDATE chunk SET {deed} WHERE seq = 2")
    found = check(chunks)
    assert found.chunks == 5
    assert not found.clean or deed == "seq = -5"


def test_what_depends_on_a_damaged_chunk_is_named_too_although_its_content_was_read_before(chunks):
    ids = versions(chunks, leaf(1), 3)
    chunks.get_many(ids)
    with meddling(chunks) as db:
        db.execute("UPDATE chunk SET body = x'00' WHERE seq = 2")
    assert damaged(chunks) == set(ids[1:])


def test_a_missing_base_is_named(chunks):
    ids = versions(chunks, leaf(1), 3)
    with meddling(chunks) as db:
        db.execute("DELETE FROM chunk WHERE seq = 1")
    assert damaged(chunks) == set(ids[1:])
    with pytest.raises(ChunkDamaged, match="row 1, which it is a difference to, is gone"):
        SqliteChunks(chunks.file).get(ids[1])
    with pytest.raises(Damage):
        SqliteChunks(chunks.file).delete(ids[1:2])
    assert len(list(chunks.ids())) == 3


def test_a_chain_that_runs_in_a_circle_is_found(chunks):
    ids = versions(chunks, leaf(1), 3)
    with meddling(chunks) as db:
        db.execute("UPDATE chunk SET base = 4 WHERE seq = 1")
    with pytest.raises(ChunkDamaged, match="no end"):
        SqliteChunks(chunks.file).get(ids[3])
    assert damaged(chunks) == set(ids)


def test_chunks_of_a_damaged_depth_can_be_deleted(chunks):
    ids = versions(chunks, leaf(1), 3)
    with meddling(chunks) as db:
        db.execute("UPDATE chunk SET depth = 'deep' WHERE seq = 2")
    assert damaged(chunks) == set(ids[1:3])
    assert chunks.delete(ids[:3]) == 3
    assert check(chunks).clean and list(chunks.ids()) == ids[3:]


@pytest.mark.parametrize("deed", ["id = 5", "id = 'text'"])
def test_what_depends_on_a_chunk_and_has_lost_its_id_keeps_it_from_being_deleted(chunks, deed):
    ids = versions(chunks, leaf(1), 1)
    with meddling(chunks) as db:
        db.execute(f"UPDATE chunk SET {deed} WHERE seq = 2")
    with pytest.raises(Damage, match=r"row 2 of .* has no id"):
        SqliteChunks(chunks.file).delete(ids[:1])
    assert SqliteChunks(chunks.file).get(ids[0]) == leaf(1)


def test_a_chunk_of_no_known_kind_is_found(chunks):
    (chunk,) = store(chunks, b"\x63 from nowhere")
    assert damaged(chunks) == {chunk}


def test_every_one_of_many_damaged_chunks_is_named(chunks):
    ids = store(chunks, *(leaf(seed, rows=2) for seed in range(2000)))
    with meddling(chunks) as db:
        db.execute("UPDATE chunk SET body = zeroblob(9) WHERE seq % 100 = 7")
    found = check(chunks)
    assert [damage.chunk for damage in found.damaged] == ids[6::100]
    assert found.chunks == 2000 and found.problems == ()


def overwrite_page_of(path, seq):
    """Zeros over the table's page that holds a row; the connection to it must be closed."""
    db = sqlite3.connect(path)
    number = db.execute("SELECT body FROM chunk WHERE seq = ?", (seq,)).fetchone()[0]
    db.close()
    data = bytearray(path.read_bytes())
    at = data.index(number) // PAGE_SIZE * PAGE_SIZE
    data[at : at + PAGE_SIZE] = bytes(PAGE_SIZE)
    path.write_bytes(data)


def test_chunks_of_a_lost_page_are_named_by_the_index(file):
    ids = store(SqliteChunks(file), *(b"\x03" + random.Random(seed).randbytes(3000) for seed in range(1500)))
    file.close()
    overwrite_page_of(file.path, 700)
    file = StoreFile(file.path)
    chunks = SqliteChunks(file)
    found = check(chunks)
    lost = {damage.chunk for damage in found.damaged}
    unreadable = set()
    for chunk in ids:
        try:
            chunks.get(chunk)
        except ChunkDamaged as error:
            assert error.chunk == chunk
            unreadable.add(chunk)
    assert {chunk[:8] for chunk in lost} == {chunk[:8] for chunk in unreadable}
    assert 1 < len(lost) < 30 and found.problems and found.chunks == 1500
    with pytest.raises(ChunkDamaged) as raised:
        SqliteChunks(file).get_many(ids)
    assert raised.value.chunk in unreadable
    file.close()


def test_a_lost_index_is_told_and_the_chunks_are_checked_nevertheless(chunks):
    store(chunks, *map(leaf, range(5)))
    with meddling(chunks) as db:
        db.execute("DROP INDEX chunk_by_id")
    found = check(chunks)
    assert found.chunks == 5 and not found.damaged
    assert found.problems == ("the definitions of its tables are not what this isovc makes",)


def test_the_check_tells_how_far_it_is(chunks):
    class Heard:
        def __init__(self):
            self.tasks = []

        @contextmanager
        def task(self, what, *, total=None, unit=""):
            self.tasks.append([what, total, unit, []])
            yield self

        def advance(self, amount=1):
            self.tasks[-1][3].append(amount)

    store(chunks, *(leaf(seed, rows=1) for seed in range(1500)))
    heard = Heard()
    assert check(chunks, heard).clean
    ((what, total, unit, amounts),) = heard.tasks
    assert what and total == sum(amounts) == 1500 and unit == "chunks" and len(amounts) > 2


def test_the_check_uses_several_threads_and_changes_nothing(chunks):
    seen = set()
    digest = chunks.reader.digest

    def watching(content):
        seen.add(threading.current_thread().name)
        return digest(content)

    store(chunks, *(leaf(seed, rows=40) for seed in range(3000)))
    chunks.reader.digest = watching
    with chunks.file.reading() as db:
        before = db.execute("PRAGMA data_version").fetchone()
    assert check(chunks).clean
    assert len(seen) > 1
    with chunks.file.reading() as db:
        assert db.execute("PRAGMA data_version").fetchone() == before


def test_an_interrupt_ends_the_check_early(chunks):
    store(chunks, *(leaf(seed, rows=1) for seed in range(3000)))
    asked = []

    class Impatient:
        @contextmanager
        def task(self, what, *, total=None, unit=""):
            yield self

        def advance(self, amount=1):
            asked.append(amount)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(chunks, Impatient())
    assert len(asked) == 1
    assert check(chunks).clean
