"""Sums, centred moments, the largest terms and their merge, against math.fsum and exact rational arithmetic."""
import functools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rareevents import engine
from rareevents.kernels import lanes, sums
from rareevents.moments import Moments

BLOCK = 512


def block(y, w=None):
    """The moments of one block of integrand values y[draw] or y[quantity, draw] with log weights w, and the status."""
    y = np.array(np.atleast_2d(np.asarray(y, float)), order="C")
    return Moments.of_block(np.zeros(y.shape[1]) if w is None else np.asarray(w, float), y)


def moments(y, w=None, size=BLOCK):
    """The same in blocks, merged in order."""
    y = np.atleast_2d(np.asarray(y, float))
    total = Moments.empty(len(y))
    for i in range(0, y.shape[1], size):
        part, status = block(y[:, i:i + size], None if w is None else w[i:i + size])
        assert status == sums.OK
        total = total.merge(part)
    return total


def exact(values):
    """(sum, m2, m3, m4, sum of |y|) as fractions."""
    values = [Fraction(float(v)) for v in values]
    mean = sum(values) / len(values)
    return (sum(values), *[sum((v - mean) ** k for v in values) for k in (2, 3, 4)], sum(map(abs, values)))


def close(got, want, relative, scale=None):
    return abs(Fraction(float(got)) - want) <= Fraction(relative) * (abs(want) if scale is None else Fraction(scale))


def agree(a, b, relative=1e-11):
    """Two ways to the same statistics: counts and extremes exact, sums and moments to rounding."""
    assert a.draws == b.draws and np.array_equal(a.counts, b.counts)
    assert np.array_equal(np.sort(a.largest), np.sort(b.largest))
    for k in range(a.quantities):
        s, t = a.of(k), b.of(k)
        scale = max(s.absolute, 1e-300)
        assert abs(s.total - t.total) <= relative * scale and abs(s.absolute - t.absolute) <= relative * scale
        spread = s.m2 + s.draws * (1e-11 * s.absolute / max(1, s.draws)) ** 2            # rounding of the terms
        assert abs(s.m2 - t.m2) <= relative * spread
        assert abs(s.m3 - t.m3) <= relative * spread ** 1.5 and abs(s.m4 - t.m4) <= relative * spread ** 2
        assert a.terms[k, 6] == b.terms[k, 6]
    assert np.allclose(a.weights, b.weights, rtol=1e-11, atol=1e-11 * abs(a.weights[0]))


# ------------------------------------------------------------------------------------------------------------- one run
@pytest.mark.parametrize(("offset", "tolerance"), [(0.0, 1e-13), (1e4, 1e-9), (1e8, 1e-6)])
def test_variance_far_from_zero(offset, tolerance):
    """The naive sum of squares minus a square has lost everything at 1e8."""
    y = np.random.default_rng(1).normal(offset, 1.0, 100_000)
    mean = math.fsum(y) / len(y)
    want = math.fsum((v - mean) ** 2 for v in y) / (len(y) - 1)
    terms = moments(y).of(0)
    assert abs(terms.m2 / (terms.draws - 1) / want - 1.0) <= tolerance
    assert abs(terms.mean - mean) <= 4e-16 * abs(mean) + 1e-17
    assert math.isclose(terms.std_error, math.sqrt(want / len(y)), rel_tol=tolerance)
    naive = (math.fsum(y * y) - len(y) * mean * mean) / (len(y) - 1)
    assert offset < 1e8 or abs(naive / want - 1.0) > 1e-3                    # what this guards against


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 511, 512, 513, 1500])
@pytest.mark.parametrize("law", ["exponential", "signed", "rare", "lognormal"])
def test_moments_to_order_four(n, law):
    rng = np.random.default_rng(n)
    y = {"exponential": rng.exponential(size=n), "signed": rng.normal(0.3, 2.0, n),
         "rare": (rng.random(n) < 0.02) * rng.exponential(1e-9, n), "lognormal": rng.lognormal(0.0, 2.5, n)}[law]
    terms, (total, m2, m3, m4, absolute) = moments(y).of(0), exact(y)
    assert close(terms.total, total, 4e-16, float(absolute)) and close(terms.absolute, absolute, 1e-13)
    assert close(terms.m2, m2, 1e-13) and close(terms.m4, m4, 1e-13)
    assert close(terms.m3, m3, 1e-13, float(m2) ** 1.5)
    assert terms.hits == np.count_nonzero(y) and terms.negative == np.count_nonzero(y < 0.0) and terms.draws == n
    assert close(terms.squares, sum(Fraction(float(v)) ** 2 for v in y), 1e-13)
    if m2 > 0:
        assert abs(terms.variance_of_variance - float(m4 / m2 ** 2 - Fraction(1, n))) < 1e-12


