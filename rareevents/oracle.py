"""Exact answers without a draw: values, and what a proposal costs.

For laws of one number, scores of vectors with a known law, and paths over finitely many states (`paths.exact`).

They are sums over the integers or adaptive integrals over the reals, on points that follow what is summed. Everything
stays in logarithms: a probability of 1e-300 is as exact as one of 0.1.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rareevents.certificates import tilt_between
from rareevents.closed_forms import Log, integrated, unless_overflow
from rareevents.designs import law_of
from rareevents.distributions.base import Distribution, Support, exp_or_inf
from rareevents.distributions.parts import log_sum_exp, require_law
from rareevents.distributions.quadrature import LIMIT, Grid, marks, points
from rareevents.events import AnyEvent, require_fit
from rareevents.integrands import BlackBox, Tabulated, integrand
from rareevents.paths import exact
from rareevents.paths.graph import Graph
from rareevents.paths.question import question
from rareevents.processes import Process
from rareevents.reductions import reduced
from rareevents.regions import intervals

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
    question = _Question(nominal, f)
    return question.sign * exp_or_inf(question.log_mean)


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
    return _Question(nominal, event).log_mean


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
    question = _Question(nominal, f)
    q = nominal if proposal is None else law_of(proposal)
    require_law("proposal", q)
    if question.nominal is not nominal:
        nominal, q = question.nominal, _tilted_score(nominal, f, q)
    if nominal.measure is not None:
        raise ValueError(f"nominal must have a density to grade proposals for it, got {nominal!r}")
    if q.size is not None or q.dtype is not nominal.dtype:
        raise ValueError(f"proposal must draw one {nominal.dtype.__name__} as the nominal law {nominal!r} does, "
                         f"got {proposal!r}")
    if not math.isfinite(question.log_absolute):
        what = "be nonzero where the nominal law can draw" if question.log_absolute < 0.0 else "have an expectation"
        raise ValueError(f"f must {what}, got {f!r} under {nominal!r}: there is no ideal proposal")
    mean = question.sign * exp_or_inf(question.log_mean)
    if question.event and not all(q.supports[0].contains(piece) for piece in question.pieces):
        return Grade(mean, math.inf, math.inf, math.inf)
    at, missed = marks(nominal, q), sum(math.exp(q.log_mass(low, high)) for low, high in question.gaps())
    log_off = question.log_variance(q)
    variance = sum(exp_or_inf(question.points(log_off, piece, at).log_sum()) for piece in question.pieces)
    kl = integrated(lambda x: question.log_term(x) - question.log_absolute, q.log_prob, question.pieces, at)
    largest = max(_log_supremum(question, q, piece, at) for piece in question.pieces)
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
    question = _Question(nominal, f)
    if question.nominal.measure is not None:
        raise ValueError(f"nominal must have a density, got {nominal!r}")

    def log_term(x: np.ndarray) -> np.ndarray:
        first = question.log_term(x)
        if question.event or power == 1:
            return first
        with np.errstate(invalid="ignore", over="ignore"):
            return np.where(first > -math.inf, power * first - (power - 1) * nominal.log_prob(x), -math.inf)
    grids = [question.points(log_term, piece, marks(nominal)) for piece in question.pieces]
    if not grids:
        raise ValueError(f"f must be nonzero where the nominal law can draw, got {f!r} under {nominal!r}: there is no "
                         f"ideal proposal")
    x, log_mass = (np.concatenate([getattr(grid, name) for grid in grids]) for name in ("x", "log_mass"))
    return grids[0] if len(grids) == 1 else Grid(x, log_mass, np.zeros(len(x), int), np.empty(0), [])


# ------------------------------------------------------------------------------------------------ f p
class _Question:
    """f p on the pieces of the line where f may not be 0; sums to sign exp(log_mean), |f| p to exp(log_absolute)."""

    def __init__(self, nominal: Distribution, f: Any) -> None:
        require_law("nominal", nominal)
        small = reduced(nominal, f)
        if small is not None:
            nominal, f = small.law, small.event
        if nominal.size is not None:
            raise ValueError(f"nominal must be a law of one number for an exact answer, or f an event of one named "
                             f"score with a known law, got {nominal!r}, whose draws are rows of {nominal.size}, and "
                             f"{f!r}")
        require_fit(f, nominal.size)
        self.nominal, self.f, support = nominal, integrand(f), nominal.supports[0]
        where = intervals(self.f, nominal.dtype is int)
        self.event = where is not None and where.exact
        inside = where.pieces if where is not None and where.exact else [(-math.inf, math.inf)]
        clipped = [Support(support.kind, max(low, support.low), min(high, support.high)) for low, high in inside]
        atoms = nominal.dtype is int or nominal.measure is not None      # of a compound sum: no term at all
        self.pieces = [s for s in clipped if s.low < s.high or (atoms and s.low == s.high)]
        if nominal.measure is not None and not self.event:
            raise ValueError(f"f must be an event of {nominal!r} for an exact answer, got {f!r}: the law has no "
                             f"density")
        self.sign, self.log_mean, self.log_absolute = self._sums()

    def _sums(self) -> tuple[float, float, float]:
        if not self.pieces:
            return 1.0, -math.inf, -math.inf
        if self.event:
            log_mean = log_sum_exp(self.nominal.log_mass(piece.low, piece.high) for piece in self.pieces)
            return 1.0, log_mean, log_mean
        mass = self.points(self.log_term, self.pieces[0], marks(self.nominal))
        log_absolute = math.inf if self._lost(mass) else mass.log_sum()
        signs = np.sign(self.values(mass.x, mass.log_mass > -math.inf))
        if not np.any(signs < 0.0):
            return 1.0, log_absolute, log_absolute
        peak = float(np.max(mass.log_mass))
        ways = [mass._replace(log_mass=np.where(way * signs > 0.0, mass.log_mass, -math.inf)) for way in (1.0, -1.0)]
        gain, loss = (part.log_sum() for part in ways)
        if gain == loss == math.inf:
            raise ValueError(f"f must have an expectation, but the positive and the negative part of {self.f!r} are "
                             f"both infinite under {self.nominal!r}")
        if math.inf in (gain, loss):
            return (1.0 if gain == math.inf else -1.0), math.inf, math.inf
        total = mass.sum(signs, scale=peak)
        return math.copysign(1.0, total), peak + math.log(abs(total)) if total else -math.inf, log_absolute

    def _lost(self, mass: Grid) -> bool:
        """Whether f overflows next to points whose mass is not negligible: the rest of the sum is out of sight."""
        order = np.argsort(mass.x, kind="stable")
        log_mass = mass.log_mass[order]
        gone = (log_mass == -math.inf) & (self.nominal.log_prob(mass.x[order]) > -math.inf)
        if not gone.any() or not np.any(log_mass > -math.inf):
            return False
        edge = (gone[1:] != gone[:-1]).nonzero()[0]
        if not len(edge):
            return False
        beside = np.maximum(log_mass[edge], log_mass[edge + 1])
        overflow = [bool(np.isinf(self.values(mass.x[order][[i, i + 1]], np.ones(2, bool))).any()) for i in edge]
        return bool(np.any(np.array(overflow) & (beside > np.max(log_mass) - 30.0)))

    def points(self, log_f: Log, piece: Support, at: np.ndarray) -> Grid:
        """The mass exp(log_f) on a piece; a function in Python is not called millions of times."""
        return points(log_f, piece, at, LIMIT if self.event else LIMIT >> 4)

    def values(self, x: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """f at the wanted points, 0 elsewhere; infinite where it overflows."""
        found = np.zeros(x.shape)
        if self.event:
            found[wanted] = 1.0
        elif isinstance(self.f, BlackBox) and self.f.vectorized:
            found[wanted] = self.f.f(x[wanted])
        elif isinstance(self.f, Tabulated):                  # known at once, and often asked for far out
            found[wanted] = self.f.at(x[wanted])
        else:
            call = self.f.f if isinstance(self.f, BlackBox) else _bound(self.f)
            found[wanted] = [_number(call, point, self.f) for point in x[wanted].tolist()]
        if np.isnan(found).any():
            raise ValueError(f"f must return a number, got NaN from {self.f!r} at x = {x[np.isnan(found)][0]}")
        return found

    def log_term(self, x: np.ndarray) -> np.ndarray:
        """log(|f| p); where f overflows and p is 0 as a double, f p counts as 0."""
        log_p = self.nominal.log_prob(x)
        if self.event:
            return log_p
        with np.errstate(divide="ignore", invalid="ignore"):
            log_f = np.log(np.abs(self.values(x, log_p > -math.inf)))
            return np.where((log_p == -math.inf) | ((log_f == math.inf) & (log_p < -709.0)), -math.inf, log_p + log_f)

    def log_variance(self, q: Distribution) -> Log:
        """log of q (f p/(mu q) - 1)^2, whose sum is the relative variance."""
        def log_g(x: np.ndarray) -> np.ndarray:
            b = q.log_prob(x)
            a = unless_overflow(self.log_term(x) - self.log_mean, b)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                signs = 1.0 if self.event else self.sign * np.sign(self.values(x, a > -math.inf))
                t = np.minimum(a - b, 40.0)
                off = np.where(signs < 0.0, np.exp(t) + 1.0, np.abs(np.expm1(t)))
                return np.where((a == -math.inf) & (b == -math.inf), -math.inf,
                                np.where(t < 40.0, b + 2.0 * np.log(off), 2.0 * a - b))
        return log_g

    def gaps(self) -> list[tuple[float, float]]:
        """The line without the pieces."""
        step = 1.0 if self.nominal.dtype is int else 0.0
        ends = [-math.inf, *(end for s in self.pieces for end in (s.low - step, s.high + step)), math.inf]
        return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)
                if low < high or (step and low == high and math.isfinite(low))]


def _bound(f: Any) -> Callable[[Any], Any]:
    """f as a plain function of x."""
    function, record = f.function(), f.record
    return lambda x: function(record, x)


def _number(call: Callable[[Any], Any], x: Any, f: Any) -> float:
    try:
        found = np.asarray(call(x), float)
    except OverflowError:
        return math.inf
    if found.ndim:
        raise ValueError(f"f must return one number, got {found!r} from {f!r} at x = {x}")
    return float(found)


# ------------------------------------------------------------------------------------------------ the largest f p/q
def _log_supremum(question: _Question, q: Distribution, piece: Support, at: np.ndarray) -> float:
    """log of the supremum of |f| p/q on a piece: at the points of f p, between the two beside the best, at the ends."""
    def log_ratio(x: np.ndarray) -> np.ndarray:
        b = q.log_prob(x)
        a = unless_overflow(question.log_term(x), b)
        with np.errstate(invalid="ignore"):
            return np.where(a == -math.inf, -math.inf, a - b)

    whole = piece.kind == "integers"
    x = question.points(question.log_term, piece, at).x
    if whole:
        far = 2 ** np.arange(62)
        x = np.unique(np.concatenate([x, x[0] - far, x[-1] + far]))
        x = x[(x >= piece.low) & (x <= piece.high)]
    y = log_ratio(x)
    if np.any(y == math.inf):
        return math.inf
    least = np.minimum(question.nominal.log_prob(x), q.log_prob(x))
    seen = np.isfinite(least)
    seen[seen] = least[seen] - np.max(least[seen]) > MEANINGFUL
    x, y, rounding = x[seen], y[seen], 1e-15 * np.abs(least[seen])
    ends = [_at_end(log_ratio, x, y - rounding, end, question.event) for end in (piece.low, piece.high) if not
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
