"""What this installation is, and whether it computes what it should: versions, threads, folders, known answers."""
from __future__ import annotations

import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("rareevents", "numpy", "scipy", "numba", "llvmlite", "matplotlib", "jinja2", "loky", "cloudpickle",
            "distributed", "mpi4py", "pandas", "arviz-base", "numba-cuda")
OWN_CACHE = "__pycache__ beside the sources (set NUMBA_CACHE_DIR for another)"
FARTHEST = 5.0                # standard errors from an exact answer: beyond, 6e-7 for each


def versions() -> Iterator[tuple[str, str]]:
    """(what, its version or where it is) of everything that a result may depend on."""
    yield "Python", f"{platform.python_version()} ({sys.executable})"
    yield "system", f"{platform.system()} {platform.machine()}"
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"
    from rareevents.engine import default_threads
    yield "threads", f"{default_threads()} of {os.cpu_count()} processors"
    yield "cache folder", os.environ.get("NUMBA_CACHE_DIR", OWN_CACHE)
    driver = shutil.which("nvidia-smi")
    yield "CUDA devices", f"a driver is there ({driver})" if driver else "none found"


def answers() -> Iterator[tuple[str, bool, str]]:
    """(question, whether the answer is right, what came out); sampled answers to 5 standard errors."""
    from rareevents.distributions import Poisson
    from rareevents.events import at_least
    from rareevents.information import entropy
    from rareevents.methods.importance import estimate
    from rareevents.methods.solve import solve
    from rareevents.methods.splitting import split
    from rareevents.paths.scores import hits, visits
    from rareevents.processes import BirthDeath, MarkovChain
    exact = math.fsum(math.exp(k * math.log(4.0) - 4.0 - math.lgamma(k + 1.0)) for k in range(20, 100))
    storms, event = Poisson(4.0), at_least(20)
    yield _exactly("20 storms, 4 expected: the sum", solve(storms, event).value, exact)
    one, three = (estimate(storms, event, Poisson(20.0), samples=200_000, threads=n, audit=False) for n in (1, 3))
    yield _nearly("20 storms: importance sampling", one, exact)
    yield "the same bits on one thread and on three", one.value == three.value, f"{one.value!r}, {three.value!r}"
    chain = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 2)
    yield _exactly("two days of storm: the sum over paths", solve(chain, visits(1) >= 2).value, 0.1 * 0.5)
    gambler, rich = BirthDeath(0.4, 0.6, 1), hits(10, before=0)
    yield _nearly("a gambler's luck: splitting", split(gambler, rich, particles=200), 0.5 / (1.5 ** 10 - 1.0))
    yield _exactly("bits of surprise of a fair coin", entropy([0.5, 0.5]), 1.0)


def _exactly(question: str, value: float, exact: float) -> tuple[str, bool, str]:
    return question, abs(value - exact) <= 1e-12 * exact, f"{value:.12g}, exact {exact:.12g}"


def _nearly(question: str, found: Any, exact: float) -> tuple[str, bool, str]:
    z = (found.value - exact) / found.std_error
    return question, abs(z) <= FARTHEST, f"{found.value:.4g}, exact {exact:.4g}, {abs(z):.1f} standard errors away"


def examine() -> int:
    """Print all of it; 0 if every answer is right, else 1."""
    for what, value in versions():
        print(f"{what:<16}{value}")
    print()
    begin, wrong = time.perf_counter(), 0
    for question, right, told in answers():
        wrong += not right
        print(f"{'right' if right else 'WRONG':<8}{question}: {told}", flush=True)
    print(f"\n{'All answers are right' if not wrong else f'{wrong} answers are wrong'}, "
          f"{time.perf_counter() - begin:.1f} seconds with compiling.")
    return 1 if wrong else 0
