"""Exact values and grades of proposals: closed forms, sums written out, infinite moments, bad input."""
import math
import re

import numpy as np
import pytest
from scipy import special

import rareevents as rare
from rareevents.certificates import covers
from rareevents.oracle import Grade, grade, log_value, value
from rareevents.regions import intervals

INF = math.inf


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=0.0)


# ------------------------------------------------------------------------------------------------ values
@pytest.mark.parametrize("law, event, exact", [
    (rare.Poisson(10.0), rare.at_least(30), 2.5099512015279076e-07),
    (rare.Poisson(4.0), rare.at_least(20), 1.0200522105968478e-08),
    (rare.Normal(), rare.at_least(5.0), special.ndtr(-5.0)),
    (rare.Normal(), rare.outside(-5.0, 5.0), 2.0 * special.ndtr(-5.0)),
    (rare.Exponential(2.0), rare.at_least(345.0), math.exp(-690.0)),                              # 2e-300
    (rare.Poisson(4.0), rare.at_most(2) & rare.at_least(1), math.exp(-4.0) * 12.0),
    (rare.Poisson(4.0), rare.at_most(2) | rare.at_least(1), 1.0),                                 # they overlap
    (rare.Poisson(4.0), ~(rare.at_least(0.5) & rare.at_most(2.5)), 1.0 - math.exp(-4.0) * 12.0),
    (rare.Poisson(4.0), rare.at_least(3.2) & rare.at_most(3.8), 0.0),
    (rare.Poisson(4.0), rare.score(lambda x: x * x) >= 4, 1.0 - 5.0 * math.exp(-4.0)),            # an opaque score
    (rare.Poisson(4.0), rare.at_least(2) & (rare.score(lambda x: x) <= 2), 8.0 * math.exp(-4.0)),
    (rare.Mixture([rare.Poisson(4.0), rare.Poisson(1e4)], [1.0 - 1e-12, 1e-12]), rare.at_least(9000), 1e-12),
], ids=repr)
def test_probabilities(law, event, exact):
    close(value(law, event), exact, 2e-12)
    close(log_value(law, event), math.log(exact) if exact else -INF, 2e-12)


def test_log_probability_below_the_smallest_double():
    assert log_value(rare.Exponential(1.0), rare.at_least(1e6)) == -1e6
    close(log_value(rare.Normal(), rare.at_least(60.0)), special.log_ndtr(-60.0))
    k = np.arange(3000, 4000)                                                     # P(X >= 3000) is 1e-7300 or so
    close(log_value(rare.Poisson(4.0), rare.at_least(3000)),
          special.logsumexp(k * math.log(4.0) - 4.0 - special.gammaln(k + 1.0)))


@pytest.mark.parametrize("law, f, exact", [
    (rare.Poisson(4.0), lambda x: x, 4.0), (rare.Poisson(4.0), lambda x: x * x, 20.0),
    (rare.Poisson(4.0), lambda x: x >= 20, 1.0200522105968478e-08),
    (rare.Normal(3.0, 2.0), lambda x: x, 3.0), (rare.Normal(3.0, 2.0), lambda x: -x ** 3, -63.0),
    (rare.Normal(), lambda x: math.exp(3.0 * x), math.exp(4.5)),                  # exp overflows before p vanishes
    (rare.Normal(), lambda x: x > 2.5, special.ndtr(-2.5)),                       # a jump between the points
    (rare.Exponential(1.0), lambda x: math.sin(x), 0.5), (rare.Lomax(2.5, 1.0), lambda x: x, 1.0 / 1.5),
    (rare.StudentT(3.0), abs, 2.0 * math.sqrt(3.0) / math.pi), (rare.Uniform(0.0, 2.0), lambda x: x, 1.0),
    (rare.Lomax(1.0, 1.0), lambda x: x, INF), (rare.Lomax(0.5, 1.0), lambda x: -x, -INF),
    (rare.Poisson(4.0), lambda x: 0.0, 0.0),
], ids=lambda v: repr(v) if isinstance(v, rare.Distribution) else "")
def test_expectations_of_functions(law, f, exact):
    f = f if f is not abs else lambda x: abs(x)
    close(value(law, f), exact)


def test_an_odd_function_has_mean_zero():
    assert abs(value(rare.Normal(), lambda x: x)) < 1e-15


