"""Storms in a month: how likely are at least k of them, by naive Monte Carlo and by importance sampling?

The nominal law is Poisson(4). The tilted proposal for "at least k storms" is Poisson(k): under it the event is common,
and the weight p/q corrects each draw. A proposal serves one question: what is best for the tail is bad for the mean.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.estimates import shown
from rareevents.experiments import Findings, main


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
        "tilt": plots.tilt_curve(rates, np.array(curve), points, naive=exact.relative_variance,
                                 label="storms expected under the proposal"),
        "rarity": plots.rarity(rarities, theory, measured),
    }
    numbers = {
        "tails": {str(k): {"exact": oracle.value(p, rare.at_least(k)), **found.to_dict()}
                  for k, found in tails.items()},
        "mean": {"exact": settings.rate, **mean.to_dict()},
        "one_pass": together.to_dict(),
        "tilt": [{"rate": rate, "relative_variance": value, "std_error": error,
                  "exact": oracle.grade(p, event, rare.Poisson(rate)).relative_variance}
                 for rate, value, error in points],
        "draws_to_one_percent": {"probability": rarities, "theory": theory, "measured": measured},
    }
    return Findings(numbers, pictures, report(settings, tails, mean))


def report(settings, tails, mean):
    """The table on the terminal."""
    lines = [f"Storms in a month, Poisson({settings.rate:g}), {settings.samples:,} draws each", "",
             f"{'question':<18}{'exact':<12}{'proposal':<12}{'estimate':<18}{'95% interval':<26}{'ESS':>10}  verdict"]

    def row(question, exact, name, found):
        low, high = found.interval()
        value = shown(found.value, found.std_error) if found.hits else "no hit"
        return (f"{question:<18}{exact:<12.5g}{name:<12}{value:<18}{f'[{low:.5g}, {high:.5g}]':<26}"
                f"{found.effective_sample_size:>10,.0f}  {found.verdict}")
    for k, comparison in tails.items():
        lines += [row(f"P(N >= {k})", oracle.value(rare.Poisson(settings.rate), rare.at_least(k)), name, found)
                  for name, found in comparison.estimates.items()]
        ratio = comparison.variance_ratio("tilted")
        if ratio.value is not None:
            lines.append(f"{'':<30}the tilt needs {ratio} times fewer draws")
    lines.append("")
    lines += [row("E[N]", settings.rate, name, found) for name, found in mean.estimates.items()]
    worst = max(mean.estimates, key=lambda name: mean[name].relative_error)
    if worst == f"Poisson({settings.threshold})":
        lines.append("A proposal serves one question: the one that finds the rare months is the worst for the mean.")
    return "\n".join(lines)


if __name__ == "__main__":
    main(Settings, run)
