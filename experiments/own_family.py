"""A family of one's own in the cross-entropy method: a law with a weighted fit, in a dozen lines.

The nominal law is normal; the family is Student's t with a fitted place and width, whose tails are heavier than those
of any tilt. The method asks for `fit(x, weights)` and for nothing else.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots, proposals
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure


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


def densities(p, designs, exact, level):
    """The nominal law, the fitted ones and q*, on a logarithmic scale."""
    made, ax = plots.figure(figsize=(7.6, 4.6))
    x = np.linspace(-3.0, level + 4.0, 700)
    with plots.style():
        ax.axvspan(level, x[-1], color=plots.EXACT, alpha=0.08, label="the event")
        laws = {"nominal p": p, **{name: found.law for name, found in designs.items()}}
        looks = zip(laws.items(), (plots.NAIVE, plots.OTHER, plots.SAMPLED), ("--", "-.", "-"), strict=True)
        for (name, law), colour, line in looks:
            ax.plot(x, np.exp(law.log_prob(x)), color=colour, linestyle=line, label=name)
        inside = x[x >= level]
        ax.plot(inside, np.exp(p.log_prob(inside)) / exact, color=plots.IDEAL, linestyle=":", linewidth=2.4,
                label="ideal q*")
        ax.set(yscale="log", ylim=(1e-13, 20.0), xlabel="x", ylabel="density", title="A family with heavier tails")
        ax.legend(loc="lower center", ncol=3)
    return made


def run(settings: Settings, progress: bool) -> Findings:
    p, event = rare.Normal(0.0, 1.0), rare.at_least(settings.level)
    designs = {"tilts": proposals.cross_entropy(p, event, seed=settings.seed),
               "own family": proposals.cross_entropy(p, event, family=Student(settings.df), seed=settings.seed)}
    exact = oracle.value(p, event)
    found = rare.compare(p, event, designs, samples=settings.samples, seed=settings.seed, progress=progress)
    grades = {name: oracle.grade(p, event, made.law) for name, made in designs.items()}
    pictures = {"distributions": densities(p, designs, exact, settings.level),
                "running": plots.running(found.estimates, exact=exact)}
    numbers = {"exact": exact, "bits": {name: made.kl / math.log(2.0) for name, made in grades.items()},
               **found.to_dict(),
               "laws": {name: repr(made.law) for name, made in designs.items()},
               "relative_variance": {name: made.relative_variance for name, made in designs.items()}}
    return Findings(numbers, pictures)


def tell(settings, numbers):
    variance = numbers["relative_variance"]
    return Told(
        "Fitted by the same method, a draw of Student's t has a relative variance of "
        f"{figure(variance['own family'])}, one of a tilt {figure(variance['tilts'])}. Its tails are heavier than "
        "those of any tilt.",
        {"distributions": "Student's t (blue) is as narrow as the ideal law at its peak, and its tails stay above it: "
                          "no draw in the event gets a large weight. The tilt is as wide as the nominal law.",
         "running": "Two families, one answer: both bands close around the exact line."},
        quantity=f"P(X ≥ {settings['level']:g}) of a standard normal number",
        estimates={name: numbers[name] for name in ("tilts", "own family")}, best="own family", exact=numbers["exact"],
        bits=numbers["bits"],
        tables={"The fitted laws": [{"family": name, "law": law, "relative variance of a draw": variance[name]}
                                    for name, law in numbers["laws"].items()]})


if __name__ == "__main__":
    main(Settings, run, tell)
