"""Exact answers over a graph: the value, what a proposal costs, where paths go, and the ideal proposal.

Everything is relative to the Doob transform d = p h'/h, the law of paths given the event: h is the expectation of the
integrand from a node on. With v a proposal's relative variance from a node on,

    v = sum (d - q)^2 / q + sum d^2/q v'

has positive terms only, so that a variance of 1e-12 is as exact as one of 10. Sums run backwards over the steps;
without a number of steps they are sparse linear systems.
"""
from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rareevents.paths.graph import NO, YES, Graph, reaching

MOST_ENTRIES = 50_000_000     # of a table of nodes at all times
MANY, DENSE = 20_000, 400     # steps from which on, and nodes up to which, the moves are squared
ROUNDING = 1e-13              # of a sum of logarithms along a cycle that gains nothing


class Grade(NamedTuple):
    """What one path of a proposal is worth."""

    value: float                  # mu
    relative_variance: float
    kl: float                     # KL(q*||q) in nats
    largest: float                # supremum of f p/q
    steps: float                  # expected steps of a path of q


def log_h(g: Graph) -> np.ndarray:
    """log of the expected integrand from a node on: [time, node] with times 0, ..., steps, or [node] without steps."""
    if np.any(g.value < 0.0):
        raise ValueError("f must be at least 0 on every path for the ideal proposal")
    with np.errstate(divide="ignore"):
        log_p, last = np.log(g.p), np.log(g.value)
    if g.steps is None:
        with np.errstate(divide="ignore"):
            return np.log(hitting(g))
    if g.steps * len(g.to) > MOST_ENTRIES:
        raise ValueError(f"steps must be at most {MOST_ENTRIES // len(g.to):,} for a table of {len(g.to):,} nodes at "
                         f"all times, got {g.steps:,}")
    out = np.empty((g.steps + 1, len(g.to)))
    out[-1] = last
    for t in range(g.steps - 1, -1, -1):
        out[t] = _log_sums(log_p + out[t + 1][g.to])
    return out


def value(g: Graph) -> float:
    """mu, also where f is negative."""
    if g.steps is not None and g.steps > MANY and len(g.to) <= DENSE:
        return _after_many(g)
    if np.all(g.value >= 0.0):
        found = log_h(g)
        return float(np.exp(found[0, g.root] if g.steps is not None else found[g.root]))
    if g.steps is None:
        raise ValueError("steps must be a number where f can be negative, got None")
    now = g.value
    for _ in range(g.steps):
        now = np.sum(g.p * now[g.to], axis=1)
    return float(now[g.root])


def _after_many(g: Graph) -> float:
    """mu after many steps, by squares of the matrix of moves, which holds nothing negative."""
    n = len(g.to)
    power = np.zeros((n, n))
    np.add.at(power, (np.repeat(np.arange(n), g.to.shape[1]), g.to.ravel()), g.p.ravel())
    now, left = g.value, int(g.steps)                                                       # type: ignore[arg-type]
    while left:
        if left & 1:
            now = power @ now
        left >>= 1
        power = power @ power if left else power
    return float(now[g.root])


def hitting(g: Graph) -> np.ndarray:
    """The probability of node 0 from every node, of paths without a number of steps: h = p h."""
    from scipy.sparse import csr_array, identity
    from scipy.sparse.linalg import spsolve
    n = len(g.to)
    if not np.all(reaching(g.to, g.p, [YES, NO])):
        raise ValueError("steps must be a number for a question that some paths never decide, got None")
    possible = reaching(g.to, g.p, [YES])
    inner = np.flatnonzero(possible & (np.arange(n) > NO))
    h = np.zeros(n)
    h[YES] = 1.0
    if not len(inner):
        return h
    at = np.full(n, -1)
    at[inner] = np.arange(len(inner))
    rows = np.repeat(at[inner], g.to.shape[1])
    to, p = g.to[inner].ravel(), g.p[inner].ravel()
    goal = np.bincount(rows, np.where(to == YES, p, 0.0), len(inner))
    stays = at[to] >= 0
    matrix = csr_array((p[stays], (rows[stays], at[to[stays]])), (len(inner), len(inner)))
    h[inner] = np.asarray(spsolve((identity(len(inner), format="csc") - matrix).tocsc(), goal))
    return np.maximum(h, 0.0)


def doob(g: Graph, h: np.ndarray | None = None) -> np.ndarray:
    """The law of paths given the event: float64[time or 1, node, move]; where it cannot happen any more, the nominal.

    h: another log h, of which the proposal p h'/sum p h' is made.
    """
    found = log_h(g) if h is None else h
    with np.errstate(divide="ignore"):
        log_p = np.log(g.p)
    tables = []
    for now in found[None] if g.steps is None else found[1:]:
        logs = log_p + now[g.to]
        total = _log_sums(logs)
        with np.errstate(invalid="ignore"):
            table = np.where(total[:, None] > -math.inf, np.exp(logs - total[:, None]), g.p)
        table[:NO + 1] = g.p[:NO + 1]
        tables.append(table / table.sum(axis=1, keepdims=True))
    return np.array(tables)


