"""Chunks -> threads -> merge in the order of their ids. The one place that knows threads, schedules and stopping.

A chunk is addressed by its id alone: its size comes from a fixed schedule and its random stream from (seed, stage, id).
Chunks are merged in id order and the stopping rule looks only at that prefix, so the result has the same bits for any
number of threads; what threads computed beyond the stop is dropped.
"""
from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.checks import FEWEST_HITS, LARGEST_VOV
from rareevents.moments import Moments, Terms

CHUNK_FIRST = 512             # the schedule starts small, so that 10,000 draws already have 18 chunks for the checks,
CHUNK_LAST = 1 << 18          # and grows until a chunk's 25 microseconds of overhead no longer count
PER_SIZE = 16                 # chunks of one size; then the size grows fourfold
GROUPING = 16                 # a group holds at least 1/16 of the draws before it


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


def schedule(draws: float, largest: int = CHUNK_LAST) -> Iterator[tuple[int, int]]:
    """(chunk id, number of draws) until `draws` are made; the last chunk holds what is left.

    >>> list(schedule(1500))
    [(0, 512), (1, 512), (2, 476)]
    """
    chunk, left = 0, draws
    while left > 0:
        size = min(largest, CHUNK_FIRST << 2 * min(chunk // PER_SIZE, 24))
        yield chunk, int(min(size, left))
        left -= size
        chunk += 1


@dataclass(frozen=True)
class Run:
    """What a run leaves: all draws, and the same draws in groups of consecutive chunks."""

    total: Moments
    groups: tuple[Moments, ...]
    stopped_by: str
    seconds: float                # from the first chunk on: without compiling


def run(chunk: Callable[[int, int, np.ndarray], Moments], quantities: int, stop: Stop, *, threads: int | None = None,
        largest: int = CHUNK_LAST, report: Callable[[Moments], None] | None = None,
        started: float | None = None) -> Run:
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
    """
    begin = time.perf_counter()
    started = begin if started is None else started
    groups: list[Moments] = []
    closed = total = group = Moments.empty(quantities)
    watched = stop.relative_error is not None or report is not None
    stopped_by: str | None = None
    parts = _in_order(lambda identity, n: chunk(identity, n, closed.largest[:, 0]), schedule(stop.draws, largest),
                      threads or default_threads())
    while True:
        try:
            part = next(parts, None)
        except RuntimeError as error:                     # a user's function failed: keep what came before
            total = closed.merge(group)
            if total.draws:
                kept = (*groups, group) if group.draws else tuple(groups)
                error.run = Run(total, kept, "error", time.perf_counter() - begin)         # type: ignore[attr-defined]
            raise
        if part is None:
            break
        group = group.merge(part) if group.draws else part
        draws = closed.draws + group.draws
        full = group.draws * GROUPING >= closed.draws
        if watched or full:
            total = closed.merge(group)
        if report is not None:
            report(total)
        terms = [total.of(k) for k in range(quantities)] if stop.relative_error is not None else []
        stopped_by = stop.reached(draws, terms, time.perf_counter() - started)
        if full:
            groups.append(group)
            closed, group = total, Moments.empty(quantities)
        if stopped_by is not None:
            break
    if group.draws:
        groups.append(group)
        total = closed.merge(group)
    return Run(total, tuple(groups), stopped_by or "samples", time.perf_counter() - begin)


def default_threads() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_threads(threads: Any) -> None:
    """Raise unless threads is a number of them, or None."""
    if threads is not None and (not isinstance(threads, (int, np.integer)) or isinstance(threads, bool) or threads < 1):
        raise ValueError(f"threads must be an integer of at least 1, got {threads!r}")


def in_parallel(call: Callable[[int], Any], items: Iterable[int], threads: int | None = None) -> list[Any]:
    """call(item) of every item, in their order; for work that is independent and of one size."""
    if (threads or default_threads()) == 1:
        return [call(item) for item in items]
    with ThreadPoolExecutor(threads or default_threads()) as pool:
        return list(pool.map(call, items))


def _in_order(chunk: Callable[[int, int], Moments], plan: Iterator[tuple[int, int]], threads: int) -> Iterator[Moments]:
    """The chunks' moments in id order; a few are computed ahead when there are several threads."""
    if threads == 1:
        for identity, n in plan:
            yield chunk(identity, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque = deque()
        try:
            for identity, n in plan:
                ahead.append(pool.submit(chunk, identity, n))
                if len(ahead) >= 2 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
