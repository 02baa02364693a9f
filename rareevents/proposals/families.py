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
    """The tilt of the nominal law with the greatest weighted likelihood: the one with the weighted mean of x.

    A component whose mean does not differ from the nominal one by more than its error keeps the nominal law; alike
    components whose means do not differ from each other by more than their errors get one tilt.

    Source: Rubinstein and Kroese, The Cross-Entropy Method (2004), section 3.2: for an exponential family the fit is
    the mean.
    """
    share = weights / np.sum(weights)
    effective = 1.0 / float(share @ share)
    if isinstance(nominal, MultivariateNormal):
        mean = _shrunk(share @ x, nominal.mean, nominal.variance, effective)
        return MultivariateNormal(mean, nominal.covariance)
    if isinstance(nominal, (IID, Independent)):
        laws = factors(nominal)
        if isinstance(nominal, IID) and nominal.n > 1 and _alike(share @ x, nominal.law.variance, effective):
            return IID(tilt_to(nominal.law, float(np.mean(share @ x))), nominal.n)
        means = _shrunk(share @ x, np.asarray(nominal.mean), np.asarray(nominal.variance), effective)
        if np.array_equal(means, nominal.mean):
            return nominal
        known: dict[Any, Distribution] = {}
        made = []
        for law, mean in zip(laws, means.tolist(), strict=True):
            key = (id(law), mean)
            made.append(known.setdefault(key, law) if mean == law.mean else
                        known[key] if key in known else known.setdefault(key, tilt_to(law, mean)))
        return Independent(made)
    mean = float(share @ x)
    return tilt_to(nominal, mean)


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


def fit_normal(nominal: Distribution, x: np.ndarray, weights: np.ndarray) -> Distribution:
    """The normal law with the weighted mean and covariance of x, the latter drawn towards the nominal one."""
    share = weights / np.sum(weights)
    effective = 1.0 / float(share @ share)
    mean = share @ x
    off = x - mean
    strength = effective / (effective + 2.0 * x.shape[1])
    base = nominal.covariance if isinstance(nominal, MultivariateNormal) else np.diag(np.asarray(nominal.variance))
    return MultivariateNormal(mean, strength * (off.T * share) @ off + (1.0 - strength) * base)


def _alike(means: np.ndarray, variance: float, effective: float) -> bool:
    """Whether the means of components with one law scatter no more than by chance."""
    d = len(means)
    scatter = effective * float(np.sum((means - np.mean(means)) ** 2)) / variance if variance > 0.0 else 0.0
    return scatter <= d + SIGNIFICANT * math.sqrt(2.0 * d)


def _shrunk(means: np.ndarray, nominal: np.ndarray, variance: np.ndarray, effective: float) -> np.ndarray:
    unsure = np.abs(means - nominal) <= SIGNIFICANT * np.sqrt(variance / effective)
    return np.where(unsure, nominal, means)
