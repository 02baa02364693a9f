"""Moves that leave the nominal law given f != 0 unchanged: they carry hits to where the mass of the event is."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.certificates import factors
from rareevents.distributions import IID, Distribution, Independent, MultivariateNormal, Normal
from rareevents.draws import weighted_draws
from rareevents.kernels.streams import python_stream

STAY = (0.5, 0.8, 0.95)       # correlations of a normal vector with its move
STEPS = (0.1, 0.3, 1.0)       # of a random walk, in standard deviations


def drift(nominal: Distribution, size: Callable[[np.ndarray], np.ndarray], start: np.ndarray, steps: int, seed: int,
          stage: int) -> np.ndarray:
    """The chains that start at the given points, after so many moves; one evaluation of f per chain and move.

    Each move leaves p unchanged and is accepted with probability min(1, |f(new)| / |f(old)|), so a chain has p |f|,
    normalised, as its law in the long run, and stays where f is not 0. Components are drawn again from their laws, a
    few at a time; normal vectors also move with a correlation; numbers walk at random.

    Parameters
    ----------
    size : function
        |f| of rows of x.
    start : array
        Points with f != 0, a row for each chain.

    Source: Cotter, Roberts, Stuart and White (2013), Statistical Science 28, 424, for normal vectors; Tierney (1994)
    for the rest.
    """
    rng = python_stream(seed, stage)
    x, value = start.copy(), size(start)
    fresh = weighted_draws(nominal, None, steps * len(x), seed, stage)[0].reshape(steps, *x.shape)
    for step in range(steps):
        proposed, log_ratio = _move(nominal, x, fresh[step], rng)
        new = size(proposed)
        with np.errstate(divide="ignore", invalid="ignore"):
            accept = (new > 0.0) & (np.log(rng.random(len(x))) < np.log(new) - np.log(value) + log_ratio)
        x[accept], value[accept] = proposed[accept], new[accept]
    return x


def is_normal(nominal: Distribution) -> bool:
    """Whether this is a law of normal vectors."""
    return isinstance(nominal, MultivariateNormal) or (
        isinstance(nominal, (IID, Independent)) and all(isinstance(law, Normal) for law in factors(nominal)))


def _move(nominal: Any, x: np.ndarray, fresh: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Proposed points, and log p(new) - log p(old) where the move does not leave p unchanged by itself."""
    n = len(x)
    none = np.zeros(n)
    if nominal.size is None:
        sd = float(np.sqrt(nominal.variance)) if np.isfinite(nominal.variance) else max(1.0, float(np.std(x)))
        step = rng.choice(STEPS, n) * sd * rng.standard_normal(n)
        if nominal.dtype is int:
            step = np.where(step >= 0.0, np.ceil(step), np.floor(step)).astype(np.int64)
        proposed = x + step
        if nominal.measure is not None:                        # no density to walk by: draws of its own
            return fresh, none
        with np.errstate(invalid="ignore"):
            ratio = nominal.log_prob(proposed) - nominal.log_prob(x)
        return proposed, np.where(np.isnan(ratio), -np.inf, ratio)
    normal = is_normal(nominal)
    replaced = rng.random((n, 1)) < 0.5
    d = x.shape[1]
    chosen = rng.random(x.shape) < rng.choice([1.0 / d, min(1.0, 2.0 / d), 0.1, 0.5], n)[:, None]
    if isinstance(nominal, (IID, Independent)):
        again = np.where(chosen, fresh, x)
        if not normal:
            return again, none
    if normal:
        stay = rng.choice(STAY, n)[:, None]
        centre = np.asarray(nominal.mean)
        moved = centre + stay * (x - centre) + np.sqrt(1.0 - stay * stay) * (fresh - centre)
        return (moved if isinstance(nominal, MultivariateNormal) else np.where(replaced, again, moved)), none
    return np.where(replaced, fresh, x), none
