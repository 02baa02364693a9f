"""Mixture law: density w_1 p_1(x) + ... + w_n p_n(x)."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support
from rareevents.distributions.parts import alike, hull, laws_of, log_sum_exp, stacks
from rareevents.kernels import records
from rareevents.kernels.alias import alias_draw, alias_table
from rareevents.kernels.bits import exp


@dataclass(frozen=True)
class Mixture(Distribution):
    """One of several laws, chosen with the given weights: density w_1 p_1(x) + ... + w_n p_n(x).

    A component of weight 0 is never drawn and counts for nothing. The support is the smallest interval that contains
    the supports of the others. Components of one class are data: their number compiles nothing.

    Parameters
    ----------
    components : sequence of Distribution
        The laws to choose from; all of counts or all of real numbers, all of one size.
    weights : sequence of float
        Their probabilities: each at least 0, their sum 1 within 1e-9.

    Raises
    ------
    TypeError
        If a component is not a law, or they differ in kind or size.
    ValueError
        If there is no component, the numbers of weights and components differ, a weight is negative or not finite, or
        the weights do not sum to 1.

    Source: McLachlan and Peel, Finite Mixture Models (2000), section 1.4.

    >>> from rareevents.distributions import Poisson
    >>> Mixture([Poisson(2.0), Poisson(10.0)], [0.75, 0.25]).mean
    4.0
    """

    components: Sequence[Distribution]
    weights: Sequence[float]

    def __post_init__(self) -> None:
        components = laws_of("components", self.components)
        try:
            weights = tuple(float(w) for w in self.weights)
        except (TypeError, ValueError):
            raise TypeError(f"weights must be a sequence of numbers, got {self.weights!r}") from None
        if len(weights) != len(components):
            raise ValueError(f"weights must be as many as the components ({len(components)}), got {len(weights)}: "
                             f"{self.weights!r}")
        for i, w in enumerate(weights):
            if not 0.0 <= w < math.inf:
                raise ValueError(f"weights[{i}] must be a finite number >= 0, got {w!r}")
        if abs(math.fsum(weights) - 1.0) > 1e-9:
            raise ValueError(f"weights must sum to 1 within 1e-9, got {self.weights!r} with sum {math.fsum(weights)!r}")
        kinds = [(c.dtype.__name__, c.size, *((c.measure,) if c.measure is not None else ())) for c in components]
        for i, kind in enumerate(kinds):
            if kind != kinds[0]:
                raise TypeError(f"components must be alike in kind and size, got {kind} in components[{i}] and "
                                f"{kinds[0]} in components[0]: {components[i]!r}, {components[0]!r}")
        object.__setattr__(self, "components", components)
        object.__setattr__(self, "weights", weights)

    @property
    def support(self) -> Any:
        return hull([c.support for _, c in self._drawn])

    @property
    def reach(self) -> list[Support]:
        return [interval for _, c in self._drawn for interval in c.reach]

    @property
    def size(self) -> int | None:                          # type: ignore[override]
        return self.components[0].size

    @property
    def measure(self) -> Any:
        return self.components[0].measure

    @property
    def _drawn(self) -> list[tuple[float, Distribution]]:
        """The components that are ever drawn, with their weights."""
        total = math.fsum(self.weights)
        return [(w / total, c) for w, c in zip(self.weights, self.components, strict=True) if w > 0.0]

    @cached_property
    def _groups(self) -> list[list[int]]:
        return alike(self.components)

    @property
    def functions_key(self) -> Any:
        parts = tuple(self.components[group[0]].functions_key for group in self._groups)
        return type(self), self.size is None, parts

    @cached_property
    def record(self) -> tuple[Any, ...]:
        return records.record(**self.derive())

    def derive(self) -> dict[str, Any]:
        """table: of the components, group by group; parts: their stacks, logs of weights, where each group starts."""
        weights = np.array(self.weights)[np.concatenate(self._groups)] / math.fsum(self.weights)
        with np.errstate(divide="ignore"):
            log_weights = np.log(weights)
        return {"table": alias_table(weights),
                "parts": records.record(stacks=stacks(self.components, self._groups), log_weights=log_weights,
                                        starts=np.cumsum([0, *map(len, self._groups)]))}

    # Sampling: a component from the table. Evaluation: a sum over all of them, relative to the largest so far
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_part: Any = None
        fold: Any = None
        for g in reversed(range(len(self._groups))):
            draw_one, log_one = self.components[self._groups[g][0]].functions()
            draw_part = (_draw_number if self.size is None else _draw_row)(g, draw_one, draw_part)
            fold = _fold(g, log_one, fold)

        def draw(self, rng):
            return draw_part(self.parts, self.parts.stacks, alias_draw(rng, self.table), rng)

        def draw_row(self, rng, x):
            draw_part(self.parts, self.parts.stacks, alias_draw(rng, self.table), rng, x)

        def log_density(self, x):
            top, total = fold(self.parts, self.parts.stacks, x, -math.inf, 0.0)
            return top + math.log(total) if top > -math.inf else top
        return (draw if self.size is None else draw_row), log_density

    # Moments
    @property
    def mean(self) -> Any:
        return sum(w * c.mean for w, c in self._drawn)

    @property
    def variance(self) -> Any:
        mean = self.mean
        return sum(w * (c.variance + (c.mean - mean) ** 2) for w, c in self._drawn)

    def log_mass(self, low: float, high: float) -> float:
        return log_sum_exp(math.log(w) + c.log_mass(low, high) for w, c in self._drawn)

    # Tilting: the tilted components, with weights w M(theta)
    def log_mgf(self, theta: Any) -> float:
        return log_sum_exp(math.log(w) + c.log_mgf(theta) for w, c in self._drawn)

    def tilt(self, theta: Any) -> Mixture:
        logs = [math.log(w) + c.log_mgf(theta) for w, c in self._drawn]
        total = log_sum_exp(logs)
        return Mixture([c.tilt(theta) for _, c in self._drawn], [math.exp(v - total) for v in logs])


def _draw_number(g: int, draw_one: Callable[..., Any], draw_rest: Any) -> Callable[..., Any]:
    """Draw from component c, which is in group g or in a later one."""
    def draw(parts, stacks, c, rng):
        return draw_one(stacks[0]._take(c - parts.starts[g]), rng)

    def draw_on(parts, stacks, c, rng):
        return draw(parts, stacks, c, rng) if c < parts.starts[g + 1] else draw_rest(parts, stacks[1], c, rng)
    return draw if draw_rest is None else draw_on


def _draw_row(g: int, draw_one: Callable[..., Any], draw_rest: Any) -> Callable[..., Any]:
    """The same for rows."""
    def draw(parts, stacks, c, rng, x):
        draw_one(stacks[0]._take(c - parts.starts[g]), rng, x)

    def draw_on(parts, stacks, c, rng, x):
        if c < parts.starts[g + 1]:
            draw(parts, stacks, c, rng, x)
        else:
            draw_rest(parts, stacks[1], c, rng, x)
    return draw if draw_rest is None else draw_on


def _fold(g: int, log_one: Callable[..., Any], fold_rest: Any) -> Callable[..., Any]:
    """Add the terms of group g and later ones to a running sum: its log is top + log(total)."""
    def fold(parts, stacks, x, top, total):
        for c in range(parts.starts[g], parts.starts[g + 1]):
            if parts.log_weights[c] > -math.inf:
                value = parts.log_weights[c] + log_one(stacks[0]._take(c - parts.starts[g]), x)
                if value > top:
                    total = total * exp(top - value) + 1.0
                    top = value
                elif value == top and top > -math.inf:    # two infinite densities have no difference
                    total += 1.0
                elif value > -math.inf or value != value:
                    total += exp(value - top)             # NaN stays NaN
        return top, total

    def fold_on(parts, stacks, x, top, total):
        top, total = fold(parts, stacks, x, top, total)
        return fold_rest(parts, stacks[1], x, top, total)
    return fold if fold_rest is None else fold_on
