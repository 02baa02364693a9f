"""Proposals for events that can only be explored: search, let chains find the mass, fit a mixture to it, refine it."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.certificates import factors, weight_bound
from rareevents.designs import Design, Level
from rareevents.distributions import IID, Distribution, Independent, Mixture, MultivariateNormal
from rareevents.distributions.base import require_seed
from rareevents.distributions.parts import require_law
from rareevents.draws import evaluator, log_ratios, weighted_draws
from rareevents.events import require_fit
from rareevents.integrands import BlackBox, integrand, margin_of
from rareevents.kernels.stages import CHAINS, CLIMB, FITTED, SEARCH, STARTS
from rareevents.kernels.streams import python_stream
from rareevents.proposals.exploration import possible, search
from rareevents.proposals.families import Fit, fit_normal, fitter, nearer
from rareevents.proposals.fitting import fit_mixture, mixed, parts_of
from rareevents.proposals.mixtures import least_second_moment
from rareevents.proposals.moves import drift, is_normal
from rareevents.proposals.tilting import require_tilt
from rareevents.spending import Budget

MODES = 24                    # the most components
FULL = 12                     # dimensions up to which normal components have covariances of their own
ENOUGH = 50                   # hits of the search
RISING = 0.2                  # share of a population that reaches the next level
KEPT = 0.3                    # of the shares before they were chosen to cost least: no component is lost to chance
LARGE = 3000                  # components times dimensions that are fitted
ROUNDS = 5
DEFENSIVE = 0.1               # share of the last mixture that the components, widened, keep


class NothingFoundError(RuntimeError):
    """Exploration found no draw at which f is not zero, or there is no proposal to be learned."""


def explored(nominal: Distribution, event: Any, family: Any = None, *, samples: int | None = None,
             seed: int = 0, budget: Budget | None = None) -> Design:
    """A mixture for an event that nothing is known of: as many components as the exploration finds modes.

    A search with far-reaching draws looks for hits; if there are too few, a population climbs the margin. Chains that
    leave p restricted to the event unchanged carry the hits to its mass. Their ends, in groups, start a mixture of
    tilts (of normal laws with covariances of their own in up to 12 dimensions), refined by rounds of weighted
    expectation and maximisation. The best round's law is kept, with a share of it widened.

    Parameters
    ----------
    nominal : Distribution
        p.
    event : event, function or black box
        What is estimated.
    family : as in `cross_entropy`, optional
        Of the components.
    samples : int, optional
        Draws of each of the steps; default 10,000, and 2,000 of a black box.
    seed : int
        Of the streams.
    budget : Budget, optional
        What all steps together may spend; steps for which it has no room are left out.

    Raises
    ------
    NothingFoundError
        If no draw of the search, nor the climb, is in the event, or the law is comparable with its tilts only and has
        none.
    SpentError
        If the budget ended before there was a proposal.

    Source: Cappe, Douc, Guillin, Marin and Robert (2008), Adaptive importance sampling in general mixture classes, for
    the rounds; Au and Beck (2001) for the climb.
    """
    require_law("nominal", nominal)
    f = integrand(event)
    require_fit(f, nominal.size)
    require_seed(seed)
    if nominal.measure is not None and family is None:
        try:
            require_tilt(nominal)
        except ValueError as error:
            raise NothingFoundError(f"{nominal!r} is comparable with its tilts only, and has none") from error
    count = samples if samples is not None else 2000 if isinstance(f, BlackBox) else 10_000

    budget = budget or Budget()
    evaluate = budget.timed(evaluator(f))

    def size(x: np.ndarray) -> np.ndarray:
        return np.abs(evaluate(x))

    hits = _hits(nominal, f, size, count, seed, budget)
    chains, steps = (max(40, count // 40), 40)
    rng = python_stream(seed, STARTS[0])
    log_p = nominal.log_prob(hits) if nominal.measure is None else np.zeros(len(hits))
    likely = np.argsort(-log_p, kind="stable")[:chains // 2]
    start = hits[np.concatenate([likely, rng.choice(len(hits), chains - len(likely))])]
    budget.take((steps + 1) * chains)
    ended = drift(nominal, size, start, steps, seed, CHAINS[0])
    spent = budget.spent
    fit = fitter(nominal, family)
    law = fit_mixture(ended, np.ones(len(ended)), fit, _modes(ended, chains), seed)
    best, levels, pooled = None, [], fit(ended, np.ones(len(ended)))
    full = family is None and is_normal(nominal) and 1 < (nominal.size or 0) <= FULL
    for number in range(ROUNDS):
        if best is not None and not budget.allows(count // 2):
            break
        budget.take(count // 2)
        drawn = _widened(law, pooled, nominal)
        x, log_w = weighted_draws(nominal, drawn, count // 2, seed, FITTED[number])
        value = size(x)
        with np.errstate(divide="ignore"):
            logs = np.where(value > 0.0, np.log(value) + log_w, -math.inf)
        if not np.any(logs > -math.inf):
            break
        weights = np.exp(logs - np.max(logs))
        effective = float(np.sum(weights)) ** 2 / float(np.sum(weights * weights))
        levels.append(Level(0.0, drawn, int(np.count_nonzero(value)), effective))
        if best is None or effective > best[0]:
            best = (effective, drawn, x, logs)
        component: Fit = (lambda x, w: fit_normal(nominal, x, w)) if full and number >= 1 else fit
        pooled = fit(x, _tempered(weights))
        law = _cheapest(x, weights, drawn, component, parts_of(law), seed,
                        lambda law, pooled=pooled: _widened(law, pooled, nominal))
    if best is None:
        raise _nothing(nominal, f, budget.spent)
    found = _balanced(*best[1:])
    modes = len(parts_of(found))
    return Design(found, f"explored: a mixture of {modes} fitted to what {spent:,} draws found" if modes > 1 else
                  f"explored: fitted to what {spent:,} draws found", weight_bound(nominal, f, found, False),
                  exploration=spent, learning=budget.spent - spent, levels=tuple(levels))


# ------------------------------------------------------------------------------------------------ the steps
def _hits(nominal: Distribution, f: Any, size: Any, count: int, seed: int, budget: Budget) -> np.ndarray:
    """Points with f != 0 by a search, or by a climb along the margin."""
    budget.take(count)
    x = search(nominal, count, seed, SEARCH[0])
    x = x[possible(nominal, x)]
    hit = size(x) > 0.0
    hits, margin = x[hit], margin_of(f)
    if len(hits) < ENOUGH and margin is not None:
        climbed = _climb(nominal, margin, max(200, count // 20), seed, budget)
        hits = np.concatenate([hits, climbed[size(climbed) > 0.0]]) if len(climbed) else hits
    if not len(hits):
        raise _nothing(nominal, f, budget.spent)
    return hits


def _climb(nominal: Distribution, margin: Any, population: int, seed: int, budget: Budget) -> np.ndarray:
    """Draws of p restricted to ever higher levels of the margin, until it is 0: subset simulation."""
    budget.take(population)
    ours, _ = weighted_draws(nominal, None, population, seed, CLIMB[0])
    level = -math.inf
    rng = python_stream(seed, CLIMB[0])
    height = budget.timed(evaluator(margin))
    for number in range(200):
        score = height(ours)
        rising = float(np.quantile(score, 1.0 - RISING, method="higher"))
        if rising >= 0.0:
            return ours[score >= 0.0]
        if rising <= level:
            above = score[score > level]
            if not len(above):
                break
            rising = float(np.min(above))
        level = min(rising, 0.0)
        seeds = ours[score >= level]
        budget.take(10 * population)
        ours = drift(nominal, lambda x, level=level: (height(x) >= level).astype(float),
                     seeds[rng.choice(len(seeds), population)], 10, seed, CLIMB[1 + number])
    return nominal.empty(0)


def _cheapest(x: np.ndarray, weights: np.ndarray, drawn: Distribution, fit: Fit, parts: list[Distribution],
              seed: int, widened: Callable[[Distribution], Distribution]) -> Distribution:
    """Of mixtures with fewer and more components, fitted to half of the draws, the cheapest on the other half.

    The cost of q, widened as it will be drawn from, is the sum of w^2 q_drawn / q over the held-out draws: its second
    moment up to a constant.
    """
    taught = np.arange(len(x)) % 2 == 0
    flat = _tempered(weights)
    most = max(MODES, len(parts)) // (1 if x.ndim == 1 or x.shape[1] * MODES <= LARGE else MODES)
    starts: list[Any] = [count for count in (1, 2, 4, 8, 16, 24) if count <= most]
    found = []
    for start in (*starts, parts):
        try:
            law = fit_mixture(x[taught], flat[taught], fit, start, seed)
        except (ValueError, np.linalg.LinAlgError):
            continue
        with np.errstate(over="ignore", divide="ignore"):
            ratio = np.exp(np.minimum(log_ratios(drawn, widened(law), x[~taught]), 700.0))
            cost = float(np.sum(np.where(weights[~taught] > 0.0, weights[~taught] ** 2 * ratio, 0.0)))
        found.append((cost, len(found), law))
    if not found:
        return fit_mixture(x, flat, fit, 1, seed)
    return fit_mixture(x, flat, fit, parts_of(min(found)[2]), seed, steps=3)


def _modes(ended: np.ndarray, chains: int) -> int:
    rows = ended.reshape(len(ended), -1)
    return max(1, min(MODES, chains // 10, LARGE // rows.shape[1], len(np.unique(rows, axis=0))))


def _tempered(weights: np.ndarray) -> np.ndarray:
    """The weights, flattened by a power while fewer than 30 of them count."""
    power = 1.0
    while power > 0.1:
        flat = weights ** power
        if float(np.sum(flat)) ** 2 / float(np.sum(flat * flat)) >= min(30.0, 0.3 * np.count_nonzero(weights)):
            return flat
        power *= 0.7
    return weights ** power


def _balanced(drawn: Distribution, x: np.ndarray, logs: np.ndarray) -> Distribution:
    """The mixture with the shares that cost least on the draws that were made from it."""
    parts = parts_of(drawn)
    if len(parts) == 1:
        return drawn
    hit = logs > -math.inf
    log_laws = -np.array([log_ratios(drawn, part, x[hit]) for part in parts])
    cheapest = least_second_moment(2.0 * (logs[hit] - np.max(logs)), log_laws)
    before = np.array(drawn.weights)                                                        # type: ignore[attr-defined]
    return mixed(parts, (KEPT * before + (1.0 - KEPT) * cheapest).tolist())


def _widened(law: Distribution, pooled: Distribution, nominal: Distribution) -> Distribution:
    """The mixture with a share for its components with the nominal spread, moved back towards the nominal mean, and for
    one law fitted to all hits: what lies between the components, or beyond them, has no large weights then.
    """
    parts = parts_of(law)
    shares = np.array(law.weights) if isinstance(law, Mixture) else np.ones(1)
    wide = [(_wider(part, nominal), float(share)) for part, share in zip(parts, shares, strict=True)]
    more = [(made, DEFENSIVE * share) for made, share in wide if made is not None]
    if len(parts) > 1:
        more += [(made, 0.5 * DEFENSIVE) for made in (pooled, _wider(pooled, nominal)) if made is not None]
    left = 1.0 - sum(share for _, share in more)
    return mixed([*parts, *(made for made, _ in more)], [*(left * shares), *(share for _, share in more)])


def _wider(part: Any, nominal: Any) -> Distribution | None:
    if isinstance(part, MultivariateNormal):
        base = nominal.covariance if isinstance(nominal, MultivariateNormal) else np.diag(np.asarray(nominal.variance))
        centre = np.asarray(nominal.mean)
        narrow = not np.array_equal(part.covariance, base)      # p/q is bounded towards where its own tail is thinner
        return MultivariateNormal(centre + (0.95 if narrow else 0.85) * (part.mean - centre), base)
    try:
        if isinstance(part, IID) and isinstance(nominal, IID):
            return IID(nearer(part.law, nominal.law, 0.75), nominal.n)
        if isinstance(part, Independent) and isinstance(nominal, (IID, Independent)):
            return Independent([b if b is a or a == b else nearer(a, b, 0.75)
                                for a, b in zip(part.laws, factors(nominal), strict=True)])
    except (ValueError, AttributeError):
        return None
    return None


def _nothing(nominal: Distribution, f: Any, spent: int) -> NothingFoundError:
    return NothingFoundError(f"no draw of {spent:,} that explored {nominal!r} is in {f!r}: it may be impossible, or "
                              f"need a score that rises towards it, as in rare.score(function) >= level, or a proposal "
                              f"of your own")
