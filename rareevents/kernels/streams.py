"""Random streams by address, and the `rng` that a law's `draw(self, rng)` receives.

The stream of a chunk is a function of (seed, stage, chunk): xoshiro256++ (Blackman and Vigna 2021) whose four words are
made by Philox4x32-10 (Salmon et al. 2011) from that address. The four words live on the stack, so LLVM keeps them in
registers. The methods have the names of `numpy.random.Generator`, so the same `draw` runs in Python with one of those.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.context import BaseContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic, models, overload, overload_method, register_model

from rareevents.kernels.bits import LEAF, as_float, floor, high_product
from rareevents.kernels.special import poisson_log_mass

U = np.uint64
M32 = U(0xFFFFFFFF)
_I64 = ir.IntType(64)


# ---------------------------------------------------------------------------------------------------- Philox4x32-10
@njit(**LEAF)
def philox(c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64,
           k1: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Ten rounds of Philox4x32 on four 32-bit counter words and two 32-bit key words, each held in a uint64."""
    for _ in range(10):
        p0 = U(0xD2511F53) * c0
        p1 = U(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> U(32)) ^ c1 ^ k0, p1 & M32, (p0 >> U(32)) ^ c3 ^ k1, p0 & M32
        k0 = (k0 + U(0x9E3779B9)) & M32
        k1 = (k1 + U(0xBB67AE85)) & M32
    return c0, c1, c2, c3


# --------------------------------------------------------------------------------------------- the stream's four words
class Rng(Protocol):
    """What `draw(self, rng)` receives, to those who read types: compiled four words, in Python a NumPy Generator."""

    def random(self) -> float: ...
    def standard_normal(self) -> float: ...
    def standard_exponential(self) -> float: ...
    def standard_gamma(self, shape: float, /) -> float: ...
    def integers(self, n: int, /) -> int: ...
    def poisson(self, rate: float, /) -> int: ...


class RngType(types.Type):
    """Numba's type of `rng`: a pointer to four words on the stack."""

    def __init__(self) -> None:
        super().__init__("Rng")


@register_model(RngType)
class _RngModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _I64.as_pointer())


@intrinsic
def new_rng(context: BaseContext) -> tuple[Signature, Callable[..., Any]]:
    """A stream's memory. It lives in the function that calls this, so a helper must not return it."""
    def codegen(context, builder, signature, args):
        return cgutils.alloca_once(builder, _I64, size=ir.Constant(ir.IntType(32), 4))
    return RngType()(), codegen


@intrinsic(prefer_literal=True)
def _get(context, rng, slot):
    index = slot.literal_value
    return types.uint64(rng, slot), lambda c, b, s, args: b.load(b.gep(args[0], [ir.Constant(_I64, index)]))


@intrinsic(prefer_literal=True)
def _put(context, rng, slot, value):
    index = slot.literal_value

    def codegen(context, builder, signature, args):
        builder.store(args[2], builder.gep(args[0], [ir.Constant(_I64, index)]))
        return context.get_dummy_value()
    return types.void(rng, slot, types.uint64), codegen


@njit(**LEAF)
def address(rng: Rng, seed: np.uint64, stage: np.uint32, chunk: np.uint64) -> None:
    """Set `rng` to the start of the stream (seed, stage, chunk): 64-bit seed, 32-bit stage, 64-bit chunk id."""
    low, high = U(chunk) & M32, U(chunk) >> U(32)
    a0, a1, a2, a3 = philox(U(0), low, high, U(stage), U(seed) & M32, U(seed) >> U(32))
    b0, b1, b2, b3 = philox(U(1), low, high, U(stage), U(seed) & M32, U(seed) >> U(32))
    _put(rng, 0, a0 | (a1 << U(32)))
    _put(rng, 1, a2 | (a3 << U(32)))
    _put(rng, 2, b0 | (b1 << U(32)))
    _put(rng, 3, b2 | (b3 << U(32)))          # all four zero, xoshiro's one bad state, has probability 2^-256


def python_stream(seed: int, stage: int) -> np.random.Generator:
    """NumPy's generator for a seed and a stage, for what runs in plain Python."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, stage], np.uint64)))


@njit(**LEAF)
def xoshiro(rng: Rng) -> np.uint64:
    """The next 64-bit word of xoshiro256++."""
    s0, s1, s2, s3 = _get(rng, 0), _get(rng, 1), _get(rng, 2), _get(rng, 3)
    result = s0 + s3
    result = ((result << U(23)) | (result >> U(41))) + s0
    shifted = s1 << U(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << U(45)) | (s3 >> U(19))
    _put(rng, 0, s0)
    _put(rng, 1, s1)
    _put(rng, 2, s2)
    _put(rng, 3, s3)
    return result


@njit(**LEAF)
def unit(word: np.uint64) -> float:
    """The word's upper 52 bits as a number strictly inside (0, 1): ((word >> 12) + 1/2) 2^-52."""
    return as_float((word >> U(12)) | U(0x3FF0000000000000)) - (1.0 - 1.1102230246251565e-16)


