"""How `solve` answers a question about paths: over the graph where there is one, else by the tilt of a walk."""
from __future__ import annotations

import math
from typing import Any

from rareevents.designs import Design
from rareevents.events import AnyEvent
from rareevents.paths import exact
from rareevents.paths.graph import graph
from rareevents.processes import Process
from rareevents.proposals.doob import doob, softened
from rareevents.proposals.feedback import chernoff, feedback
from rareevents.proposals.walks import walk_tilt

SHARP = 0.9                   # of the Doob transform for an integrand that is not an event


def exact_value(process: Process, f: Any) -> float | None:
    """The answer as a sum over the moves of a graph; None where there is no graph."""
    g = graph(process, f)
    if g is None:
        return None
    try:
        found = exact.value(g)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def designed_paths(process: Process, f: Any) -> Design:
    """The proposal that `solve` uses for paths."""
    g = graph(process, f)
    if g is not None:
        return _over_graph(process, f)
    if isinstance(f, AnyEvent):
        try:
            return walk_tilt(process, f)
        except ValueError as error:
            return Design(process, f"naive Monte Carlo, because {error}")                    # type: ignore[arg-type]
    return Design(process, "naive Monte Carlo: nothing better is known for such paths")      # type: ignore[arg-type]


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
