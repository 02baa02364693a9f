"""Reductions of a block in eight lanes, added pairwise at the end.

The order of additions is written out, so LLVM may use vectors of any width and the bits stay the same on every
processor; leaving the order to the compiler (fastmath) would give that up.
"""
from __future__ import annotations

import numpy as np
from numba import njit

from rareevents.kernels.bits import LEAF, as_bits

SIZE = np.uint64(0x7FFFFFFFFFFFFFFF)          # the bits of |x|: as integers they are ordered like |x|, infinity, NaN
INFINITY = np.uint64(0x7FF0000000000000)


@njit(**LEAF)
def total(y, m):
    """Sum of the first m entries."""
    a = b = c = d = e = f = g = h = 0.0
    whole = m - m % 8
    for i in range(0, whole, 8):
        a += y[i]
        b += y[i + 1]
        c += y[i + 2]
        d += y[i + 3]
        e += y[i + 4]
        f += y[i + 5]
        g += y[i + 6]
        h += y[i + 7]
    for i in range(whole, m):
        a += y[i]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(**LEAF)
def power(y, m, mean, k):
    """Sum of (y - mean)^k over the first m entries, for k = 2, 3 or 4."""
    a = b = c = d = e = f = g = h = 0.0
    whole = m - m % 8
    for i in range(0, whole, 8):
        a += _power(y[i] - mean, k)
        b += _power(y[i + 1] - mean, k)
        c += _power(y[i + 2] - mean, k)
        d += _power(y[i + 3] - mean, k)
        e += _power(y[i + 4] - mean, k)
        f += _power(y[i + 5] - mean, k)
        g += _power(y[i + 6] - mean, k)
        h += _power(y[i + 7] - mean, k)
    for i in range(whole, m):
        a += _power(y[i] - mean, k)
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(**LEAF)
def _power(d, k):
    s = d * d
    return s if k == 2 else s * d if k == 3 else s * s


@njit(**LEAF)
def absolute(y, m):
    """Sum of |y| over the first m entries."""
    a = b = c = d = 0.0
    whole = m - m % 4
    for i in range(0, whole, 4):
        a += abs(y[i])
        b += abs(y[i + 1])
        c += abs(y[i + 2])
        d += abs(y[i + 3])
    for i in range(whole, m):
        a += abs(y[i])
    return (a + b) + (c + d)


@njit(**LEAF)
def extremes(y, m):
    """The bits of the largest and of the smallest |y| among the first m entries; NaN counts as largest."""
    top, low = np.uint64(0), INFINITY
    for i in range(m):
        size = as_bits(y[i]) & SIZE
        top = max(top, size)
        low = min(low, size)
    return top, low


@njit(**LEAF)
def signs(y, m):
    """How many of the first m entries are not zero, and how many are below zero."""
    hits = negative = 0
    for i in range(m):
        hits += y[i] != 0.0
        negative += y[i] < 0.0
    return hits, negative
