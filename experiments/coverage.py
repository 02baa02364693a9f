"""How often do 95 % intervals hold the truth? Both tails apart, against exact answers, over many configurations.

Tuned, under-tilted and over-tilted proposals, lognormal and Pareto weights, naive runs, mixtures, signed integrands and
vectors, with a fixed number of draws, and stopped by a relative error. Beside the interval of `estimate` are those by
Student's t, by Hall's transformation alone, and by a wider rule where nothing is proven, from the same draws.
"""
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special
from tqdm import tqdm

import rareevents as rare
from rareevents import engine, estimates, intervals, oracle, plots
from rareevents.events import AnyEvent
from rareevents.experiments import Findings, main
from rareevents.integrands import integrand
from rareevents.kernels.stages import MAIN
from rareevents.report import Told
from rareevents.sampler import Sampler

CONFIDENCE = 0.95
LEAST, LEAST_STOPPED = 0.93, 0.90       # what a configuration of finite variance is to cover: from FROM draws on, and
FROM = 1000                             # where a relative error stops the run
MOST = 0.985                            # what Hall's interval is not to exceed
LEFT = 0.84                             # where the axes of the picture begin; what lies below is drawn there
ERRORS = 3.0                            # by how many of its standard errors a coverage may be off
CERTIFIED = ("betting", "clopper-pearson", "zero hits")


@dataclass(frozen=True)
class Settings:
    """How many runs of each configuration, and how long each is."""

    replicates: int = 1000
    """Runs of each configuration at each number of draws."""
    sizes: tuple[int, ...] = (100, 1000, 10_000)
    """Draws of a run, in turn."""
    relative_error: float = 0.05
    """At which the stopped runs end."""
    seed: int = 1
    """Of the random streams; no two runs share one."""


@dataclass(frozen=True)
class Case:
    """A question with a known answer, and a proposal for it."""

    group: str
    name: str
    nominal: rare.Distribution
    f: Any
    proposal: rare.Distribution | None
    exact: float
    stopped: bool = False               # whether it is stopped by a relative error too
    fresh: bool = True                  # whether it had no part in the study that chose the rule's thresholds
    finite: bool = True                 # whether a term has a variance


def one(x):
    return 1.0


def number(x):
    return x


def excess(x):
    return max(x - 8.0, 0.0)


def cube(x):
    return x * x * x


def far_part(x):
    return x if x > 3.0 or x < -2.0 else 0.0


def wave(x):
    return math.sin(3.0 * x)


