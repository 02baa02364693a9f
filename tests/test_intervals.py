"""Confidence intervals: known answers, relations between them, coverage, and the bound behind the certified one."""
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from rareevents import intervals
from rareevents.intervals import (
    betting,
    clopper_pearson,
    fay_feuer,
    hall,
    largest_share,
    log_growth,
    rule,
    student_t,
    zero_hits,
)
from rareevents.moments import Terms

P20 = special.pdtrc(19, 4.0)                         # P(X >= 20), X ~ Poisson(4)
P30 = special.pdtrc(29, 10.0)                        # P(X >= 30), X ~ Poisson(10)


def summary(y):
    y = np.asarray(y, dtype=float)
    d = y - y.mean()
    powers = [float((d**k).sum()) for k in (2, 3, 4)]
    return Terms(len(y), int((y != 0).sum()), int((y < 0).sum()), float(y.mean()), *powers,
                 float(np.abs(y).sum()), np.sort(np.abs(y[y != 0]))[:-1025:-1])


def grouped(y, size=512):
    return [summary(y[i:i + size]) for i in range(0, len(y), size)]


def tilted(rng, shape, rate, tilt, level):
    x = rng.poisson(tilt, shape)
    return np.where(x >= level, np.exp(tilt - rate + x * math.log(rate / tilt)), 0.0)


def fewest(replicates, coverage):
    """The number of covering intervals that `coverage` falls below with probability 1e-6."""
    from scipy.stats import binom
    return binom.ppf(1e-6, replicates, coverage)


def skewed(seed=0, size=200):
    return summary(np.random.default_rng(seed).lognormal(0.0, 1.0, size))


# --- known answers ---
def test_student_t():
    found = student_t(summary([1.0, 2.0, 3.0, 4.0]), 0.95)
    half = 3.182446305284263 * math.sqrt(5.0 / 3.0 / 4.0)
    assert found[:2] == pytest.approx((max(2.5 - half, 0.0), 2.5 + half)) and found.method == "student"
    assert student_t(summary([1.0, 0.0]), 0.95).low == 0.0
    assert student_t(summary([-1.0, 3.0]), 0.95).low < 0.0


def test_hall_is_student_without_skewness():
    terms = summary([1.0, 2.0, 3.0, 4.0, 5.0])
    assert hall(terms, 0.9)[:2] == pytest.approx(student_t(terms, 0.9)[:2], rel=1e-14)


def test_hall_by_its_formula():
    terms = skewed()
    n, t = terms.draws, intervals._student_quantile(terms.draws, 0.95)
    g = (terms.m3 / n) / (terms.m2 / n) ** 1.5

    def h(x):
        return 3.0 * math.sqrt(n) / g * (np.cbrt(1.0 + g / math.sqrt(n) * (x - g / (6.0 * math.sqrt(n)))) - 1.0)
    expected = (terms.mean - terms.std_error * h(t), terms.mean - terms.std_error * h(-t))
    assert hall(terms, 0.95)[:2] == pytest.approx(expected, rel=1e-12)


def test_fay_feuer_of_counts_is_the_exact_poisson_interval():
    """With weights of one the limits are Garwood's: 7 events give [2.814, 14.42]."""
    terms = summary([1.0] * 7 + [0.0] * 93)
    assert np.multiply(fay_feuer(terms, 0.95, 1.0)[:2], 100) == pytest.approx((2.814363, 14.422675), rel=1e-6)


