"""What is asked of a draw: scores, events made of them, and plain functions.

A score is a number computed from a draw; comparing it makes an event: `identity >= 20`, `total >= 12`,
`linear(a) <= 0`, `component(i) >= 3`, `score(function) >= k`. Events combine with `|`, `&` and `~`. Levels are data, so
a new level compiles nothing. Named scores are linear, so things can be proved about them; a function can only be
explored.
"""
from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.folds import all_of, any_of, largest_of, smallest_of
from rareevents.kernels import records
from rareevents.kernels.freeze import Frozen


@dataclass(frozen=True, eq=False)
class Score:
    """A number computed from a draw; compare it with `>=` or `<=` to make an event.

    `coefficients` describes a named score: a number (times the draw), or a vector (dot product with it), or "total".
    """

    name: str
    function: Callable[..., Any] = field(repr=False)          # (record, x) -> number
    record: tuple[Any, ...] = field(default=records.record(), repr=False)
    coefficients: Any = field(default=None, repr=False)
    of_paths = False              # whether it is a number of a path, not of a draw

    def __ge__(self, level: float) -> Event:
        return Event(self, at_least=level)

    def __le__(self, level: float) -> Event:
        return Event(self, at_most=level)

    def map(self, function: Callable[..., Any]) -> Mapped:
        """The integrand function(score), such as the pay-off `total.map(lambda s: max(s - 40.0, 0.0))`."""
        if not inspect.isfunction(function):
            raise TypeError(f"function must be a plain function of the score, got {function!r}")
        return Mapped(self, function)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (int, float, np.number)):
            raise TypeError(f"a score is compared with >= or <=, got {self.name} == {other!r}: write "
                            f"Event({self.name}, at_least={other!r}, at_most={other!r})")
        return self is other

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __gt__(self, level: float) -> Event:
        raise TypeError(f"a score is compared with >= or <=, got {self.name} > {level!r}: "
                        f"write ~({self.name} <= {level!r})")

    def __lt__(self, level: float) -> Event:
        raise TypeError(f"a score is compared with >= or <=, got {self.name} < {level!r}: "
                        f"write ~({self.name} >= {level!r})")


@dataclass(frozen=True, eq=False)
class Mapped:
    """A plain function of a score, as an integrand."""

    score: Score
    g: Callable[..., Any]

    @property
    def record(self) -> tuple[Any, ...]:
        """The score's data as compiled code sees them."""
        return records.record(score=self.score.record)

    def function(self) -> Callable[..., Any]:
        """The plain function (record, x) -> value to compile."""
        g, value = self.g, self.score.function

        def mapped(e, x):
            return g(value(e.score, x))
        return mapped

    def __repr__(self) -> str:
        return f"{self.g.__name__}({self.score.name})"


def _identity(e, x):
    return x


def _total(e, x):
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


def _linear(e, x):
    total = 0.0
    for i in range(len(x)):
        total += e.a[i] * x[i]
    return total


def _component(e, x):
    return x[e.i]


identity: Score = Score("identity", _identity, coefficients=1.0)
total: Score = Score("total", _total, coefficients="total")


def linear(a: Any) -> Score:
    """The score a . x of a vector x."""
    vector = np.array(a, float)
    if vector.ndim != 1 or not np.all(np.isfinite(vector)):
        raise ValueError(f"a must be a vector of finite numbers, got {a!r}")
    return Score("linear", _linear, records.record(a=vector), vector)


def component(i: int) -> Score:
    """The score x[i] of a vector x."""
    if not isinstance(i, (int, np.integer)) or isinstance(i, bool) or i < 0:
        raise ValueError(f"i must be an integer of at least 0, got {i!r}")
    return Score("component", _component, records.record(i=int(i)), ("component", int(i)))


def score(function: Callable[..., Any]) -> Score:
    """A plain function of the draw as a score; nothing can be proved about it."""
    if not inspect.isfunction(function):
        raise TypeError(f"function must be a plain function of x, got {function!r}: a black box is compared itself, as "
                        f"in black_box(f) >= 3")

    def call(e, x):
        value = function(x)
        if value != value:
            raise ValueError("the score is NaN")
        return value
    return Score(function.__name__, call)


