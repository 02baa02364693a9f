"""The answer without a choice of method: exact where it can be, else by the proposal that the question allows."""
from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np

from rareevents import engine, estimates, oracle
from rareevents.certificates import weight_bound
from rareevents.checkpoints import require_place
from rareevents.checks import LARGEST_VOV
from rareevents.designs import Design
from rareevents.distributions import Distribution
from rareevents.distributions.base import require_seed
from rareevents.draws import values, weighted_draws
from rareevents.estimates import Estimate, Evaluations
from rareevents.events import AnyEvent, Event, identity, require_fit
from rareevents.integrands import BlackBox, integrand
from rareevents.kernels.stages import MAIN, PILOTS
from rareevents.methods.audit import cost, explore, fits
from rareevents.methods.gbas import acceptances, gbas
from rareevents.methods.importance import check_laws, checked_stop, weigh
from rareevents.methods.path_solving import climbed, designed_paths, exact_value
from rareevents.processes import Process
from rareevents.proposals.conditioning import rao_blackwell
from rareevents.proposals.fitting import mixed
from rareevents.proposals.largest import largest_integrated
from rareevents.proposals.learned import NothingFoundError, explored
from rareevents.proposals.mixtures import alore, mixture
from rareevents.proposals.region import can_happen, design, exact_variance, impossible, parts, pieces
from rareevents.proposals.tilting import tilt
from rareevents.reductions import reduced
from rareevents.sampler import length
from rareevents.second_moments import infinite_variance
from rareevents.spending import Budget, SpentError
from rareevents.tasks import on

REHEARSALS = 2
COMMON = 1e-4                 # probability above which naive Monte Carlo is a way out
PILOT = 4096                  # draws that tell what a certified interval would cost
DEAREST = 4.0                 # times the draws of an asymptotic interval that one may cost
ENOUGH, LONGEST = 15.0, 20_000_000        # draws over B/mu at which a bound suffices; the most that are made for that
LEARNING_SHARE = 0.1          # of `max_samples`, for each step of the exploration,
EXPLORING = 0.6               # and of it and of `max_seconds` for all of them
HOPELESS = 100_000_000        # naive draws without a hit after which none is waited for
SHORTEST = 1e-3               # seconds that are left for the estimate at least
FEWEST = 200                  # draws of such a step
DEFENSIVE = 0.1               # share of the nominal law beside a proposal with infinite variance


def solve(nominal: Any, f: Any, *, relative_error: float = 0.01, exact: bool = True, certify: bool = True,
          sampled: bool = False, max_samples: int | None = None, max_seconds: float | None = None, seed: int = 0,
          confidence: float = 0.95, threads: int | None = None, executor: Any = None,
          progress: bool = False, checkpoint: Any = None) -> Estimate:
    """E_p[f], by the method that the question allows: `estimate.how` says which.

    In this order: a sum or integral, if the answer has one; a proposal whose weight is proven to be bounded (an
    overshoot, a tilt, one for each part of a union); a proposal that is learned from an exploration. The proposal is
    then frozen, and the estimate made from fresh draws and audited where nothing is proven.

    Parameters
    ----------
    nominal : Distribution
        p.
    f : event, function or black box
        With one value.
    relative_error : float
        Standard error over value that is asked for.
    exact : bool
        Whether a sum or integral may answer; False forces sampling.
    sampled : bool
        Whether to draw as well where the answer is exact: `estimate.sampled` is that second answer.
    certify : bool
        Whether a proven bound gives an interval with exactly its confidence (GBAS), where that costs at most four
        times the draws. Paths have no such interval; where they need one, it is the betting interval of `estimate`.
    max_samples, max_seconds : optional
        Bounds on all draws, those of exploration, learning and audit included, and on the time.
    seed, confidence, threads, executor, progress, checkpoint
        As in `estimate`; a black box is explored by the executor too. Of the checkpoint only the final run of weighted
        draws is a part: a proposal is learned again, and GBAS and splitting start again, to the same bits.

    Raises
    ------
    ValueError, TypeError
        If an argument breaks its rule, or the event cannot happen.
    UserFunctionError
        As in `estimate`.

    Source: Asmussen and Glynn, Stochastic Simulation (2007), chapters V and VI, for the methods.

    >>> from rareevents import Poisson, at_least
    >>> solve(Poisson(rate=4.0), at_least(20)).kind
    'exact'
    """
    with on(executor):
        return _solved(nominal, f, relative_error, exact, certify, sampled, max_samples, max_seconds, seed, confidence,
                       threads, progress, checkpoint)


