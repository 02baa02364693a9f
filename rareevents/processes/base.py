"""What a law of paths is: where a path starts, and one step. Everything else follows from them.

    @dataclass(frozen=True)
    class Reserve(Process):
        premium: float
        claim: Distribution
        start = 10.0
        steps = 365
        def step(self, state, rng): ...
        def log_density(self, state, new): ...            # for importance sampling

`step` and `log_density` are plain Python, compiled like those of a law. A state is a number, a tuple of numbers, or a
small array. Paths have a number of steps, or end when the event that is asked for is decided.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rareevents.distributions.base import Distribution, derived, field_of, require
from rareevents.kernels import records
from rareevents.kernels.freeze import Frozen
from rareevents.kernels.streams import python_stream

REHEARSED = 64                # steps that a path runs in plain Python, which sees what compiled code does not


class Functions(NamedTuple):
    """The plain functions of a process to compile; each takes the record first."""

    begin: Callable[..., Any]  # (record, rng) -> state
    step: Callable[..., Any]  # (record, state, rng) -> state
    log_density: Callable[..., Any] | None  # (record, state, new) -> number
    log_begin: Callable[..., Any] | None = None  # (record, state) -> number; None: one law under every proposal


class Process:
    """The contract of a law of paths. A subclass is a frozen dataclass with `start` and `step`.

    `steps` is the number of steps of every path, or None: a path then ends when its event is decided, and one that is
    still undecided after `max_steps` is an error. `log_density(state, new)` is the log probability, or density, of a
    step; without it there is naive Monte Carlo and splitting, but no importance sampling. `begin(rng)` may draw the
    first state: it then has one law under every proposal, unless `log_begin(state)` is its log probability, and there
    is a graph for exact answers only if `beginnings` says which states it can be. A proposal is another process with
    the same states.
    """

    start: Any
    steps: int | None = None
    max_steps: int = 1_000_000
    labels: Any = None            # names of the states 0, 1, 2, ...

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls)
        for name in ("step", "log_density", "moves"):
            if name in own and "functions" not in own and cls.functions is not Process.functions:
                raise TypeError(f"{cls.__name__} must not define {name}, which its base class makes itself: derive it "
                                f"from Process")
        if "step" in own and "moves" not in own and cls.moves is not Process.moves:
            raise TypeError(f"{cls.__name__} must define moves(self, state) too, or derive from Process: its base "
                            f"class's are not those of its step")

    def begin(self, rng: Any) -> Any:
        """The state at time 0."""
        return self.start

    def log_begin(self, state: Any) -> float:
        """Log probability, or density, of the state at time 0, where `begin` draws it."""
        raise TypeError(f"{type(self).__name__} must define log_begin(self, state) for its first state to be weighed")

    @property
    def beginnings(self) -> tuple[list[Any], np.ndarray] | None:
        """The states at time 0 and their probabilities, where `begin` draws one of a few; None where not known."""
        return None

    def step(self, state: Any, rng: Any) -> Any:
        """The next state; `rng` has the methods of `numpy.random.Generator`."""
        raise TypeError(f"{type(self).__name__} must define step(self, state, rng)")

    def log_density(self, state: Any, new: Any) -> float:
        """Log probability, or density, of the step from `state` to `new`; -inf where it cannot be."""
        raise TypeError(f"{type(self).__name__} must define log_density(self, state, new) to be weighed")

    def derive(self) -> dict[str, Any]:
        """Constants computed once from the fields; they read like fields in `step` and `log_density`."""
        return {}

    def moves(self, state: Any) -> tuple[list[Any], np.ndarray] | None:
        """The states that one step can reach, and their probabilities; None where they are not finitely many."""
        return None

    @property
    def measure(self) -> Any:
        """What `log_density` is relative to, where it is not counting or length: only such laws can be compared."""
        return None

    def steps_like(self, other: Any) -> bool:
        """Whether the steps of another process have the law of these, so that only the first state is weighed."""
        return False

    def functions(self) -> Functions:
        """The plain functions to compile."""
        if type(self).step is Process.step:
            raise TypeError(f"{type(self).__name__} must define step(self, state, rng)")
        own = type(self)
        return Functions(own.begin, own.step,
                         own.log_density if own.log_density is not Process.log_density else None,
                         own.log_begin if own.log_begin is not Process.log_begin else None)

    @cached_property
    def record(self) -> tuple[Any, ...]:
        """The fields, the start and derived constants as compiled code sees them."""
        if not dataclasses.is_dataclass(self) or not type(self).__dataclass_params__.frozen:   # type: ignore[attr-defined]
            raise TypeError(f"{type(self).__name__} must be a frozen dataclass: put @dataclass(frozen=True) above it")
        if type(self).begin is Process.begin and getattr(self, "start", None) is None:
            raise TypeError(f"{type(self).__name__} must set start, the state at time 0")
        if self.steps is not None:
            require(isinstance(self.steps, (int, np.integer)) and not isinstance(self.steps, bool) and self.steps >= 1,
                    "steps", self.steps, "an integer of at least 1, or None")
        values = {f.name: field_of(getattr(self, f.name), f.type) for f in dataclasses.fields(self)
                  if f.metadata.get("compiled", True) and f.name not in ("start", "steps", "labels", "max_steps")}
        values |= self.derive()
        if type(self).begin is Process.begin:
            values["start"] = self._first
        return records.record(**values)

    @cached_property
    def _first(self) -> Any:
        """The start, of the kind of number that a step returns: 1 and 1.0 are compiled differently."""
        given: Any = self.start
        if isinstance(given, (list, np.ndarray)):
            given = np.array(given)
        if not np.all(np.equal(given, given)):
            raise ValueError(f"start must be a number, or several, got {self.start!r}")
        before = given.copy() if isinstance(given, np.ndarray) else given
        rng = np.random.Generator(np.random.Philox(0))
        try:
            with np.errstate(all="ignore"):
                after = self.step(given, rng)
        except Exception as cause:
            raise ValueError(f"step of {self!r} raised {type(cause).__name__}: {cause}, from the start {given!r}"
                             ) from cause
        if isinstance(given, np.ndarray) and (after is given or not np.array_equal(before, given)):
            raise ValueError(f"step of {self!r} must return a new array and leave its state as it is: other paths are "
                             f"there too")
        if np.asarray(after).dtype.kind not in "biuf":
            raise TypeError(f"step must return a state like the start {given!r}, got {after!r}, in {self!r}")
        if isinstance(given, np.ndarray):
            return given.astype(np.asarray(after).dtype)
        if isinstance(given, tuple):
            if not isinstance(after, tuple) or len(after) != len(given):
                raise TypeError(f"step must return a tuple of {len(given)} numbers as start is one, got {after!r}")
            return tuple(_like(a, b) for a, b in zip(given, after, strict=True))
        return _like(given, after)

    def __getattr__(self, name: str) -> Any:
        """A derived constant, when `step` or `log_density` runs in Python."""
        if not name.startswith("_") and name in derived(self):
            return derived(self)[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}" + (
            ": a law of paths needs `start`, or `begin(self, rng)`" if name == "start" else ""))


def numbers_only(process: Process) -> Functions:
    """Its functions; those of a user raise where a state is not a number, which no event would notice."""
    made = process.functions()
    if not Frozen(made.step, build=False).users and not Frozen(made.begin, build=False).users:
        return made
    begin, step = made.begin, made.step
    array = isinstance(begin(process.record, python_stream(0, 0)), np.ndarray)

    def same(state):
        return state == state

    def all_same(state):
        return np.all(state == state)
    right = all_same if array else same

    def checked_begin(self, rng):
        state = begin(self, rng)
        if not right(state):
            raise ValueError("begin must return numbers, got NaN")
        return state

    def checked_step(self, state, rng):
        new = step(self, state, rng)
        if not right(new):
            raise ValueError("step must return numbers, got NaN")
        return new
    return made._replace(begin=checked_begin, step=checked_step)


def _like(value: Any, other: Any) -> Any:
    """A number as an int or a float, as the other is."""
    whole = isinstance(value, (int, np.integer)) and isinstance(other, (int, np.integer, np.bool_))
    return int(value) if whole else float(value)


def require_process(name: str, process: Any) -> None:
    """Raise unless this is a law of paths."""
    if isinstance(process, type) or not isinstance(process, Process):
        what = "a law of numbers" if isinstance(process, Distribution) else repr(process)
        raise TypeError(f"{name} must be a law of paths (an instance of a Process), got {what}")
