"""Packs of every shape git writes are read right; damaged ones are told as damage."""

import hashlib
import random
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isovc.errors import GitObjectDamaged, GitObjectMissing, IsovcError
from isovc.history import packing
from isovc.history.index import PackIndex
from isovc.history.objects import Objects
from isovc.history.packs import apply_delta


@pytest.fixture
def foreign(tmp_path):
    """A repository full of near-equal big and small blobs, made by git, all in one pack of differences."""

    def make(*options):
        root = tmp_path / "foreign"
        words = random.Random(7)
        text = [f"line {words.random()}\n" for _ in range(12_000)]

        def run(*arguments):
            env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
            command = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a", *options, *arguments]
            return subprocess.run(command, env=env, capture_output=True, check=True).stdout.decode()

        root.mkdir()
        run("init", "-q")
        for n in range(6):
            text.insert(n * 1500, f"new {n}\n")
            (root / "big").write_text("".join(text))
            (root / "small").write_text(f"{n}\n")
            (root / "empty").write_text("")
            run("add", ".")
            run("commit", "-q", "-m", f"{n}")
        run("tag", "-a", "-m", "words", "v1")
        run("repack", "-q", "-a", "-d", "-f", "--depth=40")
        return root / ".git" / "objects", run

    return make


@pytest.mark.parametrize("offsets", ["true", "false"])
def test_every_object_of_a_pack_made_by_git_is_read(foreign, offsets):
    folder, run = foreign("-c", f"repack.useDeltaBaseOffset={offsets}")
    objects = Objects(folder)
    listed = dict(line.split()[:2] for line in run("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    assert set(objects.names()) == set(listed)
    assert {"commit", "tree", "blob", "tag"} == set(listed.values())
    for name, kind in listed.items():
        content = objects.read(name, kind)
        assert hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest() == name
        assert objects.kind(name) == kind
        assert name in objects


def test_what_is_nowhere_is_missing(foreign):
    objects = Objects(foreign()[0])
    for name in ("0" * 40, "f" * 40, "ab" * 20):
        assert name not in objects
        with pytest.raises(GitObjectMissing):
            objects.read(name, "blob")
        with pytest.raises(GitObjectMissing):
            objects.kind(name)


def test_any_damage_to_a_pack_is_told_or_harmless(foreign):
    folder, run = foreign()
    listed = [line.split() for line in run("cat-file", "--batch-all-objects", "--batch-check").splitlines()]
    good = {name: Objects(folder).read(name, kind) for name, kind, _ in listed}
    (pack,) = (folder / "pack").glob("*.pack")
    raw = pack.read_bytes()
    pack.chmod(0o644)
    dice = random.Random(11)
    told = 0
    for _ in range(60):
        at = dice.randrange(12, len(raw))
        broken = raw[:at] if dice.random() < 0.2 else raw[:at] + dice.randbytes(3) + raw[at + 3 :]
        pack.write_bytes(broken)
        objects = Objects(folder)
        for name, kind, _ in listed:
            try:
                assert objects.read(name, kind) == good[name]
            except GitObjectDamaged:
                told += 1
    assert told > 60


def test_objects_are_found_in_packs_that_appear_and_vanish_meanwhile(history, chain):
    start = 1_700_000_000_000_000
    objects = Objects(history.directory / "objects")
    first = chain(3)
    history.pack()
    assert objects.kind(first[0]) == "commit"
    second = chain(4, after=first[-1:], start=start + 10_000_000)
    assert history.pack().packs_joined == 1
    assert [objects.read(name, "commit") for name in (*first, *second)]


def test_a_damaged_pack_is_never_joined_into_a_fresh_one(history, chain):
    chain(3)
    history.pack()
    (pack,) = (history.directory / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    raw = bytearray(pack.read_bytes())
    raw[40] ^= 1
    pack.write_bytes(raw)
    chain(4, start=1_700_000_100_000_000)
    assert history.pack() == packing.Packed(4 * 3, 0)
    assert pack.exists()


def test_an_index_with_one_wrong_bit_is_refused(history, chain):
    chain(2)
    history.pack()
    (path,) = (history.directory / "objects" / "pack").glob("*.idx")
    path.chmod(0o644)
    raw = path.read_bytes()
    for at in range(0, len(raw), 37):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 16]) + raw[at + 1 :])
        with pytest.raises(GitObjectDamaged):
            PackIndex(path)


def test_offsets_beyond_two_gigabytes_are_read(tmp_path):
    name = bytes(range(20))
    body = b"\xfftOc\0\0\0\x02" + (1).to_bytes(4, "big") * 256 + name + b"\0" * 4
    body += (1 << 31).to_bytes(4, "big") + (5 << 32).to_bytes(8, "big") + b"p" * 20
    path = tmp_path / "pack-x.idx"
    path.write_bytes(body + hashlib.sha1(body).digest())
    assert PackIndex(path).find(name) == 5 << 32
    assert PackIndex(path).find(b"\1" * 20) is None


def test_a_difference_copies_and_adds():
    base = bytes(range(256)) * 300
    delta = b"\x80\xd8\x04" + b"\x83\x80\x04" + b"\x80" + b"\x03abc"  # all of 0x10000 from 0, then three letters
    assert apply_delta(base, delta) == base[:0x10000] + b"abc"


@pytest.mark.parametrize(
    "delta",
    [
        b"\x05\x01\x01a",  # to another base
        b"\x04\x02\x00",  # an operation that is none
        b"\x04\x05\x05ab",  # promises more of its own than there is
        b"\x04\x03\x91\x03\x03",  # copies past the end
        b"\x04\x01\x02ab",  # more than was said
        b"\x04\x03\x02ab",  # less than was said
    ],
)
def test_a_malformed_difference_is_refused(delta):
    with pytest.raises(ValueError):
        apply_delta(b"base", delta)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_difference_is_applied_or_refused(base, delta):
    try:
        apply_delta(base, delta)
    except (ValueError, IndexError, IsovcError):
        pass
