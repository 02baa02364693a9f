"""Digests of code and values: whether two runs ask the same question. Nothing is pickled, no address counts."""
from __future__ import annotations

import functools
import hashlib
import types
from typing import Any

import numpy as np

from rareevents.kernels.freeze import Frozen, code_bytes, codes, global_names, is_library, plain_function, where


class UnknownContentsError(ValueError):
    """What a callable refers to cannot be told apart from something else."""


PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


def digest(*values: Any) -> str:
    """A digest of numbers, texts, arrays and tuples of them."""
    made = hashlib.sha256()
    for value in values:
        if isinstance(value, (tuple, list)):
            made.update(f"({type(value).__name__} {len(value)} {digest(*value)})".encode())
        elif isinstance(value, np.ndarray):
            made.update(f"{value.dtype.str} {value.shape} ".encode() + np.ascontiguousarray(value).tobytes())
        else:
            made.update(f"{type(value).__name__} {value!r} ".encode())
    return made.hexdigest()[:24]


def of_compiled(function: types.FunctionType) -> str:
    """A digest of a plain function that can be compiled, and of all that it refers to."""
    return Frozen(function, build=False).digest.hex()


def of_callable(call: Any) -> str:
    """A digest of any Python callable: its code, defaults, closure, and what it reads of its module, recursively.

    Raises UnknownContentsError where something in it has none that are known, such as an open connection.
    """
    return digest(_contents(call, call, ()))


def _contents(value: Any, call: Any, above: tuple[int, ...]) -> Any:
    """A value as tuples of plain ones."""
    value = plain_function(value)
    if isinstance(value, PLAIN) or isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value
    if id(value) in above:
        return "seen above"
    above = (*above, id(value))

    def inside(part: Any) -> Any:
        return _contents(part, call, above)
    if isinstance(value, (types.ModuleType, types.BuiltinFunctionType, np.ufunc)):
        return getattr(value, "__module__", ""), value.__name__
    if isinstance(value, types.FunctionType) and is_library(value.__module__):
        return value.__module__, value.__qualname__
    if isinstance(value, types.FunctionType):
        names = {name for code in codes(value.__code__) for name in code.co_names}

        def followed(part: Any) -> Any:
            """Of a user's module what the function reads of it."""
            if not isinstance(part, types.ModuleType) or is_library(part.__name__):
                return part
            return {name: getattr(part, name) for name in sorted(names) if hasattr(part, name)}
        read = {name: followed(value.__globals__[name]) for name in global_names(value.__code__)
                if name in value.__globals__}
        closed = [followed(cell.cell_contents) for cell in value.__closure__ or ()]
        return ("function", code_bytes(value.__code__), inside(value.__defaults__), inside(value.__kwdefaults__),
                inside(closed), inside(read))
    if isinstance(value, types.MethodType):
        return "method", inside(value.__func__), inside(value.__self__)
    if isinstance(value, functools.partial):
        return "partial", inside(value.func), inside(value.args), inside(value.keywords)
    if isinstance(value, type):
        return value.__module__, value.__qualname__
    if isinstance(value, (tuple, list)):
        return type(value).__name__, *map(inside, value)
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, *sorted(map(repr, map(inside, value)))
    if isinstance(value, dict):
        return "dict", *((inside(key), inside(part)) for key, part in value.items())
    called = vars(type(value)).get("__call__")
    if hasattr(value, "__dict__") and (value is not call or called is not None):
        return inside(type(value)), inside(called), inside(vars(value))
    name = where(call) if isinstance(call, types.FunctionType) else repr(call)
    raise UnknownContentsError(f"checkpoint cannot be kept for {name}: it refers to {value!r}, whose contents are not "
                               f"known, so whether a later run asks the same cannot be told")
