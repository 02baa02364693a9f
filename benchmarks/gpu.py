"""What a draw costs on a GPU, beside one thread of the processor. One command, on a machine that has a GPU:

    python benchmarks/gpu.py

The questions are those of `peers.py`. First the same run is compared on both: counts must be equal, sums to 1e-12, and
the answer within 5 standard errors of the exact one. Then both are timed by turns, on the clock, from the call of
`estimate` to its answer: what is sent, what is received and the host's merging are in it, compiling is not. A figure is
the median over the rounds, a ratio the median of the rounds' ratios. Writes results/benchmarks/gpu.json; without a GPU
it says so and writes nothing.
"""
from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numba
import tyro

import rareevents as rare
from benchmarks.figures import keep
from benchmarks.questions import EXACT
from benchmarks.tools import ours
from rareevents import devices

TARGET = 100.0                # times one thread, of the storm count and of the weather month
CLOSE = 1e-12                 # of sums, relative


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    draws: int = 10_000_000_000
    """Draws of an estimate on the GPU: 22,000 chunks. One on a thread has those of `peers.py`."""
    rounds: int = 5
    """Rounds, of which the median is taken."""


def run(question, draws, device):
    """(seconds, estimate) of one run."""
    begin = time.perf_counter()
    found = rare.estimate(*question, samples=draws, seed=1, audit=False, threads=1, device=device)
    return time.perf_counter() - begin, found


def compared(name, draws):
    """How far apart the same run is on both; raises where it is too far, from each other or from the exact answer."""
    there, here = (run(ours.question(name), draws, device)[1] for device in ("cuda", "cpu"))
    apart = max(abs(there.value / here.value - 1.0), abs(there.std_error / here.std_error - 1.0))
    if there.hits != here.hits or not apart <= CLOSE:
        raise RuntimeError(f"{name}: {there.hits} hits and {there.value!r} on the GPU, {here.hits} and {here.value!r} "
                           f"on the processor")
    if not abs(there.value - EXACT[name]) <= 5.0 * there.std_error:
        raise RuntimeError(f"{name}: {there.value!r}, exact {EXACT[name]!r}")
    return apart


def timed(name, draws, thread_draws, rounds):
    """Nanoseconds per draw of both, and their ratio."""
    question, device, thread = ours.question(name), [], []
    for _ in range(rounds + 1):
        thread.append(run(question, thread_draws, "cpu")[0] / thread_draws * 1e9)
        device.append(run(question, draws, "cuda")[0] / draws * 1e9)
    device, thread = device[1:], thread[1:]                   # the first round warms up
    return {"device_ns": statistics.median(device), "thread_ns": statistics.median(thread), "draws": draws,
            "thread_draws": thread_draws, "rounds": rounds,
            "times_one_thread": statistics.median(a / b for a, b in zip(thread, device, strict=True))}


def described():
    """The GPU, in words."""
    from numba import cuda
    found = cuda.get_current_device()
    name = found.name.decode() if isinstance(found.name, bytes) else str(found.name)
    return {"name": name, "capability": list(found.compute_capability), "multiprocessors": found.MULTIPROCESSOR_COUNT}


def main(settings: Settings) -> None:
    """Compare, measure, write and print; nothing of it without a GPU."""
    reason = "CUDA's simulator runs in its place" if numba.config.ENABLE_CUDASIM else devices.missing()
    if reason is not None:
        print(f"no GPU can be used: {reason}; nothing is measured, nothing is written")
        return
    begin, found = time.perf_counter(), {}
    for name, draws in ours.DRAWS.items():
        found[name] = {"apart": compared(name, draws), **timed(name, settings.draws, draws, settings.rounds)}
        print(f"{name:<28}{found[name]['device_ns']:9.4f} ns on the GPU {found[name]['thread_ns']:9.3f} on a thread "
              f"{found[name]['times_one_thread']:8.1f} times", flush=True)
    keep("gpu", {"questions": found, "target_times_one_thread": TARGET, "device": described()},
         time.perf_counter() - begin)


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
