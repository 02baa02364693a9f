"""Streams: known answers of both generators, the seeding, and every method of `rng` against its law.

Seeds are fixed, so a pass is permanent until the code changes; ALPHA is the false-alarm rate that each comparison with
a law would have with a fresh seed.
"""
import functools
import math

import numpy as np
import pytest
from numba import njit
from scipy import stats

from rareevents.kernels import streams
from rareevents.kernels.streams import address, new_rng, unit, xoshiro

ALPHA = 1e-6
M32, M64 = 2 ** 32 - 1, 2 ** 64 - 1


# ------------------------------------------------------------------------------------------ references in plain Python
def philox_reference(counter, key):
    """Philox4x32-10 as in Salmon et al. (2011): ten rounds, the key raised between them."""
    c, k = list(counter), list(key)
    for i in range(10):
        if i:
            k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
        high0, low0 = divmod(0xD2511F53 * c[0], 2 ** 32)
        high1, low1 = divmod(0xCD9E8D57 * c[2], 2 ** 32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
    return c


def xoshiro_reference(state, n):
    """n words of xoshiro256++ as in the authors' xoshiro256plusplus.c."""
    def rotl(x, k):
        return ((x << k) | (x >> (64 - k))) & M64
    s, out = list(state), []
    for _ in range(n):
        out.append((rotl((s[0] + s[3]) & M64, 23) + s[0]) & M64)
        t = (s[1] << 17) & M64
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
    return out


def seeded_reference(seed, stage, chunk):
    """The four words of a stream: counters (0 or 1, chunk low, chunk high, stage), key (seed low, seed high)."""
    state = []
    for block in (0, 1):
        a = philox_reference((block, chunk & M32, chunk >> 32, stage), (seed & M32, seed >> 32))
        state += [a[0] | a[1] << 32, a[2] | a[3] << 32]
    return state


# ---------------------------------------------------------------------------------------------------- compiled drivers
@njit
def philox_all(words, out):
    for i in range(len(words)):
        w = words[i]
        out[i] = streams.philox(w[0], w[1], w[2], w[3], w[4], w[5])


@njit
def words_of(start, seeds, stages, chunks, out):
    """The first words of each address; with `start` its four words are the state instead."""
    rng = new_rng()
    for i in range(len(out)):
        address(rng, seeds[i], stages[i], chunks[i])
        if len(start):
            streams._put(rng, 0, start[0])
            streams._put(rng, 1, start[1])
            streams._put(rng, 2, start[2])
            streams._put(rng, 3, start[3])
        for j in range(out.shape[1]):
            out[i, j] = xoshiro(rng)


@njit
def draw_all(method, a, seed, out):
    rng = new_rng()
    address(rng, np.uint64(seed), np.uint32(0), np.uint64(0))
    for i in range(len(out)):
        if method == 0:
            out[i] = rng.random()
        elif method == 1:
            out[i] = rng.standard_normal()
        elif method == 2:
            out[i] = rng.standard_exponential()
        elif method == 3:
            out[i] = rng.standard_gamma(a)
        elif method == 4:
            out[i] = rng.integers(np.int64(a))
        else:
            out[i] = rng.poisson(a)


@functools.cache
def draws(method, n, a=0.0, seed=1):
    out = np.empty(n)
    names = ("random", "standard_normal", "standard_exponential", "standard_gamma", "integers", "poisson")
    draw_all(names.index(method), float(a), seed, out)
    return out


def addresses(n):
    rng = np.random.default_rng(5)
    return (rng.integers(0, 2 ** 64, n, np.uint64), rng.integers(0, 2 ** 32, n, np.uint32),
            rng.integers(0, 2 ** 64, n, np.uint64))


# -------------------------------------------------------------------------------------------------------- known answers
KAT = [                                          # Random123, tests/kat_vectors: philox4x32 10, counter, key, answer
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((M32, M32, M32, M32), (M32, M32), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
     (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


def test_philox_gives_the_known_answers_compiled_and_in_python():
    words = np.array([[*counter, *key] for counter, key, _ in KAT], np.uint64)
    out = np.empty((len(KAT), 4), np.uint64)
    philox_all(words, out)
    assert out.tolist() == [list(answer) for *_, answer in KAT]
    for counter, key, answer in KAT:
        assert tuple(philox_reference(counter, key)) == answer
        assert tuple(map(int, streams.philox.py_func(*map(np.uint64, (*counter, *key))))) == answer


def test_philox_equals_the_reference_at_many_addresses():
    words = np.random.default_rng(3).integers(0, 2 ** 32, (20_000, 6)).astype(np.uint64)
    words[:6] = np.eye(6, dtype=np.uint64)                                   # single bits too
    out = np.empty((len(words), 4), np.uint64)
    philox_all(words, out)
    assert out.tolist() == [philox_reference(w[:4], w[4:]) for w in words.tolist()]


def test_xoshiro_gives_the_known_answers():
    zero, out = np.zeros(1, np.uint64), np.empty((1, 10_000), np.uint64)
    words_of(np.array([1, 2, 3, 4], np.uint64), zero, zero.astype(np.uint32), zero, out)
    known = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162,
             14011001112246962877, 12406186145184390807, 15849039046786891736, 10450023813501588000]   # rand_xoshiro
    assert out[0, :10].tolist() == known
    assert out[0].tolist() == xoshiro_reference((1, 2, 3, 4), 10_000)


def test_a_stream_starts_from_its_address_in_the_documented_order():
    seeds, stages, chunks = addresses(200)
    seeds[:4], stages[:4], chunks[:4] = (0, M64, 1, 2 ** 63), (0, M32, 2, 7), (0, M64, 2 ** 32, 3)
    out = np.empty((200, 6), np.uint64)
    words_of(np.empty(0, np.uint64), seeds, stages, chunks, out)
    for row, seed, stage, chunk in zip(out.tolist(), seeds.tolist(), stages.tolist(), chunks.tolist(), strict=True):
        assert row == xoshiro_reference(seeded_reference(seed, stage, chunk), 6)


def test_distinct_addresses_give_distinct_streams():
    """No two of 2 10^5 streams share their first four words, nor any one word (by chance: (8 10^5)^2 / 2^65 = 2e-8)."""
    seeds, stages, chunks = addresses(200_000)
    near = np.arange(50_000)                                                 # and neighbours in every coordinate
    seeds[:50_000], stages[:50_000], chunks[:50_000] = near % 10, near // 10 % 10, near // 100
    seeds[50_000:100_000] = 2 ** 32 * (near + 1).astype(np.uint64)
    out = np.empty((200_000, 4), np.uint64)
    words_of(np.empty(0, np.uint64), seeds, stages, chunks, out)
    assert len(np.unique(out, axis=0)) == len(out)
    assert len(np.unique(out)) == out.size


def test_unit_is_strictly_inside_zero_and_one():
    ends = [unit(np.uint64(w)) for w in (0, M64, 2 ** 12 - 1, 2 ** 12, 2 ** 63)]
    assert ends == [2.0 ** -53, 1.0 - 2.0 ** -53, 2.0 ** -53, 3 * 2.0 ** -53, 0.5 + 2.0 ** -53]
    assert all(math.isfinite(f(u)) for u in ends for f in (math.log, math.log1p, lambda u: math.log(1.0 - u),
                                                          stats.norm.ppf))


# ------------------------------------------------------------------------------------------------------- laws of `rng`
@pytest.mark.parametrize(("method", "a", "law"), [
    ("random", 0.0, stats.uniform), ("standard_normal", 0.0, stats.norm), ("standard_exponential", 0.0, stats.expon),
    *[("standard_gamma", a, stats.gamma(a)) for a in (0.05, 0.5, 1.0, 2.5, 50.0)],
], ids=lambda value: str(value) if isinstance(value, (str, float)) else "")
def test_a_continuous_method_follows_its_law(method, a, law):
    x = draws(method, 1_000_000, a)
    assert np.isfinite(x).all() and (x.min() > 0.0 or method == "standard_normal")
    assert stats.kstest(x, law.cdf).pvalue > ALPHA
    u = law.cdf(x)                                                           # neighbours are independent
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) * math.sqrt(len(u)) < stats.norm.isf(ALPHA / 2)


@pytest.mark.parametrize(("method", "edge", "law"), [
    ("standard_normal", streams.NORMAL_EDGE, stats.norm),
    ("standard_exponential", streams.EXPONENTIAL_EDGE, stats.expon),
], ids=["normal", "exponential"])
def test_the_ziggurats_tail_has_its_mass_and_shape(method, edge, law):
    x, signs = draws(method, 8_000_000, seed=2), (1, -1) if law is stats.norm else (1,)
    for sign in signs:
        tail = sign * x[sign * x > edge]
        assert len(tail) > 900                                               # the path is taken
        assert stats.binomtest(len(tail), len(x), law.sf(edge)).pvalue > ALPHA
        assert stats.kstest(tail, lambda t: -np.expm1(law.logsf(t) - law.logsf(edge))).pvalue > ALPHA
        # The layers next to it, and the bottom of each layer: 512 cells of equal probability up to the edge.
        body = law.cdf(sign * x)
        counts = np.bincount((body * 512).astype(int), minlength=512)
        assert stats.chisquare(counts).pvalue > ALPHA


@pytest.mark.parametrize("n", [1, 7, 2 ** 40])
def test_integers_are_uniform(n):
    x = draws("integers", 700_000, n)
    assert x.min() >= 0 and x.max() < n
    if n == 7:
        assert stats.chisquare(np.bincount(x.astype(int), minlength=7)).pvalue > ALPHA
    if n == 2 ** 40:
        for cells in (x // 2 ** 32, x % 256):                                # the upper and the lower bits
            assert stats.chisquare(np.bincount(cells.astype(int), minlength=256)).pvalue > ALPHA


@pytest.mark.parametrize("rate", [0.5, 9.99, 10.01, 50.0, 1e3])
def test_poisson_counts_follow_their_law(rate):
    """Chi-square over the counts between the quantiles 1e-4 and 1 - 1e-4, tails pooled."""
    x, law = draws("poisson", 1_000_000, rate), stats.poisson(rate)
    low, high = int(law.ppf(1e-4)), int(law.isf(1e-4))
    expected = len(x) * np.concatenate([[law.cdf(low)], law.pmf(np.arange(low + 1, high)), [law.sf(high - 1)]])
    counts = np.bincount(np.clip(x, low, high).astype(int) - low, minlength=high - low + 1)
    assert expected.min() > 5 and stats.chisquare(counts, expected).pvalue > ALPHA


def test_poisson_at_extreme_rates():
    assert not draws("poisson", 10_000, 0.0).any()
    assert not draws("poisson", 10_000, 1e-300).any()
    for rate in (1e9, 1e18):                                                 # nearly normal
        x, n = draws("poisson", 200_000, rate), 200_000
        z = (x - rate) / math.sqrt(rate)
        limit = stats.norm.isf(ALPHA / 2)
        assert abs(z.mean()) * math.sqrt(n) < limit
        assert abs(z.var() - 1.0) * math.sqrt(n / 2.0) < limit
        assert abs(z).max() < stats.norm.isf(ALPHA / (2 * n))                # no overflow, nothing far out


def test_the_same_methods_exist_in_numpy():
    """`draw` runs in Python with a NumPy generator: same names, same arguments."""
    rng = np.random.default_rng(1)
    assert all(np.isscalar(value) for value in (
        rng.random(), rng.standard_normal(), rng.standard_exponential(), rng.standard_gamma(2.5), rng.integers(7),
        rng.poisson(3.0)))
    assert streams.word(np.random.Generator(np.random.Philox(1))).dtype == np.uint64
