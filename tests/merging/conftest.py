"""Two branches that went apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.versioned import Versioned

Parted = Callable[..., Versioned]


@pytest.fixture
def parted(app: Versioned) -> Parted:
    """Rows and tables to begin with, what `main` did to them, and what `exp` did. Ends on main."""

    def part(ours: str, theirs: str, base: str = "") -> Versioned:
        if base:
            app.sql(base)
            app.commit("base")
        app.ok("switch", "-c", "exp")
        app.sql(theirs)
        app.ok("commit", "-m", "theirs", "--allow-empty")
        app.ok("switch", "main")
        app.sql(ours)
        app.ok("commit", "-m", "ours", "--allow-empty")
        return app

    return part
