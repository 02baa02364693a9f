"""Rao-Blackwellised proposals: what can be integrated is, and only the rest is drawn."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.certificates import weight_bound
from rareevents.designs import Design, Restated
from rareevents.distributions.sums import repeated_sum
from rareevents.integrands import Tabulated
from rareevents.processes import CompoundSum
from rareevents.proposals.region import exact_variance, pieces
from rareevents.proposals.tilting import tilt

FARTHEST = 1 << 14            # the longest table of counts
ENOUGH = 1e-16                # of the answer: what counts beyond the table can add


def rao_blackwell(nominal: Any, event: Any) -> Restated:
    """For a compound sum: draw the count from a tilt, and integrate over the sizes.

    P(S in A) = E[g(N)] with g(n) = P(X_1 + ... + X_n in A), a table. The count is tilted to the least second moment of
    g p/q; by the law of total variance a draw costs no more than one of the sum.

    Parameters
    ----------
    nominal : CompoundSum
        With sizes whose sums have a closed form: exponential, gamma, normal, Poisson, binomial, geometric.
    event : event
        Of the sum itself, such as at_least(30.0).

    Raises
    ------
    ValueError
        If the law is another, the event's intervals are not known, or the sums have no closed form.

    Source: Casella and Robert, Rao-Blackwellisation of sampling schemes (1996), section 2.

    >>> from rareevents import CompoundSum, Exponential, Poisson, at_least
    >>> rao_blackwell(CompoundSum(Poisson(4.0), Exponential(1.0)), at_least(30.0)).design.relative_variance < 0.3
    True
    """
    if not isinstance(nominal, CompoundSum):
        raise ValueError(f"nominal must be a CompoundSum, got {nominal!r}")
    found = pieces(nominal, event)
    if found is None:
        raise ValueError(f"event must be one of the sum itself, such as at_least(30.0), got {event!r}")
    count, size = nominal.drawn_count, nominal.drawn_size
    values = [float(any(piece.low <= 0.0 <= piece.high for piece in found))]
    answer = values[0] * math.exp(float(count.log_prob(0))) if count.supports[0].low <= 0.0 else 0.0
    for n in range(1, FARTHEST):
        law = repeated_sum(size, n)
        if law is None:
            raise ValueError(f"nominal must have sizes whose sums have a closed form, got {size!r}")
        values.append(math.fsum(math.exp(law.log_mass(piece.low, piece.high)) for piece in found))
        answer += values[-1] * math.exp(float(count.log_prob(n)))
        if n > count.mean and math.exp(count.log_mass(n + 1.0, math.inf)) <= ENOUGH * answer:
            break                                            # what larger counts could add does not count
    else:
        raise ValueError(f"nominal must have a count below {FARTHEST:,} to be tabulated, got {count!r}")
    f = Tabulated(np.array(values), f"P({event!r} | count)")
    made = tilt(count, f, "second moment")
    return Restated(count, f, Design(made.law, f"the sizes integrated, and the count by an {made.how}",
                                     weight_bound(count, f, made.law, False), exact_variance(count, f, made.law)))
