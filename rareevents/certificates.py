"""Proofs about a proposal: a bound B on f p/q over the whole event, and whether q covers the event at all.

An exponential tilt has the weight p/q = exp(kappa(theta) - theta . x), so on an event {theta . x >= t} it is at most
exp(kappa(theta) - t): the bound is a formula, not an observation. Where log p is concave and log q linear, log p/q is
concave and has one maximum. Parts of an event, mixtures, truncated laws, independent components and bounded supports
are composed from that. No bound found means nothing was proved, not that there is none.
"""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.distributions import (
    IID,
    Distribution,
    Exponential,
    Geometric,
    HalfSpace,
    Independent,
    Mixture,
    MultivariateNormal,
    Reflected,
    Shifted,
    Support,
    Truncated,
)
from rareevents.events import AnyEvent, Complement, Intersection, Union
from rareevents.integrands import Tabulated
from rareevents.processes import CompoundSum
from rareevents.regions import intervals

POINTS, ROUNDS = 65, 24       # at which a concave function is looked at in one round; each is 32 times as fine
LINE = (-math.inf, math.inf)


def weight_bound(nominal: Distribution, f: Any, proposal: Distribution | None, boolean: bool) -> float | None:
    """A proven bound on f p/q over every x, or None.

    Parameters
    ----------
    nominal, proposal : Distribution
        p and q; None is naive Monte Carlo.
    f : event or integrand
        Only an event or a function that returns bool is bounded by one.
    boolean : bool
        Whether the compiled function returns bool.

    Source: for a tilt, Asmussen and Glynn, Stochastic Simulation (2007), section VI.2.
    """
    event = isinstance(f, AnyEvent)
    if isinstance(f, Tabulated):
        return _of_table(nominal, f, nominal if proposal is None else proposal)
    if proposal is None:
        return 1.0 if event or boolean else None
    log_bound = _on_event(nominal, f, proposal) if event else math.inf
    return math.exp(log_bound) if log_bound < 700.0 else None


def _of_table(p: Distribution, f: Tabulated, q: Distribution) -> float | None:
    """The largest f(n) p(n) / q(n): of the table, and by the bound on p/q beyond its end."""
    size = len(f.values)
    x = np.arange(int(max(0.0, p.supports[0].low)), size)
    with np.errstate(over="ignore", invalid="ignore"):
        inside = np.where(f.values[x] > 0.0, f.values[x] * np.exp(p.log_prob(x) - q.log_prob(x)), 0.0)
    beyond = _on_piece(p, q, 1.0, (float(size), math.inf))
    largest = max(float(np.max(inside, initial=0.0)), float(f.values[-1]) * math.exp(min(beyond, 700.0)))
    return largest if beyond < 700.0 and math.isfinite(largest) and np.all(f.values >= 0.0) else None


def _on_event(p: Distribution, event: Any, q: Distribution) -> float:
    """The smallest proven log bound on p/q over the event; inf if nothing is proved.

    An event of an opaque score is explored, not proved: a bound over all x would be true and useless.
    """
    if isinstance(event, Union):
        return max(_on_event(p, part, q) for part in event.parts)
    if isinstance(event, Intersection):
        return min(_on_event(p, part, q) for part in event.parts)
    if isinstance(event, Complement):
        inner: Any = event.event
        if isinstance(inner, Complement):
            return _on_event(p, inner.event, q)
        if isinstance(inner, (Union, Intersection)):             # De Morgan
            parts = tuple(map(Complement, inner.parts))
            return _on_event(p, (Intersection if isinstance(inner, Union) else Union)(parts), q)
        sides = [(-math.inf, inner.at_least), (inner.at_most, math.inf)]
        pieces = [_open(side, p) for side in sides if math.isfinite(side[0]) or math.isfinite(side[1])]
        score = inner.score
    else:
        pieces, score = [(event.at_least, event.at_most)], event.score
    if score.coefficients is None:
        return math.inf
    return min(_on_piece(p, q, None, LINE),
               max((_on_piece(p, q, score.coefficients, piece) for piece in pieces), default=-math.inf))


