"""Sums and integrals of a scalar law's probabilities over an interval, on points that follow the law.

The integral is made of Gauss-Legendre panels: between some draws of the law, outwards from them and from every finite
end in widths that double, halved where two levels disagree. The sum goes outwards from the draws in blocks that double
until a block is negligible; a tail that falls like a power is extrapolated from the last two blocks.
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
LIMIT = 1 << 22               # integers in a sum


class Grid(NamedTuple):
    """Points of a law and the log of the mass that each stands for."""

    x: np.ndarray
    log_mass: np.ndarray
    panel: np.ndarray                     # of each point, in 0, 1, 2, ...
    edges: np.ndarray                     # where the cells of `masses` begin and end
    unclosed: list[tuple[int, int]]       # the last but one and the last panel towards an end that was not reached

    def sum(self, values: Any = 1.0, scale: float = 0.0) -> float:
        """Sum of mass times `values`, divided by exp(scale)."""
        mass = np.exp(self.log_mass - scale)
        with np.errstate(over="ignore"):
            parts = np.bincount(self.panel, np.where(mass > 0.0, values, 0.0) * mass)
        total = float(np.sum(parts))
        for before, last in self.unclosed:
            ratio = parts[last] / parts[before] if parts[before] != 0.0 else 0.0
            total += parts[last] * ratio / (1.0 - ratio) if 0.0 < ratio < 1.0 else 0.0
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
    low, high = max(low, law.support.low), min(high, law.support.high)
    rng = np.random.default_rng(0)
    marks = np.sort(np.array([law.draw(rng) for _ in range(129)], float))
    return (integers if law.support.kind == "integers" else reals)(law, low, high, theta, marks)


def integers(law: Any, low: float, high: float, theta: float, marks: np.ndarray) -> Grid:
    """The sum's terms; `unclosed` names the sides where the terms had not become negligible."""
    low, high = math.ceil(low) if low > -math.inf else low, math.floor(high) if high < math.inf else high
    first, last = (int(min(max(m, low), high)) for m in (marks[0], marks[-1]))
    if last - first >= LIMIT:                             # a heavy tail: the blocks outwards will find it
        first, last = (int(min(max(m, low), high)) for m in (marks[16], marks[-17]))
    if last - first >= LIMIT:
        raise ValueError(f"{law!r} spreads over more than {LIMIT} integers: too many to sum; define its log_tails")
    limit = min(LIMIT, max(1 << 18, 16 * (last - first))) if theta else LIMIT      # a tilted sum may diverge
    blocks: list[np.ndarray] = []
    logs: list[np.ndarray] = []
    unclosed = []

    def add(start: int, stop: int) -> float:
        blocks.append(np.arange(start, stop + 1))
        logs.append(law.log_prob(blocks[-1]) + theta * blocks[-1])
        return float(np.logaddexp.reduce(logs[-1]))

    total = add(first, last)
    for at, end, way in ((last, high, 1), (first, low, -1)):
        width, before = max(64, last - first), 0
        while at != end:
            stop = int(at + way * min(width, abs(end - at)))
            before, share = len(blocks) - 1, add(*sorted((at + way, stop)))
            total = float(np.logaddexp(total, share))
            at, width = stop, 2 * width
            if share < total - 41.0 or math.isnan(share):
                break
            if at != end and width > limit:
                unclosed.append((before, len(blocks) - 1))
                break
    panel = np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
    x = np.concatenate(blocks)
    order = np.argsort(x, kind="stable")
    x = x[order]
    return Grid(x, np.concatenate(logs)[order], panel[order], np.append(x - 0.5, x[-1] + 0.5), unclosed)


def reals(law: Any, low: float, high: float, theta: float, marks: np.ndarray) -> Grid:
    """The integral's nodes."""
    inside = marks[(marks > low) & (marks < high)]
    spread = marks[96] - marks[32]
    spread = spread if spread > 0.0 else max(1e-300, abs(marks[64]))
    steps = spread * 2.0 ** np.arange(-1000, 1000)
    steps = steps[(steps > 1e-300) & (steps < 1e300)]
    starts = [end for end in (low, high) if math.isfinite(end)] or [marks[64]]
    edges = np.unique(np.concatenate([inside, starts, *(s + way * steps for s in starts for way in (-1.0, 1.0))]))
    edges = edges[(edges >= low) & (edges <= high)]

    def terms(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half = 0.5 * b - 0.5 * a
        x = (a + half)[:, None] + half[:, None] * NODES
        log_f = law.log_prob(x)
        with np.errstate(divide="ignore"):                # panels of neighbouring doubles have no width
            return x, (log_f + theta * x if theta else log_f) + np.log(half[:, None] * WEIGHTS)

    a, b = edges[:-1], edges[1:]
    x, logs = terms(a, b)
    kept: list[tuple] = []
    total = -math.inf
    for _ in range(64):
        middle = a + (0.5 * b - 0.5 * a)
        (xl, left), (xr, right) = terms(a, middle), terms(middle, b)
        coarse = np.logaddexp.reduce(logs, axis=1)
        fine = np.logaddexp(np.logaddexp.reduce(left, axis=1), np.logaddexp.reduce(right, axis=1))
        settled = [np.logaddexp.reduce(part[3].ravel()) for part in kept]
        total = np.logaddexp.reduce(np.append(settled, fine))
        with np.errstate(invalid="ignore"):               # an infinite total: NaN, and nothing is split
            off = np.exp(np.minimum(coarse - total, 0.7)) - np.exp(fine - total)
        split = (np.abs(off) > 1e-14) & (middle > a) & (middle < b)
        kept.append((a[~split], b[~split], x[~split], logs[~split]))
        if not split.any():
            break
        a, b = np.concatenate([a[split], middle[split]]), np.concatenate([middle[split], b[split]])
        x, logs = np.concatenate([xl[split], xr[split]]), np.concatenate([left[split], right[split]])
    else:
        kept.append((a, b, x, logs))
    a, b, x, logs = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    order = np.argsort(a)
    panel = np.repeat(np.arange(len(a)), len(NODES))
    return Grid(x[order].ravel(), logs[order].ravel(), panel, np.append(a[order], b[order[-1]]), [])


def numeric_log_mgf(law: Any, theta: float) -> float:
    """log E[exp(theta x)] where it exists and has no closed form."""
    return grid(law, theta=theta).log_sum() if theta != 0.0 else 0.0
