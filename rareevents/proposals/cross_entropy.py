"""The multilevel cross-entropy method: levels that rise to the event, each law fitted to the draws above the last."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.certificates import weight_bound
from rareevents.designs import Design, Level
from rareevents.distributions import Distribution
from rareevents.distributions.base import require_number, require_seed
from rareevents.distributions.parts import require_law
from rareevents.draws import values, weighted_draws
from rareevents.events import require_fit
from rareevents.integrands import BlackBoxEvent, integrand, margin_of
from rareevents.kernels.stages import LEVELS
from rareevents.proposals.families import Fit, fitter
from rareevents.proposals.region import exact_variance

PATIENCE = 4                  # rounds without a higher level after which a run has stalled
FEWEST = 20.0                 # effective sample size of the weights; below, they are flattened for the fit
POLISH = 2                    # rounds at the event itself, after the first


class StalledError(RuntimeError):
    """The levels of an adaptive method stopped rising before the event; `levels` are the rounds until then."""

    levels: tuple[Level, ...] = ()


def cross_entropy(nominal: Distribution, event: Any, family: Any = None, *, samples: int = 10_000, rho: float = 0.1,
                  smoothing: float = 0.2, rounds: int = 60, seed: int = 0) -> Design:
    """The member of a family with the least cross entropy to q*, learned in rounds.

    Each round draws from the last law, takes as its level the (1 - rho) quantile of the margin (the event's own level
    once enough draws reach it), and fits the next law to the draws above it, weighted by p/q. For an exponential family
    the fit is the weighted mean.

    Parameters
    ----------
    nominal : Distribution
        p.
    event : event, function or black box
        What is estimated; an event or a compared black box has a margin that the levels rise along.
    family : law or class with `fit(x, weights) -> law`, or such a function, optional
        Default: the tilts of the nominal law, one for each independent component.
    samples : int
        Draws of each round, at least 100.
    rho : float
        Share of the draws above a level, in (0, 0.5].
    smoothing : float
        Share of each fit that is left to all draws while the levels rise, in [0, 1).
    rounds : int
        The most rounds.
    seed : int
        Of the rounds' streams.

    Raises
    ------
    StalledError
        If the levels stop rising before the event: the margin is constant, the family cannot reach it, or the event
        cannot happen.
    ValueError, TypeError
        If an argument breaks its rule, or the family fits laws of another kind.
    UserFunctionError
        If the score is NaN or infinite.

    Source: Rubinstein and Kroese, The Cross-Entropy Method (2004), algorithm 2.3; the smoothing is their equation 2.34.

    >>> from rareevents import Poisson, at_least
    >>> law = cross_entropy(Poisson(rate=4.0), at_least(20), seed=1).law                    # doctest: +SKIP
    >>> 20.0 < law.mean < 20.5                                                              # doctest: +SKIP
    True
    """
    require_law("nominal", nominal)
    f = integrand(event)
    require_fit(f, nominal.size)
    require_number("rho", rho, low=0.0, high=0.5, open_low=True)
    require_number("smoothing", smoothing, low=0.0, high=1.0, open_high=True)
    for name, number, least in (("samples", samples, 100), ("rounds", rounds, 1)):
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {number!r}")
    require_seed(seed)
    fit, margin = fitter(nominal, family), margin_of(f)
    law, levels, best, waited, polished = nominal, [], -math.inf, 0, 0
    for number in range(rounds):
        x, log_w = weighted_draws(nominal, law, int(samples), seed, LEVELS[number])
        size, score = _seen(f, margin, x)
        level, inside = _level(score, size, rho, best)
        weights, effective = _weights(np.where(level >= 0.0, size, 1.0), log_w, inside)
        levels.append(Level(level, law, int(np.count_nonzero(size)), effective))
        waited = 0 if level > best or level >= 0.0 else waited + 1
        if waited >= PATIENCE or not inside.any():
            raise _stalled(nominal, f, levels, score)
        best = max(best, level)
        if level >= 0.0:
            law = _fitted(fit, x, weights)
            polished += 1
            if polished > POLISH:
                return Design(law, f"cross entropy in {number + 1} rounds", weight_bound(nominal, f, law, False),
                              exact_variance(nominal, f, law), learning=len(levels) * int(samples),
                              levels=tuple(levels))
        else:
            law = _fitted(fit, x, (1.0 - smoothing) * weights + smoothing / len(x))
    raise _stalled(nominal, f, levels, score)


def _seen(f: Any, margin: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|f| and the margin; a black box is called once for both."""
    if isinstance(f, BlackBoxEvent):
        score = values(margin, x)
        return (score >= 0.0).astype(float), score
    size = np.abs(values(f, x))
    return size, np.where(size > 0.0, 0.0, -1.0) if margin is None else values(margin, x)


def _level(score: np.ndarray, size: np.ndarray, rho: float, last: float) -> tuple[float, np.ndarray]:
    """The next level and the draws that reach it: 0 once a share of rho does.

    Where many draws tie at the last level, the next one is the smallest value above it.
    """
    if np.count_nonzero(size) >= max(10.0, rho * len(score)):
        return 0.0, size > 0.0
    level = float(np.quantile(score, 1.0 - rho, method="higher"))
    if level <= last and np.count_nonzero(size) >= 10:       # a family that comes no nearer, but near enough
        return 0.0, size > 0.0
    if level <= last:
        above = score[score > last]
        if len(above) >= 10:
            level = float(np.min(above))
    return min(level, -1e-300), score >= min(level, -1e-300)


def _weights(size: np.ndarray, log_w: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights |f| p/q of the draws inside, normalised; flattened by a power where very few would count."""
    with np.errstate(divide="ignore"):
        logs = np.where(inside, log_w + np.log(size), -math.inf)
    if not np.any(logs > -math.inf):
        return np.zeros(len(size)), 0.0
    power = 1.0
    while True:
        weights = np.exp(power * (logs - np.max(logs)))
        weights /= np.sum(weights)
        effective = 1.0 / float(weights @ weights)
        if effective >= min(FEWEST, 0.5 * np.count_nonzero(inside)) or power < 0.05:
            return weights, effective
        power *= 0.7


def _fitted(fit: Fit, x: np.ndarray, weights: np.ndarray) -> Distribution:
    kept = weights > 0.0
    return fit(x[kept], weights[kept])


def _stalled(nominal: Distribution, f: Any, levels: list[Level], score: np.ndarray) -> StalledError:
    highest = max(level.level for level in levels)
    why = ("the margin is the same at every draw" if np.ptp(score) == 0.0 else
           f"the levels stopped rising at a margin of {highest:.6g}, where the event begins at 0")
    error = StalledError(f"cross entropy for {f!r} under {nominal!r} stalled after {len(levels)} rounds: {why}. The "
                         f"event may be impossible, the family unable to reach it, or the score flat: give a score "
                         f"that rises towards the event, another family, or more samples")
    error.levels = tuple(levels)
    return error
