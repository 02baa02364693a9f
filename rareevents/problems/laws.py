"""Problems about numbers and vectors, with exact answers."""
from __future__ import annotations

import math

import numpy as np

import rareevents as rare
from rareevents.problems.problem import Problem


def four_branches(x: np.ndarray) -> float:
    s, d = (x[0] + x[1]) / math.sqrt(2.0), x[0] - x[1]
    return min(3.0 + 0.1 * d * d - s, 3.0 + 0.1 * d * d + s, d + 7.0 / math.sqrt(2.0), -d + 7.0 / math.sqrt(2.0))


def parabola(x: np.ndarray) -> float:
    return np.sum(x) / math.sqrt(len(x)) - 4.0 - 1.25 * (x[0] - x[1]) ** 2


def outside_circle(x: np.ndarray) -> bool:
    return x[0] ** 2 + x[1] ** 2 > 30.0


def three_modes(x: np.ndarray) -> bool:
    return max(x[0] - 4.0, -x[0] - 4.0, x[1] - 4.2) > 0.0


def shortest_path(x: np.ndarray) -> float:
    return min(x[0] + x[3], x[0] + x[2] + x[4], x[1] + x[4], x[1] + x[2] + x[3])


def bridge_fails(x: np.ndarray) -> bool:
    return x[0] + x[1] == 2 or x[3] + x[4] == 2 or x[0] + x[2] + x[4] == 3 or x[1] + x[2] + x[3] == 3


def dodecahedron() -> tuple[np.ndarray, int]:
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


def disconnected(x: np.ndarray) -> bool:
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


def excess(s: float) -> float:
    return max(s - 40.0, 0.0)


def number(x: int) -> int:
    return x


def laws() -> dict[str, Problem]:
    """The problems by name."""
    p, n = rare.Poisson, rare.Normal(0.0, 1.0)
    claims = rare.CompoundSum(p(10.0), rare.Exponential(1.0))
    times = rare.Independent([rare.Exponential(1.0 / mean) for mean in (0.25, 0.4, 0.1, 0.3, 0.2)])
    line = rare.linear([0.5 ** 0.5] * 2) >= 3.5
    return {
        "Poisson(10) ≥ 30": Problem(p(10.0), rare.at_least(30), 2.5099512015279076e-07, 6.168440034052922),
        "Poisson(1) ≥ 17": Problem(p(1.0), rare.at_least(17), 1.0949201303781835e-15, 8.297653850260657),
        "Poisson(100) ≤ 50": Problem(p(100.0), rare.at_most(50), 2.4015922356168156e-08, 5.120435090766438),
        "Binomial(100, .05) ≥ 20": Problem(rare.Binomial(100, 0.05), rare.at_least(20), 1.0522953420147268e-07,
                                    5.765661242775015),
        "Binomial(1000, .001) ≥ 12": Problem(rare.Binomial(1000, 0.001), rare.at_least(12), 7.865873023975429e-10,
                                      6.472971389007815),
        "two regimes ≥ 25": Problem(rare.Mixture([p(2.0), p(8.0)], [0.9, 0.1]), rare.at_least(25),
                                    1.1721937277831946e-07,
                             5.772379481805226),
        "zero-inflated ≥ 18": Problem(rare.ZeroInflated(p(4.0), 0.7), rare.at_least(18), 7.44532805833158e-08,
                               6.031728057006712),
        "claims > 40": Problem(claims, rare.at_least(40.0), 2.6825229962342674e-06, 7.712935833866556),
        "stop-loss over 40": Problem(claims, excess, 4.986380958900568e-06),
        "mean of Poisson(10)": Problem(p(10.0), number, 10.0, 0.004657899113119482),
        "linear, d = 2": Problem(rare.IID(n, 2), line, 0.00023262907903552504, 3.8965528899019626),
        "linear, d = 100": Problem(rare.IID(n, 100), rare.linear([0.1] * 100) >= 5.0, 2.866515718791939e-07,
                            5.6455352793259035),
        "four branches": Problem(rare.IID(n, 2), rare.score(four_branches) <= 0.0, 0.0022227950661944398),
        "parabola, d = 2": Problem(rare.IID(n, 2), rare.score(parabola) >= 0.0, 6.6206137606075595e-06),
        "parabola, d = 10": Problem(rare.IID(n, 10), rare.score(parabola) >= 0.0, 6.6206137606075595e-06),
        "parabola, d = 100": Problem(rare.IID(n, 100), rare.score(parabola) >= 0.0, 6.6206137606075595e-06),
        "outside a circle": Problem(rare.IID(n, 2), outside_circle, 3.059023205018258e-07),
        "three modes": Problem(rare.IID(n, 2), three_modes, 7.668738732925712e-05),
        "shortest path ≥ 1.5": Problem(times, rare.score(shortest_path) >= 1.5, 0.0003340891093),
        "shortest path ≥ 2": Problem(times, rare.score(shortest_path) >= 2.0, 1.3424597498e-05),
        "dodecahedron, q = .1": Problem(rare.IID(rare.Bernoulli(0.1), 30), disconnected, 0.0028796012533932806),
        "dodecahedron, q = .01": Problem(rare.IID(rare.Bernoulli(0.01), 30), disconnected, 2.0618910983343817e-06),
        "dodecahedron, q = .001": Problem(rare.IID(rare.Bernoulli(0.001), 30), disconnected, 2.0060180892154333e-09),
        "bridge, q = .001": Problem(rare.IID(rare.Bernoulli(0.001), 5), bridge_fails, 2.001995002e-06),
    }
