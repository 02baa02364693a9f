"""Zero-inflated law: 0 with probability p0, else a draw of a law of counts: P(x) = p0 [x = 0] + (1 - p0) p(x)."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rareevents.distributions.base import Distribution, Support, integers, require_number
from rareevents.distributions.parts import log_sum_exp, require_law


@dataclass(frozen=True)
class ZeroInflated(Distribution):
    """Counts with additional zeros: P(x) = p0 [x = 0] + (1 - p0) p(x).

    Parameters
    ----------
    law : Distribution
        The law of counts p, which may give 0 itself.
    p0 : float
        Probability of an additional zero, in [0, 1].

    Raises
    ------
    TypeError
        If `law` is not a law of counts: with an atom at 0, a law of real numbers would have no density.
    ValueError
        If p0 is not in [0, 1].

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 8.2.3.

    >>> from rareevents.distributions import Poisson
    >>> ZeroInflated(Poisson(4.0), 0.25).mean
    3.0
    """

    law: Distribution
    p0: float

    def __post_init__(self) -> None:
        require_law("law", self.law, scalar=True)
        if self.law.dtype is not int:
            raise TypeError(f"law must be a law of counts, got {self.law!r}: with an atom at 0, a law of real numbers "
                            f"has no density")
        require_number("p0", self.p0, low=0.0, high=1.0)

    @property
    def support(self) -> Any:
        s: Any = self.law.support
        return integers(min(0, s.low), max(0, s.high)) if self.p0 < 1.0 else integers(0, 0)

    @property
    def reach(self) -> list[Support]:
        return [integers(0, 0), *(self.law.reach if self.p0 < 1.0 else [])]

    def derive(self) -> dict[str, Any]:
        return {"log_rest": math.log1p(-self.p0) if self.p0 < 1.0 else -math.inf}

    # Sampling
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_one, log_one = self.law.functions()

        def draw(self, rng):
            return 0 if rng.random() < self.p0 else draw_one(self.law, rng)

        # Evaluation
        def log_density(self, x):
            value = log_one(self.law, x)
            if x == 0 and self.p0 > 0.0:
                return math.log(self.p0 + (1.0 - self.p0) * math.exp(value))
            return self.log_rest + value
        return draw, log_density

    # Moments
    @property
    def mean(self) -> float:
        return (1.0 - self.p0) * self.law.mean if self.p0 < 1.0 else 0.0

    @property
    def variance(self) -> float:
        return (1.0 - self.p0) * (self.law.variance + self.p0 * self.law.mean ** 2) if self.p0 < 1.0 else 0.0

    def log_mass(self, low: float, high: float) -> float:
        zero = math.log(self.p0) if self.p0 > 0.0 and low <= 0.0 <= high else -math.inf
        rest = self.log_rest + self.law.log_mass(low, high) if self.p0 < 1.0 else -math.inf
        return log_sum_exp([zero, rest])

    # Tilting: the zeros keep their mass p0, the rest gets (1 - p0) M(theta)
    def log_mgf(self, theta: float) -> float:
        zero = math.log(self.p0) if self.p0 > 0.0 else -math.inf
        return log_sum_exp([zero, self.log_rest + self.law.log_mgf(theta)]) if self.p0 < 1.0 else 0.0

    def tilt(self, theta: float) -> ZeroInflated:
        if self.p0 == 1.0:
            return self
        return ZeroInflated(self.law.tilt(theta), self.p0 * math.exp(-self.log_mgf(theta)))
