"""`solve` on reference problems with known answers: how far off, at what cost, and what it says of itself.

Every problem is given to `solve(exact=False)` as a user would write it; nothing is looked up by name. V is the relative
variance of a draw, against that of the best exponential tilt where theory gives it.
"""
import math
from dataclasses import dataclass

import numpy as np

import rareevents as rare
from rareevents import plots
from rareevents.experiments import Findings, main


@dataclass(frozen=True)
class Settings:
    """To what error, and with which streams."""

    relative_error: float = 0.01
    """What every problem is solved to."""
    seed: int = 1
    """Of the random streams."""


def four_branches(x):
    s, d = (x[0] + x[1]) / math.sqrt(2.0), x[0] - x[1]
    return min(3.0 + 0.1 * d * d - s, 3.0 + 0.1 * d * d + s, d + 7.0 / math.sqrt(2.0), -d + 7.0 / math.sqrt(2.0))


def parabola(x):
    return np.sum(x) / math.sqrt(len(x)) - 4.0 - 1.25 * (x[0] - x[1]) ** 2


def outside_circle(x):
    return x[0] ** 2 + x[1] ** 2 > 30.0


def three_modes(x):
    return max(x[0] - 4.0, -x[0] - 4.0, x[1] - 4.2) > 0.0


def shortest_path(x):
    return min(x[0] + x[3], x[0] + x[2] + x[4], x[1] + x[4], x[1] + x[2] + x[3])


def bridge_fails(x):
    return x[0] + x[1] == 2 or x[3] + x[4] == 2 or x[0] + x[2] + x[4] == 3 or x[1] + x[2] + x[3] == 3


def dodecahedron():
    """The 30 edges, and two nodes as far apart as can be."""
    phi, ways = (1.0 + 5.0 ** 0.5) / 2.0, (-1.0, 1.0)
    nodes = np.array([(x, y, z) for x in ways for y in ways for z in ways] + [
        turned for a in ways for b in ways
        for turned in ((0.0, a / phi, b * phi), (a / phi, b * phi, 0.0), (a * phi, 0.0, b / phi))])
    far = np.linalg.norm(nodes[:, None] - nodes[None], axis=2)
    edge = np.min(far[far > 1e-9]) + 1e-6
    pairs = [(i, j) for i in range(20) for j in range(i + 1, 20) if far[i, j] < edge]
    return np.array(pairs), int(np.argmax(far[0]))


EDGES, TERMINAL = dodecahedron()


def disconnected(x):
    """Whether node 0 and the terminal are apart when the edges with x = 1 have failed."""
    label = np.arange(20)
    changed = True
    while changed:
        changed = False
        for e in range(30):
            if x[e] == 0:
                a, b = label[EDGES[e, 0]], label[EDGES[e, 1]]
                if a != b:
                    label[EDGES[e, 0]] = label[EDGES[e, 1]] = min(a, b)
                    changed = True
    return label[0] != label[TERMINAL]


def excess(s):
    return max(s - 40.0, 0.0)


def number(x):
    return x


def problems():
    """Name -> (nominal law, question, exact answer, V of the best tilt or None)."""
    p, n = rare.Poisson, rare.Normal(0.0, 1.0)
    claims = rare.CompoundSum(p(10.0), rare.Exponential(1.0))
    times = rare.Independent([rare.Exponential(1.0 / mean) for mean in (0.25, 0.4, 0.1, 0.3, 0.2)])
    line = rare.linear([0.5 ** 0.5] * 2) >= 3.5
    return {
        "Poisson(10) ≥ 30": (p(10.0), rare.at_least(30), 2.5099512015279076e-07, 6.168440034052922),
        "Poisson(1) ≥ 17": (p(1.0), rare.at_least(17), 1.0949201303781835e-15, 8.297653850260657),
        "Poisson(100) ≤ 50": (p(100.0), rare.at_most(50), 2.4015922356168156e-08, 5.120435090766438),
        "Binomial(100, .05) ≥ 20": (rare.Binomial(100, 0.05), rare.at_least(20), 1.0522953420147268e-07,
                                    5.765661242775015),
        "Binomial(1000, .001) ≥ 12": (rare.Binomial(1000, 0.001), rare.at_least(12), 7.865873023975429e-10,
                                      6.472971389007815),
        "two regimes ≥ 25": (rare.Mixture([p(2.0), p(8.0)], [0.9, 0.1]), rare.at_least(25), 1.1721937277831946e-07,
                             5.772379481805226),
        "zero-inflated ≥ 18": (rare.ZeroInflated(p(4.0), 0.7), rare.at_least(18), 7.44532805833158e-08,
                               6.031728057006712),
        "claims > 40": (claims, rare.at_least(40.0), 2.6825229962342674e-06, 7.712935833866556),
        "stop-loss over 40": (claims, excess, 4.986380958900568e-06, None),
        "mean of Poisson(10)": (p(10.0), number, 10.0, 0.004657899113119482),
        "linear, d = 2": (rare.IID(n, 2), line, 0.00023262907903552504, 3.8965528899019626),
        "linear, d = 100": (rare.IID(n, 100), rare.linear([0.1] * 100) >= 5.0, 2.866515718791939e-07,
                            5.6455352793259035),
        "four branches": (rare.IID(n, 2), rare.score(four_branches) <= 0.0, 0.0022227950661944398, None),
        "parabola, d = 2": (rare.IID(n, 2), rare.score(parabola) >= 0.0, 6.6206137606075595e-06, None),
        "parabola, d = 10": (rare.IID(n, 10), rare.score(parabola) >= 0.0, 6.6206137606075595e-06, None),
        "parabola, d = 100": (rare.IID(n, 100), rare.score(parabola) >= 0.0, 6.6206137606075595e-06, None),
        "outside a circle": (rare.IID(n, 2), outside_circle, 3.059023205018258e-07, None),
        "three modes": (rare.IID(n, 2), three_modes, 7.668738732925712e-05, None),
        "shortest path ≥ 1.5": (times, rare.score(shortest_path) >= 1.5, 0.0003340891093, None),
        "shortest path ≥ 2": (times, rare.score(shortest_path) >= 2.0, 1.3424597498e-05, None),
        "dodecahedron, q = .1": (rare.IID(rare.Bernoulli(0.1), 30), disconnected, 0.0028796012533932806, None),
        "dodecahedron, q = .01": (rare.IID(rare.Bernoulli(0.01), 30), disconnected, 2.0618910983343817e-06, None),
        "dodecahedron, q = .001": (rare.IID(rare.Bernoulli(0.001), 30), disconnected, 2.0060180892154333e-09, None),
        "bridge, q = .001": (rare.IID(rare.Bernoulli(0.001), 5), bridge_fails, 2.001995002e-06, None),
    }


def run(settings: Settings, progress: bool) -> Findings:
    rows = []
    for name, (law, f, exact, best) in problems().items():
        found = rare.solve(law, f, exact=False, certify=False, relative_error=settings.relative_error,
                           seed=settings.seed, progress=progress)
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
    made, axes = plots.figure(1, 2, figsize=(10.5, 7.0))
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
