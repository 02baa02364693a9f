"""IID law: n independent draws of one law, density p(x_1) ... p(x_n)."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution
from rareevents.distributions.independent import Independent
from rareevents.distributions.parts import require_law, thetas


@dataclass(frozen=True)
class IID(Distribution):
    """A row of n independent draws of one law: density p(x_1) ... p(x_n).

    Parameters
    ----------
    law : Distribution
        The law of each component, a law of one number.
    n : int
        Number of components, at least 1.

    Raises
    ------
    TypeError
        If `law` is not a law of one number, or n not an integer.
    ValueError
        If n is below 1.

    Source: the density of independent variables is the product of theirs.

    >>> from rareevents.distributions import Normal
    >>> IID(Normal(0.0, 1.0), 3).tilt(0.5)
    IID(law=Normal(mean=0.5, sd=1.0), n=3)
    """

    law: Distribution
    n: int

    def __post_init__(self) -> None:
        require_law("law", self.law, scalar=True)
        if isinstance(self.n, (bool, np.bool_)) or not isinstance(self.n, (int, np.integer)):
            raise TypeError(f"n must be an integer, got {self.n!r}")
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n!r}")

    @property
    def support(self) -> Any:
        return self.law.support

    @property
    def size(self) -> int:
        return int(self.n)

    @property
    def measure(self) -> Any:
        return None if self.law.measure is None else (self.law.measure,) * self.size

    @property
    def functions_key(self) -> Any:
        return type(self), self.law.functions_key

    # Sampling and evaluation
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_one, log_one = self.law.functions()

        def draw(self, rng, x):
            for i in range(x.size):
                x[i] = draw_one(self.law, rng)

        def log_density(self, x):
            total = 0.0
            for i in range(x.size):
                total += log_one(self.law, x[i])
            return total
        return draw, log_density

    # Moments
    @property
    def mean(self) -> np.ndarray:
        return np.full(self.size, self.law.mean, float)

    @property
    def variance(self) -> np.ndarray:
        return np.full(self.size, self.law.variance, float)

    # Tilting: one number for all components, or a vector
    def log_mgf(self, theta: Any) -> float:
        if np.ndim(theta) == 0:
            return self.n * self.law.log_mgf(float(theta))
        return float(sum(self.law.log_mgf(float(t)) for t in thetas(theta, self.size)))

    def tilt(self, theta: Any) -> IID | Independent:
        if np.ndim(theta) == 0:
            return IID(self.law.tilt(float(theta)), self.n)
        return Independent([self.law.tilt(float(t)) for t in thetas(theta, self.size)])
