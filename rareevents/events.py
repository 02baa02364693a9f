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
from typing import Any, NamedTuple

import numpy as np

from rareevents.kernels import records


@dataclass(frozen=True, eq=False)
class Score:
    """A number computed from a draw; compare it with `>=` or `<=` to make an event.

    `coefficients` describes a named score: a number (times the draw), or a vector (dot product with it), or "total".
    """

    name: str
    function: Callable = field(repr=False)          # (record, x) -> number
    record: tuple = field(default=records.record(), repr=False)
    coefficients: Any = field(default=None, repr=False)

    def __ge__(self, level: float) -> Event:
        return Event(self, at_least=level)

    def __le__(self, level: float) -> Event:
        return Event(self, at_most=level)

    def __gt__(self, level: float) -> Event:
        raise TypeError(f"a score is compared with >= or <=, got {self.name} > {level!r}: "
                        f"write ~({self.name} <= {level!r})")

    def __lt__(self, level: float) -> Event:
        raise TypeError(f"a score is compared with >= or <=, got {self.name} < {level!r}: "
                        f"write ~({self.name} >= {level!r})")


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


identity = Score("identity", _identity, coefficients=1.0)
total = Score("total", _total, coefficients="total")


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


def score(function: Callable) -> Score:
    """A plain function of the draw as a score; nothing can be proved about it."""
    if not inspect.isfunction(function):
        raise TypeError(f"function must be a plain function of x, got {function!r}")

    def call(e, x):
        return function(x)
    return Score(function.__name__, call)


class AnyEvent:
    """What every event has: its data, its function to compile, and the operators that combine it with others."""

    @property
    def record(self) -> tuple:
        """The levels and the scores' data as compiled code sees them."""
        raise TypeError(f"{type(self).__name__} must define record")

    def function(self) -> Callable:
        """The plain function (record, x) -> bool to compile."""
        raise TypeError(f"{type(self).__name__} must define function")

    def __or__(self, other: Any) -> Union:
        return Union((self, _as_event(other)))

    def __and__(self, other: Any) -> Intersection:
        return Intersection((self, _as_event(other)))

    def __invert__(self) -> Complement:
        return Complement(self)


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

    def __init__(self, score: Score | Callable, at_least: float | None = None, at_most: float | None = None) -> None:
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
    def record(self) -> tuple:
        return records.record(low=self.at_least, high=self.at_most, score=self.score.record)

    def function(self) -> Callable:
        value = self.score.function

        def happens(e, x):
            v = value(e.score, x)
            return (v >= e.low) and (v <= e.high)
        return happens

    def __repr__(self) -> str:
        low, high = self.at_least, self.at_most
        if math.isinf(high):
            return f"{self.score.name} >= {low:g}"
        return f"{self.score.name} <= {high:g}" if math.isinf(low) else f"{low:g} <= {self.score.name} <= {high:g}"


@dataclass(frozen=True, eq=False)
class Union(AnyEvent):
    """At least one of two events happens."""

    parts: tuple[AnyEvent, AnyEvent]

    @property
    def record(self) -> tuple:
        return records.record(first=self.parts[0].record, second=self.parts[1].record)

    def function(self) -> Callable:
        first, second = self.parts[0].function(), self.parts[1].function()

        def happens(e, x):
            return first(e.first, x) or second(e.second, x)
        return happens

    def __repr__(self) -> str:
        return f"({self.parts[0]!r}) | ({self.parts[1]!r})"


@dataclass(frozen=True, eq=False)
class Intersection(AnyEvent):
    """Both of two events happen."""

    parts: tuple[AnyEvent, AnyEvent]

    @property
    def record(self) -> tuple:
        return records.record(first=self.parts[0].record, second=self.parts[1].record)

    def function(self) -> Callable:
        first, second = self.parts[0].function(), self.parts[1].function()

        def happens(e, x):
            return first(e.first, x) and second(e.second, x)
        return happens

    def __repr__(self) -> str:
        return f"({self.parts[0]!r}) & ({self.parts[1]!r})"


@dataclass(frozen=True, eq=False)
class Complement(AnyEvent):
    """The event does not happen."""

    event: AnyEvent

    @property
    def record(self) -> tuple:
        return records.record(event=self.event.record)

    def function(self) -> Callable:
        inner = self.event.function()

        def happens(e, x):
            return not inner(e.event, x)
        return happens

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


