"""Naive Monte Carlo and importance sampling: mu = E_p[f] as the mean of f p/q over draws of q."""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from rareevents import engine, estimates
from rareevents.blame import UserFunctionError
from rareevents.certificates import covers, weight_bound
from rareevents.checkpoints import Checkpoint, CheckpointWriteError, folder
from rareevents.checks import Check, Explored
from rareevents.designs import Design, law_of
from rareevents.devices import Launcher, require_device
from rareevents.distributions import Distribution
from rareevents.distributions.base import require_count, require_seed
from rareevents.distributions.parts import require_alike
from rareevents.draws import weighted_draws
from rareevents.engine import require_threads
from rareevents.estimates import Estimate, build
from rareevents.events import AnyEvent, require_fit
from rareevents.integrands import BlackBox, integrand
from rareevents.kernels.stages import MAIN, SUPPORT, WEIGHTED
from rareevents.methods.audit import Audit, beside, budget, explore
from rareevents.methods.path_audit import climb_beside
from rareevents.methods.premises import mass, premises
from rareevents.methods.progress import reporting
from rareevents.paths.fit import require_of_paths
from rareevents.paths.question import question
from rareevents.paths.sampled import sampled_paths
from rareevents.paths.sampler import PathSampler, StepLimitError
from rareevents.processes import Process
from rareevents.processes.base import require_process
from rareevents.sampler import BLACK_BOX_CHUNK, Sampler
from rareevents.tasks import ExecutorError, current, on

MOST_DRAWS = 10 ** 10             # of a run that was given a relative error and no other limit
INFINITE = ("The variance of f p/q over paths is infinite: those that turn back often weigh too much; use a proposal "
            "that sees where a path is, as those of proposals.doob, committor and walk_tilt do.")
SUPPORT_DRAWS = 100_000           # nominal draws that look for a hole in the proposal's support,
SUPPORT_BLOCKS = 20               # in as many blocks
DRAWING = 0.7                     # of max_seconds, the share of the estimate where an audit follows
BLACK_BOX_POINTS = 1000           # of those, the most at which an expensive integrand is called
ENUMERATED = 4096                 # finite supports up to this size are checked point by point


def estimate(nominal: Distribution | Process, f: Any, proposal: Distribution | Process | Design | None = None, *,
             samples: int | None = None, relative_error: float | None = None, max_samples: int | None = None,
             max_seconds: float | None = None, seed: int = 0, confidence: float = 0.95, audit: Any = "auto",
             threads: int | None = None, executor: Any = None, device: str = "cpu", progress: bool = False,
             checkpoint: Any = None) -> Estimate:
    """Estimate mu = E_p[f] by the mean of f(x) p(x) / q(x) over draws x of q.

    Parameters
    ----------
    nominal : Distribution
        p, the law of the world.
    f : event or function
        An event, or a plain function of x that returns a number, a bool or several numbers; or `black_box(f)`.
    proposal : Distribution or Design, optional
        q, the law that is drawn from, or what `rareevents.proposals` designed; None is naive Monte Carlo.
    samples : int, optional
        Exactly this many draws; fewer only if a `relative_error` is given too and reached before.
    relative_error : float, optional
        Stop when the standard error is this share of the value, with at least 100 hits, 1,000 draws and a variance of
        variance of at most 0.02.
    max_samples, max_seconds : optional
        Bounds on the draws, those of the audit included, and on the time.
    seed : int
        Below 2^64. The same seed gives the same bits on any number of threads.
    confidence : float
        Of the interval.
    audit : "auto", number, sequence of laws, or False
        Draws spent on looking for what q cannot see, where nothing is proven about it: "auto" spends max(5000, n/10),
        a number that share of n, laws are drawn from besides; False spends none, and the verdict is at most caution.
        It never changes the value. Of an event of paths that run step by step, splitting estimates it independently,
        with max(50000, n/10) paths, where neither max_samples nor max_seconds is given.
    threads : int, optional
        Default: the processors that this process may use; one for a black box.
    executor : concurrent.futures.Executor, optional
        Whose workers compute the chunks, in other processes or on other machines; it is never shut down, and the bits
        are the same. A black box is then called by all workers at the same time.
    device : "cpu" or "cuda"
        What computes the chunks; "cuda" is a GPU: with the same streams it finds the same counts, and sums that
        differ at most in rounding. For laws and functions that numba-cuda can compile; an audit runs on the CPU.
    progress : bool
        Show value, relative error and effective sample size as they settle.
    checkpoint : path, optional
        Of a file that is written while the run goes on, or of a folder for it. If it is there, the run goes on from it,
        with the bits of a run that was never interrupted.

    Raises
    ------
    ValueError, TypeError
        Before sampling, if an argument breaks its rule.
    ExecutorError
        If the executor gave up, or a chunk ends every worker, which it names. Its `estimate` is as below.
    DeviceError
        If the device gave up, or computes something else than the CPU. Its `estimate` is as below.
    CheckpointError
        If the checkpoint is of another run, which it names, or damaged, and the one before it too.
    UserFunctionError
        If a user's function raises, or returns NaN. Its `estimate` holds what the chunks before it gave, or None.
    StepLimitError
        If paths without a number of steps are undecided after `max_steps`. Its `estimate` is as above.
    OSError
        If the checkpoint cannot be written any more. Its `estimate` holds all that was computed, or None.

    Source: Owen, Monte Carlo theory, methods and examples (2013), section 9.1.

    >>> p, q = Poisson(rate=4.0), Poisson(rate=20.0)                                        # doctest: +SKIP
    >>> print(estimate(p, at_least(20), proposal=q, samples=1_000_000, seed=1))             # doctest: +SKIP
    """
    stop = engine.Stop(samples, relative_error, max_samples, max_seconds)
    with on(executor):
        return weigh(nominal, integrand(f), law_of(proposal), stop, seed=seed, confidence=confidence, threads=threads,
                     progress=progress, stage=MAIN[0], audit=audit, checkpoint=checkpoint, device=device)


