"""Questions about a sum, of paths of `AllButLargest`: each path is the terms of one sum."""
from __future__ import annotations

from dataclasses import dataclass

from rareevents.distributions import Distribution
from rareevents.kernels import records
from rareevents.paths.functional import Functional


@dataclass(frozen=True, eq=False)
class LargestIntegrated:
    """P(sum >= level | all terms but the largest), of paths of `AllButLargest`: n P(X > max(M, level - S))."""

    size: Distribution            # of a term
    level: float

    def functional(self) -> Functional:
        """The plain functions to compile; a path ends with its last term."""
        survival = type(self.size).survival          # type: ignore[attr-defined]

        def start(e, state):
            return 0

        def update(e, nothing, time, state):
            return 0

        def decide(e, nothing, state, left):
            return 1 if state[0] == 0 else -1

        def value(e, nothing, state):
            return state[1] * survival(e.size, max(state[3], e.level - state[2]))
        return Functional(records.record(size=self.size.record, level=self.level), start, update, decide, value,
                          finite=False)

    def __repr__(self) -> str:
        return f"P(sum >= {self.level:g} | all terms but the largest)"


@dataclass(frozen=True, eq=False)
class SumReaches:
    """1(sum >= level), of paths of `AllButLargest` that draw every term; a path ends where it has reached the level."""

    level: float

    def functional(self) -> Functional:
        """The plain functions to compile."""
        def start(e, state):
            return 0

        def update(e, nothing, time, state):
            return 0

        def decide(e, nothing, state, left):
            return 1 if state[2] >= e.level else 0 if state[0] == 0 else -1

        def value(e, nothing, state):
            return state[2] >= e.level
        return Functional(records.record(level=self.level), start, update, decide, value, finite=False)

    def __repr__(self) -> str:
        return f"sum >= {self.level:g}"
