"""How close the kernels are to what their parts cost, and what compiling, importing and threads cost. One command:

    python benchmarks/limits.py

Of six kernels, the pieces are measured each by itself and by turns with the whole, in one process on one thread: random
words, draws made of them, log weights, the integrand, the sums with their exponentials. `of_pieces` is the sum of the
pieces over the whole; above 1 the pieces pay for stores that the kernel does not make. `of_floor` is the time of the
random words alone over the whole. A kernel's machine code says what is in its loops: instructions by the width of their
registers, calls, and moves to and from the stack. Threads are held against the control that a shared machine needs:
as many processes with one thread each. Writes results/benchmarks/limits.json.
"""
from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

if __name__ == "__main__":                                   # a kernel that is loaded from disk shows no machine code
    os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp()

import tyro

from benchmarks import pieces
from benchmarks.figures import keep
from benchmarks.peers_report import limits_table
from benchmarks.tools.ours import DRAWS, question
from rareevents.integrands import integrand
from rareevents.paths.question import question as of_paths
from rareevents.paths.sampler import PathSampler
from rareevents.processes import Process
from rareevents.sampler import Sampler

CHUNK = 1 << 18                                             # as large as most chunks of a long run
TABLES = ("storm count", "weather month")                    # kernels that look up tables: asked for 80 % of the pieces
TARGET = 0.8
IMPORT = ("import time; begin = time.process_time(); import rareevents as rare; {first}; "
          "print(time.process_time() - begin)")
IMPORTS = {"import_s": "None", "import_with_estimate_s": "rare.estimate"}    # names are loaded when they are first used
FIRST = ("import time; from benchmarks.tools.ours import estimate; import rareevents.methods.importance, numba; "
         "begin = time.process_time(); estimate({name!r})(1000); print(time.process_time() - begin)")
WORKER = ("import sys, time; from benchmarks.tools.ours import question; import rareevents as rare\n"
          "def run(n): rare.estimate(*question('storm count'), samples=n, seed=1, threads={threads}, audit=False)\n"
          "run(10 ** 6); print('ready', flush=True); sys.stdin.readline(); begin = time.perf_counter(); run({n})\n"
          "print(time.perf_counter() - begin)")


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    rounds: int = 9
    """Rounds, of which the median is taken."""
    draws: int = 400_000_000
    """Draws of the storm count for each thread."""


# ------------------------------------------------------------------------------------------------ a kernel's pieces
def whole(name: str) -> tuple[Any, Callable[[], float]]:
    """The compiled kernel, and what runs a chunk of it and returns its nanoseconds per draw."""
    nominal, f, proposal = question(name)
    sampler: Any = (PathSampler(of_paths(nominal, f, proposal), 1, 0) if isinstance(nominal, Process)
                    else Sampler(nominal, integrand(f), proposal, 1, 0))
    floor = sampler.chunk(1, CHUNK).largest.min(axis=1)      # as in a run, whose largest terms are known soon

    def run() -> float:
        begin = time.thread_time()
        sampler.chunk(3, CHUNK, floor)
        return (time.thread_time() - begin) / CHUNK * 1e9
    return sampler._kernel, run


def of_kernels(settings: Settings) -> dict[str, Any]:
    found = {}
    for name in DRAWS:
        kernel, run = whole(name)
        parts = pieces.of(name)
        rounds = [(run(), {part: measure() for part, measure in parts.items()}) for _ in range(settings.rounds + 1)][1:]
        costs = {part: statistics.median(row[part] for _, row in rounds) for part in parts}
        floor = costs.pop("floor: words") if "floor: words" in costs else costs["words"]
        ns = statistics.median(total for total, _ in rounds)
        row = {"ns": ns, "pieces_ns": costs, "words_ns": floor, "machine_code": machine_code(kernel),
               "of_pieces": statistics.median(sum(v for k, v in row.items() if k != "floor: words") / total
                                              for total, row in rounds),
               "of_floor": floor / ns, "target": TARGET if name in TABLES else None}
        found[name] = row
        print(f"{name:<28}{ns:>8.2f} ns   of its pieces {row['of_pieces']:.2f}   of the words alone "
              f"{row['of_floor']:.2f}   " + ", ".join(f"{k} {v:.2f}" for k, v in costs.items())
              + f"   {row['machine_code']}", flush=True)
    return found


