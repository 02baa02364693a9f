"""Entropies and divergences of an order: Renyi's and Tsallis', of probability vectors and of laws of one number."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents import closed_forms
from rareevents.distributions import Distribution
from rareevents.distributions.quadrature import marks, points
from rareevents.information.arguments import are_laws, minus_log, probabilities, scaled, two
from rareevents.information.entropies import entropy, kl_divergence

NEAR = 0.1                    # distance from order 1 within which log(sum) is computed as log1p(sum - 1)


def renyi_entropy(p: Any, order: float, *, base: float = 2.0) -> Any:
    """log(sum p^order) / (1 - order): Hartley's entropy at order 0, Shannon's at 1, -log max p at infinity.

    Parameters
    ----------
    p : array of float, or Distribution
        Probability vectors, or a law of one number.
    order : float
        At least 0, infinity included; of a law above 0 and finite.
    base : float
        2 for bits, math.e for nats.

    Raises
    ------
    ValueError
        If p is not a probability vector, or the order is out of its range.

    Source: Renyi, On measures of entropy and information (1961), section 1.

    >>> renyi_entropy([0.5, 0.25, 0.25], math.inf)
    1.0
    """
    _check(order, p)
    if order == 1.0:
        return entropy(p, base=base)
    if isinstance(p, Distribution):
        mass = points(lambda x: order * p.log_prob(x), p.supports[0], marks(p))
        return scaled(mass.log_sum() / (1.0 - order), base)
    p = probabilities("p", p)
    log_p = -minus_log(p)
    if order == math.inf:
        return scaled(-log_p.max(axis=-1), base)
    if order == 0.0:
        return scaled(np.log(np.count_nonzero(p, axis=-1)), base)
    return scaled(_log_mean(p, log_p, order - 1.0) / (1.0 - order), base)


def tsallis_entropy(p: Any, order: float) -> Any:
    """(1 - sum p^order) / (order - 1): the number of outcomes less one at order 0, Shannon's entropy in nats at 1.

    Parameters
    ----------
    p : array of float, or Distribution
        Probability vectors, or a law of one number.
    order : float
        At least 0 and finite, of a law above 0. It is not a logarithm, so it has no base.

    Raises
    ------
    ValueError
        If p is not a probability vector, or the order is out of its range.

    Source: Tsallis, Possible generalization of Boltzmann-Gibbs statistics (1988), equation (1).

    >>> tsallis_entropy([0.5, 0.5], 2.0)
    0.5
    """
    if order == math.inf:
        raise ValueError("order must be finite, got inf")
    nats = renyi_entropy(p, order, base=math.e)
    return nats if order == 1.0 else scaled(np.expm1((1.0 - order) * np.asarray(nats)) / (1.0 - order), math.e)


def renyi_divergence(p: Any, q: Any, order: float, *, base: float = 2.0) -> Any:
    """log(sum p^order q^(1 - order)) / (order - 1): the Kullback-Leibler divergence at 1, log max p/q at infinity.

    At order 2 the exponential of its nats is E_q[(p/q)^2], the second moment of an importance weight.

    Parameters
    ----------
    p, q : arrays of float, or Distributions
        Probability vectors of one length, or laws of one number and one kind.
    order : float
        At least 0, infinity included; of laws above 0 and finite.
    base : float
        2 for bits, math.e for nats.

    Raises
    ------
    ValueError
        If p or q is not a probability vector, they do not fit together, or the order is out of its range.

    Source: van Erven and Harremoes, Renyi divergence and Kullback-Leibler divergence (2014), section II.

    >>> renyi_divergence([0.5, 0.5], [0.25, 0.75], math.inf)
    1.0
    """
    _check(order, p)
    if order == 1.0:
        return kl_divergence(p, q, base=base)
    if are_laws(p, q):
        def log_f(x: np.ndarray) -> np.ndarray:
            b = q.log_prob(x)
            a = closed_forms.unless_overflow(p.log_prob(x), b)
            with np.errstate(invalid="ignore"):
                return np.where(a > -math.inf, order * a + (1.0 - order) * b, -math.inf)
        if order > 1.0 and not q.supports[0].contains(p.supports[0]):
            return math.inf
        mass = [points(log_f, piece, marks(p, q)).log_sum() for piece in closed_forms.pieces(p, q)]
        return scaled(max(float(np.logaddexp.reduce(mass)) / (order - 1.0), 0.0), base)
    p, q = two(p, q)
    with np.errstate(invalid="ignore"):
        log_ratio = np.where(p > 0.0, minus_log(q) - minus_log(p), -math.inf)
    if order == math.inf:
        return scaled(np.maximum(log_ratio.max(axis=-1), 0.0), base)
    if order == 0.0:
        return scaled(np.maximum(minus_log(np.where(p > 0.0, q, 0.0).sum(axis=-1)), 0.0), base)
    return scaled(np.maximum(_log_mean(p, log_ratio, order - 1.0) / (order - 1.0), 0.0), base)


def _log_mean(p: np.ndarray, log_r: np.ndarray, power: float) -> np.ndarray:
    """log(sum p r^power) over the last axis; near power 0 through the distance of the sum from 1."""
    from scipy.special import logsumexp
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if abs(power) < NEAR:
            off = np.where(p > 0.0, p * np.expm1(power * log_r), 0.0).sum(axis=-1)
            return np.log1p(np.maximum(off, -1.0))
        logs = np.where(p > 0.0, np.log(p) + power * log_r, -math.inf)
        return np.where(np.any(logs == math.inf, axis=-1), math.inf, logsumexp(np.minimum(logs, 1e308), axis=-1))


def _check(order: Any, p: Any) -> None:
    if isinstance(order, bool) or not isinstance(order, (int, float, np.integer, np.floating)) or not order >= 0.0:
        raise ValueError(f"order must be a number of at least 0, got {order!r}")
    if isinstance(p, Distribution):
        if p.size is not None:
            raise ValueError(f"p must be a law of one number, got {p!r}, whose draws are rows of {p.size}")
        if order in (0.0, math.inf):
            raise ValueError(f"order must be above 0 and finite for laws, got {order!r}")
