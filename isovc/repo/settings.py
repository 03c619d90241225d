"""Settings of a repository and of a person: declared once, checked when read. Knows nothing of what they are for."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from isovc.disk import fsync_folder, write_durably
from isovc.errors import BadIdentity, BadSetting, NoPermission, NoSuchSetting, SettingsUnreadable
from isovc.history import Identity
from isovc.repo.keeping import ALLOWED, DEFAULT, parse_policy
from isovc.repo.lists import columns, sides, tables

Plain = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set. `low` and `high` bound numbers; `in_commits`: a line of every commit holds it. `form`
    reads what is more than a text, and `takes` says how that is written. `in_one`: it is about one
    repository, and nobody's wish for all."""

    kind: type
    default: Plain
    about: str
    low: float | None = None
    high: float | None = None
    in_commits: bool = False
    form: Callable[[str], Any] | None = None
    takes: str = ""
    in_one: bool = False


_QUOTED = "names with blanks, commas, dots, equals signs or quotes stand in double quotes"

SETTINGS: dict[str, Setting] = {
    "user.name": Setting(str, "", "the name that commits carry", in_commits=True),
    "user.email": Setting(str, "", "the mail address that commits carry", in_commits=True),
    "attachments": Setting(
        str, "", "the folder, as seen from the database, whose files are part of every version", in_one=True
    ),
    "attachment-refs": Setting(
        str,
        "",
        "columns that name files by path, file name or content: notes.file",
        form=columns,
        takes=f"each column once, as TABLE.COLUMN, and commas between; {_QUOTED}",
        in_one=True,
    ),
    "busy.seconds": Setting(float, 5.0, "how long to wait for another program that holds a database", 0, 3600),
    "store.level": Setting(int, 1, "zstd level of chunks at rest", 1, 19),
    "store.chain": Setting(int, 8, "how many differences may follow each other in the store", 0, 64),
    "gc.auto": Setting(bool, True, "clean up after commands when it pays"),
    "gc.undo_days": Setting(int, 90, "days for which gc keeps what undo could need", 0, 36500),
    "audit.key": Setting(str, "", "the file of the private key that signs every operation"),
    "sql.cache": Setting(
        int, 2048, "MiB of filled tables that queries on old versions may leave in the cache", 0, 1 << 20
    ),
    "watch.keep": Setting(str, DEFAULT, "how long gc keeps which recorded states", form=parse_policy, takes=ALLOWED),
    "history.pack_after": Setting(int, 1000, "loose git objects after which they are packed", 1, 1_000_000),
    "merge.strategy": Setting(
        str,
        "",
        "tables in which one side counts where both changed something: log=theirs, settings=ours",
        form=sides,
        takes=f"each table once, with =ours or =theirs, and commas between; {_QUOTED}",
    ),
    "merge.json": Setting(
        str,
        "",
        "columns with JSON that is merged key by key: notes.tags, notes.meta",
        form=columns,
        takes=f"each column once, as TABLE.COLUMN, and commas between; {_QUOTED}",
    ),
    "merge.renumber": Setting(
        str,
        "",
        "tables whose new rows get other numbers where both sides gave the same: notes, log",
        form=tables,
        takes=f"each table once, and commas between; {_QUOTED}",
    ),
}

EMPTY_FILE = """# Settings of this repository. `isovc config` lists all there are.
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds here: the project's word over the person's, theirs over the default."""

    project: Mapping[str, Plain]
    person: Mapping[str, Plain]

    @classmethod
    def read(cls, person: Path, project: Path) -> Self:
        """The settings of these two files; a file that is not there says nothing."""
        return cls(project=read_file(project), person=read_file(person))

    def get(self, key: str) -> Plain:
        """What a setting is."""
        return self.project.get(key, self.person.get(key, _declared(key).default))

    def text(self, key: str) -> str:
        """A setting that is text."""
        return str(self.get(key))

    def whole(self, key: str) -> int:
        """A setting that is a whole number."""
        return int(self.get(key))

    def number(self, key: str) -> float:
        """A setting that is a number."""
        return float(self.get(key))

    def formed(self, key: str) -> Any:
        """What a setting says that is more than a text."""
        return _formed(key, self.text(key), "")

    def changed(self, key: str, value: Plain | None) -> Settings:
        """The same with one setting of the project set, or with None left to the person and the default."""
        others = {each: said for each, said in self.project.items() if each != key}
        return Settings(project=others if value is None else others | {key: value}, person=self.person)

    def origin(self, key: str) -> str:
        """Who said so: project, person or default."""
        return "project" if key in self.project else "person" if key in self.person else "default"


def parse(key: str, text: str, *, place: str = "") -> Plain:
    """A value as a person types it."""
    kind = _declared(key).kind
    value: Any = text
    if kind is bool:
        value = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(
            text.lower(), text
        )
    elif kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            value = text
    plain = _checked(key, value, place)
    # what stands in a file already is not refused: the command that mends it must be able to read the file
    if SETTINGS[key].in_commits and text and not _fits_a_commit(text):
        raise BadSetting(key=key, value=repr(text), allowed="one line without <, > and spaces around it", place=place)
    _formed(key, text, place)
    return plain


