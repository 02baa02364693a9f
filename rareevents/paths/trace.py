"""Paths over a graph, node by node, for those who want to look at them or to learn from them."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rareevents.paths.graph import NO, Graph


class Trace(NamedTuple):
    """Paths with their moves; after a path is decided its node stays and its moves are -1."""

    nodes: np.ndarray             # int64[path, time]
    moves: np.ndarray             # int64[path, time]: the move from nodes[path, time]
    log_p: np.ndarray             # of each path
    log_q: np.ndarray             # under the table that drew it


def traced(g: Graph, q: np.ndarray, n: int, rng: np.random.Generator) -> Trace:
    """n paths of a table float64[time or 1, node, move] over a graph with a number of steps."""
    if g.steps is None:
        raise ValueError("steps must be a number for paths to be traced, got None")
    nodes, moves = np.empty((n, g.steps + 1), np.int64), np.full((n, g.steps), -1)
    log_p, log_q = np.zeros(n), np.zeros(n)
    nodes[:, 0] = g.root
    for t in range(g.steps):
        now = q[t if len(q) > 1 else 0]
        at = nodes[:, t]
        going = np.flatnonzero(at > NO)
        nodes[:, t + 1] = at
        if not len(going):
            continue
        move = drawn_moves(np.cumsum(now[at[going]], axis=1), rng)
        moves[going, t] = move
        with np.errstate(divide="ignore"):
            log_p[going] += np.log(g.p[at[going], move])
            log_q[going] += np.log(now[at[going], move])
        nodes[going, t + 1] = g.to[at[going], move]
    return Trace(nodes, moves, log_p, log_q)


def drawn_moves(below: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A move of each path, drawn from the sums float64[path, move] of the probabilities up to each move."""
    u = rng.random(len(below))[:, None] * below[:, -1:]
    return np.minimum(np.sum(below <= u, axis=1), below.shape[1] - 1)


def log_table(g: Graph, q: np.ndarray, trace: Trace) -> np.ndarray:
    """log q of each path under a table."""
    total = np.zeros(len(trace.nodes))
    with np.errstate(divide="ignore"):
        logs = np.log(q)
    for t in range(trace.moves.shape[1]):
        going = trace.moves[:, t] >= 0
        total[going] += logs[t if len(q) > 1 else 0][trace.nodes[going, t], trace.moves[going, t]]
    return total

