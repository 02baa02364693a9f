"""Entropies and divergences: known values, identities, laws against vectors, draws against exact values, bad input."""
import math
import re
from decimal import Decimal as D
from decimal import localcontext

import numpy as np
import pytest
from cases import SCALAR
from scipy import special, stats

import rareevents as rare
from rareevents import closed_forms
from rareevents import information as info
from rareevents.blame import UserFunctionError
from rareevents.distributions.quadrature import integral, marks

NATS = math.e
DYADIC, FOUR = [0.5, 0.25, 0.125, 0.125], [0.25] * 4
WEATHER = np.array([[0.70, 0.15, 0.14, 0.01], [0.30, 0.40, 0.25, 0.05],
                    [0.35, 0.30, 0.32, 0.03], [0.20, 0.45, 0.15, 0.20]])          # sunny, rainy, cloudy, storm
SUNNY, STORM = WEATHER[0], WEATHER[3]
BIVARIATE = rare.MultivariateNormal([1.0, 0.0], [[2.0, 0.5], [0.5, 1.0]])
PLANE = rare.MultivariateNormal([0.0, 0.0], np.eye(2))


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-15)


def vectors(n=50, k=7, seed=0):
    """Random probability vectors, some entries 0."""
    p = np.random.default_rng(seed).gamma(0.5, size=(n, k))
    p[::3, 2] = 0.0
    return p / p.sum(axis=1, keepdims=True)


# ------------------------------------------------------------------------------------------------ known answers
@pytest.mark.parametrize("found, exact", [
    (lambda: info.entropy([1 / 3] * 3), 1.584962500721156),
    (lambda: info.entropy(DYADIC), 1.75),
    (lambda: info.kl_divergence(DYADIC, FOUR), 0.25),
    (lambda: info.cross_entropy(DYADIC, FOUR), 2.0),
    (lambda: info.kl_divergence(SUNNY, STORM, base=NATS), 0.672525909902828),
    (lambda: info.kl_divergence(STORM, SUNNY, base=NATS), 0.8533183216354167),
    (lambda: info.cross_entropy(SUNNY, STORM), 2.2045445945700535),
    (lambda: info.kl_divergence([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]), math.inf),
    (lambda: info.kl_divergence([1.0, 0.0, 0.0], [0.5, 0.5, 0.0]), 1.0),
    (lambda: info.kl_divergence(rare.Poisson(30.0), rare.Poisson(10.0), base=NATS), 12.958368660043291),
    (lambda: info.kl_divergence(rare.Normal(1.0, 2.0), rare.Normal(0.0, 1.0), base=NATS), 1.3068528194400546),
    (lambda: info.kl_divergence(BIVARIATE, PLANE, base=NATS), 0.7201921060322887),
    (lambda: info.kl_divergence(rare.Exponential(1.0), rare.Exponential(3.0), base=NATS), 0.9013877113318903),
    (lambda: info.kl_divergence(rare.Exponential(0.2), rare.Exponential(1.0), base=NATS), 2.3905620875658995),
    (lambda: info.kl_divergence(rare.Binomial(100, 0.2), rare.Binomial(100, 0.05), base=NATS), 13.977866668265074),
    (lambda: info.entropy(rare.Poisson(1.0), base=NATS), 1.3048422422562516),
    (lambda: info.entropy(rare.Poisson(100.0), base=NATS), 3.720686072260259),
    (lambda: info.entropy(rare.Normal(0.0, 1.0), base=NATS), 1.4189385332046727),
    (lambda: info.entropy(rare.NegativeBinomial(5.0, 0.5), base=NATS), 2.483619150583803),
    (lambda: info.entropy_rate(WEATHER, base=NATS), 1.0319963702032628),
    (lambda: info.self_information(1e-300, base=10.0), 300.0),
    (lambda: info.tsallis_entropy(FOUR, 2.0), 0.75),
    (lambda: info.renyi_entropy(DYADIC, 0.0), 2.0),
    (lambda: info.renyi_divergence(DYADIC, FOUR, 2.0), math.log2(4.0 * (0.25 + 0.0625 + 2.0 / 64.0))),
], ids=lambda v: f"{v:.6g}" if isinstance(v, float) else "")
def test_known_answers(found, exact):
    close(found(), exact)


