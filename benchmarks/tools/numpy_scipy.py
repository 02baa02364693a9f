"""NumPy and SciPy: what one writes first, and the same tuned by hand; and tilts chosen by hand."""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

from benchmarks.questions import (
    CLAIMS,
    DAYS,
    LEVEL,
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
)
from benchmarks.tools.ours import steered_month

RNG = np.random.default_rng(1)
BLOCK = 100_000               # draws of one array: near the fastest per draw
MONTHS = 10_000
TILTED = 2_000_000            # draws of an estimate with a tilt chosen by hand


# ------------------------------------------------------------------------------------------------ idiomatic
def storm_count(n: int) -> float:
    x = RNG.poisson(STORM_RATE, n)
    w = np.exp(stats.poisson.logpmf(x, RATE) - stats.poisson.logpmf(x, STORM_RATE))
    return float(np.mean(w * (x >= STORMS)))


def bernoulli_days(n: int) -> float:
    x = RNG.random((n, DAYS)) < WETTER
    log_w = np.where(x, math.log(WET / WETTER), math.log((1.0 - WET) / (1.0 - WETTER))).sum(axis=1)
    return float(np.mean(np.exp(log_w) * (x.sum(axis=1) >= WET_DAYS)))


def compound_sum(n: int) -> float:
    count = RNG.poisson(CLAIMS, n)
    total, largest = np.zeros(n), np.zeros(n)
    owner = np.repeat(np.arange(n), np.maximum(count - 1, 0))
    sizes = RNG.lognormal(0.0, 1.0, len(owner))
    np.add.at(total, owner, sizes)
    np.maximum.at(largest, owner, sizes)
    return float(np.mean(count * stats.lognorm.sf(np.maximum(largest, TOTAL - total), 1.0)))


def normal_vector(d: int) -> Callable[[int], float]:
    shift = LEVEL / math.sqrt(d)

    def estimate(n: int) -> float:
        x = RNG.normal(shift, 1.0, (n, d))
        w = np.exp(stats.norm.logpdf(x).sum(axis=1) - stats.norm.logpdf(x, shift).sum(axis=1))
        return float(np.mean(w * (x.sum(axis=1) >= LEVEL * math.sqrt(d))))
    return estimate


