"""The level that a score exceeds with a given small probability, and the mean beyond it."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rareevents.distributions import Distribution
from rareevents.distributions.base import require_number, require_seed
from rareevents.draws import values, weighted_draws
from rareevents.estimates import Estimate, Evaluations, check_confidence, counted, shown
from rareevents.events import Score, require_fit
from rareevents.integrands import BlackBox
from rareevents.kernels.stages import QUANTILE
from rareevents.methods.importance import check_laws, estimate
from rareevents.proposals.cross_entropy import StalledError
from rareevents.proposals.families import fit_tilt
from rareevents.proposals.tilting import require_tilt, tilt
from rareevents.tasks import on

DRAWS = 10_000                # draws of a round
SHARE = 0.1                   # of a round that is kept
ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Quantile:
    """A level t with P(S >= t) = p, and the mean of the score given that it is reached."""

    value: float                  # t
    low: float                    # of the interval for t
    high: float
    expected_shortfall: float     # E[S | S >= t]
    shortfall_error: float        # its standard error, t taken as known
    probability: float            # p
    confidence: float
    samples: int
    evaluations: Evaluations
    exceedance: Estimate          # of P(S >= t), from draws of its own: its verdict is that of the answer

    @property
    def verdict(self) -> str:
        """What may be claimed: that of the estimate of P(S >= t)."""
        return self.exceedance.verdict

    def __str__(self) -> str:
        return (f"P(score >= t) = {self.probability:g} at t = {self.value:.6g}, {100 * self.confidence:g}% interval "
                f"[{self.low:.6g}, {self.high:.6g}]\nmean beyond t: "
                f"{shown(self.expected_shortfall, self.shortfall_error)}, {counted(self.samples, 'draw')}\n"
                f"{self.verdict}: {self.exceedance.reason}")


def quantile(nominal: Distribution, score: Any, probability: float, *, samples: int = 100_000, seed: int = 0,
             confidence: float = 0.95, threads: int | None = None, executor: Any = None) -> Quantile:
    """The level that a score exceeds with a given small probability, and the expected shortfall beyond it.

    Rounds of draws raise the level as in the cross-entropy method, until the weighted tail function reaches the
    probability. From draws of the last proposal, t is where the tail function, the mean of w 1{S >= t}, is p; its
    interval holds the levels at which that function is within its error of p. For counts t is the smallest value with
    P(S >= t) at most p.

    Parameters
    ----------
    nominal : Distribution
        p, a law that can be tilted.
    score : Score or black box
        Such as identity, total, linear(a), rare.score(function).
    probability : float
        In (0, 0.5): how rarely the level is reached.
    samples : int
        Draws of the answer; as many again estimate P(S >= t) and its verdict.
    seed, confidence, threads, executor
        As in `estimate`.

    Raises
    ------
    StalledError
        If the levels stop rising before the probability is reached.
    ValueError, TypeError
        If an argument breaks its rule.

    Source: Glynn, Importance sampling for Monte Carlo estimation of quantiles (1996), section 3.

    >>> found = quantile(Normal(0.0, 1.0), rare.identity, 1e-6)                             # doctest: +SKIP
    """
    with on(executor):
        return _found(nominal, score, probability, samples, seed, confidence, threads)


def _found(nominal: Distribution, score: Any, probability: float, samples: int, seed: int, confidence: float,
           threads: int | None) -> Quantile:
    """`quantile` on the executor that is set."""
    check_laws(nominal, None)
    if not isinstance(score, (Score, BlackBox)):
        raise TypeError(f"score must be a score such as identity, total or rare.score(function), or a black box, got "
                        f"{score!r}")
    require_number("probability", probability, low=0.0, high=0.5, open_low=True, open_high=True)
    if not isinstance(samples, (int, np.integer)) or isinstance(samples, bool) or samples < 1000:
        raise ValueError(f"samples must be an integer of at least 1,000, got {samples!r}")
    require_seed(seed)
    check_confidence(confidence)
    measure: Any = score if isinstance(score, BlackBox) else _Value(score)
    if isinstance(score, Score):
        require_fit(score >= 0.0, nominal.size)
    if not isinstance(nominal, Distribution):
        raise TypeError(f"nominal must be a Distribution to have quantiles of its scores, got {nominal!r}")
    require_tilt(nominal)
    law, spent = _raised(nominal, score, measure, probability, seed)
    x, log_w = weighted_draws(nominal, law, int(samples), seed, QUANTILE[0])
    s, w = values(measure, x), np.exp(log_w)
    t, low, high, known = _levels(s, w, probability, confidence)
    if not known:
        raise _stalled(nominal, measure, t, probability)
    reached = np.where(s >= t, w, 0.0)
    mass = float(np.mean(reached))
    excess = reached * (s - t)
    shortfall = t + float(np.mean(excess)) / mass
    error = float(np.std(excess - reached * (shortfall - t))) / mass / math.sqrt(len(s))
    check = estimate(nominal, score >= t, proposal=law, samples=int(samples), seed=seed, confidence=confidence,
                     threads=threads)
    counts = Evaluations(0, spent, check.evaluations.audit, 2 * int(samples))
    return Quantile(t, low, high, shortfall, error, float(probability), confidence, int(samples), counts, check)


class _Value:
    """The score's value as an integrand."""

    def __init__(self, score: Score) -> None:
        self.record, self._function, self._name = score.record, score.function, score.name

    def function(self) -> Any:
        return self._function

    def __repr__(self) -> str:
        return self._name


