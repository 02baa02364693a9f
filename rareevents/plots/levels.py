"""Laws that rise, one above the other."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rareevents.plots.look import EXACT, IDEAL, SAMPLED, axes_of, style


def levels(laws: Mapping[str, np.ndarray], ideal: np.ndarray, x: np.ndarray, threshold: float, label: str = "x",
           ax: Any = None) -> Any:
    """A ridge: the law of each round above the last one's, and the ideal proposal q* on top; each to its own scale.

    Parameters
    ----------
    laws : mapping from name to array
        The probability of each x under the law of each round, in their order.
    ideal : array
        That of q*.
    x : array of int
        Consecutive values to show.
    threshold : float
        Where the event begins, as a dotted line.
    label : str
        What x counts.
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.

    >>> import numpy as np, rareevents as rare
    >>> x = np.arange(30)
    >>> laws = {f"round {k}": np.exp(rare.Poisson(5.0 * k).log_prob(x)) for k in (1, 2, 3)}
    >>> rare.plots.levels(laws, np.where(x >= 15, laws["round 1"], 0.0), x, 14.5).get_xlabel()
    'x'
    """
    with style():
        ax = axes_of(ax)
        rows = {**laws, "q*, the ideal proposal": ideal}
        for i, (name, density) in enumerate(rows.items()):
            colour = IDEAL if i == len(rows) - 1 else SAMPLED
            height = i + 0.9 * density / density.max()
            ax.fill_between(x, i, height, color=colour, alpha=0.25, step="mid", hatch="///" if colour == IDEAL else "",
                            linewidth=0.0, edgecolor=colour)
            ax.step(x, height, where="mid", color=colour, linewidth=1.2)
            ax.text(x[-1], i + 0.12, name, ha="right", fontsize=9)
        ax.axvline(threshold, color=EXACT, linestyle=":", linewidth=1.2)
        ax.set(yticks=[], xlabel=label, title="The levels rise, and the law settles on q*")
    return ax
