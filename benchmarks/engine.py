"""What a draw costs, beside idiomatic NumPy and SciPy, and what a process costs. One command:

    python benchmarks/engine.py

The question is P(N >= 20) for N ~ Poisson(4) with q = Poisson(20), and the like for a normal and an exponential law.
Both sides run in this process by turns; a figure is processor time of this thread per draw, the median over the rounds,
and a ratio is the median of the rounds' ratios. NumPy gets arrays of 10,000 draws, its fastest per draw.
Processes are timed whole, by the processor time that the system charges them; memory is the peak that a process is told
of itself (Linux). Writes results/benchmarks/engine.json.
"""
from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from scipy import stats

import rareevents as rare
from benchmarks.figures import keep
from rareevents.engine import Stop
from rareevents.methods.importance import weigh


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    draws: int = 100_000_000
    """Draws of one estimate."""
    numpy_draws: int = 10_000
    """Draws of one array;"""
    arrays: int = 200
    """so many of them one after the other, whose memory is used again."""
    rounds: int = 9
    """Rounds, of which the median is taken."""
    most_draws: int = 1_000_000_000
    """Draws of the run whose memory is measured."""


# ------------------------------------------------------------------------------------------------ draws
def numpy_poisson(n, rng):
    x = rng.poisson(20.0, n)
    w = np.exp(stats.poisson.logpmf(x, 4.0) - stats.poisson.logpmf(x, 20.0))
    return np.mean(w * (x >= 20))


def numpy_normal(n, rng):
    x = rng.normal(5.0, 1.0, n)
    w = np.exp(stats.norm.logpdf(x) - stats.norm.logpdf(x, 5.0))
    return np.mean(w * (x >= 5.0))


def numpy_exponential(n, rng):
    x = rng.exponential(15.0, n)
    w = np.exp(stats.expon.logpdf(x) - stats.expon.logpdf(x, scale=15.0))
    return np.mean(w * (x >= 14.0))


def ours(nominal, event, proposal, tally=True):
    """The estimate of n draws on one thread; without the tally, by the kernel that evaluates both log densities."""
    def run(n, rng):
        if tally:
            return rare.estimate(nominal, event, proposal=proposal, samples=n, seed=1, threads=1).value
        return weigh(nominal, event, proposal, Stop(n), seed=1, confidence=0.95, threads=1, progress=False, stage=0,
                     tally=False).value
    return run


POISSON = rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0)
CASES: dict[str, tuple[Callable, Callable, float, float | None]] = {            # NumPy, ours, exact value, target ratio
    "Poisson, as users call it": (numpy_poisson, ours(*POISSON), stats.poisson.sf(19, 4.0), 35.0),
    "Poisson, general kernel": (numpy_poisson, ours(*POISSON, tally=False), stats.poisson.sf(19, 4.0), None),
    "normal": (numpy_normal, ours(rare.Normal(), rare.at_least(5.0), rare.Normal(5.0, 1.0)), stats.norm.sf(5.0), 10.0),
    "exponential": (numpy_exponential, ours(rare.Exponential(1.0), rare.at_least(14.0), rare.Exponential(1.0 / 15.0)),
                    stats.expon.sf(14.0), 10.0),
}


def per_draw(settings):
    """Nanoseconds per draw of both sides, case by case; each answer is checked before its time counts."""
    rng, found = np.random.default_rng(1), {}
    for name, (theirs, own, exact, target) in CASES.items():
        rounds = []
        for _ in range(settings.rounds + 1):
            row = []
            for run, n, times in ((theirs, settings.numpy_draws, settings.arrays), (own, settings.draws, 1)):
                begin = time.thread_time()
                value = sum(run(n, rng) for _ in range(times)) / times
                row.append((time.thread_time() - begin) / (n * times) * 1e9)
                if not abs(value / exact - 1.0) < 0.1:
                    raise RuntimeError(f"{name}: got {value}, the exact value is {exact}")
            rounds.append(row)
        a, b = zip(*rounds[1:], strict=True)                                     # the first round compiles
        found[name] = {"numpy_ns": statistics.median(a), "ns": statistics.median(b), "target_ratio": target,
                       "ratio": statistics.median(x / y for x, y in zip(a, b, strict=True)),
                       "ratios": sorted(round(x / y, 1) for x, y in zip(a, b, strict=True))}
        print(f"{name:<28}{found[name]['numpy_ns']:>8.1f} ns {found[name]['ns']:>8.2f} ns"
              f"{found[name]['ratio']:>8.1f} times")
    return found


# ------------------------------------------------------------------------------------------------ processes
FIRST = ("import rareevents as rare; print(rare.estimate(rare.Poisson(4.0), rare.at_least(20), "
         "proposal=rare.Poisson(20.0), samples={n}, seed=1))")
PEAK = "; print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0].split()[1])"


def process(arguments, cache):
    """(processor seconds, last line printed) of a whole process."""
    before = os.times()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": str(cache)})
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, done.stdout.splitlines()[-1]


def processes(settings):
    """What a process costs: help, the first estimate cold and warm, memory for few and for many draws."""
    with tempfile.TemporaryDirectory() as folder:
        first = ["-c", FIRST.format(n=1_000_000)]
        cold = [process(first, Path(folder) / str(i))[0] for i in range(5)]
        warm = [process(first, Path(folder) / "0")[0] for _ in range(settings.rounds)]
        helped = [process(["-m", "rareevents", "--help"], folder)[0] for _ in range(settings.rounds)]
        few, many = (int(process(["-c", FIRST.format(n=n) + PEAK], Path(folder) / "0")[1]) / 1024.0
                     for n in (1_000_000, settings.most_draws))
    found = {"first_estimate_cold_s": (statistics.median(cold), 5.0),
             "first_estimate_warm_s": (statistics.median(warm), 1.5), "help_s": (statistics.median(helped), 0.5),
             "memory_1e6_mb": (few, None), "memory_most_mb": (many, 350.0)}
    for name, (figure, target) in found.items():
        print(f"{name:<28}{figure:>8.2f}" + (f"   target {target:g}" if target else ""))
    return {name: {"figure": figure, "target": target} for name, (figure, target) in found.items()}


# ------------------------------------------------------------------------------------------------ the report
def table(found):
    """The rows of README.md."""
    lines = ["| one thread, per draw | NumPy and SciPy | `rareevents` | times faster | target |",
             "|---|---|---|---|---|"]
    for name, row in found["per_draw"].items():
        target = f"{row['target_ratio']:g}" if row["target_ratio"] else ""
        lines.append(f"| {name} | {row['numpy_ns']:.0f} ns | {row['ns']:.1f} ns | {row['ratio']:.0f} | {target} |")
    p = {name: row["figure"] for name, row in found["processes"].items()}
    lines += ["", "| a whole process | measured | target |", "|---|---|---|",
              f"| first estimate, nothing compiled yet | {p['first_estimate_cold_s']:.1f} s of processor time | 5 s |",
              f"| first estimate, compiled before | {p['first_estimate_warm_s']:.1f} s | 1.5 s |",
              f"| `rareevents --help` | {p['help_s']:.2f} s | 0.5 s |",
              f"| memory for 10^6 draws | {p['memory_1e6_mb']:.0f} MB | |",
              f"| memory for 10^9 draws | {p['memory_most_mb']:.0f} MB | 350 MB |"]
    return "\n".join(lines)


def main(settings: Settings) -> None:
    begin = time.perf_counter()
    found = {"per_draw": per_draw(settings), "processes": processes(settings)}
    keep("engine", found, time.perf_counter() - begin)
    print("\n" + table(found))


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
