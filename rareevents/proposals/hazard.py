"""Hazard-rate twisting of heavy-tailed sums: an exponential tilt of -log P(X > x) in place of x.

A term X with the hazard Lambda(x) = -log P(X > x) is twisted to the density p(x) exp(theta Lambda(x)) (1 - theta): its
tail is P(X > x)^(1 - theta), heavier, and known. The largest term can be integrated instead (`largest_integrated`),
which needs far fewer draws; this is what that is compared with.
"""
from __future__ import annotations

import math
from typing import Any

from rareevents.designs import Design, Restated
from rareevents.distributions import IID, Distribution, LogNormal, Lomax, Shifted, Weibull
from rareevents.distributions.two_piece import TwoPieceLogNormal
from rareevents.paths.sums import SumReaches
from rareevents.processes.all_but_largest import AllButLargest
from rareevents.proposals.sums import sum_of

CLOSEST = 1e-6                # 1 - theta at least


def hazard_twist(nominal: Any, event: Any) -> Restated:
    """For a sum of sizes without a moment generating function: each size twisted by its hazard, the count left alone.

    With c(theta) the largest p/q exp(theta Lambda) of a term, theta is that of the least bound E[c(theta)^N]
    exp(-theta Lambda(u)) on the second moment, which holds where Lambda is concave; for n terms it is 1 - n/Lambda(u).
    Lomax and Weibull sizes have their own Lambda; log-normal ones the asymptotic one, ((log x - mu)/sigma)^2 / 2 above
    the median and 0 below.

    Parameters
    ----------
    nominal : CompoundSum or IID
        The sum, or its terms for an event of `total`; of log-normal, Lomax or Weibull sizes.
    event : event
        A level of the sum from below, such as at_least(200.0) or total >= 200.0.

    Raises
    ------
    ValueError
        If nominal or event is not of that kind, or the event is not so rare that a twist pays.

    Source: Juneja and Shahabuddin (2002), ACM Transactions on Modeling and Computer Simulation 12, 94.

    >>> from rareevents import IID, Lomax, total
    >>> round(hazard_twist(IID(Lomax(2.0, 1.0), 2), total >= 99.0).design.law.law.alpha, 6)    # 2 / log(100)
    0.434294
    """
    size, count, level = sum_of(nominal, event)
    if isinstance(count, Distribution):
        theta = _best(size, level, count.log_mgf, event)                                    # type: ignore[attr-defined]
        asked, law = (AllButLargest(Shifted(count, 1), sizes) for sizes in (size, twisted(size, theta)))
        return Restated(asked, SumReaches(level), Design(law, f"sizes twisted by {theta:.6g} of their hazard"))
    theta = _best(size, level, lambda s: count * s, event)
    proven = isinstance(size, Lomax) or isinstance(size, Weibull) and size.shape <= 1.0
    bound = math.exp(count * _log_cost(size, theta) - theta * hazard(size, level)) if proven else None
    return Restated(nominal, event, Design(IID(twisted(size, theta), count),
                                           f"terms twisted by {theta:.6g} of their hazard", bound=bound))


def hazard(size: Distribution, x: float) -> float:
    """Lambda(x) = -log P(X > x); of log-normal sizes the asymptotic one."""
    if isinstance(size, LogNormal):
        return 0.5 * max(0.0, (math.log(x) - size.mu) / size.sigma) ** 2
    return -size.log_mass(x, math.inf)


def twisted(size: Distribution, theta: float) -> Distribution:
    """The law with the density p exp(theta Lambda)/E[exp(theta Lambda(X))], for 0 <= theta < 1."""
    if isinstance(size, Lomax):
        return Lomax(size.alpha * (1.0 - theta), size.scale)
    if isinstance(size, Weibull):
        return Weibull(size.shape, size.scale * (1.0 - theta) ** (-1.0 / size.shape))
    if isinstance(size, LogNormal):
        return TwoPieceLogNormal(size.mu, size.sigma, (1.0 - theta) ** -0.5)
    raise ValueError(f"nominal must have log-normal, Lomax or Weibull sizes, got {size!r}")


def _log_cost(size: Distribution, theta: float) -> float:
    """log E[exp(theta Lambda(X))], the largest log p/q + theta Lambda of a term."""
    return math.log(0.5 + 0.5 * (1.0 - theta) ** -0.5) if isinstance(size, LogNormal) else -math.log1p(-theta)


def _best(size: Distribution, level: float, log_mgf: Any, event: Any) -> float:
    """The theta of the least bound."""
    from scipy.optimize import minimize_scalar
    twisted(size, 0.0)                                     # raises for other sizes
    at = hazard(size, level)

    def log_bound(theta: float) -> float:
        found = log_mgf(_log_cost(size, theta))
        return found - theta * at if found < 1e300 else 1e300
    found: Any = minimize_scalar(log_bound, bounds=(0.0, 1.0 - CLOSEST), method="bounded", options={"xatol": 1e-10})
    if not found.fun < -1e-3:
        raise ValueError(f"event must be so rare that a twist of the sizes pays, got {event!r}")
    return float(found.x)
