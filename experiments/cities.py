"""A month in one of several cities: visit the storm-heavy ones more often, and let the weights correct it.

The nominal law is a mixture: a city is chosen by how often it is visited, and its storms are Poisson. The proposal is a
mixture of the same cities with other frequencies, and then one whose storm rates are tilted as well.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure

CITIES = ("Lull", "Breeze", "Gale", "Tempest")
RATES = (1.0, 3.0, 6.0, 9.0)
VISITS = (0.55, 0.30, 0.12, 0.03)


@dataclass(frozen=True)
class Settings:
    """How many storms make the month rare, and how many draws."""

    threshold: int = 20
    """The month is rare when it has at least this many storms."""
    samples: int = 1_000_000
    """Draws of each estimate."""
    seed: int = 1
    """Of the random streams."""


def run(settings: Settings, progress: bool) -> Findings:
    if not 1 <= settings.threshold <= 100:
        raise ValueError(f"threshold must be an integer from 1 to 100, got {settings.threshold!r}")
    k, event = settings.threshold, rare.at_least(settings.threshold)
    laws = [rare.Poisson(rate) for rate in RATES]
    tails = np.array([oracle.value(law, event) for law in laws])
    exact = float(tails @ VISITS)
    ideal = tails * VISITS / exact                       # how often each city would be visited under q*
    nominal = rare.Mixture(laws, VISITS)
    proposals = {"naive": None,
                 "visits": rare.Mixture(laws, (0.02, 0.08, 0.20, 0.70)),
                 "visits and storms": rare.Mixture([rare.Poisson(float(max(k, rate))) for rate in RATES], tuple(ideal))}
    found = rare.compare(nominal, event, proposals, samples=settings.samples, seed=settings.seed, progress=progress)
    pictures = {
        "visits": plots.bars({"nominal p": VISITS, "proposal q": proposals["visits"].weights,
                              "tilted proposal": proposals["visits and storms"].weights, "ideal q*": ideal},
                             [f"{city}, {rate:g} a month" for city, rate in zip(CITIES, RATES, strict=True)],
                             "share of months", "Where the months are spent"),
        "running": plots.running(found.estimates, exact=exact),
    }
    bits = {name: oracle.grade(nominal, event, law).kl / math.log(2.0) for name, law in proposals.items()}
    numbers = {"exact": exact, "bits": bits, "ideal_visits": dict(zip(CITIES, ideal, strict=True)), **found.to_dict()}
    return Findings(numbers, pictures)


def tell(settings, numbers):
    k, found = settings["threshold"], {name: numbers[name] for name in ("naive", "visits", "visits and storms")}
    gain = found["visits"]["relative_variance"] / found["visits and storms"]["relative_variance"]
    ratio = found["visits"]["variance_ratio"]["value"]
    share = max(numbers["ideal_visits"].values())
    return Told(
        "Visiting the stormy cities more often "
        + (f"needs {figure(ratio)} times fewer draws than naive Monte Carlo" if ratio else
           "finds what naive Monte Carlo does not")
        + f"; tilting their storms as well, another {figure(gain)} times fewer. {share:.0%} of the "
        f"months with {k} storms are spent in one city.",
        {"visits": "How often each city is visited. The ideal proposal goes almost only where a rare month can happen; "
                   "the chosen visits come near, and the weights correct for it.",
         "running": "Both proposals settle on the exact line; the one that tilts the storms too has a band that cannot "
                    "be seen. Naive Monte Carlo jumps with each hit."},
        quantity=f"P(at least {k} storms in a month spent in one of {len(CITIES)} cities)", estimates=found,
        best="visits and storms", exact=numbers["exact"], bits=numbers["bits"])


if __name__ == "__main__":
    main(Settings, run, tell)
