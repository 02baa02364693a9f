"""Finite graphs of paths: a node is a state and what the question has accumulated; a move is a step to another node.

Where states have finitely many moves and few nodes can be reached, every question about a path becomes one about a
graph: sampling is a table look-up, and exact answers are sums over its moves (`exact`).
"""
from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rareevents.fingerprints import digest, of_callable, of_compiled
from rareevents.kernels.streams import python_stream
from rareevents.paths.functional import NEVER, Functional, functional
from rareevents.processes.base import Process

MOST_MOVES = 300_000          # of all nodes together: beyond it, no graph is made
KEPT = 8                      # graphs of the last questions, which are asked again and again
COMPARED, DRAWN = 8, 300      # states from which steps are compared with moves, and how many from each
YES, NO = 0, 1                # the nodes at which an event is decided
NOWHERE = -1                  # the node of a memory that there is not


_known: dict[str, Any] = {}


class Node(NamedTuple):
    """What a node stands for."""

    state: Any                    # None: before time 0, where the first state is random
    accumulated: Any
    own: int                      # the node of `memory`


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes that paths can reach, and their moves.

    Node 0 is where the event has happened and node 1 where it cannot happen any more; paths stay there. Move k of a
    node is move k of its state; those that are missing have probability 0.
    """

    to: np.ndarray                # int64[node, move]: where a move leads
    p: np.ndarray                 # float64[node, move]: its probability under the nominal law
    value: np.ndarray             # float64[node]: the integrand of a path that ends there
    root: int                     # the node at which paths start
    steps: int | None             # moves of a path; None: until node 0 or 1
    nodes: list[Node | None] = field(repr=False)          # of nodes 0 and 1 None
    boolean: bool                 # whether the integrand is an event


def graph(process: Process, f: Any, memory: Graph | None = None, most: int = MOST_MOVES) -> Graph | None:
    """The graph of a process and an integrand; None where it is not finite, or has too many moves.

    memory: a graph whose node is followed along, so that a proposal made for another event knows where it is.
    """
    asked = functional(f, process)
    key = _key(process, asked) if memory is None and most == MOST_MOVES else None
    if key in _known:
        return _known[key]
    first = beginnings(process)
    finite = asked.finite and first is not None and process.moves(first[0][0]) is not None
    found = _Search(process, asked, memory, most).run(*first) if finite else None            # type: ignore[misc]
    if found is not None:
        compare_moves(process, list({node.state: 0 for node in found.nodes[2:COMPARED + 2]
                                     if node is not None and node.state is not None}))
    if key is not None:
        while len(_known) >= KEPT:
            _known.pop(next(iter(_known)), None)
        _known[key] = found
    return found


def _key(process: Process, asked: Functional) -> str | None:
    """A name of all that the graph depends on: values, and code of a user's; None where it cannot be told."""
    classes = [cls for cls in type(process).__mro__ if not cls.__module__.startswith(("rareevents.", "builtins"))]
    try:
        members = [getattr(member, "fget", member) for cls in classes for member in vars(cls).values()]
        code = [of_callable(f) for f in members if isinstance(f, types.FunctionType)]
        events = [of_compiled(f) for f in (asked.start, asked.update, asked.decide, asked.value)]
        return digest(type(process).__qualname__, process.record, str(process.steps), code, asked.record, events)
    except (TypeError, ValueError):
        return None


def beginnings(process: Process) -> tuple[list[Any], np.ndarray] | None:
    """The states at time 0 and their probabilities; None where they are drawn in an unknown way."""
    found = getattr(process, "beginnings", None)
    if found is not None:
        return found
    return ([process.start], np.ones(1)) if type(process).begin is Process.begin else None


class _Search:
    """Breadth first over the nodes, at most as deep as paths have steps."""

    def __init__(self, process: Process, asked: Functional, memory: Graph | None, most: int) -> None:
        self.process, self.asked, self.memory, self.most = process, asked, memory, most
        self.index: dict[Node, int] = {}
        self.nodes: list[Node | None] = [None, None]
        self.to: list[list[int]] = [[YES], [NO]]
        self.p: list[Any] = [[1.0], [1.0]]

    def run(self, firsts: list[Any], chances: np.ndarray) -> Graph | None:
        known: dict[Any, Any] = {}
        root, early = (len(self.nodes), 1) if len(firsts) > 1 else (NOWHERE, 0)
        own = NOWHERE if self.memory is None else self.memory.root
        if early:
            self.nodes.append(Node(None, None, own))
            self.to.append([self._enter(s, None, self._follow(own, k)) for k, s in enumerate(firsts)])
            self.p.append(chances)
        else:
            root = self._enter(firsts[0], None, own)
        steps = np.inf if self.process.steps is None else self.process.steps
        depth = spent = 0
        while len(self.to) < len(self.nodes) and depth < steps:
            for node in range(len(self.to), len(self.nodes)):
                state, accumulated, own = self.nodes[node]                                   # type: ignore[misc]
                if state not in known:
                    known[state] = checked_moves(self.process, state)
                targets, chances = known[state]
                spent += len(targets)
                if spent > self.most:
                    return None
                self.to.append([self._enter(new, accumulated, self._follow(own, k)) if chances[k] > 0.0 else node
                                for k, new in enumerate(targets)])
                self.p.append(chances)
            depth += 1
        for node in range(len(self.to), len(self.nodes)):          # reached by the last step only
            self.to.append([node])
            self.p.append([1.0])
        return self._made(root, None if self.process.steps is None else int(steps) + early)

    def _follow(self, own: int, k: int) -> int:
        return NOWHERE if self.memory is None else int(self.memory.to[own, k])

    def _enter(self, state: Any, accumulated: Any, own: int) -> int:
        """The node of a state that is entered; accumulated=None: at time 0."""
        asked, e = self.asked, self.asked.record
        now = asked.start(e, state) if accumulated is None else asked.update(e, accumulated, 0, state)
        answer = asked.decide(e, now, state, NEVER)
        if answer >= 0:
            return YES if answer == 1 else NO
        key = Node(state, now, own)
        if key not in self.index:
            self.index[key] = len(self.nodes)
            self.nodes.append(key)
        return self.index[key]

    def _made(self, root: int, steps: int | None) -> Graph:
        """The graph; without a number of steps, a path that can only stay as it is counts as decided."""
        width = max(map(len, self.to))
        to = np.tile(np.arange(len(self.to))[:, None], (1, width))
        p = np.zeros((len(self.to), width))
        for node, (targets, chances) in enumerate(zip(self.to, self.p, strict=True)):
            to[node, :len(targets)] = targets
            p[node, :len(targets)] = chances
        values: list[Any] = [True, False]
        for node in self.nodes[2:]:
            values.append(False if node is None or node.state is None else
                          self.asked.value(self.asked.record, node.accumulated, node.state))
        boolean = all(isinstance(y, (bool, np.bool_)) for y in values)
        if steps is None:
            settled = _settled(to, p, np.array(values, bool))
            to, root = settled[to], int(settled[root])
        return Graph(to, p, np.array(values, float), root, steps, self.nodes, boolean)


