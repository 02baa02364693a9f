"""Five traps in which importance sampling is wrong and looks right: how often does a wrong answer come out trusted?

A missed mode, infinite variance, a heavy tail under a light one, dimension collapse, no hit: each with proposals that
fall into it, a proposal that does not, and `solve`, over many seeds and against the exact answer. Last the limit of
every audit: a needle that no exploration draw hits.
"""
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import integrate, special
from tqdm import tqdm

import rareevents as rare
from rareevents import oracle, plots
from rareevents.estimates import VERDICTS, Estimate
from rareevents.experiments import Findings, main
from rareevents.report import Told

FAR = 5.0                   # standard errors: an estimate farther from the truth is wrong whatever its interval says
NEEDLE = (0.5, 0.50009)     # holds as much of the normal law as its tail above 4


@dataclass(frozen=True)
class Settings:
    """How many runs, and how long each is."""

    seeds: int = 200
    """Runs of each proposal that falls into a trap."""
    controls: int = 50
    """Runs of each proposal that does not."""
    solves: int = 5
    """Runs of `solve` on each problem, to an error of 2 %."""
    samples: int = 10_000
    """Draws of each estimate, without those of its audit."""
    seed: int = 1
    """Of the first run; the next have the next seeds."""


@dataclass(frozen=True)
class Problem:
    """A question with a known answer, proposals for it that fall into a trap, and one that does not."""

    trap: str
    nominal: rare.Distribution
    f: Any
    exact: float
    bad: dict[str, rare.Distribution | None]
    good: rare.Distribution


def far_sum(x):
    return abs(np.sum(x)) > 4.0 * math.sqrt(len(x))


def square(x):
    return x * x


def large_sum(x):
    return np.sum(x) > 200.0


def excess(x):
    return max(x - 20.0, 0.0)


def tail_or_needle(x):
    return x > 4.0 or NEEDLE[0] < x < NEEDLE[1]


def sum_of_two(law, level):
    """P(X + Y >= level) for two independent draws of a Lomax law."""
    def term(x):
        return math.exp(law.log_prob(x)) * (1.0 + (level - x) / law.scale) ** -law.alpha
    tail = (1.0 + level / law.scale) ** -law.alpha
    return tail + integrate.quad(term, 0.0, level, points=[1.0, 10.0, level - 10.0, level - 1.0], epsrel=1e-11)[0]


def problems():
    """Name -> problem."""
    normal, claim, storms = rare.Normal(0.0, 1.0), rare.Lomax(2.0, 1.0), rare.Poisson(4.0)
    tail, needle = special.ndtr(-4.0), float(np.diff(special.ndtr(NEEDLE))[0])
    beyond, large, twenty = rare.outside(-2.0, 2.0), rare.at_least(100.0), rare.at_least(20)

    def moved(mean, sd=1.0, size=100):
        return rare.IID(rare.Normal(mean, sd), size)
    side = 4.0 / math.sqrt(20.0)
    return {
        "|sum of 20 normals| > 4 sd": Problem("missed mode", moved(0.0, 1.0, 20), far_sum, 2.0 * tail, {
            "one side": moved(side, 1.0, 20),
            "one side, a tenth nominal": rare.Mixture([moved(side, 1.0, 20), moved(0.0, 1.0, 20)], [0.9, 0.1])},
            rare.Mixture([moved(side, 1.0, 20), moved(-side, 1.0, 20)], [0.5, 0.5])),
        "|normal| > 2": Problem("infinite variance", normal, beyond, oracle.value(normal, beyond), {
            "Normal(0, 0.7)": rare.Normal(0.0, 0.7), "Normal(0, 0.6)": rare.Normal(0.0, 0.6)}, rare.Normal(0.0, 2.0)),
        "E[X²], exponential": Problem("infinite variance", rare.Exponential(1.0), square, 2.0, {
            "Exponential(2.2)": rare.Exponential(2.2), "Exponential(2.5)": rare.Exponential(2.5)},
            rare.Exponential(0.4)),
        "a Pareto claim ≥ 100": Problem("heavy tail", claim, large, oracle.value(claim, large), {
            "Exponential, mean 20": rare.Exponential(0.05), "Exponential, mean 40": rare.Exponential(0.025)},
            rare.Lomax(1.0, 50.0)),
        "two Pareto claims > 200": Problem("heavy tail", rare.IID(claim, 2), large_sum, sum_of_two(claim, 200.0), {
            "Exponential, mean 50 each": rare.IID(rare.Exponential(0.02), 2)},
            rare.IID(rare.Mixture([claim, rare.Lomax(1.0, 100.0)], [0.5, 0.5]), 2)),
        "sum of 100 normals ≥ 4 sd": Problem("dimension", moved(0.0), rare.linear([0.1] * 100) >= 4.0, tail, {
            "sd 1.5 each": moved(0.4, 1.5), "sd 0.8 each": moved(0.4, 0.8), "moved too far": moved(0.7)}, moved(0.4)),
        "Poisson(4) ≥ 20": Problem("no hit", storms, twenty, oracle.value(storms, twenty), {
            "naive": None, "Poisson(6)": rare.Poisson(6.0)}, rare.Poisson(20.0)),
        "E[(Poisson(4) - 20)⁺]": Problem("no hit", storms, excess, oracle.value(storms, excess), {"naive": None},
                                         rare.Poisson(20.0)),
        "normal > 4, or in a needle": Problem("needle", normal, tail_or_needle, tail + needle, {
            "Normal(4, 1)": rare.Normal(4.0, 1.0)},
            rare.Mixture([rare.Normal(4.0, 1.0), rare.Normal(NEEDLE[0], 1e-4)], [0.5, 0.5])),
    }


