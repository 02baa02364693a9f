"""Poisson law: P(x) = rate^x exp(-rate) / x!, x = 0, 1, 2, ..."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support, integers, require, require_number
from rareevents.distributions.gamma_tails import log_gamma_tails
from rareevents.distributions.table import table_of
from rareevents.kernels.alias import alias_draw
from rareevents.kernels.special import log_factorial, poisson_log_mass
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Poisson(Distribution):
    """Number of events in a fixed time: P(x) = rate^x exp(-rate) / x!.

    Parameters
    ----------
    rate : float
        Expected number of events, at least 0 and at most 1e15 (draws are 64-bit integers).

    Raises
    ------
    ValueError
        If the rate is negative, above 1e15 or NaN.

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 4.1.

    >>> Poisson(rate=4.0).tilt(math.log(2.0))
    Poisson(rate=8.0)
    """

    rate: float
    log_concave = True

    def __post_init__(self) -> None:
        require_number("rate", self.rate, low=0.0)
        require(self.rate <= 1e15, "rate", self.rate, "at most 1e15")

    @property
    def support(self) -> Support:                          # type: ignore[override]
        return integers(0, math.inf if self.rate > 0.0 else 0)

    def derive(self) -> dict[str, Any]:
        from scipy.special import gammaln, xlogy
        log_rate = math.log(self.rate) if self.rate > 0.0 else 0.0
        return {"log_rate": log_rate,
                **table_of(lambda x: np.exp(xlogy(x, self.rate) - self.rate - gammaln(x + 1.0)), math.inf)}

    # Sampling: a table; one draw in 10^12 or so is beyond it; no table for rates too large for one
    def draw(self, rng: Rng) -> int | np.int64:
        if self.table.size == 1:
            return rng.poisson(self.rate)
        x = alias_draw(rng, self.table)
        if x < self.cells:
            return x
        u = rng.random() * self.beyond
        mass = self.edge
        while u > mass and mass > 0.0:
            u -= mass
            x += 1
            mass *= self.rate / x
        return x

    # Evaluation
    def log_density(self, x: int) -> float:
        if x < 0:
            return -math.inf
        if self.rate == 0.0:
            return 0.0 if x == 0 else -math.inf
        if x < 1024 and self.rate < 1024.0:
            return x * self.log_rate - self.rate - log_factorial(x)
        return poisson_log_mass(x, self.rate)

    def log_tails(self, x: float) -> tuple[float, float]:
        above, below = log_gamma_tails(math.floor(x) + 1.0, self.rate)
        return below, above

    # Moments
    @property
    def mean(self) -> float:
        return float(self.rate)

    @property
    def variance(self) -> float:
        return float(self.rate)

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return self.rate * math.expm1(theta)

    def tilt(self, theta: float) -> Poisson:
        return Poisson(self.rate * math.exp(theta))