def cases():
    """The configurations, in the order of the table."""
    made = []

    def add(group, name, nominal, f, proposal, exact=None, **options):
        value = oracle.value(nominal, f) if exact is None else exact
        made.append(Case(group, name, nominal, f, proposal, value, **options))
    normal, unit, storms = rare.Normal(0.0, 1.0), rare.Exponential(1.0), rare.Poisson(4.0)
    counts, beyond = rare.NegativeBinomial(3.0, 0.5), rare.at_least(4.0)

    def tails(group, poisson, mean, binomial, gamma, shift):
        """The same questions by proposals that are tilted well, too little, or too much."""
        add(group, f"Poisson(10) ≥ 30 by {poisson:g}", rare.Poisson(10.0), rare.at_least(30), rare.Poisson(poisson),
            stopped=True, fresh=False)
        add(group, f"normal ≥ 4 by mean {mean:g}", normal, beyond, rare.Normal(mean, 1.0),
            stopped=group != "under-tilted", fresh=False)
        add(group, f"binomial(100, 0.1) ≥ 30 by {binomial:g}", rare.Binomial(100, 0.1), rare.at_least(30),
            rare.Binomial(100, binomial), fresh=False)
        add(group, f"gamma(3) ≥ 20 by rate {gamma:g}", rare.Gamma(3.0, 1.0), rare.at_least(20.0),
            rare.Gamma(3.0, gamma), fresh=False)
        add(group, f"sum of 10 normals ≥ 4 sd by {shift:g} sd", rare.IID(normal, 10),
            rare.linear([1.0] * 10) >= 4.0 * math.sqrt(10.0), rare.IID(rare.Normal(shift / math.sqrt(10.0), 1.0), 10),
            special.ndtr(-4.0))
    tails("tuned", 30.0, 4.0, 0.3, 0.15, 4.0)
    add("tuned", "exponential ≥ 20 by rate 0.05", unit, rare.at_least(20.0), rare.Exponential(0.05))
    add("tuned", "negative binomial ≥ 30 by 0.09", counts, rare.at_least(30), rare.NegativeBinomial(3.0, 0.09))
    add("tuned", "sum of 5 exponentials ≥ 25 by 0.2", rare.IID(unit, 5), rare.total >= 25.0,
        rare.IID(rare.Exponential(0.2), 5), special.gammaincc(5.0, 25.0))
    tails("under-tilted", 18.0, 2.0, 0.2, 0.35, 2.4)
    tails("over-tilted", 45.0, 6.0, 0.42, 0.08, 5.6)
    add("over-tilted", "negative binomial ≥ 30 by 0.05", counts, rare.at_least(30), rare.NegativeBinomial(3.0, 0.05))
    add("over-tilted", "normal ≥ 4 by mean 7", normal, beyond, rare.Normal(7.0, 1.0), fresh=False)

    group = "other laws"
    add(group, "Student-t(5) ≥ 10 by t moved to 10", rare.StudentT(5.0), rare.at_least(10.0),
        rare.StudentT(5.0, 10.0, 3.0))
    add(group, "Student-t(3) ≥ 10 by Student-t(1)", rare.StudentT(3.0), rare.at_least(10.0), rare.StudentT(1.0))
    add(group, "lognormal ≥ 30 by mean of log 3.4", rare.LogNormal(0.0, 1.0), rare.at_least(30.0),
        rare.LogNormal(3.4, 1.0))
    add(group, "Weibull(0.5) ≥ 100 by scale 60", rare.Weibull(0.5, 1.0), rare.at_least(100.0), rare.Weibull(0.5, 60.0))
    add(group, "Lomax(3) ≥ 30 by Lomax(1)", rare.Lomax(3.0, 1.0), rare.at_least(30.0), rare.Lomax(1.0, 10.0))
    add(group, "normal ≥ 4 by an exponential overshoot", normal, beyond,
        rare.Shifted(rare.Exponential(4.0), 4.0))

    group = "lognormal weights"
    for sigma in (0.5, 1.0, 1.2, 1.5, 1.8):
        add(group, f"sd of log weight {sigma:g}", normal, one, rare.Normal(sigma, 1.0), 1.0, stopped=sigma == 1.0,
            fresh=sigma == 1.2)
    add(group, "sd 1.2 from 16 coordinates", rare.IID(normal, 16), one, rare.IID(rare.Normal(0.3, 1.0), 16), 1.0)
    add(group, "sd of log weight 2", normal, one, rare.Normal(2.0, 1.0), 1.0, fresh=False)

    group = "Pareto weights"
    for k in (0.2, 0.3, 0.4, 0.45):
        add(group, f"k = {k:g}", unit, one, rare.Exponential(1.0 / (1.0 - k)), 1.0, stopped=k == 0.3,
            fresh=k in (0.2, 0.45))
    add(group, "E[X] by rate 1.4", unit, number, rare.Exponential(1.4), 1.0)

    group = "naive"
    add(group, "Poisson(4) ≥ 9, p = 0.021", storms, rare.at_least(9), None, stopped=True, fresh=False)
    add(group, "Poisson(4) ≥ 12, p = 0.0009", storms, rare.at_least(12), None)
    add(group, "normal ≥ 2.878, p = 0.002", normal, rare.at_least(2.878), None, fresh=False)
    add(group, "E[(Poisson(4) - 8)⁺]", storms, excess, None, stopped=True)
    add(group, "E[X], exponential", unit, number, None, stopped=True)
    add(group, "E[X], Lomax(3.5)", rare.Lomax(3.5, 1.0), number, None)

    group = "mixtures and unions"
    apart = rare.at_most(-3.0) | rare.at_least(4.0)
    sides = rare.Mixture([rare.Normal(-4.0, 1.0), rare.Normal(4.0, 1.0)], [0.5, 0.5])
    regimes = rare.Mixture([rare.Poisson(2.0), rare.Poisson(12.0)], [0.95, 0.05])
    pair = rare.IID(normal, 2)
    either = (rare.component(0) >= 3.0) | (rare.component(1) >= 3.5)
    moved = [rare.Independent([rare.Normal(3.0, 1.0), normal]), rare.Independent([normal, rare.Normal(3.5, 1.0)])]
    corner = special.ndtr(-3.0) + special.ndtr(-3.5) - special.ndtr(-3.0) * special.ndtr(-3.5)
    add(group, "|normal| > 4 by both sides", normal, rare.outside(-4.0, 4.0), sides, stopped=True)
    add(group, "|normal| > 4, one side with 5 %", normal, rare.outside(-4.0, 4.0),
        rare.Mixture(sides.components, [0.05, 0.95]))
    add(group, "normal ≤ -3 or ≥ 4 by both sides", normal, apart, sides)
    add(group, "Poisson(4) ≥ 20, a tenth nominal", storms, rare.at_least(20),
        rare.Mixture([rare.Poisson(20.0), storms], [0.9, 0.1]))
    add(group, "two regimes ≥ 25 by Poisson(25)", regimes, rare.at_least(25), rare.Poisson(25.0), stopped=True)
    add(group, "either of two normals", pair, either, rare.Mixture(moved, [0.6, 0.4]), corner)

    group = "signed"
    density = [math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi) for x in (2.0, 3.0)]
    add(group, "E[X³], naive", rare.Normal(0.5, 1.0), cube, None, 0.5**3 + 3.0 * 0.5)
    add(group, "E[X³] by a wider normal", rare.Normal(0.5, 1.0), cube, rare.Normal(0.8, 1.6), 0.5**3 + 3.0 * 0.5)
    add(group, "E[X; X < -2 or X > 3]", normal, far_part, rare.Normal(0.0, 2.0), density[1] - density[0])
    add(group, "E[sin 3X], exponential by rate 0.7", unit, wave, rare.Exponential(0.7), 0.3)

    add("infinite variance", "Pareto weights, k = 0.67", unit, one, rare.Exponential(3.0), 1.0, finite=False,
        fresh=False)
    return made