class Intervals(NamedTuple):
    """Where a number must lie for an event to happen."""

    pieces: list[tuple[float, float]]         # in order, without overlap
    exact: bool                               # False: it happens nowhere else, but perhaps not everywhere there


def intervals(event: Any, integer: bool) -> Intervals | None:
    """The intervals of x, both ends included, in which an event of the identity score happens; None if not known.

    >>> intervals(outside(4, 36), integer=True).pieces
    [(-inf, 3.0), (37.0, inf)]
    """
    if isinstance(event, (Union, Intersection)):
        first, second = (intervals(part, integer) for part in event.parts)
        if first is None or second is None:
            known = second if first is None else first
            return None if known is None or isinstance(event, Union) else known._replace(exact=False)
        both = [(max(a, c), min(b, d)) for a, b in first.pieces for c, d in second.pieces]
        pieces = both if isinstance(event, Intersection) else first.pieces + second.pieces
        return Intervals(_disjoint(pieces), first.exact and second.exact)
    inner = event.event if isinstance(event, Complement) else None
    if isinstance(inner, Complement):
        return intervals(inner.event, integer)
    if isinstance(inner, (Union, Intersection)):                 # De Morgan
        parts = (Complement(inner.parts[0]), Complement(inner.parts[1]))
        return intervals((Intersection if isinstance(inner, Union) else Union)(parts), integer)
    named = event if inner is None else inner
    if not isinstance(named, Event) or not isinstance(named.score.coefficients, float):
        return None
    low, high = named.at_least, named.at_most
    if integer:
        low, high = (float(np.ceil(low)), float(np.floor(high)))
    step = 1.0 if integer else 0.0
    return Intervals(_disjoint([(low, high)] if inner is None else [(-math.inf, low - step), (high + step, math.inf)]),
                     exact=True)


def _disjoint(pieces: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals in order, those that overlap as one; empty and infinitely far ones are left out."""
    found: list[tuple[float, float]] = []
    for low, high in sorted(pieces):
        if low > high or math.inf in (low, -high):
            continue
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


@dataclass(frozen=True, eq=False)
class Integrand:
    """A plain function of the draw that returns a number, a bool, or several numbers (a tuple or an array)."""

    f: Callable
    record: tuple = records.record()

    def function(self) -> Callable:
        """The plain function (record, x) -> value to compile."""
        f = self.f

        def value(e, x):
            return f(x)
        return value

    def __repr__(self) -> str:
        return f"{self.f.__name__}(x)"


@dataclass(frozen=True, eq=False)
class BlackBox:
    """A Python callable that is called as it is, on one draw or on a block of draws."""

    f: Callable
    vectorized: bool

    def __repr__(self) -> str:
        return f"{getattr(self.f, '__name__', type(self.f).__name__)}(x)"


def black_box(f: Callable, vectorized: bool = False) -> BlackBox:
    """An integrand that cannot be compiled: an external simulator, a SciPy call.

    It is called on one thread unless `threads` is given; with more, f must allow calls at the same time. The same seed
    gives the same bits only if f gives the same value for the same draw.

    Parameters
    ----------
    f : callable
        f(x) of one draw, or with `vectorized=True` of an array of draws (n,) or (n, size), returning n values.
    vectorized : bool
        Whether f takes many draws at once.
    """
    if not callable(f):
        raise TypeError(f"f must be callable, got {f!r}")
    return BlackBox(f, bool(vectorized))


def integrand(f: Any) -> Any:
    """f as an event, an integrand or a black box; a plain function becomes an integrand."""
    if isinstance(f, (AnyEvent, Integrand, BlackBox)):
        return f
    if isinstance(f, Score):
        raise TypeError(f"f must be an event or a function, got the score {f.name}: compare it, as in {f.name} >= 3")
    plain = getattr(f, "py_func", f)                                       # a function that the user jitted already
    if inspect.isfunction(plain):
        return Integrand(plain)
    raise TypeError(f"f must be an event or a plain function of x, got {f!r}: wrap other callables in rare.black_box")


def _as_score(function: Any) -> Score:
    return score(function)


def _as_event(other: Any) -> Any:
    if isinstance(other, AnyEvent):
        return other
    raise TypeError(f"events combine with events, got {other!r}")
