"""Gamma law: density rate^shape x^(shape-1) exp(-rate x) / Gamma(shape), x > 0."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import Distribution, Support, reals, require, require_number
from rareevents.distributions.gamma_tails import log_gamma_tails
from rareevents.kernels.special import HALF_LOG_TWO_PI, stirling_error
from rareevents.kernels.streams import Rng

TINY = 2.2250738585072014e-308        # the smallest normal double


@dataclass(frozen=True)
class Gamma(Distribution):
    """Waiting time for `shape` events: density rate^shape x^(shape-1) exp(-rate x) / Gamma(shape), x > 0.

    A draw below the smallest normal double (common where the shape is under 0.01) is that double.

    Parameters
    ----------
    shape : float
        Number of events, above 0; it need not be whole.
    rate : float
        Events per unit of x, above 0.

    Raises
    ------
    ValueError
        If the shape or the rate is not above 0, or not finite.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), chapter 17.

    >>> Gamma(shape=3.0, rate=2.0).tilt(1.5)
    Gamma(shape=3.0, rate=0.5)
    """

    shape: float
    rate: float
    support: ClassVar[Support] = reals(0.0, math.inf)

    def __post_init__(self) -> None:
        require_number("shape", self.shape, low=0.0, open_low=True)
        require_number("rate", self.rate, low=0.0, open_low=True)

    @property
    def log_concave(self) -> bool:                         # type: ignore[override]
        return self.shape >= 1.0

    def derive(self) -> dict[str, Any]:
        if self.shape < 100.0:
            return {"log_norm": math.lgamma(self.shape) - self.shape * math.log(self.rate)}
        return {"log_norm": stirling_error.py_func(self.shape) + HALF_LOG_TWO_PI - 0.5 * math.log(self.shape)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return max(rng.standard_gamma(self.shape) / self.rate, TINY)

    # Evaluation: Loader's (2000) saddle-point form where the terms of the plain one would cancel
    def log_density(self, x: float) -> float:
        if x <= 0.0:
            if x < 0.0 or self.shape > 1.0:
                return -math.inf
            return math.inf if self.shape < 1.0 else -self.log_norm
        if self.shape < 100.0:
            return (self.shape - 1.0) * math.log(x) - self.rate * x - self.log_norm
        d = (self.rate * x - self.shape) / self.shape
        log_ratio = math.log1p(d) if d > -0.5 else math.log(self.rate * x / self.shape)
        return self.shape * (log_ratio - d) - math.log(x) - self.log_norm

    def log_tails(self, x: float) -> tuple[float, float]:
        return log_gamma_tails(self.shape, self.rate * x)

    # Moments
    @property
    def mean(self) -> float:
        return self.shape / self.rate

    @property
    def variance(self) -> float:
        return self.mean / self.rate

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return -self.shape * math.log1p(-theta / self.rate) if theta < self.rate else math.inf

    def tilt(self, theta: float) -> Gamma:
        require(theta < self.rate, "theta", theta, f"below the rate {self.rate!r}")
        return Gamma(self.shape, self.rate - theta)
