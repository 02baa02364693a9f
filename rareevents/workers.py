"""What runs on a worker: chunks of one run, wherever that is. Everything it needs comes with the task."""
from __future__ import annotations

import hashlib
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cloudpickle

PACKAGE = Path(__file__).parent
KEPT = 8                      # functions that a worker remembers: a run of adaptive stages asks for one after another
_remembered: OrderedDict[str, Any] = OrderedDict()


class OtherVersionError(RuntimeError):
    """A worker has another version of something than the process that asks it."""


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """What must be the same for the same bits."""
    import numba
    import numpy as np
    files = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(PACKAGE.rglob("*.py"))))
    return {"rareevents": f"{version('rareevents')} ({files.hexdigest()[:8]})", "numba": numba.__version__,
            "numpy": np.__version__, "Python": ".".join(map(str, sys.version_info[:2]))}


def packed(call: Any) -> bytes:
    """A function with all that it refers to, also of `__main__`, for another process.

    Raises TypeError if it cannot be sent.
    """
    try:
        return cloudpickle.dumps(call)
    except Exception as error:
        raise TypeError(f"executor must run in this process for {call!r}, which cannot be sent to another: "
                        f"{type(error).__name__}: {error}") from None


def work(call: Callable[..., Any] | bytes, asked: dict[str, str],
         items: Sequence[tuple[Any, ...]]) -> tuple[list[Any], Any, float]:
    """(the results of call(*item) one after another, what the next one raised or None, seconds)."""
    begin = time.perf_counter()
    if isinstance(call, bytes):
        mine = versions()
        if mine != asked:
            raise OtherVersionError("a worker has other versions: " + ", ".join(
                f"{name} {mine[name]} there, {asked[name]} here" for name in asked if mine[name] != asked[name]))
        call = _unpacked(call)
    found: list[Any] = []
    for item in items:
        try:
            found.append(call(*item))                                                        # type: ignore[operator]
        except Exception as error:
            return found, error, time.perf_counter() - begin
    return found, None, time.perf_counter() - begin


def _unpacked(data: bytes) -> Any:
    name = hashlib.sha256(data).hexdigest()
    if name not in _remembered:
        try:
            _remembered[name] = cloudpickle.loads(data)
        except ImportError as error:
            raise ImportError(f"a worker cannot import what the run needs ({error}): a module beside a script must be "
                              f"on every worker's path") from None
        while len(_remembered) > KEPT:
            _remembered.popitem(last=False)
    return _remembered[name]
