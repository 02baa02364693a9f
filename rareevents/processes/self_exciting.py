"""Self-exciting counts: each count raises the rate of the next ones. Aftershocks, infections, defaults, storms."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from rareevents.distributions.base import require, require_number
from rareevents.kernels.special import poisson_log_mass
from rareevents.kernels.streams import Rng
from rareevents.processes.base import Process


@dataclass(frozen=True)
class SelfExciting(Process):
    """Counts X_t ~ Poisson(lambda_t) with lambda_(t+1) = base + excitation X_t + memory lambda_t.

    A state is (X_t, lambda_t). With memory 0 it is an autoregression of counts; with both, the discrete Hawkes process,
    or INGARCH(1, 1). `factor` multiplies the rate that counts are drawn with, and not the rate that is remembered: a
    proposal with a larger factor has more of everything.

    Parameters
    ----------
    base : float
        Above 0.
    excitation, memory : float
        At least 0. Their sum is the number of counts that one more count brings in the end; below 1 the mean is
        base / (1 - excitation - memory).
    steps : int
        Steps of a path.
    first : float, optional
        lambda_0, the rate before the first step, at which X_0 = first is taken; default the mean in the long run.
    factor : float
        Above 0.

    Raises
    ------
    ValueError, TypeError
        If an argument breaks its rule, or first is not given and there is no mean in the long run.

    Source: Ferland, Latour and Oraichi (2006), Journal of Time Series Analysis 27, 923.

    >>> SelfExciting(1.0, 0.25, 0.25, 30).start
    (2.0, 2.0)
    """

    base: float
    excitation: float
    memory: float
    steps: int | None             # type: ignore[misc]
    first: float | None = None
    factor: float = 1.0

    def __post_init__(self) -> None:
        require_number("base", self.base, low=0.0, open_low=True)
        require_number("excitation", self.excitation, low=0.0)
        require_number("memory", self.memory, low=0.0)
        require_number("factor", self.factor, low=0.0, open_low=True)
        rest = 1.0 - self.excitation - self.memory
        if self.first is None:
            require(rest > 0.0, "first", None, "given where excitation + memory is not below 1: there is no mean "
                    "in the long run")
            object.__setattr__(self, "first", self.base / rest)
        require_number("first", self.first, low=0.0)

    @property
    def start(self) -> Any:                                # type: ignore[override]
        return float(self.first), float(self.first)                                          # type: ignore[arg-type]

    @property
    def measure(self) -> Any:
        return self.base, self.excitation, self.memory        # the state holds the rate that they make of the past

    # Sampling and evaluation
    def step(self, state: tuple[float, float], rng: Rng) -> tuple[float, float]:
        rate = self.base + self.excitation * state[0] + self.memory * state[1]
        return float(rng.poisson(self.factor * rate)), rate

    def log_density(self, state: tuple[float, float], new: tuple[float, float]) -> float:
        rate = self.base + self.excitation * state[0] + self.memory * state[1]
        return poisson_log_mass(int(new[0]), self.factor * rate)

    # Tilting
    def tilt(self, theta: float) -> SelfExciting:
        """The law whose counts are tilted by theta one by one: the factor times exp(theta)."""
        return replace(self, factor=self.factor * math.exp(theta))
