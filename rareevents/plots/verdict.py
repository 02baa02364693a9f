"""An estimate and what was checked of it, as one card."""
from __future__ import annotations

import textwrap
from typing import Any

from rareevents.checks import Check
from rareevents.estimates import Estimate, shown
from rareevents.plots.look import EXACT, NAIVE, SAMPLED, axes_of, style

LOOKS = {"passed": (SAMPLED, "o"), "failed": (NAIVE, "X")}        # any other status: grey and hollow
WIDEST = 1e4                  # how far from its limit a figure is drawn, at most
WIDTH = 98                    # letters in a line above the axes


def verdict(estimate: Estimate, ax: Any = None) -> Any:
    """The verdict, its reason, and each check's figure over its limit: right of the dashed line it fails.

    A check that has no figure to compare, or none within a factor of 10^4 of its limit, is marked at the edge.

    Parameters
    ----------
    estimate : Estimate
        Of one quantity.
    ax : matplotlib axes, optional
        Where to draw; default: a new figure.

    Raises
    ------
    ValueError
        If the estimate has several quantities or no checks.

    >>> import rareevents as rare
    >>> found = rare.estimate(rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0), samples=10_000)
    >>> rare.plots.verdict(found).get_title("left").splitlines()[0][:7]
    'trusted'
    """
    if estimate.components or not estimate.checks:
        raise ValueError(f"estimate must be of one quantity and have checks, got {len(estimate)} of kind "
                         f"{estimate.kind!r}: plot estimate[k]")
    with style():
        ax = axes_of(ax)
        names = [check.name for check in estimate.checks]
        for y, check in enumerate(estimate.checks):
            colour, marker = LOOKS.get(check.status, ("0.5", "o"))
            ax.plot([1.0 / WIDEST, WIDEST], [y, y], color="0.9", linewidth=0.8, zorder=0)
            ax.plot(_place(check), y, color=colour, marker=marker, markersize=8,
                    fillstyle="full" if check.status in LOOKS else "none", linestyle="none")
            words = check.status if check.figure is None or check.threshold is None else \
                f"{check.status}: {check.figure:.3g}, limit {check.threshold:.3g}"
            ax.text(2.5 * WIDEST, y, words, va="center", fontsize=9)
        ax.axvline(1.0, color=EXACT, linestyle="--", linewidth=1.2)
        low, high = estimate.interval()
        ax.set(xscale="log", xlim=(0.5 / WIDEST, 2.0 * WIDEST), ylim=(len(names) - 0.5, -0.6),
               xlabel="figure over its limit: right of the line it fails", ylabel="check")
        value = shown(estimate.value, estimate.std_error)
        told = f"{estimate.verdict}: {value}, {100 * estimate.confidence:g}% interval [{low:.5g}, {high:.5g}]"
        ax.set_title("\n".join([told, *textwrap.wrap(estimate.reason, WIDTH)]), x=-0.32, fontsize=9.5,
                     fontweight="normal")
        ax.set_yticks(range(len(names)), names)
        ax.grid(False)
    return ax


def _place(check: Check) -> float:
    """Where a figure lies beside its limit: below 1 where it passes, whether it had to be small or large."""
    if not check.figure or not check.threshold:
        return WIDEST if check.status == "failed" else 1.0 / WIDEST
    ratio = check.figure / check.threshold
    if (ratio <= 1.0) != (check.status != "failed"):
        ratio = 1.0 / ratio
    return min(WIDEST, max(1.0 / WIDEST, ratio))
