"""The audit: draws that would see what a proposal cannot, and what they found.

A proposal's own draws cannot show a part of the event that it almost never draws. So a search that knows nothing of the
proposal looks for points whose term f p/q would move the estimate; chains carry what it found to where its mass is; and
draws around there weigh it.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rareevents.distributions import Distribution
from rareevents.draws import evaluator, log_ratios, weighted_draws
from rareevents.kernels.stages import AUDIT_CHAINS, AUDIT_GIVEN, AUDIT_MIRROR, AUDIT_OWN, AUDIT_SEARCH, AUDIT_WEIGHED
from rareevents.kernels.streams import python_stream
from rareevents.proposals.clusters import clusters
from rareevents.proposals.exploration import mirrored, possible, search
from rareevents.proposals.families import fit_tilt
from rareevents.proposals.fitting import mixed
from rareevents.proposals.moves import drift
from rareevents.spending import Budget, SpentError

SMALLEST, SHARE = 5000, 0.1   # draws of the search: at least, and of those of the estimate
UNCOVERED = 0.1               # share of the sum of all terms: one above it would move the estimate, q does not cover it
CHAINS = 16
COVERED = 10                  # search hits that q covers, without which the search has seen nothing
MIRRORED = 0.25               # of the search, on the other side of the proposal's own hits
GROUPS = 3
OWN = 2000                    # draws of the proposal that show where its own hits are


class Audit(NamedTuple):
    """What an audit found."""

    status: str                   # 'passed', 'failed', 'unresolved' or 'blind'
    missed: float                 # estimated mass that q does not cover, as a share of the estimate
    error: float                  # its standard error
    draws: int                    # spent
    sentence: str
    where: Any = None             # points of the event that q does not cover, as the chains left them; None: none


def budget(samples: int, audit: Any = "auto") -> int:
    """The draws of the search for an estimate of so many draws."""
    if isinstance(audit, (int, float, np.number)):
        return max(1, int(audit * samples))
    return max(SMALLEST, int(SHARE * samples))


def most(samples: int, audit: Any = "auto") -> int:
    """The most draws that an audit spends."""
    return cost(budget(samples, audit))


def beside(samples: int, audit: Any = "auto") -> int:
    """The draws of an estimate that leave room for its audit among so many together; none at all if 0 or less."""
    if isinstance(audit, (int, float, np.number)):
        return int((samples - OWN) / (1.0 + 2.0 * audit))
    return samples - most(samples, audit)


def cost(draws: int) -> int:
    """The most draws that an audit spends whose search makes so many."""
    return 2 * draws + OWN


def explore(nominal: Distribution, f: Any, proposal: Distribution, value: float,
            relative_error: float, samples: int, *, draws: int, seed: int, more: Sequence[Distribution] = (),
            deadline: float = math.inf) -> Audit:
    """Search for event mass that a proposal does not cover; if any is found, carry it home and weigh it.

    A point is not covered if |f| p/q there exceeds a tenth of the sum of all terms, n |value|. With u = max(R/4,
    0.002): failed if the missed share U exceeds u and is known well enough or exceeds 0.1; unresolved if it cannot be
    told; blind if the search hit the covered part less than ten times; passed otherwise.

    Parameters
    ----------
    nominal, f, proposal
        p, f with one value, q.
    value, relative_error, samples
        The estimate that is audited: m, R, n.
    draws : int
        Of the search; if it finds something, as many again.
    seed : int
        Of streams of their own, so the audit changes no bit of the estimate.
    more : sequence of laws
        Others to search with.
    deadline : float
        In seconds of time.perf_counter(): unresolved if it is not done by then.

    Source: the design and its operating characteristics are in docs/audit.md.
    """
    try:
        return _explored(nominal, f, proposal, value, relative_error, samples, draws, seed, more,
                         Budget(deadline=deadline))
    except SpentError:
        return Audit("unresolved", 0.0, 0.0, cost(draws), "The time for the audit ran out: raise max_seconds.")


def _explored(nominal: Distribution, f: Any, proposal: Distribution, value: float, relative_error: float, samples: int,
              draws: int, seed: int, more: Sequence[Distribution], limit: Budget) -> Audit:
    largest = UNCOVERED * samples * abs(value)
    evaluate = limit.timed(evaluator(f))

    def terms(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """|f|, and |f| p/q."""
        size = np.abs(evaluate(x))
        out = np.zeros(len(x))
        hit = size > 0.0
        if hit.any():
            with np.errstate(over="ignore", divide="ignore"):
                out[hit] = np.exp(np.log(size[hit]) + log_ratios(nominal, proposal, x[hit]))
        return size, out

    own, log_w = weighted_draws(nominal, proposal, OWN, seed, AUDIT_OWN[0])
    size = np.abs(evaluate(own))
    hits = size > 0.0
    parts = []
    if hits.any():
        with np.errstate(over="ignore"):
            weights = size[hits] * np.exp(log_w[hits] - np.max(log_w[hits]))
        if np.sum(weights) > 0.0:
            parts.append(mirrored(nominal, own[hits], weights, int(MIRRORED * draws), seed, AUDIT_MIRROR[0]))
    share = (draws - sum(map(len, parts))) // (1 + len(more))
    parts += [weighted_draws(law, None, share, seed, AUDIT_GIVEN[i])[0] for i, law in enumerate(more)]
    parts.append(search(nominal, draws - sum(map(len, parts)), seed, AUDIT_SEARCH[0]))
    x = np.concatenate(parts)
    x = x[possible(nominal, x)]
    size, y = terms(x)
    spent = draws + len(own)
    outside, inside = (size > 0.0) & (y > largest), (size > 0.0) & (y <= largest)
    if not outside.any():
        return _verdict(0.0, 0.0, math.inf, int(inside.sum()), relative_error, spent, found=False)
    first = np.flatnonzero(outside)
    order = first[np.argsort(-y[first], kind="stable")]
    rng = python_stream(seed, AUDIT_OWN[0])
    start = np.concatenate([order[:CHAINS // 2], rng.choice(first, CHAINS - min(CHAINS // 2, len(order)))])
    steps = draws // 2 // CHAINS
    ended = drift(nominal, lambda x: np.abs(evaluate(x)), x[start], steps, seed, AUDIT_CHAINS[0])
    away = terms(ended)[1] > largest
    missed = fits(nominal, ended[away] if away.any() else x[order[:CHAINS]], seed)
    laws, shares = [proposal, *missed], [0.3, *([0.4 / len(missed)] * len(missed))]
    if (~away).any() and away.any():
        found = fits(nominal, ended[~away], seed)
        laws, shares = [*laws, *found], [*shares, *([0.15 / len(found)] * len(found))]
    r2 = mixed(laws, shares)
    x2, log_z = weighted_draws(nominal, r2, draws // 2, seed, AUDIT_WEIGHED[0])
    size2, y2 = terms(x2)
    with np.errstate(divide="ignore"):
        z = np.where((size2 > 0.0) & (y2 > largest), np.exp(np.log(size2) + log_z), 0.0)
    spent += steps * CHAINS + len(x2)
    mass = float(np.mean(z)) / abs(value)
    error = float(np.std(z)) / math.sqrt(len(z)) / abs(value)
    share = z / np.max(z) if np.any(z) else z                  # squares of z itself may be below the smallest double
    effective = float(np.sum(share)) ** 2 / float(np.sum(share * share)) if np.any(z) else 0.0
    if not away.any() and not np.any(z):                       # every chain went home to what q covers
        return _verdict(0.0, 0.0, math.inf, int(inside.sum()), relative_error, spent, found=True)
    return _verdict(mass, error, effective, int(inside.sum()), relative_error, spent, found=True,
                    where=ended[away] if away.any() else None)


def fits(nominal: Distribution, x: np.ndarray, seed: int) -> list[Distribution]:
    """A tilt of the nominal law for each group of points."""
    made = []
    for group in clusters(x, GROUPS, seed):
        try:
            made.append(fit_tilt(nominal, x[group], np.ones(int(group.sum()))))
        except (ValueError, AttributeError, OverflowError):
            continue
    return made or [nominal]


def _verdict(mass: float, error: float, effective: float, seen: int, relative_error: float, spent: int, *, found: bool,
             where: Any = None) -> Audit:
    least = max(0.25 * relative_error, 0.002)
    if found and mass > least and (effective >= 3.0 or mass > 0.1):
        return Audit("failed", mass, error, spent, f"Exploration found event mass worth {_percent(mass)} of the "
                     f"estimate that the proposal almost never draws: add a component there.", where)
    if found and (effective < 10.0 or mass + 2.0 * error > 2.0 * least):
        return Audit("unresolved", mass, error, spent, "Exploration found a part of the event that the proposal almost "
                     "never draws, and could not weigh it: raise audit.", where)
    if seen < COVERED:
        return Audit("blind", mass, error, spent, "Exploration hit the event too rarely to see what the proposal "
                     "misses: raise audit, or give it laws that reach the event.", where)
    return Audit("passed", mass, error, spent, f"{spent:,} exploration draws found nothing that the proposal misses. "
                 f"Evidence, not proof: a set that they cannot hit stays possible.", where)


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g} %" if share < 0.1 else f"{100.0 * share:,.0f} %"
