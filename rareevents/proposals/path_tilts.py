"""Exponential tilts of paths over finitely many states: for a number of steps, and the stationary one."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.designs import Design
from rareevents.paths import exact
from rareevents.paths.graph import NO, beginnings, graph, moves_of
from rareevents.processes import MarkovChain, Process
from rareevents.proposals.additive import STEEPEST, Additive
from rareevents.proposals.doob import path_design, require_graph


def horizon_tilt(process: Process, event: Any, choice: str = "saddle") -> Design:
    """The exponential tilt of a path with a number of steps: density exp(theta S)/M(theta) times the nominal.

    The weight on the event is at most M(theta) exp(-theta k), where M(theta) = E[exp(theta S)].

    Parameters
    ----------
    process : Process
        A law of paths with finitely many states and a number of steps.
    event : event
        A level k of visits(...) or total.
    choice : str
        theta by "saddle" (mean k), "cross entropy" (the mean given the event), or "second moment" (the smallest
        variance).

    Raises
    ------
    ValueError
        If the event is not of that kind or cannot happen.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), sections VI.2 and XIII.3.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> round(horizon_tilt(month, visits(1) >= 20).relative_variance, 2)
    2.5
    """
    if choice not in ("saddle", "cross entropy", "second moment"):
        raise ValueError(f"choice must be 'saddle', 'cross entropy' or 'second moment', got {choice!r}")
    sums = Additive(process, event)
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
        found: Any = minimize_scalar(cost, bounds=(0.0, _saddle(sums, sums.level, 1.0) * 1.5 + 0.1), method="bounded",
                                      options={"xatol": 1e-5})
        theta = float(found.x)
    elif choice == "saddle":
        theta = _saddle(sums, sums.level, 0.0)
    else:
        theta = _saddle(sums, _mean_given(sums), 0.0)
    return path_design(process, event, sums.graph, made(theta), f"exponential tilt of the path by {theta:.10g}")


def _saddle(sums: Additive, target: float, more: float) -> float:
    """The theta at which the mean of the score is the target; 0 where it is larger by itself."""
    firsts, chances = beginnings(sums.process)                                               # type: ignore[misc]
    places = [sums.index[s] for s in firsts]
    goal = target + more if sums.upwards else more - target

    def lacks(theta: float) -> float:
        log_u, added = sums.backwards(np.array([theta]))
        weight = chances * np.exp(log_u[0, 0, places] - np.max(log_u[0, 0, places]))
        return goal - float(weight @ added[0, 0, places]) / float(weight.sum())
    most = float(sums.thetas[-1])
    if lacks(0.0) <= 0.0 or lacks(most) >= 0.0:
        return 0.0 if lacks(0.0) <= 0.0 else most
    from scipy.optimize import brentq
    solve: Any = brentq
    return float(solve(lacks, 0.0, most, xtol=1e-12))


def _mean_given(sums: Additive) -> float:
    """The mean of the score given the event, of the whole path: by a graph that is not cut where it is decided."""
    whole: Any = graph(sums.process, sums.event.score.map(_same))
    inside = (whole.value >= sums.event.at_least) & (whole.value <= sums.event.at_most)
    inside[:NO + 1] = False
    mass = exact.occupancy(whole, whole.p[None])[-1] * inside
    return float(mass @ whole.value / mass.sum())


def _same(value):
    return value


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
        If process or event is not of that kind, or the chain is not irreducible and has no such tilt.

    Source: Bucklew, Introduction to Rare Event Simulation (2004), section 5.3.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> round(perron_tilt(month, visits(1) >= 20).relative_variance, 2)
    1.9
    """
    if not isinstance(process, MarkovChain):
        raise ValueError(f"process must be a MarkovChain, got {process!r}")
    sums = Additive(process, event)
    g = require_graph(process, event)
    c = (1.0 if sums.upwards else -1.0) * np.array([sums.add(s) for s in range(len(process.transition))])

    def twisted(theta: float) -> np.ndarray:
        kernel = process.matrix * np.exp(theta * (c - c.max()))
        values, vectors = np.linalg.eig(kernel)
        r = np.abs(np.real(vectors[:, int(np.argmax(np.real(values)))]))
        q = kernel * r
        total = q.sum(axis=1, keepdims=True)
        if not np.all(total > 0.0):                            # r is 0 where the states that rule cannot be reached
            raise ValueError(f"process must be irreducible for a stationary tilt, with a way from each state to every "
                             f"other, got {process!r}: use horizon_tilt")
        return q / total

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
    law = MarkovChain(twisted(theta).tolist(), process.initial, process.steps, process.labels)
    found = exact.grade(g, moves_of(g, process, law))
    return Design(law, f"stationary tilt of the chain by {theta:.6g}",
                  bound=found.largest if math.isfinite(found.largest) else None,
                  relative_variance=found.relative_variance)
