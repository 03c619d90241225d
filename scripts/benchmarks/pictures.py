"""The results as pictures: how many times the peer's time each workload takes, and how time grows with the rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matplotlib import pyplot, rcParams
from registry import FULL
from report import Result

pyplot.switch_backend("svg")
rcParams["svg.hashsalt"] = "isovc"  # the same results give the same file

_FASTER, _SLOWER, _MISSED = "#2a7f62", "#8a8f98", "#c0392b"
_GROWN = ("first commit", "commit 1,000 scattered updates", "diff of 1,000 scattered changes", "scan of all rows")


def draw(folder: Path, results: Iterable[Result]) -> list[Path]:
    """Write all pictures that the results give."""
    found = list(results)
    return [*_ratios(folder, found), *_growth(folder, found)]


def _ratios(folder: Path, results: list[Result]) -> list[Path]:
    told = [one for one in results if one.ratio and one.against and one.rows == FULL]
    if not told:
        return []
    told.sort(key=lambda one: one.ratio or 0, reverse=True)
    figure, axes = pyplot.subplots(figsize=(10, 0.32 * len(told) + 1.2), layout="constrained")
    colors = [_MISSED if one.holds is False else _FASTER if (one.ratio or 0) <= 1 else _SLOWER for one in told]
    axes.barh(range(len(told)), [(one.ratio or 1) - 1 for one in told], left=1, color=colors, height=0.7)
    axes.set_xscale("log")
    axes.set_yticks(range(len(told)), [f"{one.name}, against {one.against}" for one in told], fontsize=8)
    for place, one in enumerate(told):
        axes.annotate(
            f"{one.ratio:.2f}",
            (max(one.ratio or 1, 1), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    axes.axvline(1, color="#333333", linewidth=0.8)
    axes.set_xlabel("times the peer's time (log scale): green is faster than the peer, red misses its limit")
    axes.margins(x=0.08, y=0.01)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return _saved(figure, folder / "ratios")


def _growth(folder: Path, results: list[Result]) -> list[Path]:
    lines = {name: sorted((one for one in results if one.name == name), key=lambda one: one.rows) for name in _GROWN}
    lines = {name: several for name, several in lines.items() if len(several) > 1}
    if not lines:
        return []
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, several in lines.items():
        (line,) = axes.plot(
            [one.rows for one in several],
            [one.contenders["isovc"].minimum for one in several],
            marker="o",
            label=f"{name}: isovc",
        )
        peers = [(one.rows, one.contenders[one.against].minimum) for one in several if one.against in one.contenders]
        if peers:
            axes.plot(*zip(*peers, strict=True), marker=".", linestyle=":", color=line.get_color(), label="its peer")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("rows in the table")
    axes.set_ylabel("seconds")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, frameon=False)
    return _saved(figure, folder / "growth")


def _saved(figure: pyplot.Figure, path: Path) -> list[Path]:
    paths = [path.with_suffix(ending) for ending in (".svg", ".png")]
    for each in paths:
        figure.savefig(each, dpi=140, metadata={"Date": None} if each.suffix == ".svg" else None)
    pyplot.close(figure)
    return paths
