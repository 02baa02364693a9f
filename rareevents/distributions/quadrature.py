"""Sums and integrals over an interval, on points that follow a scalar law and what is summed.

The integral is made of Gauss-Legendre panels: between some draws of the law, outwards from them and from every finite
end in widths that double, halved where two levels disagree. The sum goes outwards from the draws in blocks that double
until a block is negligible. A tail that falls like a power is extrapolated from the last two blocks or panels; where
these do not fall, the sum is infinite.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rareevents.distributions.base import Support
from rareevents.distributions.mixture import Mixture
from rareevents.distributions.zero_inflated import ZeroInflated

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
LIMIT = 1 << 22               # integers in a sum
PANELS = 1 << 13              # halved at once
DIVERGES = 1.0 - 1e-4         # blocks or panels that double in width have ratio 1 where the terms fall like 1/x


class Grid(NamedTuple):
    """Points and the log of the mass that each stands for."""

    x: np.ndarray
    log_mass: np.ndarray
    panel: np.ndarray                     # of each point, in 0, 1, 2, ...
    edges: np.ndarray                     # where the cells of `masses` begin and end
    unclosed: list[tuple[int, int]]       # the last but one and the last panel towards an end that was not reached

    def sum(self, values: Any = 1.0, scale: float = 0.0) -> float:
        """Sum of mass times `values`, divided by exp(scale); infinite where a tail does not fall."""
        with np.errstate(over="ignore", invalid="ignore"):
            mass = np.exp(self.log_mass - scale)
            parts = np.bincount(self.panel, np.where(mass > 0.0, values, 0.0) * mass)
            total = float(np.sum(parts))
        for before, last in self.unclosed:
            ratio = float(parts[last] / parts[before]) if parts[before] != 0.0 else 0.0
            if ratio >= DIVERGES:
                total += math.copysign(math.inf, parts[last])
            elif ratio > 0.0:
                total += float(parts[last]) * ratio / (1.0 - ratio)
        return total

    def log_sum(self) -> float:
        """Log of the total mass."""
        peak = float(np.max(self.log_mass, initial=-math.inf))
        return peak + math.log(self.sum(scale=peak)) if math.isfinite(peak) else peak

    def masses(self) -> np.ndarray:
        """The mass of each cell between two edges: a panel of reals, one integer."""
        mass = np.exp(self.log_mass)
        return mass if len(self.edges) == len(mass) + 1 else np.bincount(self.panel, mass)


def grid(law: Any, low: float = -math.inf, high: float = math.inf, theta: float = 0.0) -> Grid:
    """The mass exp(theta x) p(x) of a scalar law on [low, high], both ends included."""
    def log_f(x: np.ndarray) -> np.ndarray:
        return law.log_prob(x) + theta * x if theta else law.log_prob(x)
    low, high = max(low, law.support.low), min(high, law.support.high)
    return points(log_f, Support(law.support.kind, low, high), marks(law), 1 << 18 if theta else LIMIT)


def marks(*laws: Any) -> np.ndarray:
    """Draws of scalar laws and of the parts that they rarely draw from, in order; for reals, steps away from them."""
    found = []
    for law in laws:
        rng = np.random.default_rng(0)
        drawn = np.sort([float(law.draw(rng)) for _ in range(129)])
        outwards = (drawn[96] - drawn[32]) * 2.0 ** np.arange(10.0)
        found += [drawn] if law.dtype is int else [drawn, drawn[64] - outwards, drawn[64] + outwards]
        parts = law.components if isinstance(law, Mixture) else (law.law,) if isinstance(law, ZeroInflated) else ()
        found += [marks(part) for part in parts]
    return np.sort(np.concatenate(found))


def points(log_f: Callable[[np.ndarray], np.ndarray], interval: Support, at: np.ndarray, limit: int = LIMIT) -> Grid:
    """The mass exp(log_f(x)) on an interval, both ends included.

    Parameters
    ----------
    log_f : function of an array of any shape
    interval : Support
    at : array of float
        Where to look first, in order: the `marks` of the laws in log_f.
    limit : int
        Integers on one side after which a sum that has not settled is extrapolated.
    """
    return (integers if interval.kind == "integers" else reals)(log_f, interval.low, interval.high, at, limit)


def integral(log_w: Callable[[np.ndarray], np.ndarray], values: Callable[[np.ndarray], np.ndarray], interval: Support,
             at: np.ndarray) -> float:
    """Sum or integral of exp(log_w(x)) values(x) over an interval, on points that follow both factors.

    NaN where a positive and a negative part are both infinite.
    """
    def log_f(x: np.ndarray) -> np.ndarray:
        log_mass = log_w(x)
        with np.errstate(invalid="ignore"):
            return np.where(log_mass > -math.inf, log_mass + np.log(np.hypot(1.0, values(x))), -math.inf)
    mass = points(log_f, interval, at)
    with np.errstate(invalid="ignore"):
        v = values(mass.x)
        v = np.where(np.isinf(v), np.sign(v), v / np.hypot(1.0, v))
    peak = float(np.max(mass.log_mass, initial=-math.inf))
    if not math.isfinite(peak):
        signs = np.unique(np.sign(v[mass.log_mass == peak]))
        return 0.0 if peak < 0.0 else math.inf * signs[0] if len(signs) == 1 else math.nan
    with np.errstate(over="ignore"):
        return float(mass.sum(v, scale=peak) * np.exp(peak))


# ------------------------------------------------------------------------------------------------ the two kinds
def integers(log_f: Callable[[np.ndarray], np.ndarray], low: float, high: float, draws: np.ndarray,
             limit: int) -> Grid:
    """The sum's terms; `unclosed` names the sides where the terms had not become negligible."""
    low, high = math.ceil(low) if low > -math.inf else low, math.floor(high) if high < math.inf else high
    first, last = (int(min(max(m, low), high)) for m in (draws[0], draws[-1]))
    if last - first >= LIMIT:                             # a heavy tail: the blocks outwards will find it
        first, last = (int(min(max(m, low), high)) for m in (draws[16], draws[-17]))
    if last - first >= LIMIT:
        raise ValueError(f"draws from {first} to {last} spread over more than {LIMIT} integers: too many to sum "
                         f"a function over; events need only log_tails")
    limit = min(LIMIT, max(limit, 16 * (last - first)))
    blocks: list[np.ndarray] = []
    logs: list[np.ndarray] = []
    unclosed = []

    def add(start: int, stop: int) -> float:
        blocks.append(np.arange(start, stop + 1))
        logs.append(log_f(blocks[-1]))
        return float(np.logaddexp.reduce(logs[-1]))

    total = add(first, last)
    for at, end, way in ((last, high, 1), (first, low, -1)):
        width, before = max(64, last - first), 0
        while at != end:
            stop = int(at + way * min(width, abs(end - at)))
            before, share = len(blocks) - 1, add(*sorted((at + way, stop)))
            total = float(np.logaddexp(total, share))
            at, width = stop, 2 * width
            if share < total - 41.0 or math.isnan(share) or total == math.inf:
                break
            if at != end and width > limit:
                unclosed.append((before, len(blocks) - 1))
                break
    panel = np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
    x = np.concatenate(blocks)
    order = np.argsort(x, kind="stable")
    x = x[order]
    return Grid(x, np.concatenate(logs)[order], panel[order], np.append(x - 0.5, x[-1] + 0.5), unclosed)