@pytest.mark.parametrize(("hits", "draws"), [(0, 10), (1, 10), (3, 1_000), (10, 10), (18, 10**9)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_clopper_pearson(hits, draws, confidence):
    from scipy.stats import binomtest
    expected = binomtest(hits, draws).proportion_ci(confidence, "exact")
    assert clopper_pearson(hits, draws, confidence)[:2] == pytest.approx(tuple(expected), rel=1e-9)


def test_zero_hits():
    assert zero_hits(1_000, 2.0, 0.95)[:2] == pytest.approx((0.0, 3.688879454113936 * 2e-3), rel=1e-14)
    assert zero_hits(3, 1.0, 0.95, upper_limit=1.0).high == 1.0
    assert zero_hits(3, math.inf, 0.95).high == math.inf
    empty = summary(np.zeros(50))
    assert fay_feuer(empty, 0.95, 2.0)[:2] == pytest.approx(zero_hits(50, 2.0, 0.95)[:2], rel=1e-12)
    assert rule(empty, 0.95, None).high == math.inf
    assert rule(empty, 0.95, 2.0) == zero_hits(50, 2.0, 0.95)


def test_one_draw_says_nothing_asymptotic():
    assert hall(summary([2.0]), 0.95)[:2] == (0.0, math.inf)
    assert student_t(summary([-2.0]), 0.95)[:2] == (-math.inf, math.inf)


# --- the rule ---
def test_rule():
    assert rule(skewed(), 0.95, None).method == "hall"
    few, heavy = summary([1.0] * 49 + [0.0] * 51), summary([1.0] * 80 + [3.1])
    assert largest_share(heavy) > 0.10
    assert rule(few, 0.95, 1.0) == fay_feuer(few, 0.95, 1.0)
    assert rule(heavy, 0.95, 5.0) == fay_feuer(heavy, 0.95, 5.0)
    assert rule(heavy, 0.95, None) == fay_feuer(heavy, 0.95, 3.1)           # no bound: the largest term observed
    assert rule(summary([1.0] * 50 + [0.0] * 50), 0.95, 1.0).method == "hall"
    assert rule(summary([-1.0, 5.0, 0.0]), 0.95, 5.0).method == "hall"      # signed: never the gamma interval


# --- relations ---
METHODS = {"student": lambda t, b: student_t(t, 0.95), "hall": lambda t, b: hall(t, 0.95),
           "fay-feuer": lambda t, b: fay_feuer(t, 0.95, b), "rule": lambda t, b: rule(t, 0.95, b),
           "betting": lambda t, b: betting([t], b, 0.95)}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("power", [-60, 60])
def test_scale(method, power):
    y, bound = np.random.default_rng(4).random(300) ** 4, 1.0
    small = method(summary(y), bound)
    large = method(summary(y * 10.0**power), bound * 10.0**power)
    assert np.divide(large[:2], 10.0**power) == pytest.approx(small[:2], rel=1e-9)
    assert small.low < y.mean() < small.high


@pytest.mark.parametrize("method", [student_t, hall, lambda t, c: fay_feuer(t, c, 1.0), lambda t, c: rule(t, c, 1.0),
                                    lambda t, c: betting([t], 1.0, c)], ids=METHODS)
def test_more_confidence_is_wider(method):
    terms = summary(np.random.default_rng(4).random(300) ** 4)
    wide, narrow = method(terms, 0.99), method(terms, 0.9)
    assert wide.low < narrow.low < terms.mean < narrow.high < wide.high


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_order_of_the_draws(method):
    y = np.random.default_rng(4).random(300) ** 4
    assert method(summary(y[::-1]), 1.0)[:2] == pytest.approx(method(summary(y), 1.0)[:2], rel=1e-12)


# --- betting ---
def exact_capital(z):
    """The portfolio's capital after the draws z, in logs."""
    logs = np.log1p(intervals._FRACTIONS * np.asarray(z)[:, None]).sum(axis=0)
    return logs.max() + math.log(np.exp(logs - logs.max()) @ intervals._SHARES)


def test_the_shares_are_a_probability():
    assert 0.9 < intervals._SHARES.sum() < 1.0 and (intervals._FRACTIONS < 1.0).all()


@settings(max_examples=300)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), st.floats(1e-6, 1.0 - 1e-6))
def test_the_growth_is_never_overstated(y, m):
    """sum of log(1 + c z) >= log_growth, for every fraction, below and above, up to rounding of the sums."""
    y = np.array(y)
    for unit, reach in ((m, 1.0 / m - 1.0), (m - 1.0, m / (1.0 - m))):
        z = (y - m) / unit
        sums = np.array([[(z**k).sum() for k in (1, 2, 3, 4)]])
        found = log_growth(np.array([float(len(y))]), sums, reach)[0]
        exact = np.log1p(intervals._FRACTIONS * z[:, None]).sum(axis=0)
        assert (found <= exact + 1e-9 * (1.0 + np.abs(found))).all()