def grade(g: Graph, q: np.ndarray) -> Grade:
    """What one path of a proposal is worth: exact value, relative variance, KL(q*||q), the largest weight, the steps.

    q: float64[time or 1, node, move]. All but the value and the steps are infinite where q cannot draw what counts.
    """
    mu = value(g)
    if not mu > 0.0:
        raise ValueError("f must be above 0 on a path that the nominal law can draw: there is no ideal proposal")
    d = doob(g)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(d > 0.0, (d - q) ** 2 / q, q)
        square = np.where(d > 0.0, d * d / q, 0.0)
        log_ratio = np.where(d > 0.0, np.log(d) - np.log(q), -math.inf)
        wasted = np.where(d > 0.0, d * log_ratio, 0.0)
    if g.steps is None:
        v, kl, largest, steps = _endless(g, off[0], square[0], wasted[0], log_ratio[0], d[0], q[0])
    else:
        v = kl = largest = steps = np.zeros(len(g.to))
        open_nodes = np.arange(len(g.to)) > NO
        for t in range(g.steps - 1, -1, -1):
            a, b = (t if len(d) > 1 else 0), (t if len(q) > 1 else 0)
            c = max(a, b)
            with np.errstate(invalid="ignore"):
                v = np.where(open_nodes, np.sum(off[c] + _times(square[c], v[g.to]), axis=1), 0.0)
                kl = np.where(open_nodes, np.sum(wasted[c] + _times(d[a], kl[g.to]), axis=1), 0.0)
                onwards = np.where(log_ratio[c] > -math.inf, log_ratio[c] + largest[g.to], -math.inf)
                largest = np.where(open_nodes, np.max(onwards, axis=1), 0.0)
                steps = np.where(open_nodes, 1.0 + np.sum(q[b] * steps[g.to], axis=1), 0.0)
    at = g.root
    top = float(largest[at])
    return Grade(mu, float(v[at]), float(kl[at]), mu * math.exp(top) if top < 700.0 else math.inf, float(steps[at]))


def _times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a b with 0 times infinity 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where((a > 0.0) & (b > 0.0), a * b, 0.0)


def _endless(g: Graph, off: np.ndarray, square: np.ndarray, wasted: np.ndarray, log_ratio: np.ndarray, d: np.ndarray,
             q: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same without a number of steps: linear systems over the nodes that count and that paths can reach."""
    inner = np.flatnonzero(reaching(g.to, g.p, [YES]) & (np.arange(len(g.to)) > NO))
    v = _solved(g, inner, square, np.sum(off, axis=1))
    kl = _solved(g, inner, d, np.sum(wasted, axis=1))
    steps = _solved(g, np.arange(NO + 1, len(g.to)), q, np.ones(len(g.to)))
    largest = np.full(len(g.to), -math.inf)
    largest[YES] = 0.0
    for _ in range(len(g.to) + 1):
        reached = np.where(largest[g.to] > -math.inf, log_ratio, -math.inf)
        new = np.maximum(largest, np.max(reached + np.maximum(largest[g.to], -1e300), axis=1))
        new[YES] = 0.0
        with np.errstate(invalid="ignore"):
            more = new - largest > ROUNDING * np.maximum(1.0, np.minimum(np.abs(new), 1e300))
        largest = new
        if not more.any():
            break
    else:
        largest[:] = math.inf                             # a cycle gains: no bound
    return v, kl, largest, steps


def _solved(g: Graph, inner: np.ndarray, weights: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """x = constant + weights x' on the inner nodes, 0 elsewhere; infinite where the sums over paths diverge."""
    from scipy.sparse import csr_array, identity
    from scipy.sparse.linalg import spsolve
    n = len(g.to)
    out = np.zeros(n)
    at = np.full(n, -1)
    at[inner] = np.arange(len(inner))
    rows = np.repeat(np.arange(len(inner)), g.to.shape[1])
    to, w = g.to[inner].ravel(), weights[inner].ravel()
    stays = (at[to] >= 0) & (w > 0.0)
    if not np.all(np.isfinite(w[stays])) or not np.all(np.isfinite(constant[inner])):
        out[inner] = math.inf
        return out
    matrix = csr_array((w[stays], (rows[stays], at[to[stays]])), (len(inner), len(inner)))
    x = np.asarray(spsolve((identity(len(inner), format="csc") - matrix).tocsc(), constant[inner]))
    # A non-negative system has a non-negative solution exactly where the sums converge.
    out[inner] = x if np.all(x >= -1e-12 * max(1.0, float(np.max(np.abs(x), initial=0.0)))) and _contracts(matrix) \
        else math.inf
    return out


def _contracts(matrix: object) -> bool:
    """Whether the powers of a non-negative matrix vanish: (I - A) x = 1 has a solution x >= 1."""
    from scipy.sparse import identity
    from scipy.sparse.linalg import spsolve
    n = matrix.shape[0]                                                                     # type: ignore[attr-defined]
    x = np.asarray(spsolve((identity(n, format="csc") - matrix).tocsc(), np.ones(n)))        # type: ignore[operator]
    return bool(np.all(np.isfinite(x)) and np.all(x >= 1.0 - 1e-9))


def occupancy(g: Graph, q: np.ndarray) -> np.ndarray:
    """The probability of each node at each time under a proposal: [time, node], for paths with a number of steps."""
    if g.steps is None:
        raise ValueError("steps must be a number for the occupancy of each time, got None")
    out = np.zeros((g.steps + 1, len(g.to)))
    out[0, g.root] = 1.0
    for t in range(g.steps):
        flow = out[t][:, None] * q[t if len(q) > 1 else 0]
        out[t + 1] = np.bincount(g.to.ravel(), flow.ravel(), len(g.to))
    return out


def has_hole(g: Graph, q: np.ndarray) -> bool:
    """Whether a path that counts cannot be drawn by q."""
    d = doob(g)
    if not np.any((d > 0.0) & (g.p > 0.0) & ~(q > 0.0)):
        return False
    return not math.isfinite(grade(g, q).largest)


def _log_sums(logs: np.ndarray) -> np.ndarray:
    """log(sum(exp(logs))) of each row."""
    top = np.max(logs, axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.where(np.isfinite(top), safe + np.log(np.sum(np.exp(logs - safe[:, None]), axis=1)), top)
