"""How heavy the upper tail of the terms is: the shape k of a generalised Pareto law fitted to the largest of them.

k > 1/2 means that the terms behave, as far as n draws can show, like a law of infinite variance.
"""
from __future__ import annotations

import math

import numpy as np

SMALLEST_TAIL = 5              # fewer points, or fewer distinct values, determine no shape
TIE = 1e-9                     # relative: values closer than this differ by rounding only


def pareto_k(largest: np.ndarray, hits: int) -> float | None:
    """Shape k-hat of the tail of the positive terms, or None where a continuous tail law does not apply.

    P(Y - u > x | Y > u) ~ (1 + k x / sigma)^(-1/k), fitted to the M = min(hits / 5, 3 sqrt(hits)) largest terms; the
    cutoff u is the value just below them. Terms that tie with the cutoff are no exceedances. Fewer than 5 exceedances,
    or exceedances with fewer than 5 distinct values (a lattice law seen at its edge, a constant weight), give None:
    the spacing of a lattice says nothing about a tail.

    largest: the largest |y|, descending, as `Terms` keeps them; M is at most one less than their number.
    hits: how many terms are not zero.

    Source: Zhang and Stephens (2009), Technometrics 51, 316; prior and M from Vehtari, Simpson, Gelman, Yao and Gabry
    (2024), Pareto smoothed importance sampling, JMLR 25, section 2 and appendix C.
    """
    size = tail_size(largest, hits)
    if size < SMALLEST_TAIL:
        return None
    ascending = largest[size::-1] / largest[0]       # the cutoff, then the tail; k does not depend on the scale
    rises = np.diff(ascending) > TIE * ascending[1:]
    above = np.cumsum(rises) > 0
    if rises.sum() < SMALLEST_TAIL:
        return None
    return _shape((ascending[1:] - ascending[0])[above])


def tail_size(largest: np.ndarray, hits: int) -> int:
    """M, the number of the largest terms that make the tail, and the place of the cutoff."""
    return min(hits // 5, int(3.0 * math.sqrt(hits)), len(largest) - 1)


def _shape(excess: np.ndarray) -> float:
    """Posterior mean of k for ascending positive exceedances: (M k + 10 / 2) / (M + 10) is the prior's pull to 1/2.

    The likelihood is profiled over b = -k / sigma; Zhang and Stephens (2009), equations 6 to 9.
    """
    size = len(excess)
    points = 30 + int(math.sqrt(size))
    quartile = excess[int(size / 4 + 0.5) - 1]
    b = 1.0 / excess[-1] + (1.0 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))) / (3.0 * quartile)
    k = np.log1p(-b[:, None] * excess).mean(axis=1)
    profile = size * (np.log(-b / k) - k - 1.0)
    weight = np.exp(profile - profile.max())
    weight[weight < 10.0 * np.finfo(float).eps * weight.sum()] = 0.0      # as the reference implementation does
    b_mean = float(b @ weight / weight.sum())
    fitted = float(np.log1p(-b_mean * excess).mean())
    return (size * fitted + 5.0) / (size + 10.0)
