"""The law of paths given the event, which is the ideal proposal, and proposals that are made near it."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.designs import Design
from rareevents.paths import exact
from rareevents.paths.fit import require_of_paths
from rareevents.paths.graph import Graph, graph
from rareevents.paths.steered import Steered
from rareevents.processes import Process

EXPECTED = 2.0                # the largest weight over mu that a softened Doob transform is given


def doob(process: Process, event: Any, sharpness: float = 1.0) -> Design:
    """The law of paths given the event, the ideal proposal; or, with a sharpness below 1, one that is near it.

    q = p h'^a / sum p h'^a with h the probability of the event from a node on, and a the sharpness. The largest weight
    is then at most h^a at the start, so that the relative variance is at most mu^(a - 1) - 1.

    Parameters
    ----------
    process : Process
        A law of paths with a finite graph for the event.
    event : event
        What is to happen.
    sharpness : float
        a in (0, 1].

    Raises
    ------
    ValueError
        If there is no finite graph, the event cannot happen, or the sharpness is outside (0, 1].

    Source: Doob's transform as in Asmussen and Glynn, Stochastic Simulation (2007), section VI.7.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> doob(month, visits(1) >= 25).relative_variance < 1e-12
    True
    """
    if not isinstance(sharpness, (int, float)) or isinstance(sharpness, bool) or not 0.0 < sharpness <= 1.0:
        raise ValueError(f"sharpness must be a number in (0, 1], got {sharpness!r}")
    g = require_graph(process, event)
    h = sharpness * exact.log_h(g)
    how = "the law of paths given the event (the Doob transform)" if sharpness == 1.0 else \
        f"the Doob transform softened, moves by p h^{sharpness:.6g}"
    return path_design(process, event, g, exact.doob(g, h), how)


def softened(process: Process, event: Any) -> Design:
    """The Doob transform, softened just so much that no weight exceeds twice the answer: its variance is below 1.

    For an event of probability 0.25 or more the sharpness is 1/2.

    Parameters
    ----------
    process, event
        As in `doob`.

    Raises
    ------
    ValueError
        If there is no finite graph, or the event cannot happen.

    Source: as in `doob`.

    >>> from rareevents import MarkovChain, visits
    >>> month = MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30)
    >>> softened(month, visits(1) >= 20).relative_variance < 1.0
    True
    """
    g = require_graph(process, event)
    mu = exact.value(g)
    sharpness = max(0.5, 1.0 + math.log(EXPECTED) / math.log(mu)) if 0.0 < mu < 0.25 else 0.5
    return doob(process, event, sharpness)


def require_graph(process: Process, event: Any) -> Graph:
    """The graph of an event that can happen; raises where there is none, it cannot, or it is decided at the start."""
    require_of_paths(event, process)
    g = graph(process, event)
    if g is None:
        raise ValueError(f"process must have finitely many states for {event!r}, and not too many, got {process!r}")
    require_undecided(g, process, event)
    if not exact.value(g) > 0.0:
        raise ValueError(f"event must be possible, but {event!r} has probability 0 under {process!r}")
    return g


def is_decided(g: Graph) -> bool:
    """Whether no path has a move to be steered, because the state at time 0 decides."""
    return all(node is None or node.state is None for node in g.nodes)


def require_undecided(g: Graph, process: Process, event: Any) -> None:
    """Raise where no path has a move to be steered."""
    if is_decided(g):
        raise ValueError(f"event must be undecided at the start, but {event!r} has probability {exact.value(g):g} "
                         f"whatever the moves of {process!r} are: estimate or solve answers without a proposal")


def path_design(process: Process, event: Any, g: Graph, table: np.ndarray, how: str) -> Design:
    """A process steered by a table, with its exact variance and bound."""
    found = exact.grade(g, table)
    return Design(Steered(process, event, table, g), how, bound=found.largest if math.isfinite(found.largest) else None,
                  relative_variance=found.relative_variance)
