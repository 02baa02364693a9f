"""Uniform law: density 1 / (high - low) from low to high."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rareevents.distributions.base import Distribution, Support, reals, require, require_number
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Uniform(Distribution):
    """All values of an interval alike: density 1 / (high - low) from low to high.

    It has no `tilt`: the tilted law is a truncated exponential, which is not uniform.

    Parameters
    ----------
    low : float
        Smallest value.
    high : float
        Largest value, above low, in the unit of x.

    Raises
    ------
    ValueError
        If low or high is not finite, or high is not above low.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1995), chapter 26.

    >>> Uniform(low=0.0, high=4.0).mean
    2.0
    """

    low: float
    high: float
    log_concave = True

    def __post_init__(self) -> None:
        require_number("low", self.low)
        require_number("high", self.high)
        require(0.0 < self.high - self.low < math.inf, "high", self.high, f"finitely above low = {self.low!r}")

    @property
    def support(self) -> Support:
        return reals(self.low, self.high)

    def derive(self) -> dict[str, Any]:
        return {"log_width": math.log(self.high - self.low)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return self.low + (self.high - self.low) * rng.random()

    # Evaluation
    def log_density(self, x: float) -> float:
        return -self.log_width if self.low <= x <= self.high else -math.inf

    def log_tails(self, x: float) -> tuple[float, float]:
        return math.log(x - self.low) - self.log_width, math.log(self.high - x) - self.log_width

    # Moments
    @property
    def mean(self) -> float:
        return 0.5 * self.low + 0.5 * self.high

    @property
    def variance(self) -> float:
        return (self.high - self.low) * (self.high - self.low) / 12.0

    # Tilting
    def log_mgf(self, theta: float) -> float:
        a = 0.5 * abs(theta) * (self.high - self.low)            # log(sinh(a) / a), by its series near 0
        s = a * a
        spread = (s * (1.0 / 6.0 - s * (1.0 / 180.0 - s * (1.0 / 2835.0 - s / 37800.0))) if a < 0.1 else
                  a + math.log(-math.expm1(-2.0 * a) / (2.0 * a)))
        return theta * self.mean + spread
