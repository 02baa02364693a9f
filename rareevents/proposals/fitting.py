"""Mixtures fitted to weighted draws by expectation and maximisation."""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rareevents.certificates import factors
from rareevents.distributions import IID, Distribution, Independent, Mixture
from rareevents.draws import log_densities, log_ratios
from rareevents.kernels.streams import python_stream
from rareevents.proposals.clusters import clusters
from rareevents.proposals.families import Fit

SMALLEST = 0.002              # share below which a component is dropped
STEPS = 12


def fit_mixture(x: np.ndarray, weights: np.ndarray, fit: Fit, start: list[Distribution] | int, seed: int,
                steps: int = STEPS) -> Distribution:
    """A mixture of members of a family with a large weighted likelihood.

    Each draw is shared among the components in proportion to their densities there, then each component is fitted to
    its share; and again. A component that keeps less than 0.2 % of the weight is dropped.

    Parameters
    ----------
    x, weights : arrays
        Draws and what each stands for.
    fit : function
        fit(x, weights) -> law, of one component.
    start : list of laws, or int
        The first components; a number: from as many groups of the draws.
    seed : int
        Of the groups.

    Source: Dempster, Laird and Rubin (1977), with weights as in Cappe et al. (2008), Adaptive importance sampling in
    general mixture classes, section 3.
    """
    kept = weights > 0.0
    x, weights = x[kept], weights[kept] / np.sum(weights[kept])
    if isinstance(start, int):
        rng = python_stream(seed, 1)
        some = x[rng.choice(len(x), min(len(x), 2000), p=weights)]
        laws = [fit(some[group], np.ones(int(group.sum()))) for group in clusters(some, start, seed)]
    else:
        laws = list(start)
    shares = np.full(len(laws), 1.0 / len(laws))
    for _ in range(steps if len(laws) > 1 else 1):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(shares)[:, None] + _log_densities(laws, x)
            top = np.max(logs, axis=0)
            each = np.exp(logs - np.where(top > -math.inf, top, 0.0))
            part = np.where(top > -math.inf, each / np.sum(each, axis=0), 1.0 / len(laws)) * weights
        shares = part.sum(axis=1)
        alive = shares > SMALLEST
        part, shares = part[alive], shares[alive] / shares[alive].sum()
        laws = [fit(x, row) for row in part]
        if len(laws) == 1:
            break
    return mixed(laws, shares.tolist())


def _log_densities(laws: list[Distribution], x: np.ndarray) -> np.ndarray:
    """Up to a factor that all members of the family share."""
    if laws[0].measure is None:
        return log_densities(laws, x)
    return np.array([log_ratios(law, law.tilt(-law.theta), x) for law in laws])             # type: ignore[attr-defined]


def mixed(laws: Sequence[Distribution], weights: Sequence[float]) -> Distribution:
    """The mixture of laws, some of them mixtures, in one level and with as few kinds of components as can be.

    Unlike components are compiled one by one: a mixture of mixtures would take minutes.
    """
    pairs = [(part, weight * share) for law, weight in zip(laws, weights, strict=True)
             for part, share in _shares(law) if weight * share > 0.0]
    if any(isinstance(part, Independent) for part, _ in pairs):
        pairs = [(Independent(factors(part)) if isinstance(part, IID) else part, share) for part, share in pairs]
    total = math.fsum(share for _, share in pairs)
    if len(pairs) == 1:
        return pairs[0][0]
    return Mixture([part for part, _ in pairs], [share / total for _, share in pairs])


def _shares(law: Distribution) -> list[tuple[Distribution, float]]:
    if not isinstance(law, Mixture):
        return [(law, 1.0)]
    return [(part, share * weight) for c, weight in zip(law.components, law.weights, strict=True)
            for part, share in _shares(c)]


def parts_of(law: Distribution) -> list[Distribution]:
    """The components of a mixture, or the law alone."""
    return list(law.components) if isinstance(law, Mixture) else [law]
