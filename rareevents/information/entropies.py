"""Self-information, entropy, cross entropy and divergence, of probability vectors and of laws."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents import closed_forms
from rareevents.closed_forms import terms
from rareevents.distributions import Distribution, Mixture
from rareevents.estimates import Estimate
from rareevents.information.arguments import (
    are_laws,
    log_base,
    minus_log,
    no_samples,
    numbers,
    probabilities,
    scaled,
    two,
)
from rareevents.integrands import Integrand
from rareevents.kernels import records
from rareevents.methods.importance import estimate


# ------------------------------------------------------------------------------------------------ of observations
def self_information(p: Any, x: Any = None, *, base: float = 2.0) -> Any:
    """-log p(x): how surprising an outcome is.

    Parameters
    ----------
    p : array of float, or Distribution
        Probabilities in [0, 1], of any shape; or a law.
    x : array, for a law only
        Its points.
    base : float
        2 for bits, math.e for nats.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1], or x is missing for a law or given without one.

    Source: Shannon, A mathematical theory of communication (1948), section 6.

    >>> self_information(1.0 / 1024.0)
    10.0
    """
    if isinstance(p, Distribution):
        if x is None:
            raise ValueError(f"x must be the points at which {p!r} is asked, got None")
        return scaled(-np.asarray(p.log_prob(x)), base)
    if x is not None:
        raise ValueError(f"x must be left out when p is an array of probabilities, got {x!r}: for indices into a "
                         f"vector use negative_log_likelihood")
    p = numbers("p", p)
    if np.any((p < 0.0) | (p > 1.0)):
        raise ValueError(f"p must hold probabilities in [0, 1], got {p[(p < 0.0) | (p > 1.0)][0]}")
    return scaled(minus_log(p), base)


def negative_log_likelihood(q: Any, x: Any, *, base: float = 2.0) -> Any:
    """-log q(x) of every observation x; over observations drawn from p its mean estimates the cross entropy H(p, q).

    Parameters
    ----------
    q : array of float, or Distribution
        A probability vector, or one for each observation (a forecast for each day, say); or a law.
    x : array
        Indices of what was observed, or points of the law. The result has one entry for each.
    base : float
        2 for bits, math.e for nats.

    Raises
    ------
    ValueError
        If q is not a probability vector, or x holds an index that q does not have.

    Source: Cover and Thomas, Elements of Information Theory (2006), section 11.1.

    >>> float(negative_log_likelihood([0.5, 0.25, 0.25], [0, 0, 2, 1]).mean())
    1.5
    """
    if isinstance(q, Distribution):
        return self_information(q, x, base=base)
    q, x = probabilities("q", q), np.asarray(x)
    k = q.shape[-1]
    if x.dtype.kind not in "iu" or np.any((x < 0) | (x >= k)):
        raise ValueError(f"x must hold integers from 0 to {k - 1}, indices into q, got {x!r}")
    try:
        shape = np.broadcast_shapes(q.shape[:-1], x.shape)
    except ValueError:
        raise ValueError(f"x must fit the leading axes of q, got shapes {x.shape} and {q.shape}") from None
    seen = np.take_along_axis(np.broadcast_to(q, (*shape, k)), np.broadcast_to(x, shape)[..., None], axis=-1)
    return scaled(minus_log(seen[..., 0]), base)


# ------------------------------------------------------------------------------------------------ of one law
def entropy(p: Any, *, base: float = 2.0, samples: int | None = None, seed: int = 0) -> Any:
    """H(p) = E_p[-log p], exact, or estimated from draws of a law.

    Parameters
    ----------
    p : array of float, or Distribution
        Probability vectors, or a law; of a law of reals it is the differential entropy.
    base : float
        2 for bits, math.e for nats.
    samples, seed : int, optional
        For a law: the `Estimate` of the mean over this many draws.

    Raises
    ------
    ValueError
        If p is not a probability vector, or a vector law without a closed form and no samples are given.

    Source: Cover and Thomas, Elements of Information Theory (2006), sections 2.1 and 8.1.

    >>> entropy([0.5, 0.25, 0.125, 0.125])
    1.75
    """
    if isinstance(p, Distribution):
        if samples is not None:
            return _sampled(p, None, p, base, samples, seed)
        no_samples(None, seed)
        return scaled(closed_forms.entropy(p), base)
    no_samples(samples, seed)
    from scipy.special import entr
    return scaled(entr(probabilities("p", p)).sum(axis=-1), base)


def perplexity(p: Any) -> Any:
    """2^H(p), H in bits: the number of equally likely outcomes that are as uncertain.

    Source: Jelinek, Mercer, Bahl and Baker, Perplexity: a measure of the difficulty of speech recognition tasks (1977).

    >>> perplexity([0.25, 0.25, 0.25, 0.25])
    4.0
    """
    with np.errstate(over="ignore"):
        return scaled(np.exp2(entropy(p)), math.e)


# ------------------------------------------------------------------------------------------------ of two laws
def cross_entropy(p: Any, q: Any, *, base: float = 2.0, samples: int | None = None, seed: int = 0) -> Any:
    """H(p, q) = E_p[-log q]: what outcomes of p cost in a code made for q; infinite where q misses a part of p.

    Parameters
    ----------
    p, q, base, samples, seed
        As in `kl_divergence`.

    Raises
    ------
    ValueError, UserFunctionError
        As in `kl_divergence`.

    Source: Cover and Thomas, Elements of Information Theory (2006), theorem 5.4.3.

    >>> cross_entropy([0.5, 0.25, 0.125, 0.125], [0.25, 0.25, 0.25, 0.25])
    2.0
    """
    if are_laws(p, q):
        if samples is not None:
            return _sampled(p, None, q, base, samples, seed)
        no_samples(None, seed)
        return scaled(closed_forms.entropy(p) + closed_forms.kl_divergence(p, q), base)
    no_samples(samples, seed)
    p, q = two(p, q)
    with np.errstate(invalid="ignore"):
        return scaled(np.where(p > 0.0, p * minus_log(q), 0.0).sum(axis=-1), base)


def kl_divergence(p: Any, q: Any, *, base: float = 2.0, samples: int | None = None, seed: int = 0) -> Any:
    """KL(p||q) = E_p[log p - log q], what a code made for q wastes: never below 0, and exact however near q is to p.

    Parameters
    ----------
    p, q : arrays of float, or Distributions
        Probability vectors of one length, or laws of one kind and size.
    base : float
        2 for bits, math.e for nats.
    samples, seed : int, optional
        For laws: the `Estimate` of the mean over this many draws of p.

    Raises
    ------
    ValueError
        If p or q is not a probability vector, they do not fit together, or they are vector laws without a closed form
        and no samples are given.
    UserFunctionError
        If a sampled draw of p has q = 0: the divergence is infinite.

    Source: Kullback and Leibler, On information and sufficiency (1951), section 2.

    >>> kl_divergence([0.5, 0.5, 0.0], [1.0, 0.0, 0.0])
    inf
    """
    if are_laws(p, q):
        if samples is not None:
            return _sampled(p, p, q, base, samples, seed)
        no_samples(None, seed)
        return scaled(closed_forms.kl_divergence(p, q), base)
    no_samples(samples, seed)
    return scaled(terms(*two(p, q)).sum(axis=-1), base)


def jensen_shannon_divergence(p: Any, q: Any, *, base: float = 2.0) -> Any:
    """(KL(p||m) + KL(q||m)) / 2 with m = (p + q) / 2: symmetric and at most one bit.

    Parameters
    ----------
    p, q, base
        As in `kl_divergence`.

    Source: Lin, Divergence measures based on the Shannon entropy (1991), section 4.

    >>> jensen_shannon_divergence([1.0, 0.0], [0.0, 1.0])
    1.0
    """
    if are_laws(p, q):
        m = Mixture([p, q], [0.5, 0.5])
        nats: Any = 0.5 * closed_forms.kl_divergence(p, m) + 0.5 * closed_forms.kl_divergence(q, m)
    else:
        p, q = two(p, q)
        nats = 0.25 * (terms(2.0 * p, p + q, q - p) + terms(2.0 * q, p + q, p - q)).sum(axis=-1)   # m may underflow
    return scaled(np.minimum(nats, math.log(2.0)), base)


# ------------------------------------------------------------------------------------------------ by sampling
@dataclass(frozen=True, eq=False)
class LogRatio(Integrand):
    """scale (log over(x) - log under(x)) as an integrand, without `over` scale (-log under(x))."""

    log_over: Callable[..., Any] | None = None
    log_under: Callable[..., Any] | None = None

    def function(self) -> Callable[..., Any]:
        """The plain function (record, x) -> value to compile."""
        log_over, log_under = self.log_over, self.log_under

        def information(e, x):
            return -e.scale * log_under(e.under, x)                                        # type: ignore[misc]

        def divergence(e, x):
            return e.scale * (log_over(e.over, x) - log_under(e.under, x))                 # type: ignore[misc]
        return information if log_over is None else divergence


def _sampled(p: Distribution, over: Distribution | None, under: Distribution, base: float, samples: int,
             seed: int) -> Estimate:
    """The mean over draws of p."""
    scale = 1.0 / log_base(base)
    data = records.record(scale=scale, under=under.record, **({} if over is None else {"over": over.record}))

    def log_ratio(x):
        return scale * ((0.0 if over is None else over.log_density(x)) - under.log_density(x))
    f = LogRatio(log_ratio, data, None if over is None else over.functions()[1], under.functions()[1])
    return estimate(p, f, samples=samples, seed=seed)
