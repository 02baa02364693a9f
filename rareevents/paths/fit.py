"""Whether the states of a process have what is asked of them: a number to compare, or a state of that name."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents import events
from rareevents.blame import UserFunctionError, called
from rareevents.events import AnyEvent, Complement, Event, Intersection, Mapped, Score, Union, require_fit
from rareevents.paths.functional import NEVER, Functional
from rareevents.paths.graph import beginnings
from rareevents.paths.sampler import REHEARSALS
from rareevents.paths.scores import Hits, PathScore
from rareevents.processes import MarkovChain
from rareevents.processes.base import REHEARSED, Process


def require_of_paths(f: Any, process: Process) -> None:
    """Raise unless every score and state of an event or a mapped score is one of the states of these paths."""
    if isinstance(f, (Union, Intersection)):
        for part in f.parts:
            require_of_paths(part, process)
    elif isinstance(f, Complement):
        require_of_paths(f.event, process)
    elif isinstance(f, Hits):
        for name, given in (("target", f.target), ("before", f.before)):
            _require_states(name, given, process)
    elif isinstance(f, (Event, Mapped)):
        _require_score(f.score, process)


def _require_score(score: Score, process: Process) -> None:
    if isinstance(score, PathScore) and score.counts:
        _require_states(score.name.partition("(")[0], score.of, process)
        return
    given = score.of if isinstance(score, PathScore) else events.identity if score is events.total else None
    first = _several(process)
    if given is None or first is None or not isinstance(given.coefficients, float):
        return
    if score is events.total or score.name == "total":
        raise TypeError(f"total must be of states that are numbers, got states like {first!r}: use a plain function of "
                        f"the whole path")
    raise TypeError(f"{score.name} must be taken of a number of the state where that is several, as in "
                    f"{score.name}.taken_of(component(0)) or {score.name}.taken_of(total), got states like {first!r}")


def _require_states(name: str, given: Any, process: Process) -> None:
    """Raise unless these are states of the process, or an event or a function of them."""
    if isinstance(given, AnyEvent):
        first = _several(process)
        if first is not None:
            require_fit(given, len(first))
        return
    numbers = [one for one in (given if isinstance(given, tuple) else (given,)) if isinstance(one, (int, np.integer))]
    if not numbers:
        return
    if isinstance(process, MarkovChain):
        count = len(process.transition)
        for one in numbers:
            if not 0 <= one < count:
                raise ValueError(f"{name} must be of states in 0, ..., {count - 1}, got {one!r}")
        return
    first = _several(process)
    if first is not None:
        raise TypeError(f"{name} must be given an event of the state, such as total >= {numbers[0]}, or a plain "
                        f"function of it where that is several numbers, got {given!r} for states like {first!r}")


def _several(process: Process) -> Any:
    """A state at time 0 where states are several numbers; None where they are one, or cannot be told."""
    known = beginnings(process)
    try:
        first = known[0][0] if known is not None else \
            process.functions().begin(process.record, np.random.Generator(np.random.Philox(0)))
    except Exception:                                     # a user's function failed: who runs it says so, and where
        return None
    return first if np.ndim(first) == 1 else None


def require_numbers(importance: Callable[..., Any], timed: bool, process: Process, asked: Functional) -> None:
    """Raise unless a user's importance is a number at the start of some paths and along them, in plain Python.

    Compiled code would go on with NaN, and lead a population astray.

    Raises
    ------
    UserFunctionError
        If it raises, or returns no number, or the process raises.
    """
    rng, made, e = np.random.Generator(np.random.Philox(0)), process.functions(), asked.record
    end = min(REHEARSED, int(process.steps or process.max_steps))
    for _ in range(REHEARSALS):
        state = called(made.begin, "at the start", process.record, rng)
        accumulated, time = asked.start(e, state), 0
        while time <= end and asked.decide(e, accumulated, state, NEVER) < 0:
            at = f"in state {state!r}" + (f" at time {time}" if timed else "")
            value = called(importance, at, state, *((time,) if timed else ()))
            if not isinstance(value, (bool, np.bool_, int, float, np.integer, np.floating)) or math.isnan(value):
                raise UserFunctionError(f"importance must return a number, got {value!r} {at}")
            state, time = called(made.step, at, process.record, state, rng), time + 1
            accumulated = asked.update(e, accumulated, time, state)
