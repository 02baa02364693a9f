"""Statistical tests of 64-bit words: each counts something over pieces of a stream, then gives p-values.

A test sees the words in pieces of a fixed size and adds to integers, so any number of words takes the same memory.
Its p-values are those of the upper tail; one close to 1 is as suspicious as one close to 0. A Poisson count gives the
middle of the two tails that its own value could belong to.

Sources: frequencies, serial pairs, gaps, runs, maximum of t and collisions as in Knuth (1997), section 3.3.2; birthday
spacings as in L'Ecuyer and Simard (2001), which bound N lambda by the fourth root of the number of days; ranks as in
Marsaglia and Tsay (1985); the linear complexity of random bits as in Rueppel (1986), chapter 4.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from numba import njit
from scipy import stats

from benchmarks.binary import LENGTH, complexity, ones, packed, rank
from rareevents.kernels.bits import as_bits
from rareevents.kernels.streams import unit

U = np.uint64
PIECE = 1 << 22                  # words that are in memory at a time
SHORT = 1 << 15                  # a part of them that stays in the cache
READ = {                         # words of a piece that a p-value rests on, where not all of them
    "birthdays of the upper halves": 1 << 12, "birthdays of the lower halves": 1 << 12,
    "ranks of whole words": 64_000, "linear complexity": 1 << 19, "spectrum": 1 << 20,
}
BITS = 0, 12, 63                 # lowest bit, lowest of those that a double holds, highest


@dataclass(frozen=True)
class Test:
    """One test: add(words, counts) for every part of `size` words, then p(counts, words seen) -> {name: p-value}."""

    add: Callable
    cells: int
    p: Callable
    size: int = SHORT
    most: int | None = None      # pieces that it sees at most: what is slow, or exact only for few repetitions


def chi2(counts, probabilities):
    """The p-value of counts with given probabilities; neighbours are pooled until 5 are expected in each.

    0 if there is too little to count: a source that gives no runs or gaps at all fails.
    """
    cells, seen, wanted = [], 0.0, 0.0
    for count, expected in zip(counts, counts.sum() * np.asarray(probabilities, float), strict=True):
        seen, wanted = seen + count, wanted + expected
        if wanted >= 5.0:
            cells.append((seen, wanted))
            seen, wanted = 0.0, 0.0
    if len(cells) < 2:
        return 0.0
    cells[-1] = cells[-1][0] + seen, cells[-1][1] + wanted
    counts, expected = np.array(cells).T
    return float(stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), len(cells) - 1))


def uniform(counts):
    """The same for rows of cells that are equally likely, all rows together."""
    expected = counts.sum(axis=1, keepdims=True) / counts.shape[1]
    return float(stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), counts.shape[0] * (counts.shape[1] - 1)))


def normal(total, variance):
    """The p-value of a sum with mean zero."""
    return float(stats.norm.sf(total / math.sqrt(variance)))


def poisson(count, mean):
    """The p-value of a Poisson count, half of its own probability on either side."""
    return float(stats.poisson.sf(count - 1, mean) - 0.5 * stats.poisson.pmf(count, mean))


# ------------------------------------------------------------------------------------------------ frequencies
@njit
def add_bytes(words, counts):
    for w in words:
        for k in range(8):
            counts[256 * k + np.int64((w >> U(8 * k)) & U(255))] += 1


def p_bytes(counts, n):
    table = counts.reshape(8, 256)
    one = np.array([[table[k, (np.arange(256) >> j) & 1 == 1].sum() for j in range(8)] for k in range(8)])
    z = (one - 0.5 * n) / math.sqrt(0.25 * n)
    return {"bytes": uniform(table), "each of the 64 bits": float(stats.chi2.sf((z * z).sum(), 64))}


@njit
def add_sixteens(words, counts):
    for w in words:
        for k in range(4):
            counts[65536 * k + np.int64((w >> U(16 * k)) & U(65535))] += 1


@njit
def add_pairs(words, counts):
    for i in range(0, len(words), 2):
        a, b = words[i], words[i + 1]
        counts[np.int64((a >> U(56) << U(8)) | (b >> U(56)))] += 1
        counts[65536 + np.int64((a & U(255)) << U(8) | (b & U(255)))] += 1


# ------------------------------------------------------------------------------------------------ doubles
@njit
def add_tails(words, counts):
    """In which [2^-(k+1), 2^-k) a double lies, and one minus it."""
    for w in words:
        u = unit(w)
        counts[min(np.int64(U(1022) - (as_bits(u) >> U(52))), 39)] += 1
        counts[40 + min(np.int64(U(1022) - (as_bits(1.0 - u) >> U(52))), 39)] += 1


def p_tails(counts, n):
    law = 0.5 ** np.append(np.arange(1.0, 40.0), 39.0)
    return {"doubles near 0": chi2(counts[:40], law), "doubles near 1": chi2(counts[40:], law)}


@njit
def add_maxima(words, counts):
    for i in range(0, len(words), 8):
        u = 0.0
        for j in range(8):
            u = max(u, unit(words[i + j]))
        counts[np.int64(256.0 * u ** 8)] += 1


@njit
def add_products(words, counts):
    """Products of neighbours' deviations from the mean, in units of 2^-17."""
    total, a = np.int64(0), np.int64(0)
    for w in words:
        b = np.int64(w >> U(48)) * 2 - 65535
        total += a * b
        a = b
    counts[0] += total


