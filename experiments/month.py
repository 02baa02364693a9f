"""A rare month of weather, day by day: what a proposal does to the paths, and what it costs.

The days of Seattle's summers (June to August, 2012 to 2014) follow a chain of four kinds of weather. A July with so
many wet days has not been seen; how likely is it under the chain? Naive Monte Carlo, splitting (adaptive, at fixed
levels, RESTART), plans that are made beforehand (a stationary tilt, a tilt for the month), proposals that see the day,
the weather and the count so far (feedback, a learned policy, a committor that is learned from paths that climbed) and
the exact answer, whose conditional law of the month is the ideal proposal.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from experiments.seattle import KINDS as ALL_KINDS
from experiments.seattle import add_half, record, tables
from rareevents import oracle, plots, proposals
from rareevents.experiments import Findings, main
from rareevents.report import Told, figure

LEVELS = [0.5, 0.65, 0.77, 0.85, 0.92]        # of splitting beside the adaptive one: shares of the wet days asked for
TRIALS = 10                                   # about one over the chance to reach the next of them
SUMMER = 2                                    # of the seasons from December to February on
KINDS = ALL_KINDS[:4]                         # no snow in summer
WET = KINDS[1:]
COLOURS = ("#F0E442", "#9ecae1", "#4292c6", "#08519c")
HATCHES = ("", "..", "//", "xx")


@dataclass(frozen=True)
class Settings:
    """The month and the budget."""

    days: int = 31
    """Days of the month; the day before it is dry."""
    wet: int = 26
    """The month is rare when it has at least this many wet days."""
    samples: int = 100_000
    """Months that each method draws."""
    shown: int = 14
    """Months of each law in the picture."""
    seed: int = 1
    """Of the random streams."""


def chain(days):
    """The chain of summer days, with Jeffreys' half added to each count."""
    history = record()
    counts = tables(history.kind, history)[1][SUMMER, :len(KINDS), :len(KINDS)]
    return rare.MarkovChain(add_half(counts), "dry", days, labels=KINDS)


def strips(panels, wet):
    """Months as rows of days, a panel for each law."""
    made, axes = plots.figure(len(panels), 1, figsize=(7.2, 2.0 * len(panels) + 0.9))
    with plots.style():
        for ax, (name, months) in zip(axes, panels.items(), strict=True):
            for k in range(len(KINDS)):
                days = [(day + 0.5, row) for row, month in enumerate(months) for day in np.flatnonzero(month[1:] == k)]
                if days:
                    ax.add_patch(rectangles(days, COLOURS[k], HATCHES[k]))
            for row, month in enumerate(months):
                ax.text(len(months[0]) + 0.1, row + 0.5, f"{int(np.sum(month[1:] > 0))}", va="center", fontsize=7)
            ax.set(xlim=(0.5, len(months[0]) - 0.5), ylim=(len(months), 0), yticks=[], title=name)
            ax.grid(False)
        axes[-1].set(xlabel=f"day of the month (right: wet days; {wet} make the event)")
        handles = [rectangles([(0, 0)], COLOURS[k], HATCHES[k]) for k in range(len(KINDS))]
        made.legend(handles, KINDS, loc="outside lower center", ncols=len(KINDS), frameon=False)
    return made


