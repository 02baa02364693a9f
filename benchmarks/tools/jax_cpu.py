"""JAX on the processor, one thread, double precision, each estimator one compiled function."""
from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from scipy import stats

from benchmarks.questions import (
    CLAIMS,
    DAYS,
    LEVEL,
    RATE,
    STORM_RATE,
    STORMS,
    TOTAL,
    WET,
    WET_DAYS,
    WETTER,
)
from benchmarks.tools.ours import steered_month

jax.config.update("jax_enable_x64", True)
MOST_CLAIMS = 24              # rows of terms must have one length: P(N > 24) is 5e-12
BELOW_STORMS = stats.poisson.cdf(np.arange(64), STORM_RATE)
BELOW_CLAIMS = stats.poisson.cdf(np.arange(MOST_CLAIMS), CLAIMS)


def estimator(f: Callable, n: int) -> tuple[Callable[[int], float], int]:
    """The compiled estimate of n draws, with a new key each time."""
    compiled, keys = jax.jit(partial(f, n=n)), [jax.random.key(1)]

    def estimate(_: int) -> float:
        keys[0], key = jax.random.split(keys[0])
        return float(compiled(key))
    return estimate, n


def storm_count(key, n):
    """Inversion by search: five times as fast as jax.random.poisson."""
    x = jnp.searchsorted(jnp.asarray(BELOW_STORMS), jax.random.uniform(key, (n,), jnp.float64))
    return jnp.mean(jnp.exp(x * math.log(RATE / STORM_RATE) + STORM_RATE - RATE) * (x >= STORMS))


def storm_count_poisson(key, n):
    """As one writes it first."""
    x = jax.random.poisson(key, STORM_RATE, (n,))
    return jnp.mean(jnp.exp(x * math.log(RATE / STORM_RATE) + STORM_RATE - RATE) * (x >= STORMS))


def bernoulli_days(key, n):
    wet = jnp.sum(jax.random.uniform(key, (n, DAYS), jnp.float32) < WETTER, axis=1)
    log_w = wet * math.log(WET / WETTER) + (DAYS - wet) * math.log((1.0 - WET) / (1.0 - WETTER))
    return jnp.mean(jnp.exp(log_w) * (wet >= WET_DAYS))


def compound_sum(key, n):
    counts, sizes = jax.random.split(key)
    count = jnp.searchsorted(jnp.asarray(BELOW_CLAIMS), jax.random.uniform(counts, (n,), jnp.float64))
    drawn = jnp.arange(MOST_CLAIMS - 1) < count[:, None] - 1
    x = jnp.where(drawn, jnp.exp(jax.random.normal(sizes, (n, MOST_CLAIMS - 1), jnp.float64)), 0.0)
    far = jnp.maximum(x.max(axis=1), TOTAL - x.sum(axis=1))
    return jnp.mean(count * norm.sf(jnp.log(far)))


def normal_vector(key, n, d):
    shift = LEVEL / math.sqrt(d)
    total = jnp.sum(jax.random.normal(key, (n, d), jnp.float64), axis=1) + shift * d
    return jnp.mean(jnp.exp(0.5 * d * shift * shift - shift * total) * (total >= LEVEL * math.sqrt(d)))


def weather_month(key, n):
    g, q = steered_month()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = jnp.asarray(np.log(g.p) - np.log(q))
    below, to = jnp.asarray(np.cumsum(q, axis=2)[:, :, :-1]), jnp.asarray(g.to)

    def day(carried, given):
        node, log_w = carried
        u, t = given
        move = jnp.sum(u[:, None] > below[t, node], axis=1)
        return (to[node, move], log_w + ratio[t, node, move]), None
    start = jnp.full(n, g.root), jnp.zeros(n)
    (node, log_w), _ = jax.lax.scan(day, start, (jax.random.uniform(key, (DAYS, n), jnp.float64), jnp.arange(DAYS)))
    return jnp.mean(jnp.exp(log_w) * (node == 0))


PER_DRAW = {"storm count": estimator(storm_count, 1_000_000), "30 Bernoulli days": estimator(bernoulli_days, 100_000),
            "compound Poisson-lognormal": estimator(compound_sum, 100_000),
            "normal vector, d = 10": estimator(partial(normal_vector, d=10), 100_000),
            "normal vector, d = 100": estimator(partial(normal_vector, d=100), 10_000),
            "weather month": estimator(weather_month, 20_000)}
FIRST = {"storm count": estimator(storm_count_poisson, 1_000_000)}
