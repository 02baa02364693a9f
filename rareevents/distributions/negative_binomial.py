"""Negative binomial law: P(x) = Gamma(x+r) / (Gamma(r) x!) p^r (1-p)^x, x = 0, 1, 2, ..."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support, integers, require, require_number
from rareevents.distributions.table import table_of
from rareevents.kernels.alias import alias_draw
from rareevents.kernels.special import negative_binomial_log_mass
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class NegativeBinomial(Distribution):
    """Number of failures before the r-th success: P(x) = Gamma(x+r) / (Gamma(r) x!) p^r (1-p)^x.

    Parameters
    ----------
    r : float
        Number of successes, above 0; it need not be whole (a Poisson law whose rate has a gamma law).
    p : float
        Probability of success, above 0 and at most 1; the mean r (1-p) / p is at most 1e15 (draws are 64-bit integers).

    Raises
    ------
    ValueError
        If r is not above 0, or p is not in (0, 1] or so small that the mean is above 1e15.

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 5.1.

    >>> NegativeBinomial(r=2.5, p=0.75).tilt(math.log(2.0))
    NegativeBinomial(r=2.5, p=0.5)
    """

    r: float
    p: float

    def __post_init__(self) -> None:
        require_number("r", self.r, low=0.0, open_low=True)
        require_number("p", self.p, low=0.0, high=1.0, open_low=True)
        require(self.mean <= 1e15, "p", self.p, "large enough for a mean r (1-p) / p of at most 1e15")

    @property
    def support(self) -> Support:                          # type: ignore[override]
        return integers(0, math.inf if self.p < 1.0 else 0)

    @property
    def log_concave(self) -> bool:                         # type: ignore[override]
        return self.r >= 1.0

    def derive(self) -> dict[str, Any]:
        def mass(x: np.ndarray) -> np.ndarray:            # by ratios: log-gammas of a large r would cancel
            with np.errstate(divide="ignore"):
                ratios = np.log((x[1:] - 1.0 + self.r) / x[1:] * (1.0 - self.p))
            return np.exp(np.append(0.0, np.cumsum(ratios)) + self.r * math.log(self.p))

        return {"odds": (1.0 - self.p) / self.p, "log_p": math.log(self.p), **table_of(mass, math.inf)}

    # Sampling: a table where one suffices, a gamma mixture of Poisson laws elsewhere
    def draw(self, rng: Rng) -> int | np.int64:
        if self.table.size == 1:
            return rng.poisson(rng.standard_gamma(self.r) * self.odds)
        x = alias_draw(rng, self.table)
        if x < self.cells:
            return x
        u = rng.random() * self.beyond
        mass = self.edge
        while u > mass and mass > 0.0:
            u -= mass
            x += 1
            mass *= (x - 1.0 + self.r) / x * (1.0 - self.p)
        return x

    # Evaluation
    def log_density(self, x: int) -> float:
        if x < 0 or (self.p == 1.0 and x > 0):
            return -math.inf
        return negative_binomial_log_mass(x, self.r, self.p) if x > 0 else self.r * self.log_p

    def log_tails(self, x: float) -> tuple[float, float]:
        from scipy.special import betainc, betaincc
        with np.errstate(divide="ignore"):
            return (float(np.log(betainc(self.r, x + 1.0, self.p))), float(np.log(betaincc(self.r, x + 1.0, self.p))))

    # Moments
    @property
    def mean(self) -> float:
        return self.r * (1.0 - self.p) / self.p

    @property
    def variance(self) -> float:
        return self.mean / self.p

    # Tilting
    def log_mgf(self, theta: float) -> float:
        if self.p == 1.0:
            return 0.0
        share = math.expm1(theta) * (1.0 - self.p) / self.p if theta < 500.0 else math.inf
        return -self.r * math.log1p(-share) if share < 1.0 else math.inf

    def tilt(self, theta: float) -> NegativeBinomial:
        require(self.log_mgf(theta) < math.inf, "theta", theta, f"below -log(1 - p) = {-math.log1p(-self.p)!r}"
                if self.p < 1.0 else "a number")
        p = min(1.0, self.p - (1.0 - self.p) * math.expm1(theta)) if self.p < 1.0 else 1.0
        return NegativeBinomial(self.r, p)
