"""The cross-entropy method at work: levels that rise to the event, and laws that settle on q*.

Each round draws from the last law, keeps the draws above the level that a tenth of them reach, and fits the next law to
those. For the storms the laws are Poisson; for the cities the method finds by itself how often each should be visited.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from experiments.cities import CITIES, RATES, VISITS
from rareevents import oracle, plots, proposals
from rareevents.experiments import Findings, main


@dataclass(frozen=True)
class Settings:
    """The question and the size of a round."""

    rate: float = 4.0
    """Storms expected in a month."""
    threshold: int = 30
    """The month is rare when it has at least this many."""
    storms: int = 15
    """The month in one of the cities is rare when it has at least this many."""
    samples: int = 10_000
    """Draws of each round."""
    seed: int = 1
    """Of the random streams."""


class Visits:
    """The cities' mixture with other visiting frequencies: how often each city is the one, given the draws.

    That is the fit of the law of (city, storms), whose first component is the choice of a city.
    """

    def fit(self, x, weights):
        laws = [rare.Poisson(rate) for rate in RATES]
        each = np.array(VISITS)[:, None] * np.exp([law.log_prob(x) for law in laws])
        shares = (each / each.sum(axis=0)) @ weights / weights.sum()
        return rare.Mixture(laws, (shares / shares.sum()).tolist())


def ridge(levels, ideal, x, threshold):
    """The law of each round above the last one's, and q* on top."""
    made, ax = plots.figure(figsize=(7.2, 5.4))
    with plots.style():
        names = [f"at least {threshold + level.level:.0f}" if level.level < 0.0 else "the event" for level in levels]
        rows = [(f"round {i + 1}, {name}", np.exp(level.law.log_prob(x)))
                for i, (level, name) in enumerate(zip(levels, names, strict=True))]
        rows.append(("q*, the ideal proposal", ideal))
        for i, (name, density) in enumerate(rows):
            colour = plots.IDEAL if i == len(rows) - 1 else plots.SAMPLED
            height = i + 0.9 * density / density.max()
            ax.fill_between(x, i, height, color=colour, alpha=0.25, step="mid", hatch="///" if colour == plots.IDEAL
                            else "", linewidth=0.0, edgecolor=colour)
            ax.step(x, height, where="mid", color=colour, linewidth=1.2)
            ax.text(x[-1], i + 0.12, name, ha="right", fontsize=9)
        ax.axvline(threshold - 0.5, color=plots.EXACT, linestyle=":", linewidth=1.2)
        ax.set(yticks=[], xlabel="storms in the month", title="The levels rise, and the law settles on q*")
    return made


def run(settings: Settings, progress: bool) -> Findings:
    p, event = rare.Poisson(settings.rate), rare.at_least(settings.threshold)
    made = proposals.cross_entropy(p, event, samples=settings.samples, seed=settings.seed)
    exact = oracle.value(p, event)
    found = rare.estimate(p, event, proposal=made, samples=settings.samples * 10, seed=settings.seed)
    x = np.arange(0, int(1.7 * settings.threshold))
    ideal = np.where(x >= settings.threshold, np.exp(p.log_prob(x)) / exact, 0.0)
    month = rare.Mixture([rare.Poisson(rate) for rate in RATES], VISITS)
    storms = rare.at_least(settings.storms)
    visits = proposals.cross_entropy(month, storms, family=Visits(), samples=20 * settings.samples, seed=settings.seed)
    tails = np.array([oracle.value(rare.Poisson(rate), storms) for rate in RATES])
    best = tails * VISITS / (tails @ VISITS)
    learned = dict(zip(CITIES, visits.law.weights, strict=True))
    pictures = {"levels": ridge(made.levels, ideal, x, settings.threshold),
                "visits": plots.bars({"nominal p": VISITS, "learned": visits.law.weights, "ideal q*": best},
                                     [f"{city}, {rate:g} a month" for city, rate in zip(CITIES, RATES, strict=True)],
                                     "share of months", "Where the months are spent")}
    numbers = {"exact": exact, "estimate": found.to_dict(), "law": repr(made.law),
               "levels": [{"level": level.level, "mean": level.law.mean, "hits": level.hits} for level in made.levels],
               "relative_variance": made.relative_variance, "learned_visits": learned,
               "ideal_visits": dict(zip(CITIES, best.tolist(), strict=True))}
    text = "\n".join([f"P(at least {settings.threshold} storms) = {exact:.6g} exactly", str(found), repr(made), "",
                      "visits        " + "".join(f"{city:>12}" for city in CITIES),
                      "learned       " + "".join(f"{share:>12.4f}" for share in learned.values()),
                      "ideal         " + "".join(f"{share:>12.4f}" for share in best)])
    return Findings(numbers, pictures, text)


if __name__ == "__main__":
    main(Settings, run)