def test_the_growth_is_nearly_exact_where_bets_are_small():
    z = np.random.default_rng(0).random((1, 1_000)) - 0.5
    sums = np.stack([(z**k).sum(axis=1) for k in (1, 2, 3, 4)], axis=1)
    exact = np.log1p(intervals._FRACTIONS * z[0][:, None]).sum(axis=0)
    small = intervals._FRACTIONS < 0.2
    assert log_growth(np.array([1_000.0]), sums, 1.0)[0][small] == pytest.approx(exact[small], abs=0.02)


@pytest.mark.parametrize("law", ["uniform", "indicator", "skewed", "constant"])
def test_betting_contains_the_interval_of_the_exact_capital(law):
    rng = np.random.default_rng(11)
    y = {"uniform": rng.random(400), "indicator": (rng.random(400) < 0.1) * 1.0, "skewed": rng.random(400) ** 8,
         "constant": np.full(400, 0.01)}[law]
    found, threshold = betting([summary(y)], 1.0, 0.95), math.log(40.0)
    assert exact_capital((y - found.low) / found.low) >= threshold - 1e-6
    assert exact_capital((found.high - y) / (1.0 - found.high)) >= threshold - 1e-6
    if law == "indicator":                                            # the chord is exact on two values
        assert exact_capital((y - found.low * 1.0001) / (found.low * 1.0001)) < threshold


def test_betting_moves_power_sums_to_any_mean(monkeypatch):
    """From centred sums to sums of z = (y - m) / m from below and (m - y) / (1 - m) from above, for every m tried."""
    y, seen = np.random.default_rng(12).random(300) ** 3, []

    def recorded(draws, sums, reach):
        seen.append((sums[0], reach))
        return log_growth(draws, sums, reach)
    monkeypatch.setattr(intervals, "log_growth", recorded)
    betting([summary(y)], 1.0, 0.95)
    sides = [0, 0]
    for sums, reach in seen:
        ways = [y * (1.0 + reach) - 1.0, reach - y * (1.0 + reach)]         # z, from the reach that z has at y = 1 or 0
        right = [np.allclose(sums, [(z ** k).sum() for k in (1, 2, 3, 4)], rtol=1e-9, atol=1e-9) for z in ways]
        assert any(right)
        sides = [a + b for a, b in zip(sides, right, strict=True)]
    assert min(sides) > 10


def test_betting_narrows_as_groups_arrive():
    groups = grouped(tilted(np.random.default_rng(5), 20_000, 4.0, 20.0, 20) / P20)
    bound = math.exp(16.0 + 20.0 * math.log(0.2)) / P20
    found = [betting(groups[:k], bound, 0.95) for k in (1, 5, 10, 20, 40)]
    assert all(a.low <= b.low and b.high <= a.high for a, b in zip(found, found[1:], strict=False))


def test_betting_without_hits_or_at_the_bound():
    none, full = betting([summary(np.zeros(1_000))], 2.0, 0.95), betting([summary(np.full(1_000, 2.0))], 2.0, 0.95)
    assert none.low == 0.0 and 3.689 * 2e-3 < none.high < 1.5 * 3.689 * 2e-3
    assert full.high == 2.0 and full.low == pytest.approx(2.0 - none.high, rel=1e-3)
    assert betting([summary([0.5])], 1.0, 0.95)[:2] == pytest.approx((0.0, 1.0), abs=0.05)


