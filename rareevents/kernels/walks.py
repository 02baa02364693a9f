"""The kernel templates of paths: a chunk of weighted paths, over the tables of a graph or step by step.

Over a graph, paths of a block take their steps together: each waits for its own table look-ups only, and the processor
works on the others meanwhile. An entry of the table is the packed word of the alias method and, beside it, the bits of
log p/q of that move, so that both come from one line of the cache.

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
from rareevents.kernels.bits import as_float
from rareevents.kernels.chunks import NO_MARK, is_boolean
from rareevents.kernels.records import own
from rareevents.kernels.streams import Rng, address, new_rng, word, xoshiro
from rareevents.kernels.sums import OK, settle

U = np.uint64
LOOKS = 64                    # steps between two looks at whether all paths are decided


def along(rng: Rng, g: tuple[Any, ...], m: int, w: np.ndarray, y: np.ndarray, node: np.ndarray, alive: np.ndarray,
          which: np.ndarray, logs: np.ndarray) -> int: ...    # a role
def walk(p: tuple[Any, ...], q: tuple[Any, ...], e: tuple[Any, ...], rng: Rng, limit: int, w: np.ndarray, y: np.ndarray,
         i: int) -> int: ...    # a role


def graph_chunk(seed: np.uint64, stage: np.uint32, chunk: np.uint64, n: int, g: tuple[Any, ...], w: np.ndarray,
                v: np.ndarray, y: np.ndarray, node: np.ndarray, alive: np.ndarray, which: np.ndarray, logs: np.ndarray,
                counts: np.ndarray, terms: np.ndarray, weights: np.ndarray, largest: np.ndarray,
                status: np.ndarray) -> np.uint64:
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
            return NO_MARK
        done += m
    return xoshiro(rng)


def path_chunk(seed: np.uint64, stage: np.uint32, chunk: np.uint64, n: int, p: tuple[Any, ...], q: tuple[Any, ...],
               e: tuple[Any, ...], limit: int, w: np.ndarray, v: np.ndarray, y: np.ndarray, counts: np.ndarray,
               terms: np.ndarray, weights: np.ndarray, largest: np.ndarray, status: np.ndarray) -> np.uint64:
    """A chunk of paths, one after another, step by step."""
    rng = new_rng()
    address(rng, seed, stage, chunk)
    p_lent, q_lent, e_lent = p._borrow(), q._borrow(), e._borrow()
    done = np.int64(0)
    while done < n:
        m = min(n - done, len(w))
        status[1] = m
        for i in range(m):
            found = walk(p_lent, q_lent, e_lent, rng, limit, w, y, i)
            status[2] = found >> 1
            status[3] += found & 1
        status[0] = settle(done, m, w, v, y, counts, terms, weights, largest)
        if status[0] != OK or status[3] > 0:
            return NO_MARK
        done += m
    return xoshiro(rng)


# ------------------------------------------------------------------------------------------------ roles
def along_graph(rng: Rng, g: tuple[Any, ...], m: int, w: np.ndarray, y: np.ndarray, node: np.ndarray, alive: np.ndarray,
                which: np.ndarray, logs: np.ndarray) -> int:
    """m paths: their log weights in w, the integrand in y. Returns how many were undecided at the end."""
    lent = g._borrow()                                    # unsigned indices are not checked for counting from the end
    to, table = lent.to, lent.table
    components = len(lent.shares)
    cells, layer = U(lent.cells), U(2 * lent.cells * lent.nodes)
    mask = cells - U(1)
    for i in range(m):
        node[i] = U(lent.root)
        alive[i] = U(i)
        which[i] = U(alias_row(rng, lent.chosen, 0) * lent.times) * layer if components > 1 else U(0)
        for j in range(components):
            logs[j, i] = 0.0
    left = m
    for time in range(lent.steps):
        now = U(time) * layer if lent.times > 1 else U(0)
        if components > 1:
            left = step_each(rng, m, now, cells, mask, U(lent.times) * layer, to, table, node, which, logs)
        elif lent.endless:
            left = step_alive(rng, left, now, cells, mask, to, table, node, alive, logs[0])
        else:
            step_all(rng, m, now, cells, mask, to, table, node, logs[0])
            if time % LOOKS == LOOKS - 1:
                left = open_paths(m, node)
        if left == 0:
            break
    undecided = 0
    for i in range(m):
        undecided += 1 if node[i] > U(1) else 0
        y[0, i] = lent.value[np.int64(node[i])]
        w[i] = logs[0, i] if components == 1 else mixed(lent.shares, logs, i)
    return undecided if lent.endless else 0


def open_paths(m: int, node: np.ndarray) -> int:
    """How many paths are not decided."""
    left = 0
    for i in range(m):
        left += 1 if node[i] > U(1) else 0
    return left


def step_all(rng: Rng, m: int, now: np.uint64, cells: np.uint64, mask: np.uint64, to: np.ndarray, table: np.ndarray,
             node: np.ndarray, logs: np.ndarray) -> None:
    """One step of every path; those that are decided stay where they are, which is faster than to ask."""
    for i in range(m):
        place = node[i] * cells
        row = now + place + place
        drawn = word(rng)
        cell = drawn & mask
        packed = table[row + cell + cell]
        move = cell if (drawn | mask) < (packed | mask) else packed & mask
        logs[i] += as_float(table[row + move + move + U(1)])
        node[i] = to[place + move]


def step_alive(rng: Rng, left: int, now: np.uint64, cells: np.uint64, mask: np.uint64, to: np.ndarray,
               table: np.ndarray, node: np.ndarray, alive: np.ndarray, logs: np.ndarray) -> int:
    """One step of every path that goes on; returns how many still do."""
    kept = U(0)
    for a in range(left):
        i = alive[a]
        place = node[i] * cells
        row = now + place + place
        drawn = word(rng)
        cell = drawn & mask
        packed = table[row + cell + cell]
        move = cell if (drawn | mask) < (packed | mask) else packed & mask
        logs[i] += as_float(table[row + move + move + U(1)])
        at = to[place + move]
        node[i] = at
        alive[kept] = i
        kept += U(1) if at > U(1) else U(0)
    return np.int64(kept)


def step_each(rng: Rng, m: int, now: np.uint64, cells: np.uint64, mask: np.uint64, component: np.uint64, to: np.ndarray,
              table: np.ndarray, node: np.ndarray, which: np.ndarray, logs: np.ndarray) -> int:
    """One step of every path, with the weight of each component of a mixture; `component` apart in the table.

    Returns how many paths go on.
    """
    left = 0
    for i in range(m):
        place = node[i] * cells
        row = now + place + place
        drawn = word(rng)
        cell = drawn & mask
        packed = table[which[i] + row + cell + cell]
        move = cell if (drawn | mask) < (packed | mask) else packed & mask
        entry = row + move + move + U(1)
        for j in range(len(logs)):
            logs[j, i] += as_float(table[entry])
            entry += component
        node[i] = to[place + move]
        left += 1 if node[i] > U(1) else 0
    return left


def mixed(shares: np.ndarray, logs: np.ndarray, i: int) -> float:
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


def walker(p_functions: Any, q_functions: Any, weighed: bool, steps_weighed: bool, asked: Any,
           endless: bool) -> Callable[..., Any]:
    """One path: its log weight to w[i], the integrand to y[0, i].

    Returns 1 if it was undecided at the end, and 2 more if the integrand's type is bool.
    """
    begin, step, log_q, log_first_q = q_functions
    _, _, log_p, log_first_p = p_functions
    start, update, decide, value = asked.start, asked.update, asked.decide, asked.value

    def no_ratio(p, q, state, new):
        return 0.0

    def no_first(p, q, state):
        return 0.0

    def log_first(p, q, state):
        return log_first_p(p, state) - log_first_q(q, state)

    def log_ratio(p, q, state, new):
        return log_p(p, state, new) - log_q(q, state, new)

    def all_left(limit, time):
        return 1e18

    def some_left(limit, time):
        return float(limit - time)
    ratio = log_ratio if steps_weighed else no_ratio
    first = log_first if weighed and log_first_p is not None and log_first_q is not None else no_first
    left = all_left if endless else some_left

    def one(p, q, e, rng, limit, w, y, i):
        state = own(begin(q, rng))
        accumulated = start(e, state)
        total = first(p, q, state)
        time = np.int64(0)
        while time < limit and decide(e, accumulated, state, left(limit, time)) < 0:
            new = step(q, state, rng)
            total += ratio(p, q, state, new)
            time += 1
            accumulated = update(e, accumulated, time, new)
            state = new
        w[i] = total
        answer = value(e, accumulated, state)
        y[0, i] = answer
        kind = 2 if is_boolean(answer) else 0
        return kind + (1 if endless and decide(e, accumulated, state, 1e18) < 0 else 0)
    return one
