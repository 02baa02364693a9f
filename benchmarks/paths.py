"""What a day of a path costs, beside vectorised NumPy. One command:

    python benchmarks/paths.py

The question is P(at least 20 storm days of 30) in a chain of four kinds of weather: by importance sampling with the
feedback proposal, and at 15 storms by adaptive multilevel splitting with the same algorithm in NumPy. Both sides run in
this process by turns, on one thread; a figure is processor time, the median over the rounds, and a ratio is the median
of the rounds' ratios. Every answer is checked against the exact one first. Writes results/benchmarks/paths.json.
"""
from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np
import tyro

import rareevents as rare
from benchmarks.figures import keep
from benchmarks.questions import DAYS, WEATHER
from benchmarks.tools.numpy_scipy import weather_month
from benchmarks.tools.ours import MONTH
from rareevents import proposals


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    months: int = 10_000_000
    """Months of one estimate."""
    block: int = 10_000
    """Months that NumPy draws together."""
    blocks: int = 10
    """Such blocks in a round."""
    particles: int = 1000
    """Paths of a population."""
    rounds: int = 9
    """Rounds, of which the median is taken."""


# ------------------------------------------------------------------------------------------------ importance sampling
def sampled(settings):
    """Nanoseconds per day of both sides."""
    event = rare.visits(3) >= 20
    steered = proposals.feedback(MONTH, event).law
    exact, rows = rare.oracle.value(MONTH, event), []
    for _ in range(settings.rounds + 1):
        begin = time.thread_time()
        theirs = np.mean([weather_month(settings.block) for _ in range(settings.blocks)])
        middle = time.thread_time()
        ours = rare.estimate(MONTH, event, steered, samples=settings.months, seed=1, threads=1).value
        end = time.thread_time()
        for value in (theirs, ours):
            if not abs(value / exact - 1.0) < 0.03:
                raise RuntimeError(f"got {value}, the exact value is {exact}")
        rows.append(((middle - begin) / (settings.block * settings.blocks * DAYS) * 1e9,
                     (end - middle) / (settings.months * DAYS) * 1e9))
    return figures(rows[1:])


# ------------------------------------------------------------------------------------------------ splitting
def numpy_split(n, k, rng):
    """One population, the same algorithm: those with the fewest storms are replaced until all have k."""
    below = np.cumsum(WEATHER, axis=1)[:, :-1]
    state, storms = np.zeros((n, DAYS + 1), np.int64), np.zeros((n, DAYS + 1), np.int64)

    def run(rows, since):
        for t in range(since.min(initial=DAYS), DAYS):
            on = rows[since <= t]
            u = rng.random(len(on))
            state[on, t + 1] = np.sum(u[:, None] > below[state[on, t]], axis=1)
            storms[on, t + 1] = storms[on, t] + (state[on, t + 1] == 3)
    run(np.arange(n), np.zeros(n, np.int64))
    share = 1.0
    while True:
        most = np.minimum(storms[:, -1], k)
        lowest = most.min()
        if lowest >= k:
            return share
        dead, alive = np.flatnonzero(most == lowest), np.flatnonzero(most > lowest)
        if not len(alive):
            return 0.0
        share *= len(alive) / n
        parents = rng.choice(alive, len(dead))
        since = np.argmax(storms[parents] > lowest, axis=1)
        state[dead], storms[dead] = state[parents], storms[parents]
        run(dead, since)


def split(settings):
    """Seconds of one population of both sides."""
    event = rare.visits(3) >= 15
    exact, rng, rows, values = rare.oracle.value(MONTH, event), np.random.default_rng(1), [], []
    for _ in range(settings.rounds + 1):
        begin = time.thread_time()
        values.append(numpy_split(settings.particles, 15, rng))
        middle = time.thread_time()
        ours = rare.split(MONTH, event, particles=settings.particles, replicates=100, seed=len(rows), threads=1)
        end = time.thread_time()
        if not abs(ours.value / exact - 1.0) < 0.2:
            raise RuntimeError(f"got {ours.value}, the exact value is {exact}")
        rows.append(((middle - begin) * 1e6, (end - middle) / 100 * 1e6))
    if not abs(np.mean(values) / exact - 1.0) < 0.6:
        raise RuntimeError(f"got {np.mean(values)}, the exact value is {exact}")
    return figures(rows[1:])


def figures(rows):
    """The medians of both sides, and of the rounds' ratios."""
    theirs, ours = zip(*rows, strict=True)
    return {"numpy": statistics.median(theirs), "rareevents": statistics.median(ours),
            "ratio": statistics.median(a / b for a, b in rows), "ratios": sorted(round(a / b, 1) for a, b in rows)}


def main(settings: Settings) -> None:
    begin = time.perf_counter()
    rare.split(MONTH, rare.visits(3) >= 15, particles=10, replicates=20)              # compiles
    found = {"ns_per_day": {**sampled(settings), "target": 4.0, "target_ratio": 20.0},
             "microseconds_per_population": {**split(settings), "target_ratio": 50.0}}
    keep("paths", found, time.perf_counter() - begin)
    for name in ("ns_per_day", "microseconds_per_population"):
        row = found[name]
        print(f"{name:<30}NumPy {row['numpy']:>10.1f}   rareevents {row['rareevents']:>8.2f}   "
              f"{row['ratio']:>6.1f} times (target {row['target_ratio']:g})")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
