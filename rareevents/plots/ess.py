"""The effective sample size as the draws come in."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rareevents.estimates import Estimate
from rareevents.plots.look import axes_of, looks_of, style


def ess(estimates: Mapping[str, Estimate], ax: Any = None) -> Any:
    """The effective sample size of the terms against the number of draws; the guide is one for every draw."""
    with style():
        ax = axes_of(ax)
        looks = looks_of(estimates)
        most = 1.0
        for name, estimate in estimates.items():
            n, _, _, _, size = (np.array(column, float) for column in zip(*estimate.history(), strict=True))
            colour, marker, line = looks[name]
            if not (size > 0.0).any():
                ax.plot([], [], color=colour, marker=marker, linestyle=line, label=f"{name}: no hit")
                continue
            ax.plot(n[size > 0.0], size[size > 0.0], color=colour, linestyle=line, marker=marker, markevery=0.15,
                    label=name)
            most = max(most, n[-1])
        guide = np.array([500.0, most])
        ax.plot(guide, guide, color="0.5", linewidth=1.0, linestyle="--", label="every draw counts")
        ax.set(xscale="log", yscale="log", xlabel="draws", ylabel="effective sample size",
               title="Effective sample size")
        ax.legend(loc="best")
    return ax
