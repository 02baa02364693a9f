"""From a vector to one number: the law of a named score, and the same question asked of that law.

A linear score of a normal vector is normal; sums of independent laws of one family often stay in it; sums of laws with
few values are convolved. What holds for the score's law, the probability of an event or the weights of a tilt along the
score, holds for the vector.
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rareevents import distributions as d
from rareevents.certificates import direction, factors
from rareevents.distributions import Distribution
from rareevents.distributions.sums import sum_law
from rareevents.events import AnyEvent, Complement, Event, Intersection, Union, identity, require_fit


class Reduced(NamedTuple):
    """A question about one number that has the answer of a question about a vector."""

    law: Distribution             # of the score a . x
    event: AnyEvent               # of the identity score
    a: np.ndarray                 # the score's coefficients


def reduced(nominal: Distribution, event: Any) -> Reduced | None:
    """The question about the score's law; None if the event is not one of a single named score, or its law not known.

    >>> from rareevents import IID, Poisson, total
    >>> reduced(IID(Poisson(2.0), 30), total >= 90).law
    Poisson(rate=60.0)
    """
    if nominal.size is None or not isinstance(event, AnyEvent):
        return None
    require_fit(event, nominal.size)
    along = score_direction(event, nominal.size)
    law = None if along is None or not np.any(along) else score_law(nominal, along)
    return None if law is None else Reduced(law, _of_identity(event), along)                # type: ignore[arg-type]


def score_direction(event: Any, size: int) -> np.ndarray | None:
    """The a for which the event is one of a . x alone, or None."""
    if isinstance(event, Event):
        return direction(event.score.coefficients, size)
    parts = event.parts if isinstance(event, (Union, Intersection)) else (event.event,)
    found = [score_direction(part, size) for part in parts]
    if any(a is None for a in found) or not all(np.array_equal(found[0], a) for a in found):   # type: ignore[arg-type]
        return None
    return found[0]


def _of_identity(event: Any) -> AnyEvent:
    """The event with the identity in place of its score."""
    if isinstance(event, Event):
        return Event(identity, event.at_least if event.at_least > -math.inf else None,
                     event.at_most if event.at_most < math.inf or event.at_least == -math.inf else None)
    if isinstance(event, Complement):
        return Complement(_of_identity(event.event))
    return type(event)(tuple(map(_of_identity, event.parts)))


def score_law(nominal: Distribution, a: np.ndarray) -> Distribution | None:
    """The law of a . x for x from the nominal law, or None where it is not known."""
    if isinstance(nominal, d.MultivariateNormal):
        return d.Normal(float(a @ nominal.mean), math.sqrt(float(a @ nominal.covariance @ a)))
    if not isinstance(nominal, (d.IID, d.Independent)):
        return None
    laws = [law for law, c in zip(factors(nominal), a, strict=True) if c != 0.0]
    coefficients = a[a != 0.0]
    if all(isinstance(law, d.Normal) for law in laws):
        means, sds = (np.array([getattr(law, name) for law in laws]) for name in ("mean", "sd"))
        return d.Normal(float(coefficients @ means), float(np.linalg.norm(coefficients * sds)))
    if not np.all(coefficients == 1.0):
        return None
    if len(laws) == 1:
        return laws[0]
    return sum_law(laws)
