"""Numbers at the edge of what a double or an integer holds, from the first word of a stream to the last merge.

What belongs to one function is tested beside it: the ends of `unit`, exp and log (test_streams, test_bits), tails of
every law without a difference of one and a probability (test_distributions), variances at an offset of 1e8 and merges
over random trees (test_moments), no fastmath (test_layers), laws that do not cover the event (test_bad_input). Here the
edges meet whole estimates. Seeds are fixed; a comparison at Z with an exact value has a false-alarm rate of 1e-6.
"""
import itertools
import math
import types
from dataclasses import dataclass, replace

import numpy as np
import pytest
from cases import SCALAR
from scipy import stats

import rareevents as rare
from rareevents.engine import CHUNK_LAST, MOST, schedule
from rareevents.kernels import stages, streams, sums
from rareevents.moments import Moments
from rareevents.sampler import Sampler

Z, INF = 4.9, math.inf
M64 = 2 ** 64 - 1
N, P = rare.Normal(0.0, 1.0), rare.Poisson(4.0)


# ------------------------------------------------------------------------------------------------ words 0 and 2^64 - 1
class Fed:
    """An `rng` whose first words are given; its methods are the functions of `streams`, run in Python."""

    def __init__(self, words):
        self.words, self.rest = list(words), np.random.Philox(1)
        self.bit_generator = self                                         # `word` asks it for bits, as it asks NumPy's

    def random_raw(self):
        return np.uint64(self.words.pop(0) if self.words else self.rest.random_raw())

    def random(self):
        return streams.unit(self.random_raw())


CODE = {**vars(streams), "xoshiro": Fed.random_raw, "high_product": lambda a, b: int(a) * int(b) >> 64}
for name in ("_exponential", "_normal_tail", "_normal", "_gamma", "_integers", "_poisson"):
    CODE[name] = types.FunctionType(getattr(streams, name).py_func.__code__, CODE)
for method in ("standard_normal", "standard_exponential", "standard_gamma", "integers", "poisson"):
    setattr(Fed, method, CODE["_" + method.removeprefix("standard_")])


@pytest.mark.parametrize(("method", "a", "low", "high"), [
    ("standard_normal", (), -14.0, 14.0), ("standard_exponential", (), 0.0, 45.0),
    *[("standard_gamma", (a,), 0.0, 2.0 * a + 45.0) for a in (0.05, 1.0, 1e15)],
    *[("integers", (n,), 0, n - 1) for n in (1, 7, 2 ** 53)],
    *[("poisson", (rate,), 0, 2.0 * rate + 60.0) for rate in (0.0, 1e-300, 9.99, 10.0, 1e9, 1e15)],
], ids=str)
@np.errstate(over="ignore")                                               # words are multiplied modulo 2^64
def test_words_of_zeros_or_ones_give_a_number_of_the_law(method, a, low, high):
    """Each of the first three words is all zeros or all ones, its lowest byte (the ziggurat's layer) either as well."""
    for words in itertools.product([0, 255, M64 - 255, M64], repeat=3):
        assert low <= getattr(Fed(words), method)(*a) <= high, words


@pytest.mark.parametrize("law", [law for law, _ in SCALAR], ids=str)
@np.errstate(over="ignore")
def test_a_law_draws_from_its_support_whatever_the_words(law):
    for words in itertools.product([0, M64], repeat=3):
        x = law.draw(Fed(words))
        assert math.isfinite(x) and law.support.low <= x <= law.support.high, words
        assert -INF < law.log_density(x) < INF, (words, x)


