"""`solve` on reference problems with known answers: how far off, at what cost, and what it says of itself.

Every problem is given to `solve(exact=False)` as a user would write it; nothing is looked up by name. V is the relative
variance of a draw, against that of the best exponential tilt where theory gives it.
"""
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import plots, problems
from rareevents.experiments import Findings, main


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
    text = "\n".join([f"{'problem':<27}{'exact':>12}{'estimate':>12}{'R':>8}{'z':>7}{'V':>10}{'/ tilt':>9}{'draws':>11}"
                      f"  verdict",
                      *(f"{row['problem']:<27}{row['exact']:>12.5g}{row['estimate']:>12.5g}{row['relative_error']:>8.4f}"
                        f"{row['z']:>7.2f}{row['V']:>10.3g}"
                        + (f"{row['V_over_best_tilt']:>9.3g}" if row["best_tilt"] else f"{'':>9}")
                        + f"{sum(row['evaluations'].values()):>11,}  {row['verdict']}" for row in rows)])
    return Findings({"rows": rows}, {"reference": picture(rows)}, text)


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
    main(Settings, run)
