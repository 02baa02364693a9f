"""rareevents: the estimators on one thread, and `solve`, which designs its proposal."""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import rareevents as rare
from benchmarks.questions import (
    CLAIMS,
    DAYS,
    LEVEL,
    MONTH_STORMS,
    RATE,
    STORM_RATE,
    STORMS,
    TOTAL,
    WEATHER,
    WET,
    WET_DAYS,
    WETTER,
    Answer,
    Asked,
    CannotError,
)
from rareevents import proposals

MONTH = rare.MarkovChain(WEATHER.tolist(), 0, DAYS)
ACCURACY = 1e-3


@cache
def steered_month() -> tuple[Any, Any]:
    """The graph of the month and the tables of the feedback proposal, which NumPy gets too."""
    made = proposals.feedback(MONTH, rare.visits(3) >= MONTH_STORMS).law
    return made.graph, made.table


@cache
def question(name: str) -> tuple[Any, Any, Any]:
    """Nominal law, event and proposal of an estimator."""
    if name == "storm count":
        return rare.Poisson(RATE), rare.at_least(STORMS), rare.Poisson(STORM_RATE)
    if name == "30 Bernoulli days":
        return (rare.IID(rare.Bernoulli(WET), DAYS), rare.total >= float(WET_DAYS),
                rare.IID(rare.Bernoulli(WETTER), DAYS))
    if name == "compound Poisson-lognormal":
        size = rare.CompoundSum(rare.Poisson(CLAIMS), rare.LogNormal(0.0, 1.0))
        restated = proposals.largest_integrated(size, rare.at_least(TOTAL))
        return restated.nominal, restated.f, None            # as NumPy does: the count is not tilted
    if name == "weather month":
        event = rare.visits(3) >= MONTH_STORMS
        return MONTH, event, proposals.feedback(MONTH, event).law
    d = int(name.rpartition("= ")[2])
    return (rare.IID(rare.Normal(0.0, 1.0), d), rare.total >= LEVEL * math.sqrt(d),
            rare.IID(rare.Normal(LEVEL / math.sqrt(d), 1.0), d))


def estimate(name: str) -> Callable[[int], float]:
    def draw(n: int) -> float:
        nominal, event, proposal = question(name)
        return rare.estimate(nominal, event, proposal, samples=n, seed=1, threads=1, audit=False).value
    return draw


DRAWS = {"storm count": 50_000_000, "30 Bernoulli days": 3_000_000, "compound Poisson-lognormal": 3_000_000,
         "normal vector, d = 10": 3_000_000, "normal vector, d = 100": 300_000, "weather month": 2_000_000}
PER_DRAW = {name: (estimate(name), draws) for name, draws in DRAWS.items()}


# ------------------------------------------------------------------------------------------------ designed
def along(x):
    return x.sum() / math.sqrt(len(x))


def either(x):
    return abs(x[0] + x[1]) / math.sqrt(2.0)


def named(asked: Asked) -> tuple[Any, Any]:
    if asked.kind == "count":
        return rare.Poisson(RATE), rare.at_least(int(asked.level))
    if asked.kind == "month":
        return MONTH, rare.visits(3) >= int(asked.level)
    normals = rare.IID(rare.Normal(0.0, 1.0), asked.d)
    side = asked.level * math.sqrt(asked.d)
    return normals, (rare.total >= side) if asked.kind == "sum" else (rare.total >= side) | (rare.total <= -side)


def of_a_function(asked: Asked) -> tuple[Any, Any]:
    """The same event where the library knows only the values of a function, as the other tools do."""
    nominal = named(asked)[0]
    if asked.kind == "count":
        return nominal, rare.score(lambda x: 1.0 * x) >= asked.level
    if asked.kind == "month":
        raise CannotError("what happens on a path is counted while it runs, by what the event is called")
    return nominal, rare.score(along if asked.kind == "sum" else either) >= asked.level


def solved(ask: Callable[[Asked], tuple[Any, Any]]) -> Callable[[Asked, int], Answer]:
    def solve(asked: Asked, seed: int) -> Answer:
        found = rare.solve(*ask(asked), exact=False, relative_error=ACCURACY, certify=False, seed=seed, threads=1)
        return Answer(float(found.value), sum(found.evaluations))
    return solve


DESIGNED = {"rareevents": solved(named), "rareevents, a function": solved(of_a_function)}
