"""Exponential law: density rate exp(-rate x), x >= 0."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import Distribution, Support, log_complement, reals, require, require_number
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Exponential(Distribution):
    """Waiting time for an event that does not age: density rate exp(-rate x), x >= 0.

    Parameters
    ----------
    rate : float
        Events per unit of x, above 0.

    Raises
    ------
    ValueError
        If the rate is not above 0, or not finite.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), chapter 19.

    >>> Exponential(rate=2.0).tilt(1.5)
    Exponential(rate=0.5)
    """

    rate: float
    support: ClassVar[Support] = reals(0.0, math.inf)
    log_concave = True

    def __post_init__(self) -> None:
        require_number("rate", self.rate, low=0.0, open_low=True)

    def derive(self) -> dict[str, Any]:
        return {"log_rate": math.log(self.rate)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return rng.standard_exponential() / self.rate

    # Evaluation
    def log_density(self, x: float) -> float:
        return self.log_rate - self.rate * x if x >= 0.0 else -math.inf

    def log_tails(self, x: float) -> tuple[float, float]:
        return log_complement(-self.rate * x), -self.rate * x

    # Moments
    @property
    def mean(self) -> float:
        return 1.0 / self.rate

    @property
    def variance(self) -> float:
        return self.mean * self.mean

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return -math.log1p(-theta / self.rate) if theta < self.rate else math.inf

    def tilt(self, theta: float) -> Exponential:
        require(theta < self.rate, "theta", theta, f"below the rate {self.rate!r}")
        return Exponential(self.rate - theta)
