"""Normal vector given that a linear score is at least a level: density p(x) / P(a . X >= level) there."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution
from rareevents.distributions.iid import IID
from rareevents.distributions.independent import Independent
from rareevents.distributions.multivariate_normal import MultivariateNormal
from rareevents.distributions.normal import Normal


@dataclass(frozen=True, eq=False)
class HalfSpace(Distribution):
    """A law of normal vectors given that a . x is at least a level: density p(x) / P(a . X >= level) there, else 0.

    A draw of the law is moved along C a to a score drawn from the normal tail, so rarity costs nothing.

    Parameters
    ----------
    law : Distribution
        A multivariate normal law, or an IID or Independent law of normal components; its covariance is C.
    a : array of float
        The score's coefficients, not all zero.
    level : float
        What the score reaches, in the unit of a . x.

    Raises
    ------
    TypeError
        If the law is not one of normal vectors.
    ValueError
        If a does not fit the law or is zero, or the level is not finite.

    Source: Robert, Simulation of truncated normal variables (1995), for the tail; Owen, Maximov and Chertkov (2019),
    section 5, for the move.

    >>> from rareevents.distributions import IID, Normal
    >>> law = HalfSpace(IID(Normal(0.0, 1.0), 3), [1.0, 0.0, 0.0], 6.0)
    >>> bool(law.sample(100, seed=1)[:, 0].min() >= 6.0)
    True
    """

    law: Distribution
    a: Any
    level: float

    def __post_init__(self) -> None:
        law = self.law
        factors = law.laws if isinstance(law, Independent) else [law.law] if isinstance(law, IID) else []
        if not isinstance(law, MultivariateNormal) and not (factors and all(isinstance(f, Normal) for f in factors)):
            raise TypeError(f"law must be one of normal vectors, got {law!r}")
        a = np.array(self.a, float)
        if a.shape != (law.size,) or not np.all(np.isfinite(a)) or not np.any(a):
            raise ValueError(f"a must be {law.size} finite numbers, not all 0, got {self.a!r}")
        if not math.isfinite(self.level):
            raise ValueError(f"level must be a finite number, got {self.level!r}")
        a.setflags(write=False)
        object.__setattr__(self, "a", a)
        object.__setattr__(self, "level", float(self.level))

    @property
    def support(self) -> Any:
        return self.law.support

    @property
    def size(self) -> int:
        return int(self.law.size)                          # type: ignore[arg-type]

    @property
    def _score(self) -> tuple[np.ndarray, float, float]:
        """C a, and the mean and standard deviation of a . x."""
        law: Any = self.law
        moved = law.covariance @ self.a if isinstance(law, MultivariateNormal) else law.variance * self.a
        return moved, float(self.a @ law.mean), math.sqrt(float(self.a @ moved))

    @property
    def log_inside(self) -> float:
        """log P(a . X >= level)."""
        from scipy.special import log_ndtr
        _, mean, sd = self._score
        return float(log_ndtr((mean - self.level) / sd))

    def derive(self) -> dict[str, Any]:
        """shift: of x for a standard deviation of the score; start: the level in these; edge: what rounding allows."""
        moved, mean, sd = self._score
        edge = 1e-12 * max(abs(self.level), sd, float(np.sum(np.abs(self.a * self.law.mean))))
        return {"shift": moved / sd, "centre": mean, "sd": sd, "start": (self.level - mean) / sd, "edge": edge,
                "log_inside": self.log_inside}

    # Sampling and evaluation
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_row, log_row = self.law.functions()

        def draw(self, rng, x):
            draw_row(self.law, rng, x)
            score = 0.0
            for i in range(x.size):
                score += self.a[i] * x[i]
            z = rng.standard_normal()
            if self.start > 0.5:                          # Marsaglia's tail: a Rayleigh variate beyond the start
                while True:
                    z = math.sqrt(self.start * self.start + 2.0 * rng.standard_exponential())
                    if rng.random() * z <= self.start:
                        break
            else:
                while z < self.start:
                    z = rng.standard_normal()
            step = z - (score - self.centre) / self.sd
            for i in range(x.size):
                x[i] += step * self.shift[i]

        def log_density(self, x):
            score = 0.0
            for i in range(x.size):
                score += self.a[i] * x[i]
            if score < self.level - self.edge:
                return -math.inf
            return log_row(self.law, x) - self.log_inside
        return draw, log_density

    # Moments: of the score beyond the level, by the hazard of the normal law
    @property
    def _hazard(self) -> tuple[float, float]:
        from scipy.special import log_ndtr
        _, mean, sd = self._score
        start = (self.level - mean) / sd
        return start, math.exp(-0.5 * start * start - 0.5 * math.log(2.0 * math.pi) - float(log_ndtr(-start)))

    @property
    def mean(self) -> np.ndarray:
        moved, _, sd = self._score
        return np.asarray(self.law.mean) + self._hazard[1] * moved / sd

    @property
    def variance(self) -> np.ndarray:
        moved, _, sd = self._score
        start, hazard = self._hazard
        return np.asarray(self.law.variance) - hazard * (hazard - start) * (moved / sd) ** 2
