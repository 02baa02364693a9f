"""Probabilities of named things under several laws."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rareevents.plots.look import IDEAL, NAIVE, OTHER, SAMPLED, axes_of, style


def bars(groups: Mapping[str, Sequence[float]], names: Sequence[str], ylabel: str, title: str, ax: Any = None) -> Any:
    """Probabilities of a few named things under several laws, side by side."""
    with style():
        ax = axes_of(ax)
        width = 0.8 / len(groups)
        hatches = ("", "///", "...", "xx", "++")
        for i, (label, values) in enumerate(groups.items()):
            ax.bar(np.arange(len(names)) + (i - (len(groups) - 1) / 2) * width, values, width, label=label,
                   color=(NAIVE, SAMPLED, OTHER, IDEAL)[i % 4], hatch=hatches[i % 5], edgecolor="white", linewidth=0.5)
        ax.set_xticks(np.arange(len(names)), names)
        ax.set(ylabel=ylabel, title=title)
        ax.grid(False, axis="x")
        ax.legend(loc="best")
    return ax
