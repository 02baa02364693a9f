"""The kernels of `fuse` on a GPU: a thread is a chunk, and runs the same template with the same roles as a CPU.

numba-cuda compiles the functions of which the CPU's kernel is made; only reductions are written anew (`single`), and
records need not borrow their arrays: nothing counts references there. What chunks work in lies with the thread last, so
that neighbours read neighbouring words; what they leave lies with the thread first.

Nothing imports this file unless a device is asked for: it loads CUDA, or CUDA's simulator.
"""
from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba import cuda, njit, types

from rareevents.kernels import single, sums
from rareevents.kernels.bits import LEAF
from rareevents.kernels.freeze import ours
from rareevents.kernels.fuse import CompileError, explain
from rareevents.kernels.records import Ragged, take

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
WORK = ("x", "w", "v", "y", "tally", "copies", "node", "alive", "which", "logs")
LEFT = ("counts", "terms", "weights", "largest", "status")

_launched: dict[str, Any] = {}


def launched(kernel: Any, arguments: tuple[Any, ...]) -> Any:
    """The form for a device of a kernel of `fuse`, compiled for arguments like these: call kernel[blocks, threads].

    They are seed, stage, the chunks' ids and draws, a place for their marks, and the floor of each quantity; then those
    of the template from the fifth on, where each of WORK has one axis more at its end, and each of LEFT at its start.

    Raises
    ------
    CompileError
        If something in the kernel cannot be compiled for a device.
    """
    name = kernel.py_func.__name__
    if name not in _launched:
        if SIMULATED:
            from rareevents.kernels.simulated import simulated
            _launched[name] = cuda.jit(_many(kernel.py_func, simulated(kernel.py_func, single), clear.py_func))
        else:
            many = cuda.jit(many_of(kernel), lto=False)     # linked later, it would not keep `rounding_each`
            try:
                with rounding_each():
                    many.compile(tuple(map(many.typeof_pyval, arguments)))
            except Exception as error:                      # numba-cuda raises what comes
                raise CompileError(explained(error, kernel)) from error
            _launched[name] = many
    return _launched[name]


def many_of(kernel: Any) -> FunctionType:
    """The plain function to compile for a device from a kernel of `fuse`."""
    template = kernel.py_func
    one = njit(**LEAF)(FunctionType(template.__code__, {**template.__globals__, **_sums()}, template.__name__))
    return _many(template, one, clear)


def _many(template: FunctionType, one: Callable, clear: Callable) -> FunctionType:
    """A function whose thread t runs chunk chunks[t] of a template, compiled in `one`."""
    names = list(inspect.signature(template).parameters)[4:]
    own = [f"{name}[..., t]" if name in WORK else f"{name}[t]" if name in LEFT else name for name in names]
    text = (f"def many(seed, stage, chunks, sizes, marks, floor, {', '.join(names)}):\n"
            f"    t = cuda.grid(1)\n"
            f"    if t < chunks.size:\n"
            f"        clear(floor, {', '.join(f'{name}[t]' for name in LEFT)})\n"
            f"        marks[t] = one(seed, stage, chunks[t], sizes[t], {', '.join(own)})\n")
    return _written(text, {"cuda": cuda, "one": one, "clear": clear}, "many", f"<{template.__name__} on a device>")


def _written(text: str, names: dict[str, Any], name: str, file: str) -> Any:
    """A function made of its text: Python has no other way to write one for arguments or tuples of any number."""
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)             # the compiler reads its lines
    made = {**names, "__name__": __name__}
    exec(compile(text, file, "exec"), made)
    return made[name]


@njit(**LEAF)
def clear(floor: np.ndarray, counts: np.ndarray, terms: np.ndarray, weights: np.ndarray, largest: np.ndarray,
          status: np.ndarray) -> None:
    """Before the first draw: nothing is counted, and the heap of the largest terms holds floors."""
    for k in range(len(floor)):
        for j in range(counts.shape[1]):
            counts[k, j] = 0
        for j in range(terms.shape[1]):
            terms[k, j] = 0.0
        for j in range(largest.shape[1]):
            largest[k, j] = floor[k]
    for j in range(len(weights)):
        weights[j] = 0.0
    for j in range(len(status)):
        status[j] = 0


