"""An exported log checked by itself, without a repository."""

from __future__ import annotations

import re
from pathlib import Path

from isovc.lifecycle.audit.chain import Audited, Chain, Demands, Fault, Found

_LINE = re.compile(rb'\{"id":"([0-9a-f]{64})","signature":(?:null|"((?:[0-9a-f]{2})+)"),"body":(\{.*\})\}\n?')


def verify_export(path: Path, demands: Demands) -> Audited:
    """Follow the chain in a file of JSON lines to the first bad record."""
    chain = Chain(demands)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            told = _LINE.fullmatch(line)
            if told is None:
                return chain.audited(Fault(None, "", f"line {number} of {path.name} is no record as isovc writes them"))
            signature = None if told[2] is None else bytes.fromhex(told[2].decode())
            found = chain.follow(Found(bytes.fromhex(told[1].decode()), told[3], signature))
            if isinstance(found, Fault):
                return chain.audited(found)
    fault = chain.end()
    return chain.audited(*([fault] if fault else []))