def test_addresses_end_and_never_wrap():
    """Chunks, stages and draws have more room than a run can use; what exceeds it is refused."""
    sizes = np.array([size for _, size, _ in schedule(10 ** 15)])
    assert sizes.sum() == 10 ** 15 and max(sizes) == MOST                  # a chunk's draws fit into 64 bits,
    assert len(sizes) < 350_000 and np.all(sizes[:-1] >= np.maximum.accumulate(sizes)[:-1])      # and so does its id
    before = np.cumsum(sizes) - sizes
    assert sizes[80] == CHUNK_LAST and np.all(sizes[80 + 2 ** 14:] * 2 ** 12 <= before[80 + 2 ** 14:])
    assert [size for _, size, _ in schedule(2 ** 16, 2 ** 10)][14:18] == [512, 512, 1024, 1024]    # of a black box
    ranges = sorted((r for r in vars(stages).values() if isinstance(r, range)), key=lambda r: r.start)
    assert len(ranges) >= 20 and all(a.stop <= b.start for a, b in itertools.pairwise(ranges))
    assert ranges[-1].stop <= 2 ** 32                                       # stages have 32
    assert max(r.stop for r in ranges[:-1]) < stages.COMPONENT
    with pytest.raises(OverflowError):
        Sampler(P, rare.at_least(20), None, 1, 2 ** 32)
    with pytest.raises(ValueError, match=r"samples must be an integer in \[1, 2\^53\)"):
        rare.estimate(P, rare.at_least(20), samples=2 ** 53)


# ------------------------------------------------------------------------------------------------ far tails
@pytest.mark.parametrize("a", [5.0, 10.0, 20.0, 37.0])
def test_tails_of_the_normal_law(a):
    """The relative error of this proposal is below 2 % for 200,000 draws. From a = 20 on the fourth powers of the
    terms, from a = 27 on the squares are below a double: then the value is right and no error bar is claimed."""
    event = rare.at_least(a)
    found, exact = rare.estimate(N, event, proposal=rare.Normal(a, 1.0), samples=200_000, seed=1,
                                audit=False), stats.norm.sf(a)
    assert abs(found.value / exact - 1.0) <= 3.0 * (found.relative_error if a < 27.0 else 0.02)
    assert found.relative_error <= 0.02
    assert found.verdict == ("trusted" if a < 20.0 else "not trusted")
    low, high = found.interval()
    assert low <= exact <= high
    assert rare.solve(N, event).value == pytest.approx(exact, rel=1e-12, abs=0.0)
    assert rare.solve(N, ~event).value == pytest.approx(1.0 - exact, rel=1e-15)
    assert N.log_mass(a, INF) == pytest.approx(stats.norm.logsf(a), rel=1e-13)


def test_probabilities_below_the_steps_of_a_uniform_number():
    """No u in (0, 1) is below 2^-53, so a coin of 1e-17 never falls on 1: the bound must hold all the same."""
    coin, one = rare.Bernoulli(1e-17), rare.at_least(1)
    naive = rare.estimate(coin, one, samples=10_000, seed=1, audit=False)
    assert naive.hits == 0 and naive.interval()[0] == 0.0 and naive.interval()[1] >= 1e-17
    assert naive.verdict != "trusted"
    found = rare.estimate(coin, one, proposal=rare.Bernoulli(0.5), samples=10_000, seed=1, audit=False)
    assert abs(found.value / 1e-17 - 1.0) <= Z * found.relative_error
    blind = rare.estimate(rare.Bernoulli(0.5), one, proposal=coin, samples=10_000, seed=1, audit=False)
    assert blind.hits == 0 and blind.interval()[1] >= 0.5 and blind.verdict != "trusted"


def test_without_a_hit_there_is_never_an_error_bar_of_zero():
    found = rare.estimate(P, rare.at_least(40), proposal=rare.Poisson(3.0), samples=1000, seed=1, audit=False)
    low, high = found.interval()
    assert found.hits == 0 and low == 0.0 and high > stats.poisson.sf(39, 4.0) and found.verdict != "trusted"
    assert "+-" not in str(found) and "±" not in str(found)


