"""Jump chains: the next state is one of a few, with probabilities proportional to rates. Queues and birth and death."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions.base import require, require_number
from rareevents.kernels.bits import replaced
from rareevents.processes.base import Functions, Process


class JumpChain(Process):
    """The contract of a jump chain: jump k from a state has the probability rates(state)[k] / sum of the rates.

    As in::

        @dataclass(frozen=True)
        class Epidemic(JumpChain):
            infection: float
            people: int
            start = 3
            def rates(self, state): return self.infection * state * (self.people - state), 1.0 * state
            def jump(self, state, k): return state + 1 if k == 0 else state - 1

    The jumps of a process in continuous time make such a chain: whether it is in one set of states before another does
    not depend on its waiting times. A jump whose rate is 0 cannot happen; a state needs one that can.
    """

    def rates(self, state: Any) -> Sequence[float]:
        """The rate of each jump from a state, in a tuple of fixed length."""
        raise TypeError(f"{type(self).__name__} must define rates(self, state)")

    def jump(self, state: Any, k: int) -> Any:
        """The state that jump k leads to."""
        raise TypeError(f"{type(self).__name__} must define jump(self, state, k)")

    # Sampling and evaluation
    def functions(self) -> Functions:
        rates, jump = type(self).rates, type(self).jump

        def step(self, state, rng):
            rate = rates(self, state)
            total = 0.0
            least = 0.0
            for r in rate:
                total += r
                least = min(least, r)
            if not (least >= 0.0 and 0.0 < total < math.inf):
                raise ValueError("rates(state) must be at least 0, and one of them above 0")
            at = rng.random() * total
            k = 0
            below = 0.0
            for i in range(len(rate)):
                if rate[i] > 0.0 and below <= at:
                    k = i
                below += rate[i]
            return jump(self, state, k)

        def log_density(self, state, new):
            rate = rates(self, state)
            total = 0.0
            chance = 0.0
            for i in range(len(rate)):
                total += rate[i]
                if rate[i] > 0.0 and jump(self, state, i) == new:
                    chance += rate[i]
            return math.log(chance / total) if chance > 0.0 else -math.inf
        return Functions(type(self).begin, step, log_density, getattr(type(self), "log_begin", None))

    def step(self, state: Any, rng: Any) -> Any:
        return self.functions().step(self, state, rng)

    def log_density(self, state: Any, new: Any) -> float:
        return self.functions().log_density(self, state, new)                                # type: ignore[misc]

    def moves(self, state: Any) -> tuple[list[Any], np.ndarray]:
        rate = self.rates(state)
        total = sum(rate)
        if not (total > 0.0 and math.isfinite(total) and min(rate) >= 0.0):
            raise ValueError(f"rates({state!r}) must be at least 0, and one of them above 0, got {rate!r}")
        return [self.jump(state, k) if r > 0.0 else state for k, r in enumerate(rate)], np.array(rate) / total


@dataclass(frozen=True)
class BirthDeath(JumpChain):
    """The jumps of a population, a single queue or a gambler: up with the rate `birth`, down with the rate `death`.

    Parameters
    ----------
    birth, death : float
        Rates above 0; only their ratio counts.
    start : int
        The state at time 0.
    steps : int, optional
        Jumps of a path; None: until the event is decided.

    Source: Asmussen, Applied Probability and Queues (2003), section III.2.

    >>> BirthDeath(0.4, 0.6, start=1).moves(3)
    ([4, 2], array([0.4, 0.6]))
    """

    birth: float
    death: float
    start: int = 0                # type: ignore[misc]
    steps: int | None = None      # type: ignore[misc]

    def __post_init__(self) -> None:
        require_number("birth", self.birth, low=0.0, open_low=True)
        require_number("death", self.death, low=0.0, open_low=True)
        require(isinstance(self.start, (int, np.integer)) and not isinstance(self.start, bool), "start", self.start,
                "an integer")

    def rates(self, state: int) -> tuple[float, float]:
        return self.birth, self.death

    def jump(self, state: int, k: int) -> int:
        return state + 1 if k == 0 else state - 1


@dataclass(frozen=True)
class TandemQueue(JumpChain):
    """The jumps of queues in a row: customers arrive at the first and leave after the last.

    A state is a tuple with the number of customers at each queue. Jump 0 is an arrival, jump i a service at queue i.

    Parameters
    ----------
    arrival : float
        Rate of arrivals.
    services : sequence of float
        Rate of each queue's service.
    start : sequence of int, optional
        Customers at time 0; default one in the first queue.
    steps : int, optional
        Jumps of a path; None: until the event is decided.

    Source: Parekh and Walrand (1989), IEEE Transactions on Automatic Control 34, 54.

    >>> TandemQueue(0.1, [0.45, 0.45]).moves((1, 0))[0]
    [(2, 0), (0, 1), (1, 0)]
    """

    arrival: float
    services: Sequence[float]
    start: Any = None             # type: ignore[misc]
    steps: int | None = None      # type: ignore[misc]

    def __post_init__(self) -> None:
        require_number("arrival", self.arrival, low=0.0, open_low=True)
        given = tuple(np.atleast_1d(self.services).tolist())
        require(len(given) > 0, "services", self.services, "at least one rate")
        for i, rate in enumerate(given):
            require_number(f"services[{i}]", rate, low=0.0, open_low=True)
        object.__setattr__(self, "services", tuple(map(float, given)))
        start = (1,) + (0,) * (len(given) - 1) if self.start is None else tuple(self.start)
        require(len(start) == len(given) and all(isinstance(n, (int, np.integer)) and n >= 0 for n in start), "start",
                self.start, f"{len(given)} numbers of customers")
        object.__setattr__(self, "start", tuple(map(int, start)))

    def functions(self) -> Functions:
        def step(self, state, rng):
            total = self.arrival
            for i in range(len(state)):
                if state[i] > 0:
                    total += self.services[i]
            at = rng.random() * total - self.arrival
            if at < 0.0:
                return replaced(state, 0, state[0] + 1)
            served = 0
            for i in range(len(state)):
                if state[i] > 0 and at >= 0.0:
                    served = i
                    at -= self.services[i]
            left = replaced(state, served, state[served] - 1)
            return replaced(left, served + 1, left[served + 1] + 1) if served + 1 < len(state) else left

        def log_density(self, state, new):
            total = self.arrival
            rate = self.arrival if new == replaced(state, 0, state[0] + 1) else 0.0
            for i in range(len(state)):
                if state[i] > 0:
                    total += self.services[i]
                    left = replaced(state, i, state[i] - 1)
                    if i + 1 < len(state):
                        left = replaced(left, i + 1, left[i + 1] + 1)
                    if new == left:
                        rate = self.services[i]
            return math.log(rate / total) if rate > 0.0 else -math.inf
        return Functions(type(self).begin, step, log_density, getattr(type(self), "log_begin", None))

    def rates(self, state: tuple[int, ...]) -> tuple[float, ...]:
        return (self.arrival, *(rate if n > 0 else 0.0 for n, rate in zip(state, self.services, strict=True)))

    def jump(self, state: tuple[int, ...], k: int) -> tuple[int, ...]:
        new = list(state)
        if k > 0:
            new[k - 1] -= 1
        if k < len(new):
            new[k] += 1
        return tuple(new)
