"""Relations between estimates that hold whatever the answer is; `docs/testing.md` names a mutant that each one kills.

Exact relations hold to the bit, or to rounding: with u = 1.1e-16, n draws leave a sum of positive terms wrong
by some u log n, so REL = 1e-12 is a hundredfold of room. Statistical ones compare with an exact value on examples
that are always the same: |z| <= Z = 5.5 fails with probability 3.8e-8, thus 20 examples with 8e-7. The terms' skewness
raises that by exp(g Z^3 / (6 sqrt n)), less than 3 for those here.

Rates, levels, seeds and sizes vary, and compile nothing; laws and functions are few.
"""
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

import rareevents as rare
from rareevents import oracle
from rareevents.estimates import VERDICTS

Z = 5.5
REL = 1e-12
SEEDS = st.integers(0, 2 ** 64 - 1)
DAYS, DICE = 10, [0.30, 0.25, 0.20, 0.15, 0.10]


def ran(nominal, f, proposal=None, n=20_000, seed=1, **options):
    return rare.estimate(nominal, f, proposal=proposal, samples=n, seed=seed, audit=False, **options)


def tables(rows):
    """An integrand of a count: row k of the table is the k-th quantity, and the last column stands for all beyond."""
    rows = np.atleast_2d(np.asarray(rows, float))
    return rare.black_box(lambda x: rows[:, np.minimum(x, rows.shape[1] - 1)].T, vectorized=True)


def near(a, b, scale=None):
    """Equal but for rounding; `scale` is the size of what was added up."""
    return abs(a - b) <= REL * max(abs(a), abs(b), 0.0 if scale is None else scale) < math.inf


def groups_of(found):
    """The statistics of a run to the last bit."""
    return [(g.draws, g.counts.tobytes(), g.terms.tobytes(), g.weights.tobytes()) for g in found._groups]


# ---------------------------------------------------------------------------------------------------- against the exact
@settings(max_examples=20)
@given(rate=st.floats(1.0, 30.0), theta=st.floats(-0.3, 0.3), seed=SEEDS)
def test_weights_have_mean_one_at_a_mild_tilt(rate, theta, seed):
    """E_q[p/q] = 1, and E_q[(p/q)^2] = exp(r (e^t + e^-t - 2)) of a Poisson law; each twice in 20 examples: 1.5e-6."""
    law = rare.Poisson(rate)
    found = ran(law, rare.at_least(0), law.tilt(theta), 400_000, seed)
    assert abs(found.value - 1.0) <= Z * found.std_error + REL
    second = math.exp(rate * (math.exp(theta) + math.exp(-theta) - 2.0))
    terms = found._terms
    spread = math.sqrt((terms.m4 + 4.0 * terms.m2) / terms.draws) / math.sqrt(terms.draws)  # of mean w^2
    assert abs(terms.squares / terms.draws - second) <= 2.0 * Z * spread + REL * second
    assert near(found.effective_sample_size, found.weight_ess)                # the terms are the weights


@settings(max_examples=20)
@given(level=st.integers(4, 40), near_by=st.floats(0.8, 1.3), seed=SEEDS)
def test_any_covering_proposal_has_the_same_mean(level, near_by, seed):
    """20 examples at |z| <= 5.5, and skewness: 2e-6."""
    law, event = rare.Poisson(4.0), rare.at_least(level)
    found = ran(law, event, rare.Poisson(near_by * level), 1_000_000, seed)
    assert abs(found.value - oracle.value(law, event)) <= Z * found.std_error


@settings(max_examples=20)
@given(level=st.floats(0.5, 3.0), aim=st.floats(0.7, 1.3), seed=SEEDS)
def test_any_covering_proposal_of_vectors_has_the_same_mean(level, aim, seed):
    """The same of rows: the sum of four normal numbers is normal, and E_q[y^2] = exp(4 a^2) P(Z >= level + 2 a) for a
    shift of a each. 20 examples, twice: 4e-6.
    """
    found = ran(rare.IID(rare.Normal(0.0, 1.0), 4), rare.total >= 2.0 * level,
                rare.IID(rare.Normal(0.5 * aim * level, 1.0), 4), 100_000, seed)
    assert abs(found.value - stats.norm.sf(level)) <= Z * found.std_error
    a, t = 0.5 * aim * level, found._terms
    second, n = math.exp(4.0 * a * a) * stats.norm.sf(level + 2.0 * a), t.draws
    fourth = (t.m4 + 4.0 * t.mean * t.m3 + 6.0 * t.mean ** 2 * t.m2) / n + t.mean ** 4
    assert abs(t.squares / n - second) <= Z * math.sqrt((fourth - (t.squares / n) ** 2) / n)


