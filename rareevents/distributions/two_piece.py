"""Two-piece log-normal law: log X is normal with one spread below its mode and another above."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import Distribution, Support, log_complement, reals, require, require_number
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class TwoPieceLogNormal(Distribution):
    """A log-normal law whose upper half is stretched: log X = mu + sigma Z with Z two-piece normal.

    The density of Z is sqrt(2/pi)/(1 + stretch) exp(-z^2/2) below 0 and with exp(-z^2/(2 stretch^2)) above.

    Parameters
    ----------
    mu, sigma : float
        Of the lower half, as in `LogNormal`.
    stretch : float
        Above 0; with 1 this is `LogNormal(mu, sigma)`.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), section 13.10.

    >>> round(math.exp(TwoPieceLogNormal(0.0, 1.0, 2.0).log_tails(1.0)[1]), 6)                # 2 / (1 + 2)
    0.666667
    """

    mu: float
    sigma: float
    stretch: float
    support: ClassVar[Support] = reals(0.0, math.inf)

    def __post_init__(self) -> None:
        require_number("mu", self.mu)
        require_number("sigma", self.sigma, low=0.0, open_low=True)
        require_number("stretch", self.stretch, low=0.0, open_low=True)
        widest = self.sigma * max(1.0, self.stretch)
        require(abs(self.mu) + 14.0 * widest <= 700.0, "sigma", self.sigma,
                f"such that |mu| + 14 sigma max(1, stretch) is at most 700 (mu = {self.mu!r}, stretch = "
                f"{self.stretch!r}): draws would leave the range of a double")

    def derive(self) -> dict[str, Any]:
        log_norm = math.log(self.sigma) + 0.5 * math.log(0.5 * math.pi) + math.log1p(self.stretch)
        return {"log_norm": log_norm, "above": self.stretch / (1.0 + self.stretch)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        z = abs(rng.standard_normal())
        return math.exp(self.mu + self.sigma * (self.stretch * z if rng.random() < self.above else -z))

    # Evaluation
    def log_density(self, x: float) -> float:
        if x <= 0.0:
            return -math.inf
        y = math.log(x)
        z = (y - self.mu) / self.sigma
        if z > 0.0:
            z /= self.stretch
        return -0.5 * z * z - y - self.log_norm

    def log_tails(self, x: float) -> tuple[float, float]:
        from scipy.special import log_ndtr
        z = (math.log(x) - self.mu) / self.sigma
        if z <= 0.0:
            below = math.log(2.0 / (1.0 + self.stretch)) + float(log_ndtr(z))
            return below, log_complement(below)
        above = math.log(2.0 * self.above) + float(log_ndtr(-z / self.stretch))
        return log_complement(above), above
