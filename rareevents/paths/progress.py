"""How far a path is on its way to an event: about 0 at the start, 1 where it happens. What splitting climbs.

Counts: the count over the level. Walks: the way made over the way to go. Survival: the time. Of a union the furthest
part counts, of an intersection the one that is behind. Where nothing is known, 0: give an importance function.
"""
from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rareevents import events
from rareevents.events import Event, Intersection, Union
from rareevents.paths.graph import Graph
from rareevents.paths.scores import (
    Hits,
    PathScore,
    end,
    of_first_passage,
    of_longest_run,
    of_visits,
    running_max,
    running_min,
)
from rareevents.processes.base import Process

FINE, MOST = 100, 400         # levels of a score that is not a count; of any


class Progress(NamedTuple):
    """A plain function to compile, and how many levels it is worth."""

    function: Callable[..., Any]  # (record of the event, accumulated, time, state, start, steps) -> number
    levels: int
    monotone: bool                # whether it never falls along a path
    timed: bool = False           # whether it depends on the time


def progress(f: Any, process: Process, importance: Any = None) -> Progress:
    """The progress towards an event; `importance(state)` or `importance(state, time)` is a user's own."""
    if importance is not None:
        return _given(importance)
    if isinstance(f, (Union, Intersection)):
        rest = f.parts[1] if len(f.parts) == 2 else type(f)(f.parts[1:])
        return _both(progress(f.parts[0], process), progress(rest, process), isinstance(f, Union))
    if isinstance(f, Hits):
        return _towards(f.target, process, _of_target)
    if isinstance(f, Event) and (f.score is events.total or isinstance(f.score, PathScore)):
        return _of_score(f, process)
    return Progress(_none, 1, True)


def progress_of_nodes(way: Progress, record: tuple[Any, ...], g: Graph, most: int) -> np.ndarray:
    """The progress at each node of a graph, where it does not depend on the time; -inf where the event is decided.

    record: of the event. most: steps of a path that has no number of them.
    """
    first = next(node.state for node in g.nodes if node is not None and node.state is not None)
    at = np.full(len(g.nodes), -math.inf)
    for k, node in enumerate(g.nodes):
        if node is not None and node.state is not None:
            at[k] = way.function(record, node.accumulated, 0, node.state, first, g.steps or most)
        elif node is not None:
            at[k] = 0.0                                        # where the first state is not drawn yet
    return at


def _given(importance: Any) -> Progress:
    if not inspect.isfunction(importance) or importance.__code__.co_argcount not in (1, 2):
        raise TypeError(f"importance must be a plain function of the state, or of the state and the time, got "
                        f"{importance!r}")

    def number(at):
        if at != at:                                           # no level is below NaN, nor above it
            raise ValueError("importance must return numbers, got NaN")
        return at

    def of_state(e, accumulated, time, state, start, steps):
        return number(importance(state))

    def of_both(e, accumulated, time, state, start, steps):
        return number(importance(state, time))
    timed = importance.__code__.co_argcount == 2
    return Progress(of_both if timed else of_state, FINE, False, timed)


def _none(e, accumulated, time, state, start, steps):
    return 0.0


def _survived(e, accumulated, time, state, start, steps):
    return time / steps


def _counted(e, count, time, state, start, steps):
    return count / e.low


def _run(e, runs, time, state, start, steps):
    return runs[0] / e.low


def _of_score(f: Event, process: Process) -> Progress:
    score: Any = f.score
    up = math.isinf(f.at_most)
    if up == math.isinf(f.at_least):
        return Progress(_none, 1, True)
    if score is events.total:
        return Progress(_counted, FINE, False) if up and f.at_least > 0.0 else Progress(_none, 1, True)
    if up and f.at_least > 0.0 and score.build in (of_visits, of_longest_run):
        return Progress(_counted if score.build is of_visits else _run, min(MOST, math.ceil(f.at_least)), True)
    if not up and score.build is of_first_passage:
        return _towards(score.of, process, _of_the_score)
    if (score in (running_max, end) and up) or (score in (running_min, end) and not up):
        number, level = score.of.function, _low if up else _high

        def gone(e, accumulated, time, state, start, steps):
            first = number(e.score, start)
            return (number(e.score, state) - first) / (level(e) - first) if level(e) != first else 1.0
        return Progress(gone, FINE, False)
    return Progress(_none, 1, True) if process.steps is None else \
        Progress(_survived, min(MOST, int(process.steps)), True, timed=True)


def _towards(target: Any, process: Process, pick: Callable[..., Any]) -> Progress:
    """Towards the states of a target, where they are a level; `pick` finds its record."""
    if isinstance(target, int) and process.labels is None:
        def to_number(e, accumulated, time, state, start, steps):
            goal = pick(e).numbers[0]
            return (state - start) / (goal - start) if goal != start else 1.0
        return Progress(to_number, MOST, False)
    if not isinstance(target, Event) or math.isinf(target.at_least) == math.isinf(target.at_most):
        return Progress(_none, 1, True)
    number, level = target.score.function, _low if math.isinf(target.at_most) else _high

    def to_level(e, accumulated, time, state, start, steps):
        goal = pick(e)
        first = number(goal.score, start)
        return (number(goal.score, state) - first) / (level(goal) - first) if level(goal) != first else 1.0
    return Progress(to_level, FINE, False)


def _low(e):
    return e.low


def _high(e):
    return e.high


def _of_target(e):
    return e.target


def _of_the_score(e):
    return e.score


def _both(first: Progress, second: Progress, either: bool) -> Progress:
    one, two = first.function, second.function

    def furthest(e, both, time, state, start, steps):
        return max(one(e.first, both[0], time, state, start, steps), two(e.second, both[1], time, state, start, steps))

    def behind(e, both, time, state, start, steps):
        return min(one(e.first, both[0], time, state, start, steps), two(e.second, both[1], time, state, start, steps))
    return Progress(furthest if either else behind, max(first.levels, second.levels),
                    first.monotone and second.monotone, first.timed or second.timed)
