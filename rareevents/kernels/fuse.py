"""From a template and plain functions to one compiled kernel that the disk cache keeps and that is never stale.

`fuse` gives a template snapshots of the functions as its globals. The template's *name* carries the digest of the
snapshots, the argument types and the versions, so each kernel has its own pair of files in Numba's cache: the next
process finds it, any change misses it, and two processes never write to one index.
"""
from __future__ import annotations

import collections
import hashlib
import logging
import re
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import njit
from numba.core import errors

from rareevents.kernels.freeze import Frozen, lines_of, where

log: logging.Logger = logging.getLogger("rareevents")
HERE = Path(__file__).parent
KEPT_ON_DISK = 400
VECTORISED = ("weigh", "log_density")            # the roles whose loops have no branch per draw
COMPILED: collections.Counter[str] = collections.Counter()       # compiled, loaded, uncached: tests count these

_kernels: dict[str, Callable[..., Any]] = {}
_lock = threading.Lock()
_versions = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")))
    + repr((sys.version_info, numba.__version__, llvmlite.__version__, np.__version__,
            numba.config.BOUNDSCHECK)).encode()).digest()


class CompileError(TypeError):
    """A user's function cannot be compiled; the message names the function, its file, its line and the reason."""


def fuse(template: types.FunctionType, roles: dict[str, types.FunctionType],
         arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """The kernel of `template` with its globals named in `roles` replaced by plain functions.

    `arguments` are examples: only their types count. The same functions, types and versions give the same kernel.
    """
    with _lock:
        signature = ", ".join(str(numba.typeof(a)) for a in arguments)
        digest = hashlib.sha256(_versions + signature.encode())
        for name, f in roles.items():
            digest.update(name.encode() + b"=" + Frozen(f, build=False, vectorised=name in VECTORISED).digest)
        name = f"{template.__name__}_{digest.hexdigest()[:24]}"
        if name not in _kernels:
            frozen = {role: Frozen(f, vectorised=role in VECTORISED) for role, f in roles.items()}
            code = template.__code__.replace(co_name=name, co_qualname=name)
            names = {**template.__globals__, **{role: f.function for role, f in frozen.items()}}
            kernel = types.FunctionType(code, names, name)
            kernel.__qualname__ = name
            _kernels[name] = _compile(kernel, frozen, arguments)
        return _kernels[name]


def _compile(template: types.FunctionType, frozen: dict[str, Frozen], arguments: tuple[Any, ...]) -> Callable[..., Any]:
    signature = tuple(map(numba.typeof, arguments))
    for cache in (True, False):
        folder = None
        try:
            kernel = njit(cache=cache, nogil=True, error_model="numpy", no_cfunc_wrapper=True)(template)
            folder = kernel.stats.cache_path
            kernel.compile(signature)
        except (errors.NumbaError, errors.UnsupportedBytecodeError) as error:
            raise CompileError(explain(error, [f for snapshot in frozen.values() for f in snapshot.users])) from None
        except Exception as error:                    # no cache folder, full disk, damaged file
            if not cache:
                raise
            log.warning("the kernel cache cannot be used (%s: %s): compiling without it", type(error).__name__, error)
            for path in Path(folder).glob(f"*{template.__name__}*.nb[ic]") if folder else ():
                path.unlink(missing_ok=True)
            continue
        loaded = sum(kernel.stats.cache_hits.values())
        COMPILED["loaded" if loaded else "compiled" if cache else "uncached"] += 1
        if cache and not loaded:
            _prune(kernel.stats.cache_path)
        return kernel
    raise AssertionError("unreachable: the uncached attempt returns or raises")


def _prune(folder: str) -> None:
    """Keep the newest kernels on disk. Safe while others read: they compile again."""
    def age(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0
    files = sorted(Path(folder).glob("*.nb[ic]"), key=age)
    for path in files[:max(0, len(files) - 2 * KEPT_ON_DISK)]:
        path.unlink(missing_ok=True)


# --------------------------------------------------------------------- Numba's page of text in one sentence
REASON = re.compile(r"No implementation|Unknown attribute|[Cc]annot unify|can't unify|not defined|Untyped global|"
                    r"[Cc]annot determine|No conversion|[Uu]nsupported|Invalid use|missing a required|too many "
                    r"positional|Use of|not supported")


def explain(error: Exception, users: list[types.FunctionType]) -> str:
    """Which of the user's functions cannot be compiled, at which line, and why."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    places = [(file, int(line)) for file, line in re.findall(r'File "([^"]+)", line (\d+)', text)
              + re.findall(r"at (\S.*?) \((\d+)\)", text)]
    guilty = None
    for file, line in places:                         # the last place that lies inside one of the user's functions
        for f in users:
            first, last = lines_of(f)
            if Path(f.__code__.co_filename).name == Path(file).name and first <= line <= last:
                guilty = f"{f.__name__} ({f.__code__.co_filename}, line {line})"
    reasons = [line.strip(" -*>") for line in text.splitlines() if REASON.search(line)]
    calls = [line.strip() for line in text.splitlines() if ">>>" in line]
    why = (reasons or [text.strip().splitlines()[0]])[-1].rstrip(": ") + (f" {calls[-1][4:]}" if calls else "")
    return f"cannot compile {guilty or ', '.join(map(where, users)) or 'the kernel'}: {why}"
