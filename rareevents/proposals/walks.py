"""Exponential tilts of random walks: Siegmund's for a level that is hit at some time, others for a number of steps."""
from __future__ import annotations

import math
from typing import Any

from rareevents.designs import Design
from rareevents.events import AnyEvent
from rareevents.paths.bounds import Beyond, beyond, log_bound_beyond, walk_bound
from rareevents.processes import Process, RandomWalk

FURTHEST = 1e6                # the largest theta that is tried, in one over the unit of the increments


def walk_tilt(walk: Process, event: Any) -> Design:
    """The tilt of a walk towards the level that its event asks for.

    With kappa(theta) = log E[exp(theta X)], the weight of a path of t steps is exp(t kappa - theta (S_t - S_0)). Theta
    is chosen for the least proven bound on that. For a level that is hit at some time it is Siegmund's, the root of
    kappa; for a level at the end the drift that reaches it; for a walk that must stay above a level the drift 0.

    Parameters
    ----------
    walk : RandomWalk
        The nominal law.
    event : event
        A level of `end`, `running_max`, `running_min`, `hits(at_least(u), ...)`, or `first_passage(at_least(u)) <= n`.

    Raises
    ------
    ValueError
        If walk or event is not of that kind, the increments have no moment generating function, or the walk drifts
        there by itself.

    Source: Siegmund (1976), Annals of Statistics 4, 673; Asmussen and Glynn, Stochastic Simulation (2007), VI.2.

    >>> from rareevents import Normal, RandomWalk, at_least, hits
    >>> round(walk_tilt(RandomWalk(Normal(-0.5, 1.0)), hits(at_least(20.0))).law.increment.mean, 9)
    0.5
    """
    if not isinstance(walk, RandomWalk):
        raise ValueError(f"walk must be a RandomWalk, got {walk!r}")
    where = beyond(event) if isinstance(event, AnyEvent) else None
    if where is None or math.isinf(where.low) == math.isinf(where.high):
        raise ValueError(f"event must be a level that a walk is beyond when it ends, such as end >= 3, running_max >= "
                         f"3 or hits(at_least(3)), got {event!r}")
    sign = 1.0 if math.isinf(where.high) else -1.0
    distance = ((where.low if sign > 0.0 else where.high) - walk.start) * sign
    if distance <= 0.0 and not where.at_end:
        raise ValueError(f"event must be away from the start, {walk.start:g}, got {event!r}")
    try:
        most = _last_finite(walk, sign)
    except AttributeError as error:
        raise ValueError(f"walk must have increments with a moment generating function to be tilted, got {walk!r}: "
                         f"{error}") from None
    if most == 0.0:
        raise ValueError(f"walk must have increments with a moment generating function to be tilted, got {walk!r}")
    theta = sign * (_root(walk, sign, most) if walk.steps is None else _least(walk, where, sign, most))
    if theta == 0.0:
        raise ValueError(f"event must be rare for a tilt, but the walk goes there by itself: {event!r} of {walk!r}")
    law = walk.tilt(theta)
    return Design(law, f"exponential tilt of the walk by {theta:.6g}", bound=walk_bound(walk, event, law))


def _root(walk: RandomWalk, sign: float, most: float) -> float:
    """The theta above 0 at which kappa is 0, on the side where the weight is bounded for all time."""
    from scipy.optimize import brentq
    solve: Any = brentq

    def kappa(t: float) -> float:
        return walk.log_mgf(sign * t)
    if sign * walk.drift >= 0.0:
        return 0.0
    low = _bracket(lambda t: -sign * walk.tilt(sign * t).drift, 0.0, most)        # kappa falls to here and rises then
    high = _bracket(lambda t: -kappa(t), low, most)
    root = float(solve(kappa, low, high)) if kappa(high) > 0.0 else high
    while kappa(root) > 0.0 and root > low:
        root -= 1e-13 * root
    return root


def _least(walk: RandomWalk, where: Beyond, sign: float, most: float) -> float:
    """The theta of the least bound, a convex function; 0 where no tilt has a bound below 1."""
    from scipy.optimize import minimize_scalar

    def log_bound(t: float) -> float:
        return log_bound_beyond(walk, where, sign * t)
    high = _bracket(lambda t: log_bound(0.5 * t) - log_bound(t), 0.0, most)
    found: Any = minimize_scalar(log_bound, bounds=(0.0, high), method="bounded", options={"xatol": 1e-10 * high})
    return float(found.x) if found.fun < -1e-9 else 0.0


def _last_finite(walk: RandomWalk, sign: float) -> float:
    """A theta up to which the moment generating function is finite, as large as it can be; 0: there is none."""
    def finite(t: float) -> bool:
        try:
            return math.isfinite(walk.log_mgf(sign * t)) and math.isfinite(walk.tilt(sign * t).drift)
        except (ValueError, OverflowError, ZeroDivisionError):
            return False
    low, high = 0.0, 1e-9
    while high < FURTHEST and finite(high):
        low, high = high, 2.0 * high
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if finite(middle) else (low, middle)
    return low


def _bracket(positive: Any, low: float, most: float) -> float:
    """A t above low at which a function that starts above 0 is not any more, or the last t there is."""
    step = max(1e-6, 1e-3 * low)
    at = low
    while at < most:
        at = min(most, low + step)
        if positive(at) <= 0.0:
            return at
        step *= 1.5
    return most