# ------------------------------------------------------------------------------------------------ large counts
@pytest.mark.parametrize("rate", [2.0 ** 31, 1e10, 9e14])
def test_counts_beyond_31_bits(rate):
    """P(N >= rate + 4 sd) by a law shifted to there; the counts and their levels are integers of 64 bits."""
    level = math.ceil(rate + 4.0 * math.sqrt(rate))
    found = rare.estimate(rare.Poisson(rate), rare.at_least(level), proposal=rare.Poisson(float(level)),
                          samples=100_000, seed=1, audit=False)
    exact = math.exp(rare.Poisson(rate).log_mass(level, INF))
    assert exact == pytest.approx(stats.norm.sf(4.0), rel=1e-2)
    assert abs(found.value / exact - 1.0) <= Z * found.relative_error <= 0.1
    x = rare.Poisson(rate).sample(1000)
    assert x.dtype == np.int64 and x.min() > rate - 7.0 * math.sqrt(rate)


def test_sums_of_counts_beyond_31_bits():
    found = rare.estimate(rare.IID(rare.Poisson(2e9), 3), rare.total >= 6 * 10 ** 9, samples=10_000, seed=1,
                          audit=False)
    assert abs(found.value - 0.5) <= Z * found.std_error


def test_numbers_of_draws_beyond_31_bits():
    """Tallied copies and merged chunks: hits, draws and the mean of 2^50 terms."""
    made = Moments.empty(1)
    status = sums.settle_copies(0, 2, np.array([2 ** 49, 2 ** 49]), np.zeros(2), np.empty(2), np.array([[1.0, 0.0]]),
                                made.counts, made.terms, made.weights, made.largest)
    assert status == sums.OK and made.counts[0, 0] == 2 ** 49
    half = replace(made, draws=2 ** 50)
    whole = half.merge(half)
    terms = whole.of(0)
    assert (terms.draws, terms.hits, terms.mean) == (2 ** 51, 2 ** 50, 0.5)
    assert terms.m2 == 2.0 ** 49 and terms.std_error == pytest.approx(0.5 / 2.0 ** 25.5, rel=1e-12)
    assert whole.merge(Moments.of_block(np.zeros(1), np.ones((1, 1)))[0]).of(0).hits == 2 ** 50 + 1


# ------------------------------------------------------------------------------------------------ offsets
def test_an_offset_of_1e8_in_an_estimate():
    """The same draws with and without it: the standard error keeps eight digits."""
    plain, moved = rare.estimate(N, lambda x: (x, 1e8 + x), samples=100_000, seed=1, audit=False)
    assert moved.value - 1e8 == pytest.approx(plain.value, abs=1e-7)
    assert moved.std_error == pytest.approx(plain.std_error, rel=1e-8)


# ------------------------------------------------------------------------------------------------ weights
@dataclass(frozen=True)
class Odd(rare.Distribution):
    """A normal law whose log density has a constant too many, and another value beyond two standard deviations."""

    location: float = 0.0
    log_scale: float = 0.0
    beyond: float = 1.0                                                   # 1: nothing odd there
    support = rare.reals(-INF, INF)

    def draw(self, rng):
        return self.location + rng.standard_normal()

    def log_density(self, x):
        if self.beyond != 1.0 and x > self.location + 2.0:
            return self.beyond
        return self.log_scale - 0.5 * (x - self.location) ** 2 - 0.9189385332046727


def odd(nominal, proposal):
    return rare.estimate(nominal, rare.at_least(4.0), proposal=proposal, samples=20_000, seed=1, audit=False)


def test_a_scale_that_both_densities_share_cancels():
    one = odd(Odd(), Odd(4.0))
    assert abs(one.value - stats.norm.sf(4.0)) <= Z * one.std_error
    for scale in (1000.0, -1000.0):
        found = odd(Odd(0.0, scale), Odd(4.0, scale))
        assert found.value == pytest.approx(one.value, rel=1e-12)
        assert found.std_error == pytest.approx(one.std_error, rel=1e-12)
        assert found.weight_ess == pytest.approx(one.weight_ess, rel=1e-12)


@pytest.mark.parametrize(("scale", "words"), [(-1000.0, "below 1e-307"), (-700.0, "below 1e-307"),
                                              (700.0, "not finite")])
