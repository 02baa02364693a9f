"""Reductions of a block in eight lanes, added pairwise at the end.

The order of additions is written out as operations on vectors of eight, so the bits are the same on every processor,
whatever its vectors hold; leaving the order to the compiler (fastmath) would give that up.
"""
from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array

from rareevents.kernels.bits import LEAF, as_bits

SIZE = np.uint64(0x7FFFFFFFFFFFFFFF)          # the bits of |x|: as integers they are ordered like |x|, infinity, NaN
INFINITY = np.uint64(0x7FF0000000000000)


# ------------------------------------------------------------------------------------------------ vectors of eight
class _Eight(types.Type):
    """Numba's type of eight doubles that are worked on at once."""

    def __init__(self) -> None:
        super().__init__("Eight")


EIGHT, _VECTOR, _INDEX = _Eight(), ir.VectorType(ir.DoubleType(), 8), ir.IntType(32)


@register_model(_Eight)
class _EightModel(models.PrimitiveModel):
    def __init__(self, manager, eight):
        super().__init__(manager, eight, _VECTOR)


@intrinsic
def _load(context, y, i):
    """y[i], ..., y[i + 7] of a contiguous array."""
    def codegen(context, builder, signature, args):
        data = make_array(signature.args[0])(context, builder, args[0]).data
        return builder.load(builder.bitcast(builder.gep(data, [args[1]]), _VECTOR.as_pointer()), align=8)
    return EIGHT(y, types.int64), codegen


@intrinsic
def _all(context, x):
    """x eight times."""
    def codegen(context, builder, signature, args):
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), args[0], _INDEX(0))
        return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INDEX, 8), [0] * 8))
    return EIGHT(types.float64), codegen


def _operation(name, count):
    """An operation on vectors, lane by lane: an instruction of LLVM's, or one of its functions."""
    def codegen(context, builder, signature, args):
        if name.startswith("llvm."):
            function = ir.FunctionType(_VECTOR, [_VECTOR] * count)
            return builder.call(cgutils.get_or_insert_function(builder.module, function, f"{name}.v8f64"), args)
        return getattr(builder, name)(*args)
    typer = [lambda context, a: (EIGHT(EIGHT), codegen), lambda context, a, b: (EIGHT(EIGHT, EIGHT), codegen),
             lambda context, a, b, c: (EIGHT(EIGHT, EIGHT, EIGHT), codegen)][count - 1]
    return intrinsic(typer)


_plus, _minus, _times = _operation("fadd", 2), _operation("fsub", 2), _operation("fmul", 2)
_size, _fma = _operation("llvm.fabs", 1), _operation("llvm.fma", 3)


@intrinsic
def _sum(context, a):
    """((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))."""
    def codegen(context, builder, signature, args):
        lanes = [builder.extract_element(args[0], _INDEX(i)) for i in range(8)]
        while len(lanes) > 1:
            lanes = [builder.fadd(a, b) for a, b in zip(lanes[::2], lanes[1::2], strict=True)]
        return lanes[0]
    return types.float64(EIGHT), codegen


# ------------------------------------------------------------------------------------------------ reductions
@njit(**LEAF)
def total(y: np.ndarray, m: int) -> float:
    """Sum of the first m entries."""
    s = _all(0.0)
    whole = m - m % 8
    for i in range(0, whole, 8):
        s = _plus(s, _load(y, i))
    rest = 0.0
    for i in range(whole, m):
        rest += y[i]
    return _sum(s) + rest


@njit(**LEAF)
def squares(y: np.ndarray, m: int) -> float:
    """Sum of y^2 over the first m entries."""
    s = _all(0.0)
    whole = m - m % 8
    for i in range(0, whole, 8):
        v = _load(y, i)
        s = _fma(v, v, s)
    rest = 0.0
    for i in range(whole, m):
        rest += y[i] * y[i]
    return _sum(s) + rest


@njit(**LEAF)
def powers(y: np.ndarray, m: int, mean: float) -> tuple[float, float, float]:
    """Sums of (y - mean)^2, ^3 and ^4 over the first m entries."""
    s2 = s3 = s4 = _all(0.0)
    centre = _all(mean)
    whole = m - m % 8
    for i in range(0, whole, 8):
        d = _minus(_load(y, i), centre)
        dd = _times(d, d)
        s2 = _plus(s2, dd)
        s3 = _fma(dd, d, s3)
        s4 = _fma(dd, dd, s4)
    r2 = r3 = r4 = 0.0
    for i in range(whole, m):
        d = y[i] - mean
        dd = d * d
        r2 += dd
        r3 += dd * d
        r4 += dd * dd
    return _sum(s2) + r2, _sum(s3) + r3, _sum(s4) + r4


@njit(**LEAF)
def absolute(y: np.ndarray, m: int) -> float:
    """Sum of |y| over the first m entries."""
    s = _all(0.0)
    whole = m - m % 8
    for i in range(0, whole, 8):
        s = _plus(s, _size(_load(y, i)))
    rest = 0.0
    for i in range(whole, m):
        rest += abs(y[i])
    return _sum(s) + rest


@njit(**LEAF)
def extremes(y: np.ndarray, m: int) -> tuple[np.uint64, np.uint64]:
    """The bits of the largest and of the smallest |y| among the first m entries; NaN counts as largest."""
    top, low = np.uint64(0), INFINITY
    for i in range(m):
        size = as_bits(y[i]) & SIZE
        top = max(top, size)
        low = min(low, size)
    return top, low


@njit(**LEAF)
def signs(y: np.ndarray, m: int) -> tuple[int, int]:
    """How many of the first m entries are not zero, and how many are below zero."""
    hits = negative = 0
    for i in range(m):
        hits += y[i] != 0.0
        negative += y[i] < 0.0
    return hits, negative
