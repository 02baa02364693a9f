"""`solve` on reference problems with known answers: how far off, at what cost, and what it says of itself.

Every problem is given to `solve(exact=False)` as a user would write it; nothing is looked up by name. V is the relative
variance of a draw, against that of the best exponential tilt where theory gives it.
"""
from collections import Counter
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import plots, problems
from rareevents.estimates import VERDICTS
from rareevents.experiments import Findings, main
from rareevents.report import Told


@dataclass(frozen=True)
class Settings:
    """To what error, and with which streams."""

    relative_error: float = 0.01
    """What every problem is solved to."""
    seed: int = 1
    """Of the random streams."""


def run(settings: Settings, progress: bool) -> Findings:
    rows = []
    for name, problem in problems.catalogue().items():
        exact, best = problem.exact, problem.best_tilt
        found = rare.solve(problem.nominal, problem.question, exact=False, certify=False,
                           relative_error=settings.relative_error, seed=settings.seed, progress=progress)
        rows.append({"problem": name, "exact": exact, "estimate": found.value, "relative_error": found.relative_error,
                     "z": (found.value - exact) / found.std_error, "V": found.relative_variance, "best_tilt": best,
                     "V_over_best_tilt": None if best is None else found.relative_variance / best,
                     "evaluations": found.evaluations._asdict(), "kind": found.kind, "verdict": found.verdict,
                     "how": found.how})
    return Findings({"rows": rows}, {"reference": picture(rows)})


def tell(settings, numbers):
    rows = numbers["rows"]
    counts = Counter(row["verdict"] for row in rows)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    near, worst = sum(abs(row["z"]) <= 2.0 for row in rows), max(rows, key=lambda row: abs(row["z"]))
    ratios = sorted(row["V_over_best_tilt"] for row in rows if row["V_over_best_tilt"] is not None)
    return Told(
        f"Of {len(rows)} problems {near} are within two standard errors of the exact value, the farthest "
        f"{abs(worst['z']):.1f} ({worst['problem']}). Verdicts: {verdicts}. Where there is a best tilt, a draw of "
        f"`solve` has a relative variance between {ratios[0]:.2g} and {ratios[-1]:.2g} of its.",
        {"reference": "Left, how far each answer is off in its own standard errors: one in twenty should lie outside "
                      "the band. Right, what a draw costs beside the best tilt (bars): dots left of the bar are "
                      "cheaper."},
        tables={"Every problem": [{"problem": row["problem"], "exact": row["exact"], "estimate": row["estimate"],
                                   "relative "
                                   "error": row["relative_error"], "z": row["z"], "relative variance": row["V"],
                                   "over the best tilt's": row["V_over_best_tilt"],
                                   "draws": sum(row["evaluations"].values()), "verdict": row["verdict"]}
                                  for row in rows]})


def picture(rows):
    """Errors in standard errors, and what a draw costs."""
    made, axes = plots.figure(1, 2, figsize=(10.5, 8.6))
    with plots.style():
        at = np.arange(len(rows))[::-1]
        axes[0].axvspan(-2.0, 2.0, color=plots.EXACT, alpha=0.08)
        axes[0].axvline(0.0, color=plots.EXACT, linestyle="--", linewidth=1.0)
        axes[0].plot([row["z"] for row in rows], at, marker="o", linestyle="none", color=plots.SAMPLED)
        axes[0].set(xlim=(-5.0, 5.0), xlabel="(estimate - exact) / standard error", title="How far off")
        axes[0].set_yticks(at, [row["problem"] for row in rows], fontsize=9)
        axes[1].plot([row["V"] for row in rows], at, marker="o", linestyle="none", color=plots.SAMPLED, label="solve")
        given = [(row["best_tilt"], y) for row, y in zip(rows, at, strict=True) if row["best_tilt"]]
        axes[1].plot(*zip(*given, strict=True), marker="|", markersize=14, markeredgewidth=2.0, linestyle="none",
                     color=plots.EXACT, label="best tilt, exact")
        axes[1].set(xscale="log", xlabel="relative variance of a draw", yticks=[], title="What a draw costs")
        axes[1].legend(loc="lower left")
    return made


if __name__ == "__main__":
    main(Settings, run, tell)
