"""Proposals that start at the level: the level plus a geometric or exponential overshoot, and the law cut at it."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents import oracle
from rareevents.designs import Design
from rareevents.distributions import (
    Distribution,
    Exponential,
    Geometric,
    Lomax,
    Reflected,
    Shifted,
    Support,
    Truncated,
)
from rareevents.proposals.region import design, one_piece
from rareevents.proposals.tilting import saddle

SMALLEST = 1e-12              # of a mean overshoot, in units of the level or the standard deviation


def overshoot(nominal: Distribution, event: Any) -> Design:
    """The level plus a geometric overshoot for counts, an exponential one for reals, a Lomax one for heavy tails.

    q(x) = r (1 - r)^(x - k), x >= k, with 1/r - 1 = E_p[X - k | X >= k]: the least cross entropy to q* in this family.
    Every draw is in the event. Where log p is concave, log p/q is, and its one maximum is the proven bound. Where the
    weights of an exponential overshoot would have infinite variance, the overshoot falls like a power.

    Parameters
    ----------
    nominal : Distribution
        p, a law of one number; of counts if its tail falls at least exponentially.
    event : event
        A tail, such as at_least(20) or at_most(-3.0).

    Raises
    ------
    ValueError
        If the event is not one tail, cannot happen, or the weights have infinite variance.

    Source: the overshoot of a level is nearly geometric or exponential, Feller, An Introduction to Probability Theory
    II (1971), section XII.4; the fit is the cross-entropy method's.

    >>> from rareevents import Poisson, at_least
    >>> overshoot(Poisson(rate=4.0), at_least(20)).relative_variance < 1e-3
    True
    """
    piece = one_piece(nominal, event)
    upper = math.isfinite(piece.low) and not piece.low <= nominal.mean
    level = piece.low if upper else piece.high
    if not math.isfinite(level) or piece.low <= nominal.mean <= piece.high:
        raise ValueError(f"event must be a tail that does not hold the mean {nominal.mean:g}, got {event!r} under "
                         f"{nominal!r}")
    mass = oracle.ideal(nominal, event)
    share = np.exp(mass.log_mass - mass.log_sum())
    mean = float(np.sum(share * np.abs(mass.x - level)))
    if nominal.dtype is int:
        law: Distribution = Geometric(min(1.0, 1.0 / (1.0 + mean)))
    else:
        law = Exponential(1.0 / max(mean, SMALLEST * max(abs(level), 1e-300)))
    law = Shifted(law if upper else Reflected(law), nominal.dtype(level))
    made = design(nominal, event, law, f"the level {level:g} and an overshoot of mean {mean:.4g}")
    if made.relative_variance is None or math.isfinite(made.relative_variance):
        return made
    if nominal.dtype is int:
        raise ValueError(f"nominal must have a tail that falls at least exponentially, got {nominal!r}: the weights "
                         f"would have infinite variance; use proposals.truncated")
    heavy = _heavy(share, np.abs(mass.x - level))
    law = Shifted(heavy if upper else Reflected(heavy), level)
    return design(nominal, event, law, f"the level {level:g} and an overshoot with a tail of power {heavy.alpha:.3g}")


def _heavy(share: np.ndarray, excess: np.ndarray) -> Lomax:
    """The Lomax law with the least cross entropy to an overshoot whose tail falls like a power."""
    from scipy.optimize import minimize
    order = np.argsort(excess)
    median = max(float(excess[order][np.searchsorted(np.cumsum(share[order]), 0.5)]), 1e-300)

    def loss(logs: np.ndarray) -> float:
        alpha, scale = np.exp(logs[0]), median * np.exp(logs[1])
        return -float(np.sum(share * (np.log(alpha / scale) - (alpha + 1.0) * np.log1p(excess / scale))))
    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 2000})
    return Lomax(float(np.exp(found.x[0])), median * float(np.exp(found.x[1])))


def truncated(nominal: Distribution, event: Any) -> Design:
    """The law cut to the event where it can be drawn from directly, otherwise its tilt cut to the event.

    q(x) = p(x) / P(event) on the event: p/q is P(event), a constant. Where that is too rare to reject into,
    q(x) = q_theta(x) / Q_theta(event), with p/q <= Q_theta(event) exp(kappa(theta) - theta k).

    Parameters
    ----------
    nominal : Distribution
        p, a law of one number.
    event : event
        One interval.

    Raises
    ------
    ValueError
        If the event is not one interval, cannot happen, or a tilt is needed and does not exist.

    Source: Owen, Monte Carlo theory, methods and examples (2013), section 9.1: the zero-variance proposal.

    >>> from rareevents import Poisson, at_least
    >>> truncated(Poisson(rate=4.0), at_least(20)).relative_variance < 1e-12
    True
    """
    piece = one_piece(nominal, event)
    law = _cut(nominal, piece)
    if law is not None:
        return design(nominal, event, law, "the nominal law given the event")
    theta = saddle(nominal, piece)
    law = _cut(nominal.tilt(theta), piece)
    if law is None:
        raise ValueError(f"event must hold at least 0.1 % of a tilt of the nominal law, got {event!r} under "
                         f"{nominal!r}")
    return design(nominal, event, law, f"exponential tilt by {theta:.6g}, given the event")


def _cut(law: Distribution, piece: Support) -> Distribution | None:
    try:
        return Truncated(law, piece.low, piece.high)
    except ValueError:                                     # too rare to reject into
        return None


