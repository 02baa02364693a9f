"""The contract test of a law: `check_distribution` raises an AssertionError that names the law and what is wrong.

Deterministic parts compare the law's statements with each other: its density with a numerical sum or integral, with its
support, its mean, its variance, its log_mgf and its tilted law. Random parts compare the sampler with the density; a
right law fails one of them with probability 1e-6 at most, all together.
"""
from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from rareevents.distributions.base import Distribution
from rareevents.distributions.quadrature import Grid, grid

ALPHA = 1e-6                  # probability that a right law fails, shared by the three random parts
QUANTILES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.005, *(k / 50.0 for k in range(1, 50)),
             0.995, 1 - 1e-3, 1 - 1e-4, 1 - 1e-5, 1 - 1e-6, 1 - 1e-7)
EXACT = 1e-6                  # relative tolerance of the deterministic parts; the quadrature reaches 1e-10
# A mean of n draws is normal only in the middle. At z = 7 the normal tail is 2.6e-12, and skewness s multiplies it by
# exp(s z^3 / (6 sqrt(n))) to first order (Cramer 1938): with s <= 20 and n = 200,000 that is 13, far below ALPHA / 3.
DEVIATIONS, SKEWNESS = 7.0, 20.0


def check_distribution(law: Distribution, *, seed: int = 1, draws: int = 200_000) -> None:
    """Check that a law's parts agree: density, support, sampler, mean, variance, log_mgf and tilt, where it has them.

    Parameters
    ----------
    law : Distribution
        The law. Check several parameter points: an error may vanish at one of them.
    seed : int
        Seed of the draws. A right law fails for one seed in a million.
    draws : int
        Number of compiled draws compared with the density.

    Raises
    ------
    AssertionError
        If two parts of the law disagree; the message names the law, the parts and the figures.

    >>> from rareevents.distributions import Poisson
    >>> check_distribution(Poisson(rate=4.0), draws=1000)
    """
    x = law.sample(draws, seed)
    _draws_inside(law, x)
    _python(law, x)
    if law.size is not None:
        return _vector(law, x, seed)
    points = grid(law)
    _normalised(law, points)
    _outside(law)
    _bins(law, points, x, QUANTILES, ALPHA / 3.0, "compiled draws")
    _moments(law, points, x)
    rng = np.random.default_rng(seed)
    _bins(law, points, np.array([law.draw(rng) for _ in range(500)]), (0.1, 0.25, 0.5, 0.75, 0.9), ALPHA / 3.0,
          "draws in Python with a NumPy Generator")
    _transform(law, points)
    return None


def _fail(law: Distribution, what: str) -> NoReturn:
    raise AssertionError(f"{law!r}: {what}")


def _close(a: float, b: float, size: float = 1.0) -> bool:
    return a == b or (math.isfinite(a) and math.isfinite(b) and abs(a - b) <= EXACT * max(size, abs(b)))


def _declared(law: Distribution, name: str) -> Any:
    """The law's mean or variance, None if it declares none (or says that there is none: NaN)."""
    try:
        value = getattr(law, name)
    except AttributeError:
        return None
    return None if np.isnan(value).any() else value


# ------------------------------------------------------------------------------------------------ any law
def _draws_inside(law: Distribution, x: np.ndarray) -> None:
    """Every draw lies in the support and has a finite log density."""
    supports = law.support if isinstance(law.support[0], tuple) else [law.support] * (law.size or 1)
    columns = x[:, None] if law.size is None else x
    for j, support in enumerate(supports):
        outside = ~((columns[:, j] >= support.low) & (columns[:, j] <= support.high))      # type: ignore[union-attr]
        if outside.any():
            _fail(law, f"drew {x[outside][0]!r}, outside its support {support}")
    log_p = law.log_prob(x)
    bad = ~np.isfinite(log_p)
    if bad.any():
        _fail(law, f"drew {x[bad][0]!r}, where its log density is {log_p[bad][0]}")


