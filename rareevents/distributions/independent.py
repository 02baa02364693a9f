"""Independent law: one law per component, density p_1(x_1) ... p_n(x_n)."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution
from rareevents.distributions.parts import alike, laws_of, stacks, thetas
from rareevents.kernels import records

EXACT = 2.0 ** 53           # floats beyond it do not tell one integer from the next


@dataclass(frozen=True)
class Independent(Distribution):
    """A row of independent draws, component i from laws[i]: density p_1(x_1) ... p_n(x_n).

    The row holds integers if all laws are laws of counts, else floats. Components of one class are data: their number
    compiles nothing.

    Parameters
    ----------
    laws : sequence of Distribution
        The laws of the components, each a law of one number.

    Raises
    ------
    TypeError
        If an entry is not a law of one number.
    ValueError
        If the sequence is empty.

    Source: the density of independent variables is the product of theirs.

    >>> from rareevents.distributions import Normal, Poisson
    >>> Independent([Normal(0.0, 1.0), Poisson(4.0)]).mean
    array([0., 4.])
    """

    laws: Sequence[Distribution]

    def __post_init__(self) -> None:
        object.__setattr__(self, "laws", laws_of("laws", self.laws, scalar=True))

    @property
    def support(self) -> Any:
        return tuple(law.support for law in self.laws)

    @property
    def size(self) -> int:
        return len(self.laws)

    @property
    def measure(self) -> Any:
        found = tuple(law.measure for law in self.laws)
        return None if all(m is None for m in found) else found

    @cached_property
    def _groups(self) -> list[list[int]]:
        return alike(self.laws)

    @property
    def functions_key(self) -> Any:
        return type(self), self.dtype, tuple(self.laws[group[0]].functions_key for group in self._groups)

    @cached_property
    def record(self) -> tuple[Any, ...]:
        return records.record(**self.derive())

    def derive(self) -> dict[str, Any]:
        """parts: the groups' stacks, the components group by group, where each group starts among these."""
        return {"parts": records.record(stacks=stacks(self.laws, self._groups), places=np.concatenate(self._groups),
                                        starts=np.cumsum([0, *map(len, self._groups)]))}

    # Sampling and evaluation: group by group
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        draw_parts: Any = None
        log_parts: Any = None
        for g in reversed(range(len(self._groups))):
            law = self.laws[self._groups[g][0]]
            counts_as_floats = law.dtype is int and self.dtype is float
            draw_parts, log_parts = _group(g, *law.functions(), counts_as_floats, draw_parts, log_parts)

        def draw(self, rng, x):
            draw_parts(self.parts, self.parts.stacks, rng, x)

        def log_density(self, x):
            return log_parts(self.parts, self.parts.stacks, x)
        return draw, log_density

    # Moments
    @property
    def mean(self) -> np.ndarray:
        return np.array([law.mean for law in self.laws], float)

    @property
    def variance(self) -> np.ndarray:
        return np.array([law.variance for law in self.laws], float)

    # Tilting: one number for all components, or a vector
    def log_mgf(self, theta: Any) -> float:
        pairs = zip(self.laws, thetas(theta, self.size), strict=True)
        return float(sum(law.log_mgf(float(t)) for law, t in pairs))

    def tilt(self, theta: Any) -> Independent:
        pairs = zip(self.laws, thetas(theta, self.size), strict=True)
        return Independent([law.tilt(float(t)) for law, t in pairs])


def _group(g: int, draw_one: Callable[..., Any], log_one: Callable[..., Any], counts_as_floats: bool, draw_rest: Any,
           log_rest: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Draw and evaluate the components of group g, then those of the groups after it."""
    def log_count(part, x):
        if not -EXACT <= x <= EXACT or x != math.floor(x):
            return -math.inf                             # a law of counts has no mass between the integers
        return log_one(part, int(x))
    log_number = log_count if counts_as_floats else log_one

    def draw(parts, stacks, rng, x):
        for c in range(parts.starts[g], parts.starts[g + 1]):
            x[parts.places[c]] = draw_one(stacks[0]._take(c - parts.starts[g]), rng)

    def log_density(parts, stacks, x):
        total = 0.0
        for c in range(parts.starts[g], parts.starts[g + 1]):
            total += log_number(stacks[0]._take(c - parts.starts[g]), x[parts.places[c]])
        return total

    def draw_on(parts, stacks, rng, x):
        draw(parts, stacks, rng, x)
        draw_rest(parts, stacks[1], rng, x)

    def log_on(parts, stacks, x):
        return log_density(parts, stacks, x) + log_rest(parts, stacks[1], x)
    return (draw, log_density) if draw_rest is None else (draw_on, log_on)
