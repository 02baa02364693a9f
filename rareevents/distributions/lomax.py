"""Lomax law: P(X > x) = (1 + x / scale)^-alpha, x >= 0."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import Distribution, Support, log_complement, reals, require, require_number
from rareevents.distributions.quadrature import numeric_log_mgf
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Lomax(Distribution):
    """Pareto law that starts at 0, for claims and outages: P(X > x) = (1 + x / scale)^-alpha, x >= 0.

    The density is alpha / scale (1 + x / scale)^-(alpha+1).

    Parameters
    ----------
    alpha : float
        Power of the tail, at least 0.1 (below, draws leave the range of a double); the mean is infinite up to 1, the
        variance up to 2.
    scale : float
        Where the tail begins, above 0, in the unit of x.

    Raises
    ------
    ValueError
        If alpha is below 0.1, the scale is not above 0, or one of them is not finite.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), section 20.3 (Pareto II).

    >>> Lomax(alpha=3.0, scale=4.0).mean
    2.0
    """

    alpha: float
    scale: float
    support: ClassVar[Support] = reals(0.0, math.inf)

    def __post_init__(self) -> None:
        require_number("alpha", self.alpha, low=0.1)
        require_number("scale", self.scale, low=0.0, open_low=True)

    def derive(self) -> dict[str, Any]:
        return {"log_norm": math.log(self.scale) - math.log(self.alpha)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return self.scale * math.expm1(rng.standard_exponential() / self.alpha)

    # Evaluation
    def log_density(self, x: float) -> float:
        return -(self.alpha + 1.0) * math.log1p(x / self.scale) - self.log_norm if x >= 0.0 else -math.inf

    def survival(self, x: float) -> float:
        return (1.0 + x / self.scale) ** -self.alpha if x > 0.0 else 1.0

    def scaled(self, c: float) -> Lomax:
        """The law of c X."""
        return Lomax(self.alpha, c * self.scale)

    def log_tails(self, x: float) -> tuple[float, float]:
        above = -self.alpha * math.log1p(x / self.scale)
        return log_complement(above), above

    # Moments
    @property
    def mean(self) -> float:
        return self.scale / (self.alpha - 1.0) if self.alpha > 1.0 else math.inf

    @property
    def variance(self) -> float:
        return self.mean ** 2 * self.alpha / (self.alpha - 2.0) if self.alpha > 2.0 else math.inf

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return math.inf if theta > 0.0 else numeric_log_mgf(self, theta)

    def tilt(self, theta: float) -> Lomax:
        require(theta == 0.0, "theta", theta, "0: a Lomax law has no moment generating function above 0 and its tilted "
                "law below 0 is not Lomax; use a Lomax with a smaller alpha or a larger scale as the proposal")
        return self