def _python(law: Distribution, x: np.ndarray) -> None:
    """The same in Python as compiled, and the same after a copy (by the protocol that pickle uses)."""
    few = x[:20]
    compiled = law.log_prob(few)
    for point, value in zip(few, compiled, strict=True):
        plain = law.log_density(point)
        if not math.isclose(plain, value, rel_tol=1e-9, abs_tol=1e-9):
            _fail(law, f"log_density({point!r}) is {plain} in Python and {value} compiled")
    again = copy.deepcopy(law)
    if repr(again) != repr(law) or not np.array_equal(again.log_prob(few), compiled):
        _fail(law, f"is another law after it was copied: {again!r}")


# ------------------------------------------------------------------------------------------------ density
def _normalised(law: Distribution, points: Grid) -> None:
    if np.isnan(points.log_mass).any():
        _fail(law, f"log density is NaN at {points.x[np.isnan(points.log_mass)][0]}")
    total = points.log_sum()
    if not abs(total) < EXACT:
        word = "sums" if law.dtype is int else "integrates"
        _fail(law, f"density {word} to {math.exp(min(total, 700.0)):.9g} instead of 1")


def _outside(law: Distribution) -> None:
    """-inf beside the support and, for integers, between them."""
    low, high = law.support.low, law.support.high                                          # type: ignore[union-attr]
    whole = law.dtype is int
    near = (low - 1.0, high + 1.0) if whole else (math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
    far = (low - 1.0 - abs(low), high + 1.0 + abs(high))
    for point in (*near, *far, *((0.5, low + 0.5) if whole else ())):
        if math.isfinite(point) and abs(point) < 9e18 and law.log_prob(point) != -math.inf:
            _fail(law, f"log density is {law.log_prob(point)} at {point!r}, outside its support {law.support}")


def _bins(law: Distribution, points: Grid, x: np.ndarray, quantiles: Sequence[float], alpha: float, what: str) -> None:
    """Counts of draws in bins against exact binomial laws: alpha is shared by both sides of every bin."""
    from scipy.special import bdtr, bdtrc
    masses = points.masses()
    below, above = np.cumsum(masses), np.cumsum(masses[::-1])[::-1]          # each accurate in its own tail
    cuts = np.unique([*(np.searchsorted(below, [q for q in quantiles if q < 0.5]) + 1),
                      *(np.searchsorted(-above, [q - 1.0 for q in quantiles if q >= 0.5]))])
    cuts = cuts[(cuts > 0) & (cuts < len(masses))]
    p = np.add.reduceat(masses, np.append(0, cuts))
    if points.unclosed:
        p[-1] = max(0.0, 1.0 - p[:-1].sum())
    p = np.clip(p, 0.0, 1.0)
    edges = points.edges[cuts]
    counts = np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(p))
    low, high = bdtr(counts, len(x), p), np.where(counts > 0, bdtrc(counts - 1.0, len(x), p), 1.0)
    worst = int(np.argmin(np.minimum(low, high)))
    if min(low[worst], high[worst]) < alpha / (2 * len(p)):
        sides = np.concatenate([[-math.inf], edges, [math.inf]])
        _fail(law, f"{what} disagree with the density: {counts[worst]} of {len(x)} are between {sides[worst]:.6g} and "
                   f"{sides[worst + 1]:.6g}, expected {p[worst] * len(x):.6g}")


