"""Designed proposals: exact variances and bounds against known figures, and the errors of what cannot be designed."""
import functools
import math
import operator

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents import proposals
from rareevents.draws import log_densities, values
from rareevents.proposals.exploration import search
from rareevents.proposals.families import MEMBERS, tilt_to
from rareevents.proposals.mixtures import least_second_moment

P, N = rare.Poisson(4.0), rare.Normal(0.0, 1.0)
STORMS = rare.at_least(20)
TWO_SIDED = rare.at_most(4) | rare.at_least(36)
B60 = rare.Binomial(60, 0.3)
Z = 4.9                                                      # standard errors: false alarm 1e-6


# ------------------------------------------------------------------------------------------------ tilts
@pytest.mark.parametrize(("law", "event", "theta", "variance"), [
    (rare.Poisson(10.0), rare.at_least(30), 1.102569954479069, 6.168440034052922),
    (rare.Poisson(100.0), rare.at_most(50), -0.6996646177990975, 5.120435090766438),
    (rare.Binomial(100, 0.05), rare.at_least(20), 1.5608747067628455, 5.765661242775015),
    (rare.Mixture([rare.Poisson(2.0), rare.Poisson(8.0)], [0.9, 0.1]), rare.at_least(25), 1.1437529723260749,
     5.772379481805226),
    (rare.ZeroInflated(P, 0.7), rare.at_least(18), 1.5067807465953202, 6.031728057006712),
    (rare.IID(N, 100), rare.linear([0.1] * 100) >= 5.0, 5.0971836723260076, 5.6455352793259035),
    (rare.CompoundSum(rare.Poisson(10.0), rare.Exponential(1.0)), rare.at_least(40.0), None, 7.738222826035244),
], ids=str)
def test_tilt_reaches_the_least_variance_that_a_tilt_can_have(law, event, theta, variance):
    made = proposals.tilt(law, event, "saddle" if theta is None else "second moment")
    assert made.relative_variance == pytest.approx(variance, rel=1e-9)
    if theta is not None:
        assert float(made.how.split()[3].rstrip(",")) == pytest.approx(theta, rel=1e-5)
    assert made.bound is not None


def test_the_three_choices():
    saddle, entropy, moment = (proposals.tilt(P, STORMS, choice) for choice in
                               ("saddle", "cross entropy", "second moment"))
    assert saddle.law.mean == pytest.approx(20.0) and entropy.law.mean == pytest.approx(20.229490138961616)
    assert moment.relative_variance < min(saddle.relative_variance, entropy.relative_variance)
    for made in (saddle, entropy, moment):                   # sup w = exp(kappa(theta) - theta k)
        theta = math.log(made.law.rate / 4.0)
        assert made.bound == pytest.approx(math.exp(4.0 * math.expm1(theta) - 20.0 * theta), rel=1e-9)
    mean = proposals.tilt(rare.Poisson(10.0), lambda x: x, "second moment")
    assert mean.relative_variance == pytest.approx(0.004657899113119482, rel=1e-9) and mean.bound is None


@pytest.mark.parametrize("law", [rare.Bernoulli(0.3), B60, P, rare.Geometric(0.4), rare.NegativeBinomial(2.5, 0.4),
                                 rare.Normal(1.0, 2.0), rare.Exponential(2.0), rare.Gamma(2.5, 0.7)], ids=str)
def test_members_by_their_mean_are_the_tilts(law, monkeypatch):
    for mean in (0.8 * law.mean, 1.3 * law.mean):
        known = tilt_to(law, mean)
        with monkeypatch.context() as without:
            without.delitem(MEMBERS, type(law))
            solved = tilt_to(law, mean)
        assert type(known) is type(solved) and known.mean == pytest.approx(mean)
        assert solved.mean == pytest.approx(mean) and solved.variance == pytest.approx(known.variance)


