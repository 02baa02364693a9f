"""Parameters as run-time data: records whose type depends on the names and kinds of the fields, never on their values.

A record is a named tuple of floats, ints, arrays and other records. Its class can be imported by its field names
(`records.P__4_mean_2_sd`), so that Numba can find it again when it loads a kernel from the disk cache.

A stack holds any number of records of one shape, so that their number is data too: it has the same fields, each holding
the values of all, and `stack._take(j)` is record j (no field can have that name).
"""
from __future__ import annotations

import collections
import sys
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_cast, models, overload, overload_method, register_model
from numba.np import arrayobj

from rareevents.kernels.bits import LEAF


def __getattr__(name: str) -> type:
    if not name.startswith("P__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    cls: Any = collections.namedtuple(name, _fields(name[3:]))
    cls.__module__ = __name__
    cls._take, cls._borrow = take, borrow
    return globals().setdefault(name, cls)


def record(**fields: Any) -> tuple[Any, ...]:
    """A record of the given fields; numbers become float or int, sequences become arrays, records stay."""
    if not fields:
        fields = {"nothing": 0}
    name = "P__" + "_".join(f"{len(field)}_{field}" for field in fields)
    return getattr(sys.modules[__name__], name)(*map(tidy, fields.values()))


def _fields(text: str) -> list[str]:
    """The field names in the name of a class: each after its length, so that it may end in an underscore."""
    found = []
    while text:
        length, _, rest = text.partition("_")
        found.append(rest[:int(length)])
        text = rest[int(length) + 1:]
    return found


def tidy(value: Any) -> Any:
    """One kind of value, one compiled type."""
    if isinstance(value, (bool, int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, tuple):
        return value
    array = np.array(value, order="C")              # its own, writable and contiguous: always the same array type
    if array.dtype.kind not in "biuf":
        raise TypeError(f"a law's fields must be numbers, arrays of numbers or laws, got {value!r}")
    return array


def nest(items: list[Any]) -> tuple[Any, ...]:
    """[a, b, c] -> (a, (b, (c,))): unlike records in one structure that compiled code can walk."""
    return (items[0],) if len(items) == 1 else (items[0], nest(items[1:]))


# ------------------------------------------------------------------------------------------------ stacks
class Ragged(NamedTuple):
    """Vectors of any lengths end to end: vector j is flat[starts[j]:starts[j + 1]]."""

    flat: Any
    starts: Any


def shape(value: Any) -> Any:
    """What two values must share to be in one stack: everything but numbers and the lengths of vectors."""
    if isinstance(value, tuple):
        return type(value), tuple(map(shape, value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.ndim, value.shape if value.ndim > 1 else ()
    return type(value)


def stackable(records: list[tuple[Any, ...]]) -> bool:
    """Whether the records are of one shape, so that their number can be data."""
    return len(set(map(shape, records))) == 1


def stack(values: list[Any]) -> Any:
    """The values of one shape as one: numbers and matrices side by side, vectors end to end, records field by field."""
    first = values[0]
    if isinstance(first, tuple):
        fields = [stack(list(field)) for field in zip(*values, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else tuple(fields)
    if isinstance(first, np.ndarray) and first.ndim == 1:
        return Ragged(np.concatenate(values), np.cumsum([0, *map(len, values)]))
    return np.array(values)


def take(stack: Any, j: int) -> Any:
    """Value j of a stack; its vectors are views of the stack's. Plain functions write `stack._take(j)`."""
    if isinstance(stack, np.ndarray):
        return stack[j].item() if stack.ndim == 1 else stack[j]
    if isinstance(stack, Ragged) and isinstance(stack.flat, np.ndarray):
        return stack.flat[stack.starts[j]:stack.starts[j + 1]]
    items = [take(item, j) for item in stack]
    return type(stack)(*items) if hasattr(stack, "_fields") else tuple(items)


def borrow(stack: Any) -> Any:
    """The same record for what a kernel calls: its arrays are `Borrowed`. In Python, the record."""
    return stack


def own(value: Any) -> Any:
    """A borrowed array as one that may be kept; anything else as it is."""
    return value


# ------------------------------------------------------------------------------------------------ compiled
class Borrowed(types.Array):
    """Numba's type of an array without a count of references: whoever lent it outlives the call.

    Counting is atomic, and LLVM cannot remove it across branches: 30 days of four kinds took 1,300 ns, and take 130.
    """

    def __init__(self, array: types.Array) -> None:
        super().__init__(array.dtype, array.ndim, array.layout, name=f"borrowed({array.name})")


@register_model(Borrowed)
class _BorrowedModel(models.StructModel):
    def __init__(self, manager, array):
        fields = models.ArrayModel(manager, types.Array(array.dtype, array.ndim, array.layout))
        counted = ("meminfo", "parent")
        super().__init__(manager, array, [(name, types.voidptr if name in counted else fields.get_type(name))
                                          for name in fields._fields])


@lower_cast(Borrowed, types.Array)
def _owned_by_nobody(context, builder, old_type, new_type, value):
    """A borrowed array where either kind may be, such as a step that returns a new array or one of its own."""
    old, new = arrayobj.make_array(old_type)(context, builder, value), arrayobj.make_array(new_type)(context, builder)
    for name in ("data", "nitems", "itemsize", "shape", "strides"):
        setattr(new, name, getattr(old, name))
    return new._getvalue()


@intrinsic
def _lend(context, array):
    """The same array, borrowed."""
    lent = array if isinstance(array, Borrowed) else Borrowed(array)

    def codegen(context, builder, signature, args):
        if lent == array:
            return args[0]
        old, new = arrayobj.make_array(array)(context, builder, args[0]), arrayobj.make_array(lent)(context, builder)
        for name in ("data", "nitems", "itemsize", "shape", "strides"):
            setattr(new, name, getattr(old, name))
        return new._getvalue()                              # without an owner: a view of it counts nothing either
    return lent(array), codegen


@intrinsic
def _part(context, array, start, length):
    """array[start:start + length], borrowed."""
    part = Borrowed(types.Array(array.dtype, 1, "C"))

    def codegen(context, builder, signature, args):
        old, new = arrayobj.make_array(array)(context, builder, args[0]), arrayobj.make_array(part)(context, builder)
        new.data = builder.gep(old.data, [args[1]])
        new.nitems, new.itemsize, new.strides = args[2], old.itemsize, old.strides
        new.shape = cgutils.pack_array(builder, [args[2]])
        return new._getvalue()
    return part(array, types.int64, types.int64), codegen


def _each(function: str, stack: types.BaseTuple, rest: str = "") -> Any:
    """Compiled code that applies `function` to every item of a tuple and makes a tuple of the same kind."""
    cls = getattr(stack, "instance_class", None)
    items = ", ".join(f"{function}(stack[{i}]{rest})" for i in range(len(stack)))
    names = {"cls": cls, **{name: globals()[name] for name in ("take", "borrow")}}
    exec(f"def each(stack{rest}): return {'cls' if cls else ''}({items}{'' if cls else ','})", names)
    return names["each"]


@overload(take, jit_options=LEAF)
def _take(stack, j):
    if isinstance(stack, types.Array):
        return (lambda stack, j: stack[j]) if stack.ndim == 1 else (lambda stack, j: _lend(stack[j]))
    if getattr(stack, "instance_class", None) is Ragged and isinstance(stack[0], types.Array):
        return lambda stack, j: _part(stack.flat, stack.starts[j], stack.starts[j + 1] - stack.starts[j])
    return _each("take", stack, ", j")


@overload(borrow, jit_options=LEAF)
def _borrow(stack):
    if isinstance(stack, types.Array):
        return lambda stack: _lend(stack)
    return _each("borrow", stack) if isinstance(stack, types.BaseTuple) else lambda stack: stack


@overload(own, jit_options=LEAF)
def _own(value):
    return (lambda value: value.copy()) if isinstance(value, Borrowed) else lambda value: value


for _kind in (types.NamedTuple, types.NamedUniTuple):
    overload_method(_kind, "_take", jit_options=LEAF)(lambda stack, j: lambda stack, j: take(stack, j))
    overload_method(_kind, "_borrow", jit_options=LEAF)(lambda stack: lambda stack: borrow(stack))
