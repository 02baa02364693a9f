"""The audit of paths: populations that climb, which know nothing of the proposal, estimate the same probability."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.estimates import Estimate
from rareevents.kernels.streams import SPLITTING
from rareevents.methods.audit import SHARE, Audit
from rareevents.methods.splitting import climb
from rareevents.processes import Process

SMALLEST = 50_000             # paths at least, unless a share is asked for
REPLICATES = 40
FEWEST = 20                   # paths of a population
COARSEST = 0.15               # relative error of the populations: above it they say too little
AGREE, ROOM = 3.0, 0.5        # standard errors within which two answers agree, and how far apart those may let them be,
ABOVE, BELOW = 5.5, 8.0       # and from which on they do not, where the populations say more, or less


def climb_beside(nominal: Process, event: Any, first: Estimate, audit: Any, seed: int, threads: int | None) -> Audit:
    """Whether splitting agrees with an estimate by importance sampling.

    The first that holds: unresolved, and nothing is compared, if a population died out or the relative error of all
    exceeds 0.15; passed, if the two differ by at most 3 standard errors, and 3 more leave no room for a difference of
    half the value; failed, if by more than 5.5 where splitting says more, or 8 where it says less; else unresolved.

    The mean of 40 populations has about Student's law with 39 degrees of freedom, beyond 5.5 with probability 1.3e-6.
    Populations are skewed to the right: when they say too little their spread is too small as well, so that side is
    given more room.

    The streams are its own, so that no bit of the estimate depends on it.
    """
    value, samples = first.value, first.samples
    draws = int(audit * samples) if isinstance(audit, (int, float, np.number)) else max(SMALLEST, int(SHARE * samples))
    rarity = 1.0 - math.log(min(1.0, max(value, 1e-300)))        # paths for each that starts, with ideal levels
    particles = max(FEWEST, int(draws / REPLICATES / rarity))
    try:
        found = climb(nominal, event, particles=particles, replicates=REPLICATES, seed=seed, threads=threads,
                      stage=SPLITTING + 1)
    except (TypeError, ValueError) as error:
        return Audit("unresolved", 0.0, 0.0, 0, f"Nothing independent could be compared: {error}.")
    dead = next(check.figure for check in found.checks if check.name == "extinction")
    if dead or found.relative_error > COARSEST:
        return Audit("unresolved", 0.0, 0.0, found.samples, f"{found.samples:,} paths of splitting, which would have "
                     f"told whether the proposal misses a part, were too few: raise audit, or compare rare.split with "
                     f"an importance function.")
    error = math.hypot(found.std_error, first.std_error)
    z, missed = (found.value - value) / error, found.value / value - 1.0
    precision = 100.0 * found.relative_error
    both = f"Splitting, which knows nothing of the proposal, gives {found.value:.4g} with an error of {precision:.2g} %"
    if abs(z) <= AGREE and abs(missed) + AGREE * error / value <= ROOM:
        return Audit("passed", missed, error / value, found.samples, f"{both}: the two agree. A part smaller than that "
                     f"error could be missing.")
    if z > ABOVE or z < -BELOW:
        return Audit("failed", missed, error / value, found.samples, f"{both}, {abs(z):.3g} standard errors "
                     f"{'more' if z > 0.0 else 'less'}: the proposal misses a part, or a density is not that of its "
                     f"draws.")
    return Audit("unresolved", missed, error / value, found.samples, f"{both}, {abs(z):.2g} standard errors "
                 f"{'more' if z > 0.0 else 'less'}: raise audit to tell.")