def test_a_sum_over_many_blocks_is_compensated():
    assert moments(np.tile([1e16, 1.0, -1e16, 1.0], 40), size=1).of(0).total == 80.0          # plain addition: 1
    y = np.random.default_rng(2).lognormal(0.0, 3.0, 300_000)
    assert abs(moments(y).of(0).total / math.fsum(y) - 1.0) <= 4e-16


def test_sums_of_terms_and_weights_keep_their_compensation():
    """One weight of 1 and 500 of 1e-16, each of which is lost when added to 1: alone, and in both parts of a merge."""
    part = moments(np.ones(501), np.array([0.0, *[math.log(1e-16)] * 500]), size=1)
    assert math.isclose(part.weight_ess, (1.0 + 500e-16) ** 2, rel_tol=1e-15)
    both = part.merge(part)
    assert math.isclose(both.weights[0] + both.weights[1], 2.0 + 1000e-16, rel_tol=1e-15)
    assert math.isclose(both.of(0).total, 2.0 + 1000e-16, rel_tol=1e-15)


def test_very_small_terms_do_not_divide_by_zero():
    terms = moments(1e-100 * np.random.default_rng(1).exponential(size=1000)).of(0)
    assert terms.m2 > 0.0 and terms.m2 * terms.m2 == 0.0 and math.isfinite(terms.variance_of_variance)


def test_constant_terms_have_no_spread():
    terms = moments(np.full(3000, 0.1)).of(0)
    assert terms.m2 <= 1e-28 and terms.std_error <= 1e-17 and terms.hits == 3000
    assert Moments.empty(2).of(1).std_error == math.inf and Moments.empty(1).of(0).relative_error == math.inf


def test_lanes_of_any_length():
    y = np.random.default_rng(4).normal(size=40)
    for m in range(len(y) + 1):
        part = y[:m]
        assert math.isclose(lanes.total(y, m), math.fsum(part), rel_tol=1e-13, abs_tol=1e-14)
        assert math.isclose(lanes.absolute(y, m), math.fsum(abs(part)), rel_tol=1e-14)
        assert lanes.signs(y, m) == (m, int((part < 0.0).sum()))
        if m:
            top, low = (np.uint64(b).view(np.float64) for b in lanes.extremes(y, m))
            assert (top, low) == (abs(part).max(), abs(part).min())
        found = (*lanes.powers(y, m, 0.5), lanes.squares(y, m))
        want = [math.fsum((v - 0.5) ** k for v in part) for k in (2, 3, 4)] + [math.fsum(part * part)]
        assert np.allclose(found, want, rtol=1e-13)


# --------------------------------------------------------------------------------------------------------------- merge
def test_merging_nothing_changes_nothing():
    a = moments(np.random.default_rng(1).exponential(size=700))
    for b in (a.merge(Moments.empty(1)), Moments.empty(1).merge(a)):
        assert b.draws == a.draws and np.array_equal(b.counts, a.counts)
        assert np.array_equal(b.terms[:, 2:], a.terms[:, 2:]) and np.array_equal(np.sort(b.largest), np.sort(a.largest))
        assert b.of(0).total == a.of(0).total and b.of(0).mean == a.of(0).mean
    before = [v.copy() for v in (a.counts, a.terms, a.weights, a.largest)]
    a.merge(a)
    assert all(map(np.array_equal, before, (a.counts, a.terms, a.weights, a.largest)))       # arguments stay


@functools.cache
def sample(kind):
    rng = np.random.default_rng(6)
    n = 3000
    w = rng.normal(-0.5, 1.0, n)
    y = {"hits": (rng.random((2, n)) < 0.1) * 1.0, "signed": rng.normal(0.1, 1.0, (2, n)),
         "offset": rng.normal(1e4, 1.0, (2, n))}[kind]
    return y, (np.zeros(n) if kind == "offset" else w)


