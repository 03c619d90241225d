"""Records docs/recording.svg: a terminal in which real commands run, drawn as text that appears.

Run again when what the commands show has changed; a test compares the words.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
SVG = ROOT / "docs" / "recording.svg"

_BEFORE = (
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, item TEXT, price REAL);"
    "INSERT INTO orders VALUES (1, 'tea', 4.5), (2, 'cup', 12.0), (3, 'pot', 30.0)"
)
COMMANDS = (
    "isovc init shop.db",
    'isovc commit -m "the shop as it was"',
    'sqlite3 shop.db "UPDATE orders SET price = 0"    # oh no, the WHERE',
    "isovc diff",
    "isovc checkout HEAD -t orders",
    'sqlite3 shop.db "SELECT item, price FROM orders"',
    "isovc undo    # a command that was wrong is taken back as well",
    "isovc redo",
)

_COLUMNS, _CELL, _LINE, _EDGE, _TOP = 84, 8.43, 20, 16, 44  # characters; pixels: a character's width, a line's height
_KEY, _ANSWER, _READ, _REST = (
    0.045,
    0.35,
    1.1,
    4.0,
)  # seconds: a key, until an answer, to read it, before it begins again
_COLORS = {31: "r", 32: "g", 33: "y", 34: "b", 35: "m", 36: "c"}
_STYLE = """
  .screen { fill: #0d1117 } .dot { fill: #484f58 }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #e6edf3; white-space: pre }
  .p { fill: #7ee787 } .r { fill: #ff7b72 } .g { fill: #7ee787 } .y { fill: #e3b341 } .b { fill: #79c0ff }
  .m { fill: #d2a8ff } .c { fill: #76e3ea } .t { font-weight: 700 } .n { fill: #8b949e }"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters, where they stand, and the second at which they appear."""

    line: int
    column: int
    text: str
    style: str
    second: float


def record(folder: Path) -> list[tuple[str, list[str]]]:
    """Each command with the lines it shows on a terminal, colors and all."""
    home = folder / "home"
    home.mkdir()
    program = home / "isovc"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m isovc "$@"\n'
    )
    program.chmod(0o755)
    subprocess.run(["sqlite3", "shop.db", _BEFORE], cwd=folder, check=True)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    path = f"{home}:{os.environ['PATH']}"
    environment = {**kept, "HOME": str(home), "PATH": path, "TERM": "xterm-256color", "PAGER": "cat", "TZ": "UTC"}
    return [(command, _run(command, folder, environment)) for command in COMMANDS]


def _run(command: str, folder: Path, environment: dict[str, str]) -> list[str]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, _COLUMNS, 0, 0))
    running = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the way Linux says that nobody has the other end open any more
            break
        if not more:
            break
        said += more
    os.close(ours)
    if running.wait() != 0:
        raise SystemExit(f"{command} ended with {running.returncode}: {said.decode()}")
    plain = re.sub(
        r"\x1b\[[0-9;?]*[A-LN-Za-ln-z]|\x1b[=>]", "", said.decode()
    )  # what moves the cursor is for bars only
    return [line.rsplit("\r", 1)[-1] for line in plain.replace("\r\n", "\n").rstrip("\n").split("\n")] if plain else []


def drawn(recorded: list[tuple[str, list[str]]]) -> str:
    """The recording as an SVG that moves by itself."""
    pieces, lines, seconds = _pieces(recorded)
    width, height = 2 * _EDGE + _COLUMNS * _CELL, _TOP + lines * _LINE + _EDGE
    moments = {second: number for number, second in enumerate(sorted({piece.second for piece in pieces}))}
    total = seconds + _REST
    rules = [
        f"@keyframes k{number}{{0%{{opacity:0}}{100 * second / total:.2f}%{{opacity:1}}}}"
        f".k{number}{{animation:k{number} {total:.1f}s step-end infinite}}"
        for second, number in moments.items()
    ]
    still = "@media (prefers-reduced-motion: reduce) { text { animation: none !important } }"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
            "<title>A database comes under version control, and a bad UPDATE is taken back</title>",
            f"<style>{_STYLE}\n{''.join(rules)}\n{still}</style>",
            f'<rect class="screen" width="{width:.0f}" height="{height}" rx="10"/>',
            *(f'<circle class="dot" cx="{24 + 20 * dot}" cy="20" r="6"/>' for dot in range(3)),
            *(_text(piece, moments[piece.second]) for piece in pieces),
            "</svg>\n",
        ]
    )


def _text(piece: Piece, moment: int) -> str:
    x, y = _EDGE + piece.column * _CELL, _TOP + (piece.line + 0.75) * _LINE
    style = f"{piece.style} k{moment}".strip()
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:g}" data-line="{piece.line}">{escape(piece.text, quote=False)}</text>'
    )


def _pieces(recorded: list[tuple[str, list[str]]]) -> tuple[list[Piece], int, float]:
    pieces, line, second = [], 0, 0.5
    for command, shown in recorded:
        pieces.append(Piece(line, 0, "$", "p", round(second, 2)))
        note = command.find("#")
        for column, key in enumerate(command):
            second += _KEY
            if key != " ":
                style = "n" if 0 <= note <= column else ""
                pieces.append(Piece(line, 2 + column, key, style, round(second, 2)))
        second += _ANSWER
        line += 1
        for text in shown:
            pieces += [Piece(line, column, run, style, round(second, 2)) for column, run, style in _runs(text)]
            line += 1
        second += _READ + 0.25 * len(shown)
    return pieces, line, second


def _runs(text: str) -> Iterator[tuple[int, str, str]]:
    """The stretches of a line that look alike: column, characters, style."""
    column, styles = 0, set[str]()
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        if part.startswith("\x1b"):
            for code in map(int, filter(None, part[2:-1].split(";"))):
                styles = styles | {"t"} if code == 1 else styles | {_COLORS[code]} if code in _COLORS else set()
            styles = styles if part != "\x1b[m" else set()
        else:
            if part.strip():
                yield column + len(part) - len(part.lstrip()), part.strip(), " ".join(sorted(styles))
            column += len(part)


def words(svg: str) -> list[str]:
    """The lines that can be read in a recording; ids as dots."""
    lines: dict[int, str] = {}
    for x, line, text in re.findall(r'x="([\d.]+)" y="[\d.]+" data-line="(\d+)">(.*?)</text>', svg, re.DOTALL):
        column = round((float(x) - _EDGE) / _CELL)
        lines[int(line)] = lines.get(int(line), "").ljust(column) + text
    return [re.sub(r"\b[0-9a-f]{12}\b", "...", lines[line].rstrip()) for line in sorted(lines)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        SVG.write_text(drawn(record(Path(made))), encoding="utf-8")