class Uncompared(Sampler):
    """A sampler that does not compare the compiled functions with plain Python: the first estimate of the case did."""

    def _compare(self, scratch, chunk):
        pass


class Repeated:
    """`estimate` of one case with one seed after another, prepared once.

    The preparation takes a hundred times as long as a short run. What is drawn, merged and judged is what `estimate`
    draws, merges and judges: the interval is the same to the bit.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.bound = rare.estimate(case.nominal, case.f, proposal=case.proposal, samples=1, audit=False).bound
        self.sampler = Uncompared(case.nominal, integrand(case.f), case.proposal, 0, MAIN[0])

    def __call__(self, seed: int, **stop: Any) -> tuple[estimates.Estimate, Any]:
        """The estimate, and the summary of its terms."""
        self.sampler.seed = np.uint64(seed)
        run = engine.run(self.sampler.chunk, 1, engine.Stop(**stop), threads=1)
        found = estimates.build(run.total, run.groups, bound=self.bound, naive=self.case.proposal is None,
                                indicator=isinstance(self.case.f, AnyEvent), covered=True, stopped_by=run.stopped_by,
                                seed=seed, confidence=CONFIDENCE, seconds=0.0)
        return found, run.total.of(0)


def covered(below, above, runs):
    """Coverage from misses on both sides, and its standard error; that of two more runs, one of them a miss."""
    share = (below + above + 1.0) / (runs + 2.0)
    return {"coverage": (runs - below - above) / runs, "std_error": math.sqrt(share * (1.0 - share) / runs)}


def misses(found, exact):
    """Intervals that lie below the exact value, and above it."""
    return {"below": sum(high < exact for _, high in found), "above": sum(low > exact for low, _ in found)}


def doubled(found, terms):
    """The interval, but where nothing is proven Fay and Feuer's one more term is twice the largest that was drawn.

    The next record of a Pareto tail has the median 2^k times the last one, and k = 1 is the heaviest with a mean.
    """
    if found.interval_method != "fay-feuer" or found.bound is not None:
        return found.interval()
    return intervals.fay_feuer(terms, CONFIDENCE, 2.0 * float(terms.largest[0]))[:2]


RIVALS = {"student": lambda found, terms: intervals.student_t(terms, CONFIDENCE)[:2],
          "hall": lambda found, terms: intervals.hall(terms, CONFIDENCE)[:2], "doubled": doubled}


def row(case: Case, n: int | None, runs):
    """The runs of one configuration, counted; n is None where a relative error stopped them."""
    found = [one for one, _ in runs]
    ends = [one.interval() for one in found]
    methods = {}
    for name, count in sorted(Counter(one.interval_method for one in found).items()):
        chosen = [end for end, one in zip(ends, found, strict=True) if one.interval_method == name]
        methods[name] = {"replicates": count, **misses(chosen, case.exact)}
    missed = misses(ends, case.exact)
    others, width = {}, np.median([high - low for low, high in ends])
    for name, rule in RIVALS.items():
        rival = [rule(*one) for one in runs]
        lost = misses(rival, case.exact)
        wide = np.median([high - low for low, high in rival])
        others[name] = {**lost, **covered(**lost, runs=len(ends)),
                        "our_width": width / wide if 0.0 < wide < math.inf else None}
    return {"configuration": case.name, "class": case.group, "fresh": case.fresh, "finite_variance": case.finite,
            "exact": case.exact, "n": n, "stopped": n is None, "replicates": len(ends), **missed,
            **covered(**missed, runs=len(ends)), "draws": float(np.median([one.samples for one in found])),
            "certified": sum(one.kind == "certified" for one in found), "methods": methods, "rivals": others}


def shortfall(one):
    """Whether a coverage is below what is asked of it by more than three standard errors; False where nothing is."""
    asked = LEAST_STOPPED if one["stopped"] else LEAST
    return one["finite_variance"] and (one["stopped"] or one["n"] >= FROM) and \
        one["coverage"] < asked - ERRORS * one["std_error"]


def too_wide(one):
    """Whether those of its intervals that are Hall's cover more than 98.5 % by more than three standard errors."""
    by_hall = one["methods"].get("hall")
    if by_hall is None:
        return False
    found = covered(by_hall["below"], by_hall["above"], by_hall["replicates"])
    return found["coverage"] > MOST + ERRORS * found["std_error"]


