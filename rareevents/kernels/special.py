"""Factorials and binomial coefficients in logarithms, exact to rounding for any size of argument.

x log(rate) - rate - log(x!) loses everything when x is large: its terms cancel. Loader's saddle-point form
(Loader 2000, "Fast and accurate computation of binomial probabilities") has no cancellation.
"""
from __future__ import annotations

import math

import numpy as np
from numba import njit

from rareevents.kernels.bits import LEAF

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
LOG_FACTORIALS = np.array([math.lgamma(k + 1.0) for k in range(1024)])


@njit(**LEAF)
def log_factorial(x: int) -> float:
    """log(x!) for an integer x >= 0."""
    return LOG_FACTORIALS[x] if x < 1024 else math.lgamma(x + 1.0)


@njit(nogil=True, error_model="numpy")
def stirling_error(x: float) -> float:
    """log(x!) - log(sqrt(2 pi x) (x/e)^x) for x > 0; Loader (2000), section 2."""
    if x < 16.0:
        return math.lgamma(x + 1.0) - (x + 0.5) * math.log(x) + x - HALF_LOG_TWO_PI
    s = 1.0 / (x * x)
    return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - s / 1188.0) * s) * s) * s) / x


@njit(nogil=True, error_model="numpy")
def deviance(x: float, mean: float) -> float:
    """x log(x / mean) + mean - x without cancellation; Loader (2000), equation (4)."""
    if abs(x - mean) < 0.1 * (x + mean):
        v = (x - mean) / (x + mean)
        total = (x - mean) * v
        power = 2.0 * x * v
        j = 1
        while True:
            power *= v * v
            updated = total + power / (2.0 * j + 1.0)
            if updated == total:
                return total
            total = updated
            j += 1
    return x * math.log(x / mean) + mean - x


@njit(nogil=True, error_model="numpy")
def poisson_log_mass(x: float, rate: float) -> float:
    """log P(X = x) for X ~ Poisson(rate), x >= 0, rate > 0."""
    if x == 0:
        return -rate
    return -stirling_error(float(x)) - deviance(float(x), rate) - HALF_LOG_TWO_PI - 0.5 * math.log(float(x))


@njit(nogil=True, error_model="numpy")
def binomial_log_mass(x: int, n: int, p: float) -> float:
    """log P(X = x) for X ~ Binomial(n, p), 0 <= x <= n, 0 < p < 1; Loader (2000), equation (3)."""
    q = 1.0 - p
    if x == 0:
        return n * math.log1p(-p)
    if x == n:
        return n * math.log(p)
    k, m = float(x), float(n)
    return (stirling_error(m) - stirling_error(k) - stirling_error(m - k) - deviance(k, m * p)
            - deviance(m - k, m * q) - HALF_LOG_TWO_PI + 0.5 * math.log(m / (k * (m - k))))


@njit(nogil=True, error_model="numpy")
def negative_binomial_log_mass(x: float, r: float, p: float) -> float:
    """log P(X = x) for X ~ NegativeBinomial(r, p), x >= 1, r > 0, 0 < p < 1: r / (r+x) times a binomial form."""
    k = float(x)
    m = r + k
    return (stirling_error(m) - stirling_error(r) - stirling_error(k) - deviance(r, m * p)
            - deviance(k, m * (1.0 - p)) - HALF_LOG_TWO_PI + 0.5 * math.log(r / (k * m)))
