"""The bridge: a proposal is a weather app, and the bits that it wastes are the draws that it costs.

For a range of tilts: KL(q*||q), the 2^KL draws that importance sampling needs before its answer means anything
(Chatterjee and Diaconis 2018), the draws that the relative variance predicts for a given error, and what `estimate`
really took. The tilt with the least cross entropy to q* is nearly the one that needs the fewest draws.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import information as info
from rareevents import oracle, plots
from rareevents.experiments import Findings, main
from rareevents.report import Told


@dataclass(frozen=True)
class Settings:
    """The question, the error to reach, and how often."""

    rate: float = 4.0
    """Storms expected in a month."""
    threshold: int = 20
    """The month is rare when it has at least this many."""
    relative_error: float = 0.05
    """What each estimate is run to."""
    repeats: int = 20
    """Runs of each tilt, of which the median number of draws is shown."""
    samples: int = 100_000
    """Draws whose weights are looked at."""
    seed: int = 1
    """Of the random streams."""


def tilts(settings):
    """For each tilt: bits wasted, draws predicted and taken, and the evenness of the terms."""
    p, event, rows = rare.Poisson(settings.rate), rare.at_least(settings.threshold), []
    for rate in np.linspace(0.55, 1.7, 16) * settings.threshold:
        q = rare.Poisson(float(rate))
        cost = info.cost_of_proposal(p, event, q, relative_error=settings.relative_error)
        took = [rare.estimate(p, event, proposal=q, relative_error=settings.relative_error,
                              seed=settings.seed + i).samples for i in range(settings.repeats)]
        x, log_weight = rare.weighted_samples(p, q, settings.samples, seed=settings.seed)
        terms = np.where(x >= settings.threshold, np.exp(log_weight), 0.0)
        share = terms / terms.sum()
        rows.append({"rate": float(rate), "bits": cost.bits, "perplexity": cost.perplexity, "draws": cost.draws,
                     "relative_variance": cost.relative_variance, "took": float(np.median(took)),
                     "took_range": [min(took), max(took)],
                     "ess_share": float(1.0 / (share @ share) / settings.samples),
                     "perplexity_share": float(info.perplexity(share) / settings.samples)})
    return rows


def optimum(settings):
    """The tilt with the least cross entropy to q*: the proposal's mean is E_p[N | N >= k], and nothing else."""
    p, event = rare.Poisson(settings.rate), rare.at_least(settings.threshold)
    mean = oracle.value(p, lambda x: x * (x >= settings.threshold)) / oracle.value(p, event)
    cost = info.cost_of_proposal(p, event, rare.Poisson(mean), relative_error=settings.relative_error)
    return {"rate": mean, "bits": cost.bits, "draws": cost.draws}


def naive(settings):
    """For several thresholds: KL(q*||p) = -log2 mu bits, and the draws of naive Monte Carlo until a first hit."""
    p, rows = rare.Poisson(settings.rate), []
    for k in range(int(2 * settings.rate), int(4 * settings.rate)):
        grade = oracle.grade(p, rare.at_least(k))
        found = rare.estimate(p, rare.at_least(k), samples=200 * settings.samples, seed=settings.seed)
        rows.append({"threshold": k, "mu": grade.value, "bits": grade.kl / math.log(2.0),
                     "minus_log2_mu": -math.log2(grade.value),
                     "draws_per_hit": found.samples / found.hits if found.hits else None})
    return rows


def draws_plot(rows, best, settings):
    made, ax = plots.figure(figsize=(7.6, 4.6))
    rate, draws, took = (np.array([row[key] for row in rows]) for key in ("rate", "draws", "took"))
    with plots.style():
        ax.plot(rate, draws, color=plots.EXACT, linestyle="--", linewidth=1.2,
                label=f"predicted for an error of {settings.relative_error:.0%}: V / R²")
        ax.errorbar(rate, took, np.abs(np.array([row["took_range"] for row in rows]).T - took), color=plots.SAMPLED,
                    marker="o", linestyle="none", capsize=3,
                    label=f"taken: median and range of {settings.repeats} runs")
        ax.plot(rate, [row["perplexity"] for row in rows], color=plots.IDEAL, linestyle="-.", marker="s",
                label="2^KL(q*||q): fewer mean nothing")
        ax.axvline(best["rate"], color=plots.OTHER, linestyle=":",
                   label=f"least cross entropy: {best['rate']:.2f} storms")
        ax.set(yscale="log", xlabel="storms expected under the proposal", ylabel="draws",
               title="The bits that a proposal wastes are the draws that it costs")
        ax.legend(loc="center", bbox_to_anchor=(0.5, 0.47), frameon=True, framealpha=1.0, edgecolor="white")
    return made


