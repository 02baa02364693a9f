"""Bit casts, fused multiply-add, an exponential and a logarithm that LLVM can vectorise, and gaps of Numba filled.

The C library's exp and log are calls, and a loop with a call does not vectorise. The polynomials here are branch free
and within one unit in the last place.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core.typing.context import BaseContext
from numba.core.typing.templates import Signature
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic, overload

# error_model="numpy": Python's division check would keep loops from vectorising. No fastmath: it breaks compensated
# sums and NaN checks. forceinline: leaves are small, and inlined they keep the generator's state in registers. No
# wrapper for calls from C: nothing calls them from there, and wrappers took a third of the time to compile.
LEAF = dict(nogil=True, error_model="numpy", forceinline=True, no_cfunc_wrapper=True)


@intrinsic
def as_float(context: BaseContext, bits: types.Type) -> tuple[Signature, Callable[..., Any]]:
    """The double with these 64 bits."""
    return types.float64(types.uint64), lambda c, b, s, args: b.bitcast(args[0], ir.DoubleType())


@intrinsic
def as_bits(context: BaseContext, value: types.Type) -> tuple[Signature, Callable[..., Any]]:
    """The 64 bits of a double."""
    return types.uint64(types.float64), lambda c, b, s, args: b.bitcast(args[0], ir.IntType(64))


@intrinsic
def fma(context: BaseContext, a: types.Type, b: types.Type, c: types.Type) -> tuple[Signature, Callable[..., Any]]:
    """a * b + c with one rounding."""
    return types.float64(types.float64, types.float64, types.float64), lambda c, b, s, args: b.fma(*args)


@intrinsic
def _floor(context: BaseContext, x: types.Type) -> tuple[Signature, Callable[..., Any]]:
    def codegen(context, builder, signature, args):
        return builder.call(builder.module.declare_intrinsic("llvm.floor", [ir.DoubleType()]), args)
    return types.float64(types.float64), codegen


def floor(x: float) -> float:
    """The largest integer that is not above x, as a double; NumPy's has no form on a GPU."""
    return float(np.floor(x))


@overload(floor, jit_options=LEAF)
def _floor_of(x):
    return lambda x: _floor(x)


@intrinsic
def high_product(context: BaseContext, a: types.Type, b: types.Type) -> tuple[Signature, Callable[..., Any]]:
    """The upper 64 bits of the 128-bit product of two unsigned integers."""
    def codegen(context, builder, signature, args):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))
    return types.uint64(types.uint64, types.uint64), codegen


@njit(**LEAF)
def exp(x: float) -> float:
    """exp(x): zero below -708, infinity above 709.78, NaN for NaN.

    Cody-Waite reduction to |r| <= log(2) / 2, then 1 + r + r^2 g(r) with the minimax g of degree 9, error 3.6e-18.
    """
    y = x if x > -708.0 else -708.0
    y = y if y < 709.78 else 709.78
    scaled = fma(y, 1.4426950408889634, 6755399441055744.0)      # adding 1.5 * 2^52 rounds to an integer
    shift = as_bits(scaled)
    scaled -= 6755399441055744.0
    r = fma(scaled, -6.93147180369123816490e-01, y)
    r = fma(scaled, -1.90821492927058770002e-10, r)
    s = 2.5000059288358357622e-8
    s = fma(s, r, 2.7630248414084709932e-7)
    s = fma(s, r, 2.7557586380836498406e-6)
    s = fma(s, r, 2.4801493098816137076e-5)
    s = fma(s, r, 1.9841269506571266786e-4)
    s = fma(s, r, 1.3888888943630187587e-3)
    s = fma(s, r, 8.3333333334944648684e-3)
    s = fma(s, r, 4.1666666666530158381e-2)
    s = fma(s, r, 0.16666666666666412518)
    s = fma(s, r, 0.50000000000000106271)
    s = fma(s, r, 1.0)
    s = fma(s, r, 1.0)
    value = as_float(as_bits(s) + (shift << np.uint64(52)))
    value = value if x > -708.0 else 0.0
    value = value if x <= 709.78 else np.inf
    return value if x == x else x


@njit(**LEAF)
def log(x: float) -> float:
    """log(x): minus infinity at zero, NaN below, infinity at infinity, NaN for NaN; denormal numbers too.

    x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) by the series in s = f / (2 + f), whose minimax
    coefficients are those of Ng's log in the freely distributable mathematics library (Sun Microsystems, 1993).
    """
    tiny = x < 2.2250738585072014e-308
    bits = as_bits(x * 18014398509481984.0 if tiny else x)              # 2^54
    exponent = np.int64(bits - np.uint64(0x3FE6A09E667F3BCD)) >> 52
    f = as_float(bits - (np.uint64(exponent) << np.uint64(52))) - 1.0
    k = as_float(np.uint64(exponent) + np.uint64(0x4338000000000000)) - (6755399441055798.0 if tiny
                                                                        else 6755399441055744.0)
    s = f / (2.0 + f)
    z = s * s
    series = 1.479819860511658591e-01
    series = fma(series, z, 1.531383769920937332e-01)
    series = fma(series, z, 1.818357216161805012e-01)
    series = fma(series, z, 2.222219843214978396e-01)
    series = fma(series, z, 2.857142874366239149e-01)
    series = fma(series, z, 3.999999999940941908e-01)
    series = fma(series, z, 6.666666666666735130e-01)
    half = 0.5 * f * f
    rest = fma(k, 1.90821492927058770002e-10, s * fma(series, z, half))
    value = fma(k, 6.93147180369123816490e-01, f - (half - rest))
    value = value if x > 0.0 else -np.inf
    value = value if x >= 0.0 else np.nan
    return value if x < np.inf else x + x


@njit(**LEAF)
def log1p(x: float) -> float:
    """log(1 + x), also where 1 + x rounds: the rounding error over 1 + x is the missing part to first order."""
    u = 1.0 + x
    lost = (x - (u - 1.0)) / u
    return log(u) + (lost if u < np.inf else 0.0) if u > 0.0 else log(u)


@overload(float)
def _float_of_bool(x):
    """Numba lacks float(bool), and float(x >= k) is what people write."""
    if isinstance(x, types.Boolean):
        return lambda x: 1.0 if x else 0.0
    return None


def is_boolean(value: Any) -> bool:
    """Whether a value's compiled type is bool: a proof that it is at most one."""
    return isinstance(value, bool)


@overload(is_boolean)
def _is_boolean(value):
    answer = isinstance(value, types.Boolean)
    return lambda value: answer


def replaced(values: tuple[Any, ...], i: int, value: Any) -> tuple[Any, ...]:
    """The tuple with another value at place i."""
    return (*values[:i], value, *values[i + 1:])


@overload(replaced, jit_options=LEAF)
def _replaced(values, i, value):
    return lambda values, i, value: tuple_setitem(values, i, value)


def put(values: tuple[Any, ...], y: np.ndarray, i: int) -> None:
    """Write several values, of one kind or not, to y[0, i], y[1, i], ..."""
    for k in range(len(values)):
        y[k, i] = values[k]


@overload(put, jit_options=LEAF)
def _put(values, y, i):
    if not isinstance(values, types.Tuple):
        def all_alike(values, y, i):                       # `put`, but Numba compares its types with those above
            for k in range(len(values)):
                y[k, i] = values[k]
        return all_alike
    lines = "".join(f"    y[{k}, i] = values[{k}]\n" for k in range(len(values)))
    names = {}
    exec(f"def each(values, y, i):\n{lines}", names)
    return names["each"]
