"""A process, an integrand and a proposal put together: over a graph where there is one, else step by step."""
from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rareevents.certificates import reaches
from rareevents.paths import exact
from rareevents.paths.bounds import step_bound
from rareevents.paths.functional import Functional, functional
from rareevents.paths.graph import Graph, beginnings, graph, moves_of
from rareevents.paths.steered import PathMixture, Steered
from rareevents.processes import RandomWalk
from rareevents.processes.base import Process, require_process


@dataclass(frozen=True, eq=False)
class Question:
    """What is sampled: E_p[f] over paths of the proposal (None: of the nominal law)."""

    nominal: Process
    f: Any
    proposal: Process | None
    asked: Functional = field(repr=False)
    graph: Graph | None = field(repr=False)               # None: paths run step by step
    tables: np.ndarray = field(repr=False)                # [component, time or 1, node, move]
    shares: np.ndarray = field(repr=False)                # of the components

    @property
    def together(self) -> np.ndarray:
        """The tables of a proposal with one component."""
        return self.tables[0]

    @cached_property
    def bound(self) -> float | None:
        """A proven bound on f p/q over all paths; None where nothing is proven."""
        if self.graph is None:
            return step_bound(self.nominal, self.f, self.proposal)
        if np.any(self.graph.value < 0.0):
            return None
        if self.proposal is None:
            return float(np.max(self.graph.value, initial=0.0)) if self.graph.boolean or self.graph.steps is not None \
                else None
        if not exact.value(self.graph) > 0.0:
            return None
        found = [grade.largest / share for grade, share in zip(self._grades, self.shares, strict=True) if share > 0.0]
        least = min(found)
        return least * (1.0 + 1e-9) if np.isfinite(least) else None

    @property
    def infinite(self) -> bool:
        """Whether the variance of f p/q is known to be infinite."""
        return self.proposal is not None and self.graph is not None and len(self.tables) == 1 \
            and not np.any(self.graph.value < 0.0) and exact.value(self.graph) > 0.0 \
            and self._grades[0].relative_variance == np.inf

    @cached_property
    def _grades(self) -> list[exact.Grade]:
        """What each component of the proposal is worth by itself."""
        return [exact.grade(self.graph, q) for q in self.tables]                            # type: ignore[arg-type]

    @cached_property
    def covered(self) -> bool:
        """Whether q is known to draw every path that counts; raises where it is known that it does not."""
        if self.proposal is None:
            return True
        if self.graph is None:
            return self.bound is not None or _covers(self.nominal, self.proposal)
        if not exact.value(self.graph) > 0.0:
            return True
        mixed = np.max(np.where(self.shares[:, None, None, None] > 0.0, self.tables, 0.0), axis=0)
        if exact.has_hole(self.graph, mixed):
            raise ValueError(f"proposal must cover the event: {self.proposal!r} gives probability 0 to a step that "
                             f"paths with {self.f!r} need")
        return True


def question(nominal: Process, f: Any, proposal: Process | None) -> Question:
    """Put a process, an integrand and a proposal together.

    Raises
    ------
    TypeError, ValueError
        If they do not belong together.
    """
    require_process("nominal", nominal)
    parts, shares = _parts(proposal)
    for part in parts:
        _require_alike(nominal, part)
    asked = functional(f, nominal)
    steered = [part for part in parts if isinstance(part, Steered)]
    if not all(_same_nodes(part.graph, steered[0].graph) for part in steered):
        raise ValueError(f"proposal must have components that are steered by one event of one process, got "
                         f"{proposal!r}")
    memory = steered[0].graph if steered else None
    free = _without_moves(nominal, [part for part in parts if not isinstance(part, Steered)])
    if free is not None and (steered or isinstance(proposal, PathMixture)):
        raise ValueError(f"proposal must have finitely many moves to be mixed or steered, got {free!r}")
    g: Graph | None
    if free is not None:
        g = None
    elif memory is not None and steered[0].event is f and _same_nodes(own_graph := graph(nominal, f), memory):
        g, own = own_graph, np.arange(len(memory.to))
    else:
        g = graph(nominal, f, memory)
        own = None if g is None or memory is None else np.array([0, 1] + [node.own for node in g.nodes[2:]])  # type: ignore
    if g is None:
        if steered or isinstance(proposal, PathMixture):
            raise ValueError(f"nominal must have a finite graph for {f!r} under such a proposal, got {nominal!r}")
        return Question(nominal, f, proposal, asked, None, np.empty((0, 0, 0, 0)), np.ones(1))
    tables = [g.p[None] if part is None else _carried(part, g, own) if isinstance(part, Steered) else
              moves_of(g, nominal, part) for part in parts or [None]]                                 # type: ignore[list-item]
    times = max(map(len, tables))
    full = np.array([np.broadcast_to(table, (times, *g.p.shape)) for table in tables])
    return Question(nominal, f, proposal, asked, g, full, shares)


def _covers(nominal: Process, proposal: Process) -> bool:
    """Whether the increments of a walk are known to reach wherever those of another do."""
    return isinstance(nominal, RandomWalk) and isinstance(proposal, RandomWalk) and \
        len(nominal.drawn) == len(proposal.drawn) and \
        all(reaches(p, q) for p, q in zip(nominal.drawn, proposal.drawn, strict=True))


def _parts(proposal: Process | None) -> tuple[list[Process], np.ndarray]:
    if isinstance(proposal, PathMixture):
        return list(proposal.components), np.array(proposal.weights)
    return ([] if proposal is None else [proposal]), np.ones(1)


def _same_nodes(g: Any, other: Any) -> bool:
    """Whether the nodes of two graphs have the same numbers."""
    return g is other or (g is not None and g.nodes == other.nodes and np.array_equal(g.to, other.to))


def _without_moves(nominal: Process, parts: list[Process]) -> Process | None:
    """A part that does not know its moves, so that paths run step by step."""
    first = beginnings(nominal)
    if first is None or nominal.moves(first[0][0]) is None:
        return None
    return next((part for part in parts if beginnings(part) is None or part.moves(first[0][0]) is None), None)


def _carried(part: Steered, g: Graph, own: Any) -> np.ndarray:
    """A steered proposal's table on the nodes of another graph; nominal where its own event is decided."""
    if own is None or g is part.graph:
        return part.table
    table = part.table[:, own]
    decided = own <= 1
    table[:, decided] = g.p[decided]
    return table


def _require_alike(nominal: Process, part: Process) -> None:
    base = part.process if isinstance(part, Steered) else part
    require_process("proposal", part)
    if base.steps != nominal.steps:
        raise ValueError(f"proposal must have the steps of the nominal law, {nominal.steps}, got {base.steps}")
    here, there = beginnings(nominal), beginnings(base)
    if here is not None and there is not None and len(here[0]) == len(there[0]) == 1 \
            and not np.array_equal(here[0][0], there[0][0]):
        raise ValueError(f"proposal must start where the nominal law does, at {here[0][0]!r}, got {there[0][0]!r} in "
                         f"{part!r}")
    if (base.functions().log_begin is None) != (nominal.functions().log_begin is None):
        raise ValueError(f"proposal must define log_begin(self, state) where the nominal law does, and only there: the "
                         f"weight of a path is that of its start too, got {part!r}")
    if base.measure != nominal.measure:
        raise ValueError(f"proposal must be comparable with the nominal law, of which only densities relative to "
                         f"{nominal.measure!r} are known, got {part!r}, relative to {base.measure!r}")
