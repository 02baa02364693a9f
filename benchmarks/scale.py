"""What a run costs on many workers: the pieces of a cost model, and how far it predicts whole runs here. One command:

    python benchmarks/scale.py

seconds = max(draws x t / workers, chunks x m + tasks x s), where t is a worker's time for a draw, m the
caller's time to merge a chunk and s its time for a task, sent and received. The pieces are measured each by itself, the
runs afterwards on one and two workers; a figure is the median over the rounds, of a run of three. Writes
results/benchmarks/scale.json.
"""
from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass

import numpy as np
import tyro

import rareevents as rare
from benchmarks.figures import keep
from rareevents import tasks
from rareevents.engine import Prefix, schedule
from rareevents.integrands import integrand
from rareevents.kernels.stages import MAIN
from rareevents.sampler import Sampler
from rareevents.workers import packed

COUNTS = rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0)
LARGE = rare.IID(rare.Normal(0.0, 1.0), 100), rare.total >= 50.0, rare.IID(rare.Normal(0.5, 1.0), 100)
KINDS = ("threads", "processes", "dask-local")
CORES, DRAWS = 1000, 10 ** 15


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    draws: int = 2_000_000_000
    """Draws of the storm count in a whole run; those of vectors are a hundredth."""
    tasks: int = 300
    """Tasks, sent and received."""
    chunks: int = 2000
    """Chunks that are merged."""
    rounds: int = 5
    """Rounds, of which the median is taken."""


def nothing(i):
    return i


def seconds_per_task(executor, count):
    """Of tasks that do nothing, with as many under way as in a run, each as full as it may be."""
    items = count * tasks.MOST_ITEMS
    begin = time.perf_counter()
    found = [y for _, y in tasks.in_order(executor, nothing, ((i,) for i in range(items)), "item")]
    if found != list(range(items)):
        raise RuntimeError(f"{len(found)} of {items} items came back")
    return (time.perf_counter() - begin) / count


def of_a_chunk(question, count):
    """Bytes of the call that is sent, bytes of a chunk's moments, and the caller's seconds to merge one."""
    nominal, f, proposal = question
    sampler = Sampler(nominal, integrand(f), proposal, 1, MAIN[0], True)
    state = Prefix.empty(1)
    part = sampler.chunk(0, 1 << 14, np.zeros(1))
    for _ in range(10):
        state = state.add(part)
    begin = time.perf_counter()
    for _ in range(count):
        state = state.add(part)
        state.total.of(0)                                     # what a run until a relative error looks at
    return {"call_bytes": len(packed(sampler.chunk)), "chunk_bytes": len(packed(part)),
            "merge_seconds": (time.perf_counter() - begin) / count}


def whole_run(question, draws, executor):
    begin = time.perf_counter()
    found = rare.estimate(*question, samples=draws, audit=False, executor=executor, seed=1)
    if not abs(found.value / float(rare.oracle.value(*question[:2])) - 1.0) < 0.01:
        raise RuntimeError(f"got {found.value}")
    return time.perf_counter() - begin


def predicted(draws, workers, seconds_per_draw, merge_seconds, task_seconds):
    """The cost model; a task holds half a second of work, or one chunk."""
    sizes = np.array([size for _, size, _ in schedule(draws)], float)
    in_task = np.clip(tasks.SECONDS / (sizes * seconds_per_draw), 1.0, tasks.MOST_ITEMS)
    sent = float(np.sum(1.0 / in_task))
    work, caller = draws * seconds_per_draw / workers, len(sizes) * merge_seconds + sent * task_seconds
    return {"seconds": max(work, caller), "computing": work, "caller": caller, "chunks": len(sizes), "tasks": sent,
            "largest_chunk_seconds": float(sizes.max()) * seconds_per_draw}


def main(settings: Settings) -> None:
    """Measure the pieces, then whole runs, and print what the model says of both."""
    begin = time.perf_counter()
    questions = {"storm count": (COUNTS, settings.draws), "vector": (LARGE, settings.draws // 100)}
    found = {"chunk": {name: of_a_chunk(question, settings.chunks) for name, (question, _) in questions.items()},
             "task_seconds": {}, "runs": []}
    rates: dict[str, float] = {}
    for name, (question, draws) in questions.items():
        rare.estimate(*question, samples=1000, audit=False)
        each = []
        for _ in range(settings.rounds):
            clock = time.perf_counter()
            rare.estimate(*question, samples=draws // 4, audit=False, threads=1, seed=1)
            each.append((time.perf_counter() - clock) / (draws // 4))
        rates[name] = statistics.median(each)
    found["draw_seconds"] = rates
    for kind in KINDS:
        for workers in (1, 2):
            with rare.executors.opened(f"{kind}:{workers}") as executor:
                seconds_per_task(executor, 50)
                found["task_seconds"][f"{kind}:{workers}"] = statistics.median(
                    seconds_per_task(executor, settings.tasks) for _ in range(settings.rounds))
                for name, (question, draws) in questions.items():
                    whole_run(question, draws // 20, executor)                        # the workers compile
                    measured = statistics.median(whole_run(question, draws, executor) for _ in range(3))
                    model = predicted(draws, workers, rates[name], found["chunk"][name]["merge_seconds"],
                                      found["task_seconds"][f"{kind}:{workers}"])
                    found["runs"].append({"question": name, "executor": f"{kind}:{workers}", "draws": draws,
                                          "measured": measured, "predicted": model["seconds"]})
                    print(f"{name:<12} {kind}:{workers}  measured {measured:6.2f} s  predicted "
                          f"{model['seconds']:6.2f} s", flush=True)
    found["cluster"] = {name: {"workers": CORES, "draws": DRAWS, **predicted(
        DRAWS, CORES, rates[name], found["chunk"][name]["merge_seconds"], found["task_seconds"]["dask-local:2"]),
        "bytes_received": len(list(schedule(DRAWS))) * found["chunk"][name]["chunk_bytes"]} for name in rates}
    keep("scale", found, time.perf_counter() - begin)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
