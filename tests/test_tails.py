"""The fitted tail shape: against a reference implementation, on known laws, and where it must say nothing."""
from __future__ import annotations

import math

import numpy as np
import pytest

from rareevents.tails import pareto_k

KEPT = 1024


def largest(y):
    return np.sort(y[y > 0.0])[::-1][:KEPT]


def generalised_pareto(k, size, seed):
    u = np.random.default_rng(seed).random(size)
    return np.expm1(-k * np.log(u)) / k


@pytest.mark.parametrize("hits", [25, 26, 100, 224, 225, 226, 1_000, 20_000, 115_000])
@pytest.mark.parametrize("k", [0.2, 0.5, 0.8, 1.2])
def test_equals_arviz(hits, k):
    """The reference takes NEGATIVE log weights: with the sign lost it would fit the small weights."""
    from arviz_stats.base import array_stats
    weights = 0.1 + generalised_pareto(k, hits, seed=hits)
    reference = float(array_stats.psislw(-np.log(weights), r_eff=1.0)[1])
    assert pareto_k(largest(weights), hits) == pytest.approx(reference, abs=1e-6)


@pytest.mark.parametrize("k", [0.2, 0.5, 0.8, 1.2])
def test_recovers_the_shape(k):
    """|mean of 20 - k| <= 0.10 at 4,000 values, k pulled to 1/2 by the prior as (189 k + 5) / 199.

    sd(k-hat) is about (1 + k) / sqrt(189) = 0.16 at k = 1.2, so 0.036 for the mean of 20: 0.10 less the pull of 0.035
    leaves little, hence the pull is allowed for: 5 sd, false alarms 1e-6.
    """
    found = [pareto_k(largest(generalised_pareto(k, 4_000, seed)), 4_000) for seed in range(20)]
    pulled = (189.0 * k + 5.0) / 199.0
    assert abs(np.mean(found) - pulled) <= 5.0 * (1.0 + k) / math.sqrt(189.0 * 20.0)
    assert abs(np.mean(found) - k) <= 0.10


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**900])
def test_does_not_depend_on_the_scale(scale):
    y = largest(generalised_pareto(0.4, 2_000, seed=7))
    assert pareto_k(y * scale, 2_000) == pareto_k(y, 2_000)


@pytest.mark.parametrize("spread", [1e-290, 1e290])
def test_weights_many_powers_of_ten_apart(spread):
    """Terms that differ by more than a double's precision still have a shape, and a large one."""
    y = np.sort(np.exp(np.random.default_rng(1).random(1_000) * abs(math.log(spread))))[::-1]
    assert pareto_k(y, 1_000) > 5.0


@pytest.mark.parametrize("y", [
    np.empty(0), np.ones(24), np.ones(10_000), np.arange(1.0, 25.0),
    np.ones(10_000) * (1.0 + 1e-13 * np.random.default_rng(0).random(10_000)),       # equal but for rounding
    np.repeat([5.0, 4.0, 3.0, 2.0, 1.0], [1, 5, 20, 100, 10_000]),                   # four values above the cutoff
], ids=["none", "few", "constant", "24 hits", "rounding", "lattice"])
def test_not_applicable(y):
    assert pareto_k(largest(y), len(y)) is None


@pytest.mark.parametrize("rate", [18.0, 20.0, 24.0, 30.0])
def test_a_lattice_with_bounded_weights_has_no_tail(rate):
    """Poisson(4) at or above 20: nearly all of the largest terms lie on one or two atoms."""
    x = np.random.default_rng(2).poisson(rate, 10_000)
    y = np.where(x >= 20, np.exp(rate - 4.0 + x * math.log(4.0 / rate)), 0.0)
    assert pareto_k(largest(y), int((y > 0).sum())) is None


def test_a_lattice_with_infinite_variance_is_seen():
    """P(Y = 1.5^j) = 0.36 0.64^j has E Y^2 = infinity; its tail index is log 1.5 / log(1 / 0.64) = 0.91."""
    y = 1.5 ** (np.random.default_rng(3).geometric(0.36, 20_000) - 1.0)
    assert pareto_k(largest(y), len(y)) > 0.5


def test_ties_with_the_cutoff_are_no_exceedances():
    """An atom at the cutoff changes nothing but the cutoff: the fit is that of the values above it."""
    above = 1.0 + generalised_pareto(0.5, 60, seed=5)
    found = pareto_k(largest(np.concatenate([np.ones(940), above])), 1_000)
    alone = pareto_k(largest(np.concatenate([[1.0], above])), 10**9)
    assert found == alone