def _settled(to: np.ndarray, p: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """Of every node: itself, or YES or NO where all that can be reached from it answers so for ever."""
    n = len(to)
    decided = reaching(to, p, [YES, NO])
    for_ever = [np.flatnonzero(~decided & ~reaching(to, p, other)) for other in
                (np.flatnonzero(~decided & ~yes), np.flatnonzero(~decided & yes))]
    out = np.arange(n)
    out[for_ever[0]], out[for_ever[1]] = YES, NO
    return out


def reaching(to: np.ndarray, p: np.ndarray, goals: Any) -> np.ndarray:
    """From which nodes one of the goals can be reached."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order
    n = len(to)
    moves = p.ravel() > 0.0
    heads, tails = np.repeat(np.arange(n), to.shape[1])[moves], to.ravel()[moves]
    heads, tails = np.concatenate([heads, np.asarray(goals, int)]), np.concatenate([tails, np.full(len(goals), n)])
    back = csr_array((np.ones(len(heads)), (tails, heads)), (n + 1, n + 1))      # from one more node back to the goals
    found = np.zeros(n + 1, bool)
    found[breadth_first_order(back, n, return_predecessors=False)] = True
    return found[:n]


def checked_moves(process: Process, state: Any) -> tuple[list[Any], np.ndarray]:
    """The moves from a state; raises if they are none, or not those of the user's step."""
    found = process.moves(state)
    if found is None:
        raise ValueError(f"moves({state!r}) must be finitely many, as those of the start are, got None from "
                         f"{process!r}")
    targets, chances = list(found[0]), np.asarray(found[1], float)
    if chances.shape != (len(targets),) or not np.all(chances >= 0.0) or not abs(chances.sum() - 1.0) <= 1e-9:
        raise ValueError(f"moves({state!r}) must give as many probabilities as states, which sum to 1, got {found!r} "
                         f"from {process!r}")
    return targets, chances


def compare_moves(process: Process, states: list[Any]) -> None:
    """Raise if the steps of a user's process, drawn from some states, are not those that its moves say.

    A share is refused beyond 7 standard errors, and a state that has probability 0 at once: a false alarm once in 1e11.
    """
    if type(process).moves.__module__.startswith("rareevents."):
        return
    rng = python_stream(0, 0)
    for state in states:
        targets, chances = checked_moves(process, state)
        drawn = [process.step(state, rng) for _ in range(DRAWN)]
        for target in {*drawn, *targets}:
            chance = float(sum(c for t, c in zip(targets, chances, strict=True) if t == target))
            count = sum(new == target for new in drawn)
            if (count > 0 and chance == 0.0) or \
                    abs(count - DRAWN * chance) > 7.0 * np.sqrt(DRAWN * chance * (1.0 - chance) + 1.0):
                raise ValueError(f"moves({state!r}) must have the probabilities of step, but gives {chance:g} to "
                                 f"{target!r}, which {count} of {DRAWN} steps of {process!r} reached")


def moves_of(g: Graph, nominal: Process, process: Process) -> np.ndarray:
    """The probabilities float64[1, node, move] of a graph's moves under another process with the same states.

    Raises ValueError if the other process moves where the nominal law does not.
    """
    table = np.array(g.p)
    known: dict[Any, np.ndarray] = {}
    for at, node in enumerate(g.nodes):
        if node is None or np.all(g.to[at] == at):
            continue
        if node.state not in known:
            known[node.state] = _matched(nominal, process, node.state, g.p.shape[1])
        table[at] = known[node.state]
    return table[None]


def _matched(nominal: Process, process: Process, state: Any, width: int) -> np.ndarray:
    """The probabilities that another process gives to the moves of the nominal law from a state."""
    (targets, _), (others, chances) = (beginnings(law) if state is None else law.moves(state)          # type: ignore
                                       for law in (nominal, process))
    out = np.zeros(width)
    if list(targets) == list(others):
        out[:len(targets)] = chances
        return out
    place = {target: k for k, target in enumerate(targets)}
    for other, chance in zip(others, chances, strict=True):
        if chance > 0.0 and (other not in place or len(place) < len(targets)):
            raise ValueError(f"proposal must move where the nominal law does, but from "
                             f"{'the start' if state is None else f'state {state!r}'} {process!r} moves to {other!r}, "
                             f"and {nominal!r} to {list(targets)!r}")
        if chance > 0.0:
            out[place[other]] += chance
    return out
