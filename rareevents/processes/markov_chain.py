"""Markov chain: a path of states 0, 1, 2, ..., each drawn given the one before."""
from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.distributions.base import require
from rareevents.kernels.alias import alias_row, alias_rows
from rareevents.kernels.streams import Rng
from rareevents.processes.base import Process


@dataclass(frozen=True)
class MarkovChain(Process):
    """A chain of n states: P(X_(t+1) = j | X_t = i) = transition[i, j]. Weather, day by day.

    Parameters
    ----------
    transition : array of float, shape (n, n)
        Each row sums to 1 within 1e-9.
    initial : int, str or sequence of float
        The state at time 0, by its number or its label, or the probability of each state.
    steps : int, optional
        Steps of a path; time 0 is before the first and is not counted by events. None: until the event is decided.
    labels : sequence of str, optional
        Names of the states.

    Raises
    ------
    ValueError
        If a row is not a probability vector, the initial state does not exist, or steps is below 1.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), section XIII.3.

    >>> MarkovChain([[0.9, 0.1], [0.5, 0.5]], "calm", 30, labels=["calm", "storm"]).steps
    30
    """

    transition: Sequence[Sequence[float]]
    initial: Any
    steps: int | None = None      # type: ignore[misc]
    labels: Sequence[str] | None = field(default=None, metadata={"compiled": False})

    def __post_init__(self) -> None:
        p: np.ndarray = np.zeros(0)
        with contextlib.suppress(TypeError, ValueError):     # rows of several lengths, or no numbers
            p = np.array(self.transition, float)
        require(p.ndim == 2 and p.shape[0] == p.shape[1] and len(p) > 0, "transition", self.transition,
                "a square matrix of numbers")
        for i, row in enumerate(p):
            require(np.all(row >= 0.0) and abs(math.fsum(row) - 1.0) <= 1e-9, f"transition[{i}]", row.tolist(),
                    f"probabilities of at least 0 that sum to 1 (here the least is {np.min(row):g} and the sum "
                    f"{math.fsum(row):g})")
        object.__setattr__(self, "transition", tuple(map(tuple, p.tolist())))
        if self.labels is not None:
            named = not isinstance(self.labels, str) and all(isinstance(name, str) for name in self.labels)
            require(named and len(set(self.labels)) == len(self.labels) == len(p), "labels", self.labels,
                    f"{len(p)} different strings, one for each state")
            object.__setattr__(self, "labels", tuple(self.labels))
        require(self.steps is None or (isinstance(self.steps, (int, np.integer)) and not isinstance(self.steps, bool)
                                       and self.steps >= 1), "steps", self.steps, "an integer of at least 1, or None")
        object.__setattr__(self, "initial", self._initial(len(p)))

    def _initial(self, n: int) -> Any:
        given = self.initial
        if isinstance(given, str):
            require(self.labels is not None and given in self.labels, "initial", given,
                    f"one of the labels {self.labels}")
            return list(self.labels).index(given)                                            # type: ignore[arg-type]
        if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
            require(0 <= given < n, "initial", given, f"a state in 0, ..., {n - 1}")
            return int(given)
        chances = np.atleast_1d(np.array(given, float))
        require(chances.shape == (n,) and np.all(chances >= 0.0) and abs(chances.sum() - 1.0) <= 1e-9, "initial", given,
                f"a state, or {n} probabilities that sum to 1")
        return tuple(chances.tolist())

    @cached_property
    def matrix(self) -> np.ndarray:
        """The transition matrix with rows that sum to 1 as exactly as doubles can."""
        p = np.array(self.transition)
        return p / p.sum(axis=1, keepdims=True)

    def derive(self) -> dict[str, Any]:
        p = self.matrix
        first = np.eye(len(p))[self.initial] if isinstance(self.initial, int) else np.array(self.initial)
        with np.errstate(divide="ignore"):
            log_p = np.log(p)
            log_first = np.log(first)
        return {"log_p": log_p, "table": alias_rows(self.matrix), "first": alias_rows(first[None]),
                "log_first": log_first}

    # Sampling and evaluation
    def begin(self, rng: Rng) -> int | np.int64:
        return alias_row(rng, self.first, 0)

    def log_begin(self, state: int) -> float:
        return self.log_first[state]

    def step(self, state: int, rng: Rng) -> int | np.int64:
        return alias_row(rng, self.table, state)

    def log_density(self, state: int, new: int) -> float:
        return self.log_p[state, new]

    @property
    def beginnings(self) -> tuple[list[Any], np.ndarray]:
        """The states at time 0 and their probabilities."""
        if isinstance(self.initial, int):
            return [self.initial], np.ones(1)
        return list(range(len(self.initial))), np.array(self.initial)

    def moves(self, state: Any) -> tuple[list[Any], np.ndarray]:
        return list(range(len(self.transition))), self.matrix[state]
