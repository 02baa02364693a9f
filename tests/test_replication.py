"""Draws that help each other: unbiased, more accurate where they should be, and with errors that are right."""
import math

import numpy as np
import pytest
from scipy import stats

import rareevents as rare

N, P = rare.Normal(0.0, 1.0), rare.Poisson(4.0)
LAW = rare.IID(N, 4)
EVENT, EXACT = rare.total >= 9.0, stats.norm.sf(4.5)
TILT = LAW.tilt(9.0 / 4.0)
B60, SIDES = rare.Binomial(60, 0.3), rare.at_most(4) | rare.at_least(36)
TILTS = rare.Mixture([B60.tilt(-1.85), B60.tilt(1.28)], [0.85, 0.15])
BOTH = stats.binom.cdf(4, 60, 0.3) + stats.binom.sf(35, 60, 0.3)
CASES = {
    "independent": (LAW, EVENT, TILT, EXACT), "antithetic": (LAW, EVENT, TILT, EXACT),
    "quasi-random": (LAW, EVENT, TILT, EXACT), "stratified": (B60, SIDES, TILTS, BOTH),
    "control variates": (B60, SIDES, TILTS, BOTH),
}
LIMIT = stats.t.isf(5e-7, 31)                                # of 32 replicates: false alarm 1e-6


@pytest.mark.parametrize("scheme", CASES)
def test_unbiased_with_an_honest_error(scheme):
    law, event, proposal, exact = CASES[scheme]
    found = rare.replicate(law, event, proposal, scheme, samples=1 << 11, seed=1)
    assert abs(found.value - exact) <= LIMIT * found.std_error
    assert found.samples == 32 << 11 and scheme in str(found)
    assert found == rare.replicate(law, event, proposal, scheme, samples=1 << 11, seed=1)


def test_what_helps_and_by_how_much():
    plain = rare.replicate(LAW, EVENT, TILT, "independent", samples=1 << 12, replicates=64, seed=2).relative_variance
    sobol = rare.replicate(LAW, EVENT, TILT, "quasi-random", samples=1 << 12, replicates=64, seed=2).relative_variance
    assert sobol < plain / 20.0
    equal = rare.Mixture(TILTS.components, [0.5, 0.5])
    alone = rare.oracle.grade(B60, SIDES, equal).relative_variance
    strata = rare.replicate(B60, SIDES, equal, "stratified", samples=1 << 11, replicates=128, seed=2).relative_variance
    assert strata < alone                                    # the variance between the sides is gone


def test_intervals_cover(replicates):
    seeds = replicates(200, 50)
    inside = sum(found.low <= EXACT <= found.high for found in
                 (rare.replicate(LAW, EVENT, TILT, "antithetic", samples=256, replicates=16, seed=seed)
                  for seed in range(seeds)))
    assert stats.binom.ppf(1e-6, seeds, 0.95) <= inside


def test_numbers_and_correlated_vectors():
    one = rare.replicate(N, rare.at_least(4.0), rare.Normal(4.0, 1.0), "quasi-random", seed=1)
    assert abs(one.value - stats.norm.sf(4.0)) <= LIMIT * one.std_error
    law = rare.MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]])
    a = np.array([1.0, 1.0])
    q = law.tilt(a * 4.0 / math.sqrt(3.0))
    two = rare.replicate(law, rare.linear(a) >= 4.0 * math.sqrt(3.0), q, "quasi-random", seed=1)
    assert abs(two.value - stats.norm.sf(4.0)) <= LIMIT * two.std_error


@pytest.mark.parametrize(("make", "words"), [
    (lambda: rare.replicate(LAW, EVENT, TILT, "lucky"), ("scheme", "'lucky'")),
    (lambda: rare.replicate(LAW, EVENT, TILT, "quasi-random", samples=1000), ("samples", "power of two")),
    (lambda: rare.replicate(LAW, EVENT, TILT, "stratified"), ("proposal", "mixture")),
    (lambda: rare.replicate(P, rare.at_least(20), rare.Poisson(20.0), "antithetic"), ("proposal", "normal")),
    (lambda: rare.replicate(LAW, EVENT, TILT, "independent", replicates=2), ("replicates", "2")),
], ids=lambda value: None)
def test_names_what_is_wrong(make, words):
    with pytest.raises(ValueError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