# ------------------------------------------------------------------------------------------------ overshoots
@pytest.mark.parametrize(("law", "event", "most"), [
    (P, STORMS, 2e-4), (rare.Poisson(100.0), rare.at_most(50), 2e-3), (N, rare.at_least(5.0), 2e-3),
    (N, rare.at_most(-5.0), 2e-3), (rare.Gamma(2.0, 0.5), rare.at_least(60.0), 1e-5),
    (rare.Exponential(1.0), rare.at_least(50.0), 1e-12),
], ids=str)
def test_overshoot_is_nearly_the_ideal_proposal(law, event, most):
    made = proposals.overshoot(law, event)
    grade = rare.oracle.grade(law, event, made.law)
    assert made.relative_variance == grade.relative_variance < most
    assert made.bound == pytest.approx(grade.largest, rel=1e-6) and made.bound >= grade.largest * (1.0 - 1e-9)
    x = made.law.sample(1000, seed=1)
    assert (x >= event.at_least).all() and (x <= event.at_most).all()


@pytest.mark.parametrize(("law", "level", "most"), [
    (rare.Lomax(1.5, 1.0), 1e6, 1e-6), (rare.LogNormal(0.0, 1.0), 200.0, 0.1), (rare.Weibull(0.5, 1.0), 400.0, 0.2),
], ids=str)
def test_overshoot_of_a_heavy_tail(law, level, most):
    made = proposals.overshoot(law, rare.at_least(level))
    assert made.relative_variance < most and "power" in made.how
    estimate = rare.solve(law, rare.at_least(level), exact=False, seed=1)
    assert abs(estimate.value - rare.oracle.value(law, rare.at_least(level))) <= 5.0 * estimate.std_error
    assert estimate.verdict == "trusted"


@pytest.mark.parametrize("scale", [1e-14, 1e-6, 1.0, 1e9])
def test_the_bound_of_an_overshoot_is_the_largest_weight_at_any_scale(scale):
    made = proposals.overshoot(rare.Normal(0.0, scale), rare.at_least(5.0 * scale))
    excess = np.linspace(0.0, 2.0 * scale, 20_001)
    weight = np.exp(rare.Normal(0.0, scale).log_prob(5.0 * scale + excess) - made.law.log_prob(5.0 * scale + excess))
    assert weight[1:].max() <= made.bound * (1.0 + 1e-9) and made.bound == pytest.approx(weight[1:].max(), rel=1e-4)


def test_truncated_knows_the_answer_or_cuts_a_tilt():
    made = proposals.truncated(P, STORMS)
    assert made.relative_variance == pytest.approx(0.0, abs=1e-12)
    assert made.bound == pytest.approx(stats.poisson.sf(19, 4.0), rel=1e-12)
    cut, tilted = proposals.truncated(N, rare.at_least(5.0)), proposals.tilt(N, rare.at_least(5.0))
    assert cut.relative_variance < 0.5 * tilted.relative_variance and cut.bound < tilted.bound


def test_rao_blackwell_meets_its_target():
    law = rare.CompoundSum(P, rare.Exponential(1.0))
    found = proposals.rao_blackwell(law, rare.at_least(30.0))
    assert found.design.relative_variance <= 0.3 < 10.0 < proposals.tilt(law, rare.at_least(30.0)).relative_variance
    estimate = rare.estimate(found.nominal, found.f, proposal=found.design, samples=20_000, seed=1)
    assert abs(estimate.value - 2.572250e-07) <= Z * estimate.std_error
    assert estimate.bound == found.design.bound and estimate.verdict == "trusted"


# ------------------------------------------------------------------------------------------------ mixtures
def test_mixture_for_both_sides():
    single = proposals.tilt(B60, TWO_SIDED, "second moment")
    assert single.relative_variance == pytest.approx(6.683e4, rel=1e-3)              # the best that one tilt can do
    made = proposals.mixture(B60, TWO_SIDED)
    assert made.relative_variance < 0.01
    sides = [proposals.tilt(B60, side, "cross entropy") for side in (rare.at_most(4), rare.at_least(36))]
    tilts = proposals.mixture(B60, TWO_SIDED, sides)
    assert 2.8 < tilts.relative_variance <= 3.2                                      # the equal mixture: 4.725
    equal = rare.Mixture([side.law for side in sides], [0.5, 0.5])
    assert rare.oracle.grade(B60, TWO_SIDED, equal).relative_variance == pytest.approx(4.725, abs=5e-4)


