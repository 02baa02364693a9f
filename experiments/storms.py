"""Storms in a month: how likely are at least k of them, by naive Monte Carlo and by importance sampling?

The nominal law is Poisson(4). The tilted proposal for "at least k storms" is Poisson(k): under it the event is common,
and the weight p/q corrects each draw. A proposal serves one question: what is best for the tail is bad for the mean.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure, value_of


@dataclass(frozen=True)
class Settings:
    """How many storms, how rare, and how many draws."""

    rate: float = 4.0
    """Storms expected in a month."""
    threshold: int = 20
    """The month is rare when it has at least this many."""
    samples: int = 1_000_000
    """Draws of each estimate."""
    seed: int = 1
    """Of the random streams."""


def number(x):
    return x


def thresholds(settings, progress):
    """P(at least k storms) for several k, naive and tilted at equal draws."""
    p, rows = rare.Poisson(settings.rate), {}
    for k in sorted({8, 12, 16, settings.threshold}):
        rows[k] = rare.compare(p, rare.at_least(k), {"naive": None, "tilted": rare.Poisson(float(k))},
                               samples=settings.samples, seed=settings.seed, progress=progress)
    return rows


def means(settings):
    """E[N] by the naive law, by one a little heavier, and by the one that is best for the tail."""
    p = rare.Poisson(settings.rate)
    return rare.compare(p, number, {"naive": None, "Poisson(5)": rare.Poisson(5.0),
                                    f"Poisson({settings.threshold})": rare.Poisson(float(settings.threshold))},
                        samples=settings.samples, seed=settings.seed)


def one_pass(settings):
    """Several thresholds from the same draws: an integrand with several values."""
    return rare.estimate(rare.Poisson(settings.rate), lambda x: (x >= 8, x >= 12, x >= 16),
                         proposal=rare.Poisson(12.0), samples=settings.samples, seed=settings.seed)


def costs(settings):
    """Relative variance against the tilt, and draws to 1 % against rarity; measured and exact."""
    p, k, n = rare.Poisson(settings.rate), settings.threshold, max(10_000, settings.samples // 10)
    points = []
    for rate in np.linspace(0.6 * k, 1.6 * k, 9):
        found = rare.estimate(p, rare.at_least(k), proposal=rare.Poisson(float(rate)), samples=n, seed=settings.seed)
        spread = found.relative_variance * found.relative_variance_error
        points.append((float(rate), found.relative_variance, spread))
    tails = {k: oracle.value(p, rare.at_least(k)) for k in range(int(settings.rate) + 1, 200)}
    levels = [k for k, probability in tails.items() if 1e-12 <= probability <= 2e-2]
    rarities = np.array([tails[k] for k in levels])
    grades = {"naive": [oracle.grade(p, rare.at_least(k)) for k in levels],
              "tilted": [oracle.grade(p, rare.at_least(k), rare.Poisson(float(k))) for k in levels]}
    theory = {name: 1e4 * np.array([grade.relative_variance for grade in found]) for name, found in grades.items()}
    measured = {"naive": [], "tilted": []}
    for k, probability in zip(levels, rarities, strict=True):
        for name, proposal in (("naive", None), ("tilted", rare.Poisson(float(k)))):
            if name == "naive" and probability < 1e-5:
                continue
            draws = 20 * settings.samples if name == "naive" else n
            found = rare.estimate(p, rare.at_least(k), proposal=proposal, samples=draws, seed=settings.seed)
            if found.hits >= 100:
                measured[name].append((float(probability), 1e4 * found.relative_variance))
    return points, (rarities, theory, measured)


def run(settings: Settings, progress: bool) -> Findings:
    if not (settings.threshold >= 1 and oracle.value(rare.Poisson(settings.rate), rare.at_least(settings.threshold))
            > 1e-100):
        raise ValueError(f"threshold must be an integer of at least 1, reached with a probability above 1e-100, got "
                         f"{settings.threshold!r}")
    tails, mean = thresholds(settings, progress), means(settings)
    together = one_pass(settings)
    points, (rarities, theory, measured) = costs(settings)
    k = settings.threshold
    p, q, event = rare.Poisson(settings.rate), rare.Poisson(float(k)), rare.at_least(k)
    exact = oracle.grade(p, event)
    draws, log_weight = rare.weighted_samples(p, q, 200_000, seed=settings.seed)
    x = np.arange(0, int(1.9 * k) + 1)
    rates = np.linspace(0.55 * k, 1.7 * k, 60)
    curve = [oracle.grade(p, event, rare.Poisson(rate)).relative_variance for rate in rates]
    pictures = {
        "distributions": plots.distributions(p, q, x >= k, x, label="storms in the month"),
        "running": plots.running(tails[k].estimates, exact=exact.value),
        "log_weights": plots.log_weights(log_weight, draws >= k, tails[k]["tilted"].bound),
        "ess": plots.ess(tails[k].estimates),
        "tail": plots.pareto_tail({f"P(N ≥ {k}) by Poisson({k})": tails[k]["tilted"],
                                   f"E[N] by Poisson({k})": mean[f"Poisson({k})"]}),
        "tilt": plots.tilt_curve(rates, np.array(curve), points, naive=exact.relative_variance,
                                 label="storms expected under the proposal"),
        "rarity": plots.rarity(rarities, theory, measured),
    }
    grades = {"naive": exact, "tilted": oracle.grade(p, event, q)}
    numbers = {
        "bits": {name: grade.kl / math.log(2.0) for name, grade in grades.items()},
        "tails": {str(k): {"exact": oracle.value(p, rare.at_least(k)), **found.to_dict()}
                  for k, found in tails.items()},
        "mean": {"exact": settings.rate, **mean.to_dict()},
        "one_pass": together.to_dict(),
        "tilt": [{"rate": rate, "relative_variance": value, "std_error": error,
                  "exact": oracle.grade(p, event, rare.Poisson(rate)).relative_variance}
                 for rate, value, error in points],
        "draws_to_one_percent": {"probability": rarities, "theory": theory, "measured": measured},
    }
    return Findings(numbers, pictures)


def tell(settings, numbers):
    k, tails = settings["threshold"], numbers["tails"]
    best = tails[str(k)]
    gains = [(int(level), found["tilted"]["variance_ratio"]["value"]) for level, found in tails.items()
             if found["naive"]["hits"] >= 100 and found["tilted"]["hits"] >= 100]
    gain = "".join(f"For at least {level} storms the tilt needs {figure(times)} times fewer draws than naive Monte "
                   "Carlo, and the rarer the month the more. " for level, times in [max(gains)]) if gains else ""
    return Told(
        gain + "For the mean number of storms the best law for the tail is the worst: a proposal serves one question.",
        {"distributions": "The proposal (blue dots) sits on the shaded event; its shape there need only resemble that "
                          "of the ideal one (green squares), which is the usual months cut off at the event.",
         "running": "The tilted estimate is at the exact line from the first thousand draws on. As long as naive "
                    "Monte Carlo has no hit it has no estimate, only an upper bound that falls.",
         "log_weights": "In the event every weight is below a bound that is proven (dashed), far below 1: no draw can "
                        "spoil the average. The large weights are all outside, where they count as zero.",
         "ess": "Parallel to the dashed line means that the share of draws that count stays what it is: nothing new "
                "and larger turns up.",
         "tail": "One proposal, two questions. For the tail its largest terms are all alike, at their bound. For the "
                 "mean they go on and on, each step a count that it almost never draws: flatter than the dashed slope, "
                 "they look like terms without a variance.",
         "tilt": "The valley is wide: any mean from the threshold to a quarter more costs about the same. Too small a "
                 "mean costs far more than too large a one.",
         "rarity": "Each step to the right makes the event rarer. Naive Monte Carlo pays in proportion, the tilt "
                   "almost nothing."},
        quantity=f"P(at least {k} storms in a month)", estimates={name: best[name] for name in ("naive", "tilted")},
        best="tilted", exact=best["exact"], bits=numbers["bits"],
        tables={"Other thresholds, and the mean": [
            *({"question": f"at least {level} storms", "exact": found["exact"], "law": name,
               "estimate": value_of(found[name]), "verdict": found[name]["verdict"]}
              for level, found in sorted(tails.items(), key=lambda item: int(item[0])) for name in ("naive", "tilted")),
            *({"question": "mean number of storms", "exact": numbers["mean"]["exact"], "law": name,
               "estimate": value_of(found), "verdict": found["verdict"]}
              for name, found in numbers["mean"].items() if name != "exact")]})


if __name__ == "__main__":
    main(Settings, run, tell)