def test_weights_scaled_out_of_the_doubles_are_not_trusted(scale, words):
    found = odd(Odd(0.0, scale), Odd(4.0))
    assert found.verdict == "not trusted" and words in found.reason
    assert found.interval() == (0.0, 1.0) and found.weight_ess == 0.0


def test_weights_scaled_beyond_the_doubles_are_an_error():
    for nominal, proposal in ((Odd(0.0, 1000.0), Odd(4.0)), (Odd(), Odd(4.0, -1000.0))):
        with pytest.raises(rare.UserFunctionError, match="overflows"):
            odd(nominal, proposal)


def test_subnormal_terms_are_exact_or_counted_as_lost():
    """A weight below e^-708 would keep few digits: it counts as zero, and is told. A subnormal integrand is exact."""
    w = np.array([-708.5, -720.0, -740.0, -745.0, -5.0])
    made, status = Moments.of_block(w, np.ones((1, 5)))
    assert status == sums.OK and made.counts[:, 2].tolist() == [4] and made.of(0).hits == 1
    assert made.of(0).total == pytest.approx(math.exp(-5.0), rel=1e-12)
    tiny = np.array([[5e-324, 1e-310, 3e-320, 0.0]])
    made, _ = Moments.of_block(np.zeros(4), tiny.copy())
    assert made.of(0).total == math.fsum(tiny[0]) and made.of(0).hits == 3
    found = rare.estimate(N, rare.at_least(0.0), proposal=rare.Normal(38.0, 1.0), samples=1000, seed=1, audit=False)
    assert found.verdict == "not trusted"                                 # weights of e^-722


# ------------------------------------------------------------------------------------------------ densities
def test_a_nominal_density_of_zero_is_a_weight_of_zero():
    found = odd(Odd(beyond=-INF), Odd(4.0))
    assert (found.value, found.hits) == (0.0, 0) and found.interval()[1] == 1.0 and found.verdict == "not trusted"


@pytest.mark.parametrize(("nominal", "proposal", "words"), [
    (INF, 1.0, "nominal .* is inf"), (math.nan, 1.0, "nominal .* is nan"), (1.0, -INF, "proposal .* is -inf"),
    (1.0, INF, "not finite: draw and support must agree"), (1.0, math.nan, "proposal .* is nan"),
    (-INF, -INF, "proposal .* is -inf"), (INF, INF, "nominal .* is inf"),
], ids=str)
def test_a_density_that_is_no_number_is_named(nominal, proposal, words):
    with pytest.raises(rare.UserFunctionError, match=words):
        odd(Odd(beyond=nominal), Odd(4.0, beyond=proposal))


# ------------------------------------------------------------------------------------------------ order
def test_all_orders_of_five_chunks():
    """Huge and tiny, signed, empty of hits, of one draw: 120 orders agree, and the one of the ids has the same bits."""
    rng = np.random.default_rng(1)
    chunks = [1e16 * rng.normal(size=300), rng.exponential(1e-12, 500), np.zeros(40), np.array([-3.5]),
              rng.lognormal(0.0, 3.0, 512)]
    parts = [Moments.of_block(np.zeros(len(y)), y[None].copy())[0] for y in chunks]
    y = np.concatenate(chunks)
    total, absolute = math.fsum(y), math.fsum(abs(y))
    spread = math.fsum((y - total / len(y)) ** 2)

    def merged(order):
        whole = Moments.empty(1)
        for i in order:
            whole = whole.merge(parts[i])
        return whole

    first = merged(range(5))
    for order in itertools.permutations(range(5)):
        whole = merged(order)
        terms = whole.of(0)
        assert abs(terms.total - total) <= 1e-13 * absolute and abs(terms.absolute - absolute) <= 1e-13 * absolute
        assert abs(terms.m2 - spread) <= 1e-12 * spread
        assert np.array_equal(whole.counts, first.counts) and np.array_equal(terms.largest, first.of(0).largest)
    again = merged(range(5))
    assert all(np.array_equal(getattr(again, part), getattr(first, part))
               for part in ("counts", "terms", "weights", "largest"))