# ---------------------------------------------------------------------------------------------- the proposal is nominal
@settings(max_examples=25)
@given(rate=st.floats(0.5, 30.0), level=st.integers(0, 30), n=st.integers(1, 30_000), seed=SEEDS)
@example(rate=4.0, level=4, n=2, seed=1)
def test_the_nominal_law_as_its_own_proposal_is_binomial(rate, level, n, seed):
    law = rare.Poisson(rate)
    found = ran(law, rare.at_least(level), rare.Poisson(rate), n, seed)
    share = found.hits / n
    assert near(found.value, share) and found.weight_ess == n == found.samples
    if n > 1:
        assert near(found.std_error ** 2, share * (1.0 - share) / (n - 1))
    assert near(found.effective_sample_size, found.hits)
    naive = ran(law, rare.at_least(level), None, n, seed)
    assert groups_of(naive) == groups_of(found)


@settings(max_examples=10)
@given(rate=st.floats(0.5, 30.0), level=st.integers(0, 30), seed=SEEDS)
def test_a_tilt_of_zero_is_naive_to_the_bit(rate, level, seed):
    law, rows = rare.Poisson(rate), rare.IID(rare.Normal(0.0, 1.0), 4)
    for p, event in ((law, rare.at_least(level)), (rows, rare.total >= 0.1 * level)):
        assert groups_of(ran(p, event, p.tilt(0.0), 3000, seed)) == groups_of(ran(p, event, None, 3000, seed))


# --------------------------------------------------------------------------------------------- events on the same draws
SETS = st.lists(st.booleans(), min_size=24, max_size=24)


@settings(max_examples=25)
@given(a=SETS, b=SETS, c=st.floats(-5.0, 5.0), rate=st.floats(3.0, 12.0), seed=SEEDS)
def test_events_and_integrands_add_up(a, b, c, rate, seed):
    """P(A) + P(B) = P(A or B) + P(A and B), P(A) + P(not A) = E[w], and c P(A) + P(B) of the integrand c A + B."""
    a, b = np.array(a), np.array(b)
    found = ran(rare.Poisson(4.0), tables([a, b, a | b, a & b, ~a, c * a + b, np.ones(24)]), rare.Poisson(rate), 5000,
                seed)
    v, h = found.value, found.hits
    assert near(v[0] + v[1], v[2] + v[3]) and h[0] + h[1] == h[2] + h[3]
    assert near(v[0] + v[4], v[6]) and h[0] + h[4] == h[6] == 5000
    assert near(c * v[0] + v[1], v[5], (abs(c) + 1.0) * v[6])
    everything = found[6]._terms
    weights = np.sum([g.weights for g in found[0]._groups], axis=0)
    assert near(everything.total, weights[0] + weights[1]) and near(everything.squares, weights[2])


@settings(max_examples=20)
@given(level=st.integers(1, 25), rate=st.floats(2.0, 25.0), n=st.integers(1, 40_000), seed=SEEDS)
def test_an_event_and_its_complement_share_the_draws(level, rate, n, seed):
    """In the compiled kernel too; a larger event has at least as many hits, and at least the value."""
    law, q = rare.Poisson(4.0), rare.Poisson(rate)
    high, low, whole, more = (ran(law, event, q, n, seed) for event in (
        rare.at_least(level), rare.at_most(level - 1), rare.at_least(0), rare.at_least(level - 1)))
    assert high.hits + low.hits == whole.hits == n and near(high.value + low.value, whole.value)
    assert near(high._terms.squares + low._terms.squares, whole._terms.squares)
    assert more.hits >= high.hits and more.value >= high.value
    assert whole.weight_ess == high.weight_ess == low.weight_ess             # weights do not depend on the event


@settings(max_examples=15)
@given(sets=st.lists(SETS, min_size=2, max_size=5), rate=st.floats(2.0, 12.0), seed=SEEDS)
def test_a_larger_event_has_a_larger_value_on_the_same_draws(sets, rate, seed):
    grown = np.logical_or.accumulate(np.array(sets), axis=0)
    found = ran(rare.Poisson(4.0), tables(grown), rare.Poisson(rate), 3000, seed)
    assert np.all(np.diff(found.value) >= 0.0) and np.all(np.diff(found.hits) >= 0)
    squares = [part._terms.squares for part in found.components]
    assert np.all(np.diff(squares) >= -REL * squares[-1])
    largest = [part._terms.largest[:1].sum() for part in found.components]
    assert np.all(np.diff(largest) >= 0.0)


