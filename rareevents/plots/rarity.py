"""The price of rarity."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rareevents.plots.look import axes_of, looks_of, style


def rarity(probabilities: np.ndarray, theory: Mapping[str, np.ndarray],
           measured: Mapping[str, list[tuple[float, float]]], ax: Any = None) -> Any:
    """Draws to 1 % relative error against rarity; what is theory alone is dashed and hollow.

    Parameters
    ----------
    probabilities : array
        The rarities.
    theory : mapping from name to array
        Exact draws to 1 %, at each of them.
    measured : mapping from name to list of (probability, draws)
        Measured draws to 1 %.
    """
    with style():
        ax = axes_of(ax)
        looks = looks_of(theory)
        for name, draws in theory.items():
            colour, marker, _ = looks[name]
            ax.plot(probabilities, draws, color=colour, linestyle="--", linewidth=1.2, marker=marker,
                    markerfacecolor="white", markersize=6, label=f"{name}, theory")
            if measured[name]:
                at, found = zip(*measured[name], strict=True)
                ax.plot(at, found, color=colour, linestyle="-", marker=marker, markersize=7, label=f"{name}, measured")
        ax.invert_xaxis()
        ax.set(xscale="log", yscale="log", xlabel="probability of the event (rarer to the right)",
               ylabel="draws to 1 % relative error", title="The price of rarity")
        ax.legend(loc="best")
    return ax