def reason(found: Estimate):
    """What decided the verdict, without figures: the check, or the beginning of the sentence."""
    for check in found.checks:
        if check.sentence == found.reason:
            return f"{check.name} {check.status}"
    return re.split(r"[.,;:] ", found.reason)[0].rstrip(".")


def row(name, problem, proposal, kind, found):
    """The runs of one proposal, counted: an estimate is wrong if its interval misses the truth, or it is far off."""
    missed = np.array([not low <= problem.exact <= high for low, high in (one.interval() for one in found)])
    far = np.array([abs(one.value - problem.exact) > FAR * one.std_error for one in found])
    trusted = np.array([one.verdict == "trusted" for one in found])
    ratio = np.array([one.value for one in found]) / problem.exact
    return {"problem": name, "trap": problem.trap, "proposal": proposal, "kind": kind, "exact": problem.exact,
            "runs": len(found), "median": np.median(ratio), "low": np.quantile(ratio, 0.1),
            "high": np.quantile(ratio, 0.9), "interval_misses": missed.sum(), "far_off": far.sum(),
            "wrong": (missed | far).sum(), "trusted_and_wrong": (trusted & (missed | far)).sum(),
            "trusted_and_far_off": (trusted & far).sum(),
            "verdicts": {verdict: sum(one.verdict == verdict for one in found) for verdict in VERDICTS},
            "reasons": dict(Counter(map(reason, found)))}


def run(settings: Settings, progress: bool) -> Findings:
    for field in ("seeds", "controls", "solves"):
        if getattr(settings, field) < 1:
            raise ValueError(f"{field} must be at least 1, got {getattr(settings, field)}")
    rows = []
    for name, problem in tqdm(problems().items(), disable=not progress, leave=False):
        def estimates(law, runs, problem=problem):
            return [rare.estimate(problem.nominal, problem.f, proposal=law, samples=settings.samples,
                                  seed=settings.seed + i, threads=1) for i in range(runs)]
        rows += [row(name, problem, label, "bad", estimates(law, settings.seeds))
                 for label, law in problem.bad.items()]
        rows.append(row(name, problem, "a good one", "good", estimates(problem.good, settings.controls)))
        rows.append(row(name, problem, "solve", "solve", [
            rare.solve(problem.nominal, problem.f, exact=False, relative_error=0.02, seed=settings.seed + i, threads=1)
            for i in range(settings.solves)]))
    traps = [one for one in rows if one["kind"] == "bad" and one["trap"] != "needle"]
    worst = max(one["trusted_and_wrong"] / one["runs"] for one in traps) if traps else None
    return Findings({"rows": rows, "largest_share_trusted_and_wrong": worst}, {"verdicts": picture(rows)})


