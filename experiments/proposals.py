"""The zoo of proposals on three problems: what a draw of each costs, exactly and measured, and the bits that it wastes.

A tail of storms, a two-sided event, and the months of four cities. Overshoots and mixtures that know the event's shape
cost orders of magnitude less than the best tilt; a single tilt for a two-sided event costs more than any budget.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from experiments.cities import RATES, VISITS
from rareevents import oracle, plots
from rareevents import proposals as design
from rareevents.designs import law_of
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure


@dataclass(frozen=True)
class Settings:
    """How many draws measure each proposal."""

    samples: int = 200_000
    """Draws of each estimate."""
    seed: int = 1
    """Of the random streams."""


def problems():
    """Name -> (nominal law, event, proposals by name)."""
    storms, tail = rare.Poisson(4.0), rare.at_least(20)
    trials, sides = rare.Binomial(60, 0.3), rare.at_most(4) | rare.at_least(36)
    month = rare.Mixture([rare.Poisson(rate) for rate in RATES], VISITS)
    low, high = (design.tilt(trials, side, "cross entropy") for side in sides.parts)
    best = design.tilt(trials, sides, "second moment")
    return {
        "storms: Poisson(4) ≥ 20": (storms, tail, {
            "saddle tilt": design.tilt(storms, tail), "best tilt": design.tilt(storms, tail, "second moment"),
            "shifted Poisson": rare.Shifted(rare.Poisson(4.0 / 21.0), 20), "overshoot": design.overshoot(storms, tail),
            "safe, half learned": design.safe(rare.Poisson(25.0), design.tilt(storms, tail), 0.5)}),
        "both sides: Binomial(60, 0.3) ≤ 4 or ≥ 36": (trials, sides, {
            "best single tilt": best, "two tilts, equal": rare.Mixture([low.law, high.law], [0.5, 0.5]),
            "two tilts, best weights": design.mixture(trials, sides, [low, high]),
            "two overshoots": design.mixture(trials, sides)}),
        "cities: a month ≥ 20": (month, tail, {
            "more visits": rare.Mixture([rare.Poisson(rate) for rate in RATES], (0.02, 0.08, 0.20, 0.70)),
            "tilt of the month": design.tilt(month, tail), "overshoot": design.overshoot(month, tail)}),
    }


def run(settings: Settings, progress: bool) -> Findings:
    rows = []
    for name, (p, event, laws) in problems().items():
        for kind, q in laws.items():
            law = law_of(q)
            grade = oracle.grade(p, event, law)
            found = rare.estimate(p, event, proposal=law, samples=settings.samples, seed=settings.seed, audit=False)
            rows.append({"problem": name, "proposal": kind, "exact": grade.relative_variance,
                         "measured": found.relative_variance, "bits": grade.kl / math.log(2.0), "value": found.value,
                         "mu": grade.value, "hits": found.hits, "verdict": found.verdict})
    return Findings({"rows": rows}, {"zoo": zoo(rows)})


def tell(settings, numbers):
    by = {(row["problem"], row["proposal"]): row["exact"] for row in numbers["rows"]}
    storms = [row for row in numbers["rows"] if row["problem"].startswith("storms")]
    tilt, best = (next(row for row in storms if row["proposal"] == name) for name in ("best tilt", "overshoot"))
    single = next(v for (_, name), v in by.items() if name == "best single tilt")
    pair = next(v for (_, name), v in by.items() if name == "two tilts, best weights")
    return Told(
        f"On a tail of storms an overshoot has a relative variance of {figure(best['exact'])} a draw, the best tilt "
        f"{figure(tilt['exact'])}. For a two-sided event the best single tilt has {figure(single)}, two tilts with the "
        f"best weights {figure(pair)}.",
        {"zoo": "Left, a draw's relative variance, exact (bars) and measured (dots): where they part, the measured one "
                "looks too good, as for a single tilt of a two-sided event. Right, the bits wasted: the same order."},
        tables={"Every proposal": [{"problem": row["problem"], "proposal": row["proposal"], "bits wasted": row["bits"],
                                    "relative variance, exact": row["exact"], "measured": row["measured"],
                                    "verdict": row["verdict"]} for row in numbers["rows"]]})


def zoo(rows):
    """V against proposal, exact and measured, with the bits wasted beside it."""
    made, axes = plots.figure(1, 2, figsize=(10.5, 6.0))
    left, right = axes
    with plots.style():
        at = np.arange(len(rows))[::-1]
        left.plot([row["exact"] for row in rows], at, marker="|", markersize=16, markeredgewidth=2.0, linestyle="none",
                  color=plots.EXACT, label="exact")
        left.plot([row["measured"] for row in rows], at, marker="o", linestyle="none", color=plots.SAMPLED,
                  label="measured")
        left.set(xscale="log", xlabel="relative variance of a draw")
        left.set_yticks(at, [row["proposal"] for row in rows])
        left.legend(loc="lower right")
        right.barh(at, [row["bits"] for row in rows], color=plots.IDEAL, hatch="///", edgecolor="white")
        for y, row in zip(at, rows, strict=True):
            right.text(row["bits"] + 0.15, y, f"{row['bits']:.2g}", va="center", fontsize=9)
        right.set(xlim=(0.0, 1.12 * max(row["bits"] for row in rows)), xlabel="bits wasted, KL(q*||q)", yticks=[],
                  title="What it wastes")
        left.set_title("What a draw costs")
        seen = set()
        for y, row in zip(at, rows, strict=True):
            if row["problem"] not in seen:
                seen.add(row["problem"])
                right.text(right.get_xlim()[1], y + 0.46, row["problem"], ha="right", va="bottom", fontsize=9)
    return made


if __name__ == "__main__":
    main(Settings, run, tell)
