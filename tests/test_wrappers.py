"""Laws made of other laws: exact values, a user's laws as parts, what compiles, bad input."""
import copy
import math
import pickle
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

import rareevents.distributions as d
from rareevents.distributions import (
    IID,
    Exponential,
    Gamma,
    Independent,
    Mixture,
    MultivariateNormal,
    Normal,
    Poisson,
    Reflected,
    Shifted,
    StudentT,
    Truncated,
    ZeroInflated,
)
from rareevents.kernels import records
from rareevents.kernels.fuse import COMPILED

INF = math.inf
C2 = [[1.0, 0.5], [0.5, 2.0]]


@dataclass(frozen=True)
class HalfNormal(d.Distribution):
    """A user's law with a rejection loop: |Z| times a scale."""

    scale: float
    support = d.reals(0.0, INF)

    def draw(self, rng):
        while True:
            x = rng.standard_exponential()
            if rng.random() <= math.exp(-0.5 * (x - 1.0) ** 2):
                return self.scale * x

    def log_density(self, x):
        z = x / self.scale
        return 0.5 * math.log(2.0 / math.pi) - math.log(self.scale) - 0.5 * z * z if x >= 0.0 else -math.inf


@dataclass(frozen=True)
class Steps(d.Distribution):
    """A user's law with an array, read in several ways: a density that is constant between knots."""

    knots: np.ndarray
    heights: np.ndarray
    support = d.reals(0.0, INF)

    def draw(self, rng):
        u, k = rng.random(), 0
        areas = self.heights * (self.knots[1:] - self.knots[:-1])
        while u > areas[k] and k < areas.size - 1:
            u -= areas[k]
            k += 1
        return self.knots[k] + u / self.heights[k]

    def log_density(self, x):
        k = np.searchsorted(self.knots, x)
        total = self.heights.sum() * 0.0
        for h in self.heights:
            total += 0.0 * h
        return math.log(self.heights[k - 1]) + total if 0 < k < len(self.knots) else -math.inf


SOURCELESS = {}
exec("""
import math
from dataclasses import dataclass
import rareevents.distributions as d

@dataclass(frozen=True)
class Zipf(d.Distribution):
    a: float
    support = d.integers(1, math.inf)
    def draw(self, rng):
        while True:
            v = rng.random()
            x = math.floor(rng.random() ** (-1.0 / (self.a - 1.0)))
            if x > 1e15: continue
            t = (1.0 + 1.0 / x) ** (self.a - 1.0)
            if v * x * (t - 1.0) / (2.0 ** (self.a - 1.0) - 1.0) <= t / 2.0 ** (self.a - 1.0): return int(x)
    def derive(self):
        from scipy.special import zeta
        return {"log_zeta": math.log(zeta(self.a))}
    def log_density(self, x):
        return -self.a * math.log(x) - self.log_zeta if x >= 1 else -math.inf
""", SOURCELESS)
Zipf = SOURCELESS["Zipf"]
STEPS = Steps(np.array([0.0, 1.0, 3.0]), np.array([0.4, 0.3]))


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# ------------------------------------------------------------------------------------------------ exact
GRID = np.linspace(-3.0, 6.0, 37)
COUNTS = np.arange(-2, 60)


