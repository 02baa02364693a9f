"""What each method paid and how well it knows the answer."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rareevents.plots.look import axes_of, looks_of, style


def frontier(points: Mapping[str, Sequence[tuple[float, float]]], cost: str = "draws", ax: Any = None) -> Any:
    """Relative error R against the cost c of each method; on a grey line R^2 c is the same, so any run can be compared.

    Parameters
    ----------
    points : mapping from name to sequence of (cost, relative error)
        Both above 0; several runs of one method are joined. One called "naive" gets the colour of naive Monte Carlo.
    cost : str
        What the cost counts: "draws", "seconds".
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    ValueError
        If there is no point, or one is not positive and finite.

    >>> import rareevents as rare
    >>> ax = rare.plots.frontier({"naive": [(1e6, 0.1)], "tilted": [(1e4, 0.03), (1e5, 0.01)]})
    >>> ax.get_ylabel()
    'relative error'
    """
    every = np.array([point for found in points.values() for point in found], float).reshape(-1, 2)
    if not len(every) or not (np.isfinite(every) & (every > 0.0)).all():
        raise ValueError(f"points must hold pairs (cost, relative error) above 0, at least one, got {dict(points)!r}")
    with style():
        ax = axes_of(ax)
        (low, bottom), (high, top) = (10.0 ** whole(np.log10(every * room)).astype(float) for whole, room in (
            (lambda x: np.floor(x.min(axis=0)), 0.8), (lambda x: np.ceil(x.max(axis=0)), 1.25)))
        work = np.log10(every[:, 1] ** 2 * every[:, 0])
        for power in range(int(np.floor(work.min())), int(np.ceil(work.max())) + 1):
            ends = np.array([low, high])
            ax.plot(ends, np.sqrt(10.0 ** power / ends), color="0.8", linewidth=0.8, zorder=0,
                    label=f"equal R² times {cost}, ten times apart" if power == int(np.floor(work.min())) else None)
        for name, (colour, marker, line) in looks_of(points).items():
            at, error = np.array(sorted(points[name])).T
            ax.plot(at, error, color=colour, marker=marker, markersize=8, linestyle=line if len(at) > 1 else "none",
                    label=name)
        ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, top), xlabel=cost, ylabel="relative error",
               title="What each method paid, and what it knows")
        ax.grid(False)
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