def test_the_weights_that_cost_least_are_a_minimum():
    rng = np.random.default_rng(0)
    terms, laws = rng.normal(size=400), rng.normal(size=(3, 400))
    w = least_second_moment(terms, laws)

    def cost(w):
        return float(np.sum(np.exp(terms) / (w @ np.exp(laws))))
    assert w.sum() == pytest.approx(1.0) and (w > 0.0).all()
    for i, j in ((0, 1), (1, 2), (2, 0)):
        step = np.zeros(3)
        step[i], step[j] = 1e-3, -1e-3
        if (w + step > 0.0).all():
            assert cost(w + step) >= cost(w) * (1.0 - 1e-9)


def test_alore_bounds():
    law = rare.IID(N, 60)
    event = functools.reduce(operator.or_, [rare.component(i) >= 4.0 + i / 100.0 for i in range(60)])
    made = proposals.alore(law, event)
    parts = stats.norm.sf(4.0 + np.arange(60) / 100.0)
    assert made.bound == pytest.approx(parts.sum(), rel=1e-9)
    assert made.variance_bound == pytest.approx((60 + 1 / 60 - 2) / 4)
    estimate = rare.estimate(law, event, proposal=made, samples=20_000, seed=1)
    exact = -math.expm1(np.log1p(-parts).sum())
    assert abs(estimate.value - exact) <= Z * estimate.std_error and estimate.verdict == "trusted"
    assert estimate.relative_variance <= made.variance_bound
    counts = rare.IID(P, 3)
    pair = proposals.alore(counts, (rare.component(0) >= 20) | (rare.component(2) >= 18))
    assert pair.bound == pytest.approx(stats.poisson.sf(19, 4) + stats.poisson.sf(17, 4), rel=1e-9)


def test_half_spaces_of_a_correlated_normal_law():
    law = rare.MultivariateNormal([0.5, -1.0], [[2.0, 0.6], [0.6, 1.0]])
    a = np.array([1.0, -2.0])
    half = rare.HalfSpace(law, a, 9.0)
    x = half.sample(20_000, seed=1)
    assert (x @ a >= 9.0 - 1e-9).all()
    mean, sd = float(a @ law.mean), math.sqrt(float(a @ law.covariance @ a))
    assert half.log_inside == pytest.approx(stats.norm.logsf((9.0 - mean) / sd), rel=1e-9)
    assert half.log_prob(x[:5]) == pytest.approx(law.log_prob(x[:5]) - half.log_inside)
    for i in range(2):
        assert abs(x[:, i].mean() - half.mean[i]) <= Z * math.sqrt(half.variance[i] / len(x))
        assert x[:, i].var() == pytest.approx(half.variance[i], rel=0.1)


@pytest.mark.parametrize("alpha", [0.1, 0.5])
def test_safe_keeps_the_promise_whatever_was_learned(alpha):
    tilted = proposals.tilt(P, STORMS)
    for learned in (rare.Poisson(60.0), rare.Poisson(4.0), rare.Geometric(0.9)):
        made = proposals.safe(learned, tilted, alpha)
        grade = rare.oracle.grade(P, STORMS, made.law)
        assert made.bound == pytest.approx(tilted.bound / alpha)
        assert grade.largest <= made.bound * (1.0 + 1e-9)
        assert grade.relative_variance <= made.variance_bound * (1.0 + 1e-9)


# ------------------------------------------------------------------------------------------------ cross entropy
def test_cross_entropy_finds_the_best_tilt():
    made = proposals.cross_entropy(P, STORMS, seed=1)
    assert made.law.mean == pytest.approx(20.2295, abs=0.05) and made.relative_variance < 6.8
    levels = [level.level for level in made.levels]
    assert levels == sorted(levels) and levels[-1] == 0.0 and made.learning == 10_000 * len(levels)
    assert made.bound is not None


