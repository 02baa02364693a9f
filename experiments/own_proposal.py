"""A proposal of one's own in ten lines: start at the threshold and let the excess be geometric.

The class below is all there is to it: nothing is registered, and its fields become flags because the settings name it:
`rareevents run experiments/own_proposal.py proposal:overshoot --proposal.excess 0.8`.
"""
import math
from dataclasses import dataclass, field, replace

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure


@dataclass(frozen=True)
class Overshoot(rare.Distribution):
    """start + G, where G counts failures before the first success: P(x) = excess (1 - excess)^(x - start)."""

    start: int = 0
    """The smallest number of storms that it draws; the threshold if that is more."""
    excess: float = 0.81
    """The probability that it draws no more than that."""

    @property
    def support(self):
        return rare.integers(self.start, math.inf)

    def draw(self, rng):
        return self.start + math.floor(math.log(rng.random()) / math.log1p(-self.excess))

    def log_density(self, x):
        return math.log(self.excess) + (x - self.start) * math.log1p(-self.excess) if x >= self.start else -math.inf


@dataclass(frozen=True)
class Tilt:
    """Poisson with another mean."""

    storms: float = 20.0
    """Storms expected under the proposal."""


@dataclass(frozen=True)
class Settings:
    """The question, and the proposal that answers it."""

    threshold: int = 20
    """The month is rare when it has at least this many storms."""
    proposal: Overshoot | Tilt = field(default_factory=Overshoot)
    """What to draw from."""
    samples: int = 100_000
    """Draws of each estimate."""
    seed: int = 1
    """Of the random streams."""


def run(settings: Settings, progress: bool) -> Findings:
    p, event = rare.Poisson(4.0), rare.at_least(settings.threshold)
    exact = oracle.value(p, event)
    own = rare.Poisson(settings.proposal.storms) if isinstance(settings.proposal, Tilt) else \
        replace(settings.proposal, start=max(settings.threshold, settings.proposal.start))
    found = rare.compare(p, event, {"tilt": rare.Poisson(float(settings.threshold)), "own": own},
                         samples=settings.samples, seed=settings.seed, progress=progress)
    shown = np.arange(0, 2 * settings.threshold)
    pictures = {"distributions": plots.distributions(p, own, shown >= settings.threshold, shown,
                                                  label="storms in the month"),
                "running": plots.running(found.estimates, exact=exact)}
    bits = {name: oracle.grade(p, event, law).kl / math.log(2.0)
            for name, law in (("tilt", rare.Poisson(float(settings.threshold))), ("own", own))}
    return Findings({"exact": exact, "bits": bits, **found.to_dict()}, pictures)


def tell(settings, numbers):
    gain = numbers["own"]["variance_ratio"]["value"]
    return Told(
        f"A draw of the law of one's own has a relative variance of {figure(numbers['own']['relative_variance'])}, one "
        f"of the tilt {figure(numbers['tilt']['relative_variance'])}"
        + (f": {figure(gain)} times fewer draws for the same error." if gain else "."),
        {"distributions": "The proposal (blue dots) begins where the event does and falls like the ideal one (green "
                          "squares): it draws nothing that does not count.",
         "running": "Both settle on the exact line; the band of the own proposal is too narrow to be seen."},
        quantity=f"P(at least {settings['threshold']} storms in a month)",
        estimates={name: numbers[name] for name in ("tilt", "own")}, best="own", exact=numbers["exact"],
        bits=numbers["bits"])


if __name__ == "__main__":
    main(Settings, run, tell)