def test_densities_against_direct_formulas():
    close(Mixture([Normal(0.0, 1.0), Normal(3.0, 2.0), StudentT(3.0, 1.0, 0.5)], [0.2, 0.5, 0.3]).log_prob(GRID),
          np.log(0.2 * stats.norm.pdf(GRID) + 0.5 * stats.norm.pdf(GRID, 3, 2) + 0.3 * stats.t.pdf(GRID, 3, 1, 0.5)))
    with np.errstate(divide="ignore"):
        close(Mixture([Poisson(2.0), Poisson(9.0), Poisson(50.0)], [0.25, 0.75, 0.0]).log_prob(COUNTS),
              np.log(0.25 * stats.poisson.pmf(COUNTS, 2) + 0.75 * stats.poisson.pmf(COUNTS, 9)))
        zeros = 0.8 * stats.poisson.pmf(COUNTS, 3) + 0.2 * (COUNTS == 0)
        close(ZeroInflated(Poisson(3.0), 0.2).log_prob(COUNTS), np.log(zeros))
    close(Shifted(Poisson(3.0), 2).log_prob(COUNTS), stats.poisson.logpmf(COUNTS, 3, loc=2))
    close(Truncated(Poisson(4.0), 20, INF).log_prob(np.arange(20, 60)),
          stats.poisson.logpmf(np.arange(20, 60), 4) - stats.poisson.logsf(19, 4))
    close(Truncated(Normal(1.0, 2.0), 0.0, 3.0).log_prob(GRID), stats.truncnorm.logpdf(GRID, -0.5, 1.0, 1.0, 2.0))
    rows = np.random.default_rng(1).normal(size=(20, 3))
    close(IID(Normal(1.0, 2.0), 3).log_prob(rows), stats.norm.logpdf(rows, 1, 2).sum(axis=1))
    covariance = np.array([[2.0, 0.3, -0.4], [0.3, 1.0, 0.2], [-0.4, 0.2, 3.0]])
    for c in (covariance, np.diag([1.0, 2.0, 3.0])):
        close(MultivariateNormal([1.0, 0.0, -1.0], c).log_prob(rows),
              stats.multivariate_normal([1.0, 0.0, -1.0], c).logpdf(rows))


def test_independent_takes_counts_from_a_row_of_floats():
    law = Independent([Normal(1.0, 2.0), Poisson(4.0), Normal(0.0, 1.0), Poisson(7.0)])
    rows = np.array([[0.3, 2.0, 0.1, 9.0], [0.0, 3.0, 0.0, 0.0]])
    close(law.log_prob(rows), stats.norm.logpdf(rows[:, 0], 1, 2) + stats.poisson.logpmf(rows[:, 1], 4)
          + stats.norm.logpdf(rows[:, 2]) + stats.poisson.logpmf(rows[:, 3], 7))
    for bad in (2.5, -1.0, INF, math.nan, 1e300):
        assert law.log_prob([0.3, bad, 0.1, 9.0]) == -INF
    assert law.dtype is float and law.support == (d.reals(-INF, INF), d.integers(0, INF)) * 2
    assert Independent([Poisson(1.0), Shifted(Poisson(2.0), 1)]).sample(3).dtype == np.int64


@pytest.mark.parametrize("law, x", [(Poisson(4.0), COUNTS), (HalfNormal(2.0), GRID)])
def test_wrappers_that_change_nothing(law, x):
    expected = law.log_prob(x)
    for same in (Mixture([law], [1.0]), Shifted(law, 0), Truncated(law, -INF, INF)):
        np.testing.assert_array_equal(same.log_prob(x), expected)
        assert same.support == law.support and same.dtype is law.dtype
    np.testing.assert_array_equal(IID(law, 1).log_prob(x[:, None]), expected)
    np.testing.assert_array_equal(Independent([law]).log_prob(x[:, None]), expected)
    np.testing.assert_array_equal(IID(law, 1).sample(50, seed=3)[:, 0], law.sample(50, seed=3))
    np.testing.assert_array_equal(Shifted(law, 0).sample(50, seed=3), law.sample(50, seed=3))


def test_supports_and_kinds():
    assert Shifted(Poisson(1.0), -3).support == d.integers(-3, INF)
    assert Truncated(Poisson(1.0), 1.5, 7.2).support == d.integers(2, 7)
    assert Truncated(Normal(0.0, 1.0), -INF, 1).support == d.reals(-INF, 1)
    assert ZeroInflated(Shifted(Poisson(1.0), 1), 0.5).support == d.integers(0, INF)
    mixed = Mixture([d.Uniform(0.0, 1.0), d.Uniform(4.0, 5.0), d.Uniform(8.0, 9.0)], [0.5, 0.5, 0.0])
    assert mixed.support == d.reals(0, 5) and mixed.log_prob(2.0) == mixed.log_prob(8.5) == -INF
    assert IID(Poisson(1.0), 4).support == d.integers(0, INF) and IID(Poisson(1.0), 4).sample(2).dtype == np.int64
    rows = Mixture([IID(Exponential(1.0), 2), MultivariateNormal([0.0, 0.0], C2)], [0.5, 0.5])
    assert rows.size == 2 and rows.support == d.reals(-INF, INF)


