"""The cross-entropy method at work: levels that rise to the event, and laws that settle on q*.

Each round draws from the last law, keeps the draws above the level that a tenth of them reach, and fits the next law to
those. For the storms the laws are Poisson; for the cities the method finds by itself how often each should be visited.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from experiments.cities import CITIES, RATES, VISITS
from rareevents import oracle, plots, proposals
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure


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


def ridge(rounds, ideal, x, threshold):
    """The law of each round above the last one's, and q* on top."""
    laws = {f"round {i + 1}, " + (f"at least {threshold + one.level:.0f}" if one.level < 0.0 else "the event"):
            np.exp(one.law.log_prob(x)) for i, one in enumerate(rounds)}
    return plots.levels(laws, ideal, x, threshold - 0.5, "storms in the month", plots.figure(figsize=(7.2, 5.4))[1])


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
    bits = oracle.grade(p, event, made.law).kl / math.log(2.0)
    numbers = {"exact": exact, "bits": bits, "estimate": found.to_dict(), "law": repr(made.law),
               "levels": [{"level": level.level, "mean": level.law.mean, "hits": level.hits} for level in made.levels],
               "relative_variance": made.relative_variance, "learned_visits": learned,
               "ideal_visits": dict(zip(CITIES, best.tolist(), strict=True))}
    return Findings(numbers, pictures)


def tell(settings, numbers):
    learned, ideal = numbers["learned_visits"], numbers["ideal_visits"]
    farthest = max(learned, key=lambda city: abs(learned[city] - ideal[city]))
    return Told(
        f"In {len(numbers['levels'])} rounds of {settings['samples']:,} draws the method went from "
        f"{settings['rate']:g} storms to {numbers['law']}, whose draws have a relative variance of "
        f"{figure(numbers['relative_variance'])}. For the cities it found how often each should be visited, to "
        f"{abs(learned[farthest] - ideal[farthest]):.1g} at most.",
        {"levels": "From the bottom up, the law of each round: it moves to the event (dotted) as the levels rise, then "
                   "stands still, near the ideal proposal on top.",
         "visits": "The learned visits beside the ideal ones: the method was told nothing of the cities but the "
                   "storms."},
        quantity=f"P(at least {settings['threshold']} storms in a month)",
        estimates={"cross entropy": numbers["estimate"]}, best="cross entropy", exact=numbers["exact"],
        bits={"cross entropy": numbers["bits"]},
        tables={"Rounds": [{"round": i + 1, "storms below the event": -row["level"], "mean of the law": row["mean"],
                            "hits": row["hits"]} for i, row in enumerate(numbers["levels"])],
                "Visits": [{"city": city, "learned": learned[city], "ideal": ideal[city]} for city in CITIES]})


if __name__ == "__main__":
    main(Settings, run, tell)