def _moments(law: Distribution, points: Grid, x: np.ndarray) -> None:
    """Declared mean and variance against the density, and against the draws where a mean of draws is near normal."""
    centre, scale = _middle(points)
    mean, variance = _declared(law, "mean"), _declared(law, "variance")
    first = points.sum(points.x - centre) + centre
    around = first if math.isfinite(first) and abs(first - centre) < 1e50 * scale else centre
    z = (points.x - around) / scale
    with np.errstate(over="ignore", invalid="ignore"):
        second = points.sum(z * z) * scale ** 2
    spread = math.sqrt(second) if 0.0 < second < math.inf else scale
    for name, given, found in (("mean", mean, first), ("variance", variance, second)):
        power = 1 if name == "mean" else 2
        if given is None:
            continue
        if math.isinf(given):
            far = np.abs(z) > 1e50
            with np.errstate(over="ignore", invalid="ignore"):
                share = points.sum(np.where(far, np.abs(z) ** power, 0.0))
            if law.dtype is float and share < 1e-9:
                _fail(law, f"declares an infinite {name}; its density has {found:.9g}")
        elif not _close(given, found, spread ** power):
            _fail(law, f"declares the {name} {given:.9g}; its density has {found:.9g}")
    if variance is None or not 0.0 < second < 1e100 * scale ** 2:
        return
    for name, f in (("mean", lambda y: (y - first) / spread), ("variance", lambda y: ((y - first) / spread) ** 2)):
        with np.errstate(over="ignore", invalid="ignore"):
            values = f(points.x)
            average = points.sum(values)
            width = math.sqrt(max(0.0, points.sum((values - average) ** 2)))
            skewness = points.sum(((values - average) / max(width, 1e-300)) ** 3)
        if 1e-12 < width < 1e6 and abs(skewness) <= SKEWNESS * math.sqrt(min(1.0, len(x) / 200_000)):
            off = (float(np.mean(f(x))) - average) / width * math.sqrt(len(x))
            if abs(off) > DEVIATIONS:
                _fail(law, f"{name} of {len(x)} draws is {off:.3g} standard errors from that of the density")


def _middle(points: Grid) -> tuple[float, float]:
    """Median and distance between the quartiles of a grid, roughly."""
    at = np.searchsorted(np.cumsum(points.masses()), (0.25, 0.5, 0.75))
    low, middle, high = points.edges[np.minimum(at + [0, 0, 1], len(points.edges) - 1)]
    return float(middle), float(high - low)