@settings(max_examples=200)
@given(kind=st.sampled_from(["hits", "signed", "offset"]), seed=st.integers(0, 2 ** 32),
       cuts=st.lists(st.integers(0, 3000), max_size=12))
def test_merge_is_associative_over_random_trees(kind, seed, cuts):
    """Empty and one-element parts occur too: cuts repeat, and the first part may have one draw."""
    y, w = sample(kind)
    edges = [0, 0, 1, *sorted(c for c in cuts if c >= 1), 3000]
    parts = [moments(y[:, a:b], w[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    rng = np.random.default_rng(seed)
    while len(parts) > 1:                                                     # a random tree, in order
        i = int(rng.integers(len(parts) - 1))
        parts[i:i + 2] = [parts[i].merge(parts[i + 1])]
    agree(parts[0], moments(y, w))


# --------------------------------------------------------------------------------------------------- the largest terms
@pytest.mark.parametrize("kind", ["normal", "ties", "few", "equal"])
def test_the_largest_terms_are_those_of_a_sort(kind):
    rng = np.random.default_rng(8)
    y = {"normal": rng.normal(size=20_000), "ties": np.round(rng.normal(size=20_000), 1),
         "few": np.where(rng.random(20_000) < 0.01, rng.normal(size=20_000), 0.0), "equal": np.full(20_000, 0.25)}[kind]
    kept = moments(y).of(0).largest
    want = -np.sort(-abs(y[y != 0.0]))[:sums.KEPT]
    assert np.array_equal(kept, want)
    assert len(kept) == (sums.KEPT if kind != "few" else np.count_nonzero(y))


def test_floors_do_not_change_the_largest_terms():
    """A chunk's heap may start as 1,024 copies of a floor, the smallest of those merged already, old or new."""
    rng, floors = np.random.default_rng(9), [0.0]
    with_floors = without = Moments.empty(1)
    closed, group = Moments.empty(1), Moments.empty(1)
    for i in range(60):
        y = np.round(rng.lognormal(0.0, 1.0, 600), 2)
        plain, _ = block(y)
        heap = np.full((1, sums.KEPT), floors[max(0, len(floors) - 1 - int(rng.integers(3)))])   # threads see old ones
        for value in y:
            sums.keep(heap[0], value)
        part = Moments(plain.draws, plain.counts, plain.terms, plain.weights, heap)
        without = without.merge(plain)
        group = group.merge(part) if group.draws else part                    # as engine.run groups them
        if i % 4 == 3:
            closed, group = closed.merge(group), Moments.empty(1)
            floors.append(float(closed.largest[0, 0]))
    with_floors = closed.merge(group) if group.draws else closed
    assert floors[-1] > floors[1] > 0.0
    assert np.array_equal(with_floors.of(0).largest, without.of(0).largest)


def test_the_engine_keeps_the_largest_terms_for_any_threads_and_grouping():
    def chunk(identity, n, floor):
        y = np.round(np.random.default_rng(identity).lognormal(0.0, 1.0, n), 2)
        part, _ = block(y)
        heap = np.full((1, sums.KEPT), floor[0])
        for value in y:
            sums.keep(heap[0], value)
        return Moments(n, part.counts, part.terms, part.weights, heap)

    want = np.concatenate([np.round(np.random.default_rng(i).lognormal(0.0, 1.0, n), 2)
                           for i, n, _ in engine.schedule(60_000)])
    runs = [engine.run(chunk, 1, engine.Stop(samples=60_000), threads=threads) for threads in (1, 3)]
    for run in runs:
        assert np.array_equal(run.total.of(0).largest, -np.sort(-want)[:sums.KEPT])
        assert np.array_equal(run.total.terms, runs[0].total.terms) and len(run.groups) == len(runs[0].groups)
        assert sum(group.draws for group in run.groups) == run.total.draws == 60_000


# ----------------------------------------------------------------------------------- weights, and what is not a number
def test_weights_are_summed_too():
    rng = np.random.default_rng(3)
    w, f = rng.normal(-1.0, 1.0, 5000), rng.random(5000) < 0.3
    total, v = moments(f, w), np.exp(w)
    assert math.isclose(total.weights[0] + total.weights[1], math.fsum(v), rel_tol=1e-14)
    assert math.isclose(total.weights[2], math.fsum(v * v), rel_tol=1e-13)
    assert math.isclose(total.weights[3], v.max(), rel_tol=1e-15)
    assert math.isclose(total.weight_ess, v.sum() ** 2 / (v * v).sum(), rel_tol=1e-12)
    assert math.isclose(total.of(0).total, math.fsum(v[f]), rel_tol=1e-14)
    equal = moments(f, np.full(5000, -3.0))
    assert math.isclose(equal.weight_ess, 5000.0, rel_tol=1e-13)
    scaled = moments(f, w - 300.0)                                            # ESS and relative error have no unit
    assert math.isclose(scaled.weight_ess, total.weight_ess, rel_tol=1e-12)
    assert math.isclose(moments(f, w - 70.0).of(0).relative_error, total.of(0).relative_error, rel_tol=1e-12)


@pytest.mark.parametrize("place", [0, 3, 8, 12])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_term_that_is_not_finite_is_reported(bad, place):
    y = np.ones((2, 13))
    y[1, place] = bad
    assert block(y)[1] == sums.NOT_FINITE
    assert copied(y, np.ones(13, int))[1] == sums.NOT_FINITE
    w = np.zeros(13)
    w[place] = -math.inf                                                      # zero times infinity is no number
    assert block(y, w)[1] == sums.NOT_FINITE and copied(y, np.ones(13, int), w)[1] == sums.NOT_FINITE


@pytest.mark.parametrize("bad", [math.nan, math.inf, 710.0])
def test_a_weight_that_is_not_a_number_is_reported(bad):
    for place in (0, 5, 12):
        for value in (0.0, 1.0):                                              # whether or not the draw is a hit
            w = np.zeros(13)
            w[place] = bad
            y = np.full(13, value)
            assert block(y, w)[1] == sums.BAD_WEIGHT and copied(y, np.ones(13, int), w)[1] == sums.BAD_WEIGHT


def test_underflow_is_counted_and_zero_density_is_not():
    w = np.array([0.0, -math.inf, -800.0, -800.0, -700.0, -1e6])
    y = np.array([[1.0, 1.0, 1.0, 0.0, 1.0, 2.0], [1.0] * 6])
    for found, status in (block(y, w), copied(y, np.ones(6, int), w)):
        assert status == sums.OK and found.counts[:, 2].tolist() == [2, 3]
        assert found.of(0).hits == 2 and math.isclose(found.of(0).total, 1.0, rel_tol=1e-15)


def test_cancelling_huge_terms_are_reported_not_lost():
    assert block([1e308, 1e308, 1.0])[1] == sums.NOT_FINITE                   # the sum is not a number


# -------------------------------------------------------------------------------------------------------------- copies
def copied(y, copies, w=None, before=None):
    """`settle_copies`: draw i counts copies[i] times."""
    y = np.array(np.atleast_2d(np.asarray(y, float)), order="C")
    made = Moments.empty(len(y)) if before is None else before
    w = np.zeros(y.shape[1]) if w is None else np.asarray(w, float)
    status = sums.settle_copies(made.draws, y.shape[1], np.asarray(copies, np.int64), w, np.empty(len(w)), y,
                                made.counts, made.terms, made.weights, made.largest)
    return Moments(made.draws + int(np.sum(copies)), made.counts, made.terms, made.weights, made.largest), status


def test_copies_are_the_same_as_draws():
    rng = np.random.default_rng(11)
    w, copies = rng.normal(-2.0, 1.0, 60), rng.integers(1, 60, 60)
    copies[7], w[9], w[11] = 5000, -800.0, -math.inf
    y = np.stack([(rng.random(60) < 0.4) * 1.0, rng.normal(size=60), np.full(60, 3.0)])
    one, status = copied(y[:, :25], copies[:25], w[:25])
    one, again = copied(y[:, 25:], copies[25:], w[25:], one)
    assert status == again == sums.OK
    many = moments(np.repeat(y, copies, axis=1), np.repeat(w, copies))
    agree(one, many, 1e-12)
    assert one.counts[1, 2] == copies[9] and one.draws == copies.sum()
    agree(one.merge(many), many.merge(one), 1e-12)