def reals(log_f: Callable[[np.ndarray], np.ndarray], low: float, high: float, draws: np.ndarray, _: int) -> Grid:
    """The integral's nodes."""
    if low >= high:
        return Grid(np.empty(0), np.empty(0), np.empty(0, int), np.array([low]), [])
    inside = draws[(draws - low > 1e-290) & (high - draws > 1e-290)]
    quarter, middle, rest = (draws[k * len(draws) // 4] for k in (1, 2, 3))
    spread = rest - quarter
    spread = spread if spread > 0.0 else max(1e-300, abs(middle))
    with np.errstate(over="ignore"):
        steps = spread * 2.0 ** np.arange(-1000, 1000)
    steps = steps[(steps > 1e-300) & (steps < 1e300)]
    starts = [end for end in (low, high) if math.isfinite(end)] or [middle]
    edges = np.unique(np.concatenate([inside, starts, *(s + way * steps for s in starts for way in (-1.0, 1.0))]))
    edges = edges[(edges >= low) & (edges <= high)]

    def terms(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half = 0.5 * b - 0.5 * a
        x = np.clip((a + half)[:, None] + half[:, None] * NODES, low, high)      # rounding must not leave the interval
        value = log_f(x)
        value = np.where(((x == low) | (x == high)) & ~np.isfinite(value), -math.inf, value)      # at a pole
        with np.errstate(divide="ignore", invalid="ignore"):          # panels of neighbouring doubles have no width
            return x, np.where(half[:, None] > 0.0, value + np.log(half[:, None] * WEIGHTS), -math.inf)

    a, b = edges[:-1], edges[1:]
    x, logs = terms(a, b)
    tails = _tails(edges, np.logaddexp.reduce(logs, axis=1))
    kept: list[tuple[Any, ...]] = []
    total = -math.inf
    for _ in range(64):
        middle = a + (0.5 * b - 0.5 * a)
        (xl, left), (xr, right) = terms(a, middle), terms(middle, b)
        coarse = np.logaddexp.reduce(logs, axis=1)
        fine = np.logaddexp(np.logaddexp.reduce(left, axis=1), np.logaddexp.reduce(right, axis=1))
        settled = [np.logaddexp.reduce(part[3].ravel()) for part in kept]
        total = np.logaddexp.reduce(np.append(settled, fine))
        with np.errstate(invalid="ignore", over="ignore"):        # an infinite total: NaN, and nothing is split
            off = np.exp(np.minimum(coarse - total, 0.7)) - np.exp(fine - total)
        split = (np.abs(off) > 1e-14) & (middle > a) & (middle < b)
        split &= np.count_nonzero(split) <= PANELS                # more: rounding is all that is left
        kept.append((a[~split], b[~split], x[~split], logs[~split]))
        if not split.any():
            break
        a, b = np.concatenate([a[split], middle[split]]), np.concatenate([middle[split], b[split]])
        x, logs = np.concatenate([xl[split], xr[split]]), np.concatenate([left[split], right[split]])
    else:
        kept.append((a, b, x, logs))
    a, b, x, logs = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    order = np.argsort(a)
    a, x, logs = a[order], x[order], logs[order]
    for low, high, log_factor in tails:
        logs[(a >= low) & (a < high)] += log_factor
    panel = np.repeat(np.arange(len(a)), len(NODES))
    return Grid(x.ravel(), logs.ravel(), panel, np.append(a, b[order[-1]]), [])


def _tails(edges: np.ndarray, log_mass: np.ndarray) -> list[tuple[float, float, float]]:
    """(low, high, log factor): what stands for the mass towards ends where it has not become negligible.

    Panels that double in width have masses with a constant ratio r there: the last one gets the factor 1 / (1 - r), or
    infinity. At an end other than 0 the panels reach down to the spacing of doubles, and only a divergence is told.
    """
    least, found = np.logaddexp.reduce(log_mass) - 36.0, []
    for way in (1, -1):
        cells, mass = np.stack([edges[:-1], edges[1:]], axis=1)[::way], log_mass[::way]
        end = edges[0] if way == 1 else edges[-1]
        infinite = abs(end) > 1e299
        far = np.abs(cells - (0.0 if infinite else end)).max(axis=1)
        blank = int(np.argmax(mass > -math.inf))                     # panels where a log density overflows
        last = (blank + 1 if blank else 0) if infinite else \
            int(np.searchsorted(far, 2.0 ** 14 * np.spacing(abs(end)))) + 1
        if last + 1 >= len(mass) or not mass[last] > least or (infinite and far[last] < 1e100):
            continue
        log_ratio = float(mass[last] - mass[last + 1])
        if log_ratio >= math.log(DIVERGES):
            found.append((*cells[last], math.inf))
        elif infinite or end == 0.0:
            found.append((*cells[last], -math.log(-math.expm1(log_ratio))))
            found += [(*cell, -math.inf) for cell in cells[:last]]
    return found


def numeric_log_mgf(law: Any, theta: float) -> float:
    """log E[exp(theta x)] where it exists and has no closed form."""
    return grid(law, theta=theta).log_sum() if theta != 0.0 else 0.0