class AnyEvent:
    """What every event has: its data, its function to compile, and the operators that combine it with others."""

    of_paths = False              # whether it is known to be asked of a path, not of a draw

    @property
    def record(self) -> tuple[Any, ...]:
        """The levels and the scores' data as compiled code sees them."""
        raise TypeError(f"{type(self).__name__} must define record")

    def function(self) -> Callable[..., Any]:
        """The plain function (record, x) -> bool to compile."""
        raise TypeError(f"{type(self).__name__} must define function")

    def margin(self) -> Callable[..., Any]:
        """The plain function (record, x) -> number that is at least 0 where the event happens: how far x is inside."""
        raise TypeError(f"{type(self).__name__} must define margin")

    def __or__(self, other: Any) -> Union:
        return Union((*_parts(self, Union), *_parts(_as_event(other), Union)))

    def __and__(self, other: Any) -> Intersection:
        return Intersection((*_parts(self, Intersection), *_parts(_as_event(other), Intersection)))

    def __invert__(self) -> Complement:
        return Complement(self)

    def __bool__(self) -> bool:
        raise TypeError(f"an event has no truth value, got {self!r}: combine events with &, | and ~, not with and, or "
                        f"and not, and write a range as Event(score, at_least=..., at_most=...)")


@dataclass(frozen=True, eq=False, init=False)
class Event(AnyEvent):
    """The draws whose score is at least one level and at most another.

    Parameters
    ----------
    score : Score or function
        The number that is compared.
    at_least, at_most : float, optional
        The levels, in the unit of the score; at least one of them.

    >>> Event(identity, at_least=20)
    identity >= 20
    """

    score: Score
    at_least: float
    at_most: float

    def __init__(self, score: Score | Callable[..., Any], at_least: float | None = None,
                 at_most: float | None = None) -> None:
        if at_least is None and at_most is None:
            raise ValueError("an event needs a level: at_least, at_most or both")
        for name, level in (("at_least", at_least), ("at_most", at_most)):
            if level is None:
                continue
            if isinstance(level, bool) or not isinstance(level, (int, float, np.integer, np.floating)):
                raise TypeError(f"{name} must be a number, got {level!r}")
            if math.isnan(level):
                raise ValueError(f"{name} must not be NaN")
        low = -math.inf if at_least is None else float(at_least)
        high = math.inf if at_most is None else float(at_most)
        if low > high:
            raise ValueError(f"at_least must not exceed at_most, got {at_least!r} > {at_most!r}: nothing can happen")
        object.__setattr__(self, "score", score if isinstance(score, Score) else _as_score(score))
        object.__setattr__(self, "at_least", low)
        object.__setattr__(self, "at_most", high)

    @property
    def record(self) -> tuple[Any, ...]:
        return records.record(low=self.at_least, high=self.at_most, score=self.score.record)

    def function(self) -> Callable[..., Any]:
        value = self.score.function

        def happens(e, x):
            v = value(e.score, x)
            return (v >= e.low) and (v <= e.high)
        return happens

    def margin(self) -> Callable[..., Any]:
        value = self.score.function

        def inside(e, x):
            v = value(e.score, x)
            return min(v - e.low, e.high - v)
        return inside

    def __repr__(self) -> str:
        low, high = self.at_least, self.at_most
        if math.isinf(high):
            return f"{self.score.name} >= {low:g}"
        return f"{self.score.name} <= {high:g}" if math.isinf(low) else f"{low:g} <= {self.score.name} <= {high:g}"


@dataclass(frozen=True, eq=False)
class Several(AnyEvent):
    """Some events together; those with one function are data, so their number compiles nothing."""

    parts: tuple[AnyEvent, ...]

    @cached_property
    def _groups(self) -> list[list[int]]:
        """The indices of parts that differ in their numbers alone."""
        groups: dict[Any, list[int]] = {}
        for i, part in enumerate(self.parts):
            key = Frozen(part.function(), build=False).digest, records.shape(part.record)
            groups.setdefault(key, []).append(i)
        return list(groups.values())

    @cached_property
    def record(self) -> tuple[Any, ...]:                             # type: ignore[override]
        made = [records.stack([self.parts[i].record for i in group]) for group in self._groups]
        return records.record(counts=np.array([len(group) for group in self._groups]), stacks=records.nest(made))

    def _folded(self, name: str, fold: Callable[..., Any]) -> Callable[..., Any]:
        """The functions called `name` of one part of each group, folded from the last group to the first."""
        made: Any = None
        for g in reversed(range(len(self._groups))):
            made = fold(g, getattr(self.parts[self._groups[g][0]], name)(), made)

        def call(e, x):
            return made(e, e.stacks, x)
        return call


