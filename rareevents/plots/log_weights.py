"""The weights of draws."""
from __future__ import annotations

from typing import Any

import numpy as np

from rareevents.plots.look import EXACT, NAIVE, SAMPLED, axes_of, style

BARS = 60                     # the most in a histogram


def log_weights(log_weight: np.ndarray, inside: np.ndarray, bound: float | None = None, ax: Any = None) -> Any:
    """The distribution of log10 p/q over draws of the proposal, those in the event marked.

    Parameters
    ----------
    log_weight : array
        log p/q of each draw, in nats.
    inside : array of bool
        Whether the event happened.
    bound : float, optional
        A proven bound on the weight over the event, as a dashed line.
    """
    with style():
        ax = axes_of(ax)
        values = log_weight / np.log(10.0)
        distinct = np.unique(values)
        if len(distinct) <= BARS:                         # a law of counts: a bar for each weight, as wide as fits
            width = 0.8 * np.diff(distinct).min(initial=1.0)
            edges = np.sort(np.concatenate([distinct - 0.5 * width, distinct + 0.5 * width]))
        else:
            edges = np.linspace(distinct[0], distinct[-1], BARS + 1)
        ax.hist(values[~inside], edges, color=NAIVE, alpha=0.55, label="outside the event", hatch="///",
                edgecolor="white", linewidth=0.3)
        ax.hist(values[inside], edges, color=SAMPLED, alpha=0.9, label="in the event")
        if bound:
            ax.axvline(np.log10(bound), color=EXACT, linestyle="--", linewidth=1.2, label="proven bound on the event")
        ax.axvline(0.0, color="0.5", linewidth=1.0, linestyle=":", label="weight 1: naive Monte Carlo")
        ax.set(yscale="log", xlabel="log10 of the weight p/q", ylabel="draws", title="Weights of the draws")
        ax.legend(loc="best")
    return ax
