"""SQL as text: names, literals, definitions. Knows nothing of connections or rows in files."""

from isovc.sql.affinity import affinity
from isovc.sql.definition import (
    added_columns,
    event_of,
    mentioned,
    module_of,
    options_of,
    renamed,
    statement,
    tokens,
    unquoted,
)
from isovc.sql.merging import merge_texts
from isovc.sql.parts import taken_apart, words
from isovc.sql.quote import folded, literal, name, names
from isovc.sql.references import Reference, is_autoincrement, references

__all__ = [
    "Reference",
    "added_columns",
    "affinity",
    "event_of",
    "folded",
    "is_autoincrement",
    "literal",
    "mentioned",
    "merge_texts",
    "module_of",
    "name",
    "names",
    "options_of",
    "references",
    "renamed",
    "statement",
    "taken_apart",
    "tokens",
    "unquoted",
    "words",
]
