"""Truncated law: a law given that its draw is in an interval, density p(x) / P(low <= X <= high) there."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support
from rareevents.distributions.parts import require_law
from rareevents.distributions.table import BEYOND, CELLS
from rareevents.kernels.alias import alias_draw, alias_table

ENOUGH = 1e-3               # rejection needs about 1 / P(low <= X <= high) draws for one


@dataclass(frozen=True)
class Truncated(Distribution):
    """A law given that its draw is in an interval: density p(x) / P(low <= X <= high) there, 0 elsewhere.

    Counts come from a table when 4,096 values carry all but 1e-12 of the mass, however rare the interval is. Other laws
    are drawn until a draw is inside.

    Parameters
    ----------
    law : Distribution
        The law p, a law of one number.
    low, high : float
        The interval, both ends included; either may be infinite.

    Raises
    ------
    TypeError
        If `law` is not a law of one number.
    ValueError
        If an end is not a number, or the interval holds no mass, or less than 1e-3 where rejection is needed.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), section 12.1.

    >>> from rareevents.distributions import Poisson
    >>> Truncated(Poisson(4.0), 20, math.inf).support
    Support(kind='integers', low=20.0, high=inf)
    """

    law: Distribution
    low: float
    high: float

    def __post_init__(self) -> None:
        require_law("law", self.law, scalar=True)
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
                raise TypeError(f"{name} must be a number, got {value!r}")
            if math.isnan(value):
                raise ValueError(f"{name} must be a number, got {value!r}")
        what = f"P({self.low:g} <= X <= {self.high:g})"
        if not self.low <= self.high:
            raise ValueError(f"low must be at most high, got low={self.low!r}, high={self.high!r}")
        if not self.support.low <= self.support.high or self.log_inside == -math.inf:
            raise ValueError(f"low and high must enclose mass, got {what} = 0 for {self.law!r}")
        if self._cells["table"].size == 1 and self.log_inside < math.log(ENOUGH):
            raise ValueError(f"low and high must enclose a mass of at least {ENOUGH:g}, got {what} = "
                             f"{math.exp(self.log_inside):.3g} for {self.law!r}: tilt first, "
                             f"Truncated(law.tilt(theta), low, high)")

    @property
    def support(self) -> Any:
        s: Any = self.law.support
        low, high = max(s.low, self.low), min(s.high, self.high)
        if s.kind == "integers":
            low, high = (math.ceil(low) if low > -math.inf else low), (math.floor(high) if high < math.inf else high)
        return Support(s.kind, float(low), float(high))

    @property
    def reach(self) -> list[Support]:
        inside = self.support
        clipped = [Support(s.kind, max(s.low, inside.low), min(s.high, inside.high)) for s in self.law.reach]
        return [s for s in clipped if s.low <= s.high]

    @property
    def log_concave(self) -> bool:                         # type: ignore[override]
        return self.law.log_concave

    @cached_property
    def log_inside(self) -> float:
        """log P(low <= X <= high) under the law that is truncated."""
        return float(self.law.log_mass(self.low, self.high))

    @cached_property
    def _cells(self) -> dict[str, Any]:
        """table, cells, beyond as in `table_of`, for the values from `first` on; one cell of zero for rejection."""
        none = {"table": np.zeros(1, np.uint64), "first": 0, "cells": 0, "beyond": 0.0}
        s = self.support
        if s.kind == "reals" or s.low == -math.inf:
            return none
        first, count = int(s.low), min(s.high - s.low + 1.0, float(CELLS))
        p = self._masses(first, int(count))
        if s.low + count > s.high:
            return {"table": alias_table(p), "first": first, "cells": len(p), "beyond": 0.0}
        rest = math.exp(self.law.log_mass(s.low + count, s.high) - self.log_inside)
        tails = p[::-1].cumsum()[::-1] + rest                # P(X >= x), summed from the small end
        if tails[-1] > 0.5 * BEYOND:
            return none
        cells = int(np.argmax(tails <= BEYOND))
        return {"table": alias_table(np.append(p[:cells], tails[cells])), "first": first, "cells": cells,
                "beyond": float(tails[cells])}

    def _masses(self, first: int, count: int) -> np.ndarray:
        return np.exp(self.law.log_prob(np.arange(first, first + count)) - self.log_inside)

    def derive(self) -> dict[str, Any]:
        return {**self._cells, "log_inside": self.log_inside}

    # Sampling and evaluation
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_one, log_one = self.law.functions()

        def reject(self, rng):
            while True:
                x = draw_one(self.law, rng)
                if self.low <= x <= self.high:
                    return x

        def draw_count(self, rng):
            if self.table.size == 1:
                return reject(self, rng)
            x = alias_draw(rng, self.table)
            if x < self.cells:
                return self.first + x
            x += self.first                               # beyond the table: one value after the other
            u = rng.random() * self.beyond
            while True:
                mass = math.exp(log_one(self.law, x) - self.log_inside)
                if u <= mass or mass == 0.0 or x >= self.high:
                    return x
                u -= mass
                x += 1

        def log_density(self, x):
            if self.low <= x <= self.high:
                return log_one(self.law, x) - self.log_inside
            return -math.inf
        return (draw_count if self.dtype is int else reject), log_density

    # Moments: numerical sums and integrals
    @property
    def mean(self) -> float:
        return self._moments("mean")[0]

    @property
    def variance(self) -> float:
        return self._moments("variance")[1]

    def _moments(self, needed: str) -> tuple[float, float]:
        s = self.support
        endless = math.isinf(s.low) or math.isinf(s.high)
        if endless and not math.isfinite(getattr(self.law, needed)):  # nothing else says that the sum is finite
            raise AttributeError(f"{self!r} has no {needed}: that of its law is infinite")
        from rareevents.distributions.quadrature import grid
        with np.errstate(over="ignore", divide="ignore"):            # its points reach as far as doubles do
            points = grid(self.law, s.low, s.high)
            centre = float(points.x[np.argmax(points.log_mass)])
            x = points.x - centre
            total, first, second = (points.sum(x ** k, scale=self.log_inside) for k in (0.0, 1.0, 2.0))
        first /= total
        return centre + first, second / total - first * first

    def log_mass(self, low: float, high: float) -> float:
        low, high = max(low, self.low), min(high, self.high)
        return min(0.0, float(self.law.log_mass(low, high)) - self.log_inside) if low <= high else -math.inf

    # Tilting
    def log_mgf(self, theta: float) -> float:
        if self.law.log_mgf(theta) == math.inf:
            if (self.support.high if theta > 0.0 else -self.support.low) == math.inf:
                return math.inf
            from rareevents.distributions.quadrature import grid
            return grid(self.law, self.low, self.high, theta).log_sum() - self.log_inside
        return self.law.log_mgf(theta) + float(self.law.tilt(theta).log_mass(self.low, self.high)) - self.log_inside

    def tilt(self, theta: float) -> Truncated:
        return Truncated(self.law.tilt(theta), self.low, self.high)
