"""A tree beside a dict: whatever is done to both, they hold the same rows, and the tree is the only one of its rows."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from isovc.encoding.orderkey import encode_key
from isovc.tree.build import build
from isovc.tree.check import check
from isovc.tree.diff import diff
from isovc.tree.edit import Edit, edit
from isovc.tree.read import count, get, page, rank, sample, scan
from isovc.tree.rules import Rules
from tests.tree.planting import cells, forest, values

keys = {
    1: st.tuples(cells),
    2: st.tuples(cells, st.integers(-2, 2) | st.none() | st.text("ab", max_size=1)),
}
WIDTH = 4


class TreeBesideDict(RuleBasedStateMachine):
    @initialize(key_width=st.sampled_from([1, 2]), bits=st.sampled_from([1, 2, 3]), heaviest=st.sampled_from([90, 600]))
    def start(self, key_width, bits, heaviest):
        self.key_width = key_width
        self.trees = forest(Rules(bits=bits, heaviest=heaviest))
        self.root = build(self.trees, [], key_width=key_width)
        self.rows: dict[bytes, tuple] = {}
        self.versions = [(self.root, {})]

    def apply(self, changes: dict[bytes, tuple | None]):
        before, known = self.root, dict(self.rows)
        self.root = edit(
            self.trees,
            before.id,
            [Edit(key, changes[key]) for key in sorted(changes)],
            width=WIDTH,
            key_width=self.key_width,
        )
        for key, row in changes.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        expected = sorted(
            key for key in known.keys() | self.rows.keys() if repr(known.get(key)) != repr(self.rows.get(key))
        )
        assert [change.key for change in diff(self.trees, before.id, self.root.id, width=WIDTH)] == expected
        self.versions.append((self.root, dict(self.rows)))

    @rule(data=st.data(), rest=st.tuples(values, values, values))
    def put_one(self, data, rest):
        cells_of_key = data.draw(keys[self.key_width])
        self.apply({encode_key(cells_of_key): (*cells_of_key, *rest)[:WIDTH]})

    @rule(
        data=st.data(), rest=st.tuples(values, values, values), many=st.integers(1, 150), first=st.integers(-200, 200)
    )
    def put_a_row_of_integers(self, data, rest, many, first):
        keys_of = [(first + n, *([n % 3] if self.key_width == 2 else [])) for n in range(many)]
        self.apply({encode_key(key): (*key, *rest)[:WIDTH] for key in keys_of})

    @rule(data=st.data())
    def change_some(self, data):
        if self.rows:
            chosen = data.draw(st.lists(st.sampled_from(sorted(self.rows)), unique=True, max_size=20))
            value = data.draw(values)
            self.apply({key: (*self.rows[key][:3], value) for key in chosen})

    @rule(data=st.data())
    def remove_a_range(self, data):
        if self.rows:
            low, high = sorted(data.draw(st.tuples(st.integers(0, 300), st.integers(0, 300))))
            self.apply(dict.fromkeys(sorted(self.rows)[low:high]))

    @rule()
    def remove_everything(self):
        self.apply(dict.fromkeys(self.rows))
        assert self.root == build(self.trees, [], key_width=self.key_width)

    @rule(data=st.data())
    def go_back_to_an_older_version(self, data):
        self.root, rows = data.draw(st.sampled_from(self.versions))
        self.rows = dict(rows)

    @invariant()
    def the_tree_holds_the_rows(self):
        everything = [self.rows[key] for key in sorted(self.rows)]
        assert repr(list(scan(self.trees, self.root.id, cells=range(WIDTH)))) == repr(everything)
        assert self.root == build(self.trees, everything, key_width=self.key_width)
        assert count(self.trees, self.root.id) == self.root.rows == len(everything)
        assert list(check(self.trees, self.root.id)) == []
        for place, key in list(enumerate(sorted(self.rows)))[:: max(1, len(everything) // 5)]:
            assert repr(get(self.trees, self.root.id, key, width=WIDTH)) == repr(self.rows[key])
            assert rank(self.trees, self.root.id, key) == place
            assert repr(page(self.trees, self.root.id, offset=place, limit=3, width=WIDTH)) == repr(
                everything[place : place + 3]
            )
        drawn = sample(self.trees, self.root.id, rows=7, seed=1, width=WIDTH)
        assert len(drawn) == min(7, len(everything))
        assert set(map(repr, drawn)) <= set(map(repr, everything))


TestTreeBesideDict = TreeBesideDict.TestCase
TestTreeBesideDict.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)
