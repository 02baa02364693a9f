"""The kernel template of splitting: one run of a population of paths.

Generalised adaptive multilevel splitting (Brehier, Gazeau, Goudenege, Lelievre and Rousset 2016): while a path has not
happened, all whose highest level is the lowest of all are replaced by copies of others, which branch off where the
other first went above that level. The estimate, the product of the shares that survived times the share that happened,
is unbiased for any progress function and any number of paths, with ties.

Arguments: the stream's address; p, e, records of the process and the event; levels, the progress at which a level
begins; n paths of at most `limit` steps; out[0..5]: the log of the product of the shares that survived, paths that
happened, rounds, steps made, paths started, paths that were undecided after `limit` steps: without a number of steps
the first of them ends the run.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.kernels.records import own
from rareevents.kernels.streams import Rng, address, new_rng, word

U = np.uint64


def split(rng: Rng, p: tuple[Any, ...], e: tuple[Any, ...], levels: np.ndarray, n: int, limit: int,
          out: np.ndarray) -> None: ...    # a role


def split_run(seed: np.uint64, stage: np.uint32, replicate: np.uint64, p: tuple[Any, ...], e: tuple[Any, ...],
              levels: np.ndarray, n: int, limit: int, out: np.ndarray) -> None:
    """One run, with the stream of its replicate."""
    rng = new_rng()
    address(rng, seed, stage, replicate)
    split(rng, p._borrow(), e._borrow(), levels, n, limit, out)


def graph_run(seed: np.uint64, stage: np.uint32, replicate: np.uint64, to: np.ndarray, table: np.ndarray, cells: int,
              level: np.ndarray, final: np.ndarray, root: int, n: int, limit: int, top: int, out: np.ndarray) -> None:
    """One run over a graph: `level` of each node, `final` with the last step; `to` and `table` as in `walks`."""
    rng = new_rng()
    address(rng, seed, stage, replicate)
    split(rng, to, table, U(cells), level, final, U(root), n, limit, top, out)


def split_graph(rng: Rng, to: np.ndarray, table: np.ndarray, cells: np.uint64, level: np.ndarray, final: np.ndarray,
                root: np.uint64, n: int, limit: int, top: int, out: np.ndarray) -> None:
    """The role `split` over a graph; paths of a round take their steps together, as in `walks`."""
    width = top + 1
    entered, since = np.empty(n * width, np.uint64), np.empty(n * width, np.int64)
    node, time = np.empty(n, np.uint64), np.empty(n, np.int64)
    highest, who = np.empty(n, np.int64), np.empty(n, np.int64)
    alive = np.empty(n, np.int64)
    for i in range(n):
        highest[i] = level[np.int64(root)]
        for k in range(highest[i] + 1):
            entered[i * width + k] = root
            since[i * width + k] = 0
        node[i], time[i], who[i] = root, 0, i
    steps, open_ = follow(rng, to, table, cells, level, final, limit, width, n, who, node, time, highest, entered,
                          since)
    log_share = 0.0
    rounds, started = 0, n
    while True:
        lowest = np.min(highest)
        if lowest >= top:
            break
        count = dead = 0
        for i in range(n):
            if highest[i] > lowest:
                alive[count] = i
                count += 1
            else:
                who[dead] = i
                dead += 1
        if count == 0:
            break                                          # extinct: nobody is above the lowest level
        log_share += math.log(count / n)
        rounds += 1
        for d in range(dead):
            i, other = who[d], alive[min(count - 1, np.int64(rng.random() * count))]
            for k in range(lowest + 2):
                entered[i * width + k] = entered[other * width + k]
                since[i * width + k] = since[other * width + k]
            node[i], time[i] = entered[i * width + lowest + 1], since[i * width + lowest + 1]
            now = level[np.int64(node[i])] if time[i] < limit else final[np.int64(node[i])]
            highest[i] = max(now, lowest + 1)
            for k in range(lowest + 2, highest[i] + 1):
                entered[i * width + k] = node[i]
                since[i * width + k] = time[i]
        more, undecided = follow(rng, to, table, cells, level, final, limit, width, dead, who, node, time, highest,
                                 entered, since)
        steps += more
        open_ += undecided
        started += dead
    happened = 0
    for i in range(n):
        happened += 1 if highest[i] >= top else 0
    out[0], out[1], out[2], out[3], out[4], out[5] = log_share, happened, rounds, steps, started, open_


def follow(rng: Rng, to: np.ndarray, table: np.ndarray, cells: np.uint64, level: np.ndarray, final: np.ndarray,
           limit: int, width: int, m: int, who: np.ndarray, node: np.ndarray, time: np.ndarray, highest: np.ndarray,
           entered: np.ndarray, since: np.ndarray) -> tuple[int, int]:
    """Run the m paths of `who` to their ends; keep where they first enter each level.

    Returns the steps made, and how many paths were not decided at the last.
    """
    mask = cells - U(1)
    left, steps, open_ = 0, 0, 0
    for a in range(m):
        i = who[a]
        if node[i] > U(1) and time[i] < limit:
            who[left] = i
            left += 1
    while left > 0:
        kept = 0
        steps += left
        for a in range(left):
            i = who[a]
            place = node[i] * cells
            drawn = word(rng)
            packed = table[place + (drawn & mask)]
            move = drawn & mask if (drawn | mask) < (packed | mask) else packed & mask
            at = to[place + move]
            node[i] = at
            time[i] += 1
            now = level[np.int64(at)] if time[i] < limit else final[np.int64(at)]
            while highest[i] < now:
                highest[i] += 1
                entered[i * width + highest[i]] = at
                since[i * width + highest[i]] = time[i]
            who[kept] = i
            kept += 1 if at > U(1) and time[i] < limit else 0
            open_ += 1 if at > U(1) and time[i] >= limit else 0
        left = kept
    return steps, open_


def leveller(decide: Callable[..., Any], height: Callable[..., Any],
             endless: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The level of a path, and the steps that it has left, as functions to compile."""
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
    return level_of, left


