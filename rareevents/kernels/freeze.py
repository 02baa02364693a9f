"""Snapshots of plain functions: a copy with everything it refers to, and a digest of exactly what was copied.

Helpers, globals, closure values and what is read of other user modules are copied recursively, so a compiled kernel
never sees a later change, and the digest changes when any of it does. It is made of bytecode and values, not of source:
there is none in a notebook, a REPL or `python -c`, and a comment must not recompile.

Functions that run in a loop without a branch per draw get `math.exp`, `math.log` and `math.log1p` in the form of
`bits`, which halves their time: the C library's cannot be vectorised. Samplers keep those, which are faster one by one.
"""
from __future__ import annotations

import builtins
import dis
import hashlib
import itertools
import math
import random
import sys
import sysconfig
import types
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from rareevents.kernels import bits
from rareevents.kernels.bits import LEAF

PACKAGE = Path(__file__).parent.parent
LEAVES = ("rareevents.kernels.bits", "rareevents.kernels.records", "rareevents.kernels.streams",
          "rareevents.kernels.special",
          "rareevents.kernels.sums")                  # compiled already; their sources are part of every digest
STANDARD = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
VECTORISED = types.ModuleType("math")                # `math` with three functions that loops can vectorise
VECTORISED.__dict__.update({**vars(math), "exp": bits.exp, "log": bits.log, "log1p": bits.log1p})
INNER = dict(LEAF, no_cpython_wrapper=True)          # only kernels call a snapshot
_shared: dict[Any, Dispatcher] = {}
LIBRARIES = (frozenset(sys.stdlib_module_names) - {"__main__"}) | {"numpy", "scipy", "numba", "llvmlite"}


class Frozen:
    """A snapshot: compiled on demand in `function`, identified by `digest`, the user's parts of it in `users`.

    vectorised: whether it runs in loops that can be vectorised, and gets the functions for that.
    """

    function: Any
    digest: bytes

    def __init__(self, function: types.FunctionType, build: bool = True, vectorised: bool = False) -> None:
        self.users: list[types.FunctionType] = []
        self._memo: dict[types.FunctionType, tuple[Any, bytes] | None] = {}
        self._build, self._vectorised = build, vectorised
        self.function, self.digest = self._freeze(function)

    def _freeze(self, f: types.FunctionType) -> tuple[Any, bytes]:
        if f in self._memo:
            done = self._memo[f]
            if done is None:
                raise TypeError(f"{where(f)} calls itself: recursion cannot be compiled; write a loop")
            return done
        self._memo[f] = None
        if not ours(f.__code__.co_filename) and not (f.__module__ or "").startswith("rareevents."):
            self.users.append(f)
        _refuse_global_randomness(f)
        digest = hashlib.sha256(f.__name__.encode())
        digest.update(code_bytes(f.__code__))
        for value in f.__defaults__ or ():
            self._value(value, digest, f, "a default argument")
        names = {"__name__": __name__, "__builtins__": builtins}
        for name in global_names(f.__code__):
            if name in f.__globals__:
                digest.update(repr(name).encode())
                names[name] = self._value(f.__globals__[name], digest, f, name)
        cells = []
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            digest.update(repr(name).encode())
            cells.append(types.CellType(self._value(cell.cell_contents, digest, f, name)))
        copy = types.FunctionType(f.__code__, names, f.__name__, f.__defaults__, tuple(cells) or None)
        copy.__module__ = __name__                          # a load from the cache imports it, never the user's
        copy.__qualname__ = f"{f.__name__}_{digest.hexdigest()[:16]}"     # two kernels never share a symbol
        self._memo[f] = self._built(copy, digest.digest()), digest.digest()
        return self._memo[f]

    def _built(self, copy: types.FunctionType, digest: bytes) -> Any:
        """The copy, to be compiled; of equal copies the first one, so that kernels share what is compiled of it."""
        if not self._build:
            return copy
        key = digest, copy.__code__, copy.__code__.co_filename       # the code knows its lines: errors name them
        return _shared.setdefault(key, njit(**INNER)(copy))

    def _value(self, value: Any, digest: Any, f: types.FunctionType, name: str) -> Any:
        """The copy of one value that `f` refers to as `name`; what was copied is added to the digest."""
        if type(value).__name__ == "_Intrinsic":
            digest.update(repr(value).encode())
            return value
        if getattr(plain_function(value), "__module__", None) in LEAVES:
            digest.update(repr(plain_function(value).__qualname__).encode())
            return value
        value = plain_function(value)
        if self._vectorised and any(value is name for name in (math, math.exp, math.log, math.log1p)):
            digest.update(f"vectorised {value.__name__}".encode())
            return VECTORISED if value is math else getattr(bits, value.__name__)
        if isinstance(value, types.FunctionType):
            if is_library(value.__module__):
                digest.update(repr((value.__module__, value.__qualname__)).encode())
                return value
            frozen, inner = self._freeze(value)
            digest.update(inner)
            return frozen
        if isinstance(value, types.ModuleType):
            digest.update(repr(value.__name__).encode())
            if is_library(value.__name__):
                return value
            proxy = types.ModuleType(value.__name__)                   # only what this function reads of it
            for attribute in sorted({n for c in codes(f.__code__) for n in c.co_names if hasattr(value, n)}):
                digest.update(repr(attribute).encode())
                setattr(proxy, attribute, self._value(getattr(value, attribute), digest, f, f"{name}.{attribute}"))
            return proxy
        if isinstance(value, np.ndarray):
            digest.update(repr((value.dtype.str, value.shape)).encode() + value.tobytes())
            return value.copy()
        if isinstance(value, (bool, int, float, complex, str, bytes, type(None), np.generic)):
            digest.update(repr((type(value).__name__, value)).encode())
            return value
        if isinstance(value, tuple):
            names = getattr(value, "_fields", ())
            digest.update(repr((type(value).__qualname__, len(value), names)).encode())
            items = [self._value(item, digest, f, name) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if callable(value) and is_library(getattr(value, "__module__", None) or type(value).__module__):
            digest.update(repr((getattr(value, "__module__", ""), getattr(value, "__name__", repr(value)))).encode())
            return value
        raise TypeError(
            f"{where(f)} uses {name!r}, a {type(value).__name__}: compiled functions may use numbers, strings, tuples, "
            f"arrays, modules and plain functions. Use one of these, a field if it is a law's, or rare.black_box")


def where(f: types.FunctionType) -> str:
    """Name, file and line of a function, for messages."""
    return f"{f.__name__} ({f.__code__.co_filename}, line {f.__code__.co_firstlineno})"


def lines_of(f: types.FunctionType) -> tuple[int, int]:
    """The first and the last line of a function's code."""
    lines = [line for code in codes(f.__code__) for *_, line in code.co_lines() if line]
    return min(lines), max(lines)


def plain_function(value: Any) -> Any:
    """The Python function of a compiled one; anything else as it is."""
    return value.py_func if isinstance(value, Dispatcher) else value


def is_library(module: str | None) -> bool:
    """Whether a module is one of those that do not change; a user's code.py or queue.py only has the name of one."""
    top = (module or "").partition(".")[0]
    if top not in LIBRARIES:
        return False
    file = getattr(sys.modules.get(top), "__file__", None)
    return file is None or top not in sys.stdlib_module_names or _standard(file)


# What depends on code objects and paths alone is found once: every call of `fuse` asks for it.
@lru_cache(maxsize=256)
def _standard(file: str) -> bool:
    return not STANDARD.isdisjoint(Path(file).resolve().parents)


@lru_cache(maxsize=4096)
def ours(file: str) -> bool:
    """Whether a file is one of this package."""
    return PACKAGE in Path(file).parents


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code and those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


@lru_cache(maxsize=4096)
def code_bytes(code: types.CodeType) -> bytes:
    """A digest of all that the code says, but for files and lines."""
    digest = hashlib.sha256(repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
                                  code.co_argcount, code.co_kwonlyargcount, code.co_flags, code.co_exceptiontable)
                                 ).encode())
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            digest.update(code_bytes(constant))
        else:
            value = sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant
            digest.update(repr((type(constant).__name__, value)).encode())
    return digest.digest()


