"""Chunks -> threads -> merge in the order of their ids. The one place that knows threads, schedules and stopping.

A chunk is addressed by its id alone: its size comes from a fixed schedule and its random stream from (seed, stage, id).
Chunks are merged in id order and the stopping rule looks only at that prefix, so the result has the same bits for any
number of threads; what threads computed beyond the stop is dropped.
"""
from __future__ import annotations

import itertools
import math
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from rareevents.checks import FEWEST_HITS, LARGEST_VOV
from rareevents.moments import Moments, Terms
from rareevents.tasks import current, in_order

CHUNK_FIRST = 512             # the schedule starts small, so that 10,000 draws already have 18 chunks for the checks,
CHUNK_LAST = 1 << 18          # and grows until a chunk's 25 microseconds of overhead no longer count
PER_SIZE = 16                 # chunks of one size; then the size grows fourfold,
LATE = 1 << 14                # and from the largest size on after so many: each is at most 1/4,000 of all before it,
MOST = 1 << 32                # and the caller has 340,000 chunks of 10^15 draws to merge, not four billion
GROUPING = 16                 # a group holds at least 1/16 of the draws before it
FEW = 256                     # chunks of a device's first launch where a run may end at any; then twice as many
PATIENCE = 0.2                # seconds that a chunk of compiled code may take in the calling thread; the next may take
                              # four times as many


@dataclass(frozen=True)
class Stop:
    """When a run ends; the first rule that holds is reported. At least one limit is set."""

    samples: int | None = None
    relative_error: float | None = None
    max_samples: int | None = None
    max_seconds: float | None = None

    @property
    def draws(self) -> float:
        """The largest number of draws that the rules allow."""
        return min((n for n in (self.samples, self.max_samples) if n is not None), default=float("inf"))

    def reached(self, draws: int, terms: list[Terms], seconds: float) -> str | None:
        """The name of the rule that holds for the draws so far, or None; terms are needed for a relative error."""
        if self.samples is not None and draws >= self.samples:
            return "samples"
        if self.relative_error is not None and all(settled(t, self.relative_error) for t in terms):
            return "relative_error"
        if self.max_samples is not None and draws >= self.max_samples:
            return "max_samples"
        if self.max_seconds is not None and seconds >= self.max_seconds:
            return "max_seconds"
        return None


def settled(terms: Terms, relative_error: float) -> bool:
    """Whether a sequential run may stop: the error is reached, on enough hits, and the variance itself is known.

    At least 100 hits and 1,000 draws, and a variance of variance of at most 0.02: without these guards a run stops
    where its error is underestimated.
    """
    if terms.hits < FEWEST_HITS or terms.draws < 1000 or terms.relative_error > relative_error:
        return False
    return terms.variance_of_variance <= LARGEST_VOV


