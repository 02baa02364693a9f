"""What a proposal costs, in bits and in draws."""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rareevents import oracle
from rareevents.distributions import Distribution


class Cost(NamedTuple):
    """What a proposal q costs for E_p[f], against the ideal q* that is proportional to |f| p."""

    bits: float                   # KL(q*||q): what q wastes
    perplexity: float             # 2^bits: about as many draws as show the event at all
    relative_variance: float      # of one draw; infinite if the second moment is
    draws: float                  # for the relative error asked for: relative_variance / relative_error^2


def cost_of_proposal(nominal: Distribution, f: Any, proposal: Distribution | None = None,
                     relative_error: float = 0.01) -> Cost:
    """Bits wasted by a proposal, and the draws that it needs; exact, for laws of one number.

    Of the order of 2^bits draws are necessary and sufficient for a useful estimate, up to a factor that depends on how
    far log q*/q spreads around its mean. The relative variance says how many reach a given relative error.

    Parameters
    ----------
    nominal, f, proposal
        As in `oracle.grade`.
    relative_error : float
        Standard error over value, above 0.

    Raises
    ------
    ValueError
        As `oracle.grade`, and if the relative error is not above 0 and finite.

    Source: Chatterjee and Diaconis, The sample size required in importance sampling (2018), theorem 1.1.

    >>> from rareevents import Poisson, at_least
    >>> cost = cost_of_proposal(Poisson(4.0), at_least(20), Poisson(20.0))
    >>> round(cost.bits, 3), round(cost.perplexity, 2), cost.draws
    (2.658, 6.31, 67056.0)
    """
    number = isinstance(relative_error, (int, float, np.integer, np.floating)) and not isinstance(relative_error, bool)
    if not number or not 0.0 < relative_error < math.inf:
        raise ValueError(f"relative_error must be a finite number above 0, got {relative_error!r}")
    found = oracle.grade(nominal, f, proposal)
    bits = found.kl / math.log(2.0)
    return Cost(bits, float(np.exp2(bits)) if bits < 1024.0 else math.inf, found.relative_variance,
                float(np.ceil(found.relative_variance / relative_error ** 2)))
