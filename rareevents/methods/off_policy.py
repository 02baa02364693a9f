"""What a policy is worth, from the paths of another: four estimators of the expected sum of rewards along a path."""
from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rareevents.paths.graph import Graph
from rareevents.paths.trace import Trace


class Value(NamedTuple):
    """An estimate with its standard error."""

    value: float
    std_error: float


class OffPolicy(NamedTuple):
    """The four estimates."""

    ordinary: Value               # the whole path's weight times the whole sum
    per_decision: Value           # each reward times the weight up to it
    weighted: Value               # the same with weights that sum to 1: a small bias, and no wild weight
    doubly_robust: Value          # a model's value, corrected by the weighted differences to it


def off_policy(g: Graph, trace: Trace, p: np.ndarray, q: np.ndarray, reward: np.ndarray,
               model: np.ndarray | None = None) -> OffPolicy:
    """Estimate E_p[sum of rewards] from paths that were drawn by q.

    Parameters
    ----------
    g : Graph
        With a number of steps.
    trace : Trace
        Paths drawn by q (`paths.trace.traced`).
    p, q : array of float, shape (steps or 1, nodes, moves)
        The probabilities of the moves that are evaluated, and of those that drew the paths.
    reward : array of float, shape (nodes,)
        What a path gets on entering a node.
    model : array of float, shape (steps + 1, nodes), optional
        An approximate value of being at a node at a time, such as a coarse model's; default 0. The doubly robust
        estimate is unbiased with any.

    Source: Precup, Sutton and Singh (2000), ICML 17, 759; Jiang and Li (2016), ICML 33, 652, equation 9.

    >>> from rareevents import MarkovChain, visits
    >>> from rareevents.paths.graph import YES, graph
    >>> from rareevents.paths.trace import traced
    >>> from rareevents.proposals import feedback
    >>> month, event = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30), visits(1) >= 20
    >>> g, q = graph(month, event), feedback(month, event).law.table
    >>> paths = traced(g, q, 1000, np.random.default_rng(1))
    >>> reward = np.where(np.arange(len(g.to)) == YES, 1.0, 0.0)          # the sum of rewards: 1 if the event happens
    >>> found = off_policy(g, paths, g.p[None], q, reward).per_decision
    >>> abs(found.value - 1.0395e-4) < 4.0 * found.std_error
    True
    """
    n, steps = trace.moves.shape
    v = np.zeros((steps + 1, len(g.to))) if model is None else model
    weight, gain = np.ones((n, steps)), np.zeros((n, steps))
    ahead, behind = np.zeros((n, steps)), np.zeros((n, steps))
    log_w = np.zeros(n)
    for t in range(steps):
        going = np.flatnonzero(trace.moves[:, t] >= 0)
        node, move = trace.nodes[going, t], trace.moves[going, t]
        now, other = p[t if len(p) > 1 else 0], q[t if len(q) > 1 else 0]
        with np.errstate(divide="ignore"):
            log_w[going] += np.log(now[node, move]) - np.log(other[node, move])
        weight[:, t] = np.exp(log_w)
        gain[going, t] = reward[trace.nodes[going, t + 1]]
        behind[going, t] = gain[going, t] + v[t + 1, trace.nodes[going, t + 1]]
        expected = np.sum(now * (reward[g.to] + v[t + 1][g.to]), axis=1)
        ahead[going, t] = expected[node]
    before = np.concatenate([np.ones((n, 1)), weight[:, :-1]], axis=1)
    decided = np.sum(weight * gain, axis=1)
    shares = weight / np.mean(weight, axis=0)
    relative = np.sum(shares * gain, axis=1)
    mean = float(np.mean(relative))
    spread = np.sum(shares * (gain - np.mean(shares * gain, axis=0)), axis=1)
    robust = np.sum(before * ahead - weight * (behind - gain), axis=1)
    return OffPolicy(_of(weight[:, -1] * gain.sum(axis=1)), _of(decided),
                     Value(mean, float(np.std(spread)) / math.sqrt(n)), _of(robust))


def _of(terms: np.ndarray) -> Value:
    return Value(float(np.mean(terms)), float(np.std(terms, ddof=1)) / math.sqrt(len(terms)))
