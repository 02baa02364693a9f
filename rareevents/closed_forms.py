"""Entropy and Kullback-Leibler divergence of laws, in nats: closed forms by class, sums and integrals elsewhere.

x log(x / y) + y - x is never negative, and sums to the divergence of two laws as their masses are equal. It is computed
as x (exp(t) - 1 - t) with t = log(y / x), which does not cancel however near y is to x.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from rareevents import distributions as d
from rareevents.certificates import factors, tilt_between
from rareevents.distributions.base import Distribution, Support, exp_or_inf
from rareevents.distributions.quadrature import integral, marks, points

SERIES = [1.0 / math.factorial(k) for k in range(18, 1, -1)]           # of exp(t) - 1 - t, to rounding for |t| < 1
LOG_TWO_PI_E = math.log(2.0 * math.pi) + 1.0
TINY = -745.0                                                           # exp of less is 0
Log = Callable[[np.ndarray], np.ndarray]


# ------------------------------------------------------------------------------------------------ x log(x/y) + y - x
def excess(t: Any) -> np.ndarray:
    """exp(t) - 1 - t, to rounding: 0 only where t is, infinite at both ends."""
    t = np.asarray(t, float)
    near = np.abs(t) < 1.0
    small = np.where(near, t, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(near, small * small * np.polyval(SERIES, small), np.where(t == math.inf, t, np.expm1(t) - t))


def log_ratio(x: Any, y: Any, gap: Any = None) -> np.ndarray:
    """log(y / x), to rounding however near they are; `gap` is y - x where it is known better than by subtraction."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    gap = y - x if gap is None else np.asarray(gap, float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(np.abs(gap) < 0.5 * x, np.log1p(gap / x), np.log(y) - np.log(x))


def terms(x: Any, y: Any, gap: Any = None) -> np.ndarray:
    """x log(x / y) + y - x for x, y >= 0; `gap` as in `log_ratio`."""
    x, y, t = np.asarray(x, float), np.asarray(y, float), log_ratio(x, y, gap)
    with np.errstate(invalid="ignore"):
        return np.where(x > 0.0, np.where(y > 2.0 * x, x * (-1.0 - t) + y, x * excess(t)), y)


