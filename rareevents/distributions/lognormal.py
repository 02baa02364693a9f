"""Log-normal law: density exp(-((log x - mu) / sigma)^2 / 2) / (x sigma sqrt(2 pi)), x > 0."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import Distribution, Support, exp_or_inf, reals, require, require_number
from rareevents.distributions.quadrature import numeric_log_mgf
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class LogNormal(Distribution):
    """Product of many small effects: exp(Y) with Y ~ Normal(mu, sigma); density exp(-z^2 / 2) / (x sigma sqrt(2 pi)).

    Here z = (log x - mu) / sigma.

    Parameters
    ----------
    mu : float
        Mean of log x.
    sigma : float
        Standard deviation of log x, above 0; |mu| + 14 sigma is at most 700, so that every draw is a double.

    Raises
    ------
    ValueError
        If mu is not finite, sigma is not above 0, or |mu| + 14 sigma is above 700.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), chapter 14.

    >>> LogNormal(mu=0.0, sigma=2.0).mean == math.exp(2.0)
    True
    """

    mu: float
    sigma: float
    support: ClassVar[Support] = reals(0.0, math.inf)

    def __post_init__(self) -> None:
        require_number("mu", self.mu)
        require_number("sigma", self.sigma, low=0.0, open_low=True)
        require(abs(self.mu) + 14.0 * self.sigma <= 700.0, "sigma", self.sigma,
                f"such that |mu| + 14 sigma is at most 700 (mu = {self.mu!r}): draws would leave the range of a double")

    def derive(self) -> dict[str, Any]:
        return {"log_norm": math.log(self.sigma) + 0.5 * math.log(2.0 * math.pi)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return math.exp(self.mu + self.sigma * rng.standard_normal())

    # Evaluation
    def log_density(self, x: float) -> float:
        if x <= 0.0:
            return -math.inf
        y = math.log(x)
        z = (y - self.mu) / self.sigma
        return -0.5 * z * z - y - self.log_norm

    def survival(self, x: float) -> float:
        return 0.5 * math.erfc((math.log(x) - self.mu) / (self.sigma * 1.4142135623730951)) if x > 0.0 else 1.0

    def scaled(self, c: float) -> LogNormal:
        """The law of c X."""
        return LogNormal(self.mu + math.log(c), self.sigma)

    def log_tails(self, x: float) -> tuple[float, float]:
        from scipy.special import log_ndtr
        z = (math.log(x) - self.mu) / self.sigma
        return float(log_ndtr(z)), float(log_ndtr(-z))

    # Moments
    @property
    def mean(self) -> float:
        return exp_or_inf(self.mu + 0.5 * self.sigma ** 2)

    @property
    def variance(self) -> float:
        s = self.sigma ** 2
        return math.expm1(s) * exp_or_inf(2.0 * self.mu + s) if s < 500.0 else exp_or_inf(2.0 * self.mu + 2.0 * s)

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return math.inf if theta > 0.0 else numeric_log_mgf(self, theta)

    def tilt(self, theta: float) -> LogNormal:
        require(theta == 0.0, "theta", theta, "0: a log-normal law has no moment generating function above 0 and its "
                "tilted law below 0 is not log-normal; use a LogNormal with another mu or sigma as the proposal")
        return self