@settings(max_examples=20)
@given(rate=st.sampled_from([4.0, 400.0]), level=st.floats(-2.0, 4.0), aim=st.floats(-1.5, 3.0),
       n=st.integers(1, 8192), seed=SEEDS)
def test_a_tally_is_the_same_as_its_draws(rate, level, aim, n, seed):
    """The kernel of counts weighs each distinct value once; a black box weighs the same draws one by one.

    The tally of a rate of 400 does not begin at 0.
    """
    law, q, level = rare.Poisson(rate), rare.Poisson(rate + aim * math.sqrt(rate)), int(rate + level * math.sqrt(rate))
    one, many = ran(law, rare.at_least(level), q, n, seed), ran(law, tables(np.arange(1024) >= level), q, n, seed)
    s, t = one._terms, many._terms
    assert (s.draws, s.hits, s.negative, len(s.largest)) == (t.draws, t.hits, t.negative, len(t.largest))
    assert np.allclose(s.largest, t.largest, rtol=REL) and near(one.weight_ess, many.weight_ess)
    for k, a, b in zip((1, 2, 3, 4, 1), (s.mean * n, s.m2, s.m3, s.m4, s.absolute),
                       (t.mean * n, t.m2, t.m3, t.m4, t.absolute), strict=True):
        assert abs(a - b) <= 10.0 * REL * (s.m2 + s.squares) ** (k / 2) * (math.sqrt(n) if k == 1 else 1.0)


# --------------------------------------------------------------------------------------------------------------- labels
@settings(max_examples=15)
@given(order=st.permutations(range(5)), rate=st.floats(2.0, 12.0), seed=SEEDS)
def test_quantities_may_be_named_in_any_order(order, rate, seed):
    """To the bit: one quantity does not touch another; the last two are the same. 6,000 draws are 12 parts."""
    rows = np.random.default_rng(3).normal(size=(5, 24))
    rows[0], rows[4] = np.abs(rows[0]), rows[3]
    rows[1, 6:] = 0.0
    law, q = rare.Poisson(4.0), rare.Poisson(rate)
    one, other = ran(law, tables(rows), q, 6000, seed), ran(law, tables(rows[list(order)]), q, 6000, seed)
    for k, place in enumerate(order):
        assert one[place].to_json() == other[k].to_json()
    assert VERDICTS.index(one.verdict) == max(VERDICTS.index(part.verdict) for part in one.components)
    assert one[3].to_json() == one[4].to_json() and one[0].to_json() != one[1].to_json()


@settings(max_examples=20)
@given(theta=st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4), order=st.permutations(range(4)), seed=SEEDS)
def test_dimensions_may_be_named_in_any_order(theta, order, seed):
    """The weight of a row under a tilt is exp(kappa(theta) - theta . x), and the same when both are permuted.

    A log density of four numbers is a sum of terms of at most 30 here: rounding below 1e-13.
    """
    p, theta = rare.IID(rare.Normal(0.0, 1.0), 4), np.array(theta)
    x, w = rare.weighted_samples(p, p.tilt(theta), 200, seed=seed)
    assert np.allclose(w, p.log_mgf(theta) - x @ theta, rtol=0.0, atol=1e-12)
    order = list(order)
    q, turned = p.tilt(theta[order]), np.ascontiguousarray(x[:, order])
    assert np.allclose(p.log_prob(turned) - q.log_prob(turned), w, rtol=0.0, atol=1e-12)


# ---------------------------------------------------------------------------------------------------------------- scale
@settings(max_examples=20)
@given(power=st.integers(-60, 60), sign=st.sampled_from([1.0, -1.0]), rate=st.floats(3.0, 12.0), seed=SEEDS)
def test_an_integrand_times_a_constant(power, sign, rate, seed):
    """Times a power of two: every number to the bit; numbers without a unit stay, and so does every check."""
    rows = np.abs(np.random.default_rng(5).normal(size=(1, 24)))
    rows[0, :4] = 0.0
    c = sign * 2.0 ** power
    one, many = (ran(rare.Poisson(4.0), tables(k * rows), rare.Poisson(rate), 4000, seed) for k in (1.0, c))
    assert many.value == c * one.value and many.std_error == abs(c) * one.std_error
    for name in ("relative_error", "hits", "effective_sample_size", "weight_ess", "largest_share", "relative_variance",
                 "relative_variance_error"):
        assert getattr(many, name) == getattr(one, name), name
    assert many._terms.negative == (many.hits if sign < 0.0 else 0) and one._terms.negative == 0
    assert [(k.name, k.status, k.figure) for k in many.checks] == [(k.name, k.status, k.figure) for k in one.checks]
    if sign > 0.0:
        low, high = one.interval()
        assert np.allclose(many.interval(), (c * low, c * high), rtol=1e-9)