def tell(settings, numbers):
    rows = numbers["rows"]
    bad = [row for row in rows if row["kind"] == "bad" and row["trap"] != "needle"]
    good = [row for row in rows if row["kind"] == "good" or (row["kind"] == "solve" and row["trap"] != "needle")]
    needle = next((row for row in rows if row["trap"] == "needle" and row["kind"] == "bad"), None)
    runs, wrong, told = (sum(row[key] for row in bad) for key in ("runs", "wrong", "trusted_and_wrong"))
    fine, of = (sum(count) for count in zip(*((row["verdicts"]["trusted"], row["runs"]) for row in good), strict=True))
    return Told(
        f"Of {runs:,} runs in a trap {wrong:,} are wrong, and {told:,} of those come out trusted. Of {of:,} runs that "
        f"are in none, {fine:,} are trusted."
        + (f" The needle is the limit: {needle['trusted_and_wrong']} of {needle['runs']} runs that cannot hit it are "
           f"trusted." if needle else ""),
        {"verdicts": "Left, the verdicts on each proposal: in a trap there should be no solid green, outside it "
                     "nothing else. Right, what was estimated over the exact value: crosses far from 1 are wrong, "
                     "whatever their own error bar says."},
        tables={"Every proposal": [{"problem": row["problem"], "proposal": row["proposal"], "trap": row["trap"],
                                    "runs": row["runs"], "median / exact": row["median"],
                                    "missed": row["interval_misses"], "far off": row["far_off"], **row["verdicts"],
                                    "trusted and wrong": row["trusted_and_wrong"]} for row in rows],
                "What decided": [{"problem": row["problem"], "proposal": row["proposal"],
                                  "reasons": ", ".join(f"{words} ({n})" for words, n in row["reasons"].items())}
                                 for row in rows]})


def picture(rows):
    """The verdicts on every proposal, and what it estimated beside the truth; a heading above each problem's lines."""
    height, heights, ticks = 0.0, [], []
    for i, one in enumerate(rows):
        if not i or one["problem"] != rows[i - 1]["problem"]:
            height -= 1.3
            trap = "the limit" if one["trap"] == "needle" else one["trap"]
            ticks.append((height + 0.1, f"{trap}: {one['problem']}"))
        height -= 1.0
        heights.append(height)
        ticks.append((height, one["proposal"]))
    at = np.array(heights)
    made, (left, right) = plots.figure(1, 2, figsize=(10.0, 10.8))
    with plots.style():
        start = np.zeros(len(rows))
        looks = ((plots.IDEAL, ""), ("0.8", "..."), (plots.NAIVE, "///"))
        for verdict, (colour, hatch) in zip(VERDICTS, looks, strict=True):
            share = np.array([one["verdicts"][verdict] / one["runs"] for one in rows])
            left.barh(at, share, 0.8, start, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5,
                      label=verdict)
            start += share
        for y, one in zip(at, rows, strict=True):
            left.text(1.03, y, f"{one['trusted_and_wrong']} of {one['runs']}", va="center", fontsize=9,
                      weight="bold" if one["trusted_and_far_off"] else "normal")
        left.text(1.03, -0.2, "trusted and\nwrong", va="center", fontsize=9)
        left.set(xlim=(0.0, 1.27), ylim=(height - 0.8, 0.6), xlabel="share of the runs", xticks=[0.0, 0.5, 1.0])
        left.set_yticks(*zip(*ticks, strict=True))
        for label, (_, text) in zip(left.get_yticklabels(), ticks, strict=True):
            label.set_fontweight("bold" if ":" in text else "normal")
        left.tick_params(axis="y", length=0)
        left.grid(False, axis="y")
        left.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, title="verdict")
        right.axvline(1.0, color=plots.EXACT, linestyle="--", linewidth=1.2, label="exact")
        for kind, colour, marker, label in (("bad", plots.NAIVE, "x", "in the trap"),
                                            ("good", plots.SAMPLED, "o", "good proposal"),
                                            ("solve", plots.IDEAL, "s", "solve")):
            chosen = [(y, one) for y, one in zip(at, rows, strict=True) if one["kind"] == kind]
            middle = np.array([one["median"] for _, one in chosen])
            ends = np.array([(one["low"], one["high"]) for _, one in chosen]).T
            right.errorbar(middle, [y for y, _ in chosen], xerr=np.abs(ends - middle), color=colour, marker=marker,
                           linestyle="none", capsize=3, label=label)
        right.set(xlim=(-0.05, 2.0), ylim=left.get_ylim(), yticks=[],
                  xlabel="estimate / exact (median, 10 to 90 % of the runs)")
        right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        made.supxlabel("wrong: the 95 % interval misses the exact value, as one in twenty does, or the estimate is "
                       "more than 5 standard errors off (bold)", fontsize=9)
    return made


if __name__ == "__main__":
    main(Settings, run, tell)
