"""Whether the words of the streams look random, one by one, interleaved, and from one address to the next. One command:

    python benchmarks/streams.py

The words come from the code that the kernels use: `address` and `xoshiro`. Five sources are tested: one stream; the
streams of 8,192 chunks, a word of each by turns; the first words of neighbouring chunks, stages and seeds. `battery.py`
has the tests. Three generators that are known to be weak go through it as well: a test that passes all of them would
show nothing. Writes results/benchmarks/streams.json.
"""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tyro
from numba import njit
from scipy import stats

from benchmarks.battery import PIECE, READ, TESTS
from benchmarks.figures import RESULTS, processor
from rareevents.experiments import canonical, provenance
from rareevents.files import write_whole
from rareevents.kernels import streams
from rareevents.kernels.stages import MAIN
from rareevents.kernels.streams import address, new_rng, xoshiro

STAGE = MAIN[0]
U = np.uint64
CHUNKS = 8192                     # streams that are interleaved
ALPHA = 1e-4                      # how often a perfect generator fails, for all p-values together and for their law


@dataclass(frozen=True)
class Settings:
    """How much to test."""

    words: int = 1 << 32
    """Words of one stream, and of the interleaved ones; a multiple of 2^22."""
    addresses: int = 1 << 28
    """First words of neighbouring chunks, of stages and of seeds; likewise."""
    weak_words: int = PIECE
    """Words of the weak generators; likewise."""
    seed: int = 1
    """Seed of the streams."""


# ------------------------------------------------------------------------------------------------ sources
@njit
def states_of(seed, states):
    """The four words that the streams of the first chunks start from."""
    rng = new_rng()
    for chunk in range(len(states)):
        address(rng, seed, np.uint32(STAGE), U(chunk))
        _save(rng, states[chunk])


@njit(inline="always")
def _save(rng, state):
    state[0], state[1] = streams._get(rng, 0), streams._get(rng, 1)
    state[2], state[3] = streams._get(rng, 2), streams._get(rng, 3)


@njit(inline="always")
def _load(rng, state):
    streams._put(rng, 0, state[0])
    streams._put(rng, 1, state[1])
    streams._put(rng, 2, state[2])
    streams._put(rng, 3, state[3])


@njit
def turns(states, out):
    """A word of each stream by turns."""
    rng = new_rng()
    for i in range(len(out)):
        state = states[i % len(states)]
        _load(rng, state)
        out[i] = xoshiro(rng)
        _save(rng, state)


@njit
def continued(state, out):
    """The next words of one stream."""
    rng = new_rng()
    _load(rng, state)
    for i in range(len(out)):
        out[i] = xoshiro(rng)
    _save(rng, state)


@njit
def firsts(seed, stage, chunk, steps, begin, out):
    """The first words of addresses that differ by (seed, stage, chunk) steps."""
    rng = new_rng()
    for i in range(len(out)):
        j = U(begin + i)
        address(rng, seed + steps[0] * j, np.uint32(stage + steps[1] * j), chunk + steps[2] * j)
        out[i] = xoshiro(rng)


def one_stream(seed: int) -> Callable:
    """The words of chunk 0."""
    states = np.empty((1, 4), np.uint64)
    states_of(U(seed), states)
    return lambda begin, out: continued(states[0], out)


def interleaved(seed: int) -> Callable:
    """A word of each of the first chunks by turns."""
    states = np.empty((CHUNKS, 4), np.uint64)
    states_of(U(seed), states)
    return lambda begin, out: turns(states, out)


def neighbours(seed: int, coordinate: int) -> Callable:
    """First words; coordinate 0 steps through seeds, 1 through stages, 2 through chunks."""
    steps = np.eye(3, dtype=np.uint64)[coordinate]
    return lambda begin, out: firsts(U(seed), U(STAGE), U(0), steps, begin, out)


SOURCES: dict[str, Callable] = {
    "one stream": one_stream,
    "8192 streams by turns": interleaved,
    "first words of chunks": lambda seed: neighbours(seed, 2),
    "first words of stages": lambda seed: neighbours(seed, 1),
    "first words of seeds": lambda seed: neighbours(seed, 0),
}


# ------------------------------------------------------------------------------------------------ weak on purpose
@njit
def lcg(state, out):
    """x -> 1664525 x + 1013904223 modulo 2^32, two of them to a word (Knuth 1997, section 3.3.4, table 1)."""
    x = state[0]
    for i in range(len(out)):
        x = (U(1664525) * x + U(1013904223)) & U(0xFFFFFFFF)
        high = x
        x = (U(1664525) * x + U(1013904223)) & U(0xFFFFFFFF)
        out[i] = (high << U(32)) | x
    state[0] = x


