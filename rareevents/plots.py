"""Pictures of laws, weights and estimates. The only file that imports matplotlib.

Every function takes `ax=None` and returns the axes it drew on. Naive Monte Carlo is vermillion with crosses, importance
sampling blue with dots, the ideal proposal green, the exact value a dashed black line: colour never stands alone.
"""
from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rareevents.distributions import Distribution
from rareevents.estimates import Estimate

NAIVE, SAMPLED, IDEAL, OTHER, EXACT = "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#000000"
# Colour, marker and line of 21 series, any two of which differ; neighbours differ in all three.
LOOKS = list(islice(zip(cycle((SAMPLED, IDEAL, OTHER)), cycle("os^DvPX"), cycle(("-", "-.", ":"))), 21))
BARS = 60                     # the most in a histogram


def style() -> AbstractContextManager:
    """The package's look, for use in a `with` block."""
    return matplotlib.style.context(Path(__file__).with_name("rareevents.mplstyle"))


def figure(rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure in the package's look and its axes; it belongs to no window."""
    with style():
        made = Figure(**options)
        FigureCanvasAgg(made)
        return made, made.subplots(rows, columns)


def rendered(made: Any) -> dict[str, bytes]:
    """A figure, or the figure of some axes, as SVG and PNG; the same figure gives the same bytes."""
    made = getattr(made, "figure", made)
    found = {}
    for kind, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
        buffer = io.BytesIO()
        with style():
            made.savefig(buffer, format=kind, metadata=metadata)
        found[kind] = buffer.getvalue()
    return found


def pixels(png: bytes) -> np.ndarray:
    """A PNG picture as brightness from 0 to 1, shape (height, width, channels)."""
    from matplotlib.image import imread
    return imread(io.BytesIO(png), format="png")


# ------------------------------------------------------------------------------------------------ estimates
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
        ax = _axes(ax)
        looks = _looks(estimates)
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


def ess(estimates: Mapping[str, Estimate], ax: Any = None) -> Any:
    """The effective sample size of the terms against the number of draws; the guide is one for every draw."""
    with style():
        ax = _axes(ax)
        looks = _looks(estimates)
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


# ------------------------------------------------------------------------------------------------ laws and weights
def distributions(nominal: Distribution, proposal: Distribution, inside: np.ndarray, x: np.ndarray,
                  label: str = "x", ax: Any = None) -> Any:
    """The nominal law p, the proposal q and the ideal proposal q* = f p / mu, with the event shaded.

    Parameters
    ----------
    nominal, proposal : Distribution
        Laws of counts.
    inside : array of bool
        Whether the event happens at each x; at one of them at least it has a probability above 0.
    x : array of int
        Consecutive values to show.
    label : str
        What x counts.
    """
    p, q = np.exp(nominal.log_prob(x)), np.exp(proposal.log_prob(x))
    if not p[inside].any():
        raise ValueError(f"inside must be true at an x with a probability above 0: {nominal!r} has none for the event "
                         f"among the {len(x)} values of x")
    with style():
        ax = _axes(ax)
        ideal = np.where(inside, p, 0.0)
        ideal = ideal / ideal.sum()
        for start, stop in _stretches(inside):
            ax.axvspan(x[start] - 0.5, x[stop - 1] + 0.7, color="0.86", zorder=0, linewidth=0,
                       label="the event" if start == _stretches(inside)[0][0] else None)
        for y, colour, marker, line, name in ((p, NAIVE, "x", "-", "nominal p"), (q, SAMPLED, "o", "-", "proposal q"),
                                               (ideal, IDEAL, "s", "-.", "ideal q*")):
            shown = y > 0.0
            ax.plot(x[shown], y[shown], color=colour, marker=marker, linestyle=line, linewidth=1.4, label=name,
                    markersize=4.5)
        floor = 0.3 * min(p[inside].max(), q.max() or 1.0)
        ax.set(yscale="log", xlabel=label, ylabel="probability", ylim=(floor * 1e-2, 2.0),
               xlim=(x[0] - 0.7, x[-1] + 0.7), title="Nominal law, proposal and ideal proposal")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="upper right", ncols=2, frameon=True, framealpha=1.0, edgecolor="white")
    return ax


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
        ax = _axes(ax)
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


# ------------------------------------------------------------------------------------------------ costs
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
        ax = _axes(ax)
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
        ax = _axes(ax)
        looks = _looks(theory)
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


def bars(groups: Mapping[str, Sequence[float]], names: Sequence[str], ylabel: str, title: str, ax: Any = None) -> Any:
    """Probabilities of a few named things under several laws, side by side."""
    with style():
        ax = _axes(ax)
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


# ------------------------------------------------------------------------------------------------ the pieces
def yerror_of(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Error bars that stay positive on a logarithmic axis."""
    return np.array([np.minimum(error, 0.99 * value), error])


def _axes(ax: Any) -> Any:
    return figure()[1] if ax is None else ax


def _looks(names: Mapping[str, Any]) -> dict[str, tuple[str, str, Any]]:
    """Colour, marker and line of each name; naive Monte Carlo always has its own."""
    others = cycle(LOOKS)
    return {name: (NAIVE, "x", "--") if name == "naive" else next(others) for name in names}


def _stretches(inside: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