def _solved(nominal: Any, f: Any, relative_error: float, exact: bool, certify: bool, sampled: bool,
            max_samples: int | None, max_seconds: float | None, seed: int, confidence: float, threads: int | None,
            progress: bool, checkpoint: Any) -> Estimate:
    """`solve` on the executor that is set."""
    started = time.perf_counter()
    paths = isinstance(nominal, Process)
    f = integrand(f)
    check_laws(nominal, None)
    if not paths:
        require_fit(f, nominal.size)
    if not (paths or can_happen(nominal, f)):
        raise impossible(nominal, f)
    require_seed(seed)
    engine.require_threads(threads)
    estimates.check_confidence(confidence)
    stop = checked_stop(engine.Stop(None, relative_error, max_samples, max_seconds))
    if checkpoint is not None:
        require_place(checkpoint)
    for name, value in (("exact", exact), ("certify", certify), ("sampled", sampled)):
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, got {value!r}")
    several = length(f, nominal)                                                            # type: ignore[arg-type]
    if several is not None:
        raise ValueError(f"f must have one value to be solved, got {several}: solve each, or use estimate")
    if exact:
        value = exact_value(nominal, f) if paths else _exact(nominal, f)
        if paths and value == 0.0 and isinstance(f, AnyEvent):
            raise impossible(nominal, f)
        if value is not None:
            beside = solve(nominal, f, relative_error=relative_error, exact=False, certify=certify,
                           max_samples=max_samples, max_seconds=max_seconds, seed=seed, confidence=confidence,
                           threads=threads, progress=progress) if sampled else None
            what = "A sum over all paths" if paths else "A sum or integral over the law"
            return estimates.exact(value, seed=seed, confidence=confidence, seconds=time.perf_counter() - started,
                                   how=f"{what}: no draw, no error.", sampled=beside)
    nominal, f, made = _smaller(nominal, f, seed, max_samples) or (nominal, f, None)
    if made is None:
        made = designed(nominal, f, seed=seed, max_samples=max_samples, budget=Budget(
            EXPLORING * (max_samples or math.inf), started + EXPLORING * (max_seconds or math.inf)))
    if isinstance(nominal, Process) and made.law is nominal and isinstance(f, AnyEvent) and max_seconds is None:
        by_splitting, paths_before = climbed(nominal, f, relative_error, max_samples, seed, confidence, threads)
        made = dataclasses.replace(made, exploration=made.exploration + paths_before)
        if by_splitting is not None:
            return dataclasses.replace(by_splitting, evaluations=by_splitting.evaluations._replace(
                exploration=paths_before))
    spent = made.exploration + made.learning
    bound = None if isinstance(nominal, Process) else weight_bound(nominal, f, made.law, False)
    if certify and bound is not None and max_seconds is None and (max_samples or math.inf) - spent > 2 * PILOT:
        found = _certified(nominal, f, made.law, bound, relative_error, seed, (max_samples or math.inf) - spent)
        made = dataclasses.replace(made, learning=made.learning + PILOT)
        spent += PILOT
        if found is not None:
            return estimates.gbas(found, bound, evaluations=Evaluations(
                made.exploration, made.learning, 0, found.draws), seed=seed, confidence=confidence,
                seconds=time.perf_counter() - started, how=_how(made),
                ceiling=1.0 if isinstance(f, AnyEvent) else math.inf)
    if max_samples is not None:
        stop = dataclasses.replace(stop, max_samples=max(1, max_samples - spent))
    if max_seconds is not None:
        stop = dataclasses.replace(stop, max_seconds=max(SHORTEST, started + max_seconds - time.perf_counter()))
    proposal = None if made.law is nominal else made.law
    endless = proposal is None and max_samples is None and max_seconds is None and checkpoint is None
    if endless:
        stop = dataclasses.replace(stop, max_samples=HOPELESS)
    result = weigh(nominal, f, proposal, stop, seed=seed, confidence=confidence, threads=threads, progress=progress,
                   stage=MAIN[0], checkpoint=checkpoint)
    if endless and result.hits and result.stopped_by == "max_samples":
        result = dataclasses.replace(result.extend(relative_error=relative_error, threads=threads, progress=progress),
                                     extended=())
    more = _unseen(result)
    if result.stopped_by == "relative_error" and result.samples < more <= min(stop.max_samples or LONGEST, LONGEST):
        left = None if max_seconds is None else max(SHORTEST, started + max_seconds - time.perf_counter())
        result = dataclasses.replace(result.extend(samples=more, max_samples=stop.max_samples, max_seconds=left,
                                                   threads=threads, progress=progress), extended=())
    counted = result.evaluations._replace(exploration=made.exploration, learning=made.learning)
    return dataclasses.replace(result, evaluations=counted, how=_how(made))


