"""exp, log, log1p, bit casts, and what compiled code knows of bool."""
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
def logs_all(x, out):
    for i in range(len(x)):
        out[0, i] = bits.log(x[i])
        out[1, i] = bits.log1p(x[i])


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


def logs(x):
    out = np.empty((2, len(x)))
    logs_all(np.asarray(x, float), out)
    return out


def test_log_is_within_two_units_of_rounding():
    rng = np.random.default_rng(1)
    x = np.concatenate([10.0 ** rng.uniform(-323.0, 308.0, 200_000), rng.uniform(0.5, 2.0, 200_000),
                        1.0 + rng.uniform(-1e-8, 1e-8, 50_000), 2.0 ** np.arange(-1074.0, 1024.0),
                        np.nextafter(2.0 ** np.arange(-1000.0, 1000.0) * math.sqrt(0.5), 0.0), [5e-324, 2.2e-308]])
    wanted = np.log(x)
    assert np.abs(logs(x)[0] - wanted).max() <= 2.0 * EPS * np.abs(wanted).max()
    some = wanted != 0.0
    assert np.abs(logs(x)[0][some] / wanted[some] - 1.0).max() <= 2.0 * EPS


def test_log1p_keeps_small_arguments():
    rng = np.random.default_rng(2)
    x = np.concatenate([10.0 ** rng.uniform(-300.0, 300.0, 200_000), -10.0 ** rng.uniform(-300.0, -1e-3, 200_000),
                        rng.uniform(-0.9, 3.0, 100_000)])
    assert np.abs(logs(x)[1] / np.log1p(x) - 1.0).max() <= 4.0 * EPS


def test_logs_at_their_ends():
    ends = [0.0, -0.0, -1.0, -math.inf, math.inf, math.nan, 1.0]
    assert np.array_equal(logs(ends)[0], [-math.inf, -math.inf, math.nan, math.nan, math.inf, math.nan, 0.0],
                          equal_nan=True)
    ends = [0.0, -1.0, -1.5, math.inf, math.nan]
    assert np.array_equal(logs(ends)[1], [0.0, -math.inf, math.nan, math.inf, math.nan], equal_nan=True)


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
