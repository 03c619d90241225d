"""What can be read off the text of a CREATE statement without parsing all of SQL. Knows nothing of connections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from isovc.sql.quote import name

# One token: blanks, comments, quoted things, words and numbers, any other single character. Quoted things that do not
# end reach to the end of the text, as in SQLite.
_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<quoted>'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
      | (?P<word>[\w$]+)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)


_HEAD_TOKENS = 5000  # a trigger can name 2,000 columns with commas between before it says what it does


def tokens(sql: str) -> Iterator[tuple[str, int, int]]:
    """Every token but blanks and comments, with where it begins and ends."""
    for match in _TOKEN.finditer(sql):
        if match.lastgroup != "blank":
            yield match.group(), match.start(), match.end()


def unquoted(token: str) -> str:
    """The name a token stands for.

    >>> unquoted('"a ""b"'), unquoted("[c d]"), unquoted("e")
    ('a "b', 'c d', 'e')
    """
    if token[:1] in ("'", '"', "`"):
        return token[1:-1].replace(token[0] * 2, token[0])
    return token[1:-1] if token[:1] == "[" else token


def module_of(sql: str) -> str:
    """The module of a CREATE VIRTUAL TABLE; empty for any other statement.

    >>> module_of('CREATE VIRTUAL TABLE "using" USING fts5(a, b)')
    'fts5'
    """
    words = [token for token, _, _ in _first(tokens(sql), 12)]
    if [word.upper() for word in words[:3]] != ["CREATE", "VIRTUAL", "TABLE"]:
        return ""
    rest = words[6:] if [word.upper() for word in words[3:6]] == ["IF", "NOT", "EXISTS"] else words[3:]
    after = rest[3:] if rest[1:2] == ["."] else rest[1:]
    return unquoted(after[1]) if len(after) > 1 and after[0].upper() == "USING" else ""


def event_of(sql: str) -> tuple[str, tuple[str, ...]]:
    """What sets off a CREATE TRIGGER, and the columns where it says UPDATE OF.

    >>> event_of('CREATE TRIGGER "update" BEFORE UPDATE OF a, "b c" ON t BEGIN SELECT 1; END')
    ('UPDATE', ('a', 'b c'))
    """
    words = [token for token, _, _ in _first(tokens(sql), _HEAD_TOKENS)][3:]  # behind its name
    upper = [word.upper() for word in words]
    at = next((at for at, word in enumerate(upper) if word in ("INSERT", "DELETE", "UPDATE")), None)
    if at is None:
        return "", ()
    columns = words[at + 2 : upper.index("ON", at)] if upper[at + 1 : at + 2] == ["OF"] and "ON" in upper[at:] else []
    return upper[at], tuple(unquoted(column) for column in columns if column != ",")


def mentioned(sql: str) -> set[str]:
    """Every name that may stand in the text, and all its other words too.

    >>> sorted(mentioned('CREATE VIEW v AS SELECT "a b" FROM t -- u'))
    ['AS', 'CREATE', 'FROM', 'SELECT', 'VIEW', 'a b', 't', 'v']
    """
    return {unquoted(token) for token, _, _ in tokens(sql)}


def options_of(sql: str) -> dict[str, str]:
    """The arguments of a CREATE VIRTUAL TABLE that are written `name = value`, names in lower case.

    >>> options_of("CREATE VIRTUAL TABLE f USING fts5(a, content='my t', Content_RowID=id)")
    {'content': 'my t', 'content_rowid': 'id'}
    """
    words = [token for token, _, _ in tokens(sql)]
    return {
        unquoted(words[at - 1]).lower(): unquoted(words[at + 1])
        for at in range(1, len(words) - 1)
        if words[at] == "=" and words[at + 1] not in (",", ")")
    }


def added_columns(old: str, new: str) -> tuple[str, ...]:
    """Column definitions that stand at the end of `new` and make it from `old`; empty where it is not as simple.

    >>> added_columns("CREATE TABLE t(a, b)", "CREATE TABLE t(a, b, c INT)")
    ('c INT',)
    """
    closing = _closing(old)
    if closing is None or not new.startswith(old[:closing]) or not new.endswith(old[closing:]):
        return ()
    between = new[closing : len(new) - len(old) + closing]
    found, depth, begin = [], 0, 0
    for token, start, _ in tokens(between):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            return ()
        if token == "," and depth == 0:
            found.append(between[begin:start])
            begin = start + 1
    found.append(between[begin:])
    # the text begins with the comma that parts it from the old columns, so the first piece is blank
    pieces = tuple(piece.strip() for piece in found[1:])
    return pieces if not found[0].strip() and all(pieces) else ()


def renamed(sql: str, table: str) -> str:
    """A CREATE TABLE with another name; the text is as SQLite keeps it, so the name is its third word.

    >>> renamed("CREATE TABLE 'old' (a)", "new")
    'CREATE TABLE "new" (a)'
    """
    *_, (_, start, end) = _first(tokens(sql), 3)
    return sql[:start] + name(table) + sql[end:]


def statement(sql: str) -> str:
    """The text closed with a semicolon that a comment at its end cannot swallow."""
    last = max((end for _, _, end in tokens(sql)), default=0)
    return f"{sql};" if "--" not in sql[last:] else f"{sql}\n;"


def _closing(sql: str) -> int | None:
    """Where the column list of a CREATE TABLE closes."""
    depth = 0
    for token, start, _ in tokens(sql):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == ")" and depth == 0:
            return start
    return None


def _first(items: Iterator[tuple[str, int, int]], count: int) -> list[tuple[str, int, int]]:
    return [item for item, _ in zip(items, range(count), strict=False)]
