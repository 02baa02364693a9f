"""Weibull law: P(X > x) = exp(-(x / scale)^shape), x >= 0."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import (
    Distribution,
    Support,
    exp_or_inf,
    log_complement,
    reals,
    require,
    require_number,
)
from rareevents.distributions.quadrature import numeric_log_mgf
from rareevents.kernels.streams import Rng

TINY = 2.2250738585072014e-308        # the smallest normal double


@dataclass(frozen=True)
class Weibull(Distribution):
    """Life of a part that ages (shape > 1) or hardens (shape < 1): P(X > x) = exp(-(x / scale)^shape), x >= 0.

    The density is shape / scale (x / scale)^(shape-1) exp(-(x / scale)^shape).

    Parameters
    ----------
    shape : float
        Power of the hazard plus 1, at least 0.01: below, draws leave the range of a double.
    scale : float
        The life that 37 % of the parts exceed, above 0, in the unit of x.

    Raises
    ------
    ValueError
        If the shape is below 0.01, the scale is not above 0, or one of them is not finite.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), chapter 21.

    >>> Weibull(shape=1.0, scale=2.0).tilt(0.25)
    Weibull(shape=1.0, scale=4.0)
    """

    shape: float
    scale: float
    support: ClassVar[Support] = reals(0.0, math.inf)

    def __post_init__(self) -> None:
        require_number("shape", self.shape, low=0.01)
        require_number("scale", self.scale, low=0.0, open_low=True)

    @property
    def log_concave(self) -> bool:                         # type: ignore[override]
        return self.shape >= 1.0

    def derive(self) -> dict[str, Any]:
        return {"power": 1.0 / self.shape, "log_scale": math.log(self.scale),
                "log_norm": math.log(self.scale) - math.log(self.shape)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return max(self.scale * rng.standard_exponential() ** self.power, TINY)

    # Evaluation
    def log_density(self, x: float) -> float:
        if x <= 0.0:
            if x < 0.0 or self.shape > 1.0:
                return -math.inf
            return math.inf if self.shape < 1.0 else -self.log_norm
        y = math.log(x) - self.log_scale
        hazard = self.shape * y
        return (self.shape - 1.0) * y - (math.exp(hazard) if hazard < 700.0 else math.inf) - self.log_norm

    def survival(self, x: float) -> float:
        return math.exp(-math.exp(self.shape * (math.log(x) - self.log_scale))) if x > 0.0 else 1.0

    def scaled(self, c: float) -> Weibull:
        """The law of c X."""
        return Weibull(self.shape, c * self.scale)

    def log_tails(self, x: float) -> tuple[float, float]:
        above = -exp_or_inf(self.shape * (math.log(x) - self.log_scale))
        return log_complement(above), above

    # Moments
    @property
    def mean(self) -> float:
        return self.scale * exp_or_inf(math.lgamma(1.0 + self.power))

    @property
    def variance(self) -> float:
        first, second = math.lgamma(1.0 + self.power), math.lgamma(1.0 + 2.0 * self.power)
        return exp_or_inf(2.0 * (self.log_scale + first) + math.log(math.expm1(second - 2.0 * first)))

    # Tilting
    def log_mgf(self, theta: float) -> float:
        if self.shape == 1.0:
            return -math.log1p(-theta * self.scale) if theta * self.scale < 1.0 else math.inf
        return math.inf if theta > 0.0 and self.shape < 1.0 else numeric_log_mgf(self, theta)

    def tilt(self, theta: float) -> Weibull:
        if theta == 0.0:
            return self
        require(self.shape >= 1.0 or theta <= 0.0, "theta", theta, "at most 0: a Weibull law of shape below 1 has no "
                "moment generating function above 0; use a Weibull with a larger scale as the proposal")
        require(self.shape == 1.0, "theta", theta, "0: the tilted law is a Weibull only for shape 1; use a Weibull "
                "with another scale as the proposal")
        require(theta * self.scale < 1.0, "theta", theta, f"below 1 / scale = {1.0 / self.scale!r}")
        return Weibull(1.0, self.scale / (1.0 - theta * self.scale))
