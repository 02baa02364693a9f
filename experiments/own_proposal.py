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
    text = (f"P(at least {settings.threshold} storms) = {exact:.8g} exactly\n{found}\n"
            f"relative variance per draw: tilt {found['tilt'].relative_variance:.3g}, "
            f"own {found['own'].relative_variance:.3g}")
    return Findings({"exact": exact, **found.to_dict()}, pictures, text)


if __name__ == "__main__":
    main(Settings, run)
