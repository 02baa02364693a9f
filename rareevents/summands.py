"""f p on the line: what exact values sum over the integers or integrate over the reals."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.closed_forms import Log, unless_overflow
from rareevents.distributions.base import Distribution, Support
from rareevents.distributions.parts import log_sum_exp, require_law
from rareevents.distributions.quadrature import LIMIT, Grid, marks, points
from rareevents.events import require_fit
from rareevents.integrands import BlackBox, Tabulated, integrand
from rareevents.reductions import reduced
from rareevents.regions import intervals


class Summand:
    """f p on the pieces of the line where f may not be 0; sums to sign exp(log_mean), |f| p to exp(log_absolute)."""

    nominal: Distribution
    f: Any                        # an event, or an integrand
    sign: float
    log_mean: float
    log_absolute: float

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
        self.event: bool = where is not None and where.exact
        inside = where.pieces if where is not None and where.exact else [(-math.inf, math.inf)]
        clipped = [Support(support.kind, max(low, support.low), min(high, support.high)) for low, high in inside]
        atoms = nominal.dtype is int or nominal.measure is not None      # of a compound sum: no term at all
        self.pieces: list[Support] = [s for s in clipped if s.low < s.high or (atoms and s.low == s.high)]
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
