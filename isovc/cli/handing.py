"""Answers for other programs, byte for byte: UTF-8 whatever the terminal speaks, nothing escaped."""

from __future__ import annotations

from collections.abc import Iterable

from isovc.cli.screen import Screen, output_told


def hand_over(screen: Screen, pieces: Iterable[str | bytes]) -> None:
    """Write the pieces as they are."""
    screen.flush()
    out = getattr(screen.out, "buffer", None)
    for piece in pieces:
        with output_told():
            if out is None:
                screen.out.write(piece if isinstance(piece, str) else piece.decode("utf-8", "surrogateescape"))
            else:
                out.write(piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece)
    with output_told():
        (out or screen.out).flush()
