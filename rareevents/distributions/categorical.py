"""Categorical law: P(x) = probabilities[x], x = 0, ..., k-1."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support, integers, require, require_number
from rareevents.kernels.alias import alias_draw, alias_table
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Categorical(Distribution):
    """One of k outcomes, drawn as its index: P(x) = probabilities[x].

    Parameters
    ----------
    probabilities : sequence of float
        Probability of each outcome, at least 0; together 1 within 1e-9.
    labels : sequence of str, optional
        Name of each outcome, for people: draws are indices.

    Raises
    ------
    ValueError
        If there is no outcome, a probability is negative or NaN, they do not sum to 1, or a label is missing.

    Source: Johnson, Kotz and Balakrishnan, Discrete Multivariate Distributions (1997), chapter 35 (one trial).

    >>> Categorical([0.25, 0.75], labels=["calm", "storm"]).mean
    0.75
    """

    probabilities: Sequence[float]
    labels: Sequence[str] | None = field(default=None, metadata={"compiled": False})

    def __post_init__(self) -> None:
        given = tuple(np.atleast_1d(self.probabilities).tolist())
        require(len(given) > 0, "probabilities", self.probabilities, "at least one number")
        for i, p in enumerate(given):
            require_number(f"probabilities[{i}]", p, low=0.0, high=1.0 + 1e-9)
        require(abs(math.fsum(given) - 1.0) <= 1e-9, "probabilities", given, f"numbers that sum to 1, not {sum(given)}")
        object.__setattr__(self, "probabilities", tuple(map(float, given)))
        if self.labels is not None:
            named = not isinstance(self.labels, str) and all(isinstance(name, str) for name in self.labels)
            require(named and len(self.labels) == len(given), "labels", self.labels, f"{len(given)} strings, one each")
            object.__setattr__(self, "labels", tuple(self.labels))

    @property
    def support(self) -> Support:
        return integers(0, len(self.probabilities) - 1)

    @cached_property
    def _p(self) -> np.ndarray:
        return np.array(self.probabilities) / math.fsum(self.probabilities)

    @cached_property
    def _log_p(self) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self._p)

    def derive(self) -> dict[str, Any]:
        return {"log_p": self._log_p, "table": alias_table(self._p)}

    # Sampling
    def draw(self, rng: Rng) -> int | np.int64:
        return alias_draw(rng, self.table)

    # Evaluation
    def log_density(self, x: int) -> float:
        return self.log_p[x] if 0 <= x < self.log_p.size else -math.inf

    # Moments
    @property
    def mean(self) -> float:
        return float(self._p @ np.arange(self._p.size))

    @property
    def variance(self) -> float:
        return float(self._p @ (np.arange(self._p.size) - self.mean) ** 2)

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return float(np.logaddexp.reduce(self._log_p + theta * np.arange(self._p.size)))

    def tilt(self, theta: float) -> Categorical:
        p = np.exp(self._log_p + theta * np.arange(self._p.size) - self.log_mgf(theta))
        return Categorical(tuple((p / p.sum()).tolist()), self.labels)
