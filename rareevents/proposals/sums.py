"""Which event of a sum is asked: of a compound sum itself, or of the total of independent terms with one law."""
from __future__ import annotations

import math
from typing import Any, NamedTuple

from rareevents.distributions import IID, Distribution
from rareevents.events import Event, identity, total
from rareevents.processes import CompoundSum


class Sum(NamedTuple):
    """A sum that is to reach a level."""

    size: Distribution            # the law of a term
    count: Distribution | int     # the law of the number of terms, or their number
    level: float                  # above 0


def sum_of(nominal: Any, event: Any) -> Sum:
    """The sum of a law and a level of it from below; raises ValueError where they are not of that kind."""
    if not isinstance(event, Event) or not math.isinf(event.at_most) or \
            not 0.0 < event.at_least < math.inf:
        raise ValueError(f"event must be a finite level of the sum above 0, such as at_least(200.0), got {event!r}")
    if isinstance(nominal, CompoundSum) and event.score is identity and nominal.theta == 0.0:
        return Sum(nominal.sizes, nominal.count, event.at_least)
    if isinstance(nominal, IID) and event.score is total:
        return Sum(nominal.law, int(nominal.n), event.at_least)
    raise ValueError(f"nominal must be a CompoundSum, or IID with an event of total, got {nominal!r} and {event!r}")
