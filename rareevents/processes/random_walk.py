"""Random walk: each step adds an independent draw of a law, or the sum of draws of several."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, require, require_number
from rareevents.distributions.parts import laws_of, require_law
from rareevents.kernels import records
from rareevents.processes.base import Functions, Process

WIDEST = 256                  # values of an increment that still count as finitely many moves


@dataclass(frozen=True)
class RandomWalk(Process):
    """A walk S_(t+1) = S_t + X_(t+1) with independent increments: a reserve, a price in logarithms, a waiting time.

    Parameters
    ----------
    increment : Distribution or sequence of Distribution
        The law of X; of several laws, whose draws are added: claims and minus the premium, say. The density of such a
        sum is not known, and not needed: its tilts are compared with each other.
    start : float
        S_0.
    steps : int, optional
        Steps of a path; None: until the event is decided.
    theta : float
        By how much the sum of several laws is tilted; set by `tilt`.

    Raises
    ------
    TypeError, ValueError
        If increment is not a law of numbers, start is not finite, or steps is below 1.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), section VI.2.

    >>> from rareevents.distributions import Normal
    >>> RandomWalk(Normal(-0.1, 1.0), start=0.0, steps=50).tilt(0.2).increment
    Normal(mean=0.1, sd=1.0)
    """

    increment: Any
    start: float = 0.0            # type: ignore[misc]
    steps: int | None = None      # type: ignore[misc]
    theta: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.increment, Distribution) or not isinstance(self.increment, Iterable):
            require_law("increment", self.increment, scalar=True)
        else:
            object.__setattr__(self, "increment", laws_of("increment", self.increment, scalar=True))
        require_number("start", self.start)
        require_number("theta", self.theta)
        if self.steps is not None:
            require(isinstance(self.steps, (int, np.integer)) and not isinstance(self.steps, bool) and self.steps >= 1,
                    "steps", self.steps, "an integer of at least 1, or None")
        if self.theta and isinstance(self.increment, Distribution):
            raise ValueError(f"theta must be 0 for one law, which is tilted itself, got {self.theta!r}")

    @property
    def laws(self) -> tuple[Distribution, ...]:
        """The laws whose draws a step adds, without a tilt."""
        return (self.increment,) if isinstance(self.increment, Distribution) else self.increment

    @cached_property
    def drawn(self) -> tuple[Distribution, ...]:
        """The same under the tilt."""
        return self.laws if self.theta == 0.0 else tuple(law.tilt(self.theta) for law in self.laws)

    @property
    def measure(self) -> Any:
        return self.increment.measure if isinstance(self.increment, Distribution) else self.laws

    @cached_property
    def record(self) -> tuple[Any, ...]:
        return records.record(parts=records.nest([law.record for law in self.drawn]), theta=self.theta,
                              kappa=self.kappa, start=int(self.start) if self._whole else float(self.start))

    @property
    def _whole(self) -> bool:
        """Whether states are integers."""
        return all(law.dtype is int for law in self.laws) and float(self.start).is_integer()

    @property
    def kappa(self) -> float:
        """log E[exp(theta X)] of the increments without a tilt."""
        return sum(law.log_mgf(self.theta) for law in self.laws) if self.theta else 0.0

    # Sampling and evaluation
    def functions(self) -> Functions:
        draw_all: Any = None
        for law in reversed(self.drawn):
            draw_all = _adding(law.functions()[0], draw_all)
        log_one = self.drawn[0].functions()[1]

        def begin(self, rng):
            return self.start

        def step(self, state, rng):
            return state + draw_all(self.parts, rng)

        def log_of_one(self, state, new):
            return log_one(self.parts[0], new - state)

        def log_on_lattice(self, state, new):              # counts added to a state that is no integer
            x = round(new - state)
            return log_one(self.parts[0], x) if state + x == new else -math.inf

        def log_of_sum(self, state, new):
            return self.theta * (new - state) - self.kappa
        one = log_of_one if self._whole or self.drawn[0].dtype is not int else log_on_lattice
        return Functions(begin, step, one if isinstance(self.increment, Distribution) else log_of_sum)

    def begin(self, rng: Any) -> Any:
        return self.record.start                                                             # type: ignore[attr-defined]

    def step(self, state: Any, rng: Any) -> Any:
        return self.functions().step(self.record, state, rng)

    def log_density(self, state: Any, new: Any) -> float:
        return self.functions().log_density(self.record, state, new)                         # type: ignore[misc]

    @property
    def beginnings(self) -> tuple[list[Any], np.ndarray]:
        """The state at time 0 and its probability."""
        return [self.record.start], np.ones(1)                                               # type: ignore[attr-defined]

    @cached_property
    def _values(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The values of an increment with finitely many, and their probabilities."""
        law = self.drawn[0]
        s = law.supports[0]
        if len(self.drawn) > 1 or law.dtype is not int or not s.high - s.low < WIDEST or law.measure is not None:
            return None
        x = np.arange(int(s.low), int(s.high) + 1)
        p = np.exp(law.log_prob(x))
        return x[p > 0.0], p[p > 0.0] / p.sum()

    def moves(self, state: Any) -> tuple[list[Any], np.ndarray] | None:
        if self._values is None:
            return None
        return [state + x for x in self._values[0].tolist()], self._values[1]

    # Tilting
    def log_mgf(self, theta: float) -> float:
        """log E[exp(theta X)] of an increment; inf where there is none."""
        total = 0.0
        for law in self.laws:
            total += law.log_mgf(self.theta + theta)
        return total - self.kappa if total < math.inf else math.inf

    def tilt(self, theta: float) -> RandomWalk:
        """The walk whose increments are tilted; the weight of a path is exp(t log_mgf(theta) - theta (S_t - S_0))."""
        if isinstance(self.increment, Distribution):
            return RandomWalk(self.increment.tilt(theta), self.start, self.steps)
        return RandomWalk(self.increment, self.start, self.steps, self.theta + theta)

    @property
    def drift(self) -> float:
        """The mean of an increment."""
        return float(sum(law.mean for law in self.drawn))                                    # type: ignore[attr-defined]


def _adding(draw_one: Callable[..., Any], draw_rest: Any) -> Callable[..., Any]:
    """The sum of a draw of the first law and of the others."""
    def draw(parts, rng):
        return draw_one(parts[0], rng)

    def draw_on(parts, rng):
        return draw_one(parts[0], rng) + draw_rest(parts[1], rng)
    return draw if draw_rest is None else draw_on
