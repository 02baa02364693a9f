"""Whole paths with their weights, for those who want to look at them: plain Python, a few thousand at most."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.kernels.streams import python_stream
from rareevents.paths.graph import NO, beginnings
from rareevents.paths.steered import PathMixture, Steered
from rareevents.processes.base import Process


def sampled_paths(nominal: Process, proposal: Process | None, n: int, seed: int,
                  stage: int) -> tuple[np.ndarray, np.ndarray]:
    """n paths of the proposal, states at times 0, 1, ..., and their log weights log p - log q.

    A steered proposal goes on under the nominal law once its event is decided. Needs a number of steps.
    """
    if nominal.steps is None:
        raise ValueError(f"steps must be a number for whole paths, got None in {nominal!r}")
    rng = python_stream(seed, stage)
    law = nominal if proposal is None else proposal
    paths = [_path(law, rng) for _ in range(n)]
    log_w = np.array([0.0 if proposal is None else log_path(nominal, path) - log_path(law, path) for path in paths])
    return np.array(paths), log_w


def _path(law: Process, rng: np.random.Generator) -> list[Any]:
    if isinstance(law, PathMixture):
        return _path(law.components[int(rng.choice(len(law.components), p=law.weights))], rng)
    base = law.process if isinstance(law, Steered) else law
    g = law.graph if isinstance(law, Steered) else None
    node = g.root if g is not None else NO
    first = beginnings(base)
    path, time = [], 0
    if g is not None and len(first[0]) > 1:                                                  # type: ignore[index]
        move = _choice(law.table[0][node], rng)                                              # type: ignore[attr-defined]
        path, node, time = [first[0][move]], int(g.to[node, move]), 1                        # type: ignore[index]
    elif first is not None:
        path = [first[0][_choice(first[1], rng)]]
    else:
        path = [base.begin(rng)]
    for _ in range(int(base.steps or 0)):
        moves = base.moves(path[-1])
        if moves is None:
            path.append(base.step(path[-1], rng))
            continue
        steered = g is not None and node > NO
        chances = law.table[time if len(law.table) > 1 else 0][node] if steered else moves[1]    # type: ignore
        move = _choice(chances, rng)
        path.append(moves[0][move])
        node, time = int(g.to[node, move]) if steered else node, time + 1                    # type: ignore[union-attr]
    return path


def _choice(chances: np.ndarray, rng: np.random.Generator) -> int:
    below = np.cumsum(chances)
    return int(min(np.searchsorted(below, rng.random() * below[-1], side="right"), len(below) - 1))


def log_path(law: Process, path: list[Any]) -> float:
    """The log probability, or density, of a whole path; of the first state where it is not the same for all laws."""
    if isinstance(law, PathMixture):
        logs = np.array([log_path(part, path) for part in law.components])
        with np.errstate(divide="ignore"):
            return float(np.logaddexp.reduce(np.log(law.weights) + logs))
    base = law.process if isinstance(law, Steered) else law
    g = law.graph if isinstance(law, Steered) else None
    node, time, total = (g.root if g is not None else NO), 0, 0.0
    first = beginnings(base)
    if first is not None and len(first[0]) > 1:
        move = first[0].index(path[0])
        total += _log(law.table[0][node][move] if g is not None else first[1][move])         # type: ignore
        if g is not None:
            node, time = int(g.to[node, move]), 1
    elif first is None and base.functions().log_begin is not None:
        total += base.functions().log_begin(base.record, path[0])                            # type: ignore[misc]
    for before, after in zip(path[:-1], path[1:], strict=True):
        moves = base.moves(before)
        if moves is None:
            total += base.log_density(before, after)
            continue
        steered = g is not None and node > NO
        chances = law.table[time if len(law.table) > 1 else 0][node] if steered else moves[1]    # type: ignore
        found = [k for k, target in enumerate(moves[0]) if target == after and chances[k] > 0.0]
        total += _log(sum(chances[k] for k in found))
        node, time = int(g.to[node, found[0]]) if steered and found else node, time + 1      # type: ignore[union-attr]
    return total


def _log(p: float) -> float:
    return math.log(p) if p > 0.0 else -math.inf
