"""Work on an executor that somebody else owns: bounded, in order, each item exactly once; who ends a worker is named.

A task holds as many items as take half a second, so that what an executor needs for a task does not count. Its results
come back one by one and are taken in the order of the items: which worker did what, and when, changes nothing.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from rareevents.workers import OtherVersionError, packed, versions, work

SECONDS = 0.5                 # that a task is to take,
MOST_ITEMS = 256              # and the most that it holds
WORKERS = 8                   # of an executor that does not say how many it has
TRIES = 2                     # of an item alone, before it is blamed for the end of its worker

current: ContextVar[Executor | None] = ContextVar("current", default=None)


class ExecutorError(RuntimeError):
    """The executor gave up, or an item ends every worker; the message says what was lost.

    `estimate` is what the chunks before it gave, or None.
    """

    estimate: Any = None


@contextmanager
def on(executor: Any) -> Iterator[None]:
    """All that runs within, runs on this executor; None changes nothing."""
    if executor is None:
        yield
        return
    require_executor(executor)
    token = current.set(executor)
    try:
        yield
    finally:
        current.reset(token)


def require_executor(executor: Any) -> None:
    """Raise unless this is an executor that takes work."""
    if not isinstance(executor, Executor) and not all(hasattr(executor, name) for name in ("submit", "shutdown")):
        raise TypeError(f"executor must be a concurrent.futures.Executor, got {executor!r}")
    closed = getattr(executor, "_shutdown", False) is True or getattr(executor, "_shutdown_thread", False) is True
    if closed and not getattr(executor, "_broken", False):                 # a broken one says itself what happened
        raise ValueError(f"executor must take work, got one that was shut down: {executor!r}")


def workers(executor: Any) -> int:
    """How many workers an executor has, as far as it says."""
    client = getattr(executor, "_client", None)
    if client is not None:
        return max(1, sum(client.nthreads().values()))
    for name in ("_max_workers", "num_workers"):
        found = getattr(executor, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return WORKERS


def in_order(executor: Any, call: Callable[..., Any], items: Iterator[tuple[Any, ...]], what: str,
             size: Callable[[tuple[Any, ...]], int] = lambda item: 1) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(item, call(*item)) of every item in their order; the first error that a call raises is raised in its turn.

    what: an item, in messages. size: of an item, to which its time is proportional.
    """
    run = _Run(executor, call if isinstance(executor, ThreadPoolExecutor) else packed(call), what)
    room, items = 2 * workers(executor), iter(items)
    try:
        while True:
            while len(run.ahead) < room and (task := run.next_task(items, size)):
                run.submit(task)
            if not run.ahead:
                return
            yield from run.taken(size)
    finally:
        for future, _ in run.ahead:
            future.cancel()


class _Run:
    """The tasks of one run that are under way."""

    def __init__(self, executor: Any, carried: Any, what: str) -> None:
        self.executor, self.carried, self.what = executor, carried, what
        self.ahead: deque[tuple[Future[Any], list[tuple[Any, ...]]]] = deque()
        self.pace: float | None = None                    # sizes a second, once something is measured
        self.left: tuple[Any, ...] | None = None

    def next_task(self, items: Iterator[tuple[Any, ...]],
                  size: Callable[[tuple[Any, ...]], int]) -> list[tuple[Any, ...]]:
        """The next items, half a second of them: one until their pace is known."""
        task: list[tuple[Any, ...]] = []
        total = 0.0
        for item in items:
            task.append(item)
            total += size(item)
            if self.pace is None or total >= SECONDS * self.pace or len(task) >= MOST_ITEMS:
                break
        return task

    def submit(self, task: list[tuple[Any, ...]]) -> None:
        """Send a task."""
        self.ahead.append((self.sent(task), task))

    def sent(self, task: list[tuple[Any, ...]]) -> Future[Any]:
        """A task's future."""
        try:
            return self.executor.submit(work, self.carried, versions(), task)
        except Exception as error:
            raise ExecutorError(f"the executor takes no more work ({_told(error)}): {self._lost()}") from error

    def taken(self, size: Callable[[tuple[Any, ...]], int]) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """The results of the first task."""
        future, task = self.ahead.popleft()
        try:
            found, raised, seconds = future.result()
        except (KeyboardInterrupt, OtherVersionError, ImportError, TypeError):
            raise
        except Exception as error:
            found, raised, seconds = self.again(task, error)
        done = sum(map(size, task[:len(found)]))
        if done:
            self.pace = done / max(seconds, 1e-6)
        yield from zip(task, found, strict=False)
        if raised is not None:
            raise raised

    def again(self, task: list[tuple[Any, ...]], error: Exception) -> tuple[list[Any], Any, float]:
        """A task whose worker ended: once more, and then each item alone, so that the one that does it is found."""
        if isinstance(error, CancelledError) or not _ended(error):
            raise ExecutorError(f"the executor gave up ({_told(error)}): {self._lost()}") from error
        for _ in range(TRIES - 1):
            try:
                return self.sent(task).result()
            except Exception as ended:
                if not _ended(ended):
                    raise
        found: list[Any] = []
        seconds = 0.0
        for item in task:
            part, raised, more = self.alone(item)
            found += part
            seconds += more
            if raised is not None:
                return found, raised, seconds
        return found, None, seconds

    def alone(self, item: tuple[Any, ...]) -> tuple[list[Any], Any, float]:
        """One item in a task of its own; blamed if it ends its worker again and again."""
        for _ in range(TRIES):
            try:
                return self.sent([item]).result()
            except Exception as error:
                if not _ended(error):
                    raise
                last = error
        done = sum(1 for future, _ in self.ahead if _completes(future))
        return [], ExecutorError(f"{self.what} {item[0]} ended its worker {TRIES} times ({_told(last)}): compiled code "
                                 f"that reads beyond an array, or memory that ran out; what came before it is kept, "
                                 f"and {done} of {len(self.ahead)} tasks behind it completed"), 0.0

    def _lost(self) -> str:
        ids = [item[0] for _, task in self.ahead for item in task]
        lost = f"{self.what}s {ids[0]} to {ids[-1]} are lost" if ids else "nothing was under way"
        return f"{lost}; what came before is kept, and a checkpoint goes on from there with another executor"


def _ended(error: BaseException) -> bool:
    """Whether a worker ended, rather than a task failed: a broken pool, or what Dask calls a killed worker."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def _completes(future: Future[Any]) -> bool:
    """Waits for a task that goes on."""
    try:
        future.result()
    except Exception:
        return False
    return True


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