def _raised(nominal: Distribution, score: Any, measure: Any, probability: float,
            seed: int) -> tuple[Distribution, int]:
    """A proposal under which the level is common, and the draws spent."""
    law, best = nominal, -math.inf
    for number in range(ROUNDS):
        x, log_w = weighted_draws(nominal, law, DRAWS, seed, QUANTILE[1 + number])
        s, w = values(measure, x), np.exp(log_w)
        t, _, _, known = _levels(s, w, probability, 0.95)
        spent = (number + 1) * DRAWS
        if known and np.count_nonzero(s >= t) >= SHARE * DRAWS:
            try:
                law = tilt(nominal, score >= t).law
            except (ValueError, AttributeError, TypeError):
                law = fit_tilt(nominal, x[s >= t], w[s >= t])
            return law, spent
        level = min(float(np.quantile(s, 1.0 - SHARE, method="higher")), t)
        if level <= best:
            above = s[s > best]
            if not len(above):
                break
            level = float(np.min(above))
        best = level
        law = fit_tilt(nominal, x[s >= level], w[s >= level])
    raise _stalled(nominal, measure, best, probability)


def _stalled(nominal: Distribution, measure: Any, best: float, probability: float) -> StalledError:
    return StalledError(f"the level of {measure!r} under {nominal!r} stopped rising at {best:.6g} before a probability "
                        f"of {probability:g}: the score may be bounded, or unreachable by tilts")


def _levels(s: np.ndarray, w: np.ndarray, probability: float, confidence: float) -> tuple[float, float, float, bool]:
    """The smallest value v with mean(w 1{s >= v}) <= p, those with this mean less, and plus, its error at most p, and
    whether any value is so rare.
    """
    from scipy.special import ndtri
    order = np.argsort(-s, kind="stable")
    value, weight = s[order], w[order]
    last = np.append(value[1:] != value[:-1], True)          # of each group of ties
    tail, squares = np.cumsum(weight)[last] / len(s), np.cumsum(weight * weight)[last] / len(s)
    distinct = value[last]

    def at(p: float) -> float:
        below = int(np.searchsorted(tail, p, side="right"))
        return float(distinct[max(below - 1, 0)])
    reach = float(ndtri(0.5 * (1.0 + confidence))) * np.sqrt(np.maximum(squares - tail ** 2, 0.0) / len(s))
    # Levels are in doubt where their own tail is within its error of p: for counts that of the next one may be larger.
    low, high = (float(distinct[max(int(np.argmin(np.append(doubt, False))) - 1, 0)])
                 for doubt in (tail - reach <= probability, tail + reach <= probability))
    return at(probability), low, high, bool(tail[0] <= probability)
