"""A proposal that sees where a path is: its moves depend on the time, the state and what has been counted so far."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rareevents.distributions.base import require
from rareevents.paths.graph import Graph, graph
from rareevents.processes.base import Process, require_process


@dataclass(frozen=True, eq=False)
class Steered(Process):
    """A process whose moves are steered by the time, the state and what an event has counted so far.

    Parameters
    ----------
    process : Process
        The law whose moves are steered.
    event : event
        What is counted.
    table : array of float, shape (steps or 1, nodes, moves)
        Probability of each move at each node of the process's graph for the event (`rareevents.paths.graph.graph`).

    Raises
    ------
    ValueError
        If there is no such graph, the table has another shape, or a row is not a probability vector.
    """

    process: Process
    event: Any
    table: np.ndarray = field(repr=False)
    graph: Graph | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_process("process", self.process)
        if self.graph is None:
            object.__setattr__(self, "graph", graph(self.process, self.event))
        g = self.graph
        if g is None:
            raise ValueError(f"process must have a finite graph for {self.event!r} to be steered, got {self.process!r}")
        table = np.array(self.table, float)
        require(table.ndim == 3 and table.shape[1:] == g.p.shape and len(table) in (1, g.steps), "table", table.shape,
                f"of shape ({g.steps or 1} or 1, {g.p.shape[0]}, {g.p.shape[1]})")
        require(np.all(table >= 0.0) and np.all(np.abs(table.sum(axis=2) - 1.0) < 1e-9), "table", "rows",
                "probabilities of at least 0 that sum to 1 over the moves")
        object.__setattr__(self, "table", table)

    @property
    def steps(self) -> Any:                                # type: ignore[override]
        """Steps of a path."""
        return self.process.steps

    @property
    def labels(self) -> Any:                               # type: ignore[override]
        """Names of the states."""
        return self.process.labels


@dataclass(frozen=True, eq=False)
class PathMixture(Process):
    """A path from one of several processes, chosen at its start: the weight is that of the whole path.

    Parameters
    ----------
    components : sequence of Process
        Processes with the states of one nominal law.
    weights : sequence of float
        Probability of each; together 1 within 1e-9.

    Raises
    ------
    TypeError
        If a component is not a law of paths.
    ValueError
        If there is no component, or the weights are not a probability for each.
    """

    components: tuple[Process, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        parts = tuple(self.components)
        require(len(parts) > 0, "components", self.components, "at least one process")
        for i, part in enumerate(parts):
            require_process(f"components[{i}]", part)
        w = np.atleast_1d(np.array(self.weights, float))
        require(w.shape == (len(parts),) and np.all(w >= 0.0) and abs(w.sum() - 1.0) <= 1e-9, "weights", self.weights,
                f"{len(parts)} probabilities that sum to 1")
        object.__setattr__(self, "components", parts)
        object.__setattr__(self, "weights", tuple(w.tolist()))

    @property
    def steps(self) -> Any:                                # type: ignore[override]
        """Steps of a path."""
        return self.components[0].steps

    @property
    def labels(self) -> Any:                               # type: ignore[override]
        """Names of the states."""
        return self.components[0].labels