def evenness_plot(rows):
    made, ax = plots.figure()
    rate = [row["rate"] for row in rows]
    with plots.style():
        ax.plot(rate, [1.0 / (1.0 + row["relative_variance"]) for row in rows], color=plots.SAMPLED,
                label="1 / (1 + V), exact")
        ax.plot(rate, [row["ess_share"] for row in rows], color=plots.SAMPLED, marker="o", linestyle="none",
                label="effective sample size / n")
        ax.plot(rate, [1.0 / row["perplexity"] for row in rows], color=plots.IDEAL, linestyle="-.",
                label="2^-KL(q*||q), exact")
        ax.plot(rate, [row["perplexity_share"] for row in rows], color=plots.IDEAL, marker="s", linestyle="none",
                label="perplexity of the terms / n")
        ax.set(yscale="log", xlabel="storms expected under the proposal", ylabel="share of the draws that count",
               title="Two ways to count the draws that count")
        ax.legend()
    return made


def naive_plot(rows):
    made, ax = plots.figure()
    bits = np.array([row["bits"] for row in rows])
    seen = [row for row in rows if row["draws_per_hit"]]
    with plots.style():
        ax.plot(bits, 2.0 ** bits, color=plots.EXACT, linestyle="--", linewidth=1.2, label="2^KL(q*||p) = 1/mu")
        ax.plot([row["bits"] for row in seen], [row["draws_per_hit"] for row in seen], color=plots.NAIVE, marker="x",
                linestyle="none", markersize=8, label="naive Monte Carlo, draws per hit")
        for row in rows[::2]:
            ax.annotate(f"≥ {row['threshold']}", (row["bits"], 2.0 ** row["bits"]), (-8, 6),
                        textcoords="offset points", fontsize=9, ha="right")
        ax.set(yscale="log", xlim=(bits[0] - 1.2, None), ylabel="draws",
               xlabel="KL(q*||p) = -log2 mu, the surprise of the event in bits",
               title="Without a proposal, every bit of surprise doubles the draws")
        ax.legend()
    return made


def run(settings: Settings, progress: bool) -> Findings:
    if settings.repeats < 1:
        raise ValueError(f"repeats must be an integer of at least 1, got {settings.repeats!r}")
    rows, best, plain = tilts(settings), optimum(settings), naive(settings)
    return Findings({"tilts": rows, "least_cross_entropy": best, "naive": plain},
                    {"draws": draws_plot(rows, best, settings), "evenness": evenness_plot(rows),
                     "naive": naive_plot(plain)})


def tell(settings, numbers):
    rows, best = numbers["tilts"], numbers["least_cross_entropy"]
    fewest = min(rows, key=lambda row: row["draws"])
    return Told(
        f"The tilt with the least cross entropy, {best['rate']:.2f} storms, wastes {best['bits']:.2f} bits and needs "
        f"{best['draws']:,.0f} draws for an error of {settings['relative_error']:.0%}; the best of the {len(rows)} "
        f"tilts, {fewest['rate']:.1f} storms, needs {fewest['draws']:,.0f}. Fewer bits, fewer draws.",
        {"draws": "Measured draws (dots) lie on the curve that the relative variance predicts. The green curve, 2 to "
                  "the power of the wasted bits, runs below it with the same valley.",
         "evenness": "Two counts of the draws that count. Both are exact curves with measured points on them, and both "
                     "peak at nearly the same tilt.",
         "naive": "Without a proposal the bits wasted are the surprise of the event. A straight line: each bit doubles "
                  "the draws until the first hit."},
        tables={"Tilts": [{"storms expected": row["rate"], "bits wasted": row["bits"], "2^bits": row["perplexity"],
                           "draws predicted": row["draws"], "draws taken": row["took"]} for row in rows],
                "Naive Monte Carlo": [{"storms": row["threshold"], "probability": row["mu"], "bits": row["bits"],
                                       "draws per hit": row["draws_per_hit"]} for row in numbers["naive"]]})


if __name__ == "__main__":
    main(Settings, run, tell)
