"""What is averaged over draws: an event, a plain function, or a black box that is called as it is."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.events import AnyEvent, Mapped, Score
from rareevents.kernels import records


@dataclass(frozen=True, eq=False)
class Integrand:
    """A plain function of the draw that returns a number, a bool, or several numbers (a tuple or an array)."""

    f: Callable[..., Any]
    record: tuple[Any, ...] = records.record()

    def function(self) -> Callable[..., Any]:
        """The plain function (record, x) -> value to compile."""
        f = self.f

        def value(e, x):
            return f(x)
        return value

    def __repr__(self) -> str:
        return f"{self.f.__name__}(x)"


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A function of a count, f(n) = values[n], and the last value beyond: what is left when the rest is integrated."""

    values: np.ndarray
    text: str

    @property
    def record(self) -> tuple[Any, ...]:
        """The values as compiled code sees them."""
        return records.record(values=self.values)

    def function(self) -> Callable[..., Any]:
        """The plain function (record, x) -> number to compile."""
        def value(e, x):
            return e.values[min(x, e.values.size - 1)]
        return value

    def at(self, x: np.ndarray) -> np.ndarray:
        """f of every count in x."""
        return self.values[np.minimum(x, self.values.size - 1)]

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Margin:
    """How far a draw is inside an event, as an integrand: at least 0 where it happens, and the more the deeper."""

    event: AnyEvent

    @property
    def record(self) -> tuple[Any, ...]:
        """The event's data as compiled code sees them."""
        return self.event.record

    def function(self) -> Callable[..., Any]:
        """The plain function (record, x) -> number to compile."""
        return self.event.margin()


@dataclass(frozen=True, eq=False)
class BlackBox:
    """A Python callable that is called as it is, on one draw or on a block of draws; comparing it makes an event."""

    f: Callable[..., Any]
    vectorized: bool

    def __ge__(self, level: float) -> BlackBoxEvent:
        return BlackBoxEvent(self, _level(level), 1.0)

    def __le__(self, level: float) -> BlackBoxEvent:
        return BlackBoxEvent(self, _level(level), -1.0)

    def __repr__(self) -> str:
        return f"{getattr(self.f, '__name__', type(self.f).__name__)}(x)"


class BlackBoxEvent(BlackBox):
    """The draws at which a black box is at least, or at most, a level."""

    def __init__(self, score: BlackBox, level: float, sign: float) -> None:
        def margin(x: Any) -> Any:
            return sign * (np.asarray(score.f(x), float) - level)

        def happens(x: Any) -> Any:
            return margin(x) >= 0.0
        super().__init__(happens, score.vectorized)
        object.__setattr__(self, "margin", BlackBox(margin, score.vectorized))
        object.__setattr__(self, "_text", f"{score!r} {'>=' if sign > 0.0 else '<='} {level:g}")

    def __repr__(self) -> str:
        return self._text                                                                   # type: ignore[attr-defined]


def _level(level: Any) -> float:
    if isinstance(level, bool) or not isinstance(level, (int, float, np.number)) or np.isnan(level):
        raise TypeError(f"level must be a number, got {level!r}")
    return float(level)


def margin_of(f: Any) -> Any:
    """How far a draw is inside f, as an integrand, where f is an event; None where it is not."""
    if isinstance(f, AnyEvent):
        return Margin(f)
    return f.margin if isinstance(f, BlackBoxEvent) else None                               # type: ignore[attr-defined]


def black_box(f: Callable[..., Any], vectorized: bool = False) -> BlackBox:
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
    if isinstance(f, (AnyEvent, Integrand, Mapped, BlackBox, Tabulated)):
        return f
    if isinstance(f, Score):
        raise TypeError(f"f must be an event or a function, got the score {f.name}: compare it, as in {f.name} >= 3, "
                        f"or take a function of it, as in {f.name}.map(function)")
    if hasattr(f, "functional"):                                           # made for paths of one kind
        return f
    plain = getattr(f, "py_func", f)                                       # a function that the user jitted already
    if inspect.isfunction(plain) and plain.__module__ == "rareevents.paths.scores":
        raise TypeError(f"f must be an event or a plain function of x, got {plain.__name__} itself: call it and "
                        f"compare it, as in {plain.__name__}(states) >= 3")
    if inspect.isfunction(plain):
        return Integrand(plain)
    if isinstance(f, (bool, np.bool_)):
        raise TypeError(f"f must be an event or a plain function of x, got {f!r}: what == made is no event, write a "
                        f"level with >= or <=, or a range as Event(score, at_least=..., at_most=...)")
    raise TypeError(f"f must be an event or a plain function of x, got {f!r}: wrap other callables in rare.black_box")