def _formed(key: str, text: str, place: str) -> Any:
    form = SETTINGS[key].form
    try:
        return text if form is None else form(text)
    except ValueError:
        raise BadSetting(key=key, value=repr(text), allowed=SETTINGS[key].takes, place=place) from None


def _fits_a_commit(text: str) -> bool:
    try:
        Identity(text, text).check()
    except BadIdentity:
        return False
    return True


def read_file(path: Path) -> dict[str, Plain]:
    """All that one file sets."""
    return {key: _checked(key, value, str(path)) for key, value in _flat(_read(path), path).items()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except PermissionError:
        raise NoPermission(path=path, deed="read") from None
    except UnicodeDecodeError as error:
        raise SettingsUnreadable(path=path, why=f"byte {error.start + 1} of it is no text in UTF-8") from None
    except OSError as error:
        raise SettingsUnreadable(path=path, why=_in_words(error)) from None


def _in_words(error: OSError) -> str:
    return "it is a folder" if isinstance(error, IsADirectoryError) else (error.strerror or "the disk failed").lower()


def _flat(text: str, path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsUnreadable(path=path, why=str(error)) from None
    flat: dict[str, Any] = {}
    for section, inside in found.items():
        entries = inside if isinstance(inside, dict) else {"": inside}
        for name, value in entries.items():
            key = f"{section}.{name}" if name else section
            flat[key] = value
    return flat


def write_setting(path: Path, key: str, value: Plain | None) -> None:
    """Set one value, or with None take it out; every other line stays as it is, comments too."""
    section, _, name = key.rpartition(".")
    text = _read(path)
    before = _flat(text, path)
    if value is None and key not in before:
        return
    lines = text.removesuffix("\n").split("\n") if text else []
    header = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(#.*)?")
    head = next((at for at, line in enumerate(lines) if header.fullmatch(line)), None) if section else -1
    if head is None:
        lines += [*([""] if lines else []), f"[{section}]"]
        head = len(lines) - 1
    end = next((at for at in range(head + 1, len(lines)) if lines[at].lstrip().startswith("[")), len(lines))
    place = next((at for at in range(head + 1, end) if lines[at].partition("=")[0].strip() == name), None)
    said = [] if value is None else [f"{name} = {_toml(value)}"]
    if place is not None:
        lines[place : place + 1] = said
    else:
        while end > head + 1 and re.fullmatch(r"\s*(#.*)?", lines[end - 1]):  # blanks and comments of the next section
            end -= 1
        lines[end:end] = said
    if value is None and section and not any(line.strip() for line in lines[head + 1 : end - 1]):
        del lines[head : end - 1]  # a section of ours that says nothing any more
        while lines and not lines[-1].strip():
            lines.pop()
    text = "\n".join(lines) + "\n" if lines else ""
    wanted = {each: said for each, said in before.items() if each != key} | ({} if value is None else {key: value})
    if not _says(text, path, wanted):  # dotted keys, inline tables: TOML can say it in ways that lines don't show
        raise SettingsUnreadable(path=path, why=f"{key} is written there in a way only an editor can change")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_durably(path, text.encode())
    except PermissionError:
        raise NoPermission(path=path, deed="write") from None
    except OSError as error:
        error.filename = str(path)  # and not the file that was to take its place
        error.filename2 = None
        raise
    fsync_folder(path.parent)


def _says(text: str, path: Path, wanted: Mapping[str, Any]) -> bool:
    try:
        return _flat(text, path) == wanted
    except SettingsUnreadable:
        return False


def _near(key: str) -> list[str]:
    """A setting is often asked for without its first word; more freely guessed, author would be gc.auto."""
    last = [each for each in SETTINGS if each.rpartition(".")[2] == key]
    return last or get_close_matches(key, SETTINGS, cutoff=0.7)


def _declared(key: str) -> Setting:
    try:
        return SETTINGS[key]
    except KeyError:
        raise NoSuchSetting(key=key, near=_near(key)) from None


def _checked(key: str, value: Any, place: str) -> Plain:
    if key not in SETTINGS:
        raise NoSuchSetting(key=key, near=_near(key), place=place)
    setting = SETTINGS[key]
    if setting.kind is float and type(value) is int:
        value = float(value)
    fits = type(value) is setting.kind
    if fits and setting.low is not None and setting.high is not None:
        fits = setting.low <= value <= setting.high
    if fits and isinstance(value, str) and not _is_unicode(value):
        raise BadSetting(key=key, value=repr(value), allowed="valid Unicode text", place=place)
    if not fits:
        raise BadSetting(key=key, value=repr(value), allowed=_allowed(setting), place=place)
    plain: Plain = value
    return plain


def _is_unicode(text: str) -> bool:
    return text.encode(errors="ignore").decode() == text


def _allowed(setting: Setting) -> str:
    words = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}[setting.kind]
    return words if setting.low is None else f"{words} from {setting.low:g} to {setting.high:g}"


def _toml(value: Plain) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is and TOML does not take.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