# ------------------------------------------------------------------------------------------------ runs and gaps
@njit
def add_runs(words, counts):
    """Lengths of ascending runs; the word after a run is left out, so that runs are independent."""
    length, before = counts[15], U(counts[16])                           # a run may go on in the next part
    for w in words:
        if length == 0 or w > before:
            length += 1
        else:
            counts[min(length, 15) - 1] += 1
            length = 0
        before = w
    counts[15], counts[16] = length, np.int64(before)


@njit
def add_gaps(words, counts):
    """Words between two whose upper (then: lower) four bits are zero; the last cell of each half carries on."""
    high, low = counts[511], counts[1023]
    for w in words:
        if w >> U(60) == U(0):
            counts[min(high, 510)] += 1
            high = 0
        else:
            high += 1
        if w & U(15) == U(0):
            counts[512 + min(low, 510)] += 1
            low = 0
        else:
            low += 1
    counts[511], counts[1023] = high, low


def p_runs(counts, n):
    law = [r / math.factorial(r + 1) for r in range(1, 15)]
    return {"runs up": chi2(counts[:15], [*law, 1.0 - math.fsum(law)])}


def p_gaps(counts, n):
    law = 0.0625 * 0.9375 ** np.arange(511.0)
    law[510] /= 0.0625
    return {"gaps of the upper bits": chi2(counts[:511], law), "gaps of the lower bits": chi2(counts[512:1023], law)}


# ------------------------------------------------------------------------------------------------ Hamming weights
@njit
def add_weights(words, counts):
    """Weights; classes of four weights in a row; products of neighbours' weights; bits that flip to the next word."""
    correlation, flips, before = np.int64(0), np.int64(0), words[0]
    for i in range(0, len(words), 4):
        group = 0
        for j in range(4):
            w = words[i + j]
            weight = ones(w)
            counts[weight] += 1
            group = 3 * group + (0 if weight < 31 else 1 if weight < 34 else 2)
            correlation += (weight - 32) * (ones(before) - 32) if i + j else 0
            flips += ones(w ^ before) - 32 if i + j else 0
            before = w
        counts[65 + group] += 1
    counts[146] += correlation
    counts[147] += flips


def p_weights(counts, n):
    law = stats.binom.pmf(np.arange(65), 64, 0.5)
    one = np.array([law[:31].sum(), law[31:34].sum(), law[34:].sum()])
    neighbours = n - n // SHORT
    return {"weights": chi2(counts[:65], law), "weights of four words": chi2(counts[65:146], _power(one, 4)),
            "weights of neighbours": normal(counts[146], 256.0 * neighbours),
            "bits that flip": normal(counts[147], 16.0 * neighbours)}


def _power(law, times):
    joint = np.ones(1)
    for _ in range(times):
        joint = np.outer(joint, law).ravel()
    return joint


# ------------------------------------------------------------------------------------------------ collisions, birthdays
BALLS, URNS = 1 << 16, 1 << 24


@njit
def add_collisions(words, counts):
    """Balls that fall into an occupied urn of 2^24, named by the upper (then: lower) six bits of four words."""
    full = np.empty(URNS >> 6, np.uint64)
    for half in range(2):
        full[:] = 0
        for i in range(0, len(words), 4):
            urn = U(0)
            for j in range(4):
                urn = (urn << U(6)) | (words[i + j] >> U(58) if half == 0 else words[i + j] & U(63))
            bit = U(1) << (urn & U(63))
            if full[np.int64(urn >> U(6))] & bit:
                counts[half] += 1
            full[np.int64(urn >> U(6))] |= bit


def p_collisions(counts, n):
    with localcontext() as context:
        context.prec = 60
        m = Decimal(URNS)
        one, two = (1 - 1 / m) ** BALLS, (1 - 2 / m) ** BALLS
        mean, variance = float(BALLS - m + m * one), float(m * one + m * (m - 1) * two - (m * one) ** 2)
    times = n // (4 * BALLS)
    return {f"collisions of the {name} bits": normal(counts[i] - times * mean, times * variance)
            for i, name in enumerate(("upper", "lower"))}


def equal_spacings(days):
    """How many of the spacings between sorted birthdays occur once more."""
    spacings = np.sort(np.diff(np.sort(days)))
    return np.count_nonzero(spacings[1:] == spacings[:-1])