def test_mixture_does_not_overflow():
    law = Mixture([Normal(0.0, 1e-3), Normal(1.0, 1e-3)], [0.5, 0.5])
    close(law.log_prob([50.0]), Normal(1.0, 1e-3).log_prob([50.0]) + math.log(0.5))
    close(Mixture([Gamma(0.5, 1.0), Gamma(0.5, 2.0)], [0.5, 0.5]).log_prob(0.0), INF)


def test_moments():
    law = Truncated(Normal(1.0, 2.0), 0.0, 3.0)
    close([law.mean, law.variance], stats.truncnorm.stats(-0.5, 1.0, 1.0, 2.0))
    x = np.arange(20, 200)
    law = Truncated(Poisson(4.0), 20, INF)
    p = np.exp(law.log_prob(x))
    close([law.mean, law.variance], [p @ x, p @ (x - p @ x) ** 2])
    with pytest.raises(AttributeError):
        Truncated(StudentT(0.9, 0.0, 1.0), -1.0, INF).mean
    law = Mixture([Normal(0.0, 1.0), Normal(3.0, 2.0)], [0.25, 0.75])
    close([law.mean, law.variance], [2.25, 0.25 * 1 + 0.75 * (4 + 9) - 2.25 ** 2])
    law = Mixture([IID(Normal(0.0, 1.0), 2), MultivariateNormal([1.0, 3.0], C2)], [0.5, 0.5])
    close(law.mean, [0.5, 1.5])
    close(law.variance, [1.25, 0.5 * 1 + 0.5 * (2 + 9) - 2.25])


LAWS = [
    Mixture([Normal(0.0, 1.0), Normal(3.0, 2.0)], [0.25, 0.75]),
    Mixture([Poisson(2.0), Poisson(9.0), Poisson(40.0)], [0.5, 0.5, 0.0]),
    Mixture([Mixture([Normal(0.0, 1.0), Normal(3.0, 2.0)], [0.25, 0.75]), Mixture([Normal(-1.0, 1.0)], [1.0])],
            [0.5, 0.5]),
    Truncated(Poisson(4.0), 20, INF), Truncated(Poisson(4.0), 2, 5), Truncated(Poisson(1e4), 9900, INF),
    Truncated(Normal(1.0, 2.0), 0.0, 3.0), Truncated(Exponential(2.0), 0.5, INF), Truncated(Exponential(2.0), 0.5, 3.0),
    Shifted(Poisson(3.0), -2), Shifted(Gamma(2.0, 1.0), 0.5), Reflected(Poisson(3.0)), Reflected(Gamma(2.0, 1.0)),
    ZeroInflated(Poisson(3.0), 0.2),
]
VECTORS = [
    IID(Normal(1.0, 2.0), 2), Independent([Poisson(1.0), Shifted(Poisson(3.0), 1)]),
    Independent([Normal(0.0, 1.0), Poisson(2.0), Normal(1.0, 2.0)]),
    MultivariateNormal([1.0, -1.0], C2), MultivariateNormal([1.0, -1.0], np.eye(2)),
    Mixture([IID(Normal(0.0, 1.0), 2), MultivariateNormal([1.0, 3.0], C2)], [0.5, 0.5]),
    Mixture([MultivariateNormal([1.0, 3.0], C2), MultivariateNormal([0.0, 3.0], np.eye(2))], [0.5, 0.5]),
]


@pytest.mark.parametrize("law", VECTORS, ids=str)
def test_tilt_identity_of_vectors(law):               # check_distribution does this for laws of one number
    x = law.sample(200, seed=1)
    for theta in (-0.3, np.linspace(-0.3, 0.2, law.size)) if not isinstance(law, Mixture) else (0.2,):
        close(law.tilt(theta).log_prob(x), law.log_prob(x) + x @ np.broadcast_to(theta, law.size) - law.log_mgf(theta),
              1e-9)


