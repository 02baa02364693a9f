"""What learners waste while they learn."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rareevents.plots.look import axes_of, looks_of, style


def learning(curves: Mapping[str, Sequence[Sequence[tuple[float, float | None]]]], draws: str = "draws",
             ylabel: str = "bits wasted, KL(q*||q)", most: float = np.inf, ax: Any = None) -> Any:
    """What the proposal of each learner wastes against the draws it has learned from: the median of its runs, and all.

    Parameters
    ----------
    curves : mapping from name to runs, each a sequence of (draws, waste or None where it is not known)
        The runs of one learner have the same draws. One called "naive" gets the colour of naive Monte Carlo.
    draws : str
        What a learner draws.
    ylabel : str
        What is wasted, with its unit: bits, or the relative variance of a draw.
    most : float
        What is larger is drawn there.
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.

    >>> import rareevents as rare
    >>> rare.plots.learning({"cross entropy": [[(1e3, 5.0), (2e3, 1.0)], [(1e3, 6.0), (2e3, 0.5)]]}).get_yscale()
    'log'
    """
    with style():
        ax = axes_of(ax)
        for name, (colour, marker, line) in looks_of(curves).items():
            values = np.array([[np.nan if waste is None else waste for _, waste in run] for run in curves[name]])
            if np.isnan(values).all():
                continue
            at, values = [place for place, _ in curves[name][0]], np.minimum(values, most)
            ax.plot(at, np.median(values, axis=0), color=colour, marker=marker, linestyle=line, markevery=0.2,
                    label=name)
            ax.fill_between(at, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.13, linewidth=0)
        ax.set(yscale="log", xlabel=f"{draws} drawn", ylabel=ylabel, title="What a learner wastes as it learns")
        ax.legend(loc="upper right", fontsize=8)
    return ax