def word(rng: Rng) -> np.uint64:
    """64 random bits from `rng`, or from a NumPy Generator when the code runs in Python."""
    return U(rng.bit_generator.random_raw())


@overload(word, jit_options=LEAF)
def _word(rng):
    if isinstance(rng, RngType):
        return lambda rng: xoshiro(rng)
    return None


# ---------------------------------------------------------------------------- ziggurat (Doornik 2005), 256 layers
def _layers(edge: float, area: float, density: Callable[[float], float], inverse: Callable[[float], float],
            count: int = 256) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The layers' right edges, the share of each that lies under the next, and the density at the edges."""
    x = np.zeros(count + 1)
    x[0], x[1] = area / density(edge), edge
    for i in range(2, count):
        x[i] = inverse(area / x[i - 1] + density(x[i - 1]))
    return x, x[1:] / x[:-1], np.array([density(edge) for edge in x])


NORMAL_EDGE, EXPONENTIAL_EDGE = 3.6541528853610088, 7.69711747013104972
NX, NR, NF = _layers(NORMAL_EDGE, 0.00492867323399, lambda x: math.exp(-0.5 * x * x),
                     lambda y: math.sqrt(-2 * math.log(y)))
EX, ER, EF = _layers(EXPONENTIAL_EDGE, 0.0039496598225815571993, lambda x: math.exp(-x), lambda y: -math.log(y))


@njit(**LEAF)
def _exponential(rng):
    while True:
        w = xoshiro(rng)
        i = np.int64(w & U(0xFF))
        u = unit(w)
        if u < ER[i]:
            return u * EX[i]
        if i == 0:
            return EXPONENTIAL_EDGE - math.log(unit(xoshiro(rng)))
        x = u * EX[i]
        if EF[i + 1] + unit(xoshiro(rng)) * (EF[i] - EF[i + 1]) < math.exp(-x):
            return x


@njit(**LEAF)
def _normal_tail(rng, negative):
    while True:
        x = math.log(unit(xoshiro(rng))) / NORMAL_EDGE
        y = math.log(unit(xoshiro(rng)))
        if -2.0 * y >= x * x:
            return (x - NORMAL_EDGE) if negative else (NORMAL_EDGE - x)


@njit(**LEAF)
def _normal(rng):
    while True:
        w = xoshiro(rng)
        i = np.int64(w & U(0xFF))
        u = 2.0 * unit(w) - 1.0
        if abs(u) < NR[i]:
            return u * NX[i]
        if i == 0:
            return _normal_tail(rng, u < 0.0)
        x = u * NX[i]
        if NF[i + 1] + unit(xoshiro(rng)) * (NF[i] - NF[i + 1]) < math.exp(-0.5 * x * x):
            return x


# ------------------------------------------------------------------------------------- gamma, integers, Poisson
@njit(**LEAF)
def _gamma(rng, shape):
    """Marsaglia and Tsang (2000); below shape one, Gamma(shape + 1) u^(1/shape)."""
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = _normal(rng)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            u = unit(xoshiro(rng))
            if u < 1.0 - 0.0331 * x * x * x * x or math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
                break
    if shape >= 1.0:
        return d * v
    return d * v * math.exp(math.log(unit(xoshiro(rng))) / shape)


@njit(**LEAF)
def _integers(rng, n):
    """Uniform on 0 .. n-1 without bias (Lemire 2019)."""
    bound = U(n)
    w = xoshiro(rng)
    low = w * bound
    if low < bound:
        threshold = (U(0) - bound) % bound
        while low < threshold:
            w = xoshiro(rng)
            low = w * bound
    return np.int64(high_product(w, bound))


@njit(**LEAF)                                  # inlined too: a call that takes rng would keep its state in memory
def _poisson(rng, rate):
    """Products of uniforms below rate 10, transformed rejection (Hoermann 1993, PTRS) above."""
    if rate < 10.0:
        limit = math.exp(-rate)
        k = 0
        product = unit(xoshiro(rng))
        while product > limit:
            k += 1
            product *= unit(xoshiro(rng))
        return k
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = unit(xoshiro(rng)) - 0.5
        v = unit(xoshiro(rng))
        us = 0.5 - abs(u)
        k = floor((2.0 * a / us + b) * u + rate + 0.43)              # a double: it may exceed 2^63 before it is refused
        if us >= 0.07 and v <= squeeze:
            return np.int64(k)
        if k < 0.0 or (us < 0.013 and v > us):
            continue
        if math.log(v * inverse_alpha / (a / (us * us) + b)) <= poisson_log_mass(k, rate):
            return np.int64(k)


def _method(name, implementation):
    overload_method(RngType, name, jit_options=LEAF)(implementation)


_method("random", lambda rng: lambda rng: unit(xoshiro(rng)))
_method("standard_normal", lambda rng: lambda rng: _normal(rng))
_method("standard_exponential", lambda rng: lambda rng: _exponential(rng))
_method("standard_gamma", lambda rng, shape: lambda rng, shape: _gamma(rng, shape))
_method("integers", lambda rng, n: lambda rng, n: _integers(rng, n))
_method("poisson", lambda rng, rate: lambda rng, rate: _poisson(rng, rate))
