"""A certified interval with the relative error asked for: draws until so many weights, thinned, are accepted."""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rareevents.checks import ROUNDING
from rareevents.distributions import Distribution
from rareevents.draws import values, weighted_draws
from rareevents.kernels.stages import BLOCKS
from rareevents.kernels.streams import python_stream

BLOCK = 1 << 16               # draws at a time


class Gbas(NamedTuple):
    """The value and the law of its relative error: value / mu is (k - 1) / G with G from the gamma law of shape k."""

    value: float
    accepted: int                 # k
    draws: int
    hits: int

    @property
    def relative_error(self) -> float:
        """The standard deviation of value / mu, 1 / sqrt(k - 2)."""
        return 1.0 / math.sqrt(self.accepted - 2.0)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval with exactly this confidence: value / (k - 1) times quantiles of the gamma law."""
        from scipy.special import gammaincinv
        tail = 0.5 * (1.0 - confidence)
        low, high = (float(gammaincinv(self.accepted, p)) for p in (tail, 1.0 - tail))
        return self.value * low / (self.accepted - 1.0), self.value * high / (self.accepted - 1.0)


def acceptances(relative_error: float) -> int:
    """The k at which the relative standard error is 1 / sqrt(k - 2).

    >>> acceptances(0.01)
    10002
    """
    return 2 + math.ceil(1.0 / relative_error ** 2 - 1e-9)


def gbas(nominal: Distribution, f: Any, proposal: Distribution, bound: float, accepted: int, seed: int,
         most: float = math.inf) -> Gbas | None:
    """E_p[f] for f p/q in [0, B]: each draw is accepted with probability f p/(q B), until k are.

    With an exponential variate for every draw, the sum G until the k-th acceptance is gamma with shape k and rate
    mu / B, whatever the weights: B (k - 1) / G has an exactly known relative error.

    Parameters
    ----------
    nominal, f, proposal
        p, an event or integrand f >= 0 with one value, q.
    bound : float
        B, proven.
    accepted : int
        k, above 2.
    most : float
        Draws after which to give up; the result is then None, and where a term exceeds the bound, which is refuted.

    Source: Huber (2017), A Bernoulli mean estimate with known relative error distribution, Random Structures and
    Algorithms 50, 173, theorem 1.
    """
    left, draws, total, hits = accepted, 0, 0.0, 0
    for stage in BLOCKS:
        if draws >= most:
            return None
        x, log_w = weighted_draws(nominal, proposal, BLOCK, seed, stage)
        y = values(f, x) * np.exp(log_w) / bound
        if np.max(y) > 1.0 + ROUNDING:
            return None
        rng = python_stream(seed, stage)
        taken = rng.random(BLOCK) < y
        waits = rng.standard_exponential(BLOCK)
        if np.count_nonzero(taken) >= left:
            last = int(np.flatnonzero(taken)[left - 1])
            total += float(np.sum(waits[:last + 1]))
            hits += int(np.count_nonzero(y[:last + 1]))
            return Gbas(bound * (accepted - 1.0) / total, accepted, draws + last + 1, hits)
        left -= int(np.count_nonzero(taken))
        total += float(np.sum(waits))
        hits += int(np.count_nonzero(y))
        draws += BLOCK
    return None