def test_black_boxes():
    law = rare.Poisson(4.0)
    close(value(law, rare.black_box({**dict.fromkeys(range(10 ** 4), 1.0), 0: 0.0}.__getitem__)), -math.expm1(-4.0))
    close(value(law, rare.black_box(lambda x: np.asarray(x) >= 1, vectorized=True)), -math.expm1(-4.0))


def test_intervals_of_events():
    def pieces(event, integer):
        found = intervals(event, integer)
        return found and (found.pieces, found.exact)
    opaque = rare.score(lambda x: x) >= 3
    assert pieces(rare.outside(4, 36), True) == ([(-INF, 3.0), (37.0, INF)], True)
    ends = math.nextafter(4.0, -INF), math.nextafter(36.0, INF)          # open: a law may have atoms
    assert pieces(rare.outside(4, 36), False) == ([(-INF, ends[0]), (ends[1], INF)], True)
    assert pieces(rare.at_least(2.5) & rare.at_most(7.5), True) == ([(3.0, 7.0)], True)
    assert pieces(rare.at_least(9) | rare.at_most(2) | rare.at_least(5), True) == ([(-INF, 2.0), (5.0, INF)], True)
    assert pieces(~(rare.at_least(9) | rare.at_most(2)), True) == ([(3.0, 8.0)], True)
    assert pieces(~~rare.at_least(9), True) == ([(9.0, INF)], True)
    assert pieces(rare.at_least(9) & opaque, True) == ([(9.0, INF)], False)
    assert pieces(rare.at_least(9) | opaque, True) is None and pieces(~opaque, True) is None
    # an event that happens somewhere in [9, inf) need not happen where the proposal cannot go
    assert not covers(rare.Poisson(4.0), rare.at_least(9) & opaque, rare.Truncated(rare.Poisson(20.0), 12, INF))


# ------------------------------------------------------------------------------------------------ grades
TILTS = [
    (rare.Poisson(10.0), 30, 1.1), (rare.Poisson(4.0), 20, math.log(5.0)), (rare.Normal(), 5.0, 5.0),
    (rare.Normal(), 30.0, 30.0), (rare.Exponential(1.0), 30.0, 0.95), (rare.Exponential(1.0), 3.0, 0.4),
    (rare.Gamma(5.0, 1.0), 20.0, 0.7), (rare.Geometric(0.5), 20, 0.6), (rare.NegativeBinomial(5.0, 0.5), 40, 0.3),
    (rare.Binomial(100, 0.05), 20, 1.5), (rare.Truncated(rare.Poisson(4.0), 0, 30), 20, 1.5),
]


@pytest.mark.parametrize("p, k, theta", TILTS, ids=repr)
def test_grade_of_a_tilt(p, k, theta):
    """E_q[w^2; x >= k] = exp(kappa(theta) + kappa(-theta)) P_-theta(x >= k); the weight is largest at k.

    KL(q*||q) = kappa(theta) - theta E[X | X >= k] - log P(X >= k).
    """
    found = grade(p, rare.at_least(k), p.tilt(theta))
    log_p = p.log_mass(k, INF)
    close(found.value, math.exp(log_p))
    second = p.log_mgf(theta) + p.log_mgf(-theta) + p.tilt(-theta).log_mass(k, INF)
    close(found.relative_variance, math.expm1(second - 2.0 * log_p), 1e-11)
    close(found.largest, math.exp(p.log_mgf(theta) - theta * k))
    mean = value(p, lambda x: x if x >= k else 0.0) / found.value
    assert abs(found.kl - (p.log_mgf(theta) - theta * mean - log_p)) < 3e-12 * theta * mean        # terms that cancel


@pytest.mark.parametrize("case", [
    (rare.Poisson(10.0), 30, 1.102569954479069, 6.168440034052922, 3984140.2031885716),
    (rare.Poisson(10.0), 30, 1.1137448917975274, 6.182043205562404, 3984140.2031885716),
])
def test_published_relative_variances(case):
    p, k, theta, tilted, naive = case
    close(grade(p, rare.at_least(k), p.tilt(theta)).relative_variance, tilted, 1e-11)
    close(grade(p, rare.at_least(k)).relative_variance, naive)


