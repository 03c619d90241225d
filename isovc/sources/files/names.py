"""Which paths a folder can hold: none that leaves it, none that is kept for isovc. Knows nothing of disks."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import normalize

from isovc.errors import PathLeavesFolder

FILES_NEW = ".isovc-new"  # the folder in which files are made before they get their names
REPOSITORY = ".isovc"
RESERVED = (REPOSITORY, FILES_NEW)

# Code points that a file system for people may leave out when it compares names: ".iso\u200cvc" is ".isovc" there.
_UNSEEN = dict.fromkeys(
    [0x00AD, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)


def encoded(path: str) -> bytes:
    """The bytes the operating system knows it by, whatever the locale says."""
    return path.encode("utf-8", "surrogateescape")


def decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def is_text(name: str) -> bool:
    """Whether its bytes are UTF-8."""
    return not any("\udc80" <= letter <= "\udcff" for letter in name)


def folded(name: str, *, case: bool = True, forms: bool = True) -> str:
    """What is left of a name where case, or the forms of a letter with its accents, make no difference."""
    if name.isascii():
        return name.lower() if case else name
    if forms:
        name = normalize("NFD", name)
    if case:
        name = name.casefold()
    return normalize("NFC", name) if forms else name


def above(path: str) -> list[str]:
    """The folders that a path needs, the outermost first."""
    return [path[:place] for place, letter in enumerate(path) if letter == "/"]


def is_reserved(name: str) -> bool:
    """Whether one part of a path would be taken for a folder of isovc, on whatever file system."""
    if name.isascii():
        return name[:1] == "." and name.lower() in RESERVED
    return folded(name.translate(_UNSEEN)) in RESERVED


def parts_of(path: str) -> tuple[bytes, ...]:
    """The parts of a path that lies inside the folder; anything else is refused."""
    try:
        raw = encoded(path)
    except UnicodeEncodeError:
        raise PathLeavesFolder(path=path, why="it holds half a character") from None
    if decoded(raw) != path:
        # Two spellings of one name: the second would overwrite the first.
        raise PathLeavesFolder(path=path, why="its bytes are text and are not written as such")
    if b"\0" in raw:
        raise PathLeavesFolder(path=path, why="it holds a NUL")
    if not raw:
        raise PathLeavesFolder(path=path, why="it is empty")
    if raw.startswith(b"/"):
        raise PathLeavesFolder(path=path, why="it begins at the root of the file system")
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise PathLeavesFolder(path=path, why=f"a part of it is {part!r}")
        if is_reserved(part):
            raise PathLeavesFolder(path=path, why=f"{part} is kept for isovc itself")
    return tuple(raw.split(b"/"))


def collisions(paths: Iterable[str], *, case: bool = True, forms: bool = True) -> list[tuple[str, ...]]:
    """Groups of spellings that would be one name where case (or the form of accents) makes no difference; folders too,
    the outermost first: of A/x and a/x both (A, a) and (A/x, a/x)."""
    spellings: dict[str, set[str]] = {}
    known = {"": ""}  # every folder and path, folded
    for path in paths:
        for one in (*above(path), path) if path.rpartition("/")[0] not in known else (path,):
            if one not in known:
                folder, _, name = one.rpartition("/")
                known[one] = f"{known[folder]}/{folded(name, case=case, forms=forms)}"
                spellings.setdefault(known[one], set()).add(one)
    return [tuple(sorted(group)) for _, group in sorted(spellings.items()) if len(group) > 1]
