"""OpenTURNS: weighted draws of an experiment, and four algorithms that design their proposal."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import openturns as ot

from benchmarks.questions import (
    DAYS,
    LEVEL,
    RATE,
    STORM_RATE,
    STORMS,
    WET,
    WET_DAYS,
    WETTER,
    Answer,
    Asked,
    CannotError,
)

ot.Log.Show(ot.Log.NONE)
ot.ResourceMap.SetAsUnsignedInteger("TBB-ThreadsNumber", 1)
ot.TBB.SetThreadsNumber(1)
DRAWS = {"subset": 200_000, "nais": 4_000, "cross entropy": 50_000}            # of a level


# ------------------------------------------------------------------------------------------------ one estimator
def weighted(nominal: Any, proposal: Any, hit: Callable[[np.ndarray], np.ndarray]) -> Callable[[int], float]:
    def estimate(n: int) -> float:
        x, w = ot.ImportanceSamplingExperiment(nominal, proposal, n).generateWithWeights()
        return float(np.mean(np.asarray(w) * hit(np.asarray(x))))
    return estimate


def normal_vector(d: int) -> Callable[[int], float]:
    shift = LEVEL / math.sqrt(d)
    return weighted(ot.Normal(d), ot.Normal([shift] * d, [1.0] * d), lambda x: x.sum(axis=1) >= LEVEL * math.sqrt(d))


def compound_sum(n: int) -> float:
    raise CannotError("ImportanceSamplingExperiment draws vectors of one length; a sum of a random number of terms has "
                      "none")


def weather_month(n: int) -> float:
    raise CannotError("ImportanceSamplingExperiment weighs one distribution by another; there is none of paths")


PER_DRAW = {
    "storm count": (weighted(ot.Poisson(RATE), ot.Poisson(STORM_RATE), lambda x: x[:, 0] >= STORMS), 100_000),
    "30 Bernoulli days": (weighted(ot.JointDistribution([ot.Bernoulli(WET)] * DAYS),
                                   ot.JointDistribution([ot.Bernoulli(WETTER)] * DAYS),
                                   lambda x: x.sum(axis=1) >= WET_DAYS), 20_000),
    "compound Poisson-lognormal": (compound_sum, 1),
    "normal vector, d = 10": (normal_vector(10), 100_000), "normal vector, d = 100": (normal_vector(100), 10_000),
    "weather month": (weather_month, 1)}


# ------------------------------------------------------------------------------------------------ designed
def event(asked: Asked) -> tuple[Any, Any]:
    """The event, and the function whose calls are counted."""
    if asked.kind == "month":
        raise CannotError("a ThresholdEvent is of a vector with a joint distribution; there is none of paths")
    law = ot.Poisson(RATE) if asked.kind == "count" else ot.Normal(asked.d)
    names = [f"x{i}" for i in range(asked.d)]
    formula = {"sum": f"({'+'.join(names)})/sqrt({asked.d})", "two modes": "abs(x0+x1)/sqrt(2)",
               "count": "x0"}[asked.kind]
    g = ot.SymbolicFunction(names, [formula])
    return ot.ThresholdEvent(ot.CompositeRandomVector(g, ot.RandomVector(law)), ot.GreaterOrEqual(), asked.level), g


def run(algorithm: Any, g: Any, seed: int) -> Answer:
    ot.RandomGenerator.SetSeed(seed)
    before = g.getEvaluationCallsNumber()
    algorithm.run()
    return Answer(algorithm.getResult().getProbabilityEstimate(), g.getEvaluationCallsNumber() - before)


def subset(asked: Asked, seed: int) -> Answer:
    what, g = event(asked)
    algorithm = ot.SubsetSampling(what)
    algorithm.setMaximumOuterSampling(DRAWS["subset"] // 1000)
    algorithm.setBlockSize(1000)
    return run(algorithm, g, seed)


def nais(asked: Asked, seed: int) -> Answer:
    what, g = event(asked)
    algorithm = ot.NAIS(what, 0.25)
    algorithm.setMaximumOuterSampling(DRAWS["nais"] // 1000)
    algorithm.setBlockSize(1000)
    return run(algorithm, g, seed)


def cross_entropy(asked: Asked, seed: int) -> Answer:
    """In the physical space, over the means; a standard deviation that may shrink returned less."""
    what, g = event(asked)
    d = asked.d
    if asked.kind == "count":
        law, active, start, bounds = ot.Poisson(RATE), [0], [RATE], ot.Interval([0.1], [100.0])
    else:
        law, active, start = ot.Normal(d), list(range(0, 2 * d, 2)), [0.0] * d
        bounds = ot.Interval([-10.0] * d, [10.0] * d)
    algorithm = ot.PhysicalSpaceCrossEntropyImportanceSampling(what, law, active, start, bounds)
    algorithm.setMaximumOuterSampling(DRAWS["cross entropy"] // 1000)
    algorithm.setBlockSize(1000)
    return run(algorithm, g, seed)


DESIGNED = {"OpenTURNS, SubsetSampling": subset, "OpenTURNS, NAIS": nais,
            "OpenTURNS, PhysicalSpaceCrossEntropy": cross_entropy}
