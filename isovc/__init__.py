"""Version control for ordinary databases.

`isovc.open(path)` and all other names of isovc.api are here too. They are fetched when somebody asks for one, because
`isovc --version` must not wait for them.
"""

from importlib import import_module

__version__ = "0.1.0"

TYPE_CHECKING = False  # as type checkers know it: the module that defines it takes longer to import than this one
if TYPE_CHECKING:
    from isovc.api import *  # noqa: F403
else:

    def __getattr__(name):
        # whoever looks around asks for such names too, and must not fetch everything by that
        if not name.startswith("__") and name in (door := import_module("isovc.api")).__all__:
            found = globals()[name] = getattr(door, name)
            return found
        raise AttributeError(f"module 'isovc' has no attribute {name!r}")