def splitter(begin: Callable[..., Any], step: Callable[..., Any], asked: Any, height: Callable[..., Any],
             endless: bool) -> Callable[..., Any]:
    """The role `split`."""
    start, update, decide = asked.start, asked.update, asked.decide
    level_of, left = leveller(decide, height, endless)

    def follow(rng, p, e, levels, limit, entrances, i, state, accumulated, time, first, reached):
        """Run a path to its end; keep where it first enters each level.

        Returns the highest level, the steps, and whether it is not decided even then.
        """
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
        return reached, time - began, endless and decide(e, accumulated, state, left(limit, time)) < 0

    def split(rng, p, e, levels, n, limit, out):
        width = len(levels) + 2
        top = width - 1
        first = own(begin(p, rng))
        zero = np.int64(0)
        entrances = [(first, start(e, first), zero)] * (n * width)
        highest = np.zeros(n, np.int64)
        steps = np.int64(0)
        for i in range(n):
            state = own(begin(p, rng))
            accumulated = start(e, state)
            base = level_of(e, accumulated, zero, state, state, limit, levels)
            for k in range(base + 1):
                entrances[i * width + k] = (state, accumulated, zero)
            highest[i], made, open_ = follow(rng, p, e, levels, limit, entrances, i, state, accumulated, zero, state,
                                             base)
            steps += made
            if open_:
                out[5] = 1
                return
        log_share = 0.0
        rounds, started = 0, n
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
                break                                      # extinct: nobody is above the lowest level
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
                highest[i], made, open_ = follow(rng, p, e, levels, limit, entrances, i, state, accumulated, time,
                                                 origin, now)
                steps += made
                if open_:
                    out[5] = 1
                    return
                started += 1
        happened = 0
        for i in range(n):
            happened += 1 if highest[i] >= top else 0
        out[0], out[1], out[2], out[3], out[4] = log_share, happened, rounds, steps, started
    return split