def machine_code(kernel: Any) -> dict[str, int]:
    """Instructions of a kernel by the width of their registers; calls; moves to or from the stack."""
    text = "\n".join(kernel.inspect_asm().values())
    bodies = re.split(r"^(?=[\w$.]+:)", re.sub(r"^\.L\w+:.*$", "", text, flags=re.M), flags=re.M)
    lines = [line for line in max(bodies, key=len).splitlines() if line.startswith("\t")]     # the wrapper is shorter
    moves = [line for line in lines if re.match(r"\tv?mov", line)]
    return {"zmm": sum("%zmm" in line for line in lines), "ymm": sum("%ymm" in line for line in lines),
            "xmm": sum("%xmm" in line for line in lines), "calls": sum("\tcall" in line for line in lines),
            "stack": sum("(%rsp)" in line for line in moves)}


# ------------------------------------------------------------------------------------------------ processes
def printed(code: str, cache: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": cache})
    return float(done.stdout.splitlines()[-1])


def compiling(settings: Settings) -> dict[str, Any]:
    """Processor seconds of the first estimate of each combination, compiled and loaded; of the import."""
    found: dict[str, Any] = {}
    for name, first in IMPORTS.items():
        found[name] = statistics.median(printed(IMPORT.format(first=first), "") for _ in range(settings.rounds))
    for name in DRAWS:
        with tempfile.TemporaryDirectory() as cache:
            code = FIRST.format(name=name)
            found[name] = {"cold_s": printed(code, cache),
                           "warm_s": statistics.median(printed(code, cache) for _ in range(3))}
        print(f"{name:<28}compiled in {found[name]['cold_s']:.2f} s, loaded in {found[name]['warm_s']:.2f} s",
              flush=True)
    print(f"import of rareevents: {found['import_s']:.2f} s, with estimate {found['import_with_estimate_s']:.2f} s")
    return found


def together(processes: int, threads: int, n: int) -> float:
    """Wall seconds until all of some processes are done; each takes n draws on so many threads."""
    code = WORKER.format(threads=threads, n=n)
    running = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for _ in range(processes)]
    for process in running:
        process.stdout.readline()                                                             # type: ignore[union-attr]
    for process in running:
        process.stdin.write("go\n")                                                           # type: ignore[union-attr]
        process.stdin.flush()                                                                 # type: ignore[union-attr]
    return max(float(process.communicate()[0].splitlines()[-1]) for process in running)


def of_threads(settings: Settings) -> dict[str, Any]:
    """How many times the draws of one thread two threads make, and two processes: the control."""
    rows = []
    for _ in range(max(3, settings.rounds // 2)):
        one, n = together(1, 1, settings.draws), settings.draws
        rows.append((2.0 * one / together(1, 2, 2 * n), 2.0 * one / together(2, 1, n)))
    found = {"two_threads": statistics.median(a for a, _ in rows),
             "two_processes": statistics.median(b for _, b in rows),
             "threads_over_processes": statistics.median(a / b for a, b in rows),
             "processors": os.cpu_count()}
    print(f"two threads make {found['two_threads']:.2f} times the draws of one; two processes "
          f"{found['two_processes']:.2f} times")
    return found


def main(settings: Settings) -> None:
    begin = time.perf_counter()
    found = {"kernels": of_kernels(settings), "compiling": compiling(settings), "threads": of_threads(settings)}
    keep("limits", found, time.perf_counter() - begin)
    print(limits_table(found))


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
