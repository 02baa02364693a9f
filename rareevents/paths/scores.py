"""What is asked of a path: numbers that accumulate as it runs, and events made of them.

    visits("storm") >= 20          longest_run("storm") >= 5        first_passage(at_least(10)) <= 30
    running_max >= 15              total >= 100                     hits(at_least(20), before=at_most(0))

Time 0 is where a path starts and is not counted. Where a state is asked for, give its number, its label, several of
these, an event of the state (`at_least(3)`, `rare.total >= 30`), or a plain function of the state. Nothing is kept of a
path but what the score needs, so memory does not grow with its length.
"""
from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rareevents import events
from rareevents.events import AnyEvent, Event, Score
from rareevents.kernels import records


class Accumulator(NamedTuple):
    """The plain functions of a number that accumulates along a path."""

    start: Callable[..., Any]  # (record, state) -> accumulated
    update: Callable[..., Any]  # (record, accumulated, time, state) -> accumulated
    bounds: Callable[..., Any]  # (record, accumulated, state, steps left) -> (least, most) that it can end with


def _not_of_a_draw(e, x):
    raise TypeError("a score of paths has no value at one draw")


@dataclass(frozen=True, eq=False)
class PathScore(Score):
    """A number that accumulates along a path; compare it with `>=` or `<=` to make an event.

    `of` says what it looks at: states (for counts), or a number of the state (for a maximum, an end or a sum).
    """

    of: Any = None
    build: Any = field(default=None, repr=False)          # (function of the state) -> Accumulator
    counts: bool = False                                  # whether `of` is a set of states
    of_paths = True

    def taken_of(self, score: Any) -> PathScore:
        """The same of another number of the state: `running_max.taken_of(rare.total)`."""
        if self.counts:
            raise TypeError(f"{self.name} counts states: give it an event of them")
        chosen = score if isinstance(score, Score) and not isinstance(score, PathScore) else \
            events.score(score)                                                              # type: ignore[arg-type]
        return PathScore(f"{self.name} of {chosen.name}", _not_of_a_draw, of=_literal(chosen), build=self.build)


def _literal(chosen: Score) -> Score:
    """A component with its index in the code: compiled code takes numbers of several kinds apart only by those."""
    if not isinstance(chosen.coefficients, tuple):
        return chosen
    i = chosen.coefficients[1]

    def at(e, state):
        return state[i]
    return Score(chosen.name, at, coefficients=chosen.coefficients)


# ------------------------------------------------------------------------------------------------ counting states
def of_visits(inside: Callable[..., Any]) -> Accumulator:
    """Counts the times in the states."""
    def start(e, state):
        return 0

    def update(e, count, time, state):
        return count + (1 if inside(e, state) else 0)

    def bounds(e, count, state, left):
        return float(count), float(count) + left
    return Accumulator(start, update, bounds)


def of_longest_run(inside: Callable[..., Any]) -> Accumulator:
    """Keeps the longest run in the states, and the run that goes on."""
    def start(e, state):
        return 0, 0

    def update(e, runs, time, state):
        now = runs[1] + 1 if inside(e, state) else 0
        return max(runs[0], now), now

    def bounds(e, runs, state, left):
        return float(runs[0]), max(float(runs[0]), runs[1] + left)
    return Accumulator(start, update, bounds)


def of_first_passage(inside: Callable[..., Any]) -> Accumulator:
    """Keeps the time, and whether it was that of the passage."""
    def start(e, state):
        return 0, 0                                       # the time, and whether it was the passage

    def update(e, clock, time, state):
        return clock if clock[1] == 1 else (clock[0] + 1, 1 if inside(e, state) else 0)

    def bounds(e, clock, state, left):
        if clock[1] == 1:
            return float(clock[0]), float(clock[0])
        return (clock[0] + 1.0 if left > 0.0 else math.inf), math.inf
    return Accumulator(start, update, bounds)


def visits(states: Any) -> PathScore:
    """How many times a path is in one of the states, after time 0.

    >>> visits("storm") >= 20
    visits('storm') >= 20
    """
    return _counting("visits", states, of_visits)


def longest_run(states: Any) -> PathScore:
    """The most steps in a row that a path spends in the states, after time 0."""
    return _counting("longest_run", states, of_longest_run)


def first_passage(states: Any) -> PathScore:
    """The first time after 0 at which a path is in one of the states; infinite if it is never."""
    return _counting("first_passage", states, of_first_passage)


def _counting(name: str, states: Any, build: Callable[..., Any]) -> PathScore:
    return PathScore(f"{name}({_shown(states)})", _not_of_a_draw, of=require_states(name, states), build=build,
                     counts=True)


# ------------------------------------------------------------------------------------------------ numbers of states
def of_running_max(number: Callable[..., Any]) -> Accumulator:
    """Keeps the largest number."""
    def start(e, state):
        return -math.inf

    def update(e, most, time, state):
        return max(most, float(number(e, state)))

    def bounds(e, most, state, left):
        return most, (math.inf if left > 0.0 else most)
    return Accumulator(start, update, bounds)


