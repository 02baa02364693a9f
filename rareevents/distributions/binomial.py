"""Binomial law: P(x) = n! / (x! (n-x)!) p^x (1-p)^(n-x), x = 0, ..., n."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support, integers, require, require_number
from rareevents.distributions.bernoulli import success_log_mgf, tilted_success
from rareevents.distributions.table import table_of
from rareevents.kernels.alias import alias_draw
from rareevents.kernels.special import binomial_log_mass, log_factorial
from rareevents.kernels.streams import Rng


def _rejection(rng, n, p):
    """Transformed rejection for n p >= 10 and p <= 1/2 (Hoermann 1993, algorithm BTRS)."""
    spread = math.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha = (2.83 + 5.1 / b) * spread
    squeeze = 0.92 - 4.2 / b
    top = math.floor((n + 1.0) * p)
    while True:
        u = rng.random() - 0.5
        v = rng.random()
        us = 0.5 - abs(u)
        y = (2.0 * a / us + b) * u + n * p + 0.5
        if y < 0.0 or y >= n + 1.0:
            continue
        x = math.floor(y)
        if us >= 0.07 and v <= squeeze:
            return x
        ratio = binomial_log_mass(x, n, p) - binomial_log_mass(top, n, p)
        if math.log(v * alpha / (a / (us * us) + b)) <= ratio:
            return x


@dataclass(frozen=True)
class Binomial(Distribution):
    """Number of successes in n independent trials: P(x) = n! / (x! (n-x)!) p^x (1-p)^(n-x).

    Parameters
    ----------
    n : int
        Number of trials, from 0 to 2^53.
    p : float
        Probability of success, from 0 to 1.

    Raises
    ------
    ValueError
        If n is not an integer in [0, 2^53], or p is not in [0, 1].

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 3.2.

    >>> Binomial(n=10, p=0.2).tilt(math.log(4.0))
    Binomial(n=10, p=0.5)
    """

    n: int
    p: float
    log_concave = True

    def __post_init__(self) -> None:
        whole = isinstance(self.n, (int, np.integer)) and not isinstance(self.n, bool)
        require(whole and 0 <= self.n <= 2 ** 53, "n", self.n, "an integer from 0 to 2^53")
        require_number("p", self.p, low=0.0, high=1.0)

    @property
    def support(self) -> Support:
        return integers(self.n if self.p == 1.0 else 0, 0 if self.p == 0.0 else self.n)

    def derive(self) -> dict[str, Any]:
        rarer = float(min(self.p, 1.0 - self.p))

        def mass(x: np.ndarray) -> np.ndarray:           # by ratios: log-factorials of a large n would cancel
            with np.errstate(divide="ignore"):
                ratios = np.log((self.n - x[1:] + 1.0) / x[1:] * (rarer / (1.0 - rarer)))
            return np.exp(np.append(0.0, np.cumsum(ratios)) + self.n * math.log1p(-rarer))

        return {"rarer": rarer, "flip": self.p > 0.5, **table_of(mass, self.n),
                "log_p": math.log(self.p) if self.p > 0.0 else 0.0,
                "log_q": math.log1p(-self.p) if self.p < 1.0 else 0.0}

    # Sampling: the rarer outcome is counted, by a table where one suffices
    def draw(self, rng: Rng) -> int | np.int64:
        if self.table.size == 1:
            x = _rejection(rng, self.n, self.rarer)
        else:
            x = alias_draw(rng, self.table)
            if x >= self.cells:
                u = rng.random() * self.beyond
                mass = self.edge
                while u > mass and mass > 0.0:
                    u -= mass
                    x += 1
                    mass *= (self.n - x + 1.0) / x * (self.rarer / (1.0 - self.rarer))
        return self.n - x if self.flip else x

    # Evaluation
    def log_density(self, x: int) -> float:
        if x < 0 or x > self.n:
            return -math.inf
        if self.p == 0.0:
            return 0.0 if x == 0 else -math.inf
        if self.p == 1.0:
            return 0.0 if x == self.n else -math.inf
        if self.n < 256:                                  # larger factorials cancel in more than 12 digits
            ways = log_factorial(self.n) - log_factorial(x) - log_factorial(self.n - x)
            return ways + x * self.log_p + (self.n - x) * self.log_q
        return binomial_log_mass(x, self.n, self.p)

    def log_tails(self, x: float) -> tuple[float, float]:
        from scipy.special import betainc, betaincc  # bdtr is off by 1e-9 where n is a million
        a, b = x + 1.0, self.n - x
        with np.errstate(divide="ignore"):
            return float(np.log(betaincc(a, b, self.p))), float(np.log(betainc(a, b, self.p)))

    # Moments
    @property
    def mean(self) -> float:
        return float(self.n * self.p)

    @property
    def variance(self) -> float:
        return self.n * self.p * (1.0 - self.p)

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return self.n * success_log_mgf(self.p, theta)

    def tilt(self, theta: float) -> Binomial:
        return Binomial(self.n, tilted_success(self.p, theta))
