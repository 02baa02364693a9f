"""Learning to make rare months: which learners lie, and which cannot.

A policy chooses tomorrow's weather from the day, the weather and the storms so far. Five learners teach it from the
same number of months: cross entropy alone, REINFORCE, PPO, PPO finished by cross entropy, and cross entropy inside a
safe mixture with a tilt. Each policy is graded exactly as it learns, in relative variance and in bits against the law
of the month given the event. Learners that draw from their own policy alone can hold a variance of millions while their
own months look fine; the mixture has a proven bound from its first month on.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import oracle, plots
from rareevents.experiments import Findings, main
from rareevents.kernels.streams import python_stream
from rareevents.methods.off_policy import off_policy
from rareevents.paths import exact
from rareevents.paths.graph import graph, moves_of
from rareevents.paths.trace import traced
from rareevents.proposals.policies import Policy, policy
from rareevents.proposals.reinforcement import cross_entropy_alone, ppo, reinforce
from rareevents.report import Told

KINDS = ("sun", "cloud", "rain", "storm")
WEATHER = ((0.70, 0.20, 0.08, 0.02), (0.30, 0.40, 0.25, 0.05), (0.15, 0.35, 0.35, 0.15), (0.10, 0.25, 0.35, 0.30))
STORMY = ((0.55, 0.25, 0.12, 0.08), (0.20, 0.40, 0.25, 0.15), (0.10, 0.30, 0.35, 0.25), (0.05, 0.20, 0.35, 0.40))
MOST = 1e12                                   # the largest variance that is drawn


@dataclass(frozen=True)
class Settings:
    """The month and how long it is learned."""

    days: int = 30
    """Days of the month, after a day of sun."""
    storms: int = 20
    """The month is rare when it has at least this many days of storm."""
    paths: int = 12_000
    """Months that each learner draws."""
    repeats: int = 3
    """Seeds of each learner."""
    months: int = 20_000
    """Months of the stormy climate for the off-policy estimates."""
    seed: int = 1
    """Of the first repeat."""


def learners(family, month, event, settings, seed):
    """(name, [(months drawn, table, whether it is used alone)]) of each learner."""
    batches = settings.paths // 250
    yield "cross entropy alone", [(at.paths, at.table) for at in
                                  cross_entropy_alone(family, batches=settings.paths // 1000, seed=seed)]
    yield "REINFORCE", [(at.paths, at.table) for at in reinforce(family, batches=batches, seed=seed)]
    curve = list(ppo(family, batches=batches, seed=seed))
    yield "PPO", [(at.paths, at.table) for at in curve]
    half = curve[len(curve) // 2 - 1]
    left = settings.paths - half.paths
    rest = cross_entropy_alone(family, batches=left // 1000, seed=seed, start=half.coefficients)
    yield "PPO, then cross entropy", [*((at.paths, at.table) for at in curve[:len(curve) // 2]),
                                      *((half.paths + at.paths, at.table) for at in rest)]


def safe(month, event, settings, seed):
    """(months drawn, exact upper bound on the variance) of the safe mixture after each round."""
    rounds = max(1, settings.paths // 1500)
    made = policy(month, event, paths=settings.paths, rounds=rounds, seed=seed)
    found = []
    for i, level in enumerate([*made.levels[1:], None]):
        law = made.law if level is None else level.law
        grades = [exact.grade(part.graph, part.table) for part in law.components]
        bound = min((grade.relative_variance + 1.0) / share - 1.0
                    for grade, share in zip(grades, law.weights, strict=True))
        found.append(((i + 1) * settings.paths // rounds, bound))
    return made, found


def curves(rows, storms):
    """The variance, and the bits, of each learner as it learns: the median of the repeats, and all of them."""
    made, (left, right) = plots.figure(1, 2, figsize=(10.0, 4.2))
    for ax, k, label in ((left, 1, "relative variance, exact"), (right, 2, "bits wasted, KL(q*||q)")):
        plots.learning({name: [[(point[0], point[k]) for point in run] for run in runs] for name, runs in rows.items()},
                       "months", label, MOST, ax)
    right.get_legend().remove()
    with plots.style():
        left.set_title(f"Learning {storms} storms: variance")
        right.set_title("The same in bits")
    return made


def judged(month, settings):
    """The expected storm days of a month, from the months of a stormier climate, by four estimators."""
    g = graph(month, rare.visits("storm").map(count))
    p, q = g.p[None], moves_of(g, month, rare.MarkovChain(STORMY, "sun", settings.days, KINDS))
    reward = np.array([0.0, 0.0, *(float(node.state == 3) for node in g.nodes[2:])])
    trace = traced(g, q, settings.months, python_stream(settings.seed, 0))
    model = np.zeros((settings.days + 1, len(g.to)))             # a coarse model: every day as the average one
    for t in range(settings.days - 1, -1, -1):
        model[t] = 0.073 * (settings.days - t)
    return exact.value(g), off_policy(g, trace, p, q, reward, model)._asdict()


def count(storms):
    return storms + 0.0


def run(settings: Settings, progress: bool) -> Findings:
    month = rare.MarkovChain(WEATHER, "sun", settings.days, KINDS)
    event = rare.visits("storm") >= settings.storms
    family = Policy(month, event)
    rows, ends = {}, {}
    for r in range(settings.repeats):
        for name, curve in learners(family, month, event, settings, settings.seed + r):
            graded = [exact.grade(family.graph, table) for _, table in curve]
            rows.setdefault(name, []).append([(at, grade.relative_variance, grade.kl / np.log(2.0))
                                              for (at, _), grade in zip(curve, graded, strict=True)])
            q = rare.Steered(month, event, curve[-1][1], family.graph)
            ends.setdefault(name, []).append(rare.estimate(month, event, q, samples=1000, seed=settings.seed + r))
        made, curve = safe(month, event, settings, settings.seed + r)
        rows.setdefault("safe mixture (upper bound)", []).append([(at, bound, None) for at, bound in curve])
        ends.setdefault("safe mixture (upper bound)", []).append(
            rare.estimate(month, event, made, samples=1000, seed=settings.seed + r))
    truth = oracle.value(month, event)
    storms, estimators = judged(month, settings)
    worst = {name: max(point[1] for run in runs for point in run[len(run) // 2:]) for name, runs in rows.items()}
    numbers = {"exact": truth, "relative_variance": {name: [[point[:2] for point in run] for run in runs]
                                                     for name, runs in rows.items()},
               "worst_in_second_half": worst,
               "estimates": {name: [e.to_dict() for e in found] for name, found in ends.items()},
               "off_policy": {"exact": storms, **{name: value._asdict() for name, value in estimators.items()}}}
    return Findings(numbers, {"learning": curves(rows, settings.storms)})


def tell(settings, numbers):
    runs, worst, found = numbers["relative_variance"], numbers["worst_in_second_half"], numbers["estimates"]
    last = {name: float(np.median([run[-1][1] for run in curve])) for name, curve in runs.items()}
    safest, riskiest = min(worst, key=worst.get), max(worst, key=worst.get)
    off, truth = numbers["off_policy"], numbers["exact"]
    return Told(
        f"P(at least {settings['storms']} storm days of {settings['days']}) is {truth:.4g}. In the second half of its "
        f"learning {riskiest} has a relative variance of {worst[riskiest]:.2g} at worst, and its own months do not "
        f"show it; {safest} never exceeds {worst[safest]:.2g}.",
        {"learning": "Learners that draw from their own policy alone swing by orders of magnitude (band: all repeats); "
                     "the safe mixture stays below its bound from the first months on."},
        tables={"Learners": [{"learner": name, "relative variance at the end": last[name],
                              "worst in the second half": worst[name],
                              "1,000 months / exact": float(np.median([e["value"] / truth for e in found[name]])),
                              "verdicts": ", ".join(sorted({e["verdict"] for e in found[name]}))} for name in runs],
                "Storm days of a usual month, from months of a stormier climate": [
                    {"estimator": "exact", "storm days": off["exact"], "standard error": 0.0},
                    *({"estimator": name.replace("_", " "), "storm days": value["value"],
                       "standard error": value["std_error"]} for name, value in off.items() if name != "exact")]})


if __name__ == "__main__":
    main(Settings, run, tell)
