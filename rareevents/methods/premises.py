"""What must be true of the laws before a weight is believed; what can be tested of it is tested.

A law of the user's own must draw what its density says, the variance of f p/q must be finite, and the weights of a
mixture that holds the nominal law must have the mean one.
"""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rareevents.checks import Check
from rareevents.distributions import Distribution, Mixture
from rareevents.draws import weighted_draws
from rareevents.kernels.stages import PREMISES
from rareevents.moments import Moments
from rareevents.second_moments import infinite_variance

DRAWS = 20_000                # of a user's law; at these a scale that is 5 % off is 10 standard errors away
SPREAD = 0.03                 # standard deviation of the log ratio by which a parameter is moved: more has heavy tails
RARE = 1e-7                   # nominal probability of an alarm about a law that is right; skewed terms alarm oftener
SURE = 4.42                   # standard errors of the weights' mean: 1e-5


def premises(nominal: Distribution, f: Any, proposal: Distribution | None, seed: int) -> tuple[Check, ...]:
    """The checks of the laws, before any draw of the estimate."""
    if proposal is None:
        return ()
    found = []
    infinite = infinite_variance(nominal, f, proposal)
    if infinite is not None:
        found.append(Check("second moment", "failed", math.inf, None, infinite[0].upper() + infinite[1:] + "."))
    scored = [score(law, seed) for law in _own([nominal, proposal])]
    return *found, *(check for check in scored if check is not None)


def score(law: Distribution, seed: int) -> Check | None:
    """Whether the draws of a user's law belong to its density, by moving each of its parameters a little.

    E_q[q_(a+h)(x) / q_a(x)] = 1 for every parameter a: of the sum and the difference of both directions, the means
    over draws, in standard errors. None: the law has no parameter that can be moved without moving its support.

    Source: the score identities E[d log q / da] = 0 and E[(d log q / da)^2 + d^2 log q / da^2] = 0 are their limits for
    small h.
    """
    x = weighted_draws(law, None, DRAWS, seed, PREMISES[0])[0]
    at = law.log_prob(x)
    worst: tuple[float, str] = (-1.0, "")
    count = 0
    for item in dataclasses.fields(law):                                                    # type: ignore[arg-type]
        ratios = _moved(law, item.name, x, at)
        if ratios is None:
            continue
        up, down = ratios
        for off in (up - down, up + down - 2.0):
            deviation = float(np.std(off))
            if deviation > 0.0:
                count += 1
                worst = max(worst, (abs(float(np.mean(off))) / deviation * math.sqrt(DRAWS), item.name))
    if count == 0:
        return None
    from scipy.special import ndtri
    most = -float(ndtri(0.5 * RARE / count))
    sentence = (f"The draws of {law!r} belong to its log_density." if worst[0] <= most else
                f"The draws of {law!r} do not belong to its log_density: with another {worst[1]} the ratio of the "
                f"densities must have mean 1 over draws, and is {worst[0]:.3g} standard errors off. Use "
                f"rareevents.testing.check_distribution.")
    return Check("score", "passed" if worst[0] <= most else "failed", worst[0], most, sentence)


def mass(total: Moments, nominal: Any, proposal: Any) -> Check | None:
    """|mean(w) - 1| in standard errors, where the proposal holds the nominal law, so that weights are bounded.

    Without such a part the largest weights are too rare for this: the mean of w would be below one in most good runs.
    """
    if not isinstance(proposal, Mixture) or not any(
            share > 0.0 and _equal(part, nominal)
            for share, part in zip(proposal.weights, proposal.components, strict=True)):
        return None
    n, mean = total.draws, float(total.weights[0] + total.weights[1]) / total.draws
    variance = max(0.0, float(total.weights[2]) / n - mean * mean)
    z = abs(mean - 1.0) / math.sqrt(variance / n) if variance > 1e-20 else 0.0
    return Check("mass", "passed" if z <= SURE else "failed", z, SURE, "The weights have the mean 1, as they must."
                 if z <= SURE else f"The weights have the mean {mean:.5g}, and must have 1: a density is not "
                 f"normalised, or does not belong to its draws.")


def _own(laws: list[Distribution]) -> Iterator[Distribution]:
    """The laws of user's classes among these and their parts, each once."""
    seen: set[int] = set()
    left = list(laws)
    while left:
        law = left.pop(0)
        if id(law) in seen:
            continue
        seen.add(id(law))
        values = [getattr(law, item.name) for item in dataclasses.fields(law)]              # type: ignore[arg-type]
        left += [part for value in values for part in (value if isinstance(value, (tuple, list)) else (value,))
                 if isinstance(part, Distribution)]
        if law._is_own:
            yield law


def _moved(law: Distribution, name: str, x: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """q_(a+h) / q_a and q_(a-h) / q_a at the draws, with an h that makes them differ from 1 by about `SPREAD`."""
    a = getattr(law, name)
    if not isinstance(a, float) or not math.isfinite(a):
        return None

    def ratio(h: float) -> np.ndarray | None:
        try:
            other = dataclasses.replace(law, **{name: a + h})                               # type: ignore[type-var]
            with np.errstate(all="ignore"):
                log_ratio = other.log_prob(x) - at if other.supports == law.supports else np.array([math.nan])
        except (ValueError, TypeError, ZeroDivisionError, OverflowError):
            return None
        return log_ratio if np.all(np.isfinite(log_ratio)) else None
    h = 0.01 * abs(a) or 0.01
    for _ in range(6):
        found = ratio(h)
        if found is None:
            h *= 0.25
            continue
        deviation = float(np.std(found))
        if deviation <= 1e-12:
            return None
        if 0.5 * SPREAD <= deviation <= 2.0 * SPREAD:
            break
        h *= SPREAD / deviation
    up, down = ratio(h), ratio(-h)
    if up is None or down is None:
        return None
    with np.errstate(over="ignore"):
        return np.exp(up), np.exp(down)


def _equal(part: Distribution, nominal: Any) -> bool:
    try:
        return part is nominal or bool(part == nominal)
    except ValueError:                                       # fields that are arrays
        return False
