"""The kernel template of splitting: one run of a population of paths.

Generalised adaptive multilevel splitting (Brehier, Gazeau, Goudenege, Lelievre and Rousset 2016): while a path has not
happened, all whose highest level is the lowest of all are replaced by copies of others, which branch off where the
other first went above that level. The estimate, the product of the shares that survived times the share that happened,
is unbiased for any progress function and any number of paths, with ties.

Arguments: the stream's address; p, e, records of the process and the event; levels, the progress at which a level
begins; n paths of at most `limit` steps; out[0..5]: the log of the product of the shares that survived, paths that
happened, rounds, steps made, paths started, the highest level that all paths together reached.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.kernels.streams import address, new_rng


def split(rng, p, e, levels, n, limit, out): ...                                   # noqa: D103  (a role)


def split_run(seed, stage, replicate, p, e, levels, n, limit, out):
    """One run, with the stream of its replicate."""
    rng = new_rng()
    address(rng, seed, stage, replicate)
    split(rng, p, e, levels, n, limit, out)


def splitter(begin: Callable, step: Callable, asked: Any, height: Callable, endless: bool) -> Callable:
    """The role `split`."""
    start, update, decide = asked.start, asked.update, asked.decide

    def all_left(limit, time):
        return 1e18

    def some_left(limit, time):
        return float(limit - time)
    left = all_left if endless else some_left

    def level_of(e, accumulated, time, state, first, limit, levels):
        """The number of levels that are reached; the last only where the event has happened."""
        if decide(e, accumulated, state, left(limit, time)) == 1:
            return len(levels) + 1
        at = height(e, accumulated, time, state, first, limit)
        low, high = np.int64(0), np.int64(len(levels))
        while low < high:
            middle = (low + high) // 2
            if levels[middle] <= at:
                low = middle + 1
            else:
                high = middle
        return low

    def follow(rng, p, e, levels, limit, entrances, i, state, accumulated, time, first, reached):
        """Run a path to its end; keep where it first enters each level. Returns the highest level and the steps."""
        width = len(levels) + 2
        began = time
        while time < limit and decide(e, accumulated, state, left(limit, time)) < 0:
            state = step(p, state, rng)
            time += 1
            accumulated = update(e, accumulated, time, state)
            now = level_of(e, accumulated, time, state, first, limit, levels)
            while reached < now:
                reached += 1
                entrances[i * width + reached] = (state, accumulated, time)
        return reached, time - began

    def split(rng, p, e, levels, n, limit, out):
        width = len(levels) + 2
        top = width - 1
        first = begin(p, rng)
        zero = np.int64(0)
        entrances = [(first, start(e, first), zero)] * (n * width)
        highest = np.zeros(n, np.int64)
        steps = np.int64(0)
        for i in range(n):
            state = begin(p, rng)
            accumulated = start(e, state)
            base = level_of(e, accumulated, zero, state, state, limit, levels)
            for k in range(base + 1):
                entrances[i * width + k] = (state, accumulated, zero)
            highest[i], made = follow(rng, p, e, levels, limit, entrances, i, state, accumulated, zero, state, base)
            steps += made
        log_share = 0.0
        rounds, started = 0, n
        furthest = np.max(highest)
        alive = np.empty(n, np.int64)
        while True:
            lowest = np.min(highest)
            if lowest >= top:
                break
            count = 0
            for i in range(n):
                if highest[i] > lowest:
                    alive[count] = i
                    count += 1
            if count == 0:
                log_share = -math.inf
                break
            log_share += math.log(count / n)
            rounds += 1
            for i in range(n):
                if highest[i] > lowest:
                    continue
                other = alive[min(count - 1, np.int64(rng.random() * count))]
                for k in range(lowest + 2):
                    entrances[i * width + k] = entrances[other * width + k]
                state, accumulated, time = entrances[other * width + lowest + 1]
                origin = entrances[other * width][0]
                now = level_of(e, accumulated, time, state, origin, limit, levels)
                for k in range(lowest + 2, now + 1):
                    entrances[i * width + k] = (state, accumulated, time)
                highest[i], made = follow(rng, p, e, levels, limit, entrances, i, state, accumulated, time, origin, now)
                steps += made
                started += 1
                furthest = max(furthest, highest[i])
        happened = 0
        for i in range(n):
            happened += 1 if highest[i] >= top else 0
        out[0], out[1], out[2], out[3], out[4], out[5] = log_share, happened, rounds, steps, started, furthest
    return split
