"""Bit casts, fused multiply-add, and an exponential that LLVM can vectorise.

The C library's exp and log are calls, and a loop with a call does not vectorise. The polynomial here is branch free and
within one unit in the last place of exp.
"""
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

# error_model="numpy": Python's division check would keep loops from vectorising. No fastmath: it breaks compensated
# sums and NaN checks. forceinline: leaves are small, and inlined they keep the generator's state in registers.
LEAF = dict(nogil=True, error_model="numpy", forceinline=True)



@intrinsic
def as_float(context, bits):
    """The double with these 64 bits."""
    return types.float64(types.uint64), lambda c, b, s, args: b.bitcast(args[0], ir.DoubleType())


@intrinsic
def as_bits(context, value):
    """The 64 bits of a double."""
    return types.uint64(types.float64), lambda c, b, s, args: b.bitcast(args[0], ir.IntType(64))


@intrinsic
def fma(context, a, b, c):
    """a * b + c with one rounding."""
    return types.float64(types.float64, types.float64, types.float64), lambda c, b, s, args: b.fma(*args)


@intrinsic
def high_product(context, a, b):
    """The upper 64 bits of the 128-bit product of two unsigned integers."""
    def codegen(context, builder, signature, args):
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))
    return types.uint64(types.uint64, types.uint64), codegen


@njit(**LEAF)
def exp(x):
    """exp(x): zero below -708, infinity above 709.78, NaN for NaN. Cody-Waite reduction, degree 13 polynomial."""
    y = x if x > -708.0 else -708.0
    y = y if y < 709.78 else 709.78
    scaled = fma(y, 1.4426950408889634, 6755399441055744.0)      # adding 1.5 * 2^52 rounds to an integer
    shift = as_bits(scaled)
    scaled -= 6755399441055744.0
    r = fma(scaled, -6.93147180369123816490e-01, y)
    r = fma(scaled, -1.90821492927058770002e-10, r)
    s = 1.0 / 6227020800.0
    s = fma(s, r, 1.0 / 479001600.0)
    s = fma(s, r, 1.0 / 39916800.0)
    s = fma(s, r, 1.0 / 3628800.0)
    s = fma(s, r, 1.0 / 362880.0)
    s = fma(s, r, 1.0 / 40320.0)
    s = fma(s, r, 1.0 / 5040.0)
    s = fma(s, r, 1.0 / 720.0)
    s = fma(s, r, 1.0 / 120.0)
    s = fma(s, r, 1.0 / 24.0)
    s = fma(s, r, 1.0 / 6.0)
    s = fma(s, r, 0.5)
    s = fma(s, r, 1.0)
    s = fma(s, r, 1.0)
    value = as_float(as_bits(s) + (shift << np.uint64(52)))
    value = value if x > -708.0 else 0.0
    value = value if x <= 709.78 else np.inf
    return value if x == x else x


@overload(float)
def _float_of_bool(x):
    """Numba lacks float(bool), and float(x >= k) is what people write."""
    if isinstance(x, types.Boolean):
        return lambda x: 1.0 if x else 0.0
    return None


def is_boolean(value):
    """Whether a value's compiled type is bool: a proof that it is at most one."""
    return isinstance(value, bool)


@overload(is_boolean)
def _is_boolean(value):
    answer = isinstance(value, types.Boolean)
    return lambda value: answer
