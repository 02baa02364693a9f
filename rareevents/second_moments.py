"""Whether the second moment of f p/q is infinite, where both laws are known: by what p^2/q does in its tails.

An error bar means nothing where it is: the standard error never settles. A sum or integral of exp(g), g = 2 log p -
log q, converges at infinity if x g'(x) < -1 in the end, and at a finite end e if (x - e) g'(x) > -1 there.
"""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rareevents.certificates import direction, factors, tilt_between
from rareevents.distributions import IID, Distribution, Independent, MultivariateNormal
from rareevents.events import AnyEvent, Event, Union
from rareevents.regions import intervals

FAR = (300, 200, 120, 60, 30, 15)         # a tail is looked at from 2^300 to 2^301, or nearer, where its density
FAR_OF_COUNTS = (51, 40, 30, 20, 12)      # is a number
NEAR = 40                     # an end is looked at 2^-40 from it
STEP = 1e-9                   # by which the exponent may miss -1 through rounding
OFF = 24                      # doublings of a parameter in search of a finite variance


def infinite_variance(nominal: Distribution, f: Any, proposal: Distribution | None) -> str | None:
    """Why E_q[(f p/q)^2] is infinite, and for which parameters of q it is not; None where that is not shown.

    It is shown for events of the number itself, or of one side of a linear score, under laws of this package.

    >>> from rareevents import Exponential, at_least
    >>> infinite_variance(Exponential(1.0), at_least(20.0), Exponential(3.0))
    'the variance of f p/q is infinite: p^2/q falls off too slowly; it is finite for rate below about 2'
    """
    if proposal is None or not isinstance(f, AnyEvent) or not (_owned(nominal) and _owned(proposal)):
        return None
    if isinstance(f, Union):
        return next((found for part in f.parts if (found := infinite_variance(nominal, part, proposal))), None)
    if isinstance(nominal, MultivariateNormal) and isinstance(proposal, MultivariateNormal):
        return _of_normals(nominal, f, proposal)
    for p, q, ends in _tails(nominal, f, proposal):
        if any(_diverges(p, q, end) for end in ends):
            return f"the variance of f p/q is infinite: p^2/q falls off too slowly{_finite_range(p, q, ends)}"
    return None


def _owned(law: Distribution) -> bool:
    """Whether the law and its parts are of this package."""
    parts = [getattr(law, item.name) for item in dataclasses.fields(law)]                   # type: ignore[arg-type]
    inner = [x for part in parts for x in (part if isinstance(part, (tuple, list)) else (part,))]
    return type(law).__module__.startswith("rareevents.") and all(
        _owned(part) for part in inner if isinstance(part, Distribution))


def _tails(nominal: Any, f: Any, proposal: Any) -> Iterator[tuple[Distribution, Distribution, list[str]]]:
    """Pairs of laws of one number, and the ends of the line that the event reaches whatever the other numbers are."""
    if nominal.size is None:
        where = intervals(f, nominal.dtype is int)
        if where is not None and where.exact:
            s = nominal.supports[0]
            ends = {name for low, high in where.pieces if low <= high for name, reached in
                    (("high", high >= s.high), ("low", low <= s.low)) if reached}
            yield nominal, proposal, sorted(ends)
        return
    pairs = (IID, Independent)
    one_sided = isinstance(f, Event) and math.isfinite(f.at_least) != math.isfinite(f.at_most)
    if not (one_sided and isinstance(nominal, pairs) and isinstance(proposal, pairs)):
        return
    a = direction(f.score.coefficients, nominal.size)
    if a is None or np.count_nonzero(a) == 0:
        return
    way = 1.0 if math.isfinite(f.at_least) else -1.0
    for p, q, c in zip(factors(nominal), factors(proposal), way * a, strict=True):
        yield p, q, ["high", "low"] if c == 0.0 else ["high" if c > 0.0 else "low"]


def _diverges(p: Distribution, q: Distribution, end: str) -> bool:
    """Whether the sum or integral of p^2/q diverges at an end of p's support."""
    edge = getattr(p.supports[0], end)
    sign = 1.0 if end == "high" else -1.0
    if p.measure is not None:                # p/q is exp(theta x) up to a factor, and E_p of that is what counts
        theta = tilt_between(q, p)
        return theta is not None and sign * theta > 0.0 and p.log_mgf(theta) == math.inf
    if math.isfinite(edge):
        exponent = None if p.dtype is int else _exponent(p, q, [edge - sign * max(1.0, abs(edge)) * 2.0 ** k
                                                               for k in (-NEAR, 1 - NEAR)])
        return exponent is not None and exponent <= -1.0 + STEP
    for far in FAR_OF_COUNTS if p.dtype is int else FAR:
        exponent = _exponent(p, q, [sign * 2.0 ** far, sign * 2.0 ** (far + 1)])
        if exponent is not None:
            return exponent > -1.0 - STEP
    return False


def _exponent(p: Distribution, q: Distribution, points: list[float]) -> float | None:
    """The power of the distance at which p^2/q grows from one point to one twice as far; None where q or p is zero."""
    g = []
    for x in points:
        point = int(x) if p.dtype is int else x
        try:
            with np.errstate(all="ignore"):
                log_p, log_q = (float(law.functions()[1](law.record, point)) for law in (p, q))
        except (AttributeError, ValueError, OverflowError, ZeroDivisionError):
            return None
        g.append(2.0 * log_p - log_q)
    slope = (g[1] - g[0]) / math.log(2.0)
    return slope if math.isfinite(slope) else None


def _of_normals(nominal: MultivariateNormal, f: Any, proposal: MultivariateNormal) -> str | None:
    """Of normal vectors: infinite unless 2 P^-1 - Q^-1 is positive definite, where the event is one half-space."""
    if not (isinstance(f, Event) and f.score.coefficients is not None) or \
            math.isfinite(f.at_least) == math.isfinite(f.at_most):
        return None
    inverse = 2.0 * np.linalg.inv(nominal.covariance) - np.linalg.inv(proposal.covariance)
    values = np.linalg.eigvalsh(inverse)
    if values[0] >= -1e-12 * abs(values[-1]):
        return None
    return ("the variance of f p/q is infinite: p^2/q falls off too slowly; it is finite where twice the proposal's "
            "covariance exceeds the nominal one in every direction")


def _finite_range(p: Distribution, q: Distribution, ends: list[str]) -> str:
    """For which values of a parameter of q the second moment is finite; nothing where no one parameter mends it."""
    def finite(value: float, name: str) -> bool | None:
        try:
            law = dataclasses.replace(q, **{name: value})                                   # type: ignore[type-var]
        except (ValueError, TypeError):
            return None
        return not any(_diverges(p, law, end) for end in ends)

    found = []
    for item in dataclasses.fields(q):                                                      # type: ignore[arg-type]
        bad = getattr(q, item.name)
        if not isinstance(bad, float) or bad == 0.0:
            continue
        for factor in (0.5, 2.0):
            good = next((bad * factor ** k for k in range(1, OFF) if finite(bad * factor ** k, item.name)), None)
            if good is None:
                continue
            low, high = bad, good
            for _ in range(60):
                middle = math.copysign(math.sqrt(low * high), bad)
                low, high = (low, middle) if finite(middle, item.name) else (middle, high)
            found.append((abs(math.log(high / bad)), f"; it is finite for {item.name} "
                          f"{'below' if (factor < 1.0) == (bad > 0.0) else 'above'} about {high:.2g}"))
    return min(found)[1] if found else ""
