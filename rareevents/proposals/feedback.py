"""Proposals that see where a path is: at every time, state and count they aim at what is still needed.

A plan that is made beforehand, even one with a matrix of its own for every day, keeps a relative variance that feedback
divides by ten.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.designs import Design
from rareevents.paths.graph import NO
from rareevents.processes import Process
from rareevents.proposals.additive import Additive
from rareevents.proposals.doob import path_design, require_graph

CORRECTION = 0.25             # of the need, in units of the score: a lattice is overshot, never hit from below


def feedback(process: Process, event: Any, correction: float = CORRECTION) -> Design:
    """At every time, state and count, the tilt whose mean is what is still needed; nominal once the event happened.

    Parameters
    ----------
    process : Process
        A law of paths with finitely many states and a number of steps.
    event : event
        A level of visits(...) or total.
    correction : float
        Added to what is needed, in units of the score.

    Raises
    ------
    ValueError
        If the event is not of that kind or cannot happen.

    Source: Dupuis and Wang, Importance sampling, large deviations and differential games (2004), Stochastics 76.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> round(feedback(month, visits(1) >= 20).relative_variance, 3)
    0.407
    """
    sums = Additive(process, event)
    require_graph(process, event)
    if not isinstance(correction, (int, float)) or isinstance(correction, bool) or not math.isfinite(correction):
        raise ValueError(f"correction must be a finite number, got {correction!r}")
    log_u, added = sums.log_u
    at, state, need = sums.nodes
    moved = sums.state_of_moves()

    def log_next(time: int, to: np.ndarray) -> np.ndarray:
        """theta c(j) + log u_(t+1)(theta, j) at theta of the node that is left, interpolated between the thetas."""
        out = np.zeros(to.shape)
        t = time - 1
        for s in range(len(sums.c)):
            here = at[state == s]
            if not len(here) or t < 0:
                continue
            theta = np.interp(need[state == s] + correction, np.maximum.accumulate(added[t, :, s]), sums.thetas)
            for k in range(to.shape[1]):
                for j in np.unique(moved[here, k]):
                    if j < 0:
                        continue
                    mine = moved[here, k] == j
                    later = np.interp(theta[mine], sums.thetas, log_u[t + 1, :, j])
                    out[here[mine], k] = theta[mine] * sums.c[j] + later
        return out
    table = sums.table(log_next)
    if sums.early():                                       # the move that chooses the state at time 0 has no tilt
        table[0] = _chernoff(sums)[0]
    return path_design(process, event, sums.graph, table,
                       "feedback: at every time, state and count a tilt towards what is still needed")


def chernoff(process: Process, event: Any) -> Design:
    """The Doob transform with Chernoff's bound in place of the probability.

    h(t, s, need) = min over theta >= 0 of E[exp(theta times what is still added) | X_t = s] exp(-theta need).

    Parameters
    ----------
    process, event
        As in `feedback`.

    Raises
    ------
    ValueError
        As in `feedback`.

    Source: as in `feedback`.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> round(chernoff(month, visits(1) >= 20).relative_variance, 3)
    0.45
    """
    sums = Additive(process, event)
    require_graph(process, event)
    return path_design(process, event, sums.graph, _chernoff(sums),
                       "moves by p h with h by Chernoff's bound")


def _chernoff(sums: Additive) -> np.ndarray:
    """The moves of `chernoff`."""
    log_u, _ = sums.log_u
    at, state, need = sums.nodes

    def log_next(time: int, to: np.ndarray) -> np.ndarray:
        log_h = np.zeros(len(sums.graph.to))
        log_h[NO] = -math.inf
        for s in range(len(sums.c)):
            mine = state == s
            if mine.any():
                log_h[at[mine]] = np.min(log_u[time, :, s][None, :] - np.outer(need[mine], sums.thetas), axis=1)
        return log_h[to]
    return sums.table(log_next)