@pytest.mark.parametrize("law, event", [(rare.Poisson(4.0), rare.at_least(20)), (rare.Normal(), rare.at_least(5.0)),
                                        (rare.Poisson(16.0), rare.outside(4, 36)), (rare.Normal(), rare.at_most(1.0)),
                                        (rare.StudentT(3.0), rare.outside(-50.0, 50.0))], ids=repr)
def test_naive_monte_carlo(law, event):
    mu = value(law, event)
    found = grade(law, event)
    close(found, Grade(mu, (1.0 - mu) / mu, -log_value(law, event), 1.0))
    close(grade(law, event, law), found)


def test_the_ideal_proposal_has_no_variance():
    p, event = rare.Poisson(4.0), rare.at_least(20)
    found = grade(p, event, rare.Truncated(p, 20, INF))
    assert found.relative_variance < 1e-24 and found.kl < 1e-24                # rounding, squared
    close(found.largest, found.value)
    found = grade(rare.Normal(), lambda x: math.exp(3.0 * x), rare.Normal(3.0, 1.0))
    assert found.relative_variance < 1e-24 and found.kl < 1e-24
    near = grade(rare.Poisson(4.0), lambda x: x, rare.Shifted(rare.Poisson(4.0 * (1.0 + 1e-7)), 1))
    close(near.relative_variance, 4e-14, 1e-6)                                 # chi^2 of two rates: rate delta^2


def test_grades_against_sums_written_out():
    p, x = rare.Poisson(16.0), np.arange(0, 400)
    q = rare.Mixture([rare.Poisson(4.0), rare.Poisson(37.0)], [0.5, 0.5])
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    for f, values in ((rare.outside(4, 36), (x < 4) | (x > 36)), (lambda x: x * 1.0, x), (lambda x: 3.0 - x, 3.0 - x)):
        found, y = grade(p, f, q), np.asarray(values, float)
        mu = float(np.sum(y * np.exp(log_p)))
        close(found.value, mu, 1e-11)
        close(found.relative_variance, np.sum(y ** 2 * np.exp(2.0 * log_p - log_q)) / mu ** 2 - 1.0, 1e-10)
        star = np.abs(y) * np.exp(log_p) / np.sum(np.abs(y) * np.exp(log_p))
        close(found.kl, special.rel_entr(star, np.exp(log_q)).sum(), 1e-10)
        close(found.largest, np.max(np.abs(y) * np.exp(log_p - log_q)), 1e-11)


def test_largest_between_the_points_and_at_the_ends():
    p, q = rare.Normal(0.0, 1.0), rare.Normal(1.0, 2.0)                        # p/q is largest at -1/3
    close(grade(p, rare.at_least(-5.0), q).largest, 2.0 * math.exp(1.0 / 6.0))
    close(grade(p, rare.at_least(2.0), q).largest, 2.0 * math.exp(-2.0 + 0.125))
    close(grade(rare.Lomax(2.0, 1.0), rare.at_least(1.0), rare.Lomax(2.0, 3.0)).largest, 8.0 / 9.0)
    close(grade(rare.Lomax(2.0, 3.0), rare.at_least(1.0), rare.Lomax(2.0, 1.0)).largest, 9.0)  # only in the limit


