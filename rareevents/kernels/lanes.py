"""Reductions of a block in eight or four lanes, added pairwise at the end.

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
def squares(y, m):
    """Sum of y^2 over the first m entries."""
    a = b = c = d = e = f = g = h = 0.0
    whole = m - m % 8
    for i in range(0, whole, 8):
        a += y[i] * y[i]
        b += y[i + 1] * y[i + 1]
        c += y[i + 2] * y[i + 2]
        d += y[i + 3] * y[i + 3]
        e += y[i + 4] * y[i + 4]
        f += y[i + 5] * y[i + 5]
        g += y[i + 6] * y[i + 6]
        h += y[i + 7] * y[i + 7]
    for i in range(whole, m):
        a += y[i] * y[i]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(**LEAF)
def powers(y, m, mean):
    """Sums of (y - mean)^2, ^3 and ^4 over the first m entries; four lanes each, so that all stay in registers."""
    a2 = b2 = c2 = d2 = 0.0
    a3 = b3 = c3 = d3 = 0.0
    a4 = b4 = c4 = d4 = 0.0
    whole = m - m % 4
    for i in range(0, whole, 4):
        a, b, c, d = y[i] - mean, y[i + 1] - mean, y[i + 2] - mean, y[i + 3] - mean
        aa, bb, cc, dd = a * a, b * b, c * c, d * d
        a2 += aa
        b2 += bb
        c2 += cc
        d2 += dd
        a3 += aa * a
        b3 += bb * b
        c3 += cc * c
        d3 += dd * d
        a4 += aa * aa
        b4 += bb * bb
        c4 += cc * cc
        d4 += dd * dd
    for i in range(whole, m):
        a = y[i] - mean
        aa = a * a
        a2 += aa
        a3 += aa * a
        a4 += aa * aa
    return (a2 + b2) + (c2 + d2), (a3 + b3) + (c3 + d3), (a4 + b4) + (c4 + d4)


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