def test_stationary_law_of_the_weather():
    from rareevents.information.chains import _stationary
    close(_stationary(WEATHER), [0.5121025154247746, 0.25296630280018984, 0.20503084954912199, 0.029900332225913623])
    lost = [[0.5, 0.5, 0.0], [0.0, 0.2, 0.8], [0.0, 0.6, 0.4]]                       # a transient state has no weight
    close(_stationary(np.array(lost)), [0.0, 3.0 / 7.0, 4.0 / 7.0])
    assert info.entropy_rate([[0.0, 1.0], [1.0, 0.0]]) == 0.0


def test_vectors_agree_with_scipy():
    p, q = vectors(seed=1), vectors(seed=2) * 0.999 + 0.001 / 7
    close(info.entropy(p, base=NATS), stats.entropy(p, axis=1))
    close(info.kl_divergence(p, q, base=NATS), stats.entropy(p, q, axis=1))
    close(info.kl_divergence(p, q, base=NATS), special.rel_entr(p, q).sum(axis=1))
    close(info.jensen_shannon_divergence(p, q), special.rel_entr(p, (p + q) / 2).sum(axis=1) / math.log(4.0)
          + special.rel_entr(q, (p + q) / 2).sum(axis=1) / math.log(4.0))


def test_nearly_equal_vectors_against_sixty_digits():
    """|p - q| of 1e-9: the divergence is 1e-18, where sum p log(p / q) has lost every digit."""
    p = np.array([0.2, 0.3, 0.1, 0.4])
    for step in (1e-5, 1e-9, 1e-13):
        q = p + step * np.array([1.0, -1.0, 2.0, -2.0])
        with localcontext() as context:
            context.prec = 60
            pairs = [(D(float(a)), D(float(b))) for a, b in zip(p, q, strict=True)]
            exact = float(sum(a * (a / b).ln() + b - a for a, b in pairs))
        close(info.kl_divergence(p, q, base=NATS), exact)
        half = 0.25 * (info.kl_divergence(p, q, base=NATS) + info.kl_divergence(q, p, base=NATS)) / 2.0
        close(info.jensen_shannon_divergence(p, q, base=NATS), half, 1e-3)           # both chi^2 / 8 to first order
    assert info.kl_divergence(p, p) == 0.0


def test_small_probabilities_against_sixty_digits():
    p, q = np.array([1.0 - 1e-12, 1e-12, 1e-300]), np.array([1e-300, 0.5, 0.5])
    with localcontext() as context:
        context.prec = 60
        exact = float(sum(D(float(a)) * (D(float(a)) / D(float(b))).ln() + D(float(b)) - D(float(a))
                          for a, b in zip(p, q, strict=True)))
    close(info.kl_divergence(p, q, base=NATS), exact)
    rates = np.linspace(1e-5, 1e-3, 1000)                                           # their product is 1e-3500 or so
    with localcontext() as context:
        context.prec = 60
        exact = float(-sum(D(float(r)).ln() for r in rates))
    close(info.self_information(rates, base=NATS).sum(), exact)
    close(info.renyi_entropy(np.full(10 ** 6, 1e-6), 300.0, base=10.0), 6.0)        # each p^order underflows


