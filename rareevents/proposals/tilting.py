"""Exponential tilting: q proportional to exp(theta s(x)) p(x) for the score s of the event."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents import oracle
from rareevents.designs import Design
from rareevents.distributions import Distribution, Support
from rareevents.distributions.parts import require_law
from rareevents.events import Event
from rareevents.processes import Process, RandomWalk
from rareevents.proposals.path_tilts import horizon_tilt
from rareevents.proposals.region import design, one_piece, pieces, scalar
from rareevents.proposals.walks import walk_tilt
from rareevents.reductions import score_direction

CHOICES = ("saddle", "cross entropy", "second moment")
FARTHEST = 1e6                # of theta times the law's standard deviation: the level cannot be reached


def tilt(nominal: Any, event: Any, choice: str = "saddle") -> Design:
    """The exponential tilt of the nominal law for an event, with the bound on its weight.

    q(x) = exp(theta s(x) - kappa(theta)) p(x). The choices of theta: "saddle", E_q[s] is the level; "cross entropy",
    E_q[s] = E_p[s | event], the least KL(q*||q); "second moment", the least relative variance. On an event {s >= t}
    with theta >= 0, p/q <= exp(kappa(theta) - theta t).

    Parameters
    ----------
    nominal : Distribution or Process
        p, a law with a moment generating function; of numbers, or of vectors for an event of one named score. Walks and
        paths over finitely many states are tilted as wholes (`walk_tilt`, `horizon_tilt`).
    event : event, or function for the choices other than "saddle" on laws of one number
        One interval of the score.
    choice : str
        "saddle", "cross entropy" or "second moment".

    Raises
    ------
    ValueError
        If the law has no moment generating function, the event cannot happen or is several intervals, or the choice is
        unknown.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), section VI.2; Rubinstein and Kroese, The Cross-Entropy
    Method (2004), section 3.2.

    >>> from rareevents import Poisson, at_least
    >>> round(tilt(Poisson(rate=4.0), at_least(20)).law.rate, 9)
    20.0
    """
    if choice not in CHOICES:
        raise ValueError(f"choice must be one of {', '.join(map(repr, CHOICES))}, got {choice!r}")
    if isinstance(nominal, RandomWalk):
        if choice != "saddle":
            raise ValueError(f"choice must be 'saddle' for a walk: its tilt is that of the least bound, got {choice!r}")
        return walk_tilt(nominal, event)
    if isinstance(nominal, Process):
        return horizon_tilt(nominal, event, choice)
    require_tilt(nominal)
    small = scalar(nominal, event)
    law, question, a = (nominal, event, 1.0) if small is None else small
    if nominal.size is not None and small is None:
        a, question = _direction(nominal, event), event
        if choice != "saddle":
            raise ValueError(f"choice must be 'saddle' where the law of the score is not known, got {choice!r} for "
                             f"{event!r} under {nominal!r}: use proposals.cross_entropy")
        theta = _saddle_of_vector(nominal, event, a)
    elif choice == "saddle":
        theta = saddle(law, one_piece(law, question))
    else:
        if small is not None or hasattr(event, "margin"):
            pieces(law, question)                          # raises where the event cannot happen
        theta = _refined(law, question, choice)
    alike = nominal.size is None or np.all(np.asarray(a) == 1.0)
    made = nominal.tilt(theta if alike else theta * np.asarray(a)) if theta else nominal
    return design(nominal, event, made, f"exponential tilt by {theta:.6g}, {choice}")


def require_tilt(nominal: Distribution) -> None:
    """Raise unless the law can be tilted."""
    require_law("nominal", nominal)
    variance = np.asarray(nominal.variance, float)
    theta: Any = 1e-3 / np.sqrt(np.where((variance > 0.0) & np.isfinite(variance), variance, 1.0))
    theta = float(theta) if nominal.size is None else theta
    try:
        for way in (1.0, -1.0):
            if nominal.log_mgf(way * theta) < math.inf:
                nominal.tilt(way * theta)
                return
    except (AttributeError, ValueError):
        pass
    raise ValueError(f"nominal must have a moment generating function to be tilted, got {nominal!r}: use "
                     f"proposals.truncated for an interval, proposals.overshoot for a tail that falls exponentially, "
                     f"or proposals.cross_entropy with a family of its own")


def saddle(law: Distribution, piece: Support) -> float:
    """theta at which the tilted mean is the level of the piece nearest to the mean; 0 where the mean is inside."""
    mean = float(law.mean)
    if piece.low <= mean <= piece.high:
        return 0.0
    level = piece.low if mean < piece.low else piece.high
    if level in (law.supports[0].low, law.supports[0].high):          # only an infinite tilt has its mean at an end
        level = 0.999 * level + 0.001 * mean
    return root(lambda theta: float(law.tilt(theta).mean) - level, level - mean, _sd(law),
                 f"the mean of {law!r} to {level:g}", law)


def _refined(law: Distribution, f: Any, choice: str) -> float:
    """theta with the least cross entropy or second moment, from sums or integrals of |f| p."""
    if choice == "cross entropy":
        mass = oracle.ideal(law, f)
        at = float(np.sum(np.exp(mass.log_mass - mass.log_sum()) * mass.x))
        return root(lambda theta: float(law.tilt(theta).mean) - at, at - float(law.mean), _sd(law),
                     f"the mean of {law!r} to {at:g}", law)
    from scipy.optimize import minimize_scalar
    mass = oracle.ideal(law, f, power=2)
    peak = float(np.max(mass.log_mass))

    def log_moment(theta: float) -> float:
        kappa = law.log_mgf(theta)
        if kappa == math.inf:
            return 1e300
        logs = mass.log_mass - theta * mass.x
        top = max(float(np.max(logs)), peak - 700.0)
        return kappa + top + math.log(float(np.sum(np.exp(logs - top))))
    start = _refined(law, f, "cross entropy")
    reach = 0.5 * abs(start) + 0.5 / _sd(law)
    found: Any = minimize_scalar(log_moment, bracket=(start - 0.1 * reach, start), tol=1e-12)  # convex: one minimum
    return float(found.x)


# ------------------------------------------------------------------------------------------------ vectors
def _direction(nominal: Distribution, event: Any) -> np.ndarray:
    along = score_direction(event, nominal.size) if hasattr(event, "margin") else None      # type: ignore[arg-type]
    if along is None or not np.any(along):
        raise ValueError(f"event must be one of a single named score, such as total >= 12 or linear(a) <= 0, got "
                         f"{event!r}: use proposals.mixture for several, proposals.cross_entropy for a function")
    return along


def _saddle_of_vector(nominal: Distribution, event: Any, a: np.ndarray) -> float:
    """The same for a score whose law is not known: its mean under the tilt by theta a is the level."""
    if not isinstance(event, Event):
        raise ValueError(f"event must be a level of one score, such as total >= 12, got {event!r}")

    def mean(theta: float) -> float:
        return float(np.sum(a * nominal.tilt(theta * a).mean))
    start = float(np.sum(a * nominal.mean))
    if event.at_least <= start <= event.at_most:
        return 0.0
    level = event.at_least if start < event.at_least else event.at_most
    scale = math.sqrt(float(np.sum(a * a * nominal.variance)))
    return root(lambda theta: mean(theta) - level, level - start, scale,
                 f"the mean of {event.score.name} to {level:g}", nominal)


# ------------------------------------------------------------------------------------------------ the equation
def _sd(law: Distribution) -> float:
    variance = float(law.variance)
    return math.sqrt(variance) if 0.0 < variance < math.inf else 1.0


def root(off: Callable[[float], float], way: float, sd: float, what: str, law: Distribution) -> float:
    """The root of an increasing function of theta that is below zero at 0 if `way` > 0, above it if `way` < 0."""
    from scipy.optimize import brentq
    sign = math.copysign(1.0, way)
    if way == 0.0:
        return 0.0

    def at(theta: float) -> float | None:
        try:
            value = off(theta)
        except (ValueError, OverflowError, ZeroDivisionError):        # beyond the parameters where the tilt exists
            return None
        return None if math.isnan(value) else value
    near, far = 0.0, sign / sd
    while True:
        value = at(far)
        if value is None:                                             # halve towards what exists
            if abs(far - near) <= 1e-9 * abs(far) or abs(far) * sd < 1e-9:
                raise ValueError(f"event must be within reach of a tilt: none brings {what}; use proposals.truncated")
            far = 0.5 * (near + far)
            continue
        if value * sign >= 0.0:
            break
        blocked = at(2.0 * far) is None
        near, far = far, (0.5 * (far + 2.0 * far) if blocked else 2.0 * far)
        if abs(far) * sd > FARTHEST:
            raise ValueError(f"event must be within reach of a tilt: none brings {what} of {law!r}; use "
                             f"proposals.truncated")
    found: Any = brentq(lambda theta: at(theta) or 0.0, near, far, xtol=1e-15 / sd, rtol=np.float64(1e-14))
    return float(found)
