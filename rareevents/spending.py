"""What a search may spend: draws, and seconds on the clock. The limits that a user set hold for it too."""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROWS = 64                     # evaluations of an integrand between two looks at the clock


class SpentError(RuntimeError):
    """The draws or the seconds that a search may spend are used up."""


@dataclass
class Budget:
    """The draws of a search: how many it may make and by when, and how many it made."""

    draws: float = math.inf
    deadline: float = math.inf    # in seconds of time.perf_counter()
    spent: int = 0

    def allows(self, draws: int) -> bool:
        """Whether so many more draws may be made."""
        return self.spent + draws <= self.draws and time.perf_counter() < self.deadline

    def take(self, draws: int) -> None:
        """Count so many draws before they are made; raises SpentError if they may not be."""
        if not self.allows(draws):
            raise SpentError(f"max_samples or max_seconds ended the exploration after {self.spent:,} draws")
        self.spent += draws

    def timed(self, evaluate: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
        """The function of rows, which looks at the clock from time to time where there is a deadline."""
        if math.isinf(self.deadline):
            return evaluate

        def within(x: np.ndarray) -> np.ndarray:
            parts = []
            for first in range(0, max(1, len(x)), ROWS):
                self.take(0)
                parts.append(evaluate(x[first:first + ROWS]))
            return np.concatenate(parts)
        return within