def _sums() -> dict[str, Any]:
    """`settle` and `settle_copies` with reductions that use no vectors."""
    def made(name: str, **others: Any) -> Any:
        f = getattr(sums, name).py_func
        return njit(**LEAF)(FunctionType(f.__code__, {**f.__globals__, "lanes": single, **others}, name))
    parts = {name: made(name) for name in ("block_terms", "to_weights")}
    return {name: made(name, **parts) for name in ("settle", "settle_copies")}


@contextmanager
def rounding_each() -> Iterator[None]:
    """Products and sums compiled within are rounded each, as on the CPU, and not together; numba-cuda has no option."""
    from numba.cuda.cudadrv import nvvm
    compile_ir = nvvm.compile_ir
    nvvm.compile_ir = lambda text, **options: compile_ir(text, **{**options, "fma": False})
    try:
        yield
    finally:
        nvvm.compile_ir = compile_ir


# ------------------------------------------------------------------------------------------------ memory
def sent(value: Any) -> Any:
    """A record with its arrays on the device; CUDA's simulator reads those of the host."""
    if isinstance(value, tuple):
        items = list(map(sent, value))
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return cuda.to_device(value) if isinstance(value, np.ndarray) and not SIMULATED else value


def free_memory() -> float:
    """Of the device, in bytes."""
    return cuda.current_context().get_memory_info()[0]


# ------------------------------------------------------------------------------------------------ what went wrong
def explained(error: Exception, kernel: Any) -> str:
    """Which of the user's functions in a kernel cannot be compiled for a device, and why."""
    if isinstance(error, KeyError):                         # of a function of NumPy
        error = TypeError(f"{error.args[0]} is not supported on a GPU: the functions of math are")
    return explain(error, [f.py_func for f in _parts(kernel, set()) if not ours(f.py_func.__code__.co_filename)])


def _parts(part: Any, seen: set[int]) -> Iterator[Any]:
    """The compiled functions of a kernel, itself first."""
    if isinstance(part, ModuleType) and part.__spec__ is None:              # what a snapshot reads of a user's module
        for value in vars(part).values():
            yield from _parts(value, seen)
    if not hasattr(part, "py_func") or id(part) in seen:
        return
    seen.add(id(part))
    yield part
    f = part.py_func
    for value in (*f.__globals__.values(), *(cell.cell_contents for cell in f.__closure__ or ())):
        yield from _parts(value, seen)


# ------------------------------------------------------------------------------------------------ records
def taken(stack: Any, j: int) -> Any:
    """Value j of a stack of records: `records.take`, of which compiled code for a device has its own form."""
    return take(stack, j)


def _taken(stack, j):
    """Compiled code that takes value j of every item of a tuple and makes a tuple of the same kind.

    Arrays are taken in one expression: on a device no function returns one.
    """
    cls = getattr(stack, "instance_class", None)
    items = ", ".join(_item(f"stack[{i}]", item) for i, item in enumerate(stack))
    text = f"def each(stack, j): return {'cls' if cls else ''}({items}{'' if cls else ','})"
    return _written(text, {"cls": cls, "taken": taken}, "each", f"<{stack} of a stack on a device>")


def _item(text: str, item: types.Type) -> str:
    """The expression for value j of an item of a tuple."""
    if isinstance(item, types.Array):
        return f"{text}[j]"
    if getattr(item, "instance_class", None) is Ragged and isinstance(item[0], types.Array):
        return f"{text}.flat[{text}.starts[j]:{text}.starts[j + 1]]"
    return f"taken({text}, j)"


if not SIMULATED:
    from numba.cuda.core import config
    from numba.cuda.extending import overload, overload_method
    config.CUDA_LOW_OCCUPANCY_WARNINGS = 0                  # a short run has few threads
    overload(taken)(_taken)
    for _kind in (types.NamedTuple, types.NamedUniTuple):
        overload_method(_kind, "_take")(lambda stack, j: lambda stack, j: taken(stack, j))
        overload_method(_kind, "_borrow")(lambda stack: lambda stack: stack)
