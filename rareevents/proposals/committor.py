"""The committor, the chance of the event from a node on, estimated from paths that climbed: a proposal that learns.

A population climbs as in splitting, and every step that it makes is kept. From a node at one level the event is rare,
but the next level is not; so each node's chance is the mean, over the visits, of the chance at the node where the path
next was above its level:

    h(x) = E[h(first node after x above the level of x); 0 where there is none].

Whatever was simulated from a visit on has the nominal law, also where its beginning was copied, so every visit counts.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rareevents.designs import Design
from rareevents.distributions.base import require_seed
from rareevents.kernels.stages import COMMITTOR
from rareevents.kernels.streams import python_stream
from rareevents.paths import exact
from rareevents.paths.functional import functional
from rareevents.paths.graph import NO, YES, Graph
from rareevents.paths.progress import progress, progress_of_nodes
from rareevents.paths.trace import drawn_moves
from rareevents.processes import Process
from rareevents.proposals.doob import path_design, require_graph

PRIOR = 1.0                   # visits that the mean of the level counts for, in the mean of a node
STIFF, STIFFER = 10.0, 30.0   # the same for the curves over time: of a level, and of a node's deviation from it
ROUNDS, SETTLED = 60, 1e-9    # of the fit, and the step that ends it
SWEEPS = 10_000               # over a graph without a number of steps; what is left then makes the bound larger


def committor(process: Process, event: Any, *, particles: int = 10_000, seed: int = 0) -> Design:
    """Moves by p h'/sum p h' with h, the chance of the event from each node on, estimated from a splitting run.

    h is a mean over the visits to a node, drawn a little towards the mean of its level, which serves alone where no
    path came; so each move that can lead to the event has a chance. With a number of steps, h is a smooth function of
    those that are left, for each node. Then it is raised to h >= sum p h', so that the weight of a path,
    sum p h' at its start times a product of (sum p h')/h, is at most its first factor, however noisy h is. With the
    exact h it would be the Doob transform.

    Parameters
    ----------
    process : Process
        A law of paths with a finite graph for the event.
    event : event
        What is to happen.
    particles : int
        Paths of the population that climbs, at least 2.
    seed : int
        Of the paths that are drawn.

    Raises
    ------
    ValueError
        If there is no finite graph, the event cannot happen, or the population died out before it.

    Source: Lucente, Rolland, Herbert and Bouchet (2022), Journal of Statistical Mechanics 083201, for a committor that
    is learned; the mean over the next level is the recursion of fixed splitting.

    >>> from rareevents import BirthDeath, hits
    >>> committor(BirthDeath(0.4, 0.6, start=1), hits(10, before=0)).relative_variance < 0.1
    True
    """
    require_seed(seed)
    if not isinstance(particles, (int, np.integer)) or isinstance(particles, bool) or particles < 2:
        raise ValueError(f"particles must be an integer of at least 2, got {particles!r}")
    g = require_graph(process, event)
    levels = _levels(g, process, event)
    found = _Climb(g, levels, int(particles), seed, int(process.max_steps)).run()
    h = _raised(g, _chances(g, levels, found))
    with np.errstate(divide="ignore"):
        table = exact.doob(g, np.log(h if g.steps is not None else h[0]))
    made = path_design(process, event, g, table, f"moves by p h with h from {found.paths:,} paths that climbed")
    return Design(made.law, made.how, made.bound, made.relative_variance, learning=found.paths)


def _levels(g: Graph, process: Process, event: Any) -> np.ndarray:
    """The level of each node, 0, 1, ...: the event has the highest, what cannot lead there any more has -1."""
    way = progress(event, process)
    at = np.zeros(len(g.to)) if way.timed else \
        progress_of_nodes(way, functional(event, process).record, g, int(process.max_steps))
    known, level = np.unique(np.append(at[NO + 1:], 0.0), return_inverse=True)
    out = np.concatenate([[len(known), -1], level[:-1]])
    return out


class _Found(NamedTuple):
    """What the paths of a climb showed."""

    visited: np.ndarray           # of each visit the cell, time times the number of nodes plus the node
    next: np.ndarray              # the cell at which the path was above its level first; -1 where it never was
    paths: int                    # started


class _Climb:
    """A population that climbs from level to level over a graph, and keeps what it sees."""

    def __init__(self, g: Graph, levels: np.ndarray, particles: int, seed: int, most: int) -> None:
        self.g, self.levels, self.n = g, levels, particles
        self.rng = python_stream(seed, COMMITTOR[0])
        self.below = np.cumsum(g.p, axis=1)
        self.steps = most if g.steps is None else g.steps
        self.top = int(levels[YES])
        self.visited: list[np.ndarray] = []
        self.next: list[np.ndarray] = []

    def run(self) -> _Found:
        n, top = self.n, self.top
        entered = np.full((n, top + 1), -1)                    # the cell where a path first was at a level or above
        entered[:, :self.levels[self.g.root] + 1] = self.g.root
        self._follow(np.arange(n), np.full(n, self.g.root), entered)
        paths = n
        while True:
            highest = np.sum(entered >= 0, axis=1) - 1
            lowest = int(highest.min())
            if lowest >= top:
                break
            alive = np.flatnonzero(highest > lowest)
            dead = np.flatnonzero(highest <= lowest)
            if not len(alive):
                raise ValueError(f"particles must be more, got {n}: the population died out at level {lowest} of {top}")
            parents = self.rng.choice(alive, len(dead))
            entered[dead] = -1
            entered[dead, :lowest + 2] = entered[parents, :lowest + 2]
            self._follow(dead, entered[dead, lowest + 1], entered)
            paths += len(dead)
        return _Found(np.concatenate(self.visited), np.concatenate(self.next), paths)

    def _follow(self, who: np.ndarray, cell: np.ndarray, entered: np.ndarray) -> None:
        """Run paths from their cells to their ends; keep what they visit and where they first enter each level."""
        count, endless = len(self.g.to), self.g.steps is None
        node, time = cell % count, cell // count
        level = self.levels[node]
        for k in range(self.top + 1):                          # an entrance may be higher than the level it is for
            mine = (level >= k) & (entered[who, k] < 0)
            entered[who[mine], k] = cell[mine]
        seen, index, height = [cell.copy()], [np.arange(len(who))], [level]
        going = np.flatnonzero((node > NO) & (time < self.steps))
        while len(going):
            at = node[going]
            node[going] = self.g.to[at, drawn_moves(self.below[at], self.rng)]
            time[going] += 1
            now = node[going] if endless else time[going] * count + node[going]
            level = np.where((time[going] == self.steps) & (self.g.value[node[going]] > 0.0), self.top,
                             self.levels[node[going]])
            rows = who[going]
            highest = np.sum(entered[rows] >= 0, axis=1) - 1
            for k in np.flatnonzero(level > highest):
                entered[rows[k], highest[k] + 1:level[k] + 1] = now[k]
            seen.append(now)
            index.append(going)
            height.append(level)
            going = going[(node[going] > NO) & (time[going] < self.steps)]
        self._settle(len(who), seen, index, height)

    def _settle(self, m: int, seen: list[np.ndarray], index: list[np.ndarray], height: list[np.ndarray]) -> None:
        """From the ends backwards: where each visit was next above its level."""
        count = len(self.g.to)
        above = np.full((m, self.top + 1), -1)                 # [path, level]: where it is above the level next
        for now, paths, level in zip(reversed(seen), reversed(index), reversed(height), strict=True):
            open_now = (now % count > NO) & (level < self.top)
            self.visited.append(now[open_now])
            self.next.append(above[paths[open_now], level[open_now]])
            higher = np.arange(self.top + 1)[None, :] < level[:, None]
            above[paths] = np.where(higher, now[:, None], above[paths])


def _chances(g: Graph, levels: np.ndarray, found: _Found) -> np.ndarray:
    """h of each cell: [time, node], with one time where there is no number of steps."""
    count = len(g.to)
    times = 1 if g.steps is None else g.steps
    h = np.zeros((times + 1) * count)
    h[YES::count] = 1.0
    if g.steps is not None:
        h[-count:] = g.value
    left = np.arange(times, 0, -1) / times
    curves = np.stack([np.ones(times), *([np.log(left), left] if times > 1 else [])], axis=1)
    early = np.flatnonzero(found.visited // count < times)     # at the last step nothing is open any more
    order = early[np.argsort(levels[found.visited[early] % count], kind="stable")]
    visited, onwards = found.visited[order], found.next[order]
    ends = np.searchsorted(levels[visited % count], np.arange(int(levels[YES]) + 1))
    mean = 1.0
    for level in range(int(levels[YES]) - 1, -1, -1):
        cells, to = visited[ends[level]:ends[level + 1]], onwards[ends[level]:ends[level + 1]]
        nodes = np.flatnonzero(levels == level)
        at = np.arange(times)[:, None] * count + nodes
        y = np.where(to >= 0, h[np.maximum(to, 0)], 0.0)
        if not np.any(y > 0.0):                                # no path went on: what the level above is worth
            h[at] = mean
            continue
        place = np.searchsorted(nodes, cells % count) + len(nodes) * (cells // count)
        visits = np.bincount(place, minlength=at.size).reshape(at.shape)
        mean = float(np.mean(y))
        h[at] = mean * _fitted(visits.astype(float), np.bincount(place, y / mean, at.size).reshape(at.shape), curves)
    return h.reshape(times + 1, count)


def _raised(g: Graph, h: np.ndarray) -> np.ndarray:
    """The least function above h that is at least its own mean one step on: without it, errors of h multiply."""
    h = h.copy()
    if g.steps is not None:
        for time in range(g.steps - 1, -1, -1):
            h[time, NO + 1:] = np.maximum(h[time], _onwards(g, h[time + 1]))[NO + 1:]
        return h
    for _ in range(SWEEPS):
        higher = np.maximum(h[0], _onwards(g, h[0]))[NO + 1:]
        settled = np.all(higher <= (1.0 + SETTLED) * h[0, NO + 1:])
        h[0, NO + 1:] = higher
        if settled:
            break
    return h


def _onwards(g: Graph, h: np.ndarray) -> np.ndarray:
    return np.sum(g.p * h[g.to], axis=1)


def _fitted(n: np.ndarray, y: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """The mean of each cell [time, node] of a level with the mean 1, from sums y over n visits.

    Log-linear models, fitted as if the sums were Poisson, so that cells without a success get what the others say of
    them: one for the level, and for each node its deviation from it.
    """
    level = _log_linear(y.sum(axis=1, keepdims=True), n.sum(axis=1, keepdims=True), curves, STIFF)
    return np.exp(level + _log_linear(y, n * np.exp(level), curves, STIFFER))


def _log_linear(y: np.ndarray, n: np.ndarray, curves: np.ndarray, stiff: float) -> np.ndarray:
    """log of the mean of y[time, column] at n visits each, curves(time) . b(column), with a normal prior on b."""
    b = np.zeros((y.shape[1], curves.shape[1]))
    prior = np.diag([PRIOR] + [stiff] * (curves.shape[1] - 1))
    for _ in range(ROUNDS):
        expected = n * np.exp(curves @ b.T)
        slope = (y - expected).T @ curves - b @ prior
        bend = np.einsum("tm,ti,tj->mij", expected, curves, curves) + prior
        step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        b += step / np.maximum(1.0, np.max(np.abs(step), axis=1, keepdims=True))
        if np.max(np.abs(step)) < SETTLED:
            break
    return curves @ b.T
