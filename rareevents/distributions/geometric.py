"""Geometric law: P(x) = p (1-p)^x, x = 0, 1, 2, ..."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support, integers, log_complement, require, require_number
from rareevents.distributions.table import table_of
from rareevents.kernels.alias import alias_draw
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Geometric(Distribution):
    """Number of failures before the first success: P(x) = p (1-p)^x.

    Parameters
    ----------
    p : float
        Probability of success, from 1e-15 (draws are 64-bit integers) to 1.

    Raises
    ------
    ValueError
        If p is not in [1e-15, 1].

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 5.1.

    >>> Geometric(p=0.75).tilt(math.log(2.0))
    Geometric(p=0.5)
    """

    p: float
    log_concave = True

    def __post_init__(self) -> None:
        require_number("p", self.p, low=1e-15, high=1.0)

    @property
    def support(self) -> Support:                          # type: ignore[override]
        return integers(0, math.inf if self.p < 1.0 else 0)

    def derive(self) -> dict[str, Any]:
        from scipy.special import xlog1py
        log_q = math.log1p(-self.p) if self.p < 1.0 else -math.inf
        return {"log_p": math.log(self.p), "log_q": log_q, "length": -1.0 / log_q,
                **table_of(lambda x: self.p * np.exp(xlog1py(x, -float(self.p))), math.inf)}

    # Sampling: a table; what is beyond it, or everything without one, is a rounded exponential (no memory)
    def draw(self, rng: Rng) -> int | np.int64:
        x = alias_draw(rng, self.table) if self.table.size > 1 else self.cells
        if x < self.cells:
            return x
        return self.cells + math.floor(rng.standard_exponential() * self.length)

    # Evaluation
    def log_density(self, x: int) -> float:
        if x < 0:
            return -math.inf
        return self.log_p + x * self.log_q if x > 0 else self.log_p

    def log_tails(self, x: float) -> tuple[float, float]:
        above = (x + 1.0) * math.log1p(-self.p) if self.p < 1.0 else -math.inf
        return log_complement(above), above

    # Moments
    @property
    def mean(self) -> float:
        return (1.0 - self.p) / self.p

    @property
    def variance(self) -> float:
        return (1.0 - self.p) / self.p ** 2

    # Tilting
    def log_mgf(self, theta: float) -> float:
        if self.p == 1.0:
            return 0.0
        share = math.expm1(theta) * self.mean if theta < 500.0 else math.inf
        return -math.log1p(-share) if share < 1.0 else math.inf

    def tilt(self, theta: float) -> Geometric:
        require(self.log_mgf(theta) < math.inf, "theta", theta, f"below -log(1 - p) = {-math.log1p(-self.p)!r}"
                if self.p < 1.0 else "a number")
        return Geometric(min(1.0, self.p - (1.0 - self.p) * math.expm1(theta)) if self.p < 1.0 else 1.0)