def weigh(nominal: Any, f: Any, proposal: Any, stop: engine.Stop, *, seed: int, confidence: float,
          threads: int | None, progress: bool, stage: int, tally: bool = True, audit: Any = "auto",
          checkpoint: Any = None, device: str = "cpu") -> Estimate:
    """`estimate` with its stage: each proposal of a comparison has its own."""
    started = time.perf_counter()
    check_laws(nominal, proposal)
    stop = checked_stop(stop)
    require_seed(seed)
    estimates.check_confidence(confidence)
    require_threads(threads)
    require_audit(nominal, audit)
    require_device(device, f)
    place = folder.get() if checkpoint is None else checkpoint
    saved = None if place is None else Checkpoint(place, lambda: task.identity(stage))
    prepare: Any = _of_paths if isinstance(nominal, Process) else _of_draws
    prepared = prepare(nominal, f, proposal, seed, stage, tally)
    task = _Task(nominal, f, proposal, int(seed), confidence, audit, prepared,
                 None if device == "cpu" else Launcher(prepared.sampler))
    if saved is None:
        return task.run(stop, threads, progress, started)
    start = saved.load()
    if start is not None and start.draws > stop.draws and not saved.asked:
        start = None                                          # of a longer run, for whom it stays
    if start is not None and start.draws > stop.draws:
        raise ValueError(f"checkpoint must hold at most the {stop.draws:,} draws that are asked for, got "
                         f"{start.draws:,} in {saved.path}: ask for more, or remove it")
    found: Estimate | None = None
    try:
        try:
            found = task.run(stop, threads, progress, started, start, saved.keep)
            return found
        finally:
            saved.close()
    except CheckpointWriteError as error:                     # the disk may be full: what was computed is not lost
        error.estimate = found or task.known(saved.newest or start)
        raise