def test_cross_entropy_survives_a_lattice_and_a_black_box():
    rare_counts = proposals.cross_entropy(rare.Binomial(1000, 0.001), rare.at_least(12), seed=2)
    assert rare_counts.law.mean == pytest.approx(12.08, abs=0.05)
    calls = []

    def simulator(x):
        calls.append(x)
        return {0: float(x)}[0]                              # nothing that could be compiled
    boxed = proposals.cross_entropy(N, rare.black_box(simulator) >= 5.0, samples=1000, seed=1)
    assert boxed.law.mean == pytest.approx(5.19, abs=0.1) and len(calls) >= boxed.learning


def test_cross_entropy_of_unlike_components_and_a_family_of_ones_own():
    law = rare.Independent([rare.Poisson(3.0), N])
    made = proposals.cross_entropy(law, rare.linear([1.0, 2.0]) >= 15.0, samples=4000, seed=1)
    assert made.law.laws[0].mean > 9.0 and made.law.laws[1].mean > 2.0
    own = proposals.cross_entropy(P, STORMS, family=lambda x, w: rare.Poisson(float(x @ w / w.sum())), seed=1)
    assert own.law.mean == pytest.approx(20.2295, abs=0.05)


# ------------------------------------------------------------------------------------------------ exploration
@pytest.mark.parametrize("law", [
    P, N, rare.Lomax(1.5, 1.0), rare.Uniform(0.0, 1.0), rare.IID(rare.Bernoulli(1e-3), 30), rare.IID(N, 50),
    rare.MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]]),
], ids=str)
def test_a_search_reaches_far_in_every_direction(law):
    x = search(law, 2000, seed=1, stage=4 << 20)
    assert len(x) == 2000 and x.dtype == law.empty(1).dtype
    own = law.sample(2000, seed=1)
    spread = [float(np.ptp(v if law.size is None else v[:, 0])) for v in (x, own)]
    assert spread[0] > 2.0 * spread[1] or law.support == rare.integers(0, 1)
    assert np.array_equal(x, search(law, 2000, seed=1, stage=4 << 20))


def test_explored_finds_every_mode():
    law = rare.IID(N, 2)
    made = proposals.explored(law, lambda x: max(x[0] - 4.0, -x[0] - 4.0, x[1] - 4.2) > 0.0, seed=1)
    x = made.law.sample(20_000, seed=1)
    assert min(np.mean(x[:, 0] > 3.5), np.mean(x[:, 0] < -3.5), np.mean(x[:, 1] > 3.7)) > 0.05


def test_margins_are_zero_or_more_exactly_where_the_event_happens():
    from rareevents.integrands import Margin
    x = np.arange(60)
    for event in (STORMS, rare.at_most(3), rare.Event(rare.identity, 4, 36), TWO_SIDED, ~STORMS & rare.at_least(7)):
        inside = values(Margin(event), x) >= 0.0
        happens = values(event, x) > 0.0
        edge = np.isin(x, (20,))                             # the complement of a closed level touches it with margin 0
        assert np.array_equal(inside[~edge], happens[~edge])


