"""How often intervals hold the truth, each tail by itself."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rareevents.plots.look import EXACT, IDEAL, NAIVE, OTHER, SAMPLED, axes_of, style

LOOKS = ((SAMPLED, "o", "full"), (IDEAL, "s", "full"), (OTHER, "D", "none"))


class Covered(NamedTuple):
    """Runs of one configuration: how many intervals lie below the truth, and above it."""

    below: int
    above: int
    runs: int
    kind: str = ""                # which intervals: a marker for each kind
    rival: float | None = None    # the coverage of other intervals from the same draws


def coverage(rows: Mapping[str, Covered | None], confidence: float = 0.95, limits: Sequence[float] = (),
             kinds: Sequence[str] = ("",), least: float = 0.84, rival: str = "other intervals", ax: Any = None) -> Any:
    """A dumbbell for each configuration: the coverage c = 1 - (b + a)/n, and 1 - 2b/n and 1 - 2a/n, its tails.

    b and a of n intervals lie below and above the truth; both ends are at c where the tails are alike.

    Parameters
    ----------
    rows : mapping from name to Covered or None
        From the top down; a name with None is a heading, one with no runs an empty line.
    confidence : float
        What the intervals claim, as a line.
    limits : sequence of float
        What a coverage should lie between, as dashed lines.
    kinds : sequence of str
        The kinds of intervals, at most three, each with a marker of its own.
    least : float
        Where the axis begins; what is lower is drawn there.
    rival : str
        What the other intervals are.
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.

    >>> import rareevents as rare
    >>> rare.plots.coverage({"tuned": rare.plots.Covered(30, 20, 1000)}).get_xlabel()
    'coverage in %'
    """
    looks = dict(zip(kinds, LOOKS, strict=False))
    heights, height = {}, 0.0
    for name, row in rows.items():
        height -= 1.5 if row is None else 1.0
        heights[name] = height
    with style():
        ax = axes_of(ax)
        inside = [heights[name] for name, row in rows.items() if row is not None]
        ax.hlines(inside, 100.0 * least, 100.0, color="0.93", linewidth=0.6, zorder=0)
        ax.axvline(100.0 * confidence, color="0.75", linewidth=1.0, zorder=1)
        for limit in limits:
            ax.axvline(100.0 * limit, color=EXACT, linestyle="--", linewidth=1.0, zorder=1)
        for name, row in rows.items():
            if row is not None and row.runs:
                _dumbbell(ax, heights[name], row, looks[row.kind], least)
        for kind, (colour, marker, fill) in looks.items():
            ax.plot([], [], color=colour, marker=marker, fillstyle=fill, linestyle="none",
                    label=f"coverage, {kind}" if kind else "coverage")
        ax.plot([], [], color=NAIVE, marker="<", linestyle="none", label="tail: intervals below the truth")
        ax.plot([], [], color=EXACT, marker=">", linestyle="none", label="tail: intervals above the truth")
        if any(row is not None and row.rival is not None for row in rows.values()):
            ax.plot([], [], color="0.4", marker="x", linestyle="none", label=f"coverage, {rival}")
        ax.set(xlim=(100.0 * least - 0.7, 100.7), ylim=(height - 0.8, -0.5), xlabel="coverage in %",
               title="How often the intervals hold the truth")
        ax.set_yticks(list(heights.values()), list(heights), fontsize=8)
        for label, row in zip(ax.get_yticklabels(), rows.values(), strict=True):
            label.set_fontweight("bold" if row is None else "normal")
        ax.tick_params(axis="y", length=0)
        ax.grid(False)
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.06))
    return ax


def _dumbbell(ax: Any, y: float, row: Covered, look: tuple[str, str, str], least: float) -> None:
    """One configuration."""
    colour, marker, fill = look
    ends = [100.0 * max(least, 1.0 - 2.0 * side / row.runs) for side in (row.below, row.above)]
    ax.plot(ends, [y, y], color="0.7", linewidth=1.2, zorder=2)
    ax.plot(ends[0], y, color=NAIVE, marker="<", markersize=4, zorder=3)
    ax.plot(ends[1], y, color=EXACT, marker=">", markersize=4, zorder=3)
    if row.rival is not None:
        ax.plot(100.0 * max(least, row.rival), y, color="0.4", marker="x", markersize=4, zorder=4)
    share = 1.0 - (row.below + row.above) / row.runs
    ax.plot(100.0 * max(least, share), y, color=colour, marker=marker, fillstyle=fill, markersize=5, zorder=5)