def run(settings: Settings, progress: bool) -> Findings:
    if settings.replicates < 10 or not settings.sizes or min(settings.sizes) < 2:
        raise ValueError(f"replicates must be at least 10, and sizes at least one number above 1, got "
                         f"{settings.replicates} and {settings.sizes}")
    rows, seed = [], settings.seed << 40
    for case in tqdm(cases(), disable=not progress, leave=False):
        repeated = Repeated(case)
        plans = [(n, {"samples": n}) for n in settings.sizes]
        if case.stopped:
            plans.append((None, {"relative_error": settings.relative_error, "max_samples": 10**7}))
        for n, stop in plans:
            rows.append(row(case, n, [repeated(seed + i, **stop) for i in range(settings.replicates)]))
            seed += settings.replicates
    numbers = {"rows": rows, "relative_error": settings.relative_error, "short": list(filter(shortfall, rows)),
               "too_wide": list(filter(too_wide, rows))}
    return Findings(numbers, {"coverage": picture(numbers)})


def columns(found):
    """(n or None for the stopped runs, its heading) in the order of the table."""
    sizes = sorted({one["n"] for one in found["rows"] if not one["stopped"]})
    return [*((n, f"n = {n:,}") for n in sizes), (None, f"stopped at {100 * found['relative_error']:g} %")]