@settings(max_examples=25)
@given(values=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=24, max_size=24), rate=st.floats(2.0, 20.0),
       n=st.integers(2, 6000), seed=SEEDS)
@example(values=[1.0] * 24, rate=4.0, n=600, seed=1)
def test_effective_sizes_lie_between_one_and_the_hits(values, rate, n, seed):
    """1 <= ESS <= hits, one over the largest share <= hits, 1 <= weight ESS <= n, and R^2 (n - 1) = n / ESS - 1."""
    found = ran(rare.Poisson(4.0), tables(values), rare.Poisson(rate), n, seed)
    assert 1.0 - REL <= found.weight_ess <= n * (1.0 + REL)
    if found.hits == 0:
        assert found.value == found.effective_sample_size == found.largest_share == 0.0
        return
    assert 1.0 - REL <= found.effective_sample_size <= found.hits * (1.0 + REL)
    assert 1.0 / found.hits <= found.largest_share * (1.0 + REL) <= 1.0 + 2.0 * REL
    assert found.effective_sample_size * found.largest_share <= found.hits * found.largest_share * (1.0 + REL)
    one = n / found.effective_sample_size
    assert abs(found.relative_error ** 2 * (n - 1) - (one - 1.0)) <= REL * n * one
    assert near(found.relative_variance * (n - 1), found.relative_error ** 2 * (n - 1) * n)
    if rate == 4.0 and min(values) == max(values) > 0.0:
        assert near(found.effective_sample_size, n) and near(found.weight_ess, n)


# ------------------------------------------------------------------------------------------------------------ splitting
THROWS = rare.MarkovChain([DICE] * 5, "1", DAYS, labels=["1", "2", "3", "4", "6"])           # a chain that forgets


@settings(max_examples=4)
@given(seed=SEEDS, low=st.integers(1, 3))
def test_splitting_with_one_level_is_naive(seed, low):
    """Each population counts hits; populations are independent, so their spread is binomial.

    z and a chi-square of 31 degrees of freedom, each at 5e-8 a side, and an event of 1e-10 for 2,000 paths: 2e-6 for 4
    examples. Levels that all lie below the start change no bit.
    """
    event = rare.Event(rare.visits("6"), at_least=low, at_most=8)             # of a range no progress is known
    exact = stats.binom.cdf(8, DAYS, DICE[-1]) - stats.binom.cdf(low - 1, DAYS, DICE[-1])
    found = rare.split(THROWS, event, particles=500, replicates=32, seed=seed, threads=1)
    hits = found.value * 500 * 32
    assert abs(hits - (2 * 500 * 32 - found.samples)) <= 1e-6                 # each path that misses is started again
    error = math.sqrt(exact * (1.0 - exact) / (500 * 32))
    assert abs(found.value - exact) <= 5.33 * error
    low_end, high_end = stats.chi2.ppf([5e-8, 1.0 - 5e-8], 31) / 31
    assert low_end <= (found.std_error / error) ** 2 <= high_end
    above = rare.split(THROWS, event, importance=lambda state: 1.0, particles=500, replicates=32, seed=seed,
                       threads=1)
    assert (above.value, above.std_error, above.samples) == (found.value, found.std_error, found.samples)
    never = rare.split(THROWS, rare.Event(rare.visits("6"), at_least=10, at_most=10), particles=100, replicates=20,
                       seed=seed, threads=1)
    assert never.value == never.hits == 0                                     # 1e-10 for each of 2,000 paths


@pytest.mark.parametrize("sixes", [3, 5, 7])
def test_splitting_with_any_levels_has_the_same_mean(sixes):
    """64 populations: Student's t with 63 degrees of freedom at 3e-7 for each of three levels."""
    found = rare.split(THROWS, rare.visits("6") >= sixes, particles=400, replicates=64, seed=2, threads=1)
    exact = stats.binom.sf(sixes - 1, DAYS, DICE[-1])
    assert abs(found.value - exact) <= stats.t.isf(1.5e-7, 63) * found.std_error
    assert found.std_error < 0.2 * exact