# ------------------------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(("make", "kind", "words"), [
    (lambda: proposals.tilt(P, STORMS, "best"), ValueError, ("choice", "'best'", "'saddle'")),
    (lambda: proposals.tilt(rare.Lomax(1.5, 1.0), rare.at_least(9.0)), ValueError,
     ("nominal", "moment generating function", "proposals.truncated")),
    (lambda: proposals.tilt(B60, TWO_SIDED), ValueError, ("one interval", "proposals.mixture")),
    (lambda: proposals.tilt(P, lambda x: x > 3), ValueError, ("event", "proposals.cross_entropy")),
    (lambda: proposals.tilt(rare.Binomial(10, 0.1), rare.at_least(11)), ValueError, ("event", "probability is 0")),
    (lambda: proposals.overshoot(P, rare.at_least(2)), ValueError, ("event", "tail")),
    (lambda: proposals.safe(P, rare.Poisson(20.0), 1.0), ValueError, ("alpha", "1.0", "(0, 1)")),
    (lambda: proposals.alore(P, lambda x: x), (TypeError, ValueError), ("event",)),
    (lambda: proposals.rao_blackwell(P, STORMS), ValueError, ("nominal", "CompoundSum")),
    (lambda: proposals.cross_entropy(P, STORMS, rho=0.7), ValueError, ("rho", "0.7")),
    (lambda: proposals.cross_entropy(P, STORMS, samples=10), ValueError, ("samples", "10")),
    (lambda: proposals.cross_entropy(P, STORMS, family=3), TypeError, ("family", "3", "fit")),
    (lambda: proposals.cross_entropy(P, STORMS, family=lambda x, w: N), TypeError, ("family", "Normal")),
    (lambda: proposals.cross_entropy(P, rare.score(lambda x: 1.0) >= 2.0), proposals.StalledError, ("stalled", "same")),
    (lambda: proposals.cross_entropy(rare.Binomial(10, 0.1), rare.at_least(11)), proposals.StalledError,
     ("stalled", "-1")),
    (lambda: proposals.cross_entropy(N, rare.score(lambda x: math.nan if x > 2.0 else x) >= 5.0),
     rare.UserFunctionError, ("NaN",)),
    (lambda: proposals.explored(P, lambda x: x < 0), proposals.NothingFoundError, ("no draw", "score")),
    (lambda: rare.estimate(P, STORMS, proposal=rare.Poisson(20.0), samples=1000, audit="yes"), ValueError,
     ("audit", "'yes'")),
    (lambda: rare.estimate(rare.CompoundSum(P, rare.Exponential(1.0)), rare.at_least(30.0), samples=1000,
                           proposal=rare.Gamma(4.0, 1.0)), ValueError, ("proposal", "tilt")),
], ids=lambda value: None)
def test_names_what_is_wrong(make, kind, words):
    with pytest.raises(kind) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_the_cross_entropy_method_fits_categorical_components_by_their_frequencies():
    """A month of independent days: the count of storms is binomial, and the best single law has V = 4.5."""
    month = rare.IID(rare.Categorical([0.70, 0.20, 0.08, 0.02]), 30)

    def storms(x):
        count = 0
        for i in range(len(x)):
            if x[i] == 3:
                count += 1
        return count
    made = proposals.cross_entropy(month, rare.score(storms) >= 8, seed=1)
    assert isinstance(made.law, rare.IID) and 0.2 < made.law.law.probabilities[3] < 0.33
    found = rare.estimate(month, rare.score(storms) >= 8, made, samples=50_000, seed=1, audit=False)
    assert abs(found.value - stats.binom.sf(7, 30, 0.02)) <= 5.0 * found.std_error
    assert found.relative_variance < 6.0


def test_the_search_reaches_far_in_components_without_tilts():
    """At least the ten hits below which an audit is blind; the nominal law has 5e-5 of them."""
    law = rare.IID(rare.Lomax(2.0, 1.0), 2)
    x = search(law, 5000, seed=1, stage=4 << 20)
    inside = (x >= 0.0).all(axis=1)
    assert np.count_nonzero(x[inside].sum(axis=1) > 200.0) >= 10
    good = rare.IID(rare.Mixture([rare.Lomax(2.0, 1.0), rare.Lomax(1.0, 100.0)], [0.5, 0.5]), 2)
    found = rare.estimate(law, lambda x: x[0] + x[1] > 200.0, good, samples=10_000, seed=1)
    assert found.verdict == "trusted" and [c.status for c in found.checks if c.name == "audit"] == ["passed"]


def test_densities_of_many_laws_are_those_of_each():
    normals = [rare.IID(rare.Normal(float(i), 1.0), 3) for i in range(3)]
    unlike = rare.Independent([rare.Normal(0.0, 1.0), rare.Exponential(1.0), rare.StudentT(3.0)])
    mixed = rare.Mixture([normals[0], normals[1]], [0.5, 0.5])
    laws = [normals[0], unlike, *normals[1:], mixed]
    x = normals[1].sample(50, seed=1)
    assert np.array_equal(log_densities(laws, x), np.array([law.log_prob(x) for law in laws]))
