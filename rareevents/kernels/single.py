"""The reductions of `lanes` without vectors, which the compiler for GPUs lacks: to the same bits, in the same order.

Lane k holds entries k, k + 8, k + 16, ...; the eight lanes are added pairwise, and what is left of a block at the end.
"""
from __future__ import annotations

import numpy as np
from numba import njit

from rareevents.kernels.bits import LEAF, fma
from rareevents.kernels.lanes import INFINITY as INFINITY  # with SIZE: what `extremes` reads
from rareevents.kernels.lanes import SIZE as SIZE
from rareevents.kernels.lanes import extremes as extremes
from rareevents.kernels.lanes import signs as signs


@njit(**LEAF)
def eight(a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float) -> float:
    """((a + b) + (c + d)) + ((e + f) + (g + h))."""
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


# ------------------------------------------------------------------------------------------------ one lane
@njit(**LEAF)
def _sum(y, k, whole):
    s = 0.0
    for i in range(k, whole, 8):
        s += y[i]
    return s


@njit(**LEAF)
def _squares(y, k, whole):
    s = 0.0
    for i in range(k, whole, 8):
        s = fma(y[i], y[i], s)
    return s


@njit(**LEAF)
def _powers(y, k, whole, mean):
    s2 = s3 = s4 = 0.0
    for i in range(k, whole, 8):
        d = y[i] - mean
        dd = d * d
        s2 += dd
        s3 = fma(dd, d, s3)
        s4 = fma(dd, dd, s4)
    return s2, s3, s4


@njit(**LEAF)
def _absolute(y, k, whole):
    s = 0.0
    for i in range(k, whole, 8):
        s += abs(y[i])
    return s


# ------------------------------------------------------------------------------------------------ reductions
@njit(**LEAF)
def total(y: np.ndarray, m: int) -> float:
    """Sum of the first m entries."""
    n = m - m % 8
    rest = 0.0
    for i in range(n, m):
        rest += y[i]
    return eight(_sum(y, 0, n), _sum(y, 1, n), _sum(y, 2, n), _sum(y, 3, n),
                 _sum(y, 4, n), _sum(y, 5, n), _sum(y, 6, n), _sum(y, 7, n)) + rest


@njit(**LEAF)
def squares(y: np.ndarray, m: int) -> float:
    """Sum of y^2 over the first m entries."""
    n = m - m % 8
    rest = 0.0
    for i in range(n, m):
        rest += y[i] * y[i]
    return eight(_squares(y, 0, n), _squares(y, 1, n), _squares(y, 2, n), _squares(y, 3, n),
                 _squares(y, 4, n), _squares(y, 5, n), _squares(y, 6, n), _squares(y, 7, n)) + rest


@njit(**LEAF)
def powers(y: np.ndarray, m: int, mean: float) -> tuple[float, float, float]:
    """Sums of (y - mean)^2, ^3 and ^4 over the first m entries."""
    n = m - m % 8
    r2 = r3 = r4 = 0.0
    for i in range(n, m):
        d = y[i] - mean
        dd = d * d
        r2 += dd
        r3 += dd * d
        r4 += dd * dd
    a2, a3, a4 = _powers(y, 0, n, mean)
    b2, b3, b4 = _powers(y, 1, n, mean)
    c2, c3, c4 = _powers(y, 2, n, mean)
    d2, d3, d4 = _powers(y, 3, n, mean)
    e2, e3, e4 = _powers(y, 4, n, mean)
    f2, f3, f4 = _powers(y, 5, n, mean)
    g2, g3, g4 = _powers(y, 6, n, mean)
    h2, h3, h4 = _powers(y, 7, n, mean)
    return (eight(a2, b2, c2, d2, e2, f2, g2, h2) + r2, eight(a3, b3, c3, d3, e3, f3, g3, h3) + r3,
            eight(a4, b4, c4, d4, e4, f4, g4, h4) + r4)


@njit(**LEAF)
def absolute(y: np.ndarray, m: int) -> float:
    """Sum of |y| over the first m entries."""
    n = m - m % 8
    rest = 0.0
    for i in range(n, m):
        rest += abs(y[i])
    return eight(_absolute(y, 0, n), _absolute(y, 1, n), _absolute(y, 2, n), _absolute(y, 3, n),
                 _absolute(y, 4, n), _absolute(y, 5, n), _absolute(y, 6, n), _absolute(y, 7, n)) + rest