def _open(side: tuple[float, float], p: Distribution) -> tuple[float, float]:
    """An open side of a level as a closed one: the next number, an integer for counts; for vectors the same number."""
    low, high = side
    if p.size is not None:
        return low, high
    if p.dtype is int:
        low = low if math.isinf(low) else math.floor(low) + 1
        high = high if math.isinf(high) else math.ceil(high) - 1
        return low, high
    return (low if math.isinf(low) else math.nextafter(low, math.inf),
            high if math.isinf(high) else math.nextafter(high, -math.inf))


def _on_piece(p: Distribution, q: Distribution, coefficients: Any, piece: tuple[float, float]) -> float:
    """A log bound on p/q where a named score lies in `piece`; coefficients=None: everywhere."""
    best = math.inf
    if isinstance(q, Mixture):
        shares = [(a, part) for a, part in zip(q.weights, q.components, strict=True) if a > 0.0]
        best = min((_on_piece(p, part, coefficients, piece) - math.log(a) for a, part in shares), default=math.inf)
        if isinstance(p, Mixture) and len(p.components) == len(q.components):
            # sum v_i p_i / sum a_i q_i <= max over i of (v_i / a_i) p_i / q_i
            pairs = list(zip(p.weights, p.components, q.weights, q.components, strict=True))
            if all(a > 0.0 for v, _, a, _ in pairs if v > 0.0):
                best = min(best, max(math.log(v / a) + _on_piece(pi, qi, coefficients, piece)
                                     for v, pi, a, qi in pairs if v > 0.0))
    if isinstance(p, Mixture) and not isinstance(q, Mixture):
        logs = [math.log(v) + _on_piece(part, q, coefficients, piece)
                for v, part in zip(p.weights, p.components, strict=True) if v > 0.0]
        top = max(logs)
        return top + math.log(sum(math.exp(value - top) for value in logs)) if math.isfinite(top) else top
    if isinstance(p, (IID, Independent)) and isinstance(q, (IID, Independent)):
        best = min(best, _of_components(p, q, coefficients, piece))
    if isinstance(q, HalfSpace) and _equal(p, q.law):
        best = min(best, _of_half_space(q, coefficients, piece))
    if p.size is None:
        best = min(best, _of_number(p, q, piece if isinstance(coefficients, float) and coefficients == 1.0 else LINE))
    theta = tilt_between(p, q)
    if theta is None:
        return best
    size = 1 if p.size is None else p.size
    vector = np.broadcast_to(np.asarray(theta, float), (size,))
    try:
        kappa = float(p.log_mgf(theta))
    except (AttributeError, ValueError):
        return best
    # -theta . x is at most: through the supports of the components, or through the score when theta is parallel to it.
    supports = p.supports
    best = min(best, kappa + sum(_largest(-t, s) for t, s in zip(vector, supports, strict=True)))
    along = direction(coefficients, size)
    if along is not None and np.any(along):
        slope = float(vector @ along / (along @ along))
        if _parallel(vector, slope * along):
            low, high = piece
            if size == 1 and along[0] == 1.0:                       # what the support leaves of the piece
                low, high = max(low, supports[0].low), min(high, supports[0].high)
                if p.dtype is int:
                    low, high = math.ceil(low) if math.isfinite(low) else low, high
                if low > high:
                    return -math.inf
            best = min(best, kappa + _largest(-slope, Support("reals", low, high)))
    return best


def _of_components(p: Any, q: Any, coefficients: Any, piece: tuple[float, float]) -> float:
    """The sum of the bounds of independent components, one of which may be the score."""
    scored = coefficients[1] if isinstance(coefficients, tuple) else -1
    pairs = enumerate(zip(factors(p), factors(q), strict=True))
    total = 0.0
    for i, (a, b) in pairs:
        if total == math.inf:
            break
        total += 0.0 if a is b else _on_piece(a, b, 1.0 if i == scored else None, piece if i == scored else LINE)
    return total


def _of_half_space(q: HalfSpace, coefficients: Any, piece: tuple[float, float]) -> float:
    """log P(a . X >= level), the constant p/q, where the piece of the score is inside the half-space."""
    along = direction(coefficients, q.size)
    if along is None or not np.any(along):
        return math.inf
    slope = float(q.a @ along / (along @ along))
    if not _parallel(q.a, slope * along):
        return math.inf
    least = slope * (piece[0] if slope > 0.0 else piece[1])
    return q.log_inside if least >= q.level - 1e-12 * abs(q.level) else math.inf


