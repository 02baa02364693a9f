"""Exact answers without a draw: values, and what a proposal costs.

For laws of one number, scores of vectors with a known law, and paths over finitely many states (`paths.exact`).

They are sums over the integers or adaptive integrals over the reals, on points that follow what is summed. Everything
stays in logarithms: a probability of 1e-300 is as exact as one of 0.1.
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rareevents.certificates import tilt_between
from rareevents.closed_forms import Log, integrated, unless_overflow
from rareevents.designs import law_of
from rareevents.distributions.base import Distribution, Support, exp_or_inf
from rareevents.distributions.parts import require_law
from rareevents.distributions.quadrature import Grid, marks
from rareevents.events import AnyEvent
from rareevents.integrands import Integrand, integrand
from rareevents.paths import exact
from rareevents.paths.graph import Graph
from rareevents.paths.question import question
from rareevents.processes import Process
from rareevents.reductions import reduced
from rareevents.summands import Summand

MEANINGFUL = -1e7             # a log density below it has an absolute rounding error above 1e-9
GROWTH = 1e-6                 # of log |f| p/q when the distance to an end halves: the supremum is infinite


class Grade(NamedTuple):
    """What one draw of a proposal q is worth for E_p[f]; q* is the ideal proposal, proportional to |f| p."""

    value: float                  # mu = E_p[f]
    relative_variance: float      # E_q[(f p/q)^2] / mu^2 - 1
    kl: float                     # KL(q*||q) in nats
    largest: float                # supremum of |f| p/q


def value(nominal: Distribution | Process, f: Any) -> float:
    """E_p[f], infinite where the sum or integral diverges.

    Parameters
    ----------
    nominal : Distribution
        p, a law of one number; of vectors if the event is one of a single named score with a known law.
    f : event or function
        An event, or a plain function of x that returns a number or a bool. A function is seen at the points of the sum
        or integral only: a narrow bump in a rare place is found if an event says where it is.

    Raises
    ------
    ValueError
        If p is a law of vectors, f returns NaN or several numbers, or f has no expectation.

    >>> from rareevents import Poisson, at_least
    >>> round(value(Poisson(rate=10.0), at_least(30)), 12)
    2.50995e-07
    """
    if isinstance(nominal, Process):
        return exact.value(_graph(nominal, f))
    summand = Summand(nominal, f)
    return summand.sign * exp_or_inf(summand.log_mean)


def log_value(nominal: Distribution | Process, event: Any) -> float:
    """log P(event), also where the probability is less than the smallest double.

    >>> from rareevents import Exponential, at_least
    >>> log_value(Exponential(rate=1.0), at_least(5000.0))
    -5000.0
    """
    if not isinstance(event, AnyEvent):
        raise TypeError(f"event must be an event such as at_least(20), got {event!r}")
    if isinstance(nominal, Process):
        g = _graph(nominal, event)
        return float(exact.log_h(g)[(0, g.root) if g.steps is not None else g.root])
    return Summand(nominal, event).log_mean


def grade(nominal: Distribution | Process, f: Any, proposal: Any = None) -> Grade:
    """What one draw of a proposal is worth: mu, the relative variance, KL(q*||q) and the largest |f| p/q.

    All are infinite where q = 0 but f p is not. Without cancellation: the relative variance is E_q[(f p/(mu q) - 1)^2],
    and the divergence the sum of q* log(q*/q) + q - q*.

    Parameters
    ----------
    nominal, f
        As in `value`.
    proposal : Distribution, optional
        q; None is naive Monte Carlo, q = p. For a law of vectors a tilt along the score.

    Raises
    ------
    ValueError
        As in `value`; if p and q are of different kinds; if f p is zero everywhere or |f| has no expectation.

    Source: Owen, Monte Carlo theory, methods and examples (2013), section 9.1; Rubinstein and Kroese, The Cross-Entropy
    Method (2004), section 3.2.

    >>> from rareevents import Poisson, at_least
    >>> best = grade(Poisson(rate=4.0), at_least(20), Poisson(rate=20.5))
    >>> naive = grade(Poisson(rate=4.0), at_least(20))
    >>> naive.relative_variance / best.relative_variance > 1e7
    True
    """
    if isinstance(nominal, Process):
        return _grade_of_paths(nominal, f, proposal)
    summand = Summand(nominal, f)
    q = nominal if proposal is None else law_of(proposal)
    require_law("proposal", q)
    if summand.nominal is not nominal:
        nominal, q = summand.nominal, _tilted_score(nominal, f, q)
    if nominal.measure is not None:
        raise ValueError(f"nominal must have a density to grade proposals for it, got {nominal!r}")
    if q.size is not None or q.dtype is not nominal.dtype:
        raise ValueError(f"proposal must draw one {nominal.dtype.__name__} as the nominal law {nominal!r} does, "
                         f"got {proposal!r}")
    if not math.isfinite(summand.log_absolute):
        what = "be nonzero where the nominal law can draw" if summand.log_absolute < 0.0 else "have an expectation"
        raise ValueError(f"f must {what}, got {f!r} under {nominal!r}: there is no ideal proposal")
    mean = summand.sign * exp_or_inf(summand.log_mean)
    if summand.event and not all(q.supports[0].contains(piece) for piece in summand.pieces):
        return Grade(mean, math.inf, math.inf, math.inf)
    at, missed = marks(nominal, q), sum(math.exp(q.log_mass(low, high)) for low, high in summand.gaps())
    log_off = summand.log_variance(q)
    variance = sum(exp_or_inf(summand.points(log_off, piece, at).log_sum()) for piece in summand.pieces)
    kl = integrated(lambda x: summand.log_term(x) - summand.log_absolute, q.log_prob, summand.pieces, at)
    largest = max(_log_supremum(summand, q, piece, at) for piece in summand.pieces)
    return Grade(mean, variance + missed, kl + missed, exp_or_inf(largest))


def occupancy(nominal: Process, f: Any, proposal: Any = None) -> np.ndarray:
    """The probability of each state at each time under a proposal, until the event is decided: [time, state].

    Parameters
    ----------
    nominal : MarkovChain
        With a number of steps.
    f : event
        What paths are watched for; where they are decided they stop, and count no more.
    proposal : Process, Design, optional
        Default: the nominal law. With `proposals.doob` these are the days of a month in which the event happens.

    Raises
    ------
    ValueError
        If there is no finite graph, or no number of steps.

    Source: a forward recursion over the moves, as the value is a backward one.

    >>> from rareevents import MarkovChain, visits
    >>> occupancy(MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 2), visits(1) >= 3)[1]
    array([0.9, 0.1])
    """
    asked = _question_of_paths(nominal, f, proposal)
    g = asked.graph
    mass = np.sum([share * exact.occupancy(g, q) for share, q in zip(asked.shares, asked.tables, strict=True)], axis=0)
    states = sorted({node.state for node in g.nodes[2:] if node.state is not None})
    out = np.zeros((len(mass), (max(states) if isinstance(states[-1], int) else len(states) - 1) + 1))
    for k, node in enumerate(g.nodes):
        if node is not None and node.state is not None:
            out[:, node.state if isinstance(node.state, int) else states.index(node.state)] += mass[:, k]
    return out


def _graph(nominal: Process, f: Any) -> Graph:
    return _question_of_paths(nominal, f, None).graph


def _question_of_paths(nominal: Process, f: Any, proposal: Any) -> Any:
    asked = question(nominal, integrand(f), law_of(proposal))
    if asked.graph is None and isinstance(asked.f, Integrand):
        raise ValueError(f"f must be an event or a function of a score, as in visits(1).map(function), for an exact "
                         f"answer, got {f!r}, which sees the whole path")
    if asked.graph is None:
        raise ValueError(f"nominal must have finitely many states, and not too many, for an exact answer about {f!r}, "
                         f"got {nominal!r}")
    return asked


def _grade_of_paths(nominal: Process, f: Any, proposal: Any) -> Grade:
    asked = _question_of_paths(nominal, f, proposal)
    if len(asked.tables) > 1:
        raise ValueError(f"proposal must have one component for an exact grade, got {proposal!r}")
    found = exact.grade(asked.graph, asked.together)
    return Grade(found.value, found.relative_variance, found.kl, found.largest)


def _tilted_score(nominal: Distribution, f: Any, q: Distribution) -> Distribution:
    """The score's law under q, of which p/q is a function only where q is a tilt of p along the score."""
    small: Any = reduced(nominal, f)
    theta = tilt_between(nominal, q)
    vector = None if theta is None else np.broadcast_to(np.asarray(theta, float), small.a.shape)
    slope = 0.0 if vector is None else float(vector @ small.a / (small.a @ small.a))
    if vector is None or not np.allclose(vector, slope * small.a, rtol=1e-12, atol=1e-300):
        raise ValueError(f"proposal must be a tilt of the nominal law along the score of {f!r} for an exact answer, "
                         f"got {q!r}")
    return small.law.tilt(slope) if slope else small.law


