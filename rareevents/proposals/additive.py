"""Sums over the paths of a finite process for an additive score, one that adds c(state) at every step.

With u_t(theta, s) = E[exp(theta times what is still added) | X_t = s], backwards over the steps
u_t(s) = sum_j p(s, j) exp(theta c(j)) u_(t+1)(j), a tilt moves by p(s, j) exp(theta c(j)) u_(t+1)(j)/u_t(s).
Visits to some states are such a score, and the total of the states.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from rareevents import events
from rareevents.events import Event
from rareevents.paths.fit import require_of_paths
from rareevents.paths.graph import NO, Graph, beginnings, graph
from rareevents.paths.scores import PathScore, of_total, of_visits, states_of
from rareevents.processes import Process
from rareevents.proposals.doob import require_undecided

LARGEST = 20_000_000          # numbers in one table of sums
STEEPEST = 40.0               # theta times the largest |c|: beyond it a tilt does not change any more
THETAS = np.concatenate([np.linspace(0.0, 3.0, 151), np.geomspace(3.05, STEEPEST, 80)])


class Additive:
    """An event of an additive score over paths with a number of steps, as sums over the states."""

    def __init__(self, process: Process, event: Any) -> None:
        self.process: Process = process
        self.event: Any = event
        if isinstance(event, Event):
            require_of_paths(event, process)
        found = graph(process, event) if isinstance(event, Event) else None
        score = event.score if isinstance(event, Event) else None
        self.upwards: bool = isinstance(event, Event) and math.isinf(event.at_most)
        one_sided = self.upwards or (isinstance(event, Event) and math.isinf(event.at_least))
        counts = isinstance(score, PathScore) and score.build in (of_visits, of_total)
        if found is None or found.steps is None or not one_sided or not (counts or score is events.total):
            raise ValueError(f"event must be a level of visits(...) or total, of a process with finitely many states "
                             f"and a number of steps, got {event!r} of {process!r}")
        require_undecided(found, process, event)
        self.graph: Graph = found
        self.level: float = event.at_least if self.upwards else event.at_most
        self.add: Callable[[Any], float] = self._added(score)

    def _added(self, score: Any) -> Callable[[Any], float]:
        if score is events.total:
            return float
        if score.counts:
            states = states_of(score.of, self.process.labels)
            return lambda s: 1.0 if states.inside(states.record, s) else 0.0
        return lambda s: float(score.of.function(score.of.record, s))

    @cached_property
    def states(self) -> list[Any]:
        """Every state that a path can reach."""
        seen = {node.state: None for node in self.graph.nodes[2:] if node is not None and node.state is not None}
        for s in list(seen):
            seen.update(dict.fromkeys(self.process.moves(s)[0]))                             # type: ignore[index]
        return list(seen)

    @cached_property
    def index(self) -> dict[Any, int]:
        """The place of each state."""
        return {s: i for i, s in enumerate(self.states)}

    @cached_property
    def matrix(self) -> Any:
        """The transition matrix between the states; the last ones reached may lack their own moves."""
        from scipy.sparse import lil_array
        p = lil_array((len(self.states), len(self.states)))
        for s, i in self.index.items():
            targets, chances = self.process.moves(s)                                         # type: ignore[misc]
            for j, chance in zip(targets, chances, strict=True):
                if j in self.index:
                    p[i, self.index[j]] += chance
        return p.tocsr()

    @cached_property
    def c(self) -> np.ndarray:
        """What each state adds; negative where the event is a level from above."""
        sign = 1.0 if self.upwards else -1.0
        return sign * np.array([self.add(s) for s in self.states])

    @cached_property
    def thetas(self) -> np.ndarray:
        """The tilts at which sums are kept, in one over the unit of the score."""
        scale = float(np.max(np.abs(self.c)))
        if scale == 0.0:
            raise ValueError(f"event must depend on the path, but no state adds to the score of {self.event!r}")
        return THETAS / scale

    @cached_property
    def log_u(self) -> tuple[np.ndarray, np.ndarray]:
        """log u_t(theta, s) and its derivative by theta, what is still added under the tilt: [time, theta, state]."""
        return self.backwards(self.thetas)

    def backwards(self, thetas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log u and its derivative at some thetas."""
        steps = int(self.process.steps or 0)
        if (steps + 1) * len(thetas) * len(self.c) > LARGEST:
            raise ValueError(f"process must have fewer states or steps for sums over all of them, got {len(self.c):,} "
                             f"states and {steps:,} steps of {self.process!r}")
        log_u = np.zeros((steps + 1, len(thetas), len(self.c)))
        added = np.zeros_like(log_u)
        weight = np.outer(thetas, self.c)
        for t in range(steps - 1, -1, -1):
            logs = weight + log_u[t + 1]
            top = np.max(logs, axis=1, keepdims=True)
            size = np.exp(logs - top)
            total = (self.matrix @ size.T).T
            with np.errstate(divide="ignore", invalid="ignore"):
                log_u[t] = top + np.log(total)
                added[t] = (self.matrix @ (size * (self.c + added[t + 1])).T).T / total
        return np.maximum(log_u, -1e300), np.nan_to_num(added)

    @cached_property
    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The nodes that are not decided, the index of each one's state, and how much it still needs."""
        at, state, need = [], [], []
        sign = 1.0 if self.upwards else -1.0
        for k, node in enumerate(self.graph.nodes):
            if node is not None and node.state is not None:
                at.append(k)
                state.append(self.index[node.state])
                need.append(sign * (self.level - float(node.accumulated)))
        return np.array(at), np.array(state), np.array(need)

    def early(self) -> int:
        """1 if the first move of the graph chooses the state at time 0, else 0."""
        return int((self.graph.steps or 0) - (self.process.steps or 0))

    def table(self, log_next: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
        """Moves by p exp(log_next(time, node)) at the nodes that moves lead to, or with a row for each node."""
        g = self.graph
        with np.errstate(divide="ignore"):
            log_p = np.log(g.p)
        tables = []
        for t in range(int(g.steps or 0)):
            logs = log_p + log_next(t - self.early() + 1, g.to)
            top = np.max(logs, axis=1, keepdims=True)
            with np.errstate(invalid="ignore"):
                size = np.exp(logs - np.where(np.isfinite(top), top, 0.0))
            total = size.sum(axis=1, keepdims=True)
            q = np.where(total > 0.0, size / np.where(total > 0.0, total, 1.0), g.p)
            q[:NO + 1] = g.p[:NO + 1]
            tables.append(q)
        return np.array(tables)

    def state_of_moves(self) -> np.ndarray:
        """The index of the state that each move of each node leads to; -1 for the nodes that are decided."""
        out = np.full(self.graph.to.shape, -1)
        for k, node in enumerate(self.graph.nodes):
            if node is None:
                continue
            found: Any = self.process.moves(node.state) if node.state is not None else beginnings(self.process)
            targets = found[0]
            out[k, :len(targets)] = [self.index.get(s, -1) for s in targets]
        return out
