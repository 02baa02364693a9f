"""Compound sum: S = X_1 + ... + X_N of N independent sizes, N a random count."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rareevents.distributions.base import Distribution, Support
from rareevents.distributions.parts import log_sum_exp, require_law
from rareevents.distributions.sums import repeated_sum
from rareevents.kernels import records

NEGLIGIBLE = 45.0             # logs below the largest term at which a sum over counts ends


@dataclass(frozen=True, init=False)
class CompoundSum(Distribution):
    """The sum of a random number of independent sizes, 0 without any: an insurer's claims, a season's damage.

    Its density has no closed form, and none is needed: a tilt by theta has the weight exp(kappa(theta) - theta s).
    `log_density` is relative to the law without a tilt, theta s - kappa(theta), so a proposal must be a tilt, or a
    mixture of tilts. A tilt draws the count and the sizes from tilted laws.

    Parameters
    ----------
    count : Distribution
        The law of N, of counts of at least 0.
    size : Distribution
        The law of each X, a law of one number. Its field is `sizes`, because `size` is the number of components of a
        draw; it may be given by that name too, as `repr` and `dataclasses.replace` do.
    theta : float
        By how much the sum is tilted, in one over the unit of the sizes; set by `tilt`.

    Raises
    ------
    TypeError
        If count or size is not a law of one number.
    ValueError
        If count can be negative, or theta is beyond what the laws can be tilted by.

    Source: Asmussen and Albrecher, Ruin Probabilities (2010), section IV.2, for the tilt.

    >>> from rareevents.distributions import Exponential, Poisson
    >>> CompoundSum(Poisson(10.0), Exponential(1.0)).mean
    10.0
    """

    count: Distribution
    sizes: Distribution
    theta: float

    def __init__(self, count: Distribution, size: Distribution | None = None, theta: float = 0.0, *,
                 sizes: Distribution | None = None) -> None:
        law = sizes if size is None else size
        require_law("count", count, scalar=True)
        require_law("size", law, scalar=True)
        for name, value in (("count", count), ("sizes", law), ("theta", float(theta))):
            object.__setattr__(self, name, value)
        if self.count.dtype is not int or self.count.supports[0].low < 0:
            raise ValueError(f"count must be a law of counts of at least 0, got {self.count!r}")
        if self.theta != 0.0:
            self._drawn                                    # noqa: B018  (raises where there is no such tilt)

    @property
    def support(self) -> Any:
        s = self.sizes.supports[0]
        most = self.count.supports[0].high
        return Support(s.kind, min(0.0, s.low * most if s.low < 0.0 else 0.0),
                       max(0.0, s.high * most if s.high > 0.0 else 0.0))

    @property
    def measure(self) -> Any:
        """What `log_density` is relative to."""
        return self.count, self.sizes

    @cached_property
    def _drawn(self) -> tuple[Distribution, Distribution]:
        """The laws of the count and of a size under the tilt."""
        if self.theta == 0.0:
            return self.count, self.sizes
        return self.count.tilt(self.sizes.log_mgf(self.theta)), self.sizes.tilt(self.theta)

    @cached_property
    def record(self) -> tuple[Any, ...]:
        count, size = self._drawn
        return records.record(drawn_count=count.record, drawn_size=size.record, theta=self.theta, kappa=self.kappa)

    @property
    def drawn_count(self) -> Distribution:
        """The law of the count under the tilt."""
        return self._drawn[0]

    @property
    def drawn_size(self) -> Distribution:
        """The law of a size under the tilt."""
        return self._drawn[1]

    @property
    def kappa(self) -> float:
        """log E[exp(theta S)] of the law without a tilt."""
        return self.count.log_mgf(self.sizes.log_mgf(self.theta)) if self.theta != 0.0 else 0.0

    # Sampling, and evaluation relative to the law without a tilt
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        count, size = self._drawn
        draw_count, draw_size = count.functions()[0], size.functions()[0]
        nothing = 0 if size.dtype is int else 0.0

        def draw(self, rng):
            total = nothing
            for _ in range(draw_count(self.drawn_count, rng)):
                total += draw_size(self.drawn_size, rng)
            return total

        def log_density(self, x):
            return self.theta * x - self.kappa
        return draw, log_density

    # Moments
    @property
    def mean(self) -> float:
        count, size = self._drawn
        return float(count.mean * size.mean)

    @property
    def variance(self) -> float:
        count, size = self._drawn
        return float(count.mean * size.variance + count.variance * size.mean ** 2)

    def log_mass(self, low: float, high: float) -> float:
        """log P(low <= S <= high), a sum over the counts; for sizes whose sums have a closed form."""
        return self.log_mass_by_count(lambda law: law.log_mass(low, high) if law is not None else
                                      (0.0 if low <= 0.0 <= high else -math.inf))

    def log_mass_by_count(self, log_g: Callable[[Any], float]) -> float:
        """log sum_n P(N = n) exp(log_g(law of the sum of n sizes)); the law is None for n = 0."""
        count, size = self._drawn
        terms: list[float] = []
        n, end = int(count.supports[0].low), count.supports[0].high
        while n <= end:
            law = None if n == 0 else repeated_sum(size, n)
            if n > 0 and law is None:
                raise AttributeError(f"CompoundSum has no log_mass for sizes like {size!r}: their sums have no closed "
                                     f"form")
            terms.append(float(count.log_prob(n)) + log_g(law))
            n += 1
            if n > count.mean and n % 16 == 0 and count.log_mass(n, math.inf) < max(terms) - NEGLIGIBLE:
                break
        return log_sum_exp(terms) if max(terms) > -math.inf else -math.inf

    # Tilting
    def log_mgf(self, theta: float) -> float:
        size = self.sizes.log_mgf(self.theta + theta)
        return self.count.log_mgf(size) - self.kappa if size < math.inf else math.inf

    def tilt(self, theta: float) -> CompoundSum:
        return CompoundSum(self.count, self.sizes, self.theta + theta)
