"""Problems about paths, sums of heavy-tailed terms and portfolios, with exact answers."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

import rareevents as rare
from rareevents.kernels.streams import Rng
from rareevents.problems.problem import Problem

SKY = ("sunny", "rainy", "cloudy", "storm")
WEATHER = ((0.70, 0.15, 0.14, 0.01), (0.30, 0.40, 0.25, 0.05), (0.35, 0.30, 0.32, 0.03), (0.20, 0.45, 0.15, 0.20))

Board: TypeAlias = tuple[int, int, int, int]


def count(k: int) -> float:
    return k + 0.0


def doubled(k: int) -> float:
    return 2.0 ** k


@dataclass(frozen=True)
class Queens(rare.Process):
    """Queens on a board, row by row in a random free column: (row, columns, diagonals, diagonals) taken, as bits."""

    n: int = 12
    start: ClassVar[Board] = (0, 0, 0, 0)

    @property
    def steps(self) -> int:   # type: ignore[override]
        return self.n

    def step(self, state: Board, rng: Rng) -> Board:
        row, taken, up, down = state
        k = rng.integers(self.n - row)
        column = 0
        for c in range(self.n):
            if (taken >> c) & 1 == 0:
                if k == 0:
                    column = c
                k -= 1
        a, b = 1 << (row + column), 1 << (row - column + self.n)
        if up & a or down & b:
            return row + 1, taken | 1 << column, -1, -1
        return row + 1, taken | 1 << column, up | a, down | b


def attacked(state: Board) -> bool:
    return state[2] < 0


@dataclass(frozen=True)
class Plane(rare.Process):
    """A simple random walk in the plane."""

    steps: int = 20               # type: ignore[misc]
    start: ClassVar[tuple[int, int]] = (0, 0)

    def step(self, state: tuple[int, int], rng: Rng) -> tuple[int, int]:
        k = rng.integers(4)
        if k < 2:
            return state[0] + 2 * k - 1, state[1]
        return state[0], state[1] + 2 * k - 5


def avoids_itself(path: np.ndarray) -> bool:
    for i in range(len(path)):
        for j in range(i):
            if path[i, 0] == path[j, 0] and path[i, 1] == path[j, 1]:
                return False
    return True


def neighbours() -> np.ndarray:
    """Of each node of the dodecahedron, those with a smaller number."""
    from rareevents.problems.laws import EDGES
    table = np.full((20, 3), -1)
    for a, b in EDGES:
        low, high = min(a, b), max(a, b)
        table[high, list(table[high]).index(-1)] = low
    return table


@dataclass(frozen=True)
class Colouring(rare.Process):
    """The nodes of the dodecahedron one by one in a random colour of three."""

    near: np.ndarray
    steps: ClassVar[int] = 20     # type: ignore[misc]

    @property
    def start(self) -> tuple[int, int, int]:   # type: ignore[override]
        return 0, 0, 0                                     # how many have a colour, the colours in base 4, clash

    def step(self, state: tuple[int, int, int], rng: Rng) -> tuple[int, int, int]:
        at, colours, clash = state
        mine = rng.integers(3)
        for j in range(3):
            other = self.near[at, j]
            if other >= 0 and (colours >> (2 * other)) & 3 == mine:
                clash = 1
        return at + 1, colours | mine << (2 * at), clash


def clashes(state: tuple[int, int, int]) -> bool:
    return state[2] == 1


def paths() -> dict[str, Problem]:
    """The problems by name."""
    def sky(days):
        return rare.MarkovChain(WEATHER, "sunny", days, labels=SKY)

    def tandem(arrival, first, second, level, exact):
        return Problem(rare.TandemQueue(arrival, [first, second]),
                       rare.hits(rare.total >= level, before=rare.total <= 0), exact)
    storms, month = rare.visits("storm"), sky(30)
    at_least, lomax = rare.at_least, rare.Lomax
    reserve = rare.RandomWalk([rare.Exponential(1.0), rare.Reflected(rare.Exponential(0.8))])
    wait = rare.RandomWalk(rare.Shifted(rare.Exponential(1.0), -1.25))
    price = rare.RandomWalk(rare.Normal((0.05 - 0.02) / 50, 0.2 / math.sqrt(50)), math.log(100.0), 50)
    family = rare.RandomWalk(rare.Shifted(rare.Poisson(0.8), -1), 1, 199)
    return {
        "storms ≥ 7 of 30": Problem(month, storms >= 7, 0.0008509631346865172, 4.764451032032651),
        "storms ≥ 45 of 365": Problem(sky(365), storms >= 45, 6.547335105075334e-10, 8.836558103048896),
        "wet days ≥ 26 of 30": Problem(month, rare.visits(["rainy", "storm"]) >= 26, 6.123567532757941e-07,
                                       2.8579310513465077),
        "mean of storms": Problem(month, storms.map(count), 0.8614041717539922),
        "mean of 2^storms": Problem(month, storms.map(doubled), 2.9016013743139615),
        "a run of 8 storms": Problem(sky(365), rare.longest_run("storm") >= 8, 0.00010931845732815032),
        "gambler, 20 before 0": Problem(rare.BirthDeath(0.4, 0.6, 1), rare.hits(20, before=0), 0.00015040956237697675,
                                        1.9990978140205349),
        "tandem .1 .45 .45": tandem(0.1, 0.45, 0.45, 30, 2.634255685372e-18),
        "tandem .3 .36 .34": tandem(0.3, 0.36, 0.34, 25, 0.06652492808896),
        "tandem .04 .48 .48": tandem(0.04, 0.48, 0.48, 25, 2.872231306849e-25),
        "tandem .2 .3 .5": tandem(0.2, 0.3, 0.5, 25, 4.950341673735e-05),
        "ruin, exponential": Problem(reserve, rare.hits(at_least(60.0)), 4.915369882662568e-06, 0.041666666666666664),
        "D/M/1 wait > 50": Problem(wait, rare.hits(at_least(50.0)), 5.422423780227441e-09, 0.15997953858487277),
        "barrier, 50 dates": Problem(price, rare.running_min <= math.log(60.0), 0.00570150569909),
        "family of 200": Problem(family, rare.running_min >= 1, 5.891563799365043e-05),
        "ruin, Lomax 1.5": Problem(rare.CompoundSum(rare.Geometric(0.5), lomax(1.5, 1.0)), at_least(1e3),
                                   3.176512768799e-05),
        "ruin, Lomax 0.5": Problem(rare.CompoundSum(rare.Geometric(0.75), lomax(0.5, 1.0)), at_least(1e6),
                                   0.0003333328862683),
        "claims, Lomax 1.5": Problem(rare.CompoundSum(rare.Poisson(5.0), lomax(1.5, 1.0)), at_least(1e4),
                                     5.006753837332e-06),
        "5 Lomax 2.5": Problem(rare.IID(lomax(2.5, 1.0), 5), rare.total >= 1e3, 1.587807262877e-07),
        "10 Lomax 2.5": Problem(rare.IID(lomax(2.5, 1.0), 10), rare.total >= 1e2, 0.0001146392537322),
        "20 Weibull .5": Problem(rare.IID(rare.Weibull(0.5, 1.0), 20), rare.total >= 300.0, 2.61516292924e-06),
        "12 queens": Problem(Queens(), rare.first_passage(attacked) >= 13, 2.96449949227727e-05),
        "walk avoids itself": Problem(Plane(), avoids_itself, 0.0008164508144545835),
        "three colours": Problem(Colouring(neighbours()), rare.first_passage(clashes) >= 21, 2.0649398333705577e-06),
    }
