"""The gate of a release: does any wrong answer come out trusted, and does every good one?

Proposals that are right, that miss a mode, and that are pushed too far, each with and without an audit, over many seeds
and against exact values; then what the audit sees with fewer draws, in more dimensions.
"""
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special
from tqdm import tqdm

import rareevents as rare
from rareevents import plots
from rareevents.experiments import Findings, main

MISSES = 150 / 2000         # the most trusted runs whose interval misses; of a trap 10 / 2000
TRAPPED = 10 / 2000
GOOD = 1900 / 2000          # the fewest good runs that are trusted, with a proof or an audit


@dataclass(frozen=True)
class Settings:
    """How many runs, and how long each is."""

    seeds: int = 2000
    """Runs of each case."""
    samples: int = 10_000
    """Draws of each estimate, without those of its audit; of an over-tilted one a tenth."""
    powers: int = 100
    """Runs for each share of draws that an audit gets, and each dimension."""
    seed: int = 1
    """Of the first run; the next have the next seeds."""


@dataclass(frozen=True)
class Case:
    """A question with a known answer and a proposal: 'good', or a trap."""

    kind: str
    nominal: rare.Distribution
    f: Any
    proposal: rare.Distribution
    exact: float
    share: float = 1.0          # of the draws


def first(x):
    return x[0]


def both(x):
    return abs(x[0])


def decoy(x):
    """Steep and near on one side, gentle and far on the other: the sum of both tails is above 0."""
    return max(2.0 * (x[0] - 3.5), 0.5 * (-4.5 - x[0]))


def moved(by, d):
    """A normal vector whose first component has another mean."""
    return rare.Independent([rare.Normal(by if i == 0 else 0.0, 1.0) for i in range(d)])


def two_sided(d):
    return rare.Mixture([moved(4.0, d), moved(-4.0, d)], [0.5, 0.5])


def cases():
    """Name -> case."""
    tail = {level: float(special.ndtr(-level)) for level in (3.5, 4.0, 4.5)}
    found = {}
    for d in (2, 100):
        law = rare.IID(rare.Normal(0.0, 1.0), d)
        found[f"linear, proven, d = {d}"] = Case("proven", law, rare.component(0) >= 4.0, moved(4.0, d), tail[4.0])
        found[f"linear, opaque, d = {d}"] = Case("good", law, rare.score(first) >= 4.0, moved(4.0, d), tail[4.0])
    law = rare.IID(rare.Normal(0.0, 1.0), 2)
    return found | {
        "both sides, on both": Case("good", law, rare.score(both) >= 4.0, two_sided(2), 2.0 * tail[4.0]),
        "both sides, on one": Case("trap", law, rare.score(both) >= 4.0, moved(4.0, 2), 2.0 * tail[4.0]),
        "decoy, on the far side": Case("trap", law, rare.score(decoy) >= 0.0, moved(-4.5, 2), tail[3.5] + tail[4.5]),
        "pushed too far": Case("trap", law, rare.score(first) >= 4.0, moved(7.0, 2), tail[4.0], 0.1)}


def row(name, case, audit, settings):
    """The runs of one case, counted."""
    misses = trusted = both_of_them = 0
    verdicts = dict.fromkeys(("trusted", "caution", "not trusted"), 0)
    n = max(100, int(case.share * settings.samples))
    for i in range(settings.seeds):
        found = rare.estimate(case.nominal, case.f, proposal=case.proposal, samples=n, seed=settings.seed + i,
                              threads=1, audit="auto" if audit else False)
        low, high = found.interval()
        missed, sure = not low <= case.exact <= high, found.verdict == "trusted"
        misses, trusted, both_of_them = misses + missed, trusted + sure, both_of_them + (missed and sure)
        verdicts[found.verdict] += 1
    least = case.kind == "proven" or (case.kind == "good" and audit)
    passed = both_of_them <= math.ceil((TRAPPED if case.kind == "trap" else MISSES) * settings.seeds) and not (
        least and trusted < math.floor(GOOD * settings.seeds))
    return {"case": name, "kind": case.kind, "audit": audit, "method": "estimate", "samples": n,
            "runs": settings.seeds, "interval_misses": misses, "trusted_and_missed": both_of_them,
            "verdicts": verdicts, "passed": bool(passed)}


def powers(settings, progress):
    """How often an audit with so many draws tells a trap, and lets a good proposal pass."""
    law = rare.Normal(0.0, 1.0)
    rows = []
    for d in tqdm((2, 20, 100), disable=not progress, leave=False):
        for name, f, q in (("one side of two", both, moved(4.0, d)), ("both sides", both, two_sided(d))):
            for draws in (500, 1000, 2000, 5000):
                statuses = []
                for i in range(settings.powers):
                    found = rare.estimate(rare.IID(law, d), rare.score(f) >= 4.0, proposal=q, threads=1,
                                          samples=settings.samples, seed=settings.seed + i,
                                          audit=draws / settings.samples)
                    statuses.append(next(check.status for check in found.checks if check.name == "audit"))
                rows.append({"d": d, "case": name, "draws": draws, "runs": settings.powers,
                             **{status: statuses.count(status) for status in ("passed", "failed", "unresolved",
                                                                              "blind")}})
    return rows


def run(settings: Settings, progress: bool) -> Findings:
    for field in ("seeds", "powers", "samples"):
        if getattr(settings, field) < 1:
            raise ValueError(f"{field} must be at least 1, got {getattr(settings, field)}")
    rows = [row(name, case, audit, settings)
            for name, case in tqdm(cases().items(), disable=not progress, leave=False) for audit in (False, True)]
    power = powers(settings, progress)
    text = "\n".join([f"{'case':<26}{'audit':>6}{'n':>8}{'runs':>6}{'missed':>8}{'trusted':>9}{'caution':>9}{'not':>6}"
                      f"{'trusted, missed':>17}  gate",
                      *(f"{one['case']:<26}{'yes' if one['audit'] else 'no':>6}{one['samples']:>8,}{one['runs']:>6}"
                        f"{one['interval_misses']:>8}" + "".join(f"{n:>{width}}" for n, width in zip(
                            one["verdicts"].values(), (9, 9, 6), strict=True))
                        + f"{one['trusted_and_missed']:>17}  {'passed' if one['passed'] else 'FAILED'}"
                        for one in rows)])
    return Findings({"rows": rows, "power": power, "passed": all(one["passed"] for one in rows)},
                    {"power": picture(power)}, text)


def picture(power):
    """The share of runs that the audit tells apart, against its draws, by dimension."""
    made, (left, right) = plots.figure(1, 2, figsize=(8.0, 3.4))
    looks = {2: (plots.SAMPLED, "o", "-"), 20: (plots.IDEAL, "s", "--"), 100: (plots.NAIVE, "^", ":")}
    with plots.style():
        for axes, case, status, title in ((left, "one side of two", "failed", "a missed mode is found"),
                                          (right, "both sides", "failed", "a good proposal is accused")):
            for d, (colour, marker, line) in looks.items():
                chosen = [one for one in power if one["d"] == d and one["case"] == case]
                axes.plot([one["draws"] for one in chosen], np.array([one[status] / one["runs"] for one in chosen]),
                          color=colour, marker=marker, linestyle=line, label=f"d = {d}")
            axes.set(xscale="log", ylim=(-0.05, 1.05), xlabel="draws of the search", title=title)
            axes.set_xticks([500, 1000, 2000, 5000], ["500", "1,000", "2,000", "5,000"])
            axes.minorticks_off()
        left.set_ylabel("share of the runs")
        right.legend()
    return made


if __name__ == "__main__":
    main(Settings, run)