def _transform(law: Distribution, points: Grid) -> None:
    """log_mgf against numerical sums, and the tilted law's density against exp(theta x - log_mgf) p(x)."""
    _, scale = _middle(points)
    for theta in (t / scale for t in (-1.0, -0.3, 0.2, 0.8, 3.0)):
        try:
            given = law.log_mgf(theta)
        except AttributeError:
            return
        tilted = grid(law, theta=theta)
        found = tilted.log_sum()
        if given == math.inf:
            if not tilted.unclosed and found < 100.0:
                _fail(law, f"declares log_mgf({theta:.6g}) infinite; its density has {found:.9g}")
        elif not (abs(given - found) < 1e-3 if tilted.unclosed else _close(given, found)):   # a tail too long to sum
            _fail(law, f"declares log_mgf({theta:.6g}) = {given:.9g}; its density has {found:.9g}")
        try:
            other = law.tilt(theta)
        except AttributeError:
            continue
        except ValueError:
            other = None
        if given == math.inf and other is not None:
            _fail(law, f"has no moment generating function at {theta:.6g}, and tilt({theta:.6g}) gave {other!r}")
        if other is not None:
            seen = points.log_mass > -50.0
            y = points.x[seen][:: max(1, int(seen.sum()) // 1000)]
            want = theta * y - given + law.log_prob(y)
            got = other.log_prob(y)
            off = ~(np.abs(got - want) <= 1e-8 * (1.0 + np.abs(want) + np.abs(law.log_prob(y))))
            if off.any():
                _fail(law, f"tilt({theta:.6g}) gave {other!r}, whose log density at {y[off][0]!r} is "
                           f"{got[off][0]:.9g}, not theta x - log_mgf(theta) + log p(x) = {want[off][0]:.9g}")


# ------------------------------------------------------------------------------------------------ vector laws
def _vector(law: Distribution, x: np.ndarray, seed: int) -> None:
    """Mean, variance and covariance of the draws; for one or two components, the density's sum or integral."""
    rng = np.random.default_rng(seed)
    plain = law.empty(500)
    for row in plain:
        law.draw(rng, row)
    _draws_inside(law, plain)
    mean, variance = (None if v is None else np.broadcast_to(np.asarray(v, float), (law.size,))  # type: ignore
                      for v in (_declared(law, "mean"), _declared(law, "variance")))
    for what, y in (("compiled draws", x), ("draws in Python with a NumPy Generator", plain)):
        centred = y - (y.mean(axis=0) if mean is None else mean)
        if mean is not None and np.isfinite(mean).all():
            _zero(law, centred, f"mean of {what} against the declared mean", variance)
        if mean is not None and variance is not None and np.isfinite(variance).all():
            _zero(law, centred ** 2 - variance, f"variance of {what} against the declared variance", None)
            covariance = np.asarray(getattr(law, "covariance", np.nan), float)
            if covariance.shape == (law.size, law.size):
                i, j = np.triu_indices(law.size, 1)                                        # type: ignore[arg-type]
                _zero(law, centred[:, i] * centred[:, j] - covariance[i, j],
                      f"covariance of {what} against the declared covariance", None)
    if law.size <= 2:                                                                      # type: ignore[operator]
        total = _total(law, x[:20_000])
        if total is not None and not abs(total - 1.0) < 2e-3:
            _fail(law, f"density sums or integrates to {total:.6g} instead of 1")


def _zero(law: Distribution, y: np.ndarray, what: str, variance: np.ndarray | None) -> None:
    """Columns whose mean should be 0, where a mean of so many draws is near normal (DEVIATIONS says why)."""
    width = y.std(axis=0) if variance is None else np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = y.mean(axis=0) / width * math.sqrt(len(y))
        skewness = np.abs(((y - y.mean(axis=0)) ** 3).mean(axis=0)) / width ** 3
    bad = (np.abs(off) > DEVIATIONS) & (skewness <= SKEWNESS * math.sqrt(min(1.0, len(y) / 200_000)))
    bad |= (width == 0.0) & (np.abs(y.mean(axis=0)) > 1e-12)
    if bad.any():
        _fail(law, f"{what}: component {int(np.argmax(bad))} is {off[bad][0]:.3g} standard errors off")


def _total(law: Distribution, x: np.ndarray) -> float | None:
    """The sum or integral of a density in one or two dimensions, on a product of points around the draws."""
    supports = law.support if isinstance(law.support[0], tuple) else [law.support] * x.shape[1]
    kinds = {s.kind for s in supports}                                                     # type: ignore[union-attr]
    if len(kinds) > 1:
        return None
    free = all(math.isinf(s.low) and math.isinf(s.high) for s in supports) and kinds == {"reals"}    # type: ignore
    turn = np.eye(x.shape[1])
    if free and len(turn) == 2:                          # along the axes unless the components depend on each other
        ranks = x.argsort(axis=0).argsort(axis=0)
        turn = np.linalg.cholesky(np.cov(x.T)) if abs(np.asarray(np.corrcoef(ranks.T))[0, 1]) > 0.1 else turn
    y = np.linalg.solve(turn, x.T).T
    axes, weights = [], []
    for j, support in enumerate(supports):
        low, high = support.low, support.high                                              # type: ignore[union-attr]
        if kinds == {"integers"}:
            first, last = y[:, j].min(), y[:, j].max()
            reach = 20 + (last - first)
            axes.append(np.arange(max(low, first - reach), min(high, last + reach) + 1))
            weights.append(np.zeros(len(axes[-1])))
            continue
        marks = np.asarray(np.quantile(y[:, j], np.linspace(0.01, 0.99, 41)))
        spread = float(marks[30] - marks[10])
        steps = spread * 2.0 ** np.arange(-20.0, 40.0)
        edges = np.unique(np.concatenate([marks, _ends(low, marks[0], steps), -_ends(-high, -marks[-1], steps)]))
        edges = edges[(edges >= low) & (edges <= high)]
        nodes, masses = np.polynomial.legendre.leggauss(4)
        half = 0.5 * np.diff(edges)
        axes.append((edges[:-1, None] + half[:, None] * (1.0 + nodes)).ravel())
        weights.append(np.log(half[:, None] * masses).ravel())
    if math.prod(map(len, axes)) > 2_000_000:
        return None
    mesh = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    log_w = np.sum([a.ravel() for a in np.meshgrid(*weights, indexing="ij")], axis=0)
    log_p = law.log_prob(mesh @ turn.T if kinds == {"reals"} else mesh.astype(np.int64))
    return float(np.exp(np.logaddexp.reduce(log_p + log_w)) * np.linalg.det(turn))


def _ends(end: float, first: float, steps: np.ndarray) -> np.ndarray:
    """Edges that double in distance from a finite lower end, or downwards from the first draw."""
    return np.append(end, end + steps) if math.isfinite(end) else first - steps