def table(found):
    """The rows of README.md: the worst coverage of each class, and the worst of Student's t from the same draws."""
    heads = columns(found)
    lines = ["| 95 % intervals: worst coverage (Student's t) | " + " | ".join(head for _, head in heads) + " |",
             "|---|" + "---|" * len(heads)]
    for name in dict.fromkeys(one["class"] for one in found["rows"]):
        cells = []
        for n, _ in heads:
            chosen = [one for one in found["rows"] if one["class"] == name and one["n"] == n]
            cells.append(f"{100 * min(one['coverage'] for one in chosen):.1f} "
                         f"({100 * min(one['rivals']['student']['coverage'] for one in chosen):.1f})" if chosen else "")
        count = len({one["configuration"] for one in found["rows"] if one["class"] == name})
        lines.append(f"| {name}, {count} configuration{'s' if count > 1 else ''} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def tell(settings, numbers):
    rows = numbers["rows"]
    long = [one for one in rows if one["finite_variance"] and not one["stopped"] and one["n"] >= FROM]
    worst = min(long, key=lambda one: one["coverage"], default=None)
    return Told(
        (f"From {FROM:,} draws on the lowest coverage of a configuration with finite variance is "
         f"{100 * worst['coverage']:.1f} % ({worst['configuration']}, {worst['n']:,} draws). " if worst else "")
        + f"Below what is asked by more than {ERRORS:g} standard errors: {_listed(numbers['short'])}; above "
        f"{100 * MOST:g} % by Hall's interval: {_listed(numbers['too_wide'])}.",
        {"coverage": "Each row is a configuration, each panel a number of draws. The filled marker is the coverage and "
                     "should lie between the dashed limits; the triangles are the two tails, and should lie together. "
                     "Grey crosses are Student's t from the same draws."},
        tables={"Every configuration": [{
            "configuration": one["configuration"], "draws": "stopped" if one["stopped"] else one["n"],
            "below": one["below"], "above": one["above"], "coverage, %": round(100 * one["coverage"], 1),
            "error": round(100 * one["std_error"], 1),
            **{f"by {name}": round(100 * rival["coverage"], 1) for name, rival in one["rivals"].items()},
            "intervals": ", ".join(one["methods"])} for one in rows]})


def _listed(rows):
    return ", ".join(f"{one['configuration']} ({one['draws']:,.0f} draws)" for one in rows) or "none"


def branch(one):
    """What made most of the intervals: 'hall', 'fay-feuer' or 'certified'."""
    shares = Counter()
    for name, kind in one["methods"].items():
        shares["certified" if name in CERTIFIED else name] += kind["replicates"]
    return shares.most_common(1)[0][0]


def picture(found):
    """A dumbbell for each configuration: coverage in the middle, at the ends what it were if both tails were alike."""
    names = {}
    for one in found["rows"]:
        names |= {one["class"]: None, one["configuration"]: one}
    heads, kinds = columns(found), {"hall": "by Hall", "fay-feuer": "by Fay and Feuer", "certified": "certified"}
    made, axes = plots.figure(1, len(heads), figsize=(10.5, 0.165 * len(names) + 3.0))
    for i, (panel, (n, head)) in enumerate(zip(axes, heads, strict=True)):
        asked = LEAST_STOPPED if n is None else LEAST if n >= FROM else None
        here = {one["configuration"]: plots.Covered(one["below"], one["above"], one["replicates"], kinds[branch(one)],
                                                    one["rivals"]["student"]["coverage"])
                for one in found["rows"] if one["n"] == n}
        empty = plots.Covered(0, 0, 0)
        plots.coverage({name: one and here.get(name, empty) for name, one in names.items()}, CONFIDENCE,
                       [limit for limit in (asked, MOST) if limit is not None], tuple(kinds.values()), LEFT,
                       "Student's t", panel)
        with plots.style():
            panel.set_title(head)
        panel.set(xlabel="", xticks=sorted({85.0, 90.0, 95.0, *(100.0 * x for x in (asked, MOST) if x is not None)}))
        panel.tick_params(axis="x", labelsize=8)
        panel.xaxis.set_major_formatter("{x:g}")
        handles = panel.get_legend_handles_labels()
        panel.get_legend().remove()
        if i:
            panel.set_yticks([])
    with plots.style():
        made.legend(*handles, loc="outside upper center", ncols=3)
        made.supxlabel("coverage of 95 % intervals in %; a tail: what it were if both missed as often as that one\n"
                       f"dashed: the limits; what lies below {100 * LEFT:g} % is at the edge", fontsize=9)
    return made


if __name__ == "__main__":
    main(Settings, run, tell)
