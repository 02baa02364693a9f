"""What a draw costs on a GPU, beside one thread of the processor. One command, on a machine that has a GPU:

    python benchmarks/gpu.py

First a run on both is compared: counts must be equal, sums to 1e-12, and the answer within 5 standard errors of the
exact one. Then both are timed by turns, on the clock, from the call of `estimate` to its answer: what is sent, what is
received and the host's merging are in it, compiling is not. A figure is the median over the rounds, a ratio the median
of the rounds' ratios. Writes results/benchmarks/gpu.json; without a GPU it says so and writes nothing.
"""
from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numba
import tyro

import rareevents as rare
from benchmarks.engine import RESULTS, processor
from benchmarks.paths import MONTH
from rareevents import devices, proposals
from rareevents.experiments import canonical, provenance
from rareevents.files import write_whole

TARGET = 100.0                # times one thread, of the storm count and of the weather month
CLOSE = 1e-12                 # of sums, relative


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    draws: int = 20_000_000_000
    """Draws of one estimate of the storm count on the GPU; of the others a twentieth."""
    thread_draws: int = 100_000_000
    """Draws of one estimate of the storm count on one thread; of the others a twentieth."""
    rounds: int = 5
    """Rounds, of which the median is taken."""


def questions() -> dict[str, tuple[Any, int]]:
    """Name -> question, and which part of the draws it gets."""
    month = rare.visits(3) >= 20
    return {"storm count": ((rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0)), 1),
            "weather month": ((MONTH, month, proposals.feedback(MONTH, month).law), 20),
            "30 Bernoulli days": ((rare.IID(rare.Bernoulli(0.1), 30), rare.total >= 12,
                                   rare.IID(rare.Bernoulli(0.4), 30)), 20),
            "normal vector, 10": ((rare.IID(rare.Normal(0.0, 1.0), 10), rare.total >= 20.0,
                                   rare.IID(rare.Normal(2.0, 1.0), 10)), 20)}


def run(question, draws, device):
    """(seconds, estimate) of one run."""
    begin = time.perf_counter()
    found = rare.estimate(*question, samples=draws, seed=1, audit=False, threads=1, device=device)
    return time.perf_counter() - begin, found


def compared(name, question, draws):
    """How far apart the same run is on both; raises where it is too far, from each other or from the exact answer."""
    there, here = run(question, draws, "cuda")[1], run(question, draws, "cpu")[1]
    apart = max(abs(there.value / here.value - 1.0), abs(there.std_error / here.std_error - 1.0))
    if there.hits != here.hits or not apart <= CLOSE:
        raise RuntimeError(f"{name}: {there.hits} hits and {there.value!r} on the GPU, {here.hits} and {here.value!r} "
                           f"on the processor")
    exact = float(rare.oracle.value(*question[:2]))
    if not abs(there.value - exact) <= 5.0 * there.std_error:
        raise RuntimeError(f"{name}: {there.value!r}, exact {exact!r}")
    return apart


def timed(question, draws, thread_draws, rounds):
    """Nanoseconds per draw of both, and their ratio."""
    device, thread = [], []
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
    for name, (question, part) in questions().items():
        apart = compared(name, question, settings.thread_draws // part)
        found[name] = {"apart": apart, **timed(question, settings.draws // part, settings.thread_draws // part,
                                               settings.rounds)}
        print(f"{name:<20}{found[name]['device_ns']:9.4f} ns on the GPU {found[name]['thread_ns']:9.3f} ns on a thread "
              f"{found[name]['times_one_thread']:8.1f} times", flush=True)
    record = {"questions": found, "target_times_one_thread": TARGET, "device": described(), "processor": processor(),
              "provenance": provenance(time.perf_counter() - begin)}
    write_whole(RESULTS / "gpu.json", canonical(json.loads(json.dumps(record))).encode())
    print(f"written to {RESULTS / 'gpu.json'}")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