@pytest.mark.parametrize("law", [
    *LAWS, *VECTORS, Mixture([HalfNormal(1.0), HalfNormal(3.0)], [0.5, 0.5]),
    Mixture([STEPS, HalfNormal(1.0)], [0.5, 0.5]),
    Truncated(Zipf(2.5), 10, 100), IID(HalfNormal(1.0), 2)], ids=str)
def test_contract(law):                     # each fails with probability at most 1e-6, says check_distribution
    from rareevents.testing import check_distribution
    check_distribution(law, draws=50_000)


@pytest.mark.parametrize("law", [*LAWS, *VECTORS], ids=str)
def test_copies_and_hashes(law):
    law.record
    for again in (pickle.loads(pickle.dumps(law)), copy.deepcopy(law)):
        assert again == law and hash(again) == hash(law)


# ------------------------------------------------------------------------------------------------ a user's laws
def test_users_laws_as_parts():
    x = np.linspace(0.1, 5.0, 20)
    half = lambda scale: stats.halfnorm.pdf(x, 0, scale)                                       # noqa: E731
    close(Mixture([HalfNormal(1.0), HalfNormal(3.0)], [0.3, 0.7]).log_prob(x), np.log(0.3 * half(1) + 0.7 * half(3)))
    close(IID(HalfNormal(2.0), 20).log_prob(x), np.log(half(2)).sum())
    pair = Independent([Zipf(3.0), HalfNormal(2.0)])
    close(pair.log_prob([2.0, 1.0]), stats.zipf.logpmf(2, 3.0) + stats.halfnorm.logpdf(1.0, 0, 2))
    assert pair.log_prob([2.5, 1.0]) == pair.log_prob([0.0, 1.0]) == -INF
    mixed = Mixture([Zipf(3.0), Poisson(4.0)], [0.5, 0.5])
    close(mixed.log_prob([1, 5]), np.log(0.5 * stats.zipf.pmf([1, 5], 3.0) + 0.5 * stats.poisson.pmf([1, 5], 4)))


def test_same_fields_but_other_functions_are_not_alike():
    @dataclass(frozen=True)
    class Twin(d.Distribution):             # the record of a Normal, another law
        mean: float = 0.0
        sd: float = 1.0
        support = d.reals(-INF, INF)

        def derive(self):
            return {"log_norm": 0.0}

        def draw(self, rng):
            return self.mean + self.sd * (rng.random() - 0.5)

        def log_density(self, x):
            return -math.log(self.sd) if abs(x - self.mean) <= 0.5 * self.sd else -math.inf
    law = Mixture([Normal(0.0, 1.0), Twin(5.0, 2.0)], [0.5, 0.5])
    close(law.log_prob([0.0, 5.0]), np.log([0.5 * stats.norm.pdf(0), 0.5 * stats.norm.pdf(5) + 0.25]))


def test_new_values_compile_nothing():
    def use(law):
        law.log_prob(law.sample(10))
        return sum(COMPILED.values())

    def check(*laws):
        counts = [use(law) for law in laws]
        assert all(a == b for a, b in pairwise(counts)), laws
    check(Mixture([Poisson(1.0), Poisson(30.0)], [0.5, 0.5]), Mixture([Poisson(2000.0)], [1.0]),
          Mixture([Poisson(0.5 * i) for i in range(1, 65)], np.full(64, 1 / 64)),
          Mixture([Poisson(1.0), Poisson(3.0)], [0.0, 1.0]))
    check(Mixture([Normal(0.0, 1.0), StudentT(3.0, 0.0, 1.0)], [0.5, 0.5]),
          Mixture([Normal(0.0, 1.0), StudentT(4.0, 0.0, 1.0), Normal(1.0, 3.0)], [0.2, 0.5, 0.3]))
    check(IID(Poisson(1.0), 2), IID(Poisson(3.0), 40))
    check(Independent([Poisson(1.0)] * 2), Independent([Poisson(3.0 + i) for i in range(30)]))
    check(Truncated(Poisson(4.0), 20, INF), Truncated(Poisson(1e6), 999_000, INF), Truncated(Poisson(3.0), 2, 2))
    check(ZeroInflated(Poisson(4.0), 0.2), ZeroInflated(Poisson(5.0), 1.0))
    check(Mixture([Truncated(Poisson(4.0), 20, INF), Truncated(Poisson(5.0), 20, INF)], [0.5, 0.5]),
          Mixture([Truncated(Poisson(7.0 + i), 30, INF) for i in range(4)], [0.25] * 4))


