"""A test with fresh seeds that rarely cries wolf: draw more where it is in doubt, and never draw again.

Gandy and Scott (2020), Unit testing for MCMC and other Monte Carlo methods, arXiv 2001.06465, algorithm 1.
"""
from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    """How a sequential test ended: at which stage, and the smallest p-values that it saw, times their number."""

    passed: bool
    smallest: tuple[float, ...]

    @property
    def stages(self) -> int:
        return len(self.smallest)


def sequential(pvalues: Callable[[int, int], list[float]], draws: int, level: float = 1e-5, stages: int = 7) -> Outcome:
    """pvalues(stage, n) from n fresh draws, n twice as large at each stage, until they are small or large enough.

    With q the smallest p-value times their number and beta = level / stages: fail where q <= beta, pass where
    q > gamma + beta, with gamma = beta^(1 / stages), and otherwise go on with beta / gamma. If all is well, stage i is
    reached with probability gamma^(i - 1) at most and fails with beta / gamma^(i - 1): level / stages for each.
    """
    beta = level / stages
    gamma, smallest = beta ** (1.0 / stages), []
    for stage in range(stages):
        found = pvalues(stage, draws << stage)
        q = min(found) * len(found)
        smallest.append(q)
        if q <= beta:
            return Outcome(False, tuple(smallest))
        if q > gamma + beta:
            break
        beta /= gamma
    return Outcome(True, tuple(smallest))
