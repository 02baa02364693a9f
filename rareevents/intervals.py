"""Confidence intervals for the mean of the terms: asymptotic ones, and ones that hold at every n.

Two-sided throughout, alpha = 1 - confidence, alpha/2 on each side. `rule` is the asymptotic interval of an estimate;
`betting` and `clopper_pearson` are certified: they assume a proven bound on the terms and nothing else.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from rareevents.moments import Terms

FEWEST_HITS = 50               # below, or where one squared term is more than LARGEST_SHARE of all, skewness alone
LARGEST_SHARE = 0.10           # does not describe the error of the mean


_SERIES = 200                  # terms of the series of log(1 - c), c <= 0.9
_HALVINGS = 30


class Interval(NamedTuple):
    """A confidence interval and how it was made."""

    low: float
    high: float
    method: str                   # 'student', 'hall', 'fay-feuer', 'clopper-pearson', 'betting' or 'zero hits'


def student_t(terms: Terms, confidence: float) -> Interval:
    """Student's interval, mean -+ t se with t the quantile of n - 1 degrees of freedom; clipped at 0 for f >= 0.

    terms: draws of one quantity. confidence: in (0, 1).
    """
    if terms.draws < 2:
        return _unknown(terms, "student")
    half = _student_quantile(terms.draws, confidence) * terms.std_error
    return _clipped(terms, terms.mean - half, terms.mean + half, "student")


def hall(terms: Terms, confidence: float) -> Interval:
    """Interval corrected for skewness by Hall's monotone cubic transformation of the Student ratio; t where g = 0.

    [mean - se h(t), mean - se h(-t)], h(x) = (3 / a) ((1 + a (x - a / 6))^(1/3) - 1), a = g / sqrt(n), with g the
    sample skewness; clipped at 0 for f >= 0.

    terms: draws of one quantity. confidence: in (0, 1).

    Source: Hall (1992), Journal of the Royal Statistical Society B 54, 221, section 2.
    """
    if terms.draws < 2:
        return _unknown(terms, "hall")
    # g / sqrt(n) = m3 / m2^(3/2), one division at a time: powers of small terms underflow long before their ratio does.
    a = terms.m3 / terms.m2 / math.sqrt(terms.m2) if terms.m2 > 0.0 else 0.0

    def inverse(x: float) -> float:
        shifted = x - a / 6.0
        cube_root = float(np.cbrt(1.0 + a * shifted))
        return 3.0 * shifted / (cube_root * (cube_root + 1.0) + 1.0)     # (c^3 - 1) / (c - 1): no division by a

    t, error = _student_quantile(terms.draws, confidence), terms.std_error
    return _clipped(terms, terms.mean - error * inverse(t), terms.mean - error * inverse(-t), "hall")


def fay_feuer(terms: Terms, confidence: float, bound: float) -> Interval:
    """Gamma interval for a sum of weighted counts, wide enough for one more term of the largest possible size.

    With S = sum y, v = sum y^2: low = v / (2 S n) chi2(alpha/2; 2 S^2 / v), high the same with S + w and v + w^2 in
    place of S and v, and 1 - alpha/2. Without a hit this is [0, -ln(alpha/2) w / n].

    terms: draws of one quantity, none negative. confidence: in (0, 1). bound: w, the largest possible term where it is
    proven, else the largest one observed.

    Source: Fay and Feuer (1997), Statistics in Medicine 16, 791, equations 5 and 6.
    """
    tail = 0.5 * (1.0 - confidence)
    low = _gamma_limit(terms.total, terms.squares, tail) if terms.hits else 0.0
    high = _gamma_limit(terms.total + bound, terms.squares + bound * bound, 1.0 - tail)
    return Interval(low / terms.draws, high / terms.draws, "fay-feuer")


def clopper_pearson(hits: int, draws: int, confidence: float) -> Interval:
    """Exact interval for a probability from a fixed number of independent draws.

    The limits p at which `hits` or more, and `hits` or fewer, have probability alpha/2: quantiles of Beta(h, n - h + 1)
    and Beta(h + 1, n - h).

    hits, draws: counts. confidence: in (0, 1).

    Source: Clopper and Pearson (1934), Biometrika 26, 404.
    """
    tail = 0.5 * (1.0 - confidence)
    low = float(special.betaincinv(hits, draws - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, draws - hits, 1.0 - tail)) if hits < draws else 1.0
    return Interval(low, high, "clopper-pearson")


def zero_hits(draws: int, bound: float, confidence: float, upper_limit: float = math.inf) -> Interval:
    """What draws without a single hit say: [0, -ln(alpha/2) B / n], 3.689 B / n at 95 %.

    A mean mu of terms in [0, B] leaves n draws without a hit with probability at most (1 - mu/B)^n <= exp(-n mu / B).
    The all-zero sample stops at one fixed n, so this holds under every stopping rule that looks at the terms only.

    draws: n. bound: B, inf where none is proven. confidence: in (0, 1). upper_limit: 1 for a probability.
    """
    return Interval(0.0, min(upper_limit, -math.log(0.5 * (1.0 - confidence)) * bound / draws), "zero hits")


def rule(terms: Terms, confidence: float, bound: float | None) -> Interval:
    """The asymptotic interval of an estimate: `hall` where the terms allow it, `fay_feuer` where they are too few.

    Hall with at least 50 hits and no squared term above 10 % of their sum, or if a term is negative; else Fay-Feuer.

    terms: draws of one quantity. confidence: in (0, 1). bound: proven largest term, or None.
    """
    if terms.hits == 0:
        return zero_hits(terms.draws, math.inf if bound is None else bound, confidence)
    enough = terms.hits >= FEWEST_HITS and largest_share(terms) <= LARGEST_SHARE
    if enough or terms.negative:
        return hall(terms, confidence)
    return fay_feuer(terms, confidence, float(terms.largest[0]) if bound is None else bound)


def largest_share(terms: Terms) -> float:
    """Share of the largest squared term in the sum of squares, max y^2 / sum y^2; 0 without a hit."""
    return float(terms.largest[0] / math.sqrt(terms.squares)) ** 2 if terms.squares > 0.0 else 0.0


# The portfolio of bets: the fraction of the capital at risk in a draw, and the share of the capital so managed.
_FRACTIONS = 0.9 * 0.5 ** np.arange(18)
_SHARES = 1.0 / ((np.arange(18) + 1.0) * (np.arange(18) + 2.0))      # 1/2, 1/6, 1/12, ...: together less than 1


def betting(groups: Sequence[Terms], bound: float, confidence: float) -> Interval:
    """Certified interval for the mean of independent terms in [0, B], whatever their law and whenever the run stops.

    With y in units of B, a mean m is refuted from below once the capital sum_j s_j prod_i (1 + c_j z_i),
    z = (y - m) / m, exceeds 2 / alpha at the end of a group, and from above with z = (m - y) / (1 - m). If m is the
    mean, either capital is a nonnegative martingale that starts at no more than 1, and exceeds 2 / alpha at any time
    with probability at most alpha / 2. The fractions c_j and shares s_j are constants: nothing is fitted to the draws.
    Every factor is monotone in m, so beyond a refuted m all are refuted, and any search for the ends is safe.

    groups: the terms in the order drawn, none negative. bound: B. confidence: in (0, 1).

    Source: Waudby-Smith and Ramdas (2024), Journal of the Royal Statistical Society B 86, 1, sections 4.1 to 4.4, with
    the portfolio in place of a predicted fraction; Ville (1939) for the inequality.
    """
    draws = np.array([g.draws for g in groups], dtype=float)
    mean, m2, m3, m4 = np.array([(g.mean, g.m2, g.m3, g.m4) for g in groups]).T
    # One division at a time: the fourth power of the bound may underflow where the ratio does not.
    mean, m2, m3, m4 = mean / bound, m2 / bound / bound, m3 / bound / bound / bound, m4 / bound / bound / bound / bound
    threshold = math.log(2.0 / (1.0 - confidence))

    def refuted(m: float, unit: float, reach: float) -> bool:
        """Whether the capital for z = (y - m) / unit, which lies in [-1, reach], exceeds the threshold at any time."""
        shift, spread, lean, peak = (mean - m) / unit, m2 / unit**2, m3 / unit**3, m4 / unit**4
        sums = np.stack((draws * shift,
                         spread + draws * shift**2,
                         lean + 3.0 * shift * spread + draws * shift**3,
                         peak + 4.0 * shift * lean + 6.0 * shift**2 * spread + draws * shift**4), axis=1)
        logs = np.cumsum(log_growth(draws, sums, reach), axis=0)
        most = logs.max()
        return bool(most + math.log((np.exp(logs - most) @ _SHARES).max()) > threshold)

    total = float(draws.sum())
    centre = min(float(draws @ mean) / total, 1.0)
    with np.errstate(all="ignore"):                  # a sum that overflows bounds nothing; the chord still does
        inside, outside = centre, 0.0                # the trivial ends 0 and 1 count as refuted
        for _ in range(_HALVINGS):
            middle = 0.5 * (inside + outside)
            beyond = middle > 0.0 and refuted(middle, middle, 1.0 / middle - 1.0)
            inside, outside = (inside, middle) if beyond else (middle, outside)
        low = outside
        # No mean below 1 / n can be refuted from above. The end may be many powers of ten away: halve the logarithm.
        inside, outside = max(centre, 1.0 / total), 1.0
        for _ in range(_HALVINGS):
            middle = math.sqrt(inside * outside)
            beyond = middle < 1.0 and refuted(middle, middle - 1.0, middle / (1.0 - middle))
            inside, outside = (inside, middle) if beyond else (middle, outside)
    return Interval(low * bound, outside * bound, "betting")


def log_growth(draws: np.ndarray, sums: np.ndarray, reach: float) -> np.ndarray:
    """Lower bounds on the sums of log(1 + c z) over the draws of each group, a column for each fraction c.

    The best of: c z - (c z)^2 / 2 + (c z)^3 / 3 - q (c z)^4; c z - r (c z)^2; and the chord through z = -1 and
    z = reach. Both remainders, divided by the last power, decrease in z, so q and r are what they are at z = -1.

    draws: n of each group. sums: sums of z, z^2, z^3, z^4 of each group, in a row. reach: the largest possible z; the
    smallest is -1.

    Source: Fan, Grama and Liu (2015), Electronic Journal of Probability 20, 1, lemma 4.1, for the quadratic bound.
    """
    loss = np.log1p(-_FRACTIONS)
    slope = (np.log1p(_FRACTIONS * reach) - loss) / (reach + 1.0)
    chord = np.outer(draws, loss + slope) + np.outer(sums[:, 0], slope)
    return np.fmax(np.fmax(sums @ _QUARTIC, sums[:, :2] @ _QUADRATIC), chord)


def _remainder(c: np.ndarray, order: int) -> np.ndarray:
    """(-log(1 - c) - c - ... - c^(order-1) / (order-1)) / c^order = sum over k >= 0 of c^k / (order + k), no less."""
    series = sum(c**k / (order + k) for k in range(_SERIES))
    return series + c**_SERIES / ((order + _SERIES) * (1.0 - c))      # the rest, bounded by a geometric series


_QUARTIC = np.stack((_FRACTIONS, -_FRACTIONS**2 / 2.0, _FRACTIONS**3 / 3.0, -_remainder(_FRACTIONS, 4) * _FRACTIONS**4))
_QUADRATIC = np.stack((_FRACTIONS, -_remainder(_FRACTIONS, 2) * _FRACTIONS**2))


def _student_quantile(draws: int, confidence: float) -> float:
    return float(special.stdtrit(draws - 1, 0.5 * (1.0 + confidence)))


def _gamma_limit(total: float, squares: float, probability: float) -> float:
    """Quantile of the gamma law of mean `total` and variance `squares`: v / (2 S) chi2(probability; 2 S^2 / v)."""
    if not squares > 0.0:                                  # too small for a double
        return 0.0 if probability < 0.5 else math.inf
    return float(squares / total * special.gammaincinv(total / squares * total, probability))


def _clipped(terms: Terms, low: float, high: float, method: str) -> Interval:
    return Interval(low if terms.negative else max(low, 0.0), high, method)


def _unknown(terms: Terms, method: str) -> Interval:
    return Interval(-math.inf if terms.negative else 0.0, math.inf, method)