def _smaller(nominal: Any, f: Any, seed: int, most: int | None) -> tuple[Any, Any, Design] | None:
    """A smaller question with the same answer: a part of the draw is integrated."""
    for attempt in (lambda: rao_blackwell(nominal, f), lambda: largest_integrated(nominal, f, seed, most)):
        try:
            return tuple(attempt())                                                          # type: ignore[return-value]
        except (ValueError, AttributeError):
            continue
    return None


def _unseen(result: Estimate) -> int:
    """The draws after which a proven bound alone gives an interval of half the value to either side."""
    if result.bound is None or not result.value > 0.0 or result.verdict == "trusted":
        return 0
    return math.ceil(ENOUGH * result.bound / result.value)


def designed(nominal: Any, f: Any, *, seed: int = 0, max_samples: int | None = None,
             budget: Budget | None = None) -> Design:
    """The proposal that `solve` uses: the best that is proven, or one that is learned."""
    if isinstance(nominal, Process):
        return designed_paths(nominal, f)
    for build in (_of_number, _of_vector):
        made = build(nominal, f)
        if made is not None and infinite_variance(nominal, f, made.law) is None:
            return made
    made = _learned(nominal, f, seed, max_samples, budget or Budget())
    if infinite_variance(nominal, f, made.law) is not None:
        made = dataclasses.replace(made, law=mixed([made.law, nominal], [1.0 - DEFENSIVE, DEFENSIVE]), bound=None,
                                   how=f"{made.how}, with a share of the nominal law, for a finite variance")
    return made


