"""A season of storms: the damage adds up, light tails and heavy tails side by side.

Storms are Poisson; each does some damage. With exponential damages a bad season is one of many storms that are all a
little worse: a tilt finds it. With log-normal, Lomax or Weibull damages it is one storm that ruins the year, or a few:
there is no tilt, because the moment generating function is infinite. The largest storm is then integrated, and the
number of storms and the size of the others are drawn to suit. Plain conditioning on all but the largest (Asmussen and
Kroese) is the special case that changes neither. Twisting each size by its hazard (Juneja and Shahabuddin) integrates
nothing, and its variance grows as the season gets rarer.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import plots, proposals
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure, value_of


@dataclass(frozen=True)
class Settings:
    """The season and the budget."""

    rate: float = 4.0
    """Storms expected in a season."""
    samples: int = 100_000
    """Seasons of each method."""
    seed: int = 1
    """Of the random streams."""


DAMAGES = {"exponential": (rare.Exponential(1.0), (15.0, 20.0, 30.0, 40.0)),
           "Weibull 0.75": (rare.Weibull(0.75, 1.0), (20.0, 30.0, 40.0, 80.0)),
           "log-normal": (rare.LogNormal(0.0, 1.0), (20.0, 50.0, 200.0, 1000.0)),
           "Lomax 1.5": (rare.Lomax(1.5, 1.0), (20.0, 100.0, 1e4, 1e6))}


def methods(season, event, seed):
    """(nominal, integrand, proposal) of each method that the question allows."""
    yield "naive", season, event, None
    if isinstance(season.sizes, rare.Exponential):
        yield "tilt", season, event, proposals.tilt(season, event)
        yield "sizes integrated", *proposals.rao_blackwell(season, event)
        return
    yield "sizes twisted by their hazard", *proposals.hazard_twist(season, event)
    made = proposals.largest_integrated(season, event, seed)
    yield "largest integrated", made.nominal, made.f, None
    yield "largest integrated, rest designed", *made


def curves(rows):
    """The relative variance of each method against the probability, a panel for each law of a damage."""
    looks = {name: (plots.NAIVE if name == "naive" else look[0], *look[1:])
             for name, look in zip(sorted({m for _, _, m, _ in rows}), plots.LOOKS, strict=False)}
    made, axes = plots.figure(1, len(DAMAGES), figsize=(10.5, 3.8))
    with plots.style():
        for ax, law in zip(axes, DAMAGES, strict=True):
            for name, (colour, marker, line) in looks.items():
                points = [(p, v) for which, p, m, v in rows if which == law and m == name and v is not None]
                if points:
                    ax.plot(*np.array(points).T, color=colour, marker=marker, linestyle=line, label=name)
            ax.set(xscale="log", yscale="log", title=law, xlabel="P(bad season)")
            ax.invert_xaxis()
            ax.set_ylim(1e-9, 1e12)
        axes[0].set_ylabel("relative variance of one season")
        handles = {label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        made.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles), frameon=False)
    return made


def run(settings: Settings, progress: bool) -> Findings:
    rows, numbers, refused = [], {}, {}
    for law, (size, levels) in DAMAGES.items():
        season = rare.CompoundSum(rare.Poisson(settings.rate), size)
        try:
            proposals.tilt(season, rare.at_least(levels[0]))
        except ValueError as refusal:
            refused[law] = str(refusal)
        for level in levels:
            event = rare.at_least(level)
            found = {name: rare.estimate(p, f, q, samples=settings.samples, seed=settings.seed)
                     for name, p, f, q in methods(season, event, settings.seed)}
            best = list(found.values())[-1].value
            for name, e in found.items():
                rows.append((law, best, name, 1.0 / best - 1.0 if name == "naive" else e.relative_variance))
            numbers[f"{law} {level:g}"] = {name: e.to_dict() for name, e in found.items()}
    return Findings({"refused": refused, **numbers}, {"variance": curves(rows)})


def tell(settings, numbers):
    last = {law: numbers[f"{law} {levels[-1]:g}"] for law, (_, levels) in DAMAGES.items()}
    light, heavy = last["exponential"]["sizes integrated"], last["Lomax 1.5"]["largest integrated, rest designed"]
    return Told(
        "For light tails a tilt finds the bad season; for heavy ones there is none. At the rarest levels a season "
        f"with the sizes integrated has a relative variance of {figure(light['relative_variance'])} (exponential "
        f"damages), one with the largest storm integrated {figure(heavy['relative_variance'])} (Lomax damages).",
        {"variance": "Rarer to the right, one panel for each law of a damage. Naive Monte Carlo rises like 1/P, the "
                     "twist by the hazard more slowly. What integrates a part of the season and designs the rest stays "
                     "level, or falls."},
        tables={**{law: [{"level": level, "method": name, "estimate": value_of(found),
                          "relative variance": found["relative_variance"], "hits": found["hits"],
                          "verdict": found["verdict"]}
                         for level in levels for name, found in numbers[f"{law} {level:g}"].items()]
                   for law, (_, levels) in DAMAGES.items()},
                "Why there is no tilt": [{"law": law, "reason": words} for law, words in numbers["refused"].items()]})


if __name__ == "__main__":
    main(Settings, run, tell)