def rectangles(corners, colour, hatch):
    """A patch of days, as one path: the picture is a third of the size."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    day = np.array([(0.0, 0.06), (1.0, 0.06), (1.0, 0.94), (0.0, 0.94), (0.0, 0.06)])
    path = Path.make_compound_path(*(Path(corner + day, closed=True) for corner in np.array(corners, float)))
    return PathPatch(path, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.4)


def seasons(rows, days):
    """The chance of a wet day through the month, under each law."""
    made, ax = plots.figure(figsize=(7.2, 4.2))
    with plots.style():
        for (name, wet), (colour, marker, line) in zip(rows.items(), plots.LOOKS, strict=False):
            colour = plots.NAIVE if name.startswith("nominal") else colour
            ax.plot(np.arange(1, days + 1), wet, color=colour, marker=marker, markevery=5, linestyle=line, label=name)
        ax.set(xlabel="day of the month", ylabel="chance that the day is wet", ylim=(0.0, 1.0),
               title="Given the event the month relaxes at its end, a plan does not")
        ax.legend(loc="lower center", ncols=2)
    return made


def costs(rows):
    """The relative variance of each method on a log axis."""
    made, ax = plots.figure(figsize=(7.2, 3.8))
    with plots.style():
        for i, (name, (exact, measured)) in enumerate(rows.items()):
            if exact is not None:
                ax.plot([exact], [i], marker="|", markersize=16, markeredgewidth=2, color=plots.EXACT, linestyle="")
            if measured is not None:
                ax.plot([measured], [i], marker="o", color=plots.NAIVE if name == "naive" else plots.SAMPLED,
                        linestyle="")
        ax.set(xscale="log", yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.5, -0.5),
               xlabel="relative variance of one month: bar exact, dot measured",
               title="What a month of each method is worth")
    return made


def wet_share(law, settings):
    """The chance of a wet day on each day, from months of a law that go on after the event."""
    months = rare.weighted_samples(law[0], law[1], 2000, settings.seed)[0]
    return np.mean(months[:, 1:] > 0, axis=0)


def run(settings: Settings, progress: bool) -> Findings:
    summer = chain(settings.days)
    event = rare.visits(WET) >= settings.wet
    exact = oracle.value(summer, event)
    made = {"stationary tilt": proposals.perron_tilt(summer, event),
            "tilt for the month": proposals.tilt(summer, event),
            "feedback": proposals.feedback(summer, event),
            "learned policy": proposals.policy(summer, event, seed=settings.seed),
            "learned committor": proposals.committor(summer, event, seed=settings.seed),
            "given the event (Doob)": proposals.doob(summer, event)}
    naive = oracle.grade(summer, event)
    found = {"naive": rare.estimate(summer, event, samples=settings.samples, seed=settings.seed)}
    found |= {name: rare.estimate(summer, event, design, samples=settings.samples, seed=settings.seed)
              for name, design in made.items()}
    climbed = {"splitting": rare.split(summer, event, seed=settings.seed),
               "splitting, 5 levels": rare.split(summer, event, levels=LEVELS, seed=settings.seed),
               "RESTART, 5 levels": rare.split(summer, event, levels=LEVELS, trials=TRIALS, seed=settings.seed)}
    rows = {"naive": (naive.relative_variance, found["naive"].relative_variance if found["naive"].hits > 10 else None),
            **{name: (None, e.relative_variance) for name, e in climbed.items()}}
    rows |= {name: (design.relative_variance, found[name].relative_variance) for name, design in made.items()
             if not name.startswith("given")}
    laws = {"nominal p: a summer month": None,
            "p given the event: the rare month as it is": made["given the event (Doob)"],
            "feedback: looks the same": made["feedback"],
            "stationary tilt: misses, or overshoots": made["stationary tilt"]}
    panels = {name: rare.weighted_samples(summer, law, settings.shown, settings.seed)[0]
              for name, law in laws.items()}
    shares = {name.split(":")[0]: wet_share((summer, law), settings) for name, law in laws.items()}
    numbers = {"exact": exact, "naive_relative_variance": naive.relative_variance,
               "estimates": {name: estimate.to_dict() for name, estimate in found.items()},
               "splitting": {name: e.to_dict() for name, e in climbed.items()},
               "exact_relative_variance": {name: design.relative_variance for name, design in made.items()},
               "wasted_bits": {name: oracle.grade(summer, event, design.law).kl / np.log(2.0)
                               for name, design in made.items() if name != "learned policy"},
               "wet_share": {name: share.tolist() for name, share in shares.items()}}
    return Findings(numbers, {"months": strips(panels, settings.wet), "days": seasons(shares, settings.days),
                              "costs": costs(rows), "frontier": paid({**found, **climbed}, made)})


def paid(found, made):
    """What each method spent, learning included, and the error that it reached; without the one that has no error."""
    points = {}
    for name, e in found.items():
        if e.hits and not name.startswith("given"):
            learned = made[name].exploration + made[name].learning if name in made else 0
            points[name] = [(sum(e.evaluations) + learned, e.relative_error)]
    return plots.frontier(points, "months drawn", plots.figure(figsize=(8.4, 4.4))[1])


def tell(settings, numbers):
    found = {name: numbers["estimates"][name] for name in (
        "naive", "stationary tilt", "tilt for the month", "feedback", "learned policy", "learned committor",
        "given the event (Doob)")}
    exact = numbers["exact_relative_variance"]
    return Told(
        f"Once in {1.0 / numbers['exact']:,.0f} months. The proposal that sees the count so far has a relative "
        f"variance of {figure(exact['feedback'])} a month; the best plan made beforehand "
        f"{figure(exact['tilt for the month'])}.",
        {"months": "Each row is a month, each column a day; darker is wetter. The months of the feedback proposal look "
                   "like those of the usual law given the event. The tilt that ignores the count misses the event or "
                   "overshoots.",
         "days": "Given the event the month relaxes at its end, once the count is reached; a plan made beforehand "
                 "cannot.",
         "costs": "Further left is better. Bars are exact, dots measured; each step of the axis is a factor in draws.",
         "frontier": "Lower and further left is better; along a grey line methods are worth the same. Learned "
                     "proposals pay for what they learned from, and splitting pays for every path."},
        quantity=f"P(at least {settings['wet']} wet days of {settings['days']})",
        estimates={**found, **numbers["splitting"]}, best="feedback", exact=numbers["exact"],
        bits={"naive": -math.log2(numbers["exact"]), **numbers["wasted_bits"]})


if __name__ == "__main__":
    main(Settings, run, tell)
