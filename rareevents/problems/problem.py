"""What a reference problem is."""
from __future__ import annotations

from typing import Any, NamedTuple


class Problem(NamedTuple):
    """A question whose answer is known."""

    nominal: Any                  # a law, or a law of paths
    question: Any                 # an event, or a function
    exact: float
    best_tilt: float | None = None            # the relative variance of the best exponential tilt, where it is known
