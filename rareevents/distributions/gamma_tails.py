"""Tails of the gamma law of unit rate, which are those of the Poisson law too, accurate for any shape."""
from __future__ import annotations

import math

import numpy as np

LARGE = 1e5                   # above it the series of scipy's gammainc end before they have converged
NEAR = 0.1                    # of |eta|: below, C0 and C1 by their series, above, by formulas that would cancel there
C0 = (-1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -139 / 777600, 1 / 25515, -571 / 261273600)
C1 = (-1 / 540, -1 / 288, 25 / 12096, -223 / 1088640, -89 / 1088640)


def log_gamma_tails(shape: float, x: float) -> tuple[float, float]:
    """(log P(G <= x), log P(G > x)) of the gamma law with this shape and rate 1, for x >= 0.

    For large shapes Q = erfc(z)/2 + exp(-z^2) (C0 + C1/shape) / sqrt(2 pi shape), z = eta sqrt(shape/2), and P is the
    same with both signs of z and of the second term changed; eta^2/2 = mu - log(1 + mu), mu = x/shape - 1.

    Source: Temme (1979), SIAM Journal on Mathematical Analysis 10, 757, section 3.
    """
    from scipy.special import erfcx, gammainc, gammaincc, log_ndtr
    if shape < LARGE:
        with np.errstate(divide="ignore"):
            return float(np.log(gammainc(shape, x))), float(np.log(gammaincc(shape, x)))
    mu = (x - shape) / shape
    half = _excess(mu)
    eta = math.copysign(math.sqrt(2.0 * half), mu)
    if abs(eta) < NEAR:
        first, second = (float(np.polyval(c[::-1], eta)) for c in (C0, C1))
    else:
        first = 1.0 / mu - 1.0 / eta
        second = 1.0 / eta ** 3 - 1.0 / mu ** 3 - 1.0 / mu ** 2 - 1.0 / (12.0 * mu)
    correction = (first + second / shape) / math.sqrt(2.0 * math.pi * shape)
    z = eta * math.sqrt(0.5 * shape)

    def log_tail(z: float, correction: float) -> float:
        """log(erfc(z)/2 + exp(-z^2) correction), z^2 = shape * half exactly as accurate as half."""
        if z > -1.0:
            return -shape * half + math.log(0.5 * float(erfcx(z)) + correction)
        small = math.exp(-shape * half)
        other = 0.5 * float(erfcx(-z)) - correction
        return math.log1p(-small * other) if small * other < 0.5 else float(log_ndtr(-z * math.sqrt(2.0)))
    return log_tail(-z, -correction), log_tail(z, correction)


def _excess(mu: float) -> float:
    """mu - log(1 + mu) without cancellation near 0."""
    if abs(mu) > 0.1:
        return mu - math.log1p(mu)
    return mu * mu * sum((-mu) ** k / (k + 2.0) for k in range(18))