# ------------------------------------------------------------------------------------------------ identities
def test_chain_rule_and_independence():
    joint = np.random.default_rng(3).gamma(0.3, size=(20, 4, 5))
    joint[:, 1, 2] = 0.0
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    px, py = joint.sum(axis=2), joint.sum(axis=1)
    h = info.joint_entropy(joint)
    close(h, info.entropy(px) + info.conditional_entropy(joint))
    close(h, info.entropy(py) + info.conditional_entropy(joint, given=1))
    close(info.mutual_information(joint), info.entropy(px) + info.entropy(py) - h, 1e-11)
    close(info.mutual_information(joint), info.mutual_information(joint.swapaxes(1, 2)))
    apart = px[:, :, None] * py[:, None, :]
    close(info.joint_entropy(apart), info.entropy(px) + info.entropy(py))
    assert np.all(np.abs(info.mutual_information(apart)) < 1e-30)


def test_inequalities_bases_and_broadcasting():
    p, q = vectors(seed=4), vectors(seed=5) * 0.9 + 0.1 / 7
    kl = info.kl_divergence(p, q)
    assert np.all(kl >= 0.0) and np.all(info.cross_entropy(p, q) >= info.entropy(p))
    close(info.cross_entropy(p, q), info.entropy(p) + kl)
    js = info.jensen_shannon_divergence(p, q)
    assert np.all((js >= 0.0) & (js <= 1.0))
    close(js, info.jensen_shannon_divergence(q, p))
    close(info.kl_divergence(p, q, base=NATS), kl * math.log(2.0))
    close(info.kl_divergence(p, q, base=10.0), kl * math.log10(2.0))
    close(info.perplexity(p), 2.0 ** info.entropy(p))
    order = np.random.default_rng(6).permutation(7)
    close(info.kl_divergence(p[:, order], q[:, order]), kl)
    table = info.kl_divergence(p[:, None, :], q[None, :8, :])
    assert table.shape == (50, 8)
    close(np.diagonal(table), kl[:8])
    assert isinstance(info.entropy(p[0]), float)


def test_orders():
    p, q = vectors(seed=7), vectors(seed=8) * 0.9 + 0.1 / 7
    for step in (1e-4, -1e-4):                                         # to first order the distance from order 1
        close(info.renyi_entropy(p, 1.0 + step), info.entropy(p), 1e-3)
        close(info.tsallis_entropy(p, 1.0 + step), info.entropy(p, base=NATS), 1e-3)
        close(info.renyi_divergence(p, q, 1.0 + step), info.kl_divergence(p, q), 1e-3)
    for order in (0.0, 0.3, 0.93, 1.07, 1.5, 2.0, 7.0):
        power = np.where(p > 0.0, p ** order, 0.0).sum(axis=1)
        close(info.renyi_entropy(p, order, base=NATS), np.log(power) / (1.0 - order), 1e-11)
        close(info.tsallis_entropy(p, order), (1.0 - power) / (order - 1.0), 1e-11)
        close(info.renyi_divergence(p, q, order, base=NATS),
              np.log(np.where(p > 0.0, p ** order * q ** (1.0 - order), 0.0).sum(axis=1)) / (order - 1.0), 1e-11)
    falling = np.array([info.renyi_entropy(p, order) for order in (0.0, 0.5, 1.0, 2.0, 50.0, math.inf)])
    assert np.all(np.diff(falling, axis=0) <= 1e-12)
    rising = np.array([info.renyi_divergence(p, q, order) for order in (0.0, 0.5, 1.0, 2.0, 50.0, math.inf)])
    assert np.all(np.diff(rising, axis=0) >= -1e-12)
    for order, exact in ((0.5, math.log(2.0)), (0.95, math.log(2.0)), (1.05, math.inf), (3.0, math.inf)):
        close(info.renyi_divergence([0.5, 0.5], [1.0, 0.0], order, base=NATS),
              exact if order > 1.0 else order / (1.0 - order) * exact)
    assert info.renyi_divergence([1.0, 0.0], [0.0, 1.0], 0.95) == math.inf