def _learned(nominal: Distribution, f: Any, seed: int, max_samples: int | None, budget: Budget) -> Design:
    """An explored proposal, rehearsed: what an audit of it finds becomes a part of it, before it is frozen."""
    samples = None if max_samples is None else max(FEWEST, int(LEARNING_SHARE * max_samples))
    if samples is not None:
        samples = min(samples, 2000 if isinstance(f, BlackBox) else 10_000)
    try:
        made = explored(nominal, f, samples=samples, seed=seed, budget=budget)
    except (NothingFoundError, SpentError) as error:
        return Design(nominal, f"naive Monte Carlo, because {error}", exploration=budget.spent)
    count = samples or (2000 if isinstance(f, BlackBox) else 10_000)
    for again in range(REHEARSALS):
        if not budget.allows(count + cost(count // 2)):
            break
        x, log_w = weighted_draws(nominal, made.law, count, seed, PILOTS[again])
        try:
            budget.take(count)
            y = np.abs(budget.timed(lambda x: values(f, x))(x)) * np.exp(log_w)
        except SpentError:
            break
        if not np.any(y):
            break
        error = float(np.std(y) / np.mean(y)) / math.sqrt(count)
        if float(np.mean(y)) > COMMON and not isinstance(f, BlackBox) and _heavy(y):
            return Design(nominal, f"naive Monte Carlo, because the event is not so rare and a learned proposal had "
                          f"large weights, after {budget.spent:,} draws",
                          exploration=made.exploration, learning=budget.spent - made.exploration)
        found = explore(nominal, f, made.law, float(np.mean(y)), error, count, draws=count // 2,
                        seed=seed ^ (again + 1), deadline=budget.deadline)
        budget.spent += found.draws
        if found.where is None:
            break
        parts = fits(nominal, found.where, seed)
        share = min(0.5, max(0.1, found.missed / (1.0 + found.missed)))
        law = mixed([made.law, *parts], [1.0 - share, *([share / len(parts)] * len(parts))])
        made = dataclasses.replace(made, law=law, how=f"{made.how}, and to what an audit of it found")
    return dataclasses.replace(made, learning=budget.spent - made.exploration)


# ------------------------------------------------------------------------------------------------ the choices
def _exact(nominal: Distribution, f: Any) -> float | None:
    """The answer as a sum or integral; None where there is none, or a function may hide from it."""
    small = reduced(nominal, f)
    law, question = (nominal, f) if small is None else (small.law, small.event)
    if law.size is not None or isinstance(question, BlackBox):
        return None
    reach: Any = law.support
    if isinstance(question, Event) and question.score is identity and question.at_least <= reach.low \
            and reach.high <= question.at_most:
        return 1.0
    try:
        known = isinstance(question, AnyEvent) and pieces(law, question) is not None
    except AttributeError:                                   # a sum whose law has no closed form
        return None
    if not known and law.dtype is not int:                   # a narrow bump could lie between the points
        return None
    try:
        value = oracle.value(law, question)
    except (ValueError, AttributeError):
        return None
    if not math.isfinite(value):
        return None
    return value if value != 0.0 or known else None


def _of_number(nominal: Distribution, f: Any) -> Design | None:
    """For laws of one number: overshoots or tilts, one for each interval; for a function the best tilt of its own."""
    if nominal.size is not None:
        return None
    if pieces(nominal, f) is not None:
        try:
            return mixture(nominal, f)
        except ValueError:
            return design(nominal, f, nominal, "naive Monte Carlo: nothing better is known for this law") \
                if (exact_variance(nominal, f, nominal) or math.inf) < 1e4 else None
    if isinstance(f, (BlackBox, AnyEvent)):
        return None
    found = [design(nominal, f, nominal, "naive Monte Carlo")]
    for choice in ("second moment", "cross entropy"):
        try:
            found.append(tilt(nominal, f, choice))
        except (ValueError, AttributeError, OverflowError):
            continue
    known = [made for made in found if made.relative_variance is not None and made.relative_variance < 100.0]
    return min(known, key=lambda made: made.relative_variance or 0.0) if known else None


def _of_vector(nominal: Distribution, f: Any) -> Design | None:
    """For vectors: the tilt for a named score, the laws given each part of a union, or one proposal for each part."""
    if nominal.size is None or not isinstance(f, AnyEvent):
        return None
    each = parts(f)
    attempts = [lambda: tilt(nominal, f, "second moment"), lambda: tilt(nominal, f)] if len(each) == 1 else \
        [lambda: alore(nominal, f), lambda: mixture(nominal, f)]
    for attempt in attempts:
        try:
            made = attempt()
        except (ValueError, AttributeError):
            continue
        if made.bound is not None:
            return made
    return None


def _heavy(y: np.ndarray) -> bool:
    """Whether a few terms make the variance of the sum."""
    off = (y - np.mean(y)) ** 2
    return float(np.sum(off * off)) > LARGEST_VOV * float(np.sum(off)) ** 2


def _certified(nominal: Any, f: Any, law: Distribution, bound: float, relative_error: float, seed: int,
               most: float) -> Any:
    """A GBAS result, if a pilot says that it costs little more than an asymptotic interval, and f is not negative."""
    accepted = acceptances(relative_error)
    x, log_w = weighted_draws(nominal, law, PILOT, seed, PILOTS[-1])
    y = values(f, x) * np.exp(log_w)
    mean = float(np.mean(y))
    if not mean > 0.0 or np.any(y < 0.0) or np.any(y > bound * (1.0 + 1e-9)):
        return None
    plain = max(1000.0, float(np.var(y)) / mean ** 2 / relative_error ** 2)
    cost = accepted * bound / mean
    if cost > DEAREST * plain and cost > 1e6 or PILOT + 1.1 * cost > most:
        return None
    return gbas(nominal, f, law, bound, accepted, seed, most - PILOT)


def _how(made: Design) -> str:
    text = made.how[0].upper() + made.how[1:]
    known = []
    if made.relative_variance is not None:
        known.append(f"its relative variance is {made.relative_variance:.4g} a draw")
    elif made.variance_bound is not None:
        known.append(f"its relative variance is at most {made.variance_bound:.4g} a draw")
    if made.bound is not None:
        known.append(f"p/q is proven to be at most {made.bound:.4g} on the event")
    if made.exploration + made.learning:
        known.append(f"{made.exploration:,} draws explored and {made.learning:,} taught it")
    return text + ("; " + ", ".join(known) if known else "") + "."