def weather_month(n: int) -> float:
    """Months of a block together, day by day, with the tables of the feedback proposal."""
    g, q = steered_month()
    below = np.cumsum(q, axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(g.p) - np.log(q)
    node, log_w = np.full(n, g.root), np.zeros(n)
    for t in range(DAYS):
        move = np.sum(RNG.random(n)[:, None] > below[t, node, :-1], axis=1)
        log_w += ratio[t, node, move]
        node = g.to[node, move]
    return float(np.mean(np.exp(log_w) * (node == 0)))


# ------------------------------------------------------------------------------------------------ tuned
COUNTS = np.arange(128)
BELOW = stats.poisson.cdf(COUNTS, STORM_RATE)
WEIGHED = np.exp(stats.poisson.logpmf(COUNTS, RATE) - stats.poisson.logpmf(COUNTS, STORM_RATE)) * (COUNTS >= STORMS)
WET_COUNTS = np.arange(DAYS + 1)
WET_WEIGHED = (WET / WETTER) ** WET_COUNTS * ((1.0 - WET) / (1.0 - WETTER)) ** (DAYS - WET_COUNTS) * (
    WET_COUNTS >= WET_DAYS)


def storm_count_tuned(n: int) -> float:
    """Inversion by search, a tally, and a table of weights."""
    tally = np.bincount(np.searchsorted(BELOW, RNG.random(n)), minlength=128)
    return float(tally[:128] @ WEIGHED / n)


def bernoulli_days_tuned(n: int) -> float:
    """Single precision, a tally of the wet days, and a table of weights."""
    wet = np.count_nonzero(RNG.random((n, DAYS), dtype=np.float32) < np.float32(WETTER), axis=1)
    return float(np.bincount(wet, minlength=DAYS + 1) @ WET_WEIGHED / n)


def compound_sum_tuned(n: int) -> float:
    """A matrix for each number of claims, so that sums and maxima are along rows."""
    found = 0.0
    for count, times in enumerate(np.bincount(RNG.poisson(CLAIMS, n))):
        if count > 0 and times > 0:
            sizes = np.exp(RNG.standard_normal((times, count - 1)))
            far = np.maximum(TOTAL - sizes.sum(axis=1), sizes.max(axis=1, initial=0.0))
            found += count * float(special.ndtr(-np.log(far)).sum())
    return found / n


def normal_vector_tuned(d: int) -> Callable[[int], float]:
    """The weight is a function of the total."""
    shift = LEVEL / math.sqrt(d)

    def estimate(n: int) -> float:
        total = RNG.standard_normal((n, d)).sum(axis=1) + shift * d
        return float(np.mean(np.exp(0.5 * d * shift * shift - shift * total) * (total >= LEVEL * math.sqrt(d))))
    return estimate


IDIOMATIC = {"storm count": (storm_count, BLOCK), "30 Bernoulli days": (bernoulli_days, BLOCK // 10),
             "compound Poisson-lognormal": (compound_sum, BLOCK), "normal vector, d = 10": (normal_vector(10), BLOCK),
             "normal vector, d = 100": (normal_vector(100), BLOCK // 10), "weather month": (weather_month, MONTHS)}
TUNED = {"storm count": (storm_count_tuned, BLOCK), "30 Bernoulli days": (bernoulli_days_tuned, BLOCK // 10),
         "compound Poisson-lognormal": (compound_sum_tuned, BLOCK),
         "normal vector, d = 10": (normal_vector_tuned(10), BLOCK // 10),
         "normal vector, d = 100": (normal_vector_tuned(100), BLOCK // 100)}


# ------------------------------------------------------------------------------------------------ tilted by hand
def by_hand(asked: Asked, seed: int) -> Answer:
    """The tilt that moves the mean to the level, for one who knows that it does; for two modes, one to each."""
    rng = np.random.default_rng(seed)
    estimate = {"sum": _along, "two modes": _both_ways, "count": _count, "month": _month}[asked.kind]
    block, blocks = (MONTHS, TILTED // MONTHS // 10) if asked.kind == "month" else (BLOCK, TILTED // BLOCK)
    return Answer(sum(estimate(asked.level, rng, block) for _ in range(blocks)) / blocks, block * blocks)


def _along(level: float, rng: np.random.Generator, n: int) -> float:
    """Along the direction that matters: the others weigh nothing, and need not be drawn."""
    z = rng.standard_normal(n)
    return float(np.sum(np.exp(-0.5 * level * level - level * z[z >= 0.0]))) / n


def _both_ways(level: float, rng: np.random.Generator, n: int) -> float:
    z = rng.standard_normal(n) + level                       # the mixture is symmetric, and so is its weight
    w = 1.0 / (np.exp(-0.5 * level * level) * np.cosh(level * z))
    return float(np.mean(w * (np.abs(z) >= level)))


def _count(level: float, rng: np.random.Generator, n: int) -> float:
    w = np.exp(stats.poisson.logpmf(COUNTS, RATE) - stats.poisson.logpmf(COUNTS, level)) * (level <= COUNTS)
    tally = np.bincount(np.searchsorted(stats.poisson.cdf(COUNTS, level), rng.random(n)), minlength=len(COUNTS))
    return float(tally[:len(COUNTS)] @ w / n)


def _month(level: float, rng: np.random.Generator, n: int) -> float:
    """The tilt of Perron and Frobenius: the weight depends on the count and the last state alone."""
    def tilted(theta: float) -> tuple[np.ndarray, np.ndarray, float]:
        m = WEATHER * np.exp(theta * (np.arange(4) == 3))
        values, vectors = np.linalg.eig(m)
        top = np.argmax(values.real)
        r = np.abs(vectors[:, top].real)
        return m * r / (values[top].real * r[:, None]), r, float(values[top].real)

    def too_many(theta: float) -> float:
        p, mean, q = np.array([1.0, 0.0, 0.0, 0.0]), 0.0, tilted(theta)[0]
        for _ in range(DAYS):
            p = p @ q
            mean += p[3]
        return mean - level
    theta = optimize.brentq(too_many, 0.0, 20.0)
    q, r, root = tilted(theta)
    below = np.cumsum(q, axis=1)[:, :-1]
    state, count = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for _ in range(DAYS):
        state = np.sum(rng.random(n)[:, None] > below[state], axis=1)
        count += state == 3
    return float(np.mean(root ** DAYS * np.exp(-theta * count) * r[0] / r[state] * (count >= level)))


DESIGNED = {"tilted by hand": by_hand}