def _of_number(p: Distribution, q: Distribution, piece: tuple[float, float]) -> float:
    """A bound for laws of one number that needs no tilt: q truncated, or log p concave and log q linear."""
    s = p.supports[0]
    low, high = max(piece[0], s.low), min(piece[1], s.high)
    if p.dtype is int:
        low, high = (math.ceil(low) if low > -math.inf else low), (math.floor(high) if high < math.inf else high)
    if low > high:
        return -math.inf
    if isinstance(q, Truncated):
        if not (q.low <= low and high <= q.high):
            return math.inf
        return q.log_inside if _equal(p, q.law) else \
            q.log_inside + _on_piece(p, q.law, 1.0, (low, high))
    if not (p.log_concave and _linear(q)) or not (q.supports[0].low <= low and high <= q.supports[0].high):
        return math.inf
    return _concave_maximum(lambda x: p.log_prob(x) - q.log_prob(x), low, high, p.dtype is int)


def _linear(q: Any) -> bool:
    """Whether log q is linear on its support."""
    return isinstance(q, (Exponential, Geometric)) or (isinstance(q, (Reflected, Shifted, Truncated)) and
                                                       _linear(q.law))


def _concave_maximum(g: Callable[[np.ndarray], np.ndarray], low: float, high: float, whole: bool) -> float:
    """The largest value of a concave function of numbers on an interval with a finite end; inf where none is found."""
    if math.isinf(low) and math.isinf(high):
        return math.inf
    end, way, far = (low, 1, high - low) if math.isfinite(low) else (high, -1, math.inf)

    def at(distances: np.ndarray) -> np.ndarray:
        return g((end + way * distances).astype(int) if whole else end + way * distances)

    doubled = np.minimum(2.0 ** np.arange(51), far)
    rising = np.flatnonzero(np.diff(at(doubled)) > 0.0)          # it falls from where it does not rise any more
    if len(rising) == 50:
        return math.inf
    near, far = 0.0, float(doubled[min(len(rising) + 1, 50)])
    best = -math.inf
    for _ in range(ROUNDS):
        points = np.unique(np.round(np.linspace(near, far, POINTS)) if whole else np.linspace(near, far, POINTS))
        found = at(points)
        top = int(np.argmax(found))
        best = float(found[top])
        beside = slice(max(top - 1, 0), top + 2)
        near, far = float(points[beside][0]), float(points[beside][-1])
        if best - float(np.min(found[beside])) <= 1e-13 * max(1.0, abs(best)) or (whole and far - near <= 2.0):
            break                                                # the neighbours are as high: so is all between them
    return best


def _largest(slope: float, support: Support) -> float:
    """The largest value of slope * x on an interval."""
    return 0.0 if slope == 0.0 else slope * (support.high if slope > 0.0 else support.low)


def _parallel(vector: np.ndarray, multiple: np.ndarray) -> bool:
    """Whether a vector is a multiple of another, to the rounding of the tilt that it came from."""
    return bool(np.all(np.abs(vector - multiple) <= 1e-12 * np.max(np.abs(vector), initial=1e-300)))


def direction(coefficients: Any, size: int) -> np.ndarray | None:
    """The vector a of a score a . x."""
    if coefficients is None:
        return None
    if isinstance(coefficients, str):
        return np.ones(size)
    if isinstance(coefficients, tuple):
        return np.eye(size)[coefficients[1]] if coefficients[1] < size else None
    vector = np.atleast_1d(coefficients)
    return vector if len(vector) == size else None


def tilt_between(p: Distribution, q: Distribution) -> Any:
    """theta with q = p.tilt(theta), a number or a vector; None when q is not a tilt of p or it cannot be shown."""
    if p.size != q.size:
        return None
    if isinstance(p, IID) and isinstance(q, IID):
        return tilt_between(p.law, q.law)
    if isinstance(p, (IID, Independent)) and isinstance(q, (IID, Independent)):
        thetas = [tilt_between(a, b) for a, b in zip(factors(p), factors(q), strict=True)]
        return None if any(t is None for t in thetas) else np.array(thetas, float)
    if type(p) is not type(q) or p.measure != q.measure:
        return None
    if isinstance(p, MultivariateNormal):
        if not np.array_equal(p.covariance, q.covariance):
            return None
        return np.linalg.solve(np.asarray(p.covariance, float),
                               np.asarray(q.mean, float) - np.asarray(p.mean, float))
    if isinstance(p, CompoundSum) and isinstance(q, CompoundSum):
        return q.theta - p.theta if p.measure == q.measure else None
    if p is q or _equal(p, q):
        return 0.0
    try:
        return _match(lambda theta: p.tilt(theta), q)
    except (AttributeError, ValueError, TypeError, OverflowError, ZeroDivisionError):
        return None


