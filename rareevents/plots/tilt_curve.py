"""What a draw costs against the tilt."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rareevents.plots.look import EXACT, IDEAL, NAIVE, SAMPLED, axes_of, style, yerror_of


def tilt_curve(tilts: np.ndarray, theory: np.ndarray, points: Sequence[tuple[float, float, float]],
               naive: float | None = None, label: str = "mean of the proposal", ax: Any = None) -> Any:
    """The relative variance of one draw against the tilt: the exact curve and measured points.

    Parameters
    ----------
    tilts, theory : arrays
        Where the exact curve is known, and its values.
    points : sequence of (tilt, relative variance, its standard error)
        What was measured.
    naive : float, optional
        The relative variance of naive Monte Carlo, as a horizontal line.
    """
    with style():
        ax = axes_of(ax)
        ax.plot(tilts, theory, color=EXACT, linestyle="--", linewidth=1.2, label="exact")
        at, value, error = np.array(points, float).reshape(-1, 3).T
        ax.errorbar(at, value, yerror_of(value, error), color=SAMPLED, marker="o", linestyle="none", capsize=3,
                    label="measured")
        best = int(np.argmin(theory))
        ax.plot(tilts[best], theory[best], marker="*", markersize=15, color=IDEAL, linestyle="none",
                label=f"best: {tilts[best]:.3g}, {theory[best]:.2g}")
        if naive is not None:
            ax.axhline(naive, color=NAIVE, linestyle="-.", linewidth=1.4, label=f"naive: {naive:.2g}")
        ax.set(yscale="log", xlabel=label, ylabel="relative variance per draw", title="What a draw costs")
        ax.legend(loc="best")
    return ax
