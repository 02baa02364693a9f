"""The running estimate."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rareevents.estimates import Estimate
from rareevents.plots.look import EXACT, axes_of, looks_of, style


def running(estimates: Mapping[str, Estimate], exact: float | None = None, ax: Any = None) -> Any:
    """The running estimates with their intervals against the number of draws.

    Parameters
    ----------
    estimates : mapping from name to Estimate
        Drawn in this order; one called "naive" gets the colour of naive Monte Carlo.
    exact : float, optional
        The true value, as a dashed line.
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.
    """
    with style():
        ax = axes_of(ax)
        looks = looks_of(estimates)
        lowest = []
        histories = {name: np.array(estimate.history(), float).T for name, estimate in estimates.items()}
        signed = any((value < 0.0).any() for _, value, *_ in histories.values())        # no log axis, 0 is a value
        for i, (name, (n, value, low, high, _)) in enumerate(histories.items()):
            colour, marker, line = looks[name]
            hit = (value > 0.0) | signed
            ax.plot(n[hit], value[hit], color=colour, linestyle=line, marker=marker, markevery=0.15,
                    label=name if hit.any() else None)
            base = np.where((low > 0.0) | signed, low, high * 1e-3)
            ax.fill_between(n, base, high, where=hit, color=colour, alpha=0.16, linewidth=0)
            if not hit.all():
                known = ~hit & np.isfinite(high)
                ax.plot(n[known], high[known], color=colour, linestyle=(0, (1, 1.5 + i)), marker="v", markevery=0.15,
                        label=f"{name}: no hit yet, {'upper' if known.any() else 'no'} bound")
            lowest += [*np.maximum(low, 0.03 * value)[hit]]
        if exact is not None:
            ax.axhline(exact, color=EXACT, linestyle="--", linewidth=1.2, label=f"exact {exact:.4g}", zorder=1)
            lowest.append(exact)
        scale = "log" if np.isfinite(ax.dataLim.x0) else "linear"          # neither a hit nor a bound: no point at all
        ax.set(xscale=scale, yscale="linear" if signed else scale, xlabel="draws", ylabel="estimate, with interval",
               title="Running estimate")
        if lowest and not signed:
            ax.set_ylim(bottom=0.8 * min(lowest))
        ax.legend(loc="best")
    return ax
