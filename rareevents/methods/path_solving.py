"""How `solve` answers a question about paths: over the graph where there is one, else by the tilt of a walk."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.designs import Design
from rareevents.estimates import Estimate
from rareevents.events import AnyEvent
from rareevents.methods.splitting import FEWEST, split
from rareevents.paths import exact
from rareevents.paths.fit import require_of_paths
from rareevents.paths.graph import graph
from rareevents.processes import Process
from rareevents.proposals.doob import doob, is_decided, softened
from rareevents.proposals.feedback import chernoff, feedback
from rareevents.proposals.walks import walk_tilt

COMMON = 2e-4                 # probability above which naive Monte Carlo, whose bound is known, is as good as splitting
LARGEST, MOST = 16_000, 1e9   # paths of a population; of all together
BRANCHES = 40                 # paths that branch off for each of a population, down to probabilities of 1e-12 or so
SHARP = 0.9                   # of the Doob transform for an integrand that is not an event


def exact_value(process: Process, f: Any) -> float | None:
    """The answer as a sum over the moves of a graph; None where there is no graph."""
    require_of_paths(f, process)
    g = graph(process, f)
    if g is None:
        return None
    try:
        found = exact.value(g)
        if found == 0.0 and np.any(exact.log_h(g)[..., g.root] > -math.inf):       # too small for a number
            return None
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def designed_paths(process: Process, f: Any) -> Design:
    """The proposal that `solve` uses for paths."""
    g = graph(process, f)
    if g is not None and is_decided(g) and exact.value(g) > 0.0:
        return Design(process, "naive Monte Carlo: the event is decided at the start")
    if g is not None:
        return _over_graph(process, f)
    if isinstance(f, AnyEvent):
        try:
            return walk_tilt(process, f)
        except ValueError:
            pass
    return Design(process, "naive Monte Carlo: no proposal is known for such paths")


def climbed(process: Process, event: Any, relative_error: float, max_samples: int | None, seed: int, confidence: float,
            threads: int | None) -> tuple[Estimate | None, int]:
    """By splitting, where no proposal is known and the event is rare; None: naive Monte Carlo is as good.

    The first populations say how rare it is; then as many more as the error needs. Also the paths that were spent
    beside those of the estimate.
    """
    most = min(max_samples or MOST, MOST)
    replicates, particles, spent = FEWEST, min(1000, int(most / (FEWEST * BRANCHES))), 0
    if particles < FEWEST:
        return None, 0
    while True:
        found = split(process, event, particles=particles, replicates=replicates, seed=seed, confidence=confidence,
                      threads=threads)
        if found.value > COMMON or found.value == 0.0 or found.relative_error <= relative_error:
            return (None, spent + found.samples) if found.value > COMMON else (found, spent)
        more = min(16.0, max(1.5, 1.1 * (found.relative_error / relative_error) ** 2))
        if spent + found.samples * (1.0 + 1.1 * more) > most:
            return found, spent
        spent += found.samples
        grown = min(more, LARGEST / particles)             # larger populations first: they die out less often
        particles, replicates = int(particles * grown), math.ceil(replicates * more / grown)


def _over_graph(process: Process, f: Any) -> Design:
    """The best by its exact variance, of proposals that do not use the answer where there are any."""
    found = []
    for build in (feedback, chernoff) if isinstance(f, AnyEvent) else ():
        try:
            found.append(build(process, f))
        except ValueError:
            continue
    if not found:
        found.append(softened(process, f) if isinstance(f, AnyEvent) else doob(process, f, SHARP))
    return min(found, key=lambda made: made.relative_variance if made.relative_variance is not None else math.inf)