@dataclass(frozen=True)
class _Task:
    """A question with its proposal, ready to be sampled, and to be sampled further."""

    nominal: Any
    f: Any
    proposal: Any
    seed: int
    confidence: float
    audit: Any
    prepared: _Prepared
    device: Launcher | None                               # None: the processors

    def run(self, stop: engine.Stop, threads: int | None, progress: bool, started: float,
            start: engine.Prefix | None = None, keep: Callable[[engine.Prefix], None] | None = None,
            looked: bool = False) -> Estimate:
        """The estimate from all draws, those before `start` included; looked: somebody has seen these."""
        sampler = self.prepared.sampler
        paths = isinstance(self.nominal, Process)
        counted = stop.max_samples not in (None, MOST_DRAWS)
        audited = self._is_audited() and not (paths and (counted or stop.max_seconds is not None))
        if audited and not paths and counted:                                # it bounds the audit too
            room = beside(stop.max_samples, self.audit)                                      # type: ignore[arg-type]
            audited = room > 0
            stop = replace(stop, max_samples=room) if audited else stop
        ends = math.inf
        if audited and stop.max_seconds is not None:           # and so does this
            ends, stop = started + stop.max_seconds, replace(stop, max_seconds=DRAWING * stop.max_seconds)
        if sampler.black_box and threads is None:             # it may have a state, or call what is not thread-safe
            threads = 1
        if (start is not None or current.get() is not None) and not sampler.black_box:      # it tells if f is boolean
            sampler.chunk(0, 1)
        with reporting(progress, stop) as report:
            try:
                run = engine.run(sampler.chunk, sampler.quantities, stop, threads=threads,
                                 largest=BLACK_BOX_CHUNK if sampler.black_box else engine.CHUNK_LAST, report=report,
                                 started=started, start=start, keep=keep, in_caller=sampler.black_box,
                                 device=self.device)
            except (UserFunctionError, StepLimitError, ExecutorError, MemoryError) as error:
                before = getattr(error, "run", None)
                error.estimate = None if before is None else self._estimate(before, looked)        # type: ignore[union-attr]
                raise
        first = self._estimate(run, looked)
        if not audited or first.verdict == "not trusted" or not first.hits:
            return first
        if paths:
            return self._estimate(run, looked,
                                  climb_beside(self.nominal, self.f, first, self.audit, self.seed, threads))
        return self._estimate(run, looked, explore(
            self.nominal, self.f, self.proposal, first.value, first.relative_error, run.total.draws,
            draws=budget(run.total.draws, self.audit), seed=self.seed, deadline=ends,
            more=self.audit if isinstance(self.audit, (list, tuple)) else ()))

    def known(self, prefix: engine.Prefix | None) -> Estimate | None:
        """The estimate from the chunks of a run that an error ended; None where there are none."""
        if prefix is None or not prefix.draws:
            return None
        sampler = self.prepared.sampler
        run = engine.run(sampler.chunk, sampler.quantities, engine.Stop(prefix.draws), start=prefix)
        return self._estimate(replace(run, stopped_by="error"), looked=False)

    def identity(self, stage: int) -> dict[str, list[str]]:
        """What the draws and their sums depend on, by name: a digest, and a text for people."""
        texts = {"nominal": repr(self.nominal), "proposal": repr(self.proposal), "f": repr(self.f)}
        plain = {"seed": str(self.seed), "stage": str(stage),
                 "schedule": ", ".join(map(str, (engine.CHUNK_FIRST, engine.CHUNK_LAST, BLACK_BOX_CHUNK, engine.LATE)))}
        return {**{name: [text, text] for name, text in plain.items()},
                **{name: [content, texts.get(name, "")] for name, content in self.prepared.sampler.contents().items()}}

    def _is_audited(self) -> bool:
        sampler = self.prepared.sampler
        return self.proposal is not None and self.audit is not False and sampler.quantities == 1 \
            and sampler.vector is None and self.prepared.auditable and self.prepared.bound(False) is None

    def _estimate(self, run: engine.Run, looked: bool, found: Audit | None = None) -> Estimate:
        prepared = self.prepared
        boolean = prepared.sampler.boolean
        weighed = mass(run.total, self.nominal, self.proposal)
        return build(run.total, run.groups, repeated=run.repeated,
                     premises=prepared.assumed if weighed is None else (*prepared.assumed, weighed),
                     bound=prepared.bound(boolean), naive=self.proposal is None,
                     indicator=isinstance(self.f, AnyEvent) or boolean, covered=prepared.covered,
                     stopped_by=run.stopped_by, seed=self.seed, confidence=self.confidence, seconds=run.seconds,
                     explored=None if found is None else Explored(found.status, found.sentence),
                     audited=0 if found is None else found.draws, more=self._continued(run.prefix), looked=looked)

    def _continued(self, prefix: engine.Prefix) -> Callable[..., Estimate]:
        """How the run that left this prefix goes on."""
        def more(stop: tuple[Any, ...], threads: int | None, progress: bool) -> Estimate:
            require_threads(threads)
            return self.run(checked_stop(engine.Stop(*stop)), threads, progress, time.perf_counter(), prefix,
                            looked=True)
        return more


class _Prepared(NamedTuple):
    """A question that is ready to be sampled."""

    sampler: Any
    covered: bool                                       # whether the proposal is known to reach all that counts
    bound: Callable[[bool], float | None]               # of f p/q, given whether the compiled f is boolean
    auditable: bool
    assumed: tuple[Check, ...]                          # the checks of the laws


def _of_draws(nominal: Distribution, f: Any, proposal: Distribution | None, seed: int, stage: int,
              tally: bool) -> _Prepared:
    require_fit(f, nominal.size)
    covered = proposal is None or support_covered(nominal, f, proposal, seed)
    return _Prepared(Sampler(nominal, f, proposal, seed, stage, tally), covered,
                     lambda boolean: weight_bound(nominal, f, proposal, boolean), auditable=True,
                     assumed=premises(nominal, f, proposal, seed))


def _of_paths(nominal: Process, f: Any, proposal: Process | None, seed: int, stage: int, tally: bool) -> _Prepared:
    require_of_paths(f, nominal)
    asked = question(nominal, f, proposal)

    def bound(boolean: bool) -> float | None:
        return 1.0 if asked.bound is None and proposal is None and boolean else asked.bound
    return _Prepared(PathSampler(asked, seed, stage), asked.covered, bound,
                     auditable=asked.bound is None and isinstance(f, AnyEvent),
                     assumed=(Check("second moment", "failed", math.inf, None, INFINITE),) if asked.infinite else ())


