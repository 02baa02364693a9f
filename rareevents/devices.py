"""Chunks on a GPU: many in one launch, a thread for each, with the streams and the statistics that they have on a CPU.

The host keeps the ledger: it takes the moments of chunks in the order of their ids. The smallest chunks run on the CPU
too, where what goes wrong is explained, and what the device makes of these must be the same.
"""
from __future__ import annotations

import importlib.util
import inspect
import math
from typing import Any

import numba
import numpy as np

from rareevents.integrands import BlackBox
from rareevents.kernels import sums
from rareevents.kernels.fuse import CompileError
from rareevents.moments import Moments
from rareevents.tasks import ExecutorError, current

MOST = 1 << 15                # chunks of one launch: as many threads run at a time on a large device,
SHARE = 0.4                   # or as many as this share of its free memory holds
THREADS = 64                  # of a block
COMPARED = 1 << 13            # draws of the largest chunk that runs on both; of chunks 0, 1, 2, 4, 8, ...
CLOSE = 1e-9                  # how far sums may be apart there, in sums of |y|: logarithms may differ in the last digit


class DeviceError(ExecutorError):
    """The device gave up, or computes something else than the CPU; the message names the chunks.

    `estimate` is what the chunks before them gave, or None.
    """


def require_device(device: Any, f: Any) -> None:
    """Raise unless this is 'cpu', or 'cuda' where there is a device that can run f."""
    if not isinstance(device, str):
        raise TypeError(f"device must be 'cpu' or 'cuda', got {device!r}")
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'cpu' or 'cuda', got {device!r}")
    if device == "cpu":
        return
    if isinstance(f, BlackBox):
        raise ValueError(f"device must be 'cpu' for a black box, which is not compiled, got 'cuda' for {f!r}")
    if current.get() is not None:
        raise ValueError("device must be 'cpu' where an executor computes the chunks, got 'cuda'")
    reason = missing()
    if reason is not None:
        raise ValueError(f"device must be 'cpu' where no GPU can be used, got 'cuda': {reason}")


def missing() -> str | None:
    """Why no GPU can be used; None where one can, or where CUDA's simulator takes its place."""
    if numba.config.ENABLE_CUDASIM:                                                         # type: ignore[attr-defined]
        return None
    if importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed (pip install 'rareevents[cuda]')"
    from numba import cuda
    try:
        cuda.current_context()
    except Exception as error:
        lines = [line.strip(" .") for line in str(error).splitlines() if line.strip(" .:")]
        return lines[1 if lines[0].endswith(":") and len(lines) > 1 else 0] if lines else type(error).__name__
    return None


class Launcher:
    """The chunks of a sampler on the device; `room` is how many go in one launch.

    Raises
    ------
    CompileError
        If its laws or its integrand cannot be compiled for a GPU.
    """

    def __init__(self, sampler: Any) -> None:
        from rareevents.kernels import device
        self.sampler: Any = sampler
        self._left = device.LEFT
        kernel, arguments = sampler.call()
        names = list(inspect.signature(kernel.py_func).parameters)[4:]
        self._plan = dict(zip(names, arguments[4:], strict=True))            # of one chunk; what is no array of its own
        for name in names:                                                   # is the same for all, and sent once
            if name not in (*device.WORK, *device.LEFT):
                self._plan[name] = device.sent(self._plan[name])
        self._work = [name for name in names if name in device.WORK]
        self._held: dict[str, Any] = {}                                      # what the chunks of a launch work in
        each = sum(self._plan[name].nbytes for name in names if name in (*device.WORK, *device.LEFT))
        self.room: int = max(THREADS, int(min(MOST, SHARE * device.free_memory() / each)) // THREADS * THREADS)
        try:
            self._kernel = device.launched(kernel, self._arguments([(0, 1)], np.zeros(sampler.quantities)))
        except CompileError as error:
            raise CompileError(f"device must be 'cpu' for what a GPU cannot run, got 'cuda': {error}") from error

    def __call__(self, chunks: list[tuple[int, int]], floor: np.ndarray) -> list[Moments]:
        """The moments of every (id, draws), in their order; of the largest terms only those above `floor` are kept."""
        try:
            arguments = self._arguments(chunks, floor)
            self._kernel[math.ceil(len(chunks) / THREADS), THREADS](*arguments)
            marks = arguments[4].copy_to_host()
            left = {name: array.copy_to_host() for name, array in zip(self._plan, arguments[6:], strict=True)
                    if name in self._left}
        except Exception as error:
            raise DeviceError(f"the device gave up ({type(error).__name__}: {error}): chunks {chunks[0][0]} to "
                              f"{chunks[-1][0]} are lost; what came before is kept, and a checkpoint goes on from "
                              f"there with device='cpu'") from error
        *statistics, status = (left[name] for name in self._left)
        ended = (marks != 0) & (status[:, 0] == sums.OK)
        return [self._checked(chunk, floor, Moments(n, *made, mark), well)                   # type: ignore[call-arg]
                for (chunk, n), mark, well, *made in
                zip(chunks, marks.tolist(), ended.tolist(), *statistics, strict=True)]

    def release(self) -> None:
        """Give back the memory in which chunks work; the next launch takes it again."""
        self._held = {}

    def _arguments(self, chunks: list[tuple[int, int]], floor: np.ndarray) -> tuple:
        """What the launched kernel is called with."""
        from numba import cuda
        count, given = len(chunks), dict(self._plan)
        for name in self._left:
            given[name] = cuda.device_array((count, *given[name].shape), given[name].dtype)
        if self._work and (not self._held or self._held[self._work[0]].shape[given[self._work[0]].ndim] < count):
            self.release()                                                   # before there is more of it
            self._held = {name: cuda.device_array((*given[name].shape, count), given[name].dtype)
                          for name in self._work}
        given |= self._held
        return (self.sampler.seed, self.sampler.stage, cuda.to_device(np.array([c for c, _ in chunks], np.uint64)),
                cuda.to_device(np.array([n for _, n in chunks], np.int64)), cuda.to_device(np.zeros(count, np.uint64)),
                cuda.to_device(np.ascontiguousarray(floor, np.float64)), *given.values())

    def _checked(self, chunk: int, floor: np.ndarray, found: Moments, ended: bool) -> Moments:
        """The moments of a chunk that ended as it should and, where the CPU runs it too, as it does there."""
        if ended and (found.draws > COMPARED or chunk & (chunk - 1)):
            return found
        known = self.sampler.chunk(chunk, found.draws, floor)                # it says whose function fails, and where
        if not ended:
            raise DeviceError(f"chunk {chunk} does not end on the device, and does on the CPU: use device='cpu'")
        apart = np.abs((found.terms - known.terms)[:, :2].sum(axis=1)) / np.maximum(known.terms[:, 5], 5e-324)
        if found.mark != known.mark or np.any(found.counts != known.counts) or not np.all(apart <= CLOSE):
            raise DeviceError(f"chunk {chunk} has {found.counts[:, 0]} hits and the sums {found.terms[:, 0]} on the "
                              f"device, {known.counts[:, 0]} and {known.terms[:, 0]} on the CPU: use device='cpu'")
        return found
