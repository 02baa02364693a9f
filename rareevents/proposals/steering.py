"""Proposals for paths over a finite graph: tilts, feedback, Chernoff's h, and the Doob transform that they approximate.

An additive score adds c(state) at every step: visits to some states, or the total of the states. With
u_t(theta, s) = E[exp(theta times what is still added) | X_t = s], backwards over the steps
u_t(s) = sum_j p(s, j) exp(theta c(j)) u_(t+1)(j), a tilt moves by q_t(s, j) = p(s, j) exp(theta c(j)) u_(t+1)(j)/u_t(s).
A tilt of the whole path has one theta. Feedback chooses theta anew at every time, state and count, for what is still
needed: it wins by ten times what no plan made beforehand can.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from rareevents import events
from rareevents.designs import Design
from rareevents.events import Event
from rareevents.paths import exact
from rareevents.paths.graph import NO, Graph, graph
from rareevents.paths.scores import PathScore, _total, _visits, states_of
from rareevents.paths.steered import Steered
from rareevents.processes import MarkovChain, Process

STEEPEST = 40.0               # theta times the largest |c|: beyond it a tilt does not change any more
CORRECTION = 0.25             # of the need, in units of the score: a lattice is overshot, never hit from below
THETAS = np.concatenate([np.linspace(0.0, 3.0, 151), np.geomspace(3.05, STEEPEST, 80)])
EXPECTED = 2.0                # the largest weight over mu that a softened Doob transform is given


class _Additive:
    """An event of an additive score over paths with a number of steps, as sums over the states."""

    def __init__(self, process: Process, event: Any) -> None:
        self.process, self.event = process, event
        found = graph(process, event) if isinstance(event, Event) else None
        score = event.score if isinstance(event, Event) else None
        self.upwards = isinstance(event, Event) and math.isinf(event.at_most)
        one_sided = self.upwards or (isinstance(event, Event) and math.isinf(event.at_least))
        counts = isinstance(score, PathScore) and score.build in (_visits, _total)
        if found is None or found.steps is None or not one_sided or not (counts or score is events.total):
            raise ValueError(f"event must be a level of visits(...) or total, of a process with finitely many states "
                             f"and a number of steps, got {event!r} of {process!r}")
        self.graph: Graph = found
        self.level = event.at_least if self.upwards else event.at_most
        self.add = self._added(score)

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
        sign = 1.0 if self.upwards else -1.0
        return sign * np.array([self.add(s) for s in self.states])

    @cached_property
    def thetas(self) -> np.ndarray:
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

    def needs(self) -> np.ndarray:
        """What every node still needs; at most 0 at node 0, infinite at node 1 and before time 0 that of a start."""
        out = np.full(len(self.graph.to), math.inf)
        out[0] = 0.0
        at, _, need = self.nodes
        out[at] = need
        return out

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
            targets = [s for s in self.process.moves(node.state)[0]] if node.state is not None else \
                self.process.beginnings[0]                                                   # type: ignore
            out[k, :len(targets)] = [self.index.get(s, -1) for s in targets]
        return out


def _design(process: Process, event: Any, g: Graph, table: np.ndarray, how: str) -> Design:
    found = exact.grade(g, table)
    return Design(Steered(process, event, table, g), how, bound=found.largest if math.isfinite(found.largest) else None,
                  relative_variance=found.relative_variance)


def doob(process: Process, event: Any, sharpness: float = 1.0) -> Design:
    """The law of paths given the event, the ideal proposal; or, with a sharpness below 1, one that is near it.

    q = p h'^a / sum p h'^a with h the probability of the event from a node on, and a the sharpness. The largest weight
    is then at most h^a at the start, so that the relative variance is at most mu^(a - 1) - 1.

    Parameters
    ----------
    process : Process
        A law of paths with a finite graph for the event.
    event : event
        What is to happen.
    sharpness : float
        a in (0, 1].

    Raises
    ------
    ValueError
        If there is no finite graph, the event cannot happen, or the sharpness is outside (0, 1].

    Source: Doob's transform as in Asmussen and Glynn, Stochastic Simulation (2007), section VI.7.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> doob(month, visits(1) >= 25).relative_variance < 1e-12
    True
    """
    if not isinstance(sharpness, (int, float)) or isinstance(sharpness, bool) or not 0.0 < sharpness <= 1.0:
        raise ValueError(f"sharpness must be a number in (0, 1], got {sharpness!r}")
    g = require_graph(process, event)
    h = sharpness * exact.log_h(g)
    how = "the law of paths given the event (the Doob transform)" if sharpness == 1.0 else \
        f"the Doob transform softened, moves by p h^{sharpness:.6g}"
    return _design(process, event, g, exact.doob(g, h), how)


def softened(process: Process, event: Any) -> Design:
    """The Doob transform, softened just so much that no weight exceeds twice the answer: its variance is below 1."""
    g = require_graph(process, event)
    mu = exact.value(g)
    sharpness = max(0.5, 1.0 + math.log(EXPECTED) / math.log(mu)) if 0.0 < mu < 0.25 else 0.5
    return doob(process, event, sharpness)


def require_graph(process: Process, event: Any) -> Graph:
    """The graph of an event that can happen; raises where there is none, or it cannot."""
    g = graph(process, event)
    if g is None:
        raise ValueError(f"process must have finitely many states for {event!r}, and not too many, got {process!r}")
    if not exact.value(g) > 0.0:
        raise ValueError(f"event must be possible, but {event!r} has probability 0 under {process!r}")
    return g


def horizon_tilt(process: Process, event: Any, choice: str = "second moment") -> Design:
    """The exponential tilt of a path with a number of steps: density exp(theta S)/M(theta) times the nominal.

    The weight on the event is at most M(theta) exp(-theta k), where M(theta) = E[exp(theta S)].

    Parameters
    ----------
    process : Process
        A law of paths with finitely many states and a number of steps.
    event : event
        A level k of visits(...) or total.
    choice : str
        theta by "saddle point" (mean k), "cross entropy" (the mean given the event), or "second moment" (the smallest
        variance).

    Raises
    ------
    ValueError
        If the event is not of that kind or cannot happen.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), sections VI.2 and XIII.3.
    """
    if choice not in ("saddle point", "cross entropy", "second moment"):
        raise ValueError(f"choice must be 'saddle point', 'cross entropy' or 'second moment', got {choice!r}")
    sums = _Additive(process, event)
    require_graph(process, event)
    from scipy.optimize import minimize_scalar
    moved = sums.state_of_moves()

    def made(theta: float) -> np.ndarray:
        log_u = sums.backwards(np.array([theta]))[0][:, 0]
        weight = np.append(log_u + theta * sums.c, np.zeros((len(log_u), 1)), axis=1)
        first = np.append(log_u, np.zeros((len(log_u), 1)), axis=1)
        return sums.table(lambda t, to: weight[t][moved] if t > 0 else first[0][moved])
    if choice == "second moment":
        def cost(theta: float) -> float:
            return math.log1p(exact.grade(sums.graph, made(theta)).relative_variance)
        theta = float(minimize_scalar(cost, bounds=(0.0, _saddle(sums, sums.level, 1.0) * 1.5 + 0.1), method="bounded",
                                      options={"xatol": 1e-5}).x)
    elif choice == "saddle point":
        theta = _saddle(sums, sums.level, 0.0)
    else:
        theta = _saddle(sums, _mean_given(sums), 0.0)
    return _design(process, event, sums.graph, made(theta), f"exponential tilt of the path by {theta:.6g}")


def _saddle(sums: _Additive, target: float, more: float) -> float:
    """The theta at which the mean of the score is the target."""
    added = _at_start(sums, sums.log_u[1][0])
    sign = 1.0 if sums.upwards else -1.0
    return float(np.interp(sign * target + more, np.maximum.accumulate(added), sums.thetas))


def _at_start(sums: _Additive, by_state: np.ndarray) -> np.ndarray:
    """The mean over the first states of [theta, state] numbers."""
    from rareevents.paths.graph import beginnings
    firsts, chances = beginnings(sums.process)                                               # type: ignore[misc]
    return by_state[:, [sums.index[s] for s in firsts]] @ chances


def _mean_given(sums: _Additive) -> float:
    """The mean of the score given the event, of the whole path: by a graph that is not cut where it is decided."""
    score = sums.event.score
    process, event = sums.process, sums.event
    weighted = graph(process, score.map(_same if event.at_most == math.inf else _same))
    values = weighted.value                                                                  # type: ignore[union-attr]
    inside = (values >= event.at_least) & (values <= event.at_most)
    inside[:NO + 1] = False
    at_end = _last(weighted)                                                                 # type: ignore[arg-type]
    mass = at_end * inside
    return float(mass @ values / mass.sum())


def _same(value):
    return value


def _last(g: Graph) -> np.ndarray:
    return exact.occupancy(g, g.p[None])[-1]


def perron_tilt(process: MarkovChain, event: Any) -> Design:
    """The stationary tilt of a Markov chain: q(i, j) = p(i, j) exp(theta c(j)) r(j) / (rho r(i)), a chain again.

    rho and r are the largest eigenvalue and its vector of p(i, j) exp(theta c(j)); theta gives the score a mean equal
    to its level.

    Parameters
    ----------
    process : MarkovChain
        With a number of steps.
    event : event
        A level of visits(...) or total.

    Raises
    ------
    ValueError
        If process or event is not of that kind.

    Source: Bucklew, Introduction to Rare Event Simulation (2004), section 5.3.
    """
    if not isinstance(process, MarkovChain):
        raise ValueError(f"process must be a MarkovChain, got {process!r}")
    sums = _Additive(process, event)
    g = require_graph(process, event)
    c = (1.0 if sums.upwards else -1.0) * np.array([sums.add(s) for s in range(len(process.transition))])

    def twisted(theta: float) -> np.ndarray:
        kernel = process.matrix * np.exp(theta * (c - c.max()))
        values, vectors = np.linalg.eig(kernel)
        r = np.abs(np.real(vectors[:, int(np.argmax(np.real(values)))]))
        q = kernel * r
        return q / q.sum(axis=1, keepdims=True)

    def mean(theta: float) -> float:
        q, now, total = twisted(theta), np.zeros(len(c)), 0.0
        if isinstance(process.initial, int):
            now[process.initial] = 1.0
        else:
            now[:] = process.initial
        for _ in range(int(process.steps or 0)):
            now = now @ q
            total += float(now @ c)
        return total
    from scipy.optimize import brentq
    goal = sums.level if sums.upwards else -sums.level
    high = STEEPEST / float(np.max(np.abs(c)))
    theta = 0.0 if mean(0.0) >= goal else high if mean(high) <= goal else \
        float(brentq(lambda x: mean(x) - goal, 0.0, high))                                   # type: ignore[arg-type]
    from rareevents.paths.graph import moves_of
    law = MarkovChain(twisted(theta).tolist(), process.initial, process.steps, process.labels)
    found = exact.grade(g, moves_of(g, law))
    return Design(law, f"stationary tilt of the chain by {theta:.6g}",
                  bound=found.largest if math.isfinite(found.largest) else None,
                  relative_variance=found.relative_variance)


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
    """
    sums = _Additive(process, event)
    require_graph(process, event)
    if not isinstance(correction, (int, float)) or isinstance(correction, bool) or not math.isfinite(correction):
        raise ValueError(f"correction must be a finite number, got {correction!r}")
    log_u, added = sums.log_u
    at, state, need = sums.nodes
    moved = sums.state_of_moves()
    early = sums.early()

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
                    out[here[mine], k] = theta[mine] * sums.c[j] + np.interp(theta[mine], sums.thetas, log_u[t + 1, :, j])
        return out
    table = sums.table(log_next)
    if early:
        table[0] = _first_move(sums, correction)
    return _design(process, event, sums.graph, table,
                   "feedback: at every time, state and count a tilt towards what is still needed")


def _first_move(sums: _Additive, correction: float) -> np.ndarray:
    """The moves that choose the state at time 0: by Chernoff's bound from each."""
    return chernoff_table(sums)[0]


def chernoff(process: Process, event: Any) -> Design:
    """The Doob transform with Chernoff's bound in place of the probability.

    h(t, s, need) = min over theta >= 0 of E[exp(theta times what is still added) | X_t = s] exp(-theta need).

    Parameters, errors and source as in `feedback`.
    """
    sums = _Additive(process, event)
    require_graph(process, event)
    return _design(process, event, sums.graph, chernoff_table(sums), "moves by p h with h by Chernoff's bound")


def chernoff_table(sums: _Additive) -> np.ndarray:
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