def test_observations():
    q, x = np.array([0.5, 0.25, 0.25, 0.0]), np.array([[0, 1], [2, 3]])
    assert np.array_equal(info.negative_log_likelihood(q, x), [[1.0, 2.0], [2.0, math.inf]])
    forecasts = np.array([[0.5, 0.5], [0.25, 0.75]])                                # one for each day
    close(info.negative_log_likelihood(forecasts, [0, 0]), [1.0, 2.0])
    days = np.repeat(np.arange(4), [8, 4, 2, 2])                                    # exactly as DYADIC says
    close(info.negative_log_likelihood(FOUR, days).mean(), info.cross_entropy(DYADIC, FOUR))
    law = rare.Poisson(4.0)
    close(info.negative_log_likelihood(law, [2, 30], base=NATS), -stats.poisson.logpmf([2, 30], 4.0))
    row = rare.Normal(1.0, 2.0).sample(1000, seed=3)
    close(info.self_information(rare.IID(rare.Normal(1.0, 2.0), 1000), row),
          info.self_information(rare.Normal(1.0, 2.0), row).sum())


# ------------------------------------------------------------------------------------------------ laws
@pytest.mark.parametrize("law, ref", SCALAR, ids=lambda v: repr(v) if isinstance(v, rare.Distribution) else "")
def test_entropy_of_every_law_against_its_sum_or_integral(law, ref):
    h = info.entropy(law, base=NATS)
    summed = integral(law.log_prob, lambda x: -law.log_prob(x), law.supports[0], marks(law))
    assert h == pytest.approx(summed, rel=1e-11, abs=1e-11)
    if ref is not None and law.dtype is float:
        assert h == pytest.approx(float(ref.entropy()), rel=1e-9, abs=1e-9)


PAIRS = [
    (rare.Bernoulli(0.3), rare.Bernoulli(0.9)), (rare.Binomial(20, 0.3), rare.Binomial(20, 0.7)),
    (rare.Binomial(12, 0.3), rare.Binomial(20, 0.7)), (rare.Geometric(0.3), rare.Geometric(0.1)),
    (rare.NegativeBinomial(2.5, 0.3), rare.NegativeBinomial(2.5, 0.5)), (rare.Poisson(4.0), rare.Geometric(0.2)),
    (rare.Categorical([0.2, 0.0, 0.8]), rare.Categorical([0.3, 0.3, 0.4])), (rare.Poisson(4.0), rare.Poisson(20.0)),
    (rare.Truncated(rare.Poisson(4.0), 20, math.inf), rare.Poisson(20.0)),
    (rare.ZeroInflated(rare.Poisson(3.0), 0.3), rare.Poisson(2.0)), (rare.Binomial(20, 0.3), rare.Poisson(6.0)),
    (rare.Mixture([rare.Poisson(4.0), rare.Poisson(90.0)], [0.9, 0.1]), rare.Poisson(20.0)),
    (rare.Shifted(rare.Poisson(4.0), 3), rare.Shifted(rare.Poisson(5.0), 3)),
]


@pytest.mark.parametrize("p, q", PAIRS, ids=repr)
def test_divergence_of_counts_against_their_vectors(p, q):
    window = np.arange(2000)
    a, b = np.exp(p.log_prob(window)), np.exp(q.log_prob(window))
    seen = b > 0.0
    a, b = a[seen] / a[seen].sum(), b[seen] / b[seen].sum()
    close(info.kl_divergence(p, q), info.kl_divergence(a, b), 1e-11)
    close(info.cross_entropy(p, q), info.cross_entropy(a, b), 1e-11)
    close(info.entropy(p), info.entropy(a), 1e-11)
    close(info.jensen_shannon_divergence(p, q), info.jensen_shannon_divergence(a, b), 1e-11)
    close(info.renyi_entropy(p, 2.0), info.renyi_entropy(a, 2.0), 1e-11)
    close(info.renyi_divergence(p, q, 0.5), info.renyi_divergence(a, b, 0.5), 1e-11)


