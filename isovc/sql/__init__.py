"""SQL as text: names, literals, definitions. Knows nothing of connections or rows in files."""

from isovc.sql.definition import added_columns, mentioned, module_of, options_of, renamed, statement
from isovc.sql.quote import folded, literal, name, names

__all__ = [
    "added_columns",
    "folded",
    "literal",
    "mentioned",
    "module_of",
    "name",
    "names",
    "options_of",
    "renamed",
    "statement",
]
