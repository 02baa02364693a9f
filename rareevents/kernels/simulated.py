"""What CUDA's simulator needs: it runs plain Python, so every compiled function of a kernel as what it was made of.

Only arithmetic stays compiled, for the CPU. A stream is an object whose methods are those of the compiled `rng`.
"""
from __future__ import annotations

from collections.abc import Callable
from types import CellType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numba import njit

from rareevents.kernels import bits, freeze, streams, sums
from rareevents.kernels.streams import U, new_rng

HELD = dict(nogil=True, error_model="numpy")
PLAIN = ("block_terms", "to_weights", "underflowed", "settle", "settle_copies")             # of sums


# ------------------------------------------------------------------------------------------------ the stream
def _method(call: Callable[..., Any]) -> Callable[..., Any]:
    """A method of `rng`, compiled, of four words in an array."""
    called = njit(**HELD)(call)

    @njit(**HELD)
    def on_words(words, *given):
        rng = new_rng()
        streams._put(rng, 0, words[0])
        streams._put(rng, 1, words[1])
        streams._put(rng, 2, words[2])
        streams._put(rng, 3, words[3])
        answer = called(rng, *given)
        words[0], words[1] = streams._get(rng, 0), streams._get(rng, 1)
        words[2], words[3] = streams._get(rng, 2), streams._get(rng, 3)
        return answer
    return lambda stream, *given: on_words(stream.words, *given)


class Stream:
    """A stream in plain Python, with the bits of the compiled one."""

    def __init__(self) -> None:
        self.words: np.ndarray = np.zeros(4, U)
        self.bit_generator = self

    address: Callable[..., Any] = _method(lambda rng, seed, stage, chunk: streams.address(rng, seed, stage, chunk))
    random_raw: Callable[..., Any] = _method(lambda rng: streams.xoshiro(rng))
    random: Callable[..., Any] = _method(lambda rng: rng.random())
    standard_normal: Callable[..., Any] = _method(lambda rng: rng.standard_normal())
    standard_exponential: Callable[..., Any] = _method(lambda rng: rng.standard_exponential())
    standard_gamma: Callable[..., Any] = _method(lambda rng, shape: rng.standard_gamma(shape))
    integers: Callable[..., Any] = _method(lambda rng, n: rng.integers(n))
    poisson: Callable[..., Any] = _method(lambda rng, rate: rng.poisson(rate))


# ------------------------------------------------------------------------------------------------ the functions
INTRINSICS: dict[Any, Any] = {bits.as_float: njit(**HELD)(lambda word: bits.as_float(word)),
              bits.as_bits: njit(**HELD)(lambda value: bits.as_bits(value)),
              bits.fma: njit(**HELD)(lambda a, b, c: bits.fma(a, b, c))}


def simulated(template: FunctionType, lanes: ModuleType) -> Callable:
    """A template of a kernel, with its roles, in plain Python; lanes: its reductions.

    Like a thread of a device, one whose function raises ends without a word, and leaves no mark.
    """
    names = {name: _plain(value, {}) for name, value in template.__globals__.items()}
    names |= {"new_rng": Stream, "address": lambda rng, *place: rng.address(*place),
              "xoshiro": lambda rng: U(rng.random_raw()), **_statistics(lanes)}
    chunk = FunctionType(template.__code__, names, template.__name__)

    def one(*arguments: Any) -> Any:
        try:
            with np.errstate(all="ignore"):
                return chunk(*map(_array, arguments))
        except Exception:
            return U(0)
    return one


def _array(value: Any) -> Any:
    """The array inside the simulator's array of a device; anything else as it is."""
    return value if isinstance(value, (tuple, np.generic)) else getattr(getattr(value, "_item", value), "_ary", value)


def _statistics(lanes: ModuleType) -> dict[str, Any]:
    """`settle` and `settle_copies` in plain Python: compiling them for the simulator's arrays takes ten seconds."""
    names: dict[str, Any] = {**vars(sums), **vars(lanes), **{f.__name__: call for f, call in INTRINSICS.items()}}
    for name in (*vars(lanes), *PLAIN):
        if hasattr(names[name], "py_func") and names[name] not in INTRINSICS.values():
            names[name] = FunctionType(names[name].py_func.__code__, names, name)
    names["lanes"] = SimpleNamespace(**names)
    return {name: names[name] for name in ("settle", "settle_copies")}


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """A snapshot of `freeze` in plain Python, with all that it refers to; anything else as it is."""
    if type(value).__name__ == "_Intrinsic":
        return INTRINSICS.get(value, value)
    if isinstance(value, ModuleType) and value.__spec__ is None:            # what a snapshot reads of a user's module
        proxy = ModuleType(value.__name__)
        proxy.__dict__.update({name: _plain(part, done) for name, part in vars(value).items()})
        return proxy
    if getattr(value, "__module__", None) != freeze.__name__ or not hasattr(value, "py_func"):
        return value
    if id(value) not in done:
        f = value.py_func
        names = {name: _plain(part, done) for name, part in f.__globals__.items()}
        cells = tuple(CellType(_plain(cell.cell_contents, done)) for cell in f.__closure__ or ())
        done[id(value)] = FunctionType(f.__code__, names, f.__name__, f.__defaults__, cells or None)
    return done[id(value)]
