"""A family of one's own in the cross-entropy method: a law with a weighted fit, in a dozen lines.

The nominal law is normal; the family is Student's t with a fitted place and width, whose tails are heavier than those
of any tilt. The method asks for `fit(x, weights)` and for nothing else.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots, proposals
from rareevents.experiments import Findings, main


@dataclass(frozen=True)
class Settings:
    """The question and the family's shape."""

    level: float = 5.0
    """The event: a standard normal number of at least this."""
    df: float = 5.0
    """Degrees of freedom of the family."""
    samples: int = 100_000
    """Draws of each estimate."""
    seed: int = 1
    """Of the random streams."""


class Student:
    """Student's t with the weighted mean and spread of the draws."""

    def __init__(self, df):
        self.df = df

    def fit(self, x, weights):
        share = weights / weights.sum()
        place = float(share @ x)
        return rare.StudentT(self.df, place, float(np.sqrt(share @ (x - place) ** 2)) + 1e-3)


def run(settings: Settings, progress: bool) -> Findings:
    p, event = rare.Normal(0.0, 1.0), rare.at_least(settings.level)
    designs = {"tilts": proposals.cross_entropy(p, event, seed=settings.seed),
               "own family": proposals.cross_entropy(p, event, family=Student(settings.df), seed=settings.seed)}
    exact = oracle.value(p, event)
    found = rare.compare(p, event, designs, samples=settings.samples, seed=settings.seed, progress=progress)
    x = np.linspace(-3.0, 1.6 * settings.level, 400)
    pictures = {"distributions": plots.distributions(p, designs["own family"].law, x >= settings.level, x, label="x"),
                "running": plots.running(found.estimates, exact=exact)}
    numbers = {"exact": exact, **found.to_dict(),
               "laws": {name: repr(made.law) for name, made in designs.items()},
               "relative_variance": {name: made.relative_variance for name, made in designs.items()}}
    lines = [f"P(X >= {settings.level:g}) = {exact:.8g} exactly", str(found)]
    lines += [f"{name}: {made!r}" for name, made in designs.items()]
    return Findings(numbers, pictures, "\n".join(lines))


if __name__ == "__main__":
    main(Settings, run)