# ------------------------------------------------------------------------------------------------ stacks
def test_stacks_give_back_their_records():
    made = [records.record(a=1.5 + i, n=i, v=np.arange(i), m=np.full((2, 3), i), part=law.record, pair=(law.record,))
            for i, law in enumerate([Poisson(1.0), Poisson(30.0), Poisson(3.0)])]
    assert records.stackable(made)
    stack = records.stack(made)
    twice = records.stack([stack, records.stack(made[::-1])])
    assert not records.stackable([stack, records.stack(made[1:])])         # two numbers of matrices: two shapes
    for i, original in enumerate(made):
        for found in (stack._take(i), twice._take(0)._take(i), twice._take(1)._take(2 - i)):
            assert type(found) is type(original) and records.shape(found.part) == records.shape(original.part)
            np.testing.assert_array_equal(found.v, original.v)
            np.testing.assert_array_equal(found.m, original.m)
            np.testing.assert_array_equal(found.pair[0].table, original.pair[0].table)
            assert (found.a, found.n) == (original.a, original.n)


# ------------------------------------------------------------------------------------------------ samples
def test_zero_weight_is_never_drawn():
    weights = [0.0, 0.3, 0.0, 0.7, 0.0]
    law = Mixture([Truncated(Poisson(10.0), 10 * i, 10 * i + 9) for i in range(5)], weights)
    counts = np.bincount(law.sample(20_000, seed=1) // 10, minlength=5)
    assert counts[[0, 2, 4]].sum() == 0
    # a binomial count is more than 5 standard deviations off with probability 6e-7
    assert abs(counts[1] - 6000) < 5 * math.sqrt(20_000 * 0.3 * 0.7)


def test_table_beyond_its_end_is_exact():
    """The sequential search beyond the table, with a table that leaves every draw to it."""
    p = np.exp(Truncated(Poisson(4.0), 20, INF).log_prob(np.arange(20, 60)))
    law = Truncated(Poisson(4.0), 20, INF)
    object.__setattr__(law, "_cells", {"table": np.array([1, 1], np.uint64), "first": 20,
                                       "cells": 1, "beyond": float(p[1:].sum())})
    x = law.sample(20_000, seed=5)          # both cells of the table say 1: beyond
    assert x.min() == 21
    counts = np.bincount(np.minimum(x, 27) - 21, minlength=7)
    q = np.append(p[1:7], p[7:].sum()) / p[1:].sum()
    assert stats.chisquare(counts, q * len(x)).pvalue > 1e-6               # false alarms: 1e-6


def test_rare_interval_of_counts_is_drawn_exactly():
    law = Truncated(Poisson(4.0), 60, INF)                                 # P = 5e-46
    x = law.sample(100_000, seed=2)
    p = np.exp(law.log_prob(np.arange(60, 64)))
    counts = np.bincount(x - 60, minlength=4)[:4]
    assert stats.chisquare(np.append(counts, len(x) - counts.sum()),
                           np.append(p, 1 - p.sum()) * len(x)).pvalue > 1e-6               # false alarms: 1e-6


# ------------------------------------------------------------------------------------------------ bad input
N, P = Normal(0.0, 1.0), Poisson(4.0)


@pytest.mark.parametrize("make, error, words", [
    (lambda: Mixture([], []), ValueError, "components must hold at least one law, got []"),
    (lambda: Mixture(N, [1.0]), TypeError, "components must be a sequence of laws, got Normal"),
    (lambda: Mixture([N, 3], [0.5, 0.5]), TypeError, "components[1] must be a law (an instance of a Distribution)"),
    (lambda: Mixture([N, N], [0.5, 0.6]), ValueError, "weights must sum to 1 within 1e-9, got [0.5, 0.6] with sum 1.1"),
    (lambda: Mixture([N, N], [1.5, -0.5]), ValueError, "weights[1] must be a finite number >= 0, got -0.5"),
    (lambda: Mixture([N, N], [math.nan, 1.0]), ValueError, "weights[0] must be a finite number >= 0, got nan"),
    (lambda: Mixture([N, N], [1.0]), ValueError, "weights must be as many as the components (2), got 1: [1.0]"),
    (lambda: Mixture([N, N], 1.0), TypeError, "weights must be a sequence of numbers, got 1.0"),
    (lambda: Mixture([N, P], [0.5, 0.5]), TypeError, "components must be alike in kind and size, got ('int', None) in"),
    (lambda: Mixture([N, IID(N, 2)], [0.5, 0.5]), TypeError, "('float', 2) in components[1]"),
    (lambda: IID(N, 0), ValueError, "n must be at least 1, got 0"),
    (lambda: IID(N, 2.0), TypeError, "n must be an integer, got 2.0"),
    (lambda: IID(IID(N, 2), 2), TypeError, "law must be a law of one number, got IID"),
    (lambda: IID(Normal, 2), TypeError, "law must be a law (an instance of a Distribution), got <class"),
    (lambda: Independent([]), ValueError, "laws must hold at least one law, got []"),
    (lambda: Independent([N, IID(N, 2)]), TypeError, "laws[1] must be a law of one number, got IID"),
    (lambda: Independent([N, N]).tilt([1.0]), ValueError, "theta must be a number or a vector of 2 numbers, got [1.0]"),
    (lambda: Truncated(N, 1.0, 0.0), ValueError, "low must be at most high, got low=1.0, high=0.0"),
    (lambda: Truncated(N, math.nan, 0.0), ValueError, "low must be a number, got nan"),
    (lambda: Truncated(N, "a", 0.0), TypeError, "low must be a number, got 'a'"),
    (lambda: Truncated(P, 1.2, 1.8), ValueError, "low and high must enclose mass, got P(1.2 <= X <= 1.8) = 0"),
    (lambda: Truncated(P, -5, -1), ValueError, "low and high must enclose mass, got P(-5 <= X <= -1) = 0"),
    (lambda: Truncated(N, 4.0, INF), ValueError, "at least 0.001, got P(4 <= X <= inf) = 3.17e-05 for Normal(mean=0.0, "
                                                 "sd=1.0): tilt first, Truncated(law.tilt(theta), low, high)"),
    (lambda: Shifted(P, 1.5), TypeError, "by must be an integer for a law of counts, got 1.5"),
    (lambda: Shifted(P, 2.0), TypeError, "by must be an integer for a law of counts, got 2.0"),
    (lambda: Shifted(N, INF), ValueError, "by must be a finite number, got inf"),
    (lambda: ZeroInflated(N, 0.5), TypeError, "law must be a law of counts, got Normal(mean=0.0, sd=1.0): with an"),
    (lambda: ZeroInflated(P, 1.5), ValueError, "p0 must be a number in [0, 1], got 1.5"),
    (lambda: MultivariateNormal([0.0], C2), ValueError, "covariance must have the shape (1, 1) of a mean of length 1"),
    (lambda: MultivariateNormal([0.0, math.nan], C2), ValueError, "mean must be a vector of finite numbers, got [0.0,"),
    (lambda: MultivariateNormal([0.0, "a"], C2), TypeError, "mean must be an array of numbers, got [0.0, 'a']"),
    (lambda: MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.4, 1.0]]), ValueError,
     "covariance must be symmetric, got 0.5 at [0, 1] and 0.4 at [1, 0]"),
    (lambda: MultivariateNormal([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), ValueError,
     "covariance must be positive definite, got the smallest eigenvalue -1"),
])
def test_bad_input(make, error, words):
    with pytest.raises(error, match=re.escape(words)):
        make()
