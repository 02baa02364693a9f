"""vegas: an adaptive grid over the unit cube, mapped to the law by its quantiles."""
from __future__ import annotations

import gvar
import numpy as np
import vegas
from scipy import special, stats

from benchmarks.questions import RATE, Answer, Asked, CannotError

BEYOND = stats.poisson.sf(np.arange(128), RATE)              # x is the first count with P(X > x) <= u
LEARNED, KEPT, EVALUATIONS = 10, 10, 100_000               # iterations to adapt, iterations that count, points of one


def grid(asked: Asked, seed: int) -> Answer:
    if asked.kind == "month":
        raise CannotError("vegas integrates a function over a box; a month of weather is a sum over 4^30 paths")
    gvar.ranseed(seed)

    @vegas.lbatchintegrand
    def f(u: np.ndarray) -> np.ndarray:
        x = np.searchsorted(-BEYOND, -u) if asked.kind == "count" else -special.ndtri(u)
        score = x[:, 0] if asked.kind == "count" else x.sum(axis=1) / np.sqrt(asked.d)
        return 1.0 * ((np.abs(score) if asked.kind == "two modes" else score) >= asked.level)
    integrator = vegas.Integrator(asked.d * [[1e-300, 1.0 - 1e-16]])
    integrator(f, nitn=LEARNED, neval=EVALUATIONS)
    found = integrator(f, nitn=KEPT, neval=EVALUATIONS)
    return Answer(found.mean, (LEARNED + KEPT) * EVALUATIONS)


DESIGNED = {"vegas": grid}
