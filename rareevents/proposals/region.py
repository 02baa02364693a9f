"""Where an event happens, as the proposals ask it: the piece of a line that a number must lie in, or a named error."""
from __future__ import annotations

import contextlib
import math
from typing import Any

from rareevents import oracle
from rareevents.certificates import direction, tilt_between, weight_bound
from rareevents.designs import Design
from rareevents.distributions import Distribution, Support
from rareevents.distributions.parts import log_sum_exp, require_law
from rareevents.events import Complement, Event, Intersection, Union
from rareevents.reductions import Reduced, reduced
from rareevents.regions import intervals


def pieces(nominal: Distribution, event: Any) -> list[Support] | None:
    """The intervals of the nominal law's support where an event of the identity score happens; None if not known.

    Raises ValueError if there are none: the event cannot happen.
    """
    require_law("nominal", nominal)
    where = intervals(event, nominal.dtype is int) if nominal.size is None else None
    if where is None or not where.exact:
        return None
    s = nominal.supports[0]
    found = [Support(s.kind, max(low, s.low), min(high, s.high)) for low, high in where.pieces]
    found = [piece for piece in found if piece.low <= piece.high]
    with contextlib.suppress(AttributeError):              # of a sum whose law has no closed form: the support must do
        found = [piece for piece in found if nominal.log_mass(piece.low, piece.high) > -math.inf]
    if not found:
        raise impossible(nominal, event)
    return found


def one_piece(nominal: Distribution, event: Any) -> Support:
    """The only interval of an event, or an error that says what to use instead."""
    found = pieces(nominal, event)
    if found is None:
        raise ValueError(f"event must be one of the number itself, such as at_least(20), or of a score with a known "
                         f"law, such as total >= 20 of independent laws of one family, got {event!r} under "
                         f"{nominal!r}: use proposals.cross_entropy, which explores")
    if len(found) > 1:
        raise ValueError(f"event must be one interval, got {event!r}, which is {len(found)}: one proposal "
                         f"would miss a part; use proposals.mixture")
    return found[0]


def parts(event: Any) -> list[Any]:
    """The events whose union an event is: of named levels, with `~` and De Morgan's rule taken apart.

    >>> from rareevents import outside
    >>> parts(outside(4, 36))
    [identity <= 4, identity >= 36]
    """
    if isinstance(event, Union):
        return [leaf for part in event.parts for leaf in parts(part)]
    if isinstance(event, Complement):
        inner: Any = event.event
        if isinstance(inner, Complement):
            return parts(inner.event)
        if isinstance(inner, Intersection):
            return [leaf for part in inner.parts for leaf in parts(Complement(part))]
        if isinstance(inner, Event):                       # an open end: the next double
            low, high = inner.at_least, inner.at_most
            return ([Event(inner.score, at_most=math.nextafter(low, -math.inf))] if math.isfinite(low) else []) \
                + ([Event(inner.score, at_least=math.nextafter(high, math.inf))] if math.isfinite(high) else [])
    return [event]


def possible_parts(nominal: Distribution, event: Any) -> list[Any]:
    """The parts of an event that the supports allow; raises ValueError if there are none."""
    found = [part for part in parts(event) if can_happen(nominal, part)]
    if not found:
        raise impossible(nominal, event)
    return found


def can_happen(nominal: Distribution, event: Any) -> bool:
    """False where the supports alone show that an event of named scores has probability 0.

    >>> from rareevents import IID, Uniform, total
    >>> can_happen(IID(Uniform(0.0, 1.0), 10), total >= 11.0)
    False
    """
    if isinstance(event, Union):
        return any(can_happen(nominal, part) for part in event.parts)
    if isinstance(event, Intersection):
        return all(can_happen(nominal, part) for part in event.parts)
    if not isinstance(event, Event):
        return True
    a = direction(event.score.coefficients, nominal.size or 1)
    if a is None:
        return True
    ends = [(c * s.low, c * s.high) if c > 0.0 else (c * s.high, c * s.low)
            for c, s in zip(a, nominal.supports, strict=True) if c != 0.0]
    return math.fsum(low for low, _ in ends) <= event.at_most and math.fsum(high for _, high in ends) >= event.at_least


def impossible(nominal: Any, event: Any) -> ValueError:
    """The error for an event that cannot happen."""
    return ValueError(f"event must be able to happen under the nominal law, got {event!r} under {nominal!r}: its "
                      f"probability is 0")


def scalar(nominal: Distribution, event: Any) -> Reduced | None:
    """The question about the law of the event's score, for a law of vectors; None where it is not known."""
    require_law("nominal", nominal)
    return reduced(nominal, event)


def design(nominal: Distribution, event: Any, law: Distribution, how: str, **spent: Any) -> Design:
    """The design with its proven bound and, for laws of one number, its exact relative variance."""
    bound = weight_bound(nominal, event, law, False)
    return Design(law, how, bound, exact_variance(nominal, event, law), **spent)


def exact_variance(nominal: Distribution, event: Any, law: Distribution) -> float | None:
    """The relative variance of one draw, where it is known."""
    try:
        return oracle.grade(nominal, event, law).relative_variance
    except (ValueError, AttributeError):
        return _of_tilt(nominal, event, law)


def _of_tilt(nominal: Distribution, event: Any, law: Distribution) -> float | None:
    """exp(kappa(theta) + kappa(-theta)) P_(-theta)(A) / P(A)^2 - 1: for a tilt, without a density."""
    theta = tilt_between(nominal, law) if nominal.size is None else None
    where = None if theta is None else intervals(event, nominal.dtype is int)
    if theta is None or where is None or not where.exact:
        return None
    try:
        back = nominal.tilt(-theta)
        logs = [log_sum_exp(p.log_mass(low, high) for low, high in where.pieces) for p in (back, nominal)]
        return math.expm1(nominal.log_mgf(theta) + nominal.log_mgf(-theta) + logs[0] - 2.0 * logs[1])
    except (ValueError, AttributeError, OverflowError):
        return None
