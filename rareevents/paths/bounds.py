"""Proven bounds on f p/q over paths without a graph: tilted walks, and sums with their largest term integrated.

After t steps the weight is exp(t kappa(theta) - theta (S_t - S_0)). Where the event makes sure that S is beyond a level
when the path ends, and t is at most the number of steps (or kappa is not above 0), that is bounded.
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rareevents import events
from rareevents.certificates import tilt_between
from rareevents.distributions import Categorical, Distribution, Weibull
from rareevents.events import AnyEvent, Event, Union
from rareevents.paths.scores import Hits, PathScore, end, of_first_passage, running_max, running_min
from rareevents.processes import RandomWalk
from rareevents.processes.all_but_largest import AllButLargest


class Beyond(NamedTuple):
    """Between which numbers a walk is when its path ends, and whether that is always with its last step."""

    low: float
    high: float
    at_end: bool


def step_bound(nominal: Any, f: Any, proposal: Any) -> float | None:
    """The bound of a question that is answered step by step, or None where nothing is proven."""
    if isinstance(nominal, AllButLargest):
        return sum_bound(nominal, f, nominal if proposal is None else proposal)
    return walk_bound(nominal, f, proposal)


def walk_bound(nominal: Any, f: Any, proposal: Any) -> float | None:
    """The bound for a tilt of a walk."""
    if not isinstance(nominal, RandomWalk) or not isinstance(proposal, RandomWalk) or not isinstance(f, AnyEvent) \
            or nominal.start != proposal.start:
        return None
    theta = theta_between(nominal, proposal)
    if theta is None:
        return None
    found = _log_bound(nominal, f, theta)
    return math.exp(found) if found < 700.0 else None


def theta_between(nominal: RandomWalk, proposal: RandomWalk) -> float | None:
    """theta with proposal = nominal.tilt(theta), or None."""
    if len(nominal.laws) == len(proposal.laws) == 1:
        theta = tilt_between(nominal.laws[0], proposal.laws[0])
        return None if theta is None else float(theta)
    return proposal.theta - nominal.theta if nominal.laws == proposal.laws else None


def _log_bound(walk: RandomWalk, f: Any, theta: float) -> float:
    if isinstance(f, Union):
        return max(_log_bound(walk, part, theta) for part in f.parts)
    where = beyond(f)                                      # None for others: parts may be decided at different times
    return math.inf if where is None else log_bound_beyond(walk, where, theta)


def log_bound_beyond(walk: RandomWalk, where: Beyond, theta: float) -> float:
    """log of the largest weight of the tilt by theta where the walk is beyond a level when its path ends."""
    furthest = where.low if theta > 0.0 else where.high
    if theta == 0.0:
        return 0.0
    if math.isinf(furthest):
        return math.inf
    kappa = walk.log_mgf(theta)
    longest = walk.steps if walk.steps is not None else (1 if kappa <= 0.0 else math.inf)
    least = longest if where.at_end else 1
    return max(kappa * longest, kappa * least) - theta * (furthest - walk.start)


def beyond(f: Any) -> Beyond | None:
    """Where a walk is when an event is decided to happen; None: not known."""
    if isinstance(f, Hits):
        return _of_states(f.target)
    if not isinstance(f, Event) or not isinstance(f.score, PathScore):
        return None
    low, high = f.at_least, f.at_most
    if f.score is end:
        return Beyond(low, high, True)
    if f.score is running_max:
        return Beyond(low, math.inf, False) if math.isinf(high) else Beyond(-math.inf, high, True)
    if f.score is running_min:
        return Beyond(-math.inf, high, False) if math.isinf(low) else Beyond(low, math.inf, True)
    if f.score.build is of_first_passage and math.isinf(low):
        return _of_states(f.score.of)
    return None


def _of_states(states: Any) -> Beyond | None:
    """The interval of states that an event of the identity, or a number, names."""
    if isinstance(states, Event) and states.score is events.identity:
        return Beyond(states.at_least, states.at_most, False)
    if isinstance(states, int):
        return Beyond(float(states), float(states), False)
    return None


# ------------------------------------------------------------------------------------------------ sums
def sum_bound(nominal: AllButLargest, f: Any, proposal: AllButLargest) -> float | None:
    """The bound for a sum with its largest term integrated: the largest over the number of terms."""
    if not isinstance(nominal.count, Categorical) or not isinstance(proposal, AllButLargest) or \
            not isinstance(proposal.count, Categorical):
        return None
    p, q = np.array(nominal.count.probabilities), np.array(proposal.count.probabilities)
    suprema = log_suprema(nominal.sizes, proposal.sizes, f.level, len(p))
    if suprema is None or len(p) != len(q) or np.any((p[1:] > 0.0) & (q[1:] == 0.0)):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p[1:] > 0.0, np.log(p[1:]) - np.log(q[1:]) + suprema[1:], -math.inf)
    return math.exp(float(np.max(terms))) * (1.0 + 1e-9)


def log_suprema(size: Distribution, other: Distribution, level: float, counts: int) -> np.ndarray | None:
    """log of the largest n P(X > max(M, u - S)) p/q over the other n - 1 terms, for n = 0, 1, ..., counts - 1.

    With their own law it is n P(X > u/n). With Weibull sizes of shape k <= 1 and the scale c, p/q of a term is
    c^k exp(-(1 - c^-k) x^k): the exponent of all is concave between points at which m of the others are u/(m + 1) and
    the rest 0, so that its largest value is at one of them.
    """
    out = np.full(counts, -math.inf)
    scaled = isinstance(size, Weibull) and isinstance(other, Weibull) and size.shape == other.shape <= 1.0 \
        and other.scale > size.scale
    if size != other and not scaled:
        return None
    for n in range(1, counts):
        out[n] = math.log(n)
        if size == other:
            out[n] += size.log_mass(level / n, math.inf)
        else:
            k, c = size.shape, other.scale / size.scale                                     # type: ignore[attr-defined]
            at = (level / size.scale / np.arange(1, n + 1)) ** k                            # type: ignore[attr-defined]
            out[n] += (n - 1) * k * math.log(c) - float(np.min(((1.0 - c ** -k) * np.arange(n) + 1.0) * at))
    return out