def weighted_samples(nominal: Any, proposal: Any, n: int,
                     seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """n draws x of the proposal and their log weights log p(x) - log q(x), in nats; of paths the states at every time.

    >>> x, log_weight = weighted_samples(Poisson(rate=4.0), Poisson(rate=20.0), 1000)       # doctest: +SKIP
    """
    law = law_of(proposal)
    check_laws(nominal, law)
    require_seed(seed)
    require_count("n", n)
    if isinstance(nominal, Process):
        return sampled_paths(nominal, law, int(n), seed, WEIGHTED[0])
    return weighted_draws(nominal, law, int(n), seed, WEIGHTED[0])


# ------------------------------------------------------------------------------------------------ arguments
def require_audit(nominal: Distribution, audit: Any) -> None:
    """Raise unless this says how to audit."""
    if isinstance(audit, (list, tuple)) and isinstance(nominal, Process):
        raise ValueError(f"audit must be 'auto', a number above 0 or False for paths, got {audit!r}")
    if isinstance(audit, (list, tuple)):
        for law in audit:
            check_laws(nominal, law)
            if law is None:
                raise TypeError("audit must be a sequence of laws, got None among them")
    elif isinstance(audit, (bool, str)):
        if audit is True or (isinstance(audit, str) and audit != "auto"):
            raise ValueError(f"audit must be 'auto', a number above 0, a sequence of laws or False, got {audit!r}")
    elif not isinstance(audit, (int, float, np.number)) or not 0.0 < audit < math.inf:
        raise ValueError(f"audit must be 'auto', a number above 0, a sequence of laws or False, got {audit!r}")


def check_laws(nominal: Any, proposal: Any) -> None:
    """Raise unless these are laws of one kind and size, or the proposal is None."""
    if isinstance(nominal, Process):
        if proposal is not None:
            require_process("proposal", proposal)
        return
    if not isinstance(nominal, Distribution):
        raise TypeError(f"nominal must be a Distribution, got {nominal!r}")
    if proposal is None:
        return
    if not isinstance(proposal, Distribution):
        raise TypeError(f"proposal must be a Distribution or None, got {proposal!r}")
    require_alike("proposal", proposal, nominal)


def checked_stop(stop: engine.Stop) -> engine.Stop:
    """The stopping rules, with an end; raises if one of them breaks its rule."""
    for name in ("samples", "max_samples"):
        value = getattr(stop, name)
        if value is None:
            continue
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if not 1 <= value < 2 ** 53:
            raise ValueError(f"{name} must be an integer in [1, 2^53), got {value!r}")
    for name in ("relative_error", "max_seconds"):
        value = getattr(stop, name)
        if value is None:
            continue
        if not isinstance(value, (int, float, np.floating)) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number, got {value!r}")
        if not (value > 0.0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    if stop == engine.Stop():
        raise ValueError("give samples, relative_error, max_samples or max_seconds: a run needs an end")
    if stop.samples is None and stop.max_samples is None and stop.max_seconds is None:
        return engine.Stop(None, stop.relative_error, MOST_DRAWS, None)
    return stop


def support_covered(nominal: Distribution, f: Any, proposal: Distribution, seed: int) -> bool:
    """Whether q > 0 where p > 0 and f is not 0 could be shown; a counterexample raises."""
    shown = covers(nominal, f, proposal)
    scalar = nominal.size is None and nominal.dtype is int
    _, low, high = nominal.supports[0]
    if scalar and high - low < ENUMERATED:
        _refuse_hole(nominal, f, proposal, np.arange(int(low), int(high) + 1))
        return True
    if shown:
        return True
    for block in range(SUPPORT_BLOCKS):                   # in blocks: rows may be long
        draws = weighted_draws(nominal, None, SUPPORT_DRAWS // SUPPORT_BLOCKS, seed, SUPPORT[block])[0]
        _refuse_hole(nominal, f, proposal, np.unique(draws) if nominal.size is None else draws)
    return False


def _refuse_hole(nominal: Distribution, f: Any, proposal: Distribution, points: np.ndarray) -> None:
    """Raise if the proposal cannot draw a point that the nominal law can, and f is not 0 there."""
    hole = points[(proposal.log_prob(points) == -math.inf) & (nominal.log_prob(points) > -math.inf)]
    if not len(hole):
        return
    for x in hole[:BLACK_BOX_POINTS] if isinstance(f, BlackBox) else hole:
        if isinstance(f, BlackBox):
            value = f.f(x[None]) if f.vectorized else f.f(x)
        else:
            value = f.function()(f.record, x)
        if np.any(np.asarray(value) != 0):
            raise ValueError(f"proposal must cover the event: {proposal!r} cannot draw x = {x}, which {nominal!r} can, "
                             f"and {f!r} is not zero there")
