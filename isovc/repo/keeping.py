"""How long recorded states are kept, and how many of them: `all 7d, 1 per minute 30d, 1 per hour 1y`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_SECOND = 1_000_000  # microseconds
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31_557_600}
_RULE = re.compile(
    rf"(?:keep-)?(?P<all>all)\s+(?P<a>\d{{1,4}}[{''.join(_AGES)}])|"
    rf"1\s+per\s+(?P<unit>{'|'.join(_UNITS)})\s+(?P<b>\d{{1,4}}[{''.join(_AGES)}])"
)
DEFAULT = "all 7d, 1 per minute 30d, 1 per hour 1y"
ALLOWED = "rules with growing steps and ages, like all 7d, 1 per minute 30d, 1 per hour 1y"


@dataclass(frozen=True, slots=True)
class Rule:
    """States up to this age are kept, one for each step; step 0: each of them. Microseconds."""

    step: int
    age: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules from the youngest states to the oldest; what is older than the last of them goes."""

    rules: tuple[Rule, ...]

    def place(self, time: int, now: int) -> tuple[int, int] | None:
        """States with the same place are kept as one; None: it is too old to be kept."""
        for rule in self.rules:
            if now - time <= rule.age:
                return (rule.step, time // rule.step if rule.step else time)
        return None


def parse_policy(text: str) -> Policy:
    """The policy that these words mean. Raises ValueError for words that mean none."""
    rules = []
    for part in text.split(","):
        found = _RULE.fullmatch(part.strip().lower())
        if found is None:
            raise ValueError(ALLOWED)
        step = 0 if found["all"] else _UNITS[found["unit"]] * _SECOND
        age = found["a"] or found["b"]
        rules.append(Rule(step, int(age[:-1]) * _AGES[age[-1]] * _SECOND))
    for before, after in pairwise(rules):
        if before.step >= after.step or before.age >= after.age:
            raise ValueError(ALLOWED)
    return Policy(tuple(rules))
