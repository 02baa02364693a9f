"""Adaptive multilevel splitting: rare events of any simulator, without a likelihood ratio."""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents import engine, estimates
from rareevents.checks import Check
from rareevents.distributions.base import require_seed
from rareevents.estimates import Estimate, Evaluations
from rareevents.events import AnyEvent
from rareevents.integrands import integrand
from rareevents.kernels import splitting
from rareevents.kernels.alias import alias_rows
from rareevents.kernels.fuse import fuse
from rareevents.kernels.streams import SPLITTING
from rareevents.methods.importance import require_threads
from rareevents.paths.functional import Functional, functional
from rareevents.paths.graph import YES, Graph, graph
from rareevents.paths.progress import Progress, progress
from rareevents.processes import Process
from rareevents.processes.base import require_process

FEWEST = 20                   # replicates, without which their spread says little


def split(process: Process, event: Any, *, importance: Callable | None = None, particles: int = 1000,
          replicates: int = 32, seed: int = 0, confidence: float = 0.95, threads: int | None = None) -> Estimate:
    """P(event) by adaptive multilevel splitting, from independent replicates.

    A population of paths climbs: again and again, the paths that came least far are replaced by copies of others that
    branch off above. Each replicate is unbiased, with any progress function, and with ties.

    Parameters
    ----------
    process : Process
        Any simulator of paths; no density is needed.
    event : event
        An event of paths.
    importance : function, optional
        How far a path is: importance(state) or importance(state, time), about 0 at the start and 1 at the event; paths
        may fall back. Default: what `rareevents.paths.progress` knows of the event.
    particles : int
        Paths of a population, at least 2.
    replicates : int
        Independent populations, at least 20.
    seed, confidence, threads
        As in `estimate`.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule.

    Source: Brehier, Gazeau, Goudenege, Lelievre and Rousset (2016), Annals of Applied Probability 26, 3559.

    >>> from rareevents import BirthDeath, hits
    >>> split(BirthDeath(0.4, 0.6, start=1), hits(10, before=0), particles=200).kind        # doctest: +SKIP
    'replicated'
    """
    started = time.perf_counter()
    require_process("process", process)
    event = integrand(event)
    if not isinstance(event, AnyEvent):
        raise TypeError(f"event must be an event of paths, got {event!r}")
    for name, number, least in (("particles", particles, 2), ("replicates", replicates, FEWEST)):
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {number!r}")
    require_seed(seed)
    estimates.check_confidence(confidence)
    require_threads(threads)
    way = progress(event, process, importance)
    asked = functional(event, process)
    levels = np.arange(1, way.levels) / way.levels * (1.0 - 1e-12)
    g = None if way.timed else graph(process, event)
    run = _stepwise(process, asked, way, levels, int(particles), seed) if g is None or len(g.nodes) < 3 else \
        _over_graph(g, asked, way, levels, int(particles), seed, int(process.max_steps))
    out = np.array(engine.in_parallel(run, range(int(replicates)), threads))
    return _estimate(out, int(particles), way, seed, confidence, time.perf_counter() - started)


def _stepwise(process: Process, asked: Functional, way: Progress, levels: np.ndarray, particles: int,
              seed: int) -> Callable[[int], np.ndarray]:
    """One population of any simulator."""
    made, limit = process.functions(), int(process.steps or process.max_steps)
    role = splitting.splitter(made.begin, made.step, asked, way.function, process.steps is None)

    def arguments(replicate: int, out: np.ndarray) -> tuple:
        return (np.uint64(seed), np.uint32(SPLITTING), np.uint64(replicate), process.record, asked.record, levels,
                particles, limit, out)
    kernel = fuse(splitting.split_run, {"split": role}, arguments(0, np.zeros(5)))

    def run(replicate: int) -> np.ndarray:
        out = np.zeros(5)
        kernel(*arguments(replicate, out))
        return out
    return run


def _over_graph(g: Graph, asked: Functional, way: Progress, levels: np.ndarray, particles: int, seed: int,
                most: int) -> Callable[[int], np.ndarray]:
    """One population over a graph, where each node has its level."""
    cells = 1 << max(1, int(np.ceil(np.log2(g.p.shape[1]))))
    to = np.zeros((len(g.to), cells), np.uint64)
    to[:, :g.to.shape[1]] = g.to
    table, top = alias_rows(g.p).ravel(), len(levels) + 1
    first = next(node.state for node in g.nodes if node is not None and node.state is not None)
    level = np.zeros(len(g.nodes), np.int64)
    level[YES] = top
    for k, node in enumerate(g.nodes):
        if node is not None and node.state is not None:
            at = way.function(asked.record, node.accumulated, 0, node.state, first, g.steps or most)
            level[k] = np.searchsorted(levels, at, side="right")

    final = np.where(g.value > 0.0, top, level)

    def arguments(replicate: int, out: np.ndarray) -> tuple:
        return (np.uint64(seed), np.uint32(SPLITTING), np.uint64(replicate), to.ravel(), table, cells, level, final,
                g.root, particles, g.steps or most, top, out)
    kernel = fuse(splitting.graph_run, {"split": splitting.split_graph}, arguments(0, np.zeros(5)))

    def run(replicate: int) -> np.ndarray:
        out = np.zeros(5)
        kernel(*arguments(replicate, out))
        return out
    return run


def _estimate(out: np.ndarray, particles: int, way: Any, seed: int, confidence: float, seconds: float) -> Estimate:
    count = len(out)
    reached = np.exp(out[:, 0])                               # the probability of the level where the climb ended
    each = reached * out[:, 1] / particles
    value, error = float(np.mean(each)), float(np.std(each, ddof=1)) / math.sqrt(count)
    dead = int(np.sum(each == 0.0))
    from scipy.special import stdtrit

    def ends(level: float) -> tuple[float, float]:
        if value == 0.0:
            return 0.0, float(np.mean(reached)) * min(1.0, -math.log(0.5 * (1.0 - level)) / particles)
        half = float(stdtrit(count - 1, 0.5 * (1.0 + level))) * error
        return max(0.0, value - half), min(1.0, value + half)
    checks = (
        Check("extinction", "failed" if dead else "passed", float(dead), 0.0,
              f"{dead} of {count} populations died out before the event: use more particles, or an importance function."
              if dead else "No population died out."),
        Check("monotone", "passed" if way.monotone else "failed", None, None,
              "The progress never falls along a path." if way.monotone else
              "The progress can fall along a path, and may lead a population astray: compare another importance."))
    reason = "No population reached the event: an upper bound, not an estimate." if value == 0.0 else \
        checks[0].sentence if dead else \
        "Independent populations agree as their spread says; what none of them found would stay unseen."
    relative, paths = error / value if value else math.inf, int(out[:, 4].sum())
    squares = float(np.sum(each * each))
    return Estimate(value=value, std_error=error, relative_error=relative, samples=paths, hits=int(out[:, 1].sum()),
                    effective_sample_size=float(each.sum()) ** 2 / squares if value else 0.0, weight_ess=float(count),
                    relative_variance=paths * relative ** 2,
                    largest_share=float(np.max(each)) ** 2 / squares if value else 0.0,
                    evaluations=Evaluations(0, 0, 0, paths), kind="replicated",
                    verdict="caution" if value else "not trusted", reason=reason, checks=checks,
                    stopped_by="replicates", seed=seed, confidence=confidence, seconds=seconds, bound=None,
                    interval_method="t", how=f"{count} populations of {particles:,} paths, split adaptively at up to "
                    f"{way.levels} levels.", _ends=ends)
