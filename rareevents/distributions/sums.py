"""Laws of sums of independent numbers, where they have a closed form."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution
from rareevents.distributions.bernoulli import Bernoulli
from rareevents.distributions.binomial import Binomial
from rareevents.distributions.categorical import Categorical
from rareevents.distributions.exponential import Exponential
from rareevents.distributions.gamma import Gamma
from rareevents.distributions.geometric import Geometric
from rareevents.distributions.negative_binomial import NegativeBinomial
from rareevents.distributions.normal import Normal
from rareevents.distributions.poisson import Poisson
from rareevents.distributions.shifted import Shifted

CELLS = 1 << 15               # the most values of a convolved sum


def sum_law(laws: Sequence[Any]) -> Distribution | None:
    """The law of the sum of independent draws of several laws; None where it is not known.

    Families that are closed under addition stay in their family; counts with few values are convolved.

    Source: Johnson, Kotz and Kemp, Univariate Discrete Distributions (2005), chapters 3 to 5, for counts.
    """
    return _closed(laws) or _convolved(laws)


def repeated_sum(law: Any, n: int) -> Distribution | None:
    """The law of the sum of n >= 1 independent draws of one law of a closed family; None for another."""
    if n == 1:
        return law
    if type(law) is Poisson:
        return Poisson(n * law.rate)
    if type(law) in (Bernoulli, Binomial):
        return Binomial(n * getattr(law, "n", 1), law.p)
    if type(law) in (Geometric, NegativeBinomial):
        return NegativeBinomial(n * getattr(law, "r", 1.0), law.p)
    if type(law) in (Exponential, Gamma):
        return Gamma(n * getattr(law, "shape", 1.0), law.rate)
    if type(law) is Normal:
        return Normal(n * law.mean, math.sqrt(n) * law.sd)
    return None


def _closed(laws: Sequence[Any]) -> Distribution | None:
    """The sum of independent laws of a family that is closed under addition."""
    def shared(*names: str) -> bool:
        return len({tuple(getattr(law, name) for name in names) for law in laws}) == 1

    def added(name: str, default: float = 1.0) -> float:
        return math.fsum(getattr(law, name, default) for law in laws)

    def all_of(*classes: type) -> bool:
        return all(type(law) in classes for law in laws)

    if all_of(Poisson):
        return Poisson(added("rate"))
    if all_of(Bernoulli, Binomial) and shared("p"):
        return Binomial(sum(getattr(law, "n", 1) for law in laws), laws[0].p)
    if all_of(Geometric, NegativeBinomial) and shared("p"):
        return NegativeBinomial(added("r"), laws[0].p)
    if all_of(Exponential, Gamma) and shared("rate"):
        return Gamma(added("shape"), laws[0].rate)
    if all_of(Normal):
        return Normal(added("mean"), math.sqrt(math.fsum(law.sd ** 2 for law in laws)))
    return None


def _convolved(laws: Sequence[Any]) -> Distribution | None:
    """The sum of independent counts with finitely many values each: no term is negative, so nothing cancels."""
    ends = [law.support for law in laws]
    if any(law.dtype is not int or not math.isfinite(s.high - s.low) for law, s in zip(laws, ends, strict=True)):
        return None
    if sum(s.high - s.low for s in ends) >= CELLS:
        return None
    mass = np.ones(1)
    for law, s in sorted(zip(laws, ends, strict=True), key=lambda pair: pair[1].high - pair[1].low):
        mass = np.convolve(mass, np.exp(law.log_prob(np.arange(int(s.low), int(s.high) + 1))))
    return Shifted(Categorical(mass / mass.sum()), sum(int(s.low) for s in ends))
