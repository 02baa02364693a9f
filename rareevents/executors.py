"""Executors by name, for the command line: opened for one run, and closed after it.

threads:8    processes:4    dask:tcp://host:8786    dask-local:2    mpi
"""
from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

from rareevents.tasks import ExecutorError

FORMS = "threads[:N], processes[:N], dask:ADDRESS, dask-local[:N] or mpi"
WAITS = 10.0                  # seconds for a scheduler to answer
LOOPBACK = ("127.", "localhost", "[::1]", "::1")


@contextlib.contextmanager
def opened(name: str, insecure: bool = False) -> Iterator[Any]:
    """The executor of that name; shut down at the end.

    Parameters
    ----------
    name : str
        threads[:N], processes[:N], dask:ADDRESS, dask-local[:N] or mpi; N defaults to the processors.
    insecure : bool
        Whether a Dask scheduler on another machine may be asked without TLS: whoever reaches it can run code there, and
        on its clients.

    Raises
    ------
    ValueError
        If the name is of no such form, or the address is refused.
    ExecutorError
        If no scheduler answers, or a package is missing.

    >>> with opened("threads:2") as executor:
    ...     executor.submit(pow, 2, 5).result()
    32
    """
    kind, _, rest = name.partition(":")
    if kind == "threads":
        with ThreadPoolExecutor(_count(name, rest)) as threads:
            yield threads
    elif kind == "processes":
        processes = Processes(_count(name, rest))
        try:
            yield processes
        finally:
            processes.shutdown()
    elif kind == "dask-local":
        count = _count(name, rest)
        distributed = _package("distributed", "dask", name)
        with distributed.LocalCluster(n_workers=count, threads_per_worker=1, host="127.0.0.1",
                                      dashboard_address="127.0.0.1:0") as cluster, \
                distributed.Client(cluster) as client:
            yield client.get_executor(pure=False)
    elif kind == "dask" and rest:
        require_safe(rest, insecure)
        distributed = _package("distributed", "dask", name)
        try:
            client = distributed.Client(rest, timeout=WAITS)
        except (OSError, TimeoutError) as error:
            raise ExecutorError(f"executor must be reached, but no Dask scheduler answers at {rest} within {WAITS:g} "
                                f"seconds ({type(error).__name__}: {error})") from None
        with client:
            yield client.get_executor(pure=False)
    elif name == "mpi":
        futures = _package("mpi4py.futures", "mpi4py and an MPI", name)
        with futures.MPIPoolExecutor() as executor:
            yield executor
    else:
        raise ValueError(f"executor must be {FORMS}, got {name!r}")


def require_safe(address: str, insecure: bool = False) -> None:
    """Raise if an address is on another machine and neither encrypted nor asked for all the same."""
    scheme, _, place = address.rpartition("://")
    if scheme in ("tls", "wss") or place.startswith(LOOPBACK) or insecure:
        return
    raise ValueError(f"executor must be asked over TLS, as in tls://host:8786, where it is on another machine, got "
                     f"{address!r}: tcp is neither encrypted nor authenticated; --insecure allows it all the same")


class Processes(Executor):
    """Processes of this machine; those that end are replaced, so that only what they did is lost.

    They are started without the script that asks for them, which needs no `if __name__ == "__main__"`.
    """

    def __init__(self, count: int) -> None:
        self._max_workers = count
        self._pool: Any = None

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Ask a process for call(*arguments)."""
        for _ in range(2):
            if self._pool is None:
                from loky import ProcessPoolExecutor
                self._pool = ProcessPoolExecutor(self._max_workers, timeout=None)
            try:
                return self._pool.submit(call, *arguments, **options)
            except BrokenExecutor:
                self._pool = None
        raise ExecutorError("processes cannot be started: each new pool is broken at once")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, kill_workers=cancel_futures)
            self._pool = None


def _count(name: str, text: str) -> int:
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"executor must be {FORMS} with N at least 1, got {name!r}")
    return int(text)


def _package(module: str, extra: str, name: str) -> Any:
    import importlib
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExecutorError(f"executor {name!r} needs {extra}, which is not installed ({error})") from None
