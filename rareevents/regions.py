"""Where a number must lie for an event to happen."""
from __future__ import annotations

import math
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from rareevents.events import Complement, Event, Intersection, Union


class Intervals(NamedTuple):
    """Where a number must lie for an event to happen."""

    pieces: list[tuple[float, float]]         # in order, without overlap
    exact: bool                               # False: it happens nowhere else, but perhaps not everywhere there


def intervals(event: Any, integer: bool) -> Intervals | None:
    """The intervals of x, both ends included, in which an event of the identity score happens; None if not known.

    >>> from rareevents.events import outside
    >>> intervals(outside(4, 36), integer=True).pieces
    [(-inf, 3.0), (37.0, inf)]
    """
    if isinstance(event, (Union, Intersection)):
        found = [intervals(part, integer) for part in event.parts]
        known = [part for part in found if part is not None]
        if not known or (len(known) < len(found) and isinstance(event, Union)):
            return None
        together = reduce(_united if isinstance(event, Union) else _crossed, known)
        return together if len(known) == len(found) else together._replace(exact=False)
    inner = event.event if isinstance(event, Complement) else None
    if isinstance(inner, Complement):
        return intervals(inner.event, integer)
    if isinstance(inner, (Union, Intersection)):                 # De Morgan
        parts = tuple(map(Complement, inner.parts))
        return intervals((Intersection if isinstance(inner, Union) else Union)(parts), integer)
    named = event if inner is None else inner
    if not isinstance(named, Event) or not isinstance(named.score.coefficients, float):
        return None
    low, high = named.at_least, named.at_most
    if integer:
        low, high = (float(np.ceil(low)), float(np.floor(high)))
    if inner is None:
        return Intervals(_disjoint([(low, high)]), exact=True)
    below, above = (low - 1.0, high + 1.0) if integer else \
        (math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
    return Intervals(_disjoint([(-math.inf, below), (above, math.inf)]), exact=True)  # open ends: a law may have atoms


def _united(first: Intervals, second: Intervals) -> Intervals:
    return Intervals(_disjoint(first.pieces + second.pieces), first.exact and second.exact)


def _crossed(first: Intervals, second: Intervals) -> Intervals:
    both = [(max(a, c), min(b, d)) for a, b in first.pieces for c, d in second.pieces]
    return Intervals(_disjoint(both), first.exact and second.exact)


def _disjoint(pieces: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals in order, those that overlap as one; empty and infinitely far ones are left out."""
    found: list[tuple[float, float]] = []
    for low, high in sorted(pieces):
        if low > high or math.inf in (low, -high):
            continue
        if found and low <= math.nextafter(found[-1][1], math.inf):
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found
