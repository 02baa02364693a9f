"""Draws that are not independent, with an error that is honest all the same: that of independent replicates.

Antithetic, stratified and quasi-random draws, and control variates, make the mean of a run more accurate in ways that
the spread of its terms does not show. So a run is repeated with streams of its own, and the error is that of the
repeats.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rareevents.certificates import factors, tilt_between
from rareevents.designs import law_of
from rareevents.distributions import IID, Distribution, Independent, Mixture, MultivariateNormal, Normal
from rareevents.distributions.base import require_seed
from rareevents.draws import log_ratios, values, weighted_draws
from rareevents.estimates import check_confidence, shown
from rareevents.events import require_fit
from rareevents.integrands import integrand
from rareevents.kernels.stages import REPLICATES
from rareevents.methods.importance import check_laws, support_covered
from rareevents.methods.lines import levels, probability_on_lines
from rareevents.sampler import length

SCHEMES = ("independent", "antithetic", "stratified", "control variates", "quasi-random")


class Replicated(NamedTuple):
    """A mean of independent replicates: its standard error and Student's interval with replicates - 1 degrees."""

    value: float
    std_error: float
    low: float
    high: float
    replicates: int
    samples: int                  # altogether
    scheme: str

    @property
    def relative_variance(self) -> float:
        """samples * (std_error / value)^2, to compare with that of independent draws."""
        return self.samples * (self.std_error / self.value) ** 2 if self.value else math.inf

    def __str__(self) -> str:
        return (f"{shown(self.value, self.std_error)}, interval [{self.low:.5g}, {self.high:.5g}] (replicated), "
                f"{self.scheme} draws, {self.replicates} times {self.samples // self.replicates:,}")


def replicate(nominal: Distribution, f: Any, proposal: Any, scheme: str, *, samples: int = 1 << 12,
              replicates: int = 32, seed: int = 0, confidence: float = 0.95) -> Replicated:
    """E_p[f] from replicates of a run whose draws help each other.

    "antithetic": each draw x of a symmetric proposal with its mirror image 2 m - x. "stratified": of a mixture, so many
    draws of each component as its weight says. "control variates": the regression of the terms on q_j/q - 1 of the
    mixture's components (on p/q - 1 without one), whose means are known to be 0. "quasi-random": a scrambled Sobol
    sequence through the inverse of a normal proposal, its first coordinate along the shift from the nominal mean. That
    coordinate is integrated instead, and the others drawn, where the proposal is a tilt and the event one of named
    scores.

    Parameters
    ----------
    nominal, f
        As in `estimate`; f has one value.
    proposal : Distribution or Design
        Normal for antithetic and quasi-random draws, a mixture for stratified ones.
    scheme : str
        One of "independent", "antithetic", "stratified", "control variates", "quasi-random".
    samples : int
        Draws of each replicate; a power of two for quasi-random ones.
    replicates : int
        At least 8.

    Raises
    ------
    ValueError, TypeError
        If an argument breaks its rule, or the proposal does not allow the scheme.

    Source: Owen, Monte Carlo theory, methods and examples (2013), chapters 8 and 9; Owen and Zhou (2000) for the
    control variates; L'Ecuyer (2018) for the replicates.

    >>> from rareevents import IID, Normal, total
    >>> law = IID(Normal(0.0, 1.0), 4)
    >>> replicate(law, total >= 8.0, law.tilt(2.0), "quasi-random").relative_variance < 1.0
    True
    """
    q = law_of(proposal)
    for name, law in (("nominal", nominal), ("proposal", q)):
        if not isinstance(law, Distribution):
            raise TypeError(f"{name} must be a law of numbers or vectors, got {law!r}")
    check_laws(nominal, q)
    f = integrand(f)
    require_fit(f, nominal.size)
    several = length(f, nominal)
    if several is not None:
        raise ValueError(f"f must have one value to be replicated, got {several}: replicate each")
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(map(repr, SCHEMES))}, got {scheme!r}")
    for name, number, least in (("samples", samples, 16), ("replicates", replicates, 8)):
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {number!r}")
    if scheme == "quasi-random" and samples & (samples - 1):
        raise ValueError(f"samples must be a power of two for quasi-random draws, got {samples!r}")
    require_seed(seed)
    check_confidence(confidence)
    if scheme == "antithetic" and samples % 2:
        raise ValueError(f"samples must be even for antithetic draws, got {samples!r}")
    support_covered(nominal, f, q, seed)                  # raises where part of the event cannot be drawn
    run = _runs(nominal, f, q, scheme)

    def terms(x: np.ndarray) -> np.ndarray:
        return values(f, x) * np.exp(log_ratios(nominal, q, x))
    apart = max(64, len(q.components) if isinstance(q, Mixture) else 1)        # streams of a replicate
    means = np.array([run(terms, int(samples), seed, REPLICATES[apart * i]) for i in range(replicates)])
    if not np.any(means):
        raise ValueError(f"proposal must reach {f!r} for an error from replicates, got {q!r}: f is 0 at every draw of "
                         f"all {replicates} replicates")
    from scipy.special import stdtrit
    error = float(np.std(means, ddof=1)) / math.sqrt(replicates)
    half = float(stdtrit(replicates - 1, 0.5 * (1.0 + confidence))) * error
    value = float(np.mean(means))
    return Replicated(value, error, value - half, value + half, int(replicates), int(samples) * int(replicates), scheme)


