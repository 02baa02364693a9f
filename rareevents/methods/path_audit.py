"""The audit of paths: populations that climb, which know nothing of the proposal, estimate the same probability."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.estimates import Estimate
from rareevents.kernels.stages import SPLITTING
from rareevents.methods.audit import SHARE, Audit
from rareevents.methods.splitting import climb
from rareevents.paths.sampler import StepLimitError
from rareevents.processes import Process

SMALLEST = 50_000             # paths at least, unless a share is asked for,
LONGER = 64                   # and at most so many times as many, where the first were too few
REPLICATES = 40
FEWEST = 20                   # paths of a population
COARSEST = 0.15               # relative error of the populations: above it they say too little
FINEST = 0.005                # the same that they must have to say that all is well, or the estimate's own
AGREE = 2.5                   # standard errors within which two answers agree,
ABOVE, BELOW = 5.5, 8.0       # and from which on they do not, where the populations say more, or less


def climb_beside(nominal: Process, event: Any, first: Estimate, audit: Any, seed: int, threads: int | None) -> Audit:
    """Whether splitting agrees with an estimate by importance sampling.

    The first that holds: unresolved, and nothing is compared, if a population died out or the relative error of all
    exceeds 0.15; failed, if the two differ by more than 5.5 standard errors where splitting says more, or 8 where it
    says less; unresolved, if by more than 2.5, or if the relative error of splitting exceeds the estimate's own, and
    0.5 %; else passed. With "auto", where the first populations agree but are too coarse, larger ones follow.

    The mean of 40 populations has about Student's law with 39 degrees of freedom, beyond 5.5 with probability 1.3e-6.
    Populations are skewed to the right: when they say too little their spread is too small as well, so that side is
    given more room.

    The streams are its own, so that no bit of the estimate depends on it.
    """
    value, samples = first.value, first.samples
    chosen = isinstance(audit, (int, float, np.number))
    draws = int(audit * samples) if chosen else max(SMALLEST, int(SHARE * samples))
    rarity = 1.0 - math.log(min(1.0, max(value, 1e-300)))        # paths for each that starts, with ideal levels
    particles = max(FEWEST, int(draws / REPLICATES / rarity))
    enough = max(first.relative_error, FINEST)
    spent = 0
    found: Any = None
    for turn in range(1 if chosen else 2):
        try:
            found = climb(nominal, event, particles=particles, replicates=REPLICATES, seed=seed, threads=threads,
                          stage=SPLITTING[1 + turn])
        except (TypeError, ValueError, StepLimitError) as error:
            return Audit("unresolved", 0.0, 0.0, spent, f"Nothing independent could be compared: {error}.")
        spent += found.samples
        dead = next(check.figure for check in found.checks if check.name == "extinction")
        if dead or found.relative_error > COARSEST:
            return Audit("unresolved", 0.0, 0.0, spent, f"{spent:,} paths of splitting, which would have told whether "
                         f"the proposal misses a part, were too few: raise audit, or compare rare.split with an "
                         f"importance function.")
        error = math.hypot(found.std_error, first.std_error)
        z, missed = (found.value - value) / error, found.value / value - 1.0
        if abs(z) > ABOVE or found.relative_error <= enough:
            break
        particles = math.ceil(particles * min(LONGER, 1.5 * (found.relative_error / enough) ** 2))
    both = f"Splitting, which knows nothing of the proposal, gives {found.value:.4g} with an error of " \
           f"{100.0 * found.relative_error:.2g} %"
    if z > ABOVE or z < -BELOW:
        return Audit("failed", missed, error / value, spent, f"{both}, {abs(z):.3g} standard errors "
                     f"{'more' if z > 0.0 else 'less'}: the proposal misses a part, or a density is not that of its "
                     f"draws.")
    if abs(z) > AGREE:
        return Audit("unresolved", missed, error / value, spent, f"{both}, {abs(z):.2g} standard errors "
                     f"{'more' if z > 0.0 else 'less'}: raise audit to tell.")
    if found.relative_error > enough:
        return Audit("unresolved", missed, error / value, spent, f"{both}: the two agree, but a part of the size of "
                     f"the estimate's own error, {100.0 * first.relative_error:.2g} %, could be missing: raise audit "
                     f"to tell.")
    return Audit("passed", missed, error / value, spent, f"{both}: the two agree. A part smaller than that error could "
                 f"be missing.")
