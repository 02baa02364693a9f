"""Sums over a block of terms, and their merge. The one place that knows the layout of the statistics.

counts[k]  int64: hits, negative terms, hits whose weight underflowed to zero
terms[k]   float64: sum, its compensation, m2, m3, m4 (centred power sums), sum |y|, largest |y|
weights    float64: sum of w, its compensation, sum of w^2, largest w
largest[k] float64[KEPT]: a min-heap of the largest |y|

Sums run in lanes over a block (`lanes`) and with Neumaier's compensation over blocks (error 1e-16, not 4e-14).
Centred moments merge by the formulas of Pebay (2008), equations 2.1, 3.1: never a sum of squares minus a square.
"""
from __future__ import annotations

import numpy as np
from numba import njit

from rareevents.kernels import lanes
from rareevents.kernels.bits import LEAF, as_float, exp

KEPT = 1024                      # largest terms kept for the tail fit
COUNTS, TERMS, WEIGHTS = 3, 7, 4
OK, NOT_FINITE, BAD_WEIGHT = 0, 1, 2


@njit(**LEAF)
def compensated(row: np.ndarray, value: float) -> None:
    """Neumaier's addition of `value` to the sum row[0] with the compensation row[1]."""
    total = row[0] + value
    if abs(row[0]) >= abs(value):
        row[1] += (row[0] - total) + value
    else:
        row[1] += (value - total) + row[0]
    row[0] = total


@njit(**LEAF)
def join(row: np.ndarray, n_a: int, n_b: int, total_b: float, m2_b: float, m3_b: float, m4_b: float) -> None:
    """Merge n_b terms with the given sum and centred moments into a row of n_a terms; the sum is added too."""
    if n_a > 0:
        n = n_a + n_b
        delta = total_b / n_b - (row[0] + row[1]) / n_a
        a, b = n_a / n, n_b / n
        d2 = delta * delta
        row[4] += (m4_b + d2 * d2 * a * b * (a * a - a * b + b * b) * n + 6.0 * d2 * (a * a * m2_b + b * b * row[2])
                   + 4.0 * delta * (a * m3_b - b * row[3]))
        row[3] += m3_b + delta * d2 * a * b * (a - b) * n + 3.0 * delta * (a * m2_b - b * row[2])
        row[2] += m2_b + d2 * a * b * n
    else:
        row[2], row[3], row[4] = m2_b, m3_b, m4_b
    compensated(row, total_b)


@njit(nogil=True, error_model="numpy")
def keep(heap: np.ndarray, value: float) -> None:
    """Put `value` in place of the smallest of the heap if it is larger; ties stay out."""
    if value <= heap[0]:
        return
    i = 0
    size = len(heap)
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = value


@njit(**LEAF)
def block_terms(before: int, m: int, y: np.ndarray, counts: np.ndarray, terms: np.ndarray, largest: np.ndarray) -> bool:
    """Add the first m terms of y to one quantity that has `before` draws. Returns False if a term is not finite."""
    top, _ = lanes.extremes(y, m)
    if top >= lanes.INFINITY:
        return False
    total = lanes.total(y, m)
    if not (abs(total) < np.inf):
        return False
    mean = total / m
    m2, m3, m4 = lanes.powers(y, m, mean)
    join(terms, before, m, total, m2, m3, m4)
    hits, negative = lanes.signs(y, m)
    counts[0] += hits
    counts[1] += negative
    terms[5] += total if negative == 0 else lanes.absolute(y, m)
    size = as_float(top)
    if size > terms[6]:
        terms[6] = size
    if size > largest[0]:
        for i in range(m):
            if abs(y[i]) > largest[0]:
                keep(largest, abs(y[i]))
    return True


@njit(**LEAF)
def to_weights(m: int, w: np.ndarray, v: np.ndarray) -> tuple[np.uint64, np.uint64]:
    """The weights v of m log weights w. Returns the bits of the largest and of the smallest."""
    for i in range(m):
        v[i] = exp(w[i])
    return lanes.extremes(v, m)


@njit(**LEAF)
def underflowed(i: int, w: np.ndarray, v: np.ndarray, y: np.ndarray) -> bool:
    """Whether draw i is a hit whose weight is below 1e-307 (exp gives 0); a density of zero is not that."""
    return v[i] == 0.0 and w[i] > -np.inf and y[i] != 0.0