REAL_PAIRS = [
    (rare.Uniform(0.0, 1.0), rare.Uniform(-1.0, 3.0)), (rare.Normal(1.0, 2.0), rare.Normal(-3.0, 5.0)),
    (rare.Normal(0.0, 1.0), rare.Normal(1e5, 1.0)), (rare.LogNormal(0.5, 1.0), rare.LogNormal(0.0, 2.0)),
    (rare.Exponential(1.0), rare.Exponential(3.0)), (rare.Gamma(2.5, 2.0), rare.Gamma(2.5, 1.0)),
    (rare.Gamma(2.5, 2.0), rare.Gamma(4.0, 1.0)), (rare.Gamma(0.05, 2.0), rare.Gamma(0.5, 1.0)),
    (rare.Weibull(0.3, 2.0), rare.Weibull(0.3, 3.0)), (rare.Weibull(1.0, 2.0), rare.Weibull(2.0, 3.0)),
    (rare.Lomax(2.2, 1.0), rare.Lomax(1.5, 1.0)),
]


@pytest.mark.parametrize("p, q", REAL_PAIRS, ids=repr)
def test_closed_forms_of_reals_against_the_integral(p, q):
    integrated = closed_forms.integrated(p.log_prob, q.log_prob, closed_forms.pieces(p, q), marks(p, q))
    close(closed_forms.kl_divergence(p, q), integrated, 1e-11)


def test_divergences_that_only_an_integral_gives():
    half = rare.Truncated(rare.Normal(), 0.0, math.inf)
    close(info.kl_divergence(half, rare.Normal()), 1.0)                                 # half of the line
    close(info.kl_divergence(rare.Exponential(1.0), rare.Normal(), base=NATS), 0.5 * math.log(2.0 * math.pi))
    close(info.kl_divergence(rare.Weibull(1.5, 1.0), rare.Weibull(1.5 + 1e-3, 1.0), base=NATS),
          0.5e-6 * ((1.0 - np.euler_gamma) ** 2 + math.pi ** 2 / 6.0) / 1.5 ** 2, 2e-3)    # half the Fisher information
    for p, q in ((rare.StudentT(1.5), rare.Normal()), (rare.Lomax(1.0, 1.0), rare.Exponential(1.0)),
                 (rare.Normal(), half), (rare.Poisson(4.0), rare.Binomial(20, 0.2)),
                 (rare.Uniform(-1.0, 1.0), rare.Uniform(0.0, 3.0))):
        assert info.kl_divergence(p, q) == info.cross_entropy(p, q) == math.inf


@pytest.mark.parametrize("law", [rare.Poisson(3.0), rare.Bernoulli(0.3), rare.Exponential(2.0), rare.Normal(0.0, 1.0),
                                 rare.Geometric(0.2), rare.Gamma(2.5, 2.0)], ids=repr)
def test_nearly_equal_laws(law):
    """KL(p || tilted p) is variance theta^2 / 2 to first order, at 1e-18 too."""
    for theta in (1e-5, 1e-9):
        close(info.kl_divergence(law, law.tilt(theta), base=NATS), 0.5 * theta ** 2 * law.variance, 2e-4)
        assert info.kl_divergence(law, law) == 0.0


