"""Which room may import what, and what rooms below the command line must not do. Reads code; never runs it.

`breaches(package)` walks a package folder and returns one sentence for each breach. The lists below are the design.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# From the top down; rooms on one line never import each other.
LAYERS: list[set[str]] = [
    {"cli"},
    {"server"},
    {"api"},
    {"lifecycle"},
    {"workspace"},
    {"repo"},
    {"snapshot"},
    {"tree", "blobs", "sources", "formats", "history"},
    {"store", "sql", "model"},
    {"encoding"},
    {"errors", "progress", "disk"},
]
PACKAGE = "isovc"
LEVEL = {room: height for height, rooms in enumerate(reversed(LAYERS)) for room in rooms}

# The command line sees people's notions only: what lies under a repository is none of its business.
FORBIDDEN = {"cli": {"store", "tree", "encoding"}}

HOME = {
    "apsw": {"sources"},
    "sqlite3": {"store"},  # two SQLite libraries on one file drop each other's locks, so each has files of its own
    "pygit2": {"history"},
    "pyfastcdc": {"blobs"},
    "typer": {"cli"},
    "rich": {"cli"},
    "blake3": {"encoding"},
    "msgpack": {"encoding"},
    "xxhash": {"encoding"},
    "zstandard": {"encoding"},
    "pathspec": {"sources"},
    "sqlite_utils": {"sources"},
    "cryptography": {"encoding"},
    "pyarrow": {"formats"},
}

# Not installed everywhere, so they are imported where they are used, and nowhere else.
OPTIONAL = {"cryptography", "pyarrow"}

# Where a module may be loaded by name at run time: commands that are imported when typed, rich when something is drawn.
MAY_LOAD = {"cli"}

# The front of the house shows the names of this room. It imports them for type checkers alone, and loads the room by
# this very name when somebody asks for one of them: `isovc --version` must not wait for it.
DOOR = "api"

SILENT_CALLS = {"print", "input", "exit", "quit", "breakpoint"}
SILENT_ATTRIBUTES = {
    ("sys", "exit"),
    ("sys", "stdout"),
    ("sys", "stderr"),
    ("sys", "stdin"),
    ("sys", "argv"),
    ("os", "_exit"),
    ("os", "environ"),
    ("os", "environb"),
    ("os", "getenv"),
    ("os", "getenvb"),
    ("os", "putenv"),
}


@dataclass(frozen=True, slots=True)
class Import:
    """One module that is imported, and where. `for_types`: nowhere but in a type checker."""

    module: str
    line: int
    inside_function: bool
    for_types: bool = False


def breaches(package: Path) -> list[str]:
    """Every breach in the package, as `path:line: sentence`."""
    found = []
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package.parent).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=place)
        room = _room(path, package)
        imports = list(_imports(tree, package.name, path.relative_to(package.parent)))
        found += [f"{place}:{one.line}: {why}" for one in imports for why in _judged(one, room, package.name)]
        found += [f"{place}:{line}: {why}" for line, why in _misdeeds(tree, room)]
    return found


def _room(path: Path, package: Path) -> str:
    """The first folder or module below the package; __init__ and __main__ are the front of the house."""
    first = path.relative_to(package).parts[0].removesuffix(".py")
    return {"__init__": "", "__main__": "cli"}.get(first, first)


def _imports(tree: ast.Module, package: str, path: Path) -> Iterator[Import]:
    unseen = _for_types(tree)
    for node, inside in _walk(tree, inside_function=False):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, node.lineno, inside, node in unseen)
        elif isinstance(node, ast.ImportFrom):
            here = list(path.parts[:-1])
            base = ".".join([*here[: len(here) - node.level + 1], *([node.module] if node.module else [])])
            module = base if node.level else str(node.module)
            # `from isovc import tree` names the room only after the word import.
            for name in node.names:
                yield Import(
                    f"{module}.{name.name}" if module == package else module, node.lineno, inside, node in unseen
                )


def _for_types(tree: ast.Module) -> set[ast.AST]:
    """What stands below `if TYPE_CHECKING:` at the top of a module."""
    asked = [each for each in tree.body if isinstance(each, ast.If) and ast.unparse(each.test) == "TYPE_CHECKING"]
    return {found for each in asked for line in each.body for found in ast.walk(line)}


def _walk(node: ast.AST, *, inside_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, inside_function
        deeper = inside_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(child, inside_function=deeper)


def _judged(one: Import, room: str, package: str) -> Iterator[str]:
    top, _, rest = one.module.partition(".")
    if top != package:
        yield from _judged_outside(one, top, room)
        return
    if one.inside_function:
        yield f"{one.module} is imported inside a function"
    other = rest.partition(".")[0]
    if room == "" and rest == DOOR and one.for_types:
        return
    if other == room or (other not in LEVEL and other.startswith("__")):
        return
    if other not in LEVEL:
        yield f"{other} is no room of the design"
    elif room not in LEVEL:
        yield f"{room or package} is no room of the design, and imports {other}"
    elif LEVEL[other] == LEVEL[room]:
        yield f"{room} imports {other}, its neighbor on the same line"
    elif LEVEL[other] > LEVEL[room]:
        yield f"{room} imports {other}, which lies above it"
    elif other in FORBIDDEN.get(room, ()):
        yield f"{room} imports {other}, which it must never touch"


def _judged_outside(one: Import, library: str, room: str) -> Iterator[str]:
    if library in HOME:
        if room not in HOME[library]:
            yield f"{library} is at home in {', '.join(sorted(HOME[library]))}, not in {room}"
    elif library not in sys.stdlib_module_names:
        yield f"{library} is an outside library that has no home"
    if library in OPTIONAL:
        if not one.inside_function:
            yield f"{library} may be missing, and is imported before anybody needs it"
    elif one.inside_function:
        yield f"{one.module} is imported inside a function"


def _misdeeds(tree: ast.Module, room: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if room not in MAY_LOAD and _loads_by_name(node) and not (room == "" and _is_fetched(tree)):
            yield node.lineno, "a module is loaded by name, which hides an import"
        if room == "cli":
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SILENT_CALLS:
            yield node.lineno, f"{node.func.id}() below the command line"
        for named in _named(node) & SILENT_ATTRIBUTES:
            yield node.lineno, f"{'.'.join(named)} below the command line"


def _is_fetched(tree: ast.Module) -> bool:
    """Whether all that is loaded by name is the door, in `__getattr__`, and so only when asked for."""
    fetch = f"import_module('{PACKAGE}.{DOOR}')"
    inside = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == "__getattr__"]
    allowed = {
        node.func
        for each in inside
        for node in ast.walk(each)
        if isinstance(node, ast.Call) and ast.unparse(node) == fetch
    }
    imports = {each for each in tree.body if isinstance(each, ast.ImportFrom) and each.module == "importlib"}
    return all(node in allowed or node in imports for node in ast.walk(tree) if _loads_by_name(node))


def _named(node: ast.AST) -> set[tuple[str, str]]:
    """`module.name`, however it is spelled."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return {(node.value.id, node.attr)}
    if isinstance(node, ast.ImportFrom):
        return {(str(node.module), name.name) for name in node.names}
    return set()


def _loads_by_name(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in {"__import__", "import_module"}
    if isinstance(node, ast.Attribute):
        return node.attr == "import_module"
    return isinstance(node, ast.ImportFrom) and any(name.name == "import_module" for name in node.names)
