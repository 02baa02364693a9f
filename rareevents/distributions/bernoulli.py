"""Bernoulli law: P(1) = p, P(0) = 1 - p."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rareevents.distributions.base import Distribution, Support, integers, require_number
from rareevents.kernels.streams import Rng


def tilted_success(p: float, theta: float) -> float:
    """p exp(theta) / (1 - p + p exp(theta)) for any theta, without overflow."""
    e = math.exp(-abs(theta))
    return p / (p + (1.0 - p) * e) if theta >= 0.0 else p * e / (1.0 - p + p * e)


def success_log_mgf(p: float, theta: float) -> float:
    """log(1 - p + p exp(theta)) for any theta, accurate where it is near 0, without overflow."""
    if p == 0.0 or theta < 500.0:
        return math.log1p(p * math.expm1(min(theta, 500.0)))
    return theta + math.log(p + (1.0 - p) * math.exp(-theta))


@dataclass(frozen=True)
class Bernoulli(Distribution):
    """One trial that succeeds or fails: P(1) = p, P(0) = 1 - p.

    Parameters
    ----------
    p : float
        Probability of success, from 0 to 1.

    Raises
    ------
    ValueError
        If p is not in [0, 1].

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 3.2.

    >>> Bernoulli(p=0.2).tilt(math.log(4.0))
    Bernoulli(p=0.5)
    """

    p: float
    support: ClassVar[Support] = integers(0, 1)
    log_concave = True

    def __post_init__(self) -> None:
        require_number("p", self.p, low=0.0, high=1.0)

    def derive(self) -> dict[str, Any]:
        return {"logs": np.array([math.log1p(-self.p) if self.p < 1.0 else -math.inf,
                                  math.log(self.p) if self.p > 0.0 else -math.inf])}

    # Sampling
    def draw(self, rng: Rng) -> int:
        return 1 if rng.random() < self.p else 0

    # Evaluation
    def log_density(self, x: int) -> float:
        return self.logs[int(x)] if x == 0 or x == 1 else -math.inf       # 0 or 1 is not foreseen: no branch

    # Moments
    @property
    def mean(self) -> float:
        return float(self.p)

    @property
    def variance(self) -> float:
        return self.p * (1.0 - self.p)

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return success_log_mgf(self.p, theta)

    def tilt(self, theta: float) -> Bernoulli:
        return Bernoulli(tilted_success(self.p, theta))
