"""exp, bit casts, and what compiled code knows of bool."""
import math

import numpy as np
from numba import njit

from rareevents.kernels import bits

EPS = np.finfo(float).eps


@njit
def exp_all(x, out):
    for i in range(len(x)):
        out[i] = bits.exp(x[i])


@njit
def casts(a, b, c, i, j):
    return bits.fma(a, b, c), bits.as_bits(a), bits.as_float(bits.as_bits(b)), bits.high_product(i, j)


@njit
def booleans(x):
    return float(x >= 4), float(x), bits.is_boolean(x >= 4), bits.is_boolean(x), bits.is_boolean(x * 1.0)


def exp(x):
    out = np.empty(len(x))
    exp_all(np.asarray(x, float), out)
    return out


def test_exp_is_within_two_units_of_rounding():
    x = np.concatenate([np.linspace(-708.0, 709.78, 300_001)[1:-1], np.random.default_rng(1).normal(0.0, 1.0, 50_000),
                        np.random.default_rng(2).uniform(-1e-8, 1e-8, 25_000),
                        math.log(2.0) * (np.arange(-1021, 1024) + 0.5), math.log(2.0) * np.arange(-1021, 1024),
                        np.random.default_rng(3).uniform(-708.0, 709.78, 30_000)])
    assert len(x) > 4e5
    got = exp(x)
    assert np.abs(got / np.exp(x) - 1.0).max() <= 2.0 * EPS
    sample = slice(None, None, 101)
    assert max(abs(a / math.exp(b) - 1.0) for a, b in zip(got[sample], x[sample], strict=True)) <= 2.0 * EPS


def test_exp_at_its_ends():
    assert exp([0.0, -0.0]).tolist() == [1.0, 1.0]
    assert exp([-708.0, -708.5, -745.0, -1e300, -math.inf]).tolist() == [0.0] * 5
    assert exp([709.785, 710.0, 1e300, math.inf]).tolist() == [math.inf] * 4
    assert np.isnan(exp([math.nan])).all()
    assert np.isfinite(exp([709.78, np.nextafter(-708.0, 0.0)])).all()
    assert abs(exp([709.78])[0] / math.exp(709.78) - 1.0) <= 2.0 * EPS
    assert exp([np.nextafter(-708.0, 0.0)])[0] > 0.0
    assert (np.diff(exp(np.linspace(-1.0, 1.0, 20_001))) > 0.0).all()         # steps of 1e-4 are seen


def test_casts_and_products():
    fused, pattern, same, high = casts(1.0 + 2.0 ** -30, 1.0 - 2.0 ** -30, -1.0, np.uint64(2 ** 63), np.uint64(6))
    assert fused == -2.0 ** -60                                               # one rounding: the product alone gives 0
    assert int(pattern) == 0x3FF0000000400000 and same == 1.0 - 2.0 ** -30 and high == 3
    *_, high = casts(1.0, 1.0, 1.0, np.uint64(2 ** 64 - 1), np.uint64(2 ** 64 - 1))
    assert int(high) == 2 ** 64 - 2


def test_bool_is_known_as_bool():
    assert booleans(5) == (1.0, 5.0, True, False, False)
    assert booleans(3) == (0.0, 3.0, True, False, False)
    assert bits.is_boolean(True) and not bits.is_boolean(1)                   # the same answers in Python