def test_vector_laws():
    a, b = rare.IID(rare.Poisson(4.0), 30), rare.IID(rare.Poisson(6.0), 30)
    close(info.kl_divergence(a, b), 30.0 * info.kl_divergence(a.law, b.law))
    close(info.entropy(a), 30.0 * info.entropy(a.law))
    mixed = rare.Independent([rare.Poisson(4.0), rare.Normal(1.0, 2.0)])
    other = rare.Independent([rare.Poisson(5.0), rare.Normal(0.0, 1.0)])
    close(info.kl_divergence(mixed, other), info.kl_divergence(rare.Poisson(4.0), rare.Poisson(5.0))
          + info.kl_divergence(rare.Normal(1.0, 2.0), rare.Normal(0.0, 1.0)))
    close(info.kl_divergence(a, rare.Independent([rare.Poisson(6.0)] * 30)), info.kl_divergence(a, b))
    diagonal = rare.MultivariateNormal([1.0, 2.0], np.diag([4.0, 9.0]))
    close(info.entropy(diagonal), info.entropy(rare.Normal(1.0, 2.0)) + info.entropy(rare.Normal(2.0, 3.0)))
    tilted = BIVARIATE.tilt([0.3, -0.2])
    theta = np.array([0.3, -0.2])
    close(info.kl_divergence(tilted, BIVARIATE, base=NATS), theta @ tilted.mean - BIVARIATE.log_mgf(theta))


# ------------------------------------------------------------------------------------------------ sampled
TWO = rare.Mixture([PLANE, BIVARIATE], [0.5, 0.5])


@pytest.mark.parametrize("function, laws", [
    (info.entropy, (rare.Poisson(4.0),)), (info.entropy, (BIVARIATE,)), (info.entropy, (rare.Gamma(2.5, 2.0),)),
    (info.cross_entropy, (rare.Poisson(4.0), rare.Poisson(6.0))), (info.cross_entropy, (BIVARIATE, PLANE)),
    (info.kl_divergence, (rare.Poisson(4.0), rare.Geometric(0.2))), (info.kl_divergence, (BIVARIATE, PLANE)),
    (info.kl_divergence, (rare.IID(rare.Poisson(4.0), 30), rare.IID(rare.Poisson(4.5), 30))),
], ids=lambda v: getattr(v, "__name__", repr(v)))
def test_sampled_equals_exact(function, laws):
    found = function(*laws, samples=200_000, seed=5)
    exact = function(*laws)
    assert found.samples == 200_000 and len(found.history()) > 1
    assert abs(found.value - exact) < 4.9 * found.std_error        # a normal mean: 1e-6
    in_nats = function(*laws, base=NATS, samples=200_000, seed=5)
    close(in_nats.value, found.value * math.log(2.0))


def test_sampled_where_nothing_else_is_known():
    found = info.kl_divergence(TWO, PLANE, samples=100_000, seed=1)
    low, high = found.interval()
    assert 0.0 < low < found.value < high < 0.5 * info.kl_divergence(BIVARIATE, PLANE)          # convexity
    with pytest.raises(UserFunctionError, match="inf"):
        info.kl_divergence(rare.Normal(), rare.Truncated(rare.Normal(), 0.0, math.inf), samples=1000)


# ------------------------------------------------------------------------------------------------ cost
def test_cost_of_proposals():
    p, event = rare.Poisson(10.0), rare.at_least(30)
    x = np.arange(30, 400)
    weights = np.exp(p.log_prob(x))
    best = float(x @ weights / weights.sum())                                           # E[X | X >= 30]
    cost = info.cost_of_proposal(p, event, rare.Poisson(best))
    close(cost.bits * math.log(2.0), 1.7334552119255346)
    close(cost.perplexity, 2.0 ** cost.bits)
    close(cost.draws, cost.relative_variance / 1e-4, 1e-4)
    for rate in (0.98 * best, 1.02 * best):
        assert info.cost_of_proposal(p, event, rare.Poisson(rate)).bits > cost.bits
    naive = info.cost_of_proposal(p, event, relative_error=0.1)
    close(naive.bits * math.log(2.0), 15.197832339625965)
    close(naive.draws, 100.0 * 3984140.2031885716, 1e-7)
    close(1.0 / naive.perplexity, 2.5099512015279076e-07)
    assert info.cost_of_proposal(rare.Exponential(1.0), rare.at_least(2.0), rare.Exponential(2.5)).draws == math.inf


