"""Nominal law, proposal and ideal proposal."""
from __future__ import annotations

from typing import Any

import numpy as np

from rareevents.distributions import Distribution
from rareevents.plots.look import IDEAL, NAIVE, SAMPLED, axes_of, style, whole_ticks


def distributions(nominal: Distribution, proposal: Distribution, inside: np.ndarray, x: np.ndarray,
                  label: str = "x", ax: Any = None) -> Any:
    """The nominal law p, the proposal q and the ideal proposal q* = f p / mu, with the event shaded.

    Parameters
    ----------
    nominal, proposal : Distribution
        Laws of counts.
    inside : array of bool
        Whether the event happens at each x; at one of them at least it has a probability above 0.
    x : array of int
        Consecutive values to show.
    label : str
        What x counts.
    """
    p, q = np.exp(nominal.log_prob(x)), np.exp(proposal.log_prob(x))
    if not p[inside].any():
        raise ValueError(f"inside must be true at an x with a probability above 0: {nominal!r} has none for the event "
                         f"among the {len(x)} values of x")
    with style():
        ax = axes_of(ax)
        ideal = np.where(inside, p, 0.0)
        ideal = ideal / ideal.sum()
        for start, stop in _stretches(inside):
            ax.axvspan(x[start] - 0.5, x[stop - 1] + 0.7, color="0.86", zorder=0, linewidth=0,
                       label="the event" if start == _stretches(inside)[0][0] else None)
        for y, colour, marker, line, name in ((p, NAIVE, "x", "-", "nominal p"), (q, SAMPLED, "o", "-", "proposal q"),
                                               (ideal, IDEAL, "s", "-.", "ideal q*")):
            shown = y > 0.0
            ax.plot(x[shown], y[shown], color=colour, marker=marker, linestyle=line, linewidth=1.4, label=name,
                    markersize=4.5)
        floor = 0.3 * min(p[inside].max(), q.max() or 1.0)
        ax.set(yscale="log", xlabel=label, ylabel="probability", ylim=(floor * 1e-2, 2.0),
               xlim=(x[0] - 0.7, x[-1] + 0.7), title="Nominal law, proposal and ideal proposal")
        ax.xaxis.set_major_locator(whole_ticks())
        ax.legend(loc="upper right", ncols=2, frameon=True, framealpha=1.0, edgecolor="white")
    return ax


def _stretches(inside: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