Run = Callable[[Callable[[np.ndarray], np.ndarray], int, int, int], float]


def _runs(nominal: Distribution, f: Any, q: Distribution, scheme: str) -> Run:
    """One replicate: (terms, n, seed, stage) -> mean."""
    if scheme == "stratified":
        if not isinstance(q, Mixture):
            raise ValueError(f"proposal must be a mixture for stratified draws, got {q!r}")
        return lambda terms, n, seed, stage: _stratified(q, terms, n, seed, stage)
    if scheme == "control variates":
        laws = list(q.components) if isinstance(q, Mixture) else [nominal]
        return lambda terms, n, seed, stage: _controlled(q, laws, terms, n, seed, stage)
    if scheme == "independent":
        return lambda terms, n, seed, stage: float(np.mean(terms(weighted_draws(q, None, n, seed, stage)[0])))
    centre, root = _normal(q)
    if scheme == "antithetic":
        def pairs(terms: Any, n: int, seed: int, stage: int) -> float:
            x = weighted_draws(q, None, n // 2, seed, stage)[0]
            return 0.5 * float(np.mean(terms(x)) + np.mean(terms(2.0 * centre - x)))
        return pairs
    shift = np.linalg.solve(root, np.atleast_1d(centre - np.asarray(nominal.mean)))
    size = len(root)
    if size > 1 and np.any(shift) and levels(f, size) is not None and tilt_between(nominal, q) is not None:
        return lambda terms, n, seed, stage: _on_lines(nominal, f, root, shift, n, seed, stage)
    return lambda terms, n, seed, stage: _quasi(nominal, centre, root, shift, terms, n, seed, stage)


def _stratified(q: Mixture, terms: Any, n: int, seed: int, stage: int) -> float:
    """Each component its share of the draws, at least one; its mean counts with its weight."""
    total = 0.0
    for j, (weight, law) in enumerate(zip(q.weights, q.components, strict=True)):
        if weight > 0.0:
            count = max(1, round(weight * n))
            total += weight * float(np.mean(terms(weighted_draws(law, None, count, seed, stage + j)[0])))
    return total


def _controlled(q: Distribution, laws: list[Distribution], terms: Any, n: int, seed: int, stage: int) -> float:
    """The intercept of the regression of the terms on q_j/q - 1; one of the components' is superfluous."""
    x = weighted_draws(q, None, n, seed, stage)[0]
    ratios = [np.exp(log_ratios(law, q, x)) - 1.0 for law in (laws[1:] if len(laws) > 1 else laws)]
    columns = np.column_stack([np.ones(n), *ratios])
    return float(np.linalg.lstsq(columns, terms(x), rcond=None)[0][0])


def _quasi(nominal: Distribution, centre: np.ndarray, root: np.ndarray, shift: np.ndarray, terms: Any, n: int,
           seed: int, stage: int) -> float:
    """A scrambled Sobol sequence, turned so that its first coordinate points along the shift of the mean."""
    x = centre + _sobol(n, len(root), seed, stage) @ _turned(shift).T @ root.T
    return float(np.mean(terms(x if nominal.size is not None else x[:, 0])))


def _on_lines(nominal: Distribution, f: Any, root: np.ndarray, shift: np.ndarray, n: int, seed: int,
              stage: int) -> float:
    """The same with the first coordinate integrated: the others have one law under p and under q, and no weight."""
    turned = root @ _turned(shift)
    x = np.asarray(nominal.mean) + _sobol(n, len(root) - 1, seed, stage) @ turned[:, 1:].T
    return float(np.mean(probability_on_lines(f, x, turned[:, 0])))


def _sobol(n: int, d: int, seed: int, stage: int) -> np.ndarray:
    """A scrambled Sobol sequence as n standard normal vectors."""
    from scipy.special import ndtri
    from scipy.stats import qmc
    u = qmc.Sobol(d, rng=np.random.default_rng(np.random.SeedSequence([seed, stage]))).random(n)
    return ndtri(np.clip(u, 2.0 ** -33, 1.0 - 2.0 ** -33))


def _turned(shift: np.ndarray) -> np.ndarray:
    """An orthogonal matrix whose first column points along the shift; the identity without a shift."""
    if not np.any(shift):
        return np.eye(len(shift))
    basis = np.linalg.qr(np.column_stack([shift, np.eye(len(shift))]))[0][:, :len(shift)]
    return basis * np.where(basis[:, 0] @ shift < 0.0, -1.0, 1.0)


def _normal(q: Any) -> tuple[np.ndarray, np.ndarray]:
    """The mean and a root of the covariance of a normal proposal."""
    if isinstance(q, MultivariateNormal):
        return np.asarray(q.mean), np.asarray(q.root)
    parts = [q] if q.size is None else list(factors(q)) if isinstance(q, (IID, Independent)) else []
    if not parts or not all(isinstance(part, Normal) for part in parts):
        raise ValueError(f"proposal must be normal for antithetic and quasi-random draws, got {q!r}")
    return np.array([part.mean for part in parts]), np.diag([part.sd for part in parts])
