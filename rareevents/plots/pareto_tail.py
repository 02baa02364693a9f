"""How the largest terms fall off."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rareevents.estimates import Estimate
from rareevents.plots.look import EXACT, axes_of, looks_of, style
from rareevents.tails import pareto_k, tail_size

POINTS = 150                  # of a tail that are drawn, at most
LOWEST = 0.5                  # of the share of one term: where the axis ends


def pareto_tail(estimates: Mapping[str, Estimate], ax: Any = None) -> Any:
    """P(Y > y | Y > u) of the largest terms Y = |f| p/q against y/u, beside (y/u)^-2, the slope at k = 1/2.

    u is the term below the M largest ones to which k-hat is fitted. A tail that goes on less steeply than the
    dashed line looks, as far as these draws can show, like one without a variance; one that bends down is bounded.
    Without a k-hat the terms are few, or tie.

    Parameters
    ----------
    estimates : mapping from name to Estimate
        Each of one quantity that was drawn; one with too few hits for a tail is named in the legend only.
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    ValueError
        If an estimate has several quantities or was not made of weighted draws.

    Source: Vehtari, Simpson, Gelman, Yao and Gabry (2024), JMLR 25, section 2.

    >>> import rareevents as rare
    >>> found = rare.estimate(rare.Exponential(1.0), rare.at_least(5.0), rare.Exponential(0.2), samples=10_000)
    >>> rare.plots.pareto_tail({"rate 0.2": found}).get_title("left")
    'The largest terms'
    """
    with style():
        ax = axes_of(ax)
        looks = looks_of(estimates)
        farthest, lowest = 2.0, 1.0
        for name, estimate in estimates.items():
            terms = estimate._terms
            if terms is None:
                raise ValueError(f"estimates must be of one quantity and made of weighted draws, got {name!r} of kind "
                                 f"{estimate.kind!r} by {estimate.interval_method}")
            colour, marker, line = looks[name]
            size = tail_size(terms.largest, terms.hits)
            if size < 1:
                ax.plot([], [], color=colour, marker=marker, linestyle="none", label=f"{name}: no tail to see")
                continue
            k = pareto_k(terms.largest, terms.hits)
            above = terms.largest[:size] / terms.largest[size]
            drawn = np.unique(np.geomspace(1, size, POINTS).astype(int)) - 1         # all of them look the same
            ax.step(above[drawn], (drawn + 1) / size, where="pre", color=colour, linestyle=line, marker=marker,
                    markevery=0.12, label=f"{name}: " + ("no k-hat" if k is None else f"k-hat {k:.2f}"))
            farthest, lowest = max(farthest, above[0]), min(lowest, 1.0 / size)
        guide = np.array([1.0, farthest * 1.5])
        ax.plot(guide, guide ** -2, color=EXACT, linestyle="--", linewidth=1.2,
                label="slope at k = 1/2")
        ax.set(xscale="log", yscale="log", ylim=(LOWEST * lowest, 1.3), xlabel="term over the cutoff, y/u",
               ylabel="share of the tail beyond y", title="The largest terms")
        ax.legend(loc="best")
    return ax
