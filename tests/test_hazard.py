"""Hazard-rate twisting: the twisted laws by their definition, sums that are right, and a bound that holds."""
import math

import numpy as np
import pytest

import rareevents as rare
from rareevents import proposals
from rareevents.distributions.two_piece import TwoPieceLogNormal
from rareevents.proposals.hazard import hazard, twisted
from rareevents.testing import check_distribution
from tests.test_paths import Z

SIZES = [rare.Lomax(1.5, 2.0), rare.Weibull(0.5, 3.0), rare.Weibull(2.0, 1.0), rare.LogNormal(0.3, 0.8)]


@pytest.mark.parametrize("law", [TwoPieceLogNormal(0.0, 1.0, 2.0), TwoPieceLogNormal(0.5, 0.3, 0.4),
                                 TwoPieceLogNormal(-3.0, 2.0, 3.0)])
def test_the_two_piece_law(law):
    check_distribution(law)


def test_a_two_piece_law_without_a_stretch_is_log_normal():
    x = np.geomspace(1e-4, 1e6, 40)
    one, other = TwoPieceLogNormal(0.3, 0.8, 1.0), rare.LogNormal(0.3, 0.8)
    assert one.log_prob(x) == pytest.approx(other.log_prob(x), rel=1e-12)
    for v in (0.1, 2.0, 30.0):
        assert one.log_tails(v) == pytest.approx(other.log_tails(v), rel=1e-12)


@pytest.mark.parametrize("theta", [0.2, 0.9])
@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_twists_are_those_of_the_definition(size, theta):
    """log q - log p - theta Lambda is one number, whatever x; without a twist the law is the same."""
    x = np.geomspace(1e-3, 50.0, 30)
    off = twisted(size, theta).log_prob(x) - size.log_prob(x) - theta * np.array([hazard(size, v) for v in x.tolist()])
    assert off == pytest.approx(np.full(len(x), off[0]), abs=1e-10)
    assert twisted(size, 0.0).log_prob(x) == pytest.approx(size.log_prob(x), rel=1e-12)


# The values are those of the test of `largest_integrated`; |z| < 5.2 for each.
@pytest.mark.parametrize(("size", "level", "value", "variance"), [
    (rare.Lomax(1.5, 1.0), 1e2, 4.432e-3, 80.0), (rare.LogNormal(0.0, 1.0), 50.0, 4.0618e-4, 40.0)])
def test_a_twisted_season(size, level, value, variance):
    made = proposals.hazard_twist(rare.CompoundSum(rare.Poisson(4.0), size), rare.at_least(level))
    found = rare.estimate(made.nominal, made.f, made.design, samples=200_000, seed=2)
    assert abs(found.value - value) < Z * found.std_error + 3e-4 * value
    assert found.relative_variance < variance and "of their hazard" in made.design.how


def test_the_bound_for_terms():
    """For n concave hazards theta is 1 - n/Lambda(u), and no term exceeds (e Lambda/n)^n exp(-Lambda)."""
    law, event = rare.IID(rare.Lomax(2.5, 1.0), 5), rare.total >= 1e3
    made = proposals.hazard_twist(law, event)
    at = 2.5 * math.log(1001.0)
    assert made.design.law.law.alpha == pytest.approx(2.5 * 5.0 / at, rel=1e-6)
    assert made.design.bound == pytest.approx((math.e * at / 5.0) ** 5 * math.exp(-at), rel=1e-6)
    x, log_w = rare.weighted_samples(law, made.design, 20_000, seed=1)
    hit = x.sum(axis=1) >= 1e3
    terms = np.exp(log_w[hit])
    assert hit.sum() > 500 and terms.max() <= made.design.bound * (1.0 + 1e-9)
    assert abs(terms.sum() / 20_000 - 1.587807262877e-07) < Z * math.sqrt(np.sum(terms ** 2)) / 20_000


@pytest.mark.parametrize(("nominal", "event", "message"), [
    (rare.CompoundSum(rare.Poisson(4.0), rare.Exponential(1.0)), rare.at_least(30.0), "log-normal, Lomax or Weibull"),
    (rare.IID(rare.Lomax(2.0, 1.0), 3), rare.total <= 3.0, "finite level of the sum above 0"),
    (rare.IID(rare.Lomax(2.0, 1.0), 3), rare.component(0) >= 3.0, "CompoundSum, or IID with an event of total"),
    (rare.IID(rare.Weibull(0.5, 1.0), 20), rare.total >= 300.0, "so rare that a twist")])
def test_bad_input(nominal, event, message):
    with pytest.raises(ValueError, match=message):
        proposals.hazard_twist(nominal, event)