def of_running_min(number: Callable[..., Any]) -> Accumulator:
    """Keeps the smallest number."""
    def start(e, state):
        return math.inf

    def update(e, least, time, state):
        return min(least, float(number(e, state)))

    def bounds(e, least, state, left):
        return (-math.inf if left > 0.0 else least), least
    return Accumulator(start, update, bounds)


def of_end(number: Callable[..., Any]) -> Accumulator:
    """Keeps nothing: the last state is known."""
    def start(e, state):
        return 0

    def update(e, nothing, time, state):
        return 0

    def bounds(e, nothing, state, left):
        if left > 0.0:
            return -math.inf, math.inf
        return float(number(e, state)), float(number(e, state))
    return Accumulator(start, update, bounds)


def of_total(number: Callable[..., Any]) -> Accumulator:
    """Adds a number of the states."""
    def start(e, state):
        return 0.0

    def update(e, sum_so_far, time, state):
        return sum_so_far + number(e, state)

    def bounds(e, sum_so_far, state, left):
        return (-math.inf, math.inf) if left > 0.0 else (sum_so_far, sum_so_far)
    return Accumulator(start, update, bounds)


running_max: PathScore = PathScore("running_max", _not_of_a_draw, of=events.identity, build=of_running_max)
running_min: PathScore = PathScore("running_min", _not_of_a_draw, of=events.identity, build=of_running_min)
end: PathScore = PathScore("end", _not_of_a_draw, of=events.identity, build=of_end)
path_total: PathScore = PathScore("total", _not_of_a_draw, of=events.identity, build=of_total)   # rare.total, of a path


# ------------------------------------------------------------------------------------------------ one before another
@dataclass(frozen=True, eq=False)
class Hits(AnyEvent):
    """A path is in one set of states before it is in another."""

    target: Any
    before: Any
    of_paths = True

    def __repr__(self) -> str:
        return f"hits({_shown(self.target)}" + (f", before={_shown(self.before)})" if self.before is not None else ")")


def hits(target: Any, before: Any = None) -> Hits:
    """The event that a path is in one of the states, before any of the states `before`, after time 0.

    A path without a number of steps ends there.

    >>> from rareevents.events import at_least, at_most
    >>> hits(at_least(20), before=at_most(0))
    hits(identity >= 20, before=identity <= 0)
    """
    return Hits(require_states("target", target), None if before is None else require_states("before", before))


# ------------------------------------------------------------------------------------------------ which states
class States(NamedTuple):
    """Some states, as a plain function with its record."""

    record: tuple[Any, ...]
    inside: Callable[..., Any]  # (record, state) -> bool


def require_states(name: str, given: Any) -> Any:
    """Raise unless this names states: a number, a label, several of them, an event of a state or a function."""
    if isinstance(given, AnyEvent) or inspect.isfunction(given) or isinstance(given, (int, np.integer, str)):
        if isinstance(given, (bool, np.bool_)):
            raise TypeError(f"{name} must name states, got {given!r}")
        return given
    if isinstance(given, Score):
        raise TypeError(f"{name} must be of states, got the score {given.name}: compare it, as in {given.name} >= 3")
    if isinstance(given, (list, tuple, set, frozenset)) and given and \
            all(isinstance(s, (int, np.integer, str)) and not isinstance(s, bool) for s in given):
        return tuple(sorted(given, key=str) if isinstance(given, (set, frozenset)) else given)
    raise TypeError(f"{name} must be a state's number or label, at least one of several of these, an event of the "
                    f"state or a plain function of it, got {given!r}")


def states_of(given: Any, labels: Any) -> States:
    """What was named, for a process with these labels."""
    if isinstance(given, Event):
        given = Event(_literal(given.score), given.at_least, given.at_most)
    if isinstance(given, AnyEvent):
        return States(given.record, given.function())
    if inspect.isfunction(given):
        def called(e, state):
            return given(state)
        return States(records.record(), called)
    numbers = []
    for one in given if isinstance(given, tuple) else (given,):
        if isinstance(one, str):
            if labels is None or one not in labels:
                raise ValueError(f"states must be among the labels of the process, {labels}, got {one!r}")
            numbers.append(list(labels).index(one))
        else:
            if labels is not None and not 0 <= one < len(labels):
                raise ValueError(f"states must be in 0, ..., {len(labels) - 1}, got {one!r}")
            numbers.append(int(one))

    def among(e, state):
        for number in e.numbers:                          # noqa: SIM110  (compiled: no generators)
            if state == number:
                return True
        return False
    return States(records.record(numbers=np.array(numbers)), among)


def _shown(given: Any) -> str:
    if inspect.isfunction(given):
        return given.__name__
    return repr(given)
