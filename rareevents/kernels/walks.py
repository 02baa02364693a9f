"""The kernel templates of paths: a chunk of weighted paths, over the tables of a graph or step by step.

Over a graph, paths of a block take their steps together: each waits for its own table look-ups only, and the processor
works on the others meanwhile. Paths that are decided leave the block.

Arguments as in `chunks`, and
    g                      record: the graph's tables, as `tables` lays them out
    node, alive, which     scratch: the node of each path, the paths that go on, the component that each was drawn from
    logs                   scratch [component, path]: log p/q of a path under each component of the proposal
    status                 int64[4]: as in `chunks`, and how many paths were undecided when their steps ended
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.kernels.alias import alias_row
from rareevents.kernels.streams import address, new_rng, word
from rareevents.kernels.sums import OK, settle

U = np.uint64


def along(rng, g, m, w, y, node, alive, which, logs): ...
def walk(p, q, e, rng, limit, w, y, i): ...


def graph_chunk(seed, stage, chunk, n, g, w, v, y, node, alive, which, logs, counts, terms, weights, largest, status):
    """A chunk of paths over a graph."""
    rng = new_rng()
    address(rng, seed, stage, chunk)
    done = np.int64(0)
    while done < n:
        m = min(n - done, len(w))
        status[1] = m
        status[3] += along(rng, g, m, w, y, node, alive, which, logs)
        status[0] = settle(done, m, w, v, y, counts, terms, weights, largest)
        if status[0] != OK or status[3] > 0:
            return
        done += m


def path_chunk(seed, stage, chunk, n, p, q, e, limit, w, v, y, counts, terms, weights, largest, status):
    """A chunk of paths, one after another, step by step."""
    rng = new_rng()
    address(rng, seed, stage, chunk)
    done = np.int64(0)
    while done < n:
        m = min(n - done, len(w))
        status[1] = m
        for i in range(m):
            status[3] += walk(p, q, e, rng, limit, w, y, i)
        status[0] = settle(done, m, w, v, y, counts, terms, weights, largest)
        if status[0] != OK or status[3] > 0:
            return
        done += m


# ------------------------------------------------------------------------------------------------ roles
def along_graph(rng, g, m, w, y, node, alive, which, logs):
    """m paths: their log weights in w, the integrand in y. Returns how many were undecided at the end."""
    components, width = len(g.shares), g.to.shape[1]
    for i in range(m):
        node[i] = g.root
        alive[i] = i
        which[i] = alias_row(rng, g.chosen, 0) if components > 1 else 0
        for j in range(components):
            logs[j, i] = 0.0
    mask = U(width - 1)
    left = m if g.root > 1 else 0
    time = np.int64(0)
    while left > 0 and time < g.steps:
        kept = 0
        now = time if g.times > 1 else 0
        for a in range(left):
            i = alive[a]
            at = node[i]
            row = (which[i] * g.times + now) * len(g.to) + at
            drawn = word(rng)
            cell = drawn & mask
            packed = g.table[row, np.int64(cell)]
            move = np.int64(cell if (drawn | mask) < (packed | mask) else packed & mask)
            if components == 1:
                logs[0, i] += g.ratio[row, move]
            else:
                for j in range(components):
                    logs[j, i] += g.ratio[(j * g.times + now) * len(g.to) + at, move]
            at = g.to[at, move]
            node[i] = at
            alive[kept] = i
            kept += 1 if at > 1 else 0
        left = kept
        time += 1
    for i in range(m):
        y[0, i] = g.value[node[i]]
        w[i] = logs[0, i] if components == 1 else mixed(g.shares, logs, i)
    return left if g.endless else 0


def mixed(shares, logs, i):
    """log p / sum a_j q_j from the logs of p/q_j."""
    most = -np.inf
    for j in range(len(shares)):
        if shares[j] > 0.0:
            most = max(most, -logs[j, i])
    if most == np.inf:                                   # the nominal law cannot draw it
        return -np.inf
    total = 0.0
    for j in range(len(shares)):
        if shares[j] > 0.0:
            total += shares[j] * math.exp(-logs[j, i] - most)
    return -most - math.log(total)


def walker(begin: Callable, step: Callable, log_p: Any, log_q: Any, asked: Any, endless: bool) -> Callable:
    """One path: its log weight to w[i], the integrand to y[0, i]. Returns 1 if it was undecided at the end, else 0."""
    start, update, decide, value = asked.start, asked.update, asked.decide, asked.value

    def no_ratio(p, q, state, new):
        return 0.0

    def log_ratio(p, q, state, new):
        return log_p(p, state, new) - log_q(q, state, new)

    def all_left(limit, time):
        return 1e18

    def some_left(limit, time):
        return float(limit - time)
    ratio = no_ratio if log_q is None else log_ratio
    left = all_left if endless else some_left

    def one(p, q, e, rng, limit, w, y, i):
        state = begin(q, rng)
        accumulated = start(e, state)
        total = 0.0
        time = np.int64(0)
        while time < limit and decide(e, accumulated, state, left(limit, time)) < 0:
            new = step(q, state, rng)
            total += ratio(p, q, state, new)
            time += 1
            accumulated = update(e, accumulated, time, new)
            state = new
        w[i] = total
        y[0, i] = value(e, accumulated, state)
        return 1 if endless and decide(e, accumulated, state, 1e18) < 0 else 0
    return one