@njit
def unscrambled(state, out):
    """The linear engine of xoshiro256++ without its scrambler: a word of the state itself."""
    rng = new_rng()
    _load(rng, state)
    for i in range(len(out)):
        out[i] = streams._get(rng, 0)
        xoshiro(rng)
    _save(rng, state)


@njit
def unhashed(begin, out):
    """First words of streams whose states differ by a constant: no Philox between the address and the state."""
    rng, state = new_rng(), np.array([0, 1, 2, 3], np.uint64)
    for i in range(len(out)):
        state[0] = U(begin + i)
        _load(rng, state)
        out[i] = xoshiro(rng)


def weak(step: Callable, seed: int) -> Callable:
    """A generator with a state of four words, hashed from the seed."""
    states = np.empty((1, 4), np.uint64)
    states_of(U(seed), states)
    return lambda begin, out: step(states[0], out)


WEAK: dict[str, Callable] = {
    "linear congruence modulo 2^32": lambda seed: weak(lcg, seed),
    "xoshiro256 without scrambler": lambda seed: weak(unscrambled, seed),
    "states that are not hashed": lambda seed: unhashed,
}


# ------------------------------------------------------------------------------------------------ the battery
def examine(fill: Callable, words: int) -> dict[str, dict[str, float]]:
    """The p-value of every test on a source, and the words that the test saw."""
    if words < PIECE or words % PIECE:
        raise ValueError(f"words must be a multiple of {PIECE}, got {words}")
    buffer = np.empty(PIECE, np.uint64)
    counts = [np.zeros(test.cells, np.int64) for test in TESTS]
    seen = [min(words // PIECE, test.most or words // PIECE) for test in TESTS]
    for piece in range(words // PIECE):
        fill(piece * PIECE, buffer)
        for test, cells, most in zip(TESTS, counts, seen, strict=True):
            for begin in range(0, PIECE if piece < most else 0, test.size):
                test.add(buffer[begin:begin + test.size], cells)
    return {name: {"p": p, "words": most * READ.get(name.partition(" of bit ")[0], PIECE)}
            for test, cells, most in zip(TESTS, counts, seen, strict=True)
            for name, p in test.p(cells, most * PIECE).items()}


def suspicious(p: float, tests: int, alpha: float) -> bool:
    """Whether one of so many p-values is too close to 0 or to 1 for a false-alarm rate of all of them together."""
    return not alpha / (2 * tests) <= p <= 1.0 - alpha / (2 * tests)


def judge(found: dict[str, dict[str, dict[str, float]]], alpha: float = ALPHA) -> dict:
    """Which tests failed, and whether all p-values together are uniform (Kolmogorov and Smirnov)."""
    p = [row["p"] for rows in found.values() for row in rows.values()]
    failed = [f"{source}: {name}" for source, rows in found.items() for name, row in rows.items()
              if suspicious(row["p"], len(p), alpha)]
    uniform = float(stats.kstest(p, "uniform").pvalue)
    return {"p_values": len(p), "smallest": min(p), "largest": max(p), "alpha": alpha, "failed": failed,
            "uniformity_p": uniform, "passed": not failed and uniform >= alpha}


def failures(rows: dict[str, dict[str, float]], alpha: float = ALPHA) -> list[str]:
    """The tests that one source fails."""
    return [name for name, row in rows.items() if suspicious(row["p"], len(rows), alpha)]


def main(settings: Settings) -> None:
    begin, found = time.perf_counter(), {}
    for name, source in SOURCES.items():
        start = time.thread_time()
        words = settings.addresses if name.startswith("first") else settings.words
        found[name] = examine(source(settings.seed), words)
        print(f"{name:<32}2^{math.log2(words):.0f} words, {time.thread_time() - start:.0f} s, "
              f"fails {failures(found[name]) or 'nothing'}", flush=True)
    power = {}
    for name, source in WEAK.items():
        power[name] = failures(examine(source(settings.seed), settings.weak_words))
        print(f"{name:<32}fails {len(power[name])} of {len(found['one stream'])}")
    verdict = judge(found)
    record = {"sources": found, "verdict": verdict, "weak": {"words": settings.weak_words, "failed": power},
              "seed": settings.seed, "processor": processor(),
              "provenance": provenance(time.perf_counter() - begin)}
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_whole(RESULTS / "streams.json", canonical(record).encode())
    print(f"\n{verdict['p_values']} p-values from {verdict['smallest']:.2g} to {verdict['largest']:.6f}, uniform with "
          f"p = {verdict['uniformity_p']:.3f}: {'passed' if verdict['passed'] else 'FAILED'}")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
