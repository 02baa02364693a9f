"""Multilevel splitting: rare events of any simulator, without a likelihood ratio (also RESTART)."""
from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rareevents import engine, estimates
from rareevents.checks import Check
from rareevents.distributions.base import require_seed
from rareevents.estimates import Estimate, Evaluations
from rareevents.events import AnyEvent
from rareevents.integrands import integrand
from rareevents.kernels import restart, splitting
from rareevents.kernels.alias import alias_rows
from rareevents.kernels.fuse import fuse
from rareevents.kernels.stages import SPLITTING
from rareevents.paths.fit import require_numbers, require_of_paths
from rareevents.paths.functional import Functional, functional
from rareevents.paths.graph import YES, Graph, graph
from rareevents.paths.progress import Progress, progress, progress_of_nodes
from rareevents.paths.sampler import StepLimitError
from rareevents.processes import Process
from rareevents.processes.base import numbers_only, require_process
from rareevents.tasks import on

FEWEST = 20                   # replicates, without which their spread says little,
MOST = 100_000                # and the most of them
CELLS = 1 << 28               # paths of a population times levels: where each path enters each level is kept
LEVELS = 10_000               # that are given
BRANCHES = 1_000_000          # trials of all levels together: as many paths can wait


def split(process: Process, event: Any, *, importance: Callable[..., Any] | None = None,
          levels: Sequence[float] | None = None, trials: int | Sequence[int] | None = None, particles: int = 1000,
          replicates: int = 32, seed: int = 0, confidence: float = 0.95, threads: int | None = None,
          executor: Any = None) -> Estimate:
    """P(event) by multilevel splitting, from independent replicates, each of them unbiased with any progress function.

    A population of paths climbs: again and again, the paths that came least far are replaced by copies of others that
    branch off above. With `levels` this happens only there: fixed-level splitting with a fixed effort. With `trials`
    too it is RESTART: a path that crosses a level branches, and each retrial ends when it falls below that level.

    Parameters
    ----------
    process : Process
        Any simulator of paths; no density is needed.
    event : event
        An event of paths.
    importance : function, optional
        How far a path is: importance(state) or importance(state, time), about 0 at the start and 1 at the event; paths
        may fall back. Default: what `rareevents.paths.progress` knows of the event.
    levels : sequence of float, optional
        Rising numbers in (0, 1), at most 10,000: the progress at which each level begins. Default: found as the
        population climbs.
    trials : int or sequence of int, optional
        Paths that go on from a crossing of each level, at least 1: about one over the chance to reach the next one.
        Default: no tree, but a population of one size. At most a million of all levels together.
    particles : int
        Paths of a population, at least 2, and at most 2^28 over the number of levels; with trials those that start at
        time 0.
    replicates : int
        Independent populations, at least 20, at most 100,000.
    seed, confidence, threads, executor
        As in `estimate`; a worker takes whole populations.

    Raises
    ------
    TypeError, ValueError
        If an argument breaks its rule, or the trials make too many paths.
    StepLimitError
        If a path of a process without a number of steps is undecided after `max_steps`.
    UserFunctionError
        If importance raises, or returns no number, on some paths in plain Python.

    Source: Brehier, Gazeau, Goudenege, Lelievre and Rousset (2016), Annals of Applied Probability 26, 3559; Glasserman,
    Heidelberger, Shahabuddin and Zajic (1999), Operations Research 47, 585, for fixed levels; Villen-Altamirano and
    Villen-Altamirano (1991), Proceedings of ITC 13, 71, for RESTART.

    >>> from rareevents import BirthDeath, hits
    >>> split(BirthDeath(0.4, 0.6, start=1), hits(10, before=0), particles=200).kind        # doctest: +SKIP
    'replicated'
    """
    with on(executor):
        return climb(process, event, importance, levels, trials, particles, replicates, seed, confidence, threads)