# ------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize("call, said", [
    (lambda: info.entropy([0.5, 0.4]), "p must sum to 1 within 1e-09, got the sum 0.9"),
    (lambda: info.entropy([3, 4, 5]), "the sum 12.0: divide counts"),
    (lambda: info.entropy([[0.5, 0.5], [0.5, 0.6]]), "the sum 1.1"),
    (lambda: info.entropy([1.5, -0.5]), "p must hold no negative entries, got -0.5"),
    (lambda: info.entropy([0.5, math.nan]), "p must not hold NaN"),
    (lambda: info.entropy([]), "p must be a probability vector with at least one entry"),
    (lambda: info.entropy(0.5), "p must be a probability vector"),
    (lambda: info.entropy("half"), "p must be an array of numbers or a law, got 'half'"),
    (lambda: info.entropy([1.0], base=1.0), "base must be a finite number above 0 other than 1, got 1.0"),
    (lambda: info.entropy([1.0], base=-2.0), "base must be"), (lambda: info.entropy([1.0], base="e"), "base must be"),
    (lambda: info.entropy([1.0], samples=10), "samples is for laws"),
    (lambda: info.entropy(rare.Normal(), seed=3), "seed is for sampling, got 3"),
    (lambda: info.entropy(TWO), "give samples="), (lambda: info.kl_divergence(TWO, PLANE), "give samples="),
    (lambda: info.kl_divergence([1.0], [0.5, 0.5]), "one length, got 1 and 2"),
    (lambda: info.kl_divergence([[1.0]] * 2, [[1.0]] * 3), "leading axes that fit"),
    (lambda: info.kl_divergence([1.0], [math.nan]), "q must not hold NaN"),
    (lambda: info.kl_divergence([1.0], rare.Normal()), "both be laws"),
    (lambda: info.kl_divergence(rare.Poisson(1.0), rare.Normal()), "one kind and size"),
    (lambda: info.kl_divergence(PLANE, rare.Normal()), "one kind and size"),
    (lambda: info.self_information(1.5), "p must hold probabilities in [0, 1], got"),
    (lambda: info.self_information(rare.Normal()), "x must be the points"),
    (lambda: info.self_information([1.0], [0]), "negative_log_likelihood"),
    (lambda: info.negative_log_likelihood([0.5, 0.5], [2]), "x must hold integers from 0 to 1"),
    (lambda: info.negative_log_likelihood([0.5, 0.5], [-1]), "x must hold integers from 0 to 1"),
    (lambda: info.negative_log_likelihood([0.5, 0.5], [0.5]), "x must hold integers from 0 to 1"),
    (lambda: info.negative_log_likelihood([[0.5, 0.5]] * 2, [0, 1, 1]), "x must fit the leading axes"),
    (lambda: info.joint_entropy([0.5, 0.5]), "joint must be a joint table"),
    (lambda: info.joint_entropy([[0.5, 0.6]]), "joint must sum to 1"),
    (lambda: info.conditional_entropy([[0.5, 0.5]], given=2), "given must be 0 or 1"),
    (lambda: info.renyi_entropy([1.0], -1.0), "order must be a number of at least 0, got -1.0"),
    (lambda: info.renyi_entropy([1.0], math.nan), "order must be"),
    (lambda: info.renyi_entropy(rare.Normal(), math.inf), "order must be above 0 and finite for laws"),
    (lambda: info.tsallis_entropy([1.0], math.inf), "order must be finite"),
    (lambda: info.renyi_entropy(PLANE, 2.0), "p must be a law of one number"),
    (lambda: info.entropy_rate([[0.5, 0.5]]), "square matrix, got shape (1, 2)"),
    (lambda: info.entropy_rate(np.eye(2)), "none of the states [0] and [1] leads to the other"),
    (lambda: info.entropy_rate([[0.5, 0.6], [0.5, 0.5]]), "transition must sum to 1"),
    (lambda: info.cost_of_proposal(rare.Normal(), rare.at_least(1), relative_error=0.0), "relative_error must be"),
])
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        call()