def add_birthdays(words, counts):
    """2^22 birthdays among 2^64 days, and 2^12 among 2^32 by the upper and by the lower half of a word."""
    counts[0] += equal_spacings(words)
    counts[1] += equal_spacings(words[:4096] >> U(32))
    counts[2] += equal_spacings(words[4096:8192] & U(0xFFFFFFFF))


def p_birthdays(counts, n):
    times = n // PIECE                                                   # n^3 / (4 days) expected: 1, 4 and 4
    return {f"birthdays of the {name}": poisson(counts[i], times * mean)
            for i, (name, mean) in enumerate((("words", 1.0), ("upper halves", 4.0), ("lower halves", 4.0)))}


# ------------------------------------------------------------------------------------------------ linear tests
SIDE = 320                       # more than the 256 bits of the state


def add_ranks(words, counts):
    """How far from full rank: 320 x 320 matrices of one bit of each word, and of whole words."""
    area = SIDE * SIDE
    for i in range(len(words) // area):
        part, bits = words[i * area:(i + 1) * area], np.empty(area // 64, np.uint64)
        for k, bit in enumerate(BITS):
            packed(part, bit, bits)
            counts[3 * k + min(SIDE - rank(bits.reshape(SIDE, -1)), 2)] += 1
        bits[:] = part[:area // 64]
        counts[9 + min(SIDE - rank(bits.reshape(SIDE, -1)), 2)] += 1


def p_ranks(counts, n):
    full = math.prod(1.0 - 0.5 ** i for i in range(1, SIDE + 1))
    law = [full, 2.0 * full, 1.0 - 3.0 * full]                           # one less than full is twice as likely
    return {name: chi2(counts[3 * k:3 * k + 3], law)
            for k, name in enumerate([*(f"ranks of bit {bit}" for bit in BITS), "ranks of whole words"])}


def add_complexities(words, counts):
    """Of 1,024 bits: the complexity, as its distance from one half of them."""
    bits = np.empty(512 * LENGTH // 64, np.uint64)
    for k, bit in enumerate(BITS):
        packed(words, bit, bits)
        for row in bits.reshape(512, -1):
            counts[21 * k + min(max(complexity(row) - LENGTH // 2, -10), 10) + 10] += 1


def p_complexities(counts, n):
    sizes = np.arange(1, LENGTH + 1)
    law = np.bincount(np.clip(sizes - LENGTH // 2, -10, 10) + 10,
                      2.0 ** (np.minimum(2 * LENGTH - 2 * sizes, 2 * sizes - 1) - LENGTH))
    return {f"linear complexity of bit {bit}": chi2(counts[21 * k:21 * k + 21], law) for k, bit in enumerate(BITS)}


def add_spectra(words, counts):
    """The periodogram of one bit as a sign, over 2^20 words: in which of 64 equally likely cells an ordinate lies."""
    for k, bit in enumerate(BITS):
        signs = ((words[:1 << 20] >> U(bit)) & U(1)).astype(float) * 2.0 - 1.0
        power = np.abs(np.fft.rfft(signs)[1:-1]) ** 2 / len(signs)
        counts[64 * k:64 * k + 64] += np.bincount(np.minimum(64.0 * np.exp(-power), 63.0).astype(int), minlength=64)


def p_spectra(counts, n):
    found = {}
    for k, bit in enumerate(BITS):
        cells, expected = counts[64 * k:64 * k + 64], counts[64 * k:64 * k + 64].sum() / 64.0
        # Squared signs are one, so the sum of the ordinates is fixed: a degree of freedom less.
        found[f"spectrum of bit {bit}"] = float(stats.chi2.sf(((cells - expected) ** 2 / expected).sum(), 62))
    return found


TESTS = (
    Test(add_bytes, 2048, p_bytes),
    Test(add_sixteens, 1 << 18, lambda counts, n: {"16-bit parts": uniform(counts.reshape(4, -1))}),
    Test(add_pairs, 1 << 17, lambda counts, n: {"pairs of upper bytes": uniform(counts[None, :65536]),
                                                "pairs of lower bytes": uniform(counts[None, 65536:])}),
    Test(add_tails, 80, p_tails),
    Test(add_maxima, 256, lambda counts, n: {"maximum of 8": uniform(counts[None])}),
    Test(add_products, 1, lambda counts, n: {
        "serial correlation": normal(counts[0], (n - n // SHORT) * ((2.0 ** 32 - 1.0) / 3.0) ** 2)}),
    Test(add_runs, 17, p_runs),
    Test(add_gaps, 1024, p_gaps),
    Test(add_weights, 148, p_weights),
    Test(add_collisions, 2, p_collisions, size=4 * BALLS),
    Test(add_birthdays, 3, p_birthdays, size=PIECE, most=64),
    Test(add_ranks, 12, p_ranks, size=PIECE, most=32),
    Test(add_complexities, 63, p_complexities, size=PIECE, most=32),
    Test(add_spectra, 192, p_spectra, size=PIECE, most=64),
)
