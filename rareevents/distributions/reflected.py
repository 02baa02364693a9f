"""Reflected law: the law of -X, density p(-x)."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rareevents.distributions.base import Distribution, Support
from rareevents.distributions.parts import require_law


@dataclass(frozen=True)
class Reflected(Distribution):
    """A law mirrored at zero, that of -X: density p(-x).

    Parameters
    ----------
    law : Distribution
        The law of X, a law of one number.

    Raises
    ------
    TypeError
        If `law` is not a law of one number.

    Source: the change of variable x -> -x.

    >>> from rareevents.distributions import Exponential
    >>> Reflected(Exponential(2.0)).mean
    -0.5
    """

    law: Distribution

    def __post_init__(self) -> None:
        require_law("law", self.law, scalar=True)

    @property
    def support(self) -> Any:
        return _mirrored(self.law.support)

    @property
    def reach(self) -> list[Support]:
        return [_mirrored(s) for s in reversed(self.law.reach)]

    @property
    def log_concave(self) -> bool:                         # type: ignore[override]
        return self.law.log_concave

    # Sampling and evaluation
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_one, log_one = self.law.functions()

        def draw(self, rng):
            return -draw_one(self.law, rng)

        def log_density(self, x):
            return log_one(self.law, -x)
        return draw, log_density

    # Moments
    @property
    def mean(self) -> float:
        return -self.law.mean

    @property
    def variance(self) -> float:
        return self.law.variance

    def log_mass(self, low: float, high: float) -> float:
        return self.law.log_mass(-high, -low) if low <= high else -math.inf

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return self.law.log_mgf(-theta)

    def tilt(self, theta: float) -> Reflected:
        return Reflected(self.law.tilt(-theta))


def _mirrored(s: Any) -> Support:
    return Support(s.kind, 0.0 - s.high, 0.0 - s.low)
