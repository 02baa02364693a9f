"""The tools that design their proposal, called in a process of their own: some never return."""
from __future__ import annotations

import time
from collections.abc import Callable

import loky

from benchmarks.questions import Answer, Asked
from benchmarks.tools import numpy_scipy, openturns_cpu, ours, vegas_grid

DESIGNED = {**ours.DESIGNED, **openturns_cpu.DESIGNED, **vegas_grid.DESIGNED, **numpy_scipy.DESIGNED}


def timed(tool: str, asked: Asked, seed: int) -> tuple[Answer, float]:
    """The tool's answer, and its processor seconds."""
    begin = time.process_time()
    answer = DESIGNED[tool](asked, seed)
    return answer, time.process_time() - begin


def patient(tool: str, seconds: float) -> Callable[[Asked, int], tuple[Answer, float]]:
    """`timed` in another process, for so long and no longer."""
    def run(asked: Asked, seed: int) -> tuple[Answer, float]:
        executor = loky.get_reusable_executor(max_workers=1, timeout=1000)
        try:
            return executor.submit(timed, tool, asked, seed).result(seconds)
        except TimeoutError:
            executor.shutdown(kill_workers=True)
            raise TimeoutError(f"no answer within {seconds:g} seconds") from None
    return run