@njit(**LEAF)
def settle(before: int, m: int, w: np.ndarray, v: np.ndarray, y: np.ndarray, counts: np.ndarray, terms: np.ndarray,
           weights: np.ndarray, largest: np.ndarray) -> int:
    """Turn m log weights `w` and integrand values `y` into weights and terms, and add them. Returns a status."""
    heaviest, lightest = to_weights(m, w, v)
    if heaviest >= lanes.INFINITY:                       # the proposal's density is zero or not a number
        return BAD_WEIGHT
    for k in range(len(y)):
        if lightest == np.uint64(0):                     # rare, so outside the loop
            for i in range(m):
                counts[k, 2] += underflowed(i, w, v, y[k])
        for i in range(m):
            y[k, i] *= v[i]
        if not block_terms(before, m, y[k], counts[k], terms[k], largest[k]):
            return NOT_FINITE
    compensated(weights, lanes.total(v, m))
    weights[2] += lanes.squares(v, m)
    weights[3] = max(weights[3], as_float(heaviest))
    return OK


@njit(nogil=True, error_model="numpy")
def settle_copies(before: int, m: int, copies: np.ndarray, w: np.ndarray, v: np.ndarray, y: np.ndarray,
                  counts: np.ndarray, terms: np.ndarray, weights: np.ndarray, largest: np.ndarray) -> int:
    """The same for m distinct draws of which draw i was made copies[i] times."""
    heaviest, _ = to_weights(m, w, v)
    if heaviest >= lanes.INFINITY:                       # the proposal's density is zero or not a number
        return BAD_WEIGHT
    draws = np.int64(0)
    for i in range(m):
        draws += copies[i]
    for k in range(len(y)):
        total, absolute = 0.0, 0.0
        for i in range(m):
            if underflowed(i, w, v, y[k]):
                counts[k, 2] += copies[i]
            y[k, i] *= v[i]
            total += copies[i] * y[k, i]
            absolute += copies[i] * abs(y[k, i])
        if not (abs(total) < np.inf):
            return NOT_FINITE
        mean = total / draws
        m2, m3, m4 = 0.0, 0.0, 0.0
        for i in range(m):
            d = y[k, i] - mean
            s = copies[i] * d * d
            m2 += s
            m3 += s * d
            m4 += s * d * d
            size = abs(y[k, i])
            if size > 0.0:
                counts[k, 0] += copies[i]
                counts[k, 1] += copies[i] if y[k, i] < 0.0 else 0
                terms[k, 6] = max(terms[k, 6], size)
                for _ in range(min(copies[i], KEPT)):
                    if size <= largest[k, 0]:
                        break
                    keep(largest[k], size)
        join(terms[k], before, draws, total, m2, m3, m4)
        terms[k, 5] += absolute
    total = 0.0
    for i in range(m):
        total += copies[i] * v[i]
        weights[2] += copies[i] * v[i] * v[i]
    compensated(weights, total)
    weights[3] = max(weights[3], as_float(heaviest))
    return OK


def merge(n_a: int, counts_a: np.ndarray, terms_a: np.ndarray, weights_a: np.ndarray, largest_a: np.ndarray, n_b: int,
          counts_b: np.ndarray, terms_b: np.ndarray, weights_b: np.ndarray, largest_b: np.ndarray) -> None:
    """Merge the statistics of n_b draws into those of n_a draws that come before them: a template, as in `chunks`."""
    if n_b == 0:
        return
    for k in range(len(terms_a)):
        a, b = terms_a[k], terms_b[k]
        join(a, n_a, n_b, b[0] + b[1], b[2], b[3], b[4])
        a[5] += b[5]
        a[6] = max(a[6], b[6])
        for j in range(COUNTS):
            counts_a[k, j] += counts_b[k, j]
        if b[6] > largest_a[k, 0]:
            for j in range(KEPT):
                keep(largest_a[k], largest_b[k, j])
    compensated(weights_a, weights_b[0] + weights_b[1])
    weights_a[2] += weights_b[2]
    weights_a[3] = max(weights_a[3], weights_b[3])