def schedule(draws: float, largest: int = CHUNK_LAST, first: int = 0) -> Iterator[tuple[int, int, bool]]:
    """(chunk id, its draws, whether it is of full size) from chunk `first` on, until `draws` are made altogether.

    The last chunk holds what is left.

    >>> list(schedule(1500))
    [(0, 512, True), (1, 512, True), (2, 476, False)]
    >>> list(schedule(1500, first=2))
    [(2, 476, False)]
    """
    chunk, left = 0, draws
    early = PER_SIZE * max(0, math.ceil(math.log2(largest / CHUNK_FIRST) / 2))       # chunks below the largest size
    while left > 0:
        size = CHUNK_FIRST << 2 * (chunk // PER_SIZE) if chunk < early else \
            min(MOST, largest << 2 * min((chunk - early) // LATE, 16))
        if chunk >= first:
            yield chunk, int(min(size, left)), size <= left
        left -= size
        chunk += 1


@dataclass(frozen=True)
class Prefix:
    """What the first chunks of a run left, all of full size: enough to go on as if nothing had stopped it."""

    chunks: int                   # their number; the next chunk has this id
    marks: list[int]              # a mark of each chunk's stream, by id; those of later chunks may follow
    groups: tuple[Moments, ...]   # closed groups of consecutive chunks,
    closed: Moments               # merged,
    group: Moments                # and the chunks after them

    @staticmethod
    def empty(quantities: int) -> Prefix:
        """Before the first chunk."""
        none = Moments.empty(quantities)
        return Prefix(0, [], (), none, none)

    @property
    def draws(self) -> int:
        """How many draws the chunks hold."""
        return self.closed.draws + self.group.draws

    @property
    def total(self) -> Moments:
        """The moments of all of them."""
        return self.closed.merge(self.group)

    def add(self, part: Moments) -> Prefix:
        """With the next chunk; a group is closed as soon as it holds a sixteenth of what came before."""
        group = self.group.merge(part) if self.group.draws else part
        self.marks.append(part.mark)
        if group.draws * GROUPING >= self.closed.draws:
            return Prefix(self.chunks + 1, self.marks, (*self.groups, group), self.closed.merge(group),
                          Moments.empty(group.quantities))
        return Prefix(self.chunks + 1, self.marks, self.groups, self.closed, group)

    def copied(self) -> Prefix:
        """The same with marks of its own, so that it can be continued more than once."""
        return replace(self, marks=self.marks[:self.chunks])


@dataclass(frozen=True)
class Run:
    """What a run leaves: all draws, and the same draws in groups of consecutive chunks."""

    total: Moments
    groups: tuple[Moments, ...]
    stopped_by: str
    seconds: float                # from the first chunk on: without compiling
    prefix: Prefix                # where it can be continued
    repeated: int = 0             # chunks whose stream another chunk had too


class Device(Protocol):
    """What computes many chunks at a time."""

    room: int                     # the most chunks

    def __call__(self, chunks: list[tuple[int, int]], floor: np.ndarray) -> list[Moments]:
        """The moments of every (id, draws), in their order."""
        ...

    def release(self) -> None:
        """Give back the memory in which chunks work: a run has ended."""
        ...


def run(chunk: Callable[[int, int, np.ndarray], Moments], quantities: int, stop: Stop, *, threads: int | None = None,
        largest: int = CHUNK_LAST, report: Callable[[Moments], None] | None = None,
        started: float | None = None, start: Prefix | None = None, keep: Callable[[Prefix], None] | None = None,
        in_caller: bool = False, device: Device | None = None) -> Run:
    """Run chunks until a stopping rule holds.

    Parameters
    ----------
    chunk : function
        chunk(id, n, floor) -> Moments of n draws; called from several threads. Terms up to `floor`, one per quantity,
        are not among the largest of the draws merged already, so the chunk need not keep them.
    quantities : int
        Integrand values per draw.
    stop : Stop
        The stopping rules.
    threads : int, optional
        Default: the processors that this process may use.
    largest : int
        The schedule's largest chunk, in draws.
    report : function, optional
        Called with the merged moments after each chunk, in the calling thread.
    started : float, optional
        time.perf_counter() when the work began; `max_seconds` counts from there.
    start : Prefix, optional
        Chunks that were run before.
    keep : function, optional
        Called with the prefix after each chunk of full size, in the calling thread.
    in_caller : bool
        Whether one thread means the calling one, however long a chunk takes: for what must not change its thread.
    device : Device, optional
        Computes the chunks instead, many at a time.
    """
    begin = time.perf_counter()
    started = begin if started is None else started
    prefix = state = Prefix.empty(quantities) if start is None else start.copied()
    stopped_by = _reached(stop, state, started) if state.draws else None
    plan = schedule(stop.draws, largest, prefix.chunks) if stopped_by is None else iter(())
    executor = current.get()

    def floor() -> np.ndarray:
        return state.closed.largest[:, 0]
    if device is not None:
        parts = _on_device(device, plan, floor, whole=stop.relative_error is None and stop.max_seconds is None)
    elif executor is not None:
        parts = _on_executor(executor, chunk, plan, floor)
    else:
        parts = _in_order(lambda identity, n: chunk(identity, n, floor()), plan, threads or default_threads(),
                          in_caller)
    while stopped_by is None:
        try:
            found = next(parts, None)
        except Exception as error:                        # a user's function failed: keep what came before
            if state.draws:
                error.run = _run(state, prefix, "error", begin)                            # type: ignore[attr-defined]
            raise
        if found is None:
            break
        part, full = found
        state = state.add(part)
        if full:
            prefix = state
            if keep is not None:
                keep(prefix)
        if report is not None:
            report(state.total)
        stopped_by = _reached(stop, state, started)
    parts.close()
    return _run(state, prefix, stopped_by or "samples", begin)


def _reached(stop: Stop, state: Prefix, started: float) -> str | None:
    total = state.total if stop.relative_error is not None else None
    terms = [] if total is None else [total.of(k) for k in range(total.quantities)]
    return stop.reached(state.draws, terms, time.perf_counter() - started)


def _run(state: Prefix, prefix: Prefix, stopped_by: str, begin: float) -> Run:
    """What the chunks left; those of an open group are one more group."""
    groups = (*state.groups, state.group) if state.group.draws else state.groups
    repeated = state.chunks - len(set(state.marks))
    return Run(state.total, groups, stopped_by, time.perf_counter() - begin, prefix, repeated)


def default_threads() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_threads(threads: Any) -> None:
    """Raise unless threads is a number of them, or None."""
    if threads is not None and (not isinstance(threads, (int, np.integer)) or isinstance(threads, bool) or threads < 1):
        raise ValueError(f"threads must be an integer of at least 1, got {threads!r}")


def in_parallel(call: Callable[[int], Any], items: Iterable[int], threads: int | None = None) -> list[Any]:
    """call(item) of every item, in their order; for work that is independent and of one size."""
    executor = current.get()
    if executor is not None:
        return [found for _, found in in_order(executor, call, ((item,) for item in items), "item")]
    if (threads or default_threads()) == 1:
        return [call(item) for item in items]
    with ThreadPoolExecutor(threads or default_threads()) as pool:
        return list(pool.map(call, items))


def _in_order(chunk: Callable[[int, int], Moments], plan: Iterator[tuple[int, int, bool]], threads: int,
              in_caller: bool) -> Generator[tuple[Moments, bool]]:
    """The chunks' moments in id order, and which are of full size; a few are computed ahead by several threads.

    Compiled code does not hear an interrupt: chunks that take long are left to another thread.
    """
    for identity, n, full in plan if threads == 1 else ():
        begin = time.perf_counter()
        part = chunk(identity, n)
        slow = time.perf_counter() - begin > PATIENCE and not in_caller
        yield part, full
        if slow:
            break
    pool = ThreadPoolExecutor(threads)
    ahead: deque = deque()
    try:
        for identity, n, full in plan:
            ahead.append((pool.submit(chunk, identity, n), full))
            if len(ahead) >= (1 if threads == 1 else 2 * threads):
                future, whole = ahead.popleft()
                yield future.result(), whole
        while ahead:
            future, whole = ahead.popleft()
            yield future.result(), whole
    finally:
        pool.shutdown(wait=False, cancel_futures=True)    # what is being computed is not needed: nobody waits for it


def _on_executor(executor: Any, chunk: Callable[[int, int, np.ndarray], Moments],
                 plan: Iterator[tuple[int, int, bool]],
                 floor: Callable[[], np.ndarray]) -> Generator[tuple[Moments, bool]]:
    """The same from an executor's workers, which may be in other processes or on other machines."""
    whole: deque[bool] = deque()

    def items() -> Iterator[tuple[int, int, np.ndarray]]:
        for identity, n, full in plan:
            whole.append(full)
            yield identity, n, floor()
    for _, part in in_order(executor, chunk, items(), "chunk", size=lambda item: item[1]):
        yield part, whole.popleft()


def _on_device(device: Device, plan: Iterator[tuple[int, int, bool]], floor: Callable[[], np.ndarray],
               whole: bool) -> Generator[tuple[Moments, bool]]:
    """The same from a device. Where the whole plan is needed, it computes a launch while the last one is merged."""
    pool, ahead = ThreadPoolExecutor(1), deque[tuple[Future, list[bool]]]()
    count = device.room if whole else FEW
    try:
        while taken := list(itertools.islice(plan, min(count, device.room))):
            ahead.append((pool.submit(device, [(identity, n) for identity, n, _ in taken], floor().copy()),
                          [all_of_it for *_, all_of_it in taken]))
            count *= 2
            if len(ahead) > (1 if whole else 0):
                future, full = ahead.popleft()
                yield from zip(future.result(), full, strict=True)
        for future, full in ahead:
            yield from zip(future.result(), full, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
        device.release()
