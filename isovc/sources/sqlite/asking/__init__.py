"""Questions in SQL to tables that lie elsewhere: declared, bounded, answered row by row or filled. Knows no trees."""

from isovc.sources.sqlite.asking.filling import TooLarge, fill_file
from isovc.sources.sqlite.asking.functions import TableFunction
from isovc.sources.sqlite.asking.keyed import Keyed, Scan
from isovc.sources.sqlite.asking.opening import in_memory, live, of_file
from isovc.sources.sqlite.asking.questions import Connection, Parameters, Question, Questions
from isovc.sources.sqlite.asking.virtual import Meter, TooMuch

__all__ = [
    "Connection",
    "Keyed",
    "Meter",
    "Parameters",
    "Question",
    "Questions",
    "Scan",
    "TableFunction",
    "TooLarge",
    "TooMuch",
    "fill_file",
    "in_memory",
    "live",
    "of_file",
]
