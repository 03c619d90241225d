"""Where a run of rows ends. Knows nothing of SQL or disks.

The key alone decides: its rank is the number of trailing zero bits of its seeded hash, and a key of rank `bits` or
more ends a leaf, of twice that its parent too, and so on. So equal rows are cut at equal places whatever their
history, an update never moves a boundary, and an insert or a delete moves at most one. A run that is too heavy is
divided again at its keys of the highest lower rank, then in halves: still nothing but its content decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, repeat

from isovc.encoding.digest import rank_hash

# part of the format, so that everybody's trees are alike; an encrypted repository has one of its own
SEED = 0x6973_6F76_6374_7265

RANK_BITS = 6  # 2^6 = 64 rows a leaf and children a node on average (docs/design/0003)
HEAVIEST_RUN = 64 << 10  # bytes: an edit of one row rewrites a run, so a run must stay cheap to read and pack
# levels whose runs end by rank: 64^8 rows. Above, a level is one run, divided by weight only, so that keys
# made to share an absurd rank cannot stack levels for ever
_RANKED_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """What shapes a tree. Two trees can share chunks only under equal rules."""

    seed: int = SEED
    bits: int = RANK_BITS
    heaviest: int = HEAVIEST_RUN

    def hashes(self, keys: Sequence[bytes]) -> list[int]:
        """What the ranks of keys are read from."""
        return list(map(rank_hash, keys, repeat(self.seed)))

    def mask(self, level: int) -> int:
        """A key whose hash has none of these bits ends a run of `level` (0: rows of a leaf)."""
        return (1 << self.bits * (level + 1)) - 1

    def ends_run(self, key: bytes, level: int) -> bool:
        """Whether nothing behind this key can belong to the same run of `level`."""
        return level < _RANKED_LEVELS and not rank_hash(key, self.seed) & self.mask(level)

    def divide(self, keys: Sequence[bytes], weights: Sequence[int], level: int) -> list[int]:
        """Where the pieces of one run that is too heavy end, as positions behind their last item."""
        ahead = list(accumulate(weights, initial=0))
        if level >= _RANKED_LEVELS:
            # two children a node at least, however heavy their keys: else a level would be no shorter than the one
            # below
            return list(_divide([], ahead, self.heaviest, 0, len(keys), 0, least=2))
        ranks = [_rank(value) for value in self.hashes(keys)]
        return list(_divide(ranks, ahead, self.heaviest, 0, len(keys), self.bits * (level + 1) - 1, least=1))


def _rank(value: int) -> int:
    return (value & -value).bit_length() - 1 if value else 64


def _divide(
    ranks: list[int], ahead: list[int], heaviest: int, start: int, end: int, highest: int, *, least: int
) -> Iterator[int]:
    """`ahead[i]` is the weight before item i."""
    if end - start < 2 * least or ahead[end] - ahead[start] <= heaviest:
        yield end
        return
    for rank in range(highest, 0, -1):
        cuts = [at + 1 for at in range(start, end - 1) if ranks[at] >= rank]
        if cuts:
            for piece_start, piece_end in pairwise([start, *cuts, end]):
                yield from _divide(ranks, ahead, heaviest, piece_start, piece_end, rank - 1, least=least)
            return
    half = start + (end - start) // 2
    yield from _divide(ranks, ahead, heaviest, start, half, 0, least=least)
    yield from _divide(ranks, ahead, heaviest, half, end, 0, least=least)