class Union(Several):
    """At least one of some events happens."""

    def function(self) -> Callable[..., Any]:
        return self._folded("function", any_of)

    def margin(self) -> Callable[..., Any]:
        return self._folded("margin", largest_of)

    def __repr__(self) -> str:
        return " | ".join(f"({part!r})" for part in self.parts)


class Intersection(Several):
    """All of some events happen."""

    def function(self) -> Callable[..., Any]:
        return self._folded("function", all_of)

    def margin(self) -> Callable[..., Any]:
        return self._folded("margin", smallest_of)

    def __repr__(self) -> str:
        return " & ".join(f"({part!r})" for part in self.parts)


@dataclass(frozen=True, eq=False)
class Complement(AnyEvent):
    """The event does not happen."""

    event: AnyEvent

    @property
    def record(self) -> tuple[Any, ...]:
        return records.record(event=self.event.record)

    def function(self) -> Callable[..., Any]:
        inner = self.event.function()

        def happens(e, x):
            return not inner(e.event, x)
        return happens

    def margin(self) -> Callable[..., Any]:
        inner = self.event.margin()

        def inside(e, x):
            return -inner(e.event, x)
        return inside

    def __repr__(self) -> str:
        return f"~({self.event!r})"


def at_least(level: float) -> Event:
    """The event that a number is at least `level`."""
    return identity >= level


def at_most(level: float) -> Event:
    """The event that a number is at most `level`."""
    return identity <= level


def outside(low: float, high: float) -> Complement:
    """The event that a number is below `low` or above `high`.

    >>> outside(4, 36)
    ~(4 <= identity <= 36)
    """
    return ~Event(identity, at_least=low, at_most=high)


def require_fit(f: Any, size: int | None) -> None:
    """Raise unless every named score of an event can be taken of draws of `size` numbers (None: of one number)."""
    if isinstance(f, (Union, Intersection)):
        for part in f.parts:
            require_fit(part, size)
    elif isinstance(f, Complement):
        require_fit(f.event, size)
    elif isinstance(f, AnyEvent) and (f.of_paths or (isinstance(f, Event) and f.score.of_paths)):
        raise ValueError(f"f must be asked of a draw, got {f!r}, which is asked of a path: the nominal law must be "
                         f"one of paths, such as a MarkovChain")
    elif isinstance(f, Mapped):
        require_fit(f.score >= 0.0, size)
    elif isinstance(f, Event) and f.score.coefficients is not None:
        c = f.score.coefficients
        if size is None:
            if not isinstance(c, float):
                raise ValueError(f"f must be an event of one number, such as identity >= 20, got {f!r}: the draws are "
                                 f"not vectors")
        elif isinstance(c, float):
            raise ValueError(f"f must be an event of vectors of {size} numbers, such as total >= 20, got {f!r}")
        elif isinstance(c, tuple) and c[1] >= size:
            raise ValueError(f"i must be below the size of the vectors, {size}, got component({c[1]})")
        elif isinstance(c, np.ndarray) and len(c) != size:
            raise ValueError(f"a must have as many numbers as the vectors, {size}, got {len(c)}: linear({c.tolist()})")


def _as_score(function: Any) -> Score:
    return score(function)


def _parts(event: Any, kind: type) -> tuple[Any, ...]:
    """The parts of an event of that kind, or the event alone: unions of unions are one union."""
    return event.parts if isinstance(event, kind) else (event,)


def _as_event(other: Any) -> Any:
    if isinstance(other, AnyEvent):
        return other
    raise TypeError(f"events combine with events, got {other!r}")
