"""The ratio that PPO clips is the importance weight: what clipping does when it is used as an estimator.

Proximal policy optimisation learns from min(r A, clip(r, 1 - e, 1 + e) A) with r = p/q, the weight of this project. As
a learning device clipping keeps a step small. As an estimator of E_p[f] it is biased, and for a rare event by orders of
magnitude: there nearly every weight that matters lies far outside the clip range.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.experiments import Findings, main
from rareevents.report import Told


@dataclass(frozen=True)
class Settings:
    """The two questions and the clip range."""

    rate: float = 4.0
    """Storms expected in a month."""
    threshold: int = 20
    """The rare event: at least this many storms."""
    proposal: float = 20.0
    """Storms expected under the proposal for the rare event."""
    mild: float = 1.5
    """Storms expected under the proposal for the mean number of storms."""
    clip: float = 0.2
    """e: weights are clipped to [1 - e, 1 + e], as PPO does."""
    samples: int = 100_000
    """Draws of each estimate."""
    seed: int = 1
    """Of the random streams."""


def clipped(p, q, f, low, high, settings):
    """Mean and relative errors of f clip(w, low, high) under q: exact by summation, and from draws."""
    most = max(settings.rate, settings.proposal, settings.mild)
    x = np.arange(0, int(most + 40.0 * most ** 0.5) + 100)     # beyond, both laws are 0 to 1e-100
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    mass, y = np.exp(log_q), f(x) * np.clip(np.exp(log_p - log_q), low, high)
    mean, exact = float(mass @ y), oracle.value(p, f)
    draws, log_weight = rare.weighted_samples(p, q, settings.samples, seed=settings.seed)
    terms = f(draws) * np.clip(np.exp(log_weight), low, high)
    spread = float(np.sqrt(mass @ (y - mean) ** 2 / settings.samples))
    return {"exact": exact, "mean": mean, "relative_bias": mean / exact - 1.0, "relative_spread": spread / exact,
            "relative_rms": float(np.hypot(mean - exact, spread)) / exact, "sampled": float(terms.mean()),
            "std_error": float(terms.std() / settings.samples ** 0.5)}


def rare_event(settings):
    """P(at least k storms) by weights clipped to [1 - e, 1 + e], for many e; e = infinity is importance sampling."""
    def happens(x):
        return x >= settings.threshold
    p, q = rare.Poisson(settings.rate), rare.Poisson(settings.proposal)
    widths = sorted({settings.clip, *(1.0 - np.geomspace(1.0, 1e-9, 10)[1:]).tolist()})
    rows = [{"e": e, **clipped(p, q, happens, 1.0 - e, 1.0 + e, settings)} for e in widths]
    return [*rows, {"e": None, **clipped(p, q, happens, 0.0, np.inf, settings)}]


def mean_of_storms(settings):
    """E[N] by weights cut at c: less variance for some bias (Ionides 2008)."""
    def number(x):
        return x
    p, q = rare.Poisson(settings.rate), rare.Poisson(settings.mild)
    return [{"c": float(c), **clipped(p, q, number, 0.0, c, settings)} for c in np.geomspace(1.0, 1e4, 25)]


def objective_plot(settings):
    made, (left, right) = plots.figure(1, 2, figsize=(9.0, 4.0))
    ratio, e = np.linspace(0.0, 2.0, 201), settings.clip
    with plots.style():
        for ax, advantage, name in ((left, 1.0, "better than expected, A = 1"), (right, -1.0, "worse, A = -1")):
            ax.plot(ratio, ratio * advantage, color=plots.NAIVE, linestyle="--", label="r A: the importance weight")
            ax.plot(ratio, np.minimum(ratio * advantage, np.clip(ratio, 1.0 - e, 1.0 + e) * advantage),
                    color=plots.SAMPLED, label="PPO's objective")
            ax.axvspan(1.0 - e, 1.0 + e, color="0.9", zorder=0, linewidth=0)
            ax.set(xlabel="r = p/q, new policy over old", title=name)
            ax.legend(loc="upper left" if advantage > 0.0 else "lower left")
        left.set(ylabel="gain from the step")
    return made


def rare_plot(rows):
    made, ax = plots.figure()
    cut, whole = rows[:-1], rows[-1]
    with plots.style():
        low = [1.0 - row["e"] for row in cut]
        ax.plot(low, [row["mean"] for row in cut], color=plots.NAIVE, linestyle="--", marker="x",
                label="clipped, exactly")
        ax.plot(low, [row["sampled"] for row in cut], color=plots.OTHER, marker="^", linestyle="none",
                label="clipped, from draws")
        ax.axhline(whole["sampled"], color=plots.SAMPLED, label=f"not clipped, from draws: {whole['sampled']:.3g}")
        ax.axhline(whole["exact"], color=plots.EXACT, linestyle="--", linewidth=1.2,
                   label=f"exact {whole['exact']:.3g}")
        ax.invert_xaxis()
        ax.set(xscale="log", yscale="log", xlabel="1 - e, the smallest weight that clipping leaves",
               ylabel="estimate of the probability", title="Clipped weights and a rare event")
        ax.legend(loc="upper right")
    return made


def mean_plot(rows):
    made, ax = plots.figure()
    c = [row["c"] for row in rows]
    with plots.style():
        for key, name, (colour, marker, line) in zip(("relative_rms", "relative_spread", "relative_bias"),
                                                     ("both together", "spread", "bias"), plots.LOOKS, strict=False):
            ax.plot(c, np.abs([row[key] for row in rows]), color=colour, marker=marker, linestyle=line, label=name)
        ax.set(xscale="log", yscale="log", ylim=(1e-4, 1.5), xlabel="c, where weights are cut",
               ylabel="error over E[N]", title="Cut weights and a mean: bias for variance")
        ax.legend()
    return made


def run(settings: Settings, progress: bool) -> Findings:
    if not 0.0 < settings.clip < 1.0:
        raise ValueError(f"clip must be a number in (0, 1), got {settings.clip!r}")
    event, mean = rare_event(settings), mean_of_storms(settings)
    return Findings({"rare_event": event, "mean": mean},
                    {"objective": objective_plot(settings), "rare": rare_plot(event), "mean": mean_plot(mean)})


def tell(settings, numbers):
    event, mean = numbers["rare_event"], numbers["mean"]
    ppo, whole = next(row for row in event if row["e"] == settings["clip"]), event[-1]
    best = min(mean, key=lambda row: row["relative_rms"])
    return Told(
        f"P(N ≥ {settings['threshold']}) is {whole['exact']:.4g}, and {whole['sampled']:.4g} ± "
        f"{whole['std_error']:.2g} with the weights as they are. Clipped to [{1 - settings['clip']:g}, "
        f"{1 + settings['clip']:g}] it comes out as {ppo['sampled']:.3g}, {ppo['mean'] / ppo['exact']:.2g} times too "
        f"large, with an error bar of {ppo['std_error']:.2g}. For a mean, cutting at {best['c']:.3g} is worth its "
        f"bias: an error of {best['relative_rms']:.2g} of it instead of {mean[-1]['relative_rms']:.2g}.",
        {"objective": "Inside the grey band PPO's objective is the importance weight times the advantage; outside it "
                      "is flat where the step has gone far enough.",
         "rare": "To the right clipping becomes weaker. Until it is almost gone the clipped estimate is off by orders "
                 "of magnitude, and its draws agree with it: nothing looks wrong.",
         "mean": "Cut low, the bias is all; cut high, the spread. In between the two together are least."},
        tables={"The rare event": [{"e": row["e"], "estimate": row["sampled"], "standard error": row["std_error"],
                                    "expected": row["mean"], "exact": row["exact"]} for row in event],
                "The mean": [{"cut at": row["c"], "bias / mean": row["relative_bias"], "spread / mean":
                              row["relative_spread"], "both": row["relative_rms"]} for row in mean]})


if __name__ == "__main__":
    main(Settings, run, tell)
