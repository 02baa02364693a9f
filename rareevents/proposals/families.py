"""Families that a proposal is chosen from, and the member that fits weighted draws best."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents import distributions as d
from rareevents.certificates import factors
from rareevents.distributions import IID, Distribution, Independent, MultivariateNormal
from rareevents.proposals.tilting import root

SIGNIFICANT = 3.0             # standard errors by which a mean must differ from the nominal one before it counts
NEAREST = 1e-3                # to an end of the support that a fitted mean may come, as a share of the way from the
                              # nominal mean: only an infinite tilt has its mean at the end

# Families whose tilts are known by their mean.
MEMBERS: dict[type, Callable[[Any, float], Distribution]] = {
    d.Bernoulli: lambda law, mean: d.Bernoulli(mean),
    d.Binomial: lambda law, mean: d.Binomial(law.n, mean / law.n),
    d.Poisson: lambda law, mean: d.Poisson(mean),
    d.Geometric: lambda law, mean: d.Geometric(1.0 / (1.0 + mean)),
    d.NegativeBinomial: lambda law, mean: d.NegativeBinomial(law.r, law.r / (law.r + mean)),
    d.Normal: lambda law, mean: d.Normal(mean, law.sd),
    d.Exponential: lambda law, mean: d.Exponential(1.0 / mean),
    d.Gamma: lambda law, mean: d.Gamma(law.shape, law.shape / mean),
}
Fit = Callable[[np.ndarray, np.ndarray], Distribution]


def fitter(nominal: Distribution, family: Any = None) -> Fit:
    """The fit of a family: fit(x, weights) -> law, for draws x and weights that need not sum to one.

    Parameters
    ----------
    nominal : Distribution
        p; without a family, its exponential tilts: for vectors of independent components one for each, for a
        multivariate normal law shifts of the mean.
    family : law or class with `fit(x, weights)`, or a function, optional
        A family of one's own: `family.fit(x, weights)` or `family(x, weights)` returns the law of greatest weighted
        likelihood.
    """
    if family is None:
        return lambda x, weights: fit_tilt(nominal, x, weights)
    fit = getattr(family, "fit", family)
    if not callable(fit):
        raise TypeError(f"family must have a method fit(x, weights) -> law, or be such a function, got {family!r}")

    def checked(x: np.ndarray, weights: np.ndarray) -> Distribution:
        law = fit(x, weights)
        if not isinstance(law, Distribution) or law.size != nominal.size or law.dtype is not nominal.dtype:
            raise TypeError(f"family must fit laws with draws like those of {nominal!r}, got {law!r}")
        return law
    return checked


def fit_tilt(nominal: Distribution, x: np.ndarray, weights: np.ndarray) -> Distribution:
    """The member of the nominal law's own family with the greatest weighted likelihood.

    Of a categorical law the one with the weighted frequencies, of any other law the tilt with the weighted mean. A
    component that does not differ from its nominal law by more than its error keeps it; alike components that do not
    differ from each other by more than their errors get one law.

    Source: Rubinstein and Kroese, The Cross-Entropy Method (2004), section 3.2: for an exponential family the fit is
    the mean.
    """
    share = weights / np.sum(weights)
    effective = 1.0 / float(share @ share)
    if isinstance(nominal, MultivariateNormal):
        mean = _shrunk(share @ x, nominal.mean, nominal.variance, effective)
        return MultivariateNormal(mean, nominal.covariance)
    if isinstance(nominal, IID) and nominal.n > 1:
        pooled = _pooled(nominal.law, x, share, effective)
        if pooled is not None:
            return IID(pooled, nominal.n)
    if isinstance(nominal, (IID, Independent)):
        laws = factors(nominal)
        means = _shrunk(share @ x, np.asarray(nominal.mean), np.asarray(nominal.variance), effective)
        known: dict[Any, Distribution] = {}
        made = []
        for law, mean, column in zip(laws, means.tolist(), x.T, strict=True):
            if isinstance(law, d.Categorical):
                found = _frequencies(law, column, share)
                made.append(law if _by_chance(found[None], np.array(law.probabilities), effective, 1) else
                            _with_frequencies(law, found))
                continue
            key = (id(law), mean)
            made.append(known.setdefault(key, law) if mean == law.mean else
                        known[key] if key in known else known.setdefault(key, tilt_to(law, mean)))
        return nominal if all(a is b for a, b in zip(made, laws, strict=True)) else Independent(made)
    if isinstance(nominal, d.Categorical):
        return _with_frequencies(nominal, _frequencies(nominal, x, share))
    return tilt_to(nominal, float(share @ x))


def _pooled(law: Distribution, x: np.ndarray, share: np.ndarray, effective: float) -> Distribution | None:
    """One member for all components of one law, if they scatter no more than by chance."""
    if isinstance(law, d.Categorical):
        found = np.array([_frequencies(law, column, share) for column in x.T])
        mean = np.mean(found, axis=0)
        return _with_frequencies(law, mean) if _by_chance(found, mean, effective, len(found) - 1) else None
    alike = _alike(x, share, float(law.variance), effective)
    return tilt_to(law, float(np.mean(share @ x))) if alike else None


def tilt_to(law: Distribution, mean: float) -> Distribution:
    """The tilt of a law of one number with a given mean, kept away from the ends of the support."""
    start, s = float(law.mean), law.supports[0]
    low = s.low + NEAREST * (start - s.low) if math.isfinite(s.low) else -math.inf
    high = s.high - NEAREST * (s.high - start) if math.isfinite(s.high) else math.inf
    mean = min(max(mean, low), high)
    sd = math.sqrt(float(law.variance)) or 1.0
    if abs(mean - start) <= 1e-12 * sd:
        return law
    known = MEMBERS.get(type(law))
    if known is not None:
        return known(law, mean)
    theta = root(lambda theta: float(law.tilt(theta).mean) - mean, mean - start, sd, f"the mean to {mean:g}", law)
    return law.tilt(theta)


def nearer(law: Distribution, nominal: Distribution, way: float) -> Distribution:
    """The law moved back towards the nominal one: of a categorical law the mixture of both, else the tilt with a mean
    that lies so much of the way from the nominal mean to the law's.
    """
    if isinstance(law, d.Categorical):
        return _with_frequencies(nominal, way * np.array(law.probabilities)
                                 + (1.0 - way) * np.array(nominal.probabilities))           # type: ignore[attr-defined]
    return tilt_to(nominal, nominal.mean + way * (law.mean - nominal.mean))


def fit_normal(nominal: Distribution, x: np.ndarray, weights: np.ndarray) -> Distribution:
    """The normal law with the weighted mean and covariance of x, the latter drawn towards the nominal one."""
    share = weights / np.sum(weights)
    effective = 1.0 / float(share @ share)
    mean = share @ x
    off = x - mean
    strength = effective / (effective + 2.0 * x.shape[1])
    base = nominal.covariance if isinstance(nominal, MultivariateNormal) else np.diag(np.asarray(nominal.variance))
    return MultivariateNormal(mean, strength * (off.T * share) @ off + (1.0 - strength) * base)


def _alike(x: np.ndarray, share: np.ndarray, variance: float, effective: float) -> bool:
    """Whether the means of components with one law scatter no more than by chance."""
    means = share @ x
    d = len(means)
    spread = max(variance, float(np.mean(share @ (x - np.mean(means)) ** 2)))
    scatter = effective * float(np.sum((means - np.mean(means)) ** 2)) / spread if spread > 0.0 else 0.0
    return scatter <= d + SIGNIFICANT * math.sqrt(2.0 * d)


def _shrunk(means: np.ndarray, nominal: np.ndarray, variance: np.ndarray, effective: float) -> np.ndarray:
    unsure = np.abs(means - nominal) <= SIGNIFICANT * np.sqrt(variance / effective)
    return np.where(unsure, nominal, means)


# ------------------------------------------------------------------------------------------------ categorical laws
def _frequencies(law: Any, x: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The weighted frequency of each outcome."""
    return np.bincount(x, weights=share, minlength=len(law.probabilities))


def _by_chance(found: np.ndarray, expected: np.ndarray, effective: float, rows: int) -> bool:
    """Whether rows of frequencies differ from the expected ones no more than by chance: Pearson's statistic."""
    positive = expected > 0.0
    off = (found[:, positive] - expected[positive]) ** 2 / expected[positive]
    freedom = rows * (int(np.count_nonzero(positive)) - 1)
    return effective * float(np.sum(off)) <= freedom + SIGNIFICANT * math.sqrt(2.0 * max(1, freedom))


def _with_frequencies(law: Any, found: np.ndarray) -> Distribution:
    """The law with these frequencies; none falls to 0 where the nominal probability is not."""
    p = np.maximum(found, NEAREST * np.array(law.probabilities))
    return d.Categorical(tuple((p / p.sum()).tolist()), law.labels)