def unless_overflow(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """log p, but -inf far out where p is 0 as a double and log q exceeds the largest: q is not 0 there."""
    return np.where((log_p < TINY) & (log_q == -math.inf), -math.inf, log_p)


def integrated(log_p: Log, log_q: Log, intervals: list[Support], at: np.ndarray) -> float:
    """Sum or integral of p log(p / q) + q - p over intervals, from the logs of both."""
    def log_f(x: np.ndarray) -> np.ndarray:
        b = log_q(x)
        a = unless_overflow(log_p(x), b)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = b - a
            return np.where((a == -math.inf) | (t > 40.0), b, a + np.log(excess(t)))
    with np.errstate(over="ignore"):
        return float(sum(np.exp(points(log_f, interval, at).log_sum()) for interval in intervals))


def pieces(p: Distribution, q: Distribution) -> list[Support]:
    """The line where either law lives, cut where one begins or ends."""
    a, b = p.supports[0], q.supports[0]
    if a.kind == "integers":
        return [Support(a.kind, min(a.low, b.low), max(a.high, b.high))]
    ends = sorted({a.low, a.high, b.low, b.high})
    return [Support(a.kind, low, high) for low, high in pairwise(ends)]


# ------------------------------------------------------------------------------------------------ entropy
def entropy(p: Distribution) -> float:
    """-E_p[log p]; of a law of reals the differential entropy.

    Raises ValueError for a vector law that is not made of independent components and has no closed form.
    """
    closed = ENTROPIES.get(type(p))
    found = None if closed is None else closed(p)
    if found is not None:
        return float(found)
    if p.size is not None:
        raise ValueError(f"p must be a law of one number or of independent ones for an exact entropy, got {p!r}: "
                         f"give samples=")
    return integral(p.log_prob, lambda x: -p.log_prob(x), p.supports[0], marks(p))


def _bernoulli_entropy(p: float) -> float:
    return -p * math.log(p) - (1.0 - p) * math.log1p(-p) if 0.0 < p < 1.0 else 0.0


def _gamma_entropy(p: d.Gamma) -> float | None:
    from scipy.special import psi
    if p.shape > 100.0:                                    # its terms would cancel
        return None
    return p.shape + math.lgamma(p.shape) + (1.0 - p.shape) * psi(p.shape) - math.log(p.rate)


ENTROPIES: dict[type, Callable[[Any], float | None]] = {
    d.Bernoulli: lambda p: _bernoulli_entropy(p.p),
    d.Categorical: lambda p: 0.0 - sum(math.exp(v) * v for v in p.log_p if v > -math.inf),
    d.Geometric: lambda p: _bernoulli_entropy(p.p) / p.p,
    d.Uniform: lambda p: math.log(p.high - p.low),
    d.Normal: lambda p: 0.5 * LOG_TWO_PI_E + math.log(p.sd),
    d.LogNormal: lambda p: 0.5 * LOG_TWO_PI_E + math.log(p.sigma) + p.mu,
    d.Exponential: lambda p: 1.0 - math.log(p.rate),
    d.Gamma: _gamma_entropy,
    d.Weibull: lambda p: np.euler_gamma * (1.0 - 1.0 / p.shape) + math.log(p.scale / p.shape) + 1.0,
    d.Lomax: lambda p: 1.0 + 1.0 / p.alpha + math.log(p.scale / p.alpha),
    d.MultivariateNormal: lambda p: 0.5 * p.size * LOG_TWO_PI_E + np.log(p.root.diagonal()).sum(),
    d.Shifted: lambda p: entropy(p.law),
    d.IID: lambda p: p.n * entropy(p.law),
    d.Independent: lambda p: math.fsum(entropy(law) for law in p.laws),
}


# ------------------------------------------------------------------------------------------------ divergence
def kl_divergence(p: Distribution, q: Distribution) -> float:
    """KL(p||q) = E_p[log p - log q], infinite where q misses a part of p.

    Raises ValueError for vector laws that are not made of independent components, of one family, or tilted.
    """
    if p.size is not None and isinstance(p, (d.IID, d.Independent)) and isinstance(q, (d.IID, d.Independent)):
        if isinstance(p, d.IID) and isinstance(q, d.IID):
            return p.n * kl_divergence(p.law, q.law)
        return math.fsum(kl_divergence(a, b) for a, b in zip(factors(p), factors(q), strict=True))
    closed = DIVERGENCES.get(type(p)) if type(p) is type(q) else None
    found = None if closed is None else closed(p, q)
    if found is not None:
        return float(found)
    if p.size is None:
        if not q.supports[0].contains(p.supports[0]):
            return math.inf
        return integrated(p.log_prob, q.log_prob, pieces(p, q), marks(p, q))
    theta = tilt_between(q, p)
    if theta is None:
        raise ValueError(f"p and q must be laws of one number, of independent ones, of one family or tilts of each "
                         f"other for an exact divergence, got {p!r} and {q!r}: give samples=")
    return float(np.sum(np.asarray(theta) * p.mean) - q.log_mgf(theta))


def _trial(p: float, q: float) -> float:
    """KL of two Bernoulli laws."""
    return float(terms(p, q) + terms(1.0 - p, 1.0 - q, gap=p - q))


def _normal(mean: float, sd: float, other_mean: float, other_sd: float) -> float:
    ratio = (sd - other_sd) * (sd + other_sd) / other_sd ** 2
    return 0.5 * float(terms(1.0, 1.0 + ratio, gap=ratio)) + 0.5 * ((mean - other_mean) / other_sd) ** 2


def _near(a: float, b: float) -> bool:
    """Whether a closed form would cancel: its terms are the size of a, what is left the size of (a - b)^2."""
    return abs(a - b) < 0.1 * a


def _gamma(p: d.Gamma, q: d.Gamma) -> float | None:
    from scipy.special import psi
    rates = p.shape / p.rate * float(terms(p.rate, q.rate))
    if p.shape == q.shape:
        return rates
    if max(p.shape, q.shape) > 100.0 or _near(p.shape, q.shape):
        return None
    more = q.shape - p.shape
    return rates + math.lgamma(q.shape) - math.lgamma(p.shape) - more * (psi(p.shape) + math.log(q.rate / p.rate))


def _weibull(p: d.Weibull, q: d.Weibull) -> float | None:
    t = q.shape * float(log_ratio(q.scale, p.scale))
    if p.shape == q.shape:
        return float(excess(t))
    if _near(p.shape, q.shape):
        return None
    ratio = q.shape / p.shape
    return exp_or_inf(t + math.lgamma(1.0 + ratio)) - 1.0 - t - math.log(ratio) - np.euler_gamma * (1.0 - ratio)


def _uniform(p: d.Uniform, q: d.Uniform) -> float:
    return float(log_ratio(p.high - p.low, q.high - q.low)) if q.support.contains(p.support) else math.inf


def _categorical(p: d.Categorical, q: d.Categorical) -> float | None:
    return terms(np.exp(p.log_p), np.exp(q.log_p)).sum() if len(p.log_p) == len(q.log_p) else None


def _multivariate_normal(p: d.MultivariateNormal, q: d.MultivariateNormal) -> float:
    ratios = np.linalg.eigvalsh(q.inverse @ p.covariance @ q.inverse.T)
    return 0.5 * float(terms(1.0, ratios).sum() + ((q.inverse @ (p.mean - q.mean)) ** 2).sum())


DIVERGENCES: dict[type, Callable[[Any, Any], float | None]] = {
    d.Bernoulli: lambda p, q: _trial(p.p, q.p),
    d.Binomial: lambda p, q: p.n * _trial(p.p, q.p) if p.n == q.n else None,
    d.Geometric: lambda p, q: _trial(p.p, q.p) / p.p,
    d.NegativeBinomial: lambda p, q: p.r * _trial(p.p, q.p) / p.p if p.r == q.r else None,
    d.Poisson: lambda p, q: float(terms(p.rate, q.rate)),
    d.Categorical: _categorical,
    d.Uniform: _uniform,
    d.Normal: lambda p, q: _normal(p.mean, p.sd, q.mean, q.sd),
    d.LogNormal: lambda p, q: _normal(p.mu, p.sigma, q.mu, q.sigma),
    d.Exponential: lambda p, q: float(terms(p.rate, q.rate)) / p.rate,
    d.Gamma: _gamma,
    d.Weibull: _weibull,
    d.Lomax: lambda p, q: float(terms(p.alpha, q.alpha)) / p.alpha if p.scale == q.scale else None,
    d.MultivariateNormal: _multivariate_normal,
    d.Shifted: lambda p, q: kl_divergence(p.law, q.law) if p.by == q.by else None,
}
