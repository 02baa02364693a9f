"""What can be wrong with an estimate, and what may be claimed for it.

The checks look at the terms of one proposal. None of them sees event mass that the proposal never draws: only a proven
bound, or exploration with other proposals, speaks about that.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rareevents.intervals import Interval, betting, clopper_pearson, largest_share, rule, zero_hits
from rareevents.moments import Terms
from rareevents.tails import pareto_k

FEWEST_HITS = 100
LARGEST_ERROR = 0.10           # relative
LARGEST_VOV = 0.02             # 0.10 lets a quarter of the runs with infinite variance pass
LARGEST_SHARE = 0.05           # of one squared term in their sum
LARGEST_K = 0.5                # infinite variance above
PARTS, FEWEST_PARTS = 16, 8    # of a run, in the order drawn, whose means are compared
RAREST_PARTS = 1e-5            # probability of as unlike means, or as alike: 1e-3 would refute one good run in 300
LARGEST_TREND = 4.6            # standard errors: 8e-6 for the larger of two; 3.29 refuted one good run in 500
UNDERFLOW = 1e-307             # weights below are zero in compiled code; with NEGLIGIBLE, the share of the sum of terms
NEGLIGIBLE = 1e-6              # that may be lost so
ABOVE_ONE = 6.0                # standard errors by which a probability may exceed one
ROUNDING = 1e-9                # by which a term may exceed a proven bound
WIDEST = 0.5                   # half-width over value of a certified interval that is trusted

# Names of checks whose failure refutes the estimate itself, and of those that say its error bar may be too small.
WRONG = ("numbers", "bound", "second moment", "chunks", "score", "mass")
HEAVY = ("variance of variance", "largest term", "k-hat", "trend")

UNEXPLORED = ("The checks pass, but nothing is proven and no audit was made: event mass that the proposal almost never "
              "draws would stay unseen.")
UNCOVERED = ("The proposal could not be shown to reach wherever the integrand is not zero: what it cannot draw is "
             "missing from the value.")


class Check(NamedTuple):
    """One thing that was looked at: what was found, what was allowed, and what it means."""

    name: str
    status: str                   # 'passed', 'failed' or 'not applicable'; of an audit 'unresolved' or 'blind' too
    figure: float | None
    threshold: float | None
    sentence: str


class Explored(NamedTuple):
    """What exploration with other proposals found: 'passed', 'failed', 'unresolved' or 'blind', and a sentence."""

    status: str
    sentence: str


class Verdict(NamedTuple):
    """What may be claimed for an estimate: the verdict, the kind of its interval, the interval, and why."""

    verdict: str                  # 'trusted', 'caution' or 'not trusted'
    kind: str                     # 'certified' or 'asymptotic'
    interval: Interval
    reason: str


def own_checks(terms: Terms, underflows: int, bound: float | None) -> tuple[Check, ...]:
    """The checks that the terms allow by themselves, in the order of the verdict table.

    Numbers; hits H >= 100; R = se / |mean| <= 0.10; sum (y - mean)^4 / (sum (y - mean)^2)^2 - 1/n <= 0.02;
    max y^2 / sum y^2 <= 0.05; k-hat <= 0.5; and max |y| <= B where B is proven.

    terms: draws of one quantity. underflows: draws in the event whose weight is below 1e-307. bound: B, or
    None.

    Source: thresholds by a study of their power and false alarms; Pederson, Forster and Booth (1997), Nuclear Science
    and Engineering 127, 54, for the variance of the variance; Vehtari et al. (2024), JMLR 25, for k-hat.
    """
    checks = [
        _numbers(terms, underflows),
        _check("hits", terms.hits, FEWEST_HITS, terms.hits >= FEWEST_HITS,
               "Enough draws fall in the event.",
               "Too few draws fall in the event: draw more, or use a proposal nearer to it."),
        _check("relative error", terms.relative_error, LARGEST_ERROR, terms.relative_error <= LARGEST_ERROR,
               "The relative error is small enough for its own estimate to mean something.",
               "The relative error is too large for its own estimate to mean much: draw more."),
    ]
    vov = _variance_of_variance(terms)
    checks.append(_check("variance of variance", vov, LARGEST_VOV, vov is None or vov <= LARGEST_VOV,
                         "The standard error is itself well determined.",
                         "A few large terms make the standard error: draw more, or use a wider proposal.",
                         "All terms are equal: there is no spread to judge."))
    share = largest_share(terms) if terms.hits else None
    checks.append(_check("largest term", share, LARGEST_SHARE, share is None or share <= LARGEST_SHARE,
                         "No single draw dominates the sum of squares.",
                         "One draw makes much of the sum of squares: draw more, or use a wider proposal.",
                         "There is no term."))
    k = pareto_k(terms.largest, terms.hits)
    checks.append(_check("k-hat", k, LARGEST_K, k is None or k <= LARGEST_K,
                         "The largest terms fall off like those of a law with finite variance.",
                         "The largest terms fall off like those of a law with infinite variance: use a wider proposal.",
                         "The largest terms are too few or too nearly equal for a tail to be fitted."))
    if bound is not None:
        largest = float(terms.largest[0]) if len(terms.largest) else 0.0
        checks.append(_check("bound", largest, bound, largest <= bound * (1.0 + ROUNDING),
                             "No draw contradicts the proven bound on the terms.",
                             "A draw exceeds the bound on the terms: what was declared of the event is not true."))
    return tuple(checks)


def order_checks(terms: Terms, groups: Sequence[Terms], repeated: int) -> tuple[Check, ...]:
    """Whether the parts of a run, in the order drawn, are alike.

    Q = sum_c n_c (m_c - m)^2 / s^2 over C parts of about n/16 draws has the chi-square law with C - 1 degrees: 'chunks'
    fails where Q is that far out on either side, or two chunks had the same stream. 'trend' is the slope of the m_c on
    their places, and the difference of the halves, in standard errors.

    terms, groups: the draws of one quantity, altogether and as they were grouped, in the order drawn. repeated: chunks
    whose stream another one had too.

    Source: Lepage (1978), J. Comput. Phys. 27, 192, for the chi-square of parts.
    """
    parts = _parts(groups)
    known = len(parts) >= FEWEST_PARTS and terms.hits >= FEWEST_HITS and _has_spread(terms)
    if repeated:
        apart = Check("chunks", "failed", float(repeated), 0.0,
                      "Chunks had the same stream of random numbers: the run counted draws twice.")
    else:
        rare = _unlikeness(terms, parts) if known else None
        apart = _check("chunks", rare, RAREST_PARTS, rare is None or rare >= RAREST_PARTS,
                       "The parts of the run differ as much as their spread says.",
                       "The parts of the run differ more, or less, than their spread allows: a chunk is damaged, or "
                       "the draws are not independent.",
                       "Too few hits or parts to compare them.")
    trend = _trend(terms, parts) if known else None
    return apart, _check("trend", trend, LARGEST_TREND, trend is None or trend <= LARGEST_TREND,
                         "The terms do not change in the course of the run.",
                         "The terms change in the course of the run: draw more, and look for a state that is kept.",
                         "Too few hits or parts to see a trend.")


def judge(terms: Terms, groups: Sequence[Terms], bound: float | None, naive: bool, indicator: bool, fixed: bool,
          confidence: float, checks: Sequence[Check], support_covered: bool = True,
          explored: Explored | None = None) -> Verdict:
    """What may be claimed: the first row of the verdict table that applies.

    With B proven, slack = 3 B / (n |mean|) is the share of the answer that n draws cannot exclude (e^-3 = 0.05). Where
    slack <= R the asymptotic interval is safe; otherwise the interval is one that B alone certifies.

    terms, groups: the draws of one quantity, altogether and as they were grouped beforehand, in the order drawn.
    bound: B with |y| <= B on the whole event, None where nothing is proven; a certified interval also takes f >= 0 for
    granted unless a term is negative. naive: the proposal is the nominal law. indicator: f is an event, and the mean a
    probability. fixed: whether the number of draws was, before any was seen. confidence: in (0, 1).
    checks: from `own_checks`, and any made elsewhere. support_covered: whether the proposal is known to reach every x
    with f p > 0. explored: what an audit found, None where there was none.
    """
    bound = 1.0 if naive and indicator and bound is None else bound
    ceiling = 1.0 if indicator else math.inf
    failed = {check.name: check for check in checks if check.status == "failed"}

    def asymptotic(verdict: str, reason: str, proven: float | None = None) -> Verdict:
        return Verdict(verdict, "asymptotic", _capped(_rule(terms, confidence, proven), ceiling), reason)

    if indicator and terms.mean - 1.0 > ABOVE_ONE * terms.std_error + ROUNDING:
        return asymptotic("not trusted", f"The estimate of a probability is {terms.mean:.4g}: the density of a law is "
                          f"not normalised, or does not belong to its draws.")
    wrong = [check for name, check in failed.items() if name in WRONG]
    if wrong:
        return asymptotic("not trusted", wrong[0].sentence)
    if terms.hits == 0:
        return _without_hits(terms, bound, confidence, ceiling)
    if bound is not None:
        slack = 3.0 * bound / (terms.draws * abs(terms.mean)) if terms.mean else math.inf
        if slack <= terms.relative_error and not failed:
            reason = f"The bound on the terms is proven on the whole event; at most {slack:.2g} of the value is unseen."
            return _covered(asymptotic("trusted", reason, bound), support_covered)
        if not terms.negative:
            exact = naive and indicator and fixed
            interval = (clopper_pearson(terms.hits, terms.draws, confidence) if exact
                        else betting(groups, bound, confidence))
            return _covered(_certified(terms, _capped(interval, ceiling)), support_covered)
    heavy = [check for name, check in failed.items() if name in HEAVY]
    if heavy:
        return asymptotic("not trusted", heavy[0].sentence)
    if explored is not None and explored.status == "failed":
        return asymptotic("not trusted", explored.sentence)
    if failed:
        return asymptotic("caution", next(iter(failed.values())).sentence)
    if explored is not None:
        return asymptotic("trusted" if explored.status == "passed" else "caution", explored.sentence)
    if not naive:
        return _covered(asymptotic("caution", UNEXPLORED), support_covered)
    if not _has_spread(terms):
        return asymptotic("caution", "All terms are equal, and no bound is known: one unlike them may be rare.")
    return asymptotic("trusted", "The draws are from the nominal law itself, and their terms pass every check.")


def _certified(terms: Terms, interval: Interval) -> Verdict:
    half = 0.5 * (interval.high - interval.low) / terms.mean
    if half <= WIDEST:
        return Verdict("trusted", "certified", interval,
                       "The interval follows from the proven bound on the terms alone: it holds whatever was missed.")
    return Verdict("caution", "certified", interval,
                   f"The interval follows from the proven bound alone, but is wide, half of it "
                   f"{100 * half:.3g} % of the value: draw more.")


def _without_hits(terms: Terms, bound: float | None, confidence: float, ceiling: float) -> Verdict:
    if bound is None:
        return Verdict("not trusted", "asymptotic", zero_hits(terms.draws, math.inf, confidence, ceiling),
                       f"No hits in {terms.draws:,} draws, and no bound on the terms: nothing is known.")
    return Verdict("caution", "certified", zero_hits(terms.draws, bound, confidence, ceiling),
                   f"No hits in {terms.draws:,} draws: an upper bound, not an estimate.")


def _covered(verdict: Verdict, support_covered: bool) -> Verdict:
    """The verdict, at most caution where the proposal may not reach all of the event."""
    if support_covered:
        return verdict
    return verdict._replace(verdict="caution", reason=UNCOVERED)


def _rule(terms: Terms, confidence: float, bound: float | None) -> Interval:
    """The asymptotic interval; all numbers where the sums of the terms are not finite, or too small to tell."""
    if math.isfinite(terms.m4) and math.isfinite(terms.squares) and _resolved(terms):
        return rule(terms, confidence, bound)
    return Interval(-math.inf if terms.negative else 0.0, math.inf, "hall")


def _parts(groups: Sequence[Terms]) -> list[tuple[int, float]]:
    """(draws, mean) of consecutive groups, put together to about a sixteenth of all draws each."""
    least, found = sum(group.draws for group in groups) / PARTS, []
    draws, total = 0, 0.0
    for group in groups:
        draws, total = draws + group.draws, total + group.total
        if draws >= least:
            found.append((draws, total / draws))
            draws, total = 0, 0.0
    return [*found, (draws, total / draws)] if draws >= 0.5 * least and draws else found


def _unlikeness(terms: Terms, parts: list[tuple[int, float]]) -> float:
    """The probability of parts as unlike, or as alike, as these: both sides of the chi-square law."""
    from scipy.special import chdtr, chdtrc
    variance = terms.m2 / (terms.draws - 1.0)
    q = math.fsum(n * (mean - terms.mean) ** 2 for n, mean in parts) / variance
    return min(1.0, 2.0 * min(chdtr(len(parts) - 1, q), chdtrc(len(parts) - 1, q)))


def _trend(terms: Terms, parts: list[tuple[int, float]]) -> float:
    """The larger of two z-scores: of the slope on the place in the run, and of the difference of its halves."""
    deviation = math.sqrt(terms.m2 / (terms.draws - 1.0))
    places, before = [], 0
    for n, _ in parts:
        places.append(before + 0.5 * n)
        before += n
    middle = 0.5 * before
    slope = math.fsum(n * (place - middle) * mean for (n, mean), place in zip(parts, places, strict=True)) \
        / math.sqrt(math.fsum(n * (place - middle) ** 2 for (n, _), place in zip(parts, places, strict=True)))
    first = [(n, mean) for (n, mean), place in zip(parts, places, strict=True) if place < middle]
    n_a, total = sum(n for n, _ in first), math.fsum(n * mean for n, mean in parts)
    half = math.fsum(n * mean for n, mean in first)
    n_b = before - n_a
    halves = (half / n_a - (total - half) / n_b) / math.sqrt(1.0 / n_a + 1.0 / n_b)
    return max(abs(slope), abs(halves)) / deviation


def _capped(interval: Interval, ceiling: float) -> Interval:
    return interval._replace(low=min(interval.low, ceiling), high=min(interval.high, ceiling))


def _has_spread(terms: Terms) -> bool:
    """Whether the terms differ by more than the rounding of their mean."""
    return terms.m2 > 1e-26 * terms.squares


def _variance_of_variance(terms: Terms) -> float | None:
    if not _has_spread(terms):
        return None
    return terms.m4 / terms.m2 / terms.m2 - 1.0 / terms.draws       # m2^2 may underflow where the ratio does not


def _resolved(terms: Terms) -> bool:
    """Whether the power sums are numbers that mean something.

    n m4 >= m2^2 by Cauchy and Schwarz: sums that break it have lost the fourth powers of very small terms.
    """
    return terms.hits == 0 or terms.squares > 0.0 and (
        not _has_spread(terms) or terms.m4 / terms.m2 / terms.m2 * terms.draws > 1.0 - 1e-6)


def _numbers(terms: Terms, underflows: int) -> Check:
    finite = all(map(math.isfinite, (terms.mean, terms.m2, terms.m3, terms.m4)))
    resolved = _resolved(terms)
    underflows = underflows if UNDERFLOW * underflows > NEGLIGIBLE * terms.absolute or terms.absolute == 0.0 else 0
    if not finite:
        sentence = "A sum of the terms is not finite: a weight or the integrand is too large for a double."
    elif underflows:
        sentence = ("Draws in the event have a weight below 1e-307, and what they add is not negligible: the proposal "
                    "is too far out, or the value too small for a double.")
    elif not resolved:
        sentence = ("Powers of the terms are below the smallest double, so their error is not known: multiply an "
                    "integrand by a large constant; of a probability below 1e-150 only oracle.log_value can tell.")
    else:
        sentence = "Every term and every sum is a number."
    status = "passed" if finite and resolved and not underflows else "failed"
    return Check("numbers", status, float(underflows), 0.0, sentence)


def _check(name: str, figure: float | None, threshold: float, passed: bool, good: str, bad: str,
           absent: str = "") -> Check:
    if figure is None:
        return Check(name, "not applicable", None, threshold, absent)
    return Check(name, "passed" if passed else "failed", float(figure), float(threshold), good if passed else bad)