def test_betting_where_the_bound_is_useless():
    """A bound 1e36 times the value, and a bound whose fourth power underflows, give a wide interval and no error."""
    y = np.random.default_rng(6).random(2_000)
    wide = betting(grouped(y), 1e36, 0.95)
    assert wide.low < 0.5 < wide.high <= 1e36
    small = betting(grouped(y * 2.0**-240), 2.0**-240, 0.95)
    assert np.multiply(small[:2], 2.0**240) == pytest.approx(betting(grouped(y), 1.0, 0.95)[:2], rel=1e-9)


def test_betting_width():
    """Median half-width / mu of 20 runs, n = 10,000, B / mu = 9.13: 0.096; a fitted bet at a fixed n reaches 0.071."""
    rng, bound = np.random.default_rng(1), math.exp(16.0 + 20.0 * math.log(0.2))
    found = [betting(grouped(tilted(rng, 10_000, 4.0, 20.0, 20)), bound, 0.95) for _ in range(20)]
    assert 0.071 < np.median([(i.high - i.low) / 2.0 for i in found]) / P20 < 1.5 * 0.071


# --- coverage: thresholds are those a true coverage of the figure given misses with probability 1e-6 ---
@pytest.mark.parametrize(("tilt", "n", "least"), [(30.0, 1_000, 0.93), (18.0, 100, 0.93), (45.0, 100, 0.93)])
def test_rule_covers_poisson(tilt, n, least, replicates):
    """Measured 94.2, 99.0 and 99.4 % over 2,000 runs or more; the rule promises 93 %."""
    runs = replicates(20_000, 2_000)
    bound = math.exp(tilt - 10.0 + 30.0 * math.log(10.0 / tilt))
    found = [rule(summary(y), 0.95, bound) for y in tilted(np.random.default_rng(21), (runs, n), 10.0, tilt, 30)]
    assert sum(i.low <= P30 <= i.high for i in found) >= fewest(runs, least)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.5])
def test_rule_covers_lognormal(sigma, replicates):
    """Measured 94.4, 95.7 and 96.1 % at n = 1,000 without a bound on the weights; the rule promises 93 %."""
    runs = replicates(20_000, 2_000)
    y = np.random.default_rng(22).lognormal(-0.5 * sigma**2, sigma, (runs, 1_000))
    found = [rule(summary(row), 0.95, None) for row in y]
    assert fewest(runs, 0.93) <= sum(i.low <= 1.0 <= i.high for i in found) <= runs - fewest(runs, 0.01)


@pytest.mark.parametrize(("share", "n"), [(0.0, 1_024), (0.3, 1_024), (0.9, 512)])
def test_betting_covers_a_hidden_mode(share, n, replicates):
    """Terms near 1, and a mode of that share at the bound 100, which most runs never draw: certified all the same."""
    runs = replicates(5_000, 500)
    rng = np.random.default_rng(23)
    p = share / (100.0 * (1.0 - share) + share)             # so that 100 p / (100 p + 1 - p) = share
    y = np.where(rng.random((runs, n)) < p, 100.0, rng.lognormal(-0.005, 0.1, (runs, n)).clip(max=100.0))
    mu = 100.0 * p + 1.0 - p
    found = [betting(grouped(row, 256), 100.0, 0.95) for row in y]
    assert sum(i.low <= mu <= i.high for i in found) >= fewest(runs, 0.95)


def test_betting_covers_at_every_stopping_time(replicates):
    """The worst moment to stop: any of 64 group ends. Each interval is the last of all that came before it."""
    runs = replicates(3_000, 300)
    y = (np.random.default_rng(24).random((runs, 64, 32)) < 0.05) * 1.0
    missed = clt = 0
    for run in y:
        groups = [summary(g) for g in run]
        found = betting(groups, 1.0, 0.95)
        missed += not found.low <= 0.05 <= found.high
        ends = 32.0 * np.arange(1, 65)
        p = run.sum(axis=1).cumsum() / ends
        clt += bool((np.abs(p - 0.05) > 1.96 * np.sqrt(p * (1.0 - p) / ends))[16:].any())
    assert runs - missed >= fewest(runs, 0.95)
    assert clt > 0.1 * runs                                 # the same stopping rule breaks the asymptotic interval
