"""Quantiles and expected shortfalls against exact ones: levels, intervals and their coverage, errors."""
import math

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents import proposals

N = rare.Normal(0.0, 1.0)


@pytest.mark.parametrize(("law", "score", "p", "level", "shortfall"), [
    (N, rare.identity, 1e-6, stats.norm.isf(1e-6), stats.norm.pdf(stats.norm.isf(1e-6)) / 1e-6),
    (rare.Exponential(2.0), rare.identity, 1e-8, -math.log(1e-8) / 2.0, -math.log(1e-8) / 2.0 + 0.5),
    (rare.IID(N, 30), rare.total, 1e-5, math.sqrt(30) * stats.norm.isf(1e-5),
     math.sqrt(30) * stats.norm.pdf(stats.norm.isf(1e-5)) / 1e-5),
    (rare.IID(N, 3), rare.score(lambda x: x[0] + x[1] + x[2]), 1e-5, math.sqrt(3) * stats.norm.isf(1e-5),
     math.sqrt(3) * stats.norm.pdf(stats.norm.isf(1e-5)) / 1e-5),
], ids=lambda value: None)
def test_reals(law, score, p, level, shortfall):
    found = rare.quantile(law, score, p, samples=50_000, seed=2, confidence=1.0 - 1e-6)
    assert found.low <= level <= found.high and found.high - found.low < 0.1 * level
    assert abs(found.expected_shortfall - shortfall) <= 4.9 * found.shortfall_error + (found.high - found.low)
    assert found.exceedance.value == pytest.approx(p, rel=0.15) and found.verdict == "trusted"
    assert found.evaluations.final == 100_000 and str(found).startswith("P(score >= t)")


def test_counts_give_the_smallest_value_that_is_rare_enough():
    found = rare.quantile(rare.Poisson(4.0), rare.identity, 1e-7, samples=50_000, seed=1)
    assert found.value == stats.poisson.isf(1e-7, 4.0) + 1.0
    assert stats.poisson.sf(found.value - 1.0, 4.0) <= 1e-7 < stats.poisson.sf(found.value - 2.0, 4.0)
    assert found.low <= found.value <= found.high


def test_the_interval_covers(replicates):
    exact, seeds = stats.norm.isf(1e-4), replicates(200, 50)
    inside = sum(found.low <= exact <= found.high for found in
                 (rare.quantile(N, rare.identity, 1e-4, samples=2000, seed=seed) for seed in range(seeds)))
    assert stats.binom.ppf(1e-6, seeds, 0.95) <= inside


def test_a_black_box_and_the_same_seed():
    one, two = (rare.quantile(N, rare.black_box(lambda x: 2.0 * x), 1e-5, samples=2000, seed=4) for _ in range(2))
    assert one.value == two.value and one.low <= 2.0 * stats.norm.isf(1e-5) <= one.high


@pytest.mark.parametrize(("make", "kind", "words"), [
    (lambda: rare.quantile(N, rare.at_least(3), 1e-3), TypeError, ("score", "identity")),
    (lambda: rare.quantile(N, rare.identity, 0.7), ValueError, ("probability", "0.7")),
    (lambda: rare.quantile(N, rare.identity, 1e-3, samples=10), ValueError, ("samples", "10")),
    (lambda: rare.quantile(N, rare.total, 1e-3), ValueError, ("f", "total")),
    (lambda: rare.quantile(rare.IID(N, 2), rare.score(lambda x: np.minimum(x[0], 1.0)), 1e-9), proposals.StalledError,
     ("stopped rising", "1")),
], ids=lambda value: None)
def test_names_what_is_wrong(make, kind, words):
    with pytest.raises(kind) as caught:
        make()
    for word in words:
        assert word in str(caught.value)
