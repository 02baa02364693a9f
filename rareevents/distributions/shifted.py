"""Shifted law: the law of X + by, density p(x - by)."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support, require_number
from rareevents.distributions.parts import require_law


@dataclass(frozen=True)
class Shifted(Distribution):
    """A law moved along the line, that of X + by: density p(x - by).

    Parameters
    ----------
    law : Distribution
        The law of X, a law of one number.
    by : float
        The distance, in the unit of x; an integer for a law of counts.

    Raises
    ------
    TypeError
        If `law` is not a law of one number, or `by` is not a number, or not an integer for a law of counts.
    ValueError
        If `by` is not finite, or above 2^53 for a law of counts.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), section 12.1.

    >>> from rareevents.distributions import Poisson
    >>> Shifted(Poisson(4.0), 3).mean
    7.0
    """

    law: Distribution
    by: int | float

    def __post_init__(self) -> None:
        require_law("law", self.law, scalar=True)
        require_number("by", self.by)
        if self.law.dtype is int and not isinstance(self.by, (int, np.integer)):
            raise TypeError(f"by must be an integer for a law of counts, got {self.by!r}")
        if self.law.dtype is int and abs(self.by) > 2 ** 53:
            raise ValueError(f"by must be at most 2^53 in size, got {self.by!r}")
        object.__setattr__(self, "by", self.law.dtype(self.by))

    @property
    def support(self) -> Any:
        s: Any = self.law.support
        return Support(s.kind, s.low + self.by, s.high + self.by)

    @property
    def reach(self) -> list[Support]:
        return [Support(s.kind, s.low + self.by, s.high + self.by) for s in self.law.reach]

    @property
    def log_concave(self) -> bool:                         # type: ignore[override]
        return self.law.log_concave

    # Sampling and evaluation
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_one, log_one = self.law.functions()

        def draw(self, rng):
            return draw_one(self.law, rng) + self.by

        def log_density(self, x):
            return log_one(self.law, x - self.by)
        return draw, log_density

    # Moments
    @property
    def mean(self) -> float:
        return self.law.mean + self.by

    @property
    def variance(self) -> float:
        return self.law.variance

    def log_mass(self, low: float, high: float) -> float:
        return self.law.log_mass(low - self.by, high - self.by) if low <= high else -math.inf

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return self.law.log_mgf(theta) + theta * self.by

    def tilt(self, theta: float) -> Shifted:
        return Shifted(self.law.tilt(theta), self.by)
