"""From a question about a path to plain functions that answer it while the path runs.

Events end as soon as they are decided: each score knows the least and the most that it can still become.
"""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rareevents import events
from rareevents.blame import called
from rareevents.events import AnyEvent, Complement, Event, Intersection, Mapped, Union
from rareevents.integrands import Integrand
from rareevents.kernels import records
from rareevents.kernels.streams import python_stream
from rareevents.paths.scores import Hits, PathScore, States, path_total, states_of
from rareevents.processes.base import Process

NEVER = 1e18                  # steps left of a path that has no number of steps
TRIED = 16                    # beginnings whose kind of number is looked at


class Functional(NamedTuple):
    """The plain functions to compile; `accumulated` is what they keep of a path."""

    record: tuple[Any, ...]
    start: Callable[..., Any]  # (record, state) -> accumulated
    update: Callable[..., Any]  # (record, accumulated, time, state) -> accumulated
    decide: Callable[..., Any]  # (record, accumulated, state, steps left) -> 1 certain, 0 impossible, -1 open
    value: Callable[..., Any]  # (record, accumulated, state) -> the integrand's value at the end of the path
    finite: bool                  # whether what is accumulated can be the name of a node


def functional(f: Any, process: Process) -> Functional:
    """The plain functions of an event, a mapped score or a function of the path.

    Raises
    ------
    TypeError, ValueError
        If f asks for what these paths do not have.
    """
    if hasattr(f, "functional"):                            # made for paths of one kind
        return f.functional()
    if isinstance(f, AnyEvent):
        return _of_event(f, process)
    if isinstance(f, Mapped):
        return _of_mapped(f, process)
    if isinstance(f, Integrand):
        return _of_path(f, process)
    raise TypeError(f"f must be an event of paths, a mapped score or a plain function of the path, got {f!r}")


def _accumulator(score: Any, process: Process) -> tuple[tuple[Any, ...], Any]:
    """The record and the accumulator of a score."""
    if score is events.total:
        score = path_total
    if not isinstance(score, PathScore):
        raise ValueError(f"f must ask something of a path, such as visits(...) >= 3 or end >= 3, got a level of "
                         f"{score.name}")
    if score.counts:
        states = _states(score.of, process)
        return states.record, score.build(states.inside)
    return score.of.record, score.build(score.of.function)


def _of_event(f: Any, process: Process) -> Functional:
    if isinstance(f, (Union, Intersection)):
        made = _of_event(f.parts[-1], process)
        for part in reversed(f.parts[:-1]):
            made = _both(_of_event(part, process), made, isinstance(f, Union))
        return made
    if isinstance(f, Complement):
        return _not(_of_event(f.event, process))
    if isinstance(f, Hits):
        return _of_hits(f, process)
    if not isinstance(f, Event):
        raise TypeError(f"f must be an event of paths, got {f!r}")
    record, (start, update, bounds) = _accumulator(f.score, process)

    def start_of(e, state):
        return start(e.score, state)

    def update_of(e, accumulated, time, state):
        return update(e.score, accumulated, time, state)

    def decide(e, accumulated, state, left):
        least, most = bounds(e.score, accumulated, state, left)
        if least >= e.low and most <= e.high:
            return 1
        return 0 if most < e.low or least > e.high else -1
    return _event(records.record(low=f.at_least, high=f.at_most, score=record), start_of, update_of, decide)


def _event(record: tuple[Any, ...], start: Callable[..., Any], update: Callable[..., Any],
           decide: Callable[..., Any]) -> Functional:
    def value(e, accumulated, state):
        return decide(e, accumulated, state, 0.0) == 1
    return Functional(record, start, update, decide, value, finite=True)


