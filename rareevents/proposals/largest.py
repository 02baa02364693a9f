"""Heavy-tailed sums: the largest term is integrated, and the number of terms and the others are drawn to suit it.

Asmussen and Kroese draw all terms but the largest: P(S >= u) = E[N P(X > max(M, u - S'))]. That is enough where one
term makes the event. Where several share it (Weibull shapes near 1, moderate u) the others must be larger than usual,
and the number of terms too: with both, the relative variance stays below 1 where either alone leaves hundreds.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.designs import Design, Restated
from rareevents.distributions import Categorical
from rareevents.draws import weighted_draws
from rareevents.kernels.stages import LARGEST
from rareevents.paths.bounds import log_suprema, sum_bound
from rareevents.paths.sums import LargestIntegrated
from rareevents.processes.all_but_largest import AllButLargest
from rareevents.proposals.sums import Sum, sum_of

SCALES = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 7.0)       # of the other terms, that are tried
PILOT, FEWEST = 2000, 20      # sums of each number of terms, and the fewest
SHARE = 0.05                  # of the counts that are drawn as they matter where one term makes the event
BOUNDED = (5e-4, 0.02)        # least and most of the counts that are drawn so that the weight is bounded
PRICE = 0.05                  # of the variance, which that may cost
NEGLIGIBLE = 1e-14            # of the answer: what larger counts could add
MOST = 1 << 12                # terms
WORTH = 0.7                   # of the variance: what a scale must save, because without one the weight is bounded


def largest_integrated(nominal: Any, event: Any, seed: int = 0, max_samples: int | None = None) -> Restated:
    """For a sum of sizes without a moment generating function: integrate the largest, design the rest.

    Parameters
    ----------
    nominal : CompoundSum or IID
        The sum, or its terms for an event of `total`; of log-normal, Lomax or Weibull sizes.
    event : event
        A level of the sum from below, such as at_least(200.0) or total >= 200.0.
    seed : int
        Of the pilot that chooses the proposal.
    max_samples : int, optional
        Of which the pilot spends at most a tenth.

    Raises
    ------
    ValueError
        If nominal or event is not of that kind, or the sum has too many terms.

    Source: Asmussen and Kroese (2006), Advances in Applied Probability 38, 545; the law of the count proportional to
    its probability times the root mean square of what it adds is the ideal one for the draws that follow.

    >>> from rareevents import CompoundSum, LogNormal, Poisson, at_least
    >>> made = largest_integrated(CompoundSum(Poisson(4.0), LogNormal(0.0, 1.0)), at_least(200.0))
    >>> made.design.learning > 0
    True
    """
    given = sum_of(nominal, event)
    size, level, chances = given.size, given.level, _chances(given)
    count = PILOT if max_samples is None else min(PILOT, max_samples // (10 * len(chances)))
    if count < FEWEST:
        raise ValueError(f"max_samples must allow {FEWEST} sums of each number of terms in a tenth of it, got "
                         f"{max_samples!r}")
    rms, means, spent = _pilot(size, len(chances), level, seed, count)
    cost = rms @ chances
    best = int(np.argmin(cost))
    if best and (cost[best] / cost[0]) ** 2 > WORTH:
        best = 0
    variance = float((cost[best] / (means[best] @ chances)) ** 2 - 1.0)
    ideal = chances * rms[best]
    plain = chances * np.arange(len(chances))
    others = size.scaled(SCALES[best])                                                      # type: ignore[attr-defined]
    q = (1.0 - SHARE) * ideal / ideal.sum() + SHARE * plain / plain.sum()
    f = LargestIntegrated(size, level)
    suprema = log_suprema(size, others, level, len(chances))
    if suprema is not None:
        most = chances * np.exp(suprema)
        share = min(max(PRICE * variance, BOUNDED[0]), BOUNDED[1])
        q = (1.0 - share) * q + share * most / most.sum()
    asked = AllButLargest(Categorical(tuple(chances.tolist())), size)
    law = AllButLargest(Categorical(tuple((q / q.sum()).tolist())), others)
    how = "the largest term integrated, the number of terms drawn as it matters" + \
        (f", and the others {SCALES[best]:g} times as large" if best else "")
    return Restated(asked, f, Design(law, how, bound=sum_bound(asked, f, law), learning=spent))


def _chances(asked: Sum) -> np.ndarray:
    """The probability of each number of terms that matters."""
    size, count, level = asked
    if not hasattr(type(size), "survival"):
        raise ValueError(f"nominal must have log-normal, Lomax or Weibull sizes, got {size!r}")
    if isinstance(count, int):
        return np.append(np.zeros(count), 1.0)
    least = math.exp(count.log_mass(1.0, math.inf) + size.log_mass(level, math.inf))     # one term suffices
    most = 1
    while math.exp(count.log_mass(most + 1.0, math.inf)) > NEGLIGIBLE * least:
        most += 1
        if most > MOST:
            raise ValueError(f"nominal must have fewer than {MOST:,} terms that matter, got {count!r}")
    chances = np.exp(count.log_prob(np.arange(most + 1)))
    return chances / chances.sum()


def _pilot(size: Any, counts: int, level: float, seed: int, each: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The root mean square and the mean of n P(X > max(M, u - S')) p/q for each scale of the others and each n."""
    x = weighted_draws(size, None, each * (counts - 1), seed, LARGEST[0])[0].reshape(each, counts - 1)
    rms, means = np.zeros((len(SCALES), counts)), np.zeros((len(SCALES), counts))
    for k, scale in enumerate(SCALES):
        y = scale * x
        log_w = np.cumsum(size.log_prob(y) - size.scaled(scale).log_prob(y), axis=1)
        sums, largest = np.cumsum(y, axis=1), np.maximum.accumulate(y, axis=1)
        for n in range(1, counts):
            t = np.full(each, level) if n == 1 else np.maximum(largest[:, n - 2], level - sums[:, n - 2])
            tail = np.array([size.survival(v) for v in t.tolist()])
            w = np.exp(log_w[:, n - 2]) if n > 1 else 1.0
            rms[k, n] = math.sqrt(float(np.mean((n * tail * w) ** 2)))
            means[k, n] = float(np.mean(n * tail * w))
    return rms, means, x.size
