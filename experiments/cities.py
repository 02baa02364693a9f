"""A month in one of several cities: visit the storm-heavy ones more often, and let the weights correct it.

The nominal law is a mixture: a city is chosen by how often it is visited, and its storms are Poisson. The proposal is a
mixture of the same cities with other frequencies, and then one whose storm rates are tilted as well.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.estimates import shown
from rareevents.experiments import Findings, main

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
    numbers = {"exact": exact, "ideal_visits": dict(zip(CITIES, ideal, strict=True)), **found.to_dict()}
    lines = [f"P(at least {k} storms in a month spent in one of {len(CITIES)} cities) = {exact:.6g} exactly", ""]
    for name, estimate in found.estimates.items():
        ratio = found.variance_ratio(name)
        gain = f"{ratio} times fewer draws" if ratio.std_error else ""
        value = shown(estimate.value, estimate.std_error) if estimate.hits else "no hit"
        lines.append(f"{name:<20}{value:<20}ESS {estimate.effective_sample_size:>10,.0f}  {estimate.verdict:<12}{gain}")
    return Findings(numbers, pictures, "\n".join(lines))


if __name__ == "__main__":
    main(Settings, run)