def _both(first: Functional, second: Functional, either: bool) -> Functional:
    """Two events: whether one of them happens, or both."""
    start_1, update_1, decide_1 = first.start, first.update, first.decide
    start_2, update_2, decide_2 = second.start, second.update, second.decide
    strong = 1 if either else 0                          # the answer of one part that decides the whole

    def start(e, state):
        return start_1(e.first, state), start_2(e.second, state)

    def update(e, both, time, state):
        return update_1(e.first, both[0], time, state), update_2(e.second, both[1], time, state)

    def decide(e, both, state, left):
        a, b = decide_1(e.first, both[0], state, left), decide_2(e.second, both[1], state, left)
        if a == strong or b == strong:
            return strong
        return -1 if a < 0 or b < 0 else 1 - strong
    return _event(records.record(first=first.record, second=second.record), start, update, decide)


def _not(inner: Functional) -> Functional:
    decide_1 = inner.decide

    def decide(e, accumulated, state, left):
        answer = decide_1(e, accumulated, state, left)
        return answer if answer < 0 else 1 - answer
    return _event(inner.record, inner.start, inner.update, decide)


def _of_hits(f: Hits, process: Process) -> Functional:
    target = _states(f.target, process)
    other = None if f.before is None else _states(f.before, process)
    in_target = target.inside
    in_other = other.inside if other is not None else _nowhere

    def start(e, state):
        return -1

    def update(e, answer, time, state):
        if answer >= 0:
            return answer
        if in_target(e.target, state):
            return 1
        return 0 if in_other(e.before, state) else -1

    def decide(e, answer, state, left):
        return 0 if answer < 0 and left <= 0.0 else answer
    return _event(records.record(target=target.record, before=records.record() if other is None else other.record),
                  start, update, decide)


def _states(given: Any, process: Process) -> States:
    """Some states of a process; a function of them must answer."""
    if inspect.isfunction(given):
        first = _first_state(process)
        with np.errstate(all="ignore"):
            answer = called(given, f"in state {first!r}", first)
        if not isinstance(answer, (bool, int, float, np.generic)):
            raise TypeError(f"{given.__name__} must return a bool or a number for a state, got {answer!r}")
    return states_of(given, process.labels)


def _nowhere(e, state):
    return False


def _of_mapped(f: Mapped, process: Process) -> Functional:
    if process.steps is None:
        raise ValueError(f"steps must be a number for a function of a score, which no path decides early, got None in "
                         f"{process!r}")
    record, (start, update, bounds) = _accumulator(f.score, process)
    g = f.g

    def decide(e, accumulated, state, left):
        return -1

    def value(e, accumulated, state):
        return g(bounds(e, accumulated, state, 0.0)[0])
    return Functional(record, start, update, decide, value, finite=True)


def _first_state(process: Process) -> Any:
    """A state at time 0, with a float in it where any of some beginnings and steps has one."""
    made, rng = process.functions(), python_stream(0, 0)
    states: list[Any] = []
    with np.errstate(all="ignore"):
        for _ in range(TRIED):
            states.append(called(made.begin, "at the start", process.record, rng))
            states.append(called(made.step, f"in state {states[-1]!r}", process.record, states[-1], rng))
    return next((state for state in states if np.asarray(state).dtype.kind == "f"), states[0])


def _of_path(f: Integrand, process: Process) -> Functional:
    """A plain function of the whole path: the states at times 0, 1, ..., in an array with a row for each."""
    if process.steps is None:
        raise ValueError(f"steps must be a number for a function of the whole path, got None in {process!r}")
    call = f.f
    first = _first_state(process)
    kind = np.int64 if np.asarray(first).dtype.kind == "i" else np.float64
    size = len(first) if isinstance(first, (tuple, np.ndarray)) else 0

    def start_number(e, state):
        path = np.empty(e.steps + 1, kind)
        path[0] = state
        return path

    def update_number(e, path, time, state):
        path[time] = state
        return path

    def start_row(e, state):
        path = np.empty((e.steps + 1, size), kind)
        for i in range(size):
            path[0, i] = state[i]
        return path

    def update_row(e, path, time, state):
        for i in range(size):
            path[time, i] = state[i]
        return path

    def decide(e, path, state, left):
        return -1

    def value(e, path, state):
        return call(path)
    start, update = (start_row, update_row) if size else (start_number, update_number)
    return Functional(records.record(steps=int(process.steps)), start, update, decide, value, finite=False)
