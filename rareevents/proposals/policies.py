"""Logistic policies: moves by p exp(features . coefficients), learned by cross entropy inside a safe mixture.

A policy that learns from its own paths alone is easily wrong in a way that its paths do not show: what it has stopped
drawing, it cannot miss. So every path is drawn from the mixture of the policy with a tilt, whose weight is bounded by
that of the tilt, while it learns and when it is used.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rareevents.designs import Design, Level
from rareevents.distributions.base import require_seed
from rareevents.kernels.stages import POLICY
from rareevents.kernels.streams import python_stream
from rareevents.paths import exact
from rareevents.paths.graph import NO, Graph
from rareevents.paths.steered import PathMixture, Steered
from rareevents.paths.trace import Trace, log_table, traced
from rareevents.processes import Process
from rareevents.proposals.additive import Additive
from rareevents.proposals.path_tilts import horizon_tilt

RIDGE = 1e-5                  # of the squared coefficients, against data with a total weight of 1
STEPS = 80                    # of the optimiser


class Policy:
    """The moves of a graph as a logistic family.

    q(k | t, node) is proportional to p(k | node) exp(features(t, node) . coefficients[k]). The features are, for each
    state: 1, the share of the steps that is left, the share of the level that is needed, what is needed per step left,
    its square, and whether nothing is needed any more.
    """

    def __init__(self, process: Process, event: Any) -> None:
        sums = Additive(process, event)
        self.graph: Graph = sums.graph
        self.features: np.ndarray = _features(sums)           # [time, node, feature]
        self.nodes: tuple[np.ndarray, np.ndarray, np.ndarray] = sums.nodes      # open ones, their states and needs
        with np.errstate(divide="ignore"):
            self.log_p: np.ndarray = np.log(self.graph.p)
        self.shape: tuple[int, int] = (self.features.shape[2], self.graph.p.shape[1])

    def table(self, coefficients: np.ndarray) -> np.ndarray:
        """The probabilities of the moves: [time, node, move]."""
        logs = self.log_p + np.einsum("tnf,fk->tnk", self.features, coefficients)
        logs -= logs.max(axis=2, keepdims=True)
        size = np.exp(logs)
        q = size / size.sum(axis=2, keepdims=True)
        q[:, :NO + 1] = self.graph.p[:NO + 1]
        return q

    def fit(self, weights: np.ndarray, start: np.ndarray | None = None, ridge: float = RIDGE) -> np.ndarray:
        """The coefficients of the largest weighted likelihood; weights[time, node, move] count the moves made.

        The least cross entropy to the law of the weighted paths: a concave problem with one solution.
        """
        from scipy.optimize import minimize
        total = weights.sum()
        if not total > 0.0:
            raise ValueError("weights must have a positive sum: no path counts")
        w = weights / total
        seen = w.sum(axis=2)

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            c = flat.reshape(self.shape)
            q = self.table(c)
            with np.errstate(divide="ignore", invalid="ignore"):
                gain = float(np.sum(np.where(w > 0.0, w * np.log(q), 0.0)))
            slope = np.einsum("tnf,tnk->fk", self.features, w - seen[:, :, None] * q)
            return -gain + ridge * float(np.sum(c * c)), (-slope + 2.0 * ridge * c).ravel()
        first = np.zeros(self.shape) if start is None else start
        found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
        return found.x.reshape(self.shape)

    def counted(self, trace: Trace, weights: np.ndarray) -> np.ndarray:
        """How often each move was made, by paths with weights: [time, node, move]."""
        g = self.graph
        out = np.zeros((trace.moves.shape[1], *g.p.shape))
        for t in range(trace.moves.shape[1]):
            going = trace.moves[:, t] >= 0
            at = trace.nodes[going, t] * g.p.shape[1] + trace.moves[going, t]
            out[t] = np.bincount(at, weights[going], g.p.size).reshape(g.p.shape)
        return out


def _features(sums: Additive) -> np.ndarray:
    g = sums.graph
    steps = int(g.steps or 0)
    at, state, need = sums.nodes
    scale = max(abs(sums.level), 1.0)
    out = np.zeros((steps, len(g.to), 6 * len(sums.states)))
    for t in range(steps):
        left = max(steps - t, 1)
        pace = np.clip(need / left / float(np.max(np.abs(sums.c))), 0.0, 1.5)
        basis = np.stack([np.ones(len(need)), np.full(len(need), left / steps), need / scale, pace, pace ** 2,
                          (need <= 0.0).astype(float)], axis=1)
        for j in range(6):
            out[t, at, 6 * state + j] = basis[:, j]
    return out


def policy(process: Process, event: Any, *, paths: int = 6000, rounds: int = 4, alpha: float = 0.1,
           seed: int = 0) -> Design:
    """A logistic policy learned by cross entropy, in a mixture with a tilt that bounds its weight.

    Each round draws paths from alpha q_tilt + (1 - alpha) q_policy and fits the policy to all paths so far, each with
    its weight p/q for the mixture that drew it. The result is the mixture, whose weight is at most that of the tilt
    over alpha: proven, whatever was learned.

    Parameters
    ----------
    process : Process
        A law of paths with finitely many states and a number of steps.
    event : event
        A level of visits(...) or total.
    paths : int
        Drawn for learning, in all rounds together.
    rounds : int
        At least 1; the first draws from the tilt alone.
    alpha : float
        Share of the tilt, in (0, 1).
    seed : int
        Of the paths that are drawn.

    Raises
    ------
    ValueError
        If an argument breaks its rule, or the event cannot happen.

    Source: Rubinstein and Kroese, The Cross-Entropy Method (2004), section 3.2, for the fit; Owen and Zhou (2000), JASA
    95, 135, for the mixture.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> policy(month, visits(1) >= 20).variance_bound < 1.0                                 # doctest: +SKIP
    True
    """
    require_seed(seed)
    for name, number in (("paths", paths), ("rounds", rounds)):
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {number!r}")
    if not isinstance(alpha, (int, float)) or isinstance(alpha, bool) or not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must be a number in (0, 1), got {alpha!r}")
    tilted = horizon_tilt(process, event)
    family = Policy(process, event)
    g, tilt_table = family.graph, tilted.law.table
    coefficients: np.ndarray | None = None
    weights = np.zeros((int(g.steps or 0), *g.p.shape))
    levels = []
    each = -(-paths // rounds)
    for r in range(rounds):
        table = tilt_table if coefficients is None else family.table(coefficients)
        shares = (1.0, 0.0) if coefficients is None else (alpha, 1.0 - alpha)
        trace, w = safe_paths(g, (tilt_table, table), shares, each, seed, r)
        hit = trace.nodes[:, -1] == 0
        levels.append(Level(0.0, _mixture(process, event, g, tilted, table, alpha) if r else tilted.law,
                            int(hit.sum()), _effective(w * hit)))
        weights += family.counted(trace, w * hit)
        coefficients = family.fit(weights, coefficients)
    assert coefficients is not None
    table = family.table(coefficients)
    law = _mixture(process, event, g, tilted, table, alpha)
    alone = exact.grade(g, table)
    bound = min((tilted.bound or math.inf) / alpha, alone.largest / (1.0 - alpha))
    known = (float(tilted.relative_variance or math.inf) + 1.0) / alpha - 1.0
    return Design(law, f"a logistic policy learned from {each * rounds:,} paths, mixed with {alpha:g} of a tilt",
                  bound=bound, variance_bound=min(known, (alone.relative_variance + 1.0) / (1.0 - alpha) - 1.0),
                  learning=each * rounds, levels=tuple(levels))


def safe_paths(g: Graph, tables: Sequence[np.ndarray], shares: Sequence[float], n: int, seed: int,
               turn: int) -> tuple[Trace, np.ndarray]:
    """n paths from a mixture of tables, and their weights p/q."""
    rng = python_stream(seed, POLICY[turn])
    counts = rng.multinomial(n, shares)
    parts = [traced(g, table, int(count), rng) for table, count in zip(tables, counts, strict=True) if count]
    trace = Trace(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    logs = [math.log(share) + log_table(g, table, trace) for table, share in zip(tables, shares, strict=True) if share]
    log_q = np.logaddexp.reduce(np.array(logs), axis=0)
    return trace._replace(log_q=log_q), np.exp(trace.log_p - log_q)


def _mixture(process: Process, event: Any, g: Graph, tilted: Design, table: np.ndarray, alpha: float) -> PathMixture:
    return PathMixture((Steered(process, tilted.law.event, tilted.law.table, g), Steered(process, event, table, g)),
                       (alpha, 1.0 - alpha))


def _effective(w: np.ndarray) -> float:
    squares = float(np.sum(w * w))
    return float(np.sum(w)) ** 2 / squares if squares > 0.0 else 0.0