def climb(process: Process, event: Any, importance: Callable[..., Any] | None = None,
          levels: Sequence[float] | None = None,
          trials: int | Sequence[int] | None = None, particles: int = 1000, replicates: int = 32, seed: int = 0,
          confidence: float = 0.95, threads: int | None = None, stage: int = SPLITTING[0]) -> Estimate:
    """`split` with its stage: an audit has its own."""
    started = time.perf_counter()
    require_process("process", process)
    event = integrand(event)
    if not isinstance(event, AnyEvent):
        raise TypeError(f"event must be an event of paths, got {event!r}")
    require_of_paths(event, process)
    require_seed(seed)
    estimates.check_confidence(confidence)
    engine.require_threads(threads)
    way = progress(event, process, importance)
    asked = functional(event, process)
    if importance is not None:
        require_numbers(importance, way.timed, process, asked)
    at = np.arange(1, way.levels) / way.levels * (1.0 - 1e-12) if levels is None else _levels(levels)
    for name, number, least, most in (("particles", particles, 2, CELLS // (len(at) + 1)),
                                      ("replicates", replicates, FEWEST, MOST)):
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or not least <= number <= most:
            beside = f" with {len(at)} levels" if name == "particles" else ""
            raise ValueError(f"{name} must be an integer of at least {least}, and at most {most:,}{beside}, got "
                             f"{number!r}")
    if trials is not None:
        tree = _trials(trials, levels, len(at))
        run = _tree(process, asked, way, at, tree, int(particles), seed, stage)
    else:
        g = None if way.timed else graph(process, event)
        run = _stepwise(process, asked, way, at, int(particles), seed, stage) if g is None or len(g.nodes) < 3 else \
            _over_graph(g, asked, way, at, int(particles), seed, int(process.max_steps), stage)
    out = np.array(engine.in_parallel(run, range(int(replicates)), threads))
    if process.steps is None and out[:, 5].any():
        raise StepLimitError(f"paths of {int(np.count_nonzero(out[:, 5]))} of {len(out)} populations were undecided "
                             f"after max_steps = {process.max_steps:,} steps of {process!r}: raise max_steps, give the "
                             f"process a number of steps, or ask for an event that such paths decide")
    if np.isnan(out[:, 0]).any():
        raise ValueError(f"trials must be fewer, or levels further apart, got {trials!r}: a population grew "
                         f"{restart.MOST:,} times as large")
    how = f"{len(out)} populations of {particles:,} paths, " + (
        f"split adaptively at up to {way.levels} levels." if levels is None else
        f"split at {len(at)} fixed levels." if trials is None else
        f"with retrials at {len(at)} fixed levels (RESTART).")
    return _estimate(out, int(particles), way, seed, confidence, time.perf_counter() - started, how)


def _levels(levels: Any) -> np.ndarray:
    try:
        at = np.atleast_1d(np.array(levels, float))
    except (TypeError, ValueError):                           # no numbers, or rows of several lengths
        at = np.zeros(1)
    if at.ndim != 1 or len(at) > LEVELS or not np.all((at > 0.0) & (at < 1.0)) or np.any(np.diff(at) <= 0.0):
        raise ValueError(f"levels must be rising numbers in (0, 1), and at most {LEVELS:,}, got {levels!r}")
    return at * (1.0 - 1e-12)                                 # a lattice score is not to miss its level by rounding


def _trials(trials: Any, levels: Any, count: int) -> np.ndarray:
    if levels is None:
        raise ValueError(f"levels must be given with trials, got None and {trials!r}")
    found = list(np.atleast_1d(np.array(trials, object)))
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in found)
    each = found * count if len(found) == 1 else found
    if not whole or len(each) != count or sum(map(int, each)) > BRANCHES:
        raise ValueError(f"trials must be an integer of at least 1, or one for each of the {count} levels, and at most "
                         f"{BRANCHES:,} of all levels together, got {trials!r}")
    return np.array(each, np.int64)


def _tree(process: Process, asked: Functional, way: Progress, levels: np.ndarray, trials: np.ndarray, particles: int,
          seed: int, stage: int) -> Callable[[int], np.ndarray]:
    """One population of trees."""
    made, limit = numbers_only(process), int(process.steps or process.max_steps)
    role = restart.climber(made.begin, made.step, asked, way.function, process.steps is None)

    def arguments(replicate: int, out: np.ndarray) -> tuple[Any, ...]:
        return (np.uint64(seed), np.uint32(stage), np.uint64(replicate), process.record, asked.record, levels,
                trials, particles, limit, out)
    return _Population(restart.restart_run, {"climb": role}, arguments)


def _stepwise(process: Process, asked: Functional, way: Progress, levels: np.ndarray, particles: int,
              seed: int, stage: int) -> Callable[[int], np.ndarray]:
    """One population of any simulator."""
    made, limit = numbers_only(process), int(process.steps or process.max_steps)
    role = splitting.splitter(made.begin, made.step, asked, way.function, process.steps is None)

    def arguments(replicate: int, out: np.ndarray) -> tuple[Any, ...]:
        return (np.uint64(seed), np.uint32(stage), np.uint64(replicate), process.record, asked.record, levels,
                particles, limit, out)
    return _Population(splitting.split_run, {"split": role}, arguments)


def _over_graph(g: Graph, asked: Functional, way: Progress, levels: np.ndarray, particles: int, seed: int,
                most: int, stage: int) -> Callable[[int], np.ndarray]:
    """One population over a graph, where each node has its level."""
    cells = 1 << max(1, int(np.ceil(np.log2(g.p.shape[1]))))
    to = np.zeros((len(g.to), cells), np.uint64)
    to[:, :g.to.shape[1]] = g.to
    table, top = alias_rows(g.p).ravel(), len(levels) + 1
    level = np.searchsorted(levels, progress_of_nodes(way, asked.record, g, most), side="right")
    level[YES] = top
    final = np.where(g.value > 0.0, top, level)

    def arguments(replicate: int, out: np.ndarray) -> tuple[Any, ...]:
        return (np.uint64(seed), np.uint32(stage), np.uint64(replicate), to.ravel(), table, cells, level, final,
                g.root, particles, g.steps or most, top, out)
    return _Population(splitting.graph_run, {"split": splitting.split_graph}, arguments)


class _Population:
    """What the population of a replicate leaves; compiled where it runs."""

    def __init__(self, template: Callable[..., Any], roles: dict[str, Callable[..., Any]],
                 arguments: Callable[[int, np.ndarray], tuple]) -> None:
        self._made_of = template, roles, arguments
        self._arguments = arguments
        self._kernel = fuse(template, roles, arguments(0, np.zeros(6)))                      # type: ignore[arg-type]

    def __reduce__(self) -> tuple[Any, ...]:
        return _Population, self._made_of

    def __call__(self, replicate: int) -> np.ndarray:
        out = np.zeros(6)
        self._kernel(*self._arguments(replicate, out))
        return out


def _estimate(out: np.ndarray, particles: int, way: Any, seed: int, confidence: float, seconds: float,
              how: str) -> Estimate:
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
                    interval_method="t", how=how, _ends=ends)