def ideal(nominal: Distribution, f: Any, power: int = 1) -> Grid:
    """Points of the sum or integral of |f|^power p: with power 1 the ideal proposal q*, not normalised.

    Raises ValueError as `value` does.
    """
    summand = Summand(nominal, f)
    if summand.nominal.measure is not None:
        raise ValueError(f"nominal must have a density, got {nominal!r}")

    def log_term(x: np.ndarray) -> np.ndarray:
        first = summand.log_term(x)
        if summand.event or power == 1:
            return first
        with np.errstate(invalid="ignore", over="ignore"):
            return np.where(first > -math.inf, power * first - (power - 1) * nominal.log_prob(x), -math.inf)
    grids = [summand.points(log_term, piece, marks(nominal)) for piece in summand.pieces]
    if not grids:
        raise ValueError(f"f must be nonzero where the nominal law can draw, got {f!r} under {nominal!r}: there is no "
                         f"ideal proposal")
    x, log_mass = (np.concatenate([getattr(grid, name) for grid in grids]) for name in ("x", "log_mass"))
    return grids[0] if len(grids) == 1 else Grid(x, log_mass, np.zeros(len(x), int), np.empty(0), [])


# ------------------------------------------------------------------------------------------------ the largest f p/q
def _log_supremum(summand: Summand, q: Distribution, piece: Support, at: np.ndarray) -> float:
    """log of the supremum of |f| p/q on a piece: at the points of f p, between the two beside the best, at the ends."""
    def log_ratio(x: np.ndarray) -> np.ndarray:
        b = q.log_prob(x)
        a = unless_overflow(summand.log_term(x), b)
        with np.errstate(invalid="ignore"):
            return np.where(a == -math.inf, -math.inf, a - b)

    whole = piece.kind == "integers"
    x = summand.points(summand.log_term, piece, at).x
    if whole:
        far = 2 ** np.arange(62)
        x = np.unique(np.concatenate([x, x[0] - far, x[-1] + far]))
        x = x[(x >= piece.low) & (x <= piece.high)]
    y = log_ratio(x)
    if np.any(y == math.inf):
        return math.inf
    least = np.minimum(summand.nominal.log_prob(x), q.log_prob(x))
    seen = np.isfinite(least)
    seen[seen] = least[seen] - np.max(least[seen]) > MEANINGFUL
    x, y, rounding = x[seen], y[seen], 1e-15 * np.abs(least[seen])
    ends = [_at_end(log_ratio, x, y - rounding, end, summand.event) for end in (piece.low, piece.high) if not
            (whole and math.isfinite(end))]
    best = int(np.argmax(y - rounding))
    for _ in range(0 if whole else 8):        # each divides the distance by 16
        x = np.linspace(x[max(best - 1, 0)], x[min(best + 1, len(x) - 1)], 33)
        y = log_ratio(x)
        best = int(np.argmax(y))
    return max(float(y[best]), *ends, -math.inf)


def _at_end(log_ratio: Log, x: np.ndarray, y: np.ndarray, end: float, event: bool) -> float:
    """The limit of a log ratio towards an end: its value there, or how it grows when the distance halves."""
    if math.isfinite(end):
        found = float(log_ratio(np.array([end]))[0]) if event else math.nan
        if not math.isnan(found):
            return found
        far = np.abs(x - end)
        near = np.flatnonzero(far >= 2.0 ** 14 * np.spacing(abs(end)))
        first = near[np.argmin(far[near])]
        second = near[np.argmin(np.where(far[near] >= 2.0 * far[first], far[near], math.inf))]
    else:
        far = np.abs(x)
        first = int(np.argmax(far * np.sign(end) * np.sign(x)))
        second = int(np.argmin(np.abs(x - 0.5 * x[first])))
    return math.inf if math.isfinite(y[first]) and y[first] - y[second] > GROWTH else float(y[first])