def _match(tilted: Callable[[float], Distribution], q: Distribution) -> float | None:
    """Bisection for the theta at which the tilted mean is q's; a tilt is accepted only if every field agrees."""
    def above(theta: float) -> bool:
        try:
            return tilted(theta).mean > q.mean
        except (ValueError, OverflowError):                      # beyond the parameters where the tilt exists
            return theta > 0.0
    low, high = -1.0, 1.0
    while above(low) and low > -1e6:
        low *= 2.0
    while not above(high) and high < 1e6:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (low, middle) if above(middle) else (middle, high)
    for theta in (low, high):
        if _same(tilted(theta), q):
            return theta
    return None


def _equal(p: Distribution, q: Distribution) -> bool:
    try:
        return bool(p == q)
    except ValueError:                                           # fields that are arrays
        return False


def _same(a: Any, b: Any) -> bool:
    """Whether two laws of one class have equal fields, to the rounding of a tilt."""
    for item in dataclasses.fields(a):
        x, y = getattr(a, item.name), getattr(b, item.name)
        if isinstance(x, Distribution):
            if type(x) is not type(y) or not _same(x, y):
                return False
        elif isinstance(x, (bool, int, float, np.number)):
            if not math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-300):
                return False
        elif isinstance(x, tuple) and x and isinstance(x[0], Distribution):
            if len(x) != len(y) or not all(type(i) is type(j) and _same(i, j) for i, j in zip(x, y, strict=True)):
                return False
        elif x is not y and not np.array_equal(np.asarray(x), np.asarray(y)):
            return False
    return True


# ------------------------------------------------------------------------------------------------ coverage
def covers(nominal: Distribution, f: Any, proposal: Distribution | None) -> bool:
    """Whether the declared supports alone show that q > 0 wherever p > 0 and f is not 0.

    Raises ValueError when they show the opposite: part of the event can never be drawn.
    """
    if proposal is None:
        return True
    if reaches(nominal, proposal):
        return True
    where = intervals(f, nominal.dtype is int) if nominal.size is None else None
    if where is None:
        return False
    (p,), (q,) = nominal.supports, proposal.supports
    shown = True
    for low, high in where.pieces:
        low, high = max(low, p.low), min(high, p.high)
        if low > high:
            continue
        if where.exact and not (q.low <= low and high <= q.high):
            raise ValueError(f"proposal must cover the event: {proposal!r} draws from {q}, but {f!r} also happens "
                             f"under the nominal law in [{low:g}, {high:g}]")
        shown &= any(part.low <= low and high <= part.high for part in proposal.reach)
    return shown


def reaches(p: Distribution, q: Distribution) -> bool:
    """Whether q is known to draw wherever p does. Supports of laws made of others are hulls: ask the parts."""
    if p.size is None:
        return all(any(outer.contains(inner) for outer in q.reach) for inner in p.reach)
    if isinstance(p, Mixture):
        return all(reaches(part, q) for v, part in zip(p.weights, p.components, strict=True) if v > 0.0)
    if isinstance(q, Mixture):
        return any(reaches(p, part) for a, part in zip(q.weights, q.components, strict=True) if a > 0.0)
    if isinstance(q, (IID, Independent)) and isinstance(p, (IID, Independent)):
        return all(reaches(*pair) for pair in zip(factors(p), factors(q), strict=True))
    return all(outer.contains(inner) for inner, outer in zip(p.supports, q.supports, strict=True))


def factors(law: IID | Independent) -> tuple[Distribution, ...]:
    """The laws of the components of a law of independent ones."""
    return tuple(law.laws) if isinstance(law, Independent) else (law.law,) * law.n
