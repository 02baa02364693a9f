"""The gate of a release: does any wrong answer come out trusted, and does every good one?

Proposals that are right, that miss a mode, and that are pushed too far, each with and without an audit, over many seeds
and against exact values; then what the audit sees with fewer draws, in more dimensions.
"""
import math
from dataclasses import dataclass
from typing import Any

from scipy import special
from tqdm import tqdm

import rareevents as rare
from rareevents import plots
from rareevents.experiments import Findings, main
from rareevents.report import Told

MISSES = 150 / 2000         # the most trusted runs whose interval misses; of a trap 10 / 2000
TRAPPED = 10 / 2000
GOOD = 1900 / 2000          # the fewest good runs that are trusted, with a proof or an audit
DIMENSIONS, BUDGETS = (2, 20, 100), (500, 1000, 2000, 5000)      # of the audit's power, and its draws


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


def tally(case, audit, settings):
    """The runs of one case, counted: verdicts, intervals that miss, and trusted ones that do."""
    counts = {"trusted": 0, "caution": 0, "not trusted": 0, "interval_misses": 0, "trusted_and_missed": 0}
    for i in range(settings.seeds):
        found = rare.estimate(case.nominal, case.f, proposal=case.proposal, samples=draws(case, settings), threads=1,
                              seed=settings.seed + i, audit="auto" if audit else False)
        low, high = found.interval()
        missed = not low <= case.exact <= high
        counts[found.verdict] += 1
        counts["interval_misses"] += missed
        counts["trusted_and_missed"] += missed and found.verdict == "trusted"
    return counts


def draws(case, settings):
    """Of each estimate."""
    return max(100, int(case.share * settings.samples))


def row(name, case, audit, settings, counts):
    """What was counted, and whether it passes."""
    most = math.ceil((TRAPPED if case.kind == "trap" else MISSES) * settings.seeds)
    must = case.kind == "proven" or (case.kind == "good" and audit)
    passed = counts["trusted_and_missed"] <= most and (
        not must or counts["trusted"] >= math.floor(GOOD * settings.seeds))
    return {"case": name, "kind": case.kind, "audit": audit, "method": "estimate", "samples": draws(case, settings),
            "runs": settings.seeds, **counts, "passed": passed}


def audited(d):
    """Name -> proposal for both sides whose audit is measured: one that misses a side, and a good one."""
    return {"other side": moved(4.0, d), "good": two_sided(d)}


def power(d, name, budget, settings):
    """How often an audit with so many draws tells a trap, and lets a good proposal pass."""
    q, statuses = audited(d)[name], []
    for i in range(settings.powers):
        found = rare.estimate(rare.IID(rare.Normal(0.0, 1.0), d), rare.score(both) >= 4.0, proposal=q,
                              samples=settings.samples, threads=1, seed=settings.seed + i,
                              audit=budget / settings.samples)
        statuses += [check.status for check in found.checks if check.name == "audit"] or ["refused before"]
    return {"d": d, "case": name, "draws": budget, "runs": settings.powers,
            **{status: statuses.count(status) for status in ("passed", "failed", "unresolved", "blind",
                                                             "refused before")}}


def run(settings: Settings, progress: bool) -> Findings:
    for field in ("seeds", "powers", "samples"):
        if getattr(settings, field) < 1:
            raise ValueError(f"{field} must be at least 1, got {getattr(settings, field)}")
    rows = [row(name, case, audit, settings, tally(case, audit, settings))
            for name, case in tqdm(cases().items(), disable=not progress, leave=False) for audit in (False, True)]
    powers = [power(d, name, budget, settings) for d in DIMENSIONS for name in audited(d) for budget in BUDGETS]
    return Findings({"rows": rows, "power": powers, "passed": all(one["passed"] for one in rows)},
                    {"power": picture(powers)})


def tell(settings, numbers):
    rows, powers = numbers["rows"], numbers["power"]
    traps = [row for row in rows if row["kind"] == "trap"]
    return Told(
        f"The gate is {'passed' if numbers['passed'] else 'NOT passed'}: {sum(row['passed'] for row in rows)} of "
        f"{len(rows)} cases pass. Of {sum(row['runs'] for row in traps):,} runs in a trap "
        f"{sum(row['trusted_and_missed'] for row in traps):,} are trusted with an interval that misses.",
        {"power": "Left, a proposal misses a side: the share of runs whose audit refuses it. Right, nothing is missed: "
                  "the share of runs that pass. Both should be 1; in 100 dimensions that takes more draws."},
        tables={"Cases": [{"case": row["case"], "audit": row["audit"], "draws": row["samples"], "runs": row["runs"],
                           "intervals that miss": row["interval_misses"], "trusted": row["trusted"],
                           "caution": row["caution"], "not trusted": row["not trusted"],
                           "trusted and missed": row["trusted_and_missed"],
                           "gate": "passed" if row["passed"] else "FAILED"} for row in rows],
                "What an audit sees": [{"case": row["case"], "dimensions": row["d"],
                                        "draws of the search": row["draws"], "passed": row["passed"],
                                        "failed": row["failed"], "unresolved": row["unresolved"],
                                        "blind": row["blind"], "refused before": row["refused before"]}
                                       for row in powers]})


def picture(powers):
    """The share of runs that the audit tells apart, against its draws: a panel for each case, a line per dimension."""
    made, panels = plots.figure(1, 2, figsize=(8.0, 3.2))
    looks = {2: (plots.SAMPLED, "o", "-"), 20: (plots.IDEAL, "s", "--"), 100: (plots.NAIVE, "^", ":")}
    titles = {"other side": "a side is missed: refused", "good": "nothing is missed: told to be good"}
    with plots.style():
        for axes, (name, title) in zip(panels, titles.items(), strict=True):
            for d, (colour, marker, line) in looks.items():
                chosen = [one for one in powers if one["d"] == d and one["case"] == name]
                shares = [one["failed" if name == "other side" else "passed"] / one["runs"] for one in chosen]
                axes.plot([one["draws"] for one in chosen], shares, color=colour, marker=marker, linestyle=line,
                          label=f"d = {d}")
            axes.set(xscale="log", ylim=(-0.05, 1.05), xlabel="draws of the search", title=title)
            axes.set_xticks(BUDGETS, [f"{budget:,}" for budget in BUDGETS])
            axes.minorticks_off()
            axes.label_outer()
        panels[0].set_ylabel("share of the runs")
        panels[-1].legend()
    return made


if __name__ == "__main__":
    main(Settings, run, tell)
