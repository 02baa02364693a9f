"""Alias tables: the probabilities that a packed table implies, in exact integers."""
from fractions import Fraction

import numpy as np
import pytest
from numba import njit
from scipy import stats

from rareevents.kernels.alias import alias_draw, alias_table
from rareevents.kernels.streams import address, new_rng

ALPHA = 1e-6                                                                  # false alarms of each chi-square test


def implied(table):
    """P(i) of every cell, from the integers in the table: numerators over 2^64."""
    cells = len(table)
    bits = cells.bit_length() - 1
    shares = [0] * cells
    for i, packed in enumerate(table.tolist()):
        threshold, alias = packed >> bits, packed & (cells - 1)
        kept = 1 << (64 - bits) if alias == i else threshold
        shares[i] += kept
        shares[alias] += (1 << (64 - bits)) - kept
    return [Fraction(share, 2 ** 64) for share in shares]


def vectors():
    rng = np.random.default_rng(1)
    x = np.arange(128)
    small = rng.uniform(0.5, 1.5, 64)
    small[5:9] = [1e-3, 1e-9, 1e-15, 1e-17]
    small[[20, 40]] = 0.0
    return {
        "one": [1.0], "two": [0.25, 0.75], "three": [0.2, 0.3, 0.5], "equal": [1.0 / 7.0] * 7, "powers": 2.0 ** -x[:60],
        "poisson": stats.poisson.pmf(x[:50], 20.0), "zeros": small, "spike": np.r_[1.0, np.full(4095, 1e-10)],
        "random": rng.exponential(size=1000) ** 4, "unnormalised": [3.0, 5.0, 2.0],
    }


@pytest.mark.parametrize(("name", "p"), vectors().items(), ids=vectors())
def test_a_table_has_the_probabilities_it_was_given(name, p):
    """The resolution is that of a 64-bit word: 2^-64 absolute below an average cell; rounding 1e-15 above."""
    exact = [Fraction(float(v)) for v in p]
    total = sum(exact)
    exact = [v / total for v in exact]
    found = implied(alias_table(np.asarray(p)))
    assert sum(found) == 1
    for got, want in zip(found, exact, strict=False):
        assert abs(got - want) <= Fraction(1e-15)
        if want * len(found) < Fraction(1, 2):                                # a cell that takes from no other
            assert abs(got - want) <= want * Fraction(1e-12) + Fraction(2, 2 ** 64)
        assert (got == 0) == (want == 0) or want < Fraction(1, 2 ** 64)
    assert not any(found[len(exact):])                                        # padding is never drawn


def test_draws_follow_the_table_compiled_and_in_python():
    p = np.array([0.05, 0.0, 0.3, 0.15, 0.5])
    table = alias_table(p)

    @njit
    def many(table, counts, n):
        rng = new_rng()
        address(rng, np.uint64(7), np.uint32(0), np.uint64(0))
        for _ in range(n):
            counts[alias_draw_compiled(rng, table)] += 1
    counts = np.zeros(8, int)
    many(table, counts, 1_000_000)
    rng = np.random.Generator(np.random.Philox(1))
    python = np.bincount([alias_draw(rng, table) for _ in range(20_000)], minlength=8)
    for found in (counts, python):
        assert found[1] == 0 and not found[5:].any()
        keep = p > 0.0
        assert stats.chisquare(found[:5][keep], found.sum() * p[keep]).pvalue > ALPHA


alias_draw_compiled = njit(alias_draw)