@lru_cache(maxsize=4096)
def global_names(code: types.CodeType) -> tuple[str, ...]:
    """What the code reads of its module."""
    return tuple(sorted({i.argval for c in codes(code) for i in dis.get_instructions(c)
                         if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}))


@lru_cache(maxsize=4096)
def _reads(code: types.CodeType) -> tuple[tuple[bool, str, tuple[str, ...]], ...]:
    """(whether from a closure, name, attributes read of it one after the other) of every name that is loaded."""
    found = []
    for each in codes(code):
        steps = list(dis.get_instructions(each))
        for i, first in enumerate(steps):
            if first.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
                rest = itertools.takewhile(lambda step: step.opname in ("LOAD_ATTR", "LOAD_METHOD"), steps[i + 1:])
                found.append((first.opname == "LOAD_DEREF", first.argval, tuple(step.argval for step in rest)))
    return tuple(found)


def _refuse_global_randomness(f: types.FunctionType) -> None:
    """Numba would compile these with a hidden global state, and no result could be repeated."""
    cells = {name: cell.cell_contents for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)}
    for closed, name, attributes in _reads(f.__code__):
        value = (cells if closed else f.__globals__).get(name)
        for attribute in attributes:                                 # m.np.random: through modules to what is read
            if not isinstance(value, types.ModuleType) or value in (random, np.random):
                break
            name, value = f"{name}.{attribute}", getattr(value, attribute, None)
        if value is random or value is np.random \
                or str(getattr(value, "__module__", "")).startswith(("numpy.random", "random")) \
                or isinstance(getattr(value, "__self__", None), (random.Random, np.random.RandomState)):
            raise TypeError(f"{where(f)} uses {name}: take randomness from rng only, or results cannot be repeated")