@pytest.mark.parametrize("p, f, q, variance, kl, largest", [
    (rare.Exponential(1.0), rare.at_least(2.0), rare.Exponential(2.0), INF, None, INF),          # p^2/q is constant
    (rare.Exponential(1.0), lambda x: x, rare.Exponential(2.0), INF, None, INF),
    (rare.Exponential(1.0), lambda x: x, rare.Exponential(0.5), 5.0 / 27.0, None, 4.0 / math.e),
    (rare.Normal(0.0, math.sqrt(2.0)), rare.at_least(2.0), rare.Normal(), INF, None, INF),
    (rare.Lomax(1.0, 1.0), rare.at_least(2.0), rare.Lomax(2.0, 1.0), INF, None, INF),            # p^2/q like 1/x
    (rare.Lomax(1.5, 1.0), rare.at_least(2.0), rare.Lomax(2.9, 1.0), None, None, INF),
    (rare.Gamma(0.3, 1.0), rare.at_most(1.0), rare.Gamma(0.6, 1.0), INF, None, INF),             # like 1/x at 0
    (rare.Gamma(0.3, 1.0), rare.at_most(1.0), rare.Gamma(0.5, 1.0), None, None, INF),
    (rare.Shifted(rare.Gamma(0.3, 1.0), 1.0), rare.at_most(2.0), rare.Shifted(rare.Gamma(0.8, 1.0), 1.0), INF, None,
     INF),
    (rare.Geometric(0.5), rare.at_least(2), rare.Geometric(0.75), INF, None, INF),
    (rare.StudentT(1.5), rare.at_least(2.0), rare.Normal(), INF, INF, INF),
    (rare.Poisson(4.0), rare.at_least(15), rare.Binomial(20, 0.7), INF, INF, INF),               # q = 0 beyond 20
    (rare.Poisson(4.0), rare.at_most(15), rare.Binomial(20, 0.7), None, None, None),
    (rare.Uniform(0.0, 10.0), rare.at_most(9.0), rare.Mixture([rare.Uniform(0.0, 3.0), rare.Uniform(4.0, 10.0)],
                                                              [0.5, 0.5]), INF, INF, INF),       # a hole inside
], ids=lambda v: repr(v) if isinstance(v, rare.Distribution) else "")
def test_infinite_moments(p, f, q, variance, kl, largest):
    found = grade(p, f, q)
    for got, exact in zip(found[1:], (variance, kl, largest), strict=True):
        assert not math.isnan(got)
        if exact is None:
            assert math.isfinite(got)
        else:
            close(got, exact, 1e-11)


def test_a_convergent_tail_that_reaches_beyond_every_double():
    """Lomax 1.5 against 2.9 weighs the tail like x^-1.1: a thousandth of the moment is beyond 1e30."""
    p, q, k = rare.Lomax(1.5, 1.0), rare.Lomax(2.9, 1.0), 2.0
    second = 1.5 ** 2 / 2.9 / 0.1 * 3.0 ** -0.1                                # of (1 + x)^-5 / (1 + x)^-3.9 from k on
    close(grade(p, rare.at_least(k), q).relative_variance, second / value(p, rare.at_least(k)) ** 2 - 1.0, 1e-10)


# ------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize("call, error, said", [
    (lambda: value(3.0, rare.at_least(1)), TypeError, "nominal must be a law"),
    (lambda: value(rare.IID(rare.Poisson(1.0), 3), (rare.total >= 5) | (rare.component(0) >= 3)), ValueError,
     "nominal must be a law of one number"),
    (lambda: value(rare.Poisson(1.0), 3), TypeError, "f must be an event or a plain function"),
    (lambda: value(rare.Poisson(1.0), lambda x: (x, x)), ValueError, "f must return one number"),
    (lambda: value(rare.Poisson(1.0), lambda x: math.nan), ValueError, "got NaN from <lambda>(x) at x = 0"),
    (lambda: value(rare.StudentT(1.0), lambda x: x), ValueError, "f must have an expectation"),
    (lambda: log_value(rare.Poisson(1.0), lambda x: x), TypeError, "event must be an event"),
    (lambda: grade(rare.Poisson(1.0), rare.at_least(2), rare.Normal()), ValueError, "proposal must draw one int"),
    (lambda: grade(rare.Poisson(1.0), rare.at_least(2), 3.0), TypeError, "proposal must be a law"),
    (lambda: grade(rare.Poisson(1.0), rare.at_most(-1)), ValueError, "f must be nonzero where"),
    (lambda: grade(rare.Lomax(1.0, 1.0), lambda x: x), ValueError, "f must have an expectation"),
])
def test_bad_input(call, error, said):
    with pytest.raises(error, match=re.escape(said)):
        call()


def test_a_proposal_that_starts_where_the_event_does():
    """A node of the integral that is rounded to below the level has no proposal there: the variance was infinite."""
    found = grade(rare.Normal(0.0, 1.0), rare.at_least(4.0), rare.Shifted(rare.Exponential(4.0), 4.0))
    nearly = grade(rare.Normal(0.0, 1.0), rare.at_least(4.0), rare.Shifted(rare.Exponential(4.0), 4.0 - 1e-9))
    assert found.relative_variance == pytest.approx(nearly.relative_variance, rel=1e-6)
    assert found.relative_variance == pytest.approx(0.0103, rel=0.01)
    made = rare.proposals.overshoot(rare.Normal(0.0, 1.0), rare.at_least(4.0))
    assert made.relative_variance < 0.01
