"""A normal coordinate integrated instead of drawn: how much of a line through a draw lies in an event."""
from __future__ import annotations

from typing import Any

import numpy as np

from rareevents.certificates import direction
from rareevents.draws import evaluator
from rareevents.events import Complement, Event, Intersection, Union


def levels(event: Any, size: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The vectors a (levels, size) and levels t (levels,) at which an event of named scores can change: a . x = t.

    None if a score of the event is not named.
    """
    if isinstance(event, Complement):
        return levels(event.event, size)
    if isinstance(event, (Union, Intersection)):
        found = [levels(part, size) for part in event.parts]
        known = [part for part in found if part is not None]
        if len(known) < len(found):
            return None
        return np.concatenate([a for a, _ in known]), np.concatenate([t for _, t in known])
    a = direction(event.score.coefficients, size) if isinstance(event, Event) else None
    if a is None:
        return None
    ends = np.array([t for t in (event.at_least, event.at_most) if np.isfinite(t)])
    return np.broadcast_to(a, (len(ends), size)), ends


def probability_on_lines(event: Any, x: np.ndarray, step: np.ndarray) -> np.ndarray:
    """P(x + s step in the event) for a standard normal s, one number for each row of x.

    Between neighbouring crossings of its levels the event does not change, so that one point tells for each interval.

    Parameters
    ----------
    event : event
        Of named scores: `levels` is not None.
    x : array (n, size)
        A point of each line.
    step : array (size,)
        The lines' direction; its length is the standard deviation along them.

    Source: Koutsourelakis, Pradlwarter and Schueller (2004), Reliability of structures in high dimensions, for lines.
    """
    from scipy.special import ndtr
    a, ends = levels(event, x.shape[1])                                                     # type: ignore[misc]
    slopes = a @ step
    crossed = np.abs(slopes) > 1e-14 * np.linalg.norm(a, axis=1) * np.linalg.norm(step)
    s = np.sort((ends[crossed] - x @ a[crossed].T) / slopes[crossed], axis=1)
    far = np.full((len(x), 1), np.inf)
    low, high = np.hstack([-far, s]), np.hstack([s, far])
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (low + high)
    first, last = np.isinf(low) & np.isfinite(high), np.isfinite(low) & np.isinf(high)
    middle = np.where(first, high - 1.0, np.where(last, low + 1.0, np.where(np.isnan(middle), 0.0, middle)))
    evaluate = evaluator(event)
    inside = np.column_stack([evaluate(x + column[:, None] * step) for column in middle.T])
    mass = np.where(low > 0.0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))            # in the nearer tail
    return np.sum(inside * mass, axis=1)
