"""What a run says: a value, its error, an interval, and a verdict with reasons."""
from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from rareevents.checks import Check, Explored, judge, order_checks, own_checks
from rareevents.intervals import largest_share
from rareevents.moments import Moments, Terms
from rareevents.tasks import on

VERDICTS = ("trusted", "caution", "not trusted")             # from best to worst


class Evaluations(NamedTuple):
    """Draws by what they were spent on."""

    exploration: int
    learning: int
    audit: int
    final: int


@dataclass(frozen=True, eq=False)
class Estimate:
    """An estimate of mu = E_p[f] from n weighted draws: the mean of y = f w, with w = p/q.

    For an integrand with several values the numbers are arrays, and `estimate[k]` is the estimate of the k-th.
    """

    value: Any                    # mean of y
    std_error: Any                # sd(y) / sqrt(n)
    relative_error: Any           # std_error / |value|; inf without a hit
    samples: int                  # n
    hits: Any                     # draws with y != 0
    effective_sample_size: Any    # (sum |y|)^2 / sum y^2
    weight_ess: float             # (sum w)^2 / sum w^2
    relative_variance: Any        # n relative_error^2: what one draw costs
    largest_share: Any            # the largest y^2 in sum y^2
    evaluations: Evaluations
    kind: str                     # "asymptotic" or "certified": what the interval rests on
    verdict: str                  # "trusted", "caution" or "not trusted"
    reason: str                   # why, in a sentence
    checks: tuple[Check, ...]
    stopped_by: str               # which stopping rule held first
    seed: int
    confidence: float
    seconds: float                # spent drawing, without compiling
    bound: float | None           # proven bound on |y| over the whole event
    interval_method: str
    how: str = ""                 # which method `solve` chose, in a sentence
    sampled: Estimate | None = None               # beside an exact answer, where `solve` was asked for it
    components: tuple[Estimate, ...] = field(default=(), repr=False)
    _question: dict[str, Any] = field(default_factory=dict, repr=False)
    _terms: Terms | None = field(default=None, repr=False)
    _groups: tuple[Moments, ...] = field(default=(), repr=False)
    _quantity: int = 0
    _own: tuple[float, float] | None = field(default=None, repr=False)      # the interval of `confidence`
    _ends: Any = field(default=None, repr=False)     # confidence -> (low, high), where it does not rest on the terms
    extended: tuple[int, ...] = ()                   # draws at which the run was looked at, and then extended
    _more: Any = field(default=None, repr=False)     # (stop, threads, progress) -> the estimate of a longer run

    def __getitem__(self, k: int) -> Estimate:
        return (self.components or (self,))[k]

    def __len__(self) -> int:
        return len(self.components) or 1

    @property
    def relative_variance_error(self) -> Any:
        """Relative standard error of `relative_variance`; infinite without a hit or without spread."""
        if self.components:
            return np.array([part.relative_variance_error for part in self.components])
        return self._terms.relative_variance_error                                          # type: ignore[union-attr]

    def interval(self, confidence: float | None = None) -> tuple[Any, Any]:
        """The interval (low, high) that holds mu with the given confidence (default: that of the run).

        >>> low, high = estimate.interval(0.99)                                             # doctest: +SKIP
        """
        if confidence is not None:
            check_confidence(confidence)
        if self.components:
            ends = [part.interval(confidence) for part in self.components]
            return np.array([low for low, _ in ends]), np.array([high for _, high in ends])
        level = self.confidence if confidence is None else confidence
        if self._ends is not None:
            return self._ends(level)
        if self._own is not None and level == self.confidence:
            return self._own
        found = judge(self._terms, _summaries(self._groups, self._quantity), checks=self.checks,  # type: ignore[arg-type]
                      confidence=level, **self._question)
        return found.interval.low, found.interval.high

    def extend(self, *, samples: int | None = None, relative_error: float | None = None,
               max_samples: int | None = None, max_seconds: float | None = None, threads: int | None = None,
               executor: Any = None, progress: bool = False) -> Estimate:
        """Continue the run with the same streams: the bits of a run that was asked for so much at once.

        A run that fails its checks may be extended, never replaced by one with another seed: those that pass by luck
        are the ones that missed the tail. `extended` keeps the numbers of draws at which it was looked at.

        Parameters
        ----------
        samples, relative_error, max_samples, max_seconds
            As in `estimate`: of all draws together, those made before included; the time is that of the extension.
        threads, executor, progress
            As in `estimate`.

        Raises
        ------
        ValueError
            If the answer is not a mean of draws, or nothing is left to be drawn.

        >>> longer = estimate.extend(samples=2 * estimate.samples)                          # doctest: +SKIP
        """
        whole = self.components[0] if self.components else self
        if whole._more is None:
            raise ValueError(f"an estimate of kind {self.kind!r} by {self.interval_method} cannot be extended")
        for name, value in (("samples", samples), ("max_samples", max_samples)):
            if isinstance(value, (int, np.integer)) and value <= self.samples:
                raise ValueError(f"{name} must exceed the {self.samples:,} draws that were made, got {value!r}")
        with on(executor):
            found = whole._more((samples, relative_error, max_samples, max_seconds), threads, progress)
        if found.samples <= self.samples:
            held = f"relative_error must be below the {self.relative_error:.4g} that is reached, got {relative_error!r}"
            raise ValueError(held if found.stopped_by == "relative_error" else
                             f"{found.stopped_by} must leave room for more than the {self.samples:,} draws that were "
                             f"made, and their audit, got {dict(max_samples=max_samples, max_seconds=max_seconds)}")
        spent = self.evaluations
        return replace(found, how=self.how, extended=(*self.extended, self.samples),
                       evaluations=Evaluations(spent.exploration, spent.learning,
                                               spent.audit + found.evaluations.audit, found.samples))

    def history(self) -> list[tuple[int, float, float, float, float]]:
        """(n, value, low, high, effective sample size) as the draws came in, for the plot of the running estimate."""
        if self.components:
            raise ValueError("history is that of one quantity: use estimate[k].history()")
        if not self._groups:
            raise ValueError(f"an estimate of kind {self.kind!r} by {self.interval_method} has no history")
        rows, total = [], Moments.empty(self._groups[0].quantities)
        for i, group in enumerate(self._groups):
            total = total.merge(group)
            terms = total.of(self._quantity)
            found = judge(terms, _summaries(self._groups[:i + 1], self._quantity), checks=(),
                          confidence=self.confidence, **self._question)
            rows.append((terms.draws, terms.mean, found.interval.low, found.interval.high, effective(terms)))
        return rows

    def summary(self) -> str:
        """Everything in a few lines."""
        if self.components:
            return "\n".join(f"[{k}] {part.summary()}" for k, part in enumerate(self.components))
        low, high = self.interval()
        if self.kind == "exact":
            beside = "" if self.sampled is None else f"\nSampled beside it: {self.sampled.summary()}"
            return f"{self.value:.15g} ({self.kind})\n{self.how}".rstrip() + beside
        lines = [f"{shown(self.value, self.std_error)}, {100 * self.confidence:g}% interval [{low:.5g}, {high:.5g}] "
                 f"({self.kind}, {self.interval_method})",
                 f"relative error {self.relative_error:.3g}, {counted(self.samples, 'draw')}, "
                 f"{counted(self.hits, 'hit')}, ESS {self.effective_sample_size:,.0f}, stopped by {self.stopped_by}",
                 f"{self.verdict}: {self.reason}", *([self.how] if self.how else [])]
        failed = [check for check in self.checks if check.status == "failed"]
        if failed and self.kind == "certified" and self.verdict == "trusted":
            return "\n".join([*lines, f"  failed, but not needed here: {', '.join(check.name for check in failed)}"])
        lines += [f"  {c.name}: {c.status}" + (f", {c.figure:.3g}" if c.figure is not None else "")
                  + (f" (threshold {c.threshold:g})" if c.threshold is not None else "") + f". {c.sentence}"
                  for c in failed]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """The estimate as plain data. It holds nothing measured in time, so the same run gives the same bytes."""
        if self.components:
            return {"verdict": self.verdict, "components": [part.to_dict() for part in self.components]}
        low, high = self.interval()
        names = ("value", "std_error", "relative_error", "samples", "hits", "effective_sample_size", "weight_ess",
                 "relative_variance", "largest_share", "kind", "verdict", "reason", "stopped_by", "seed", "confidence",
                 "bound", "interval_method", *(["how"] if self.how else []))
        data = {name: getattr(self, name) for name in names}
        data |= {"interval": [low, high], "evaluations": self.evaluations._asdict(),
                 "checks": [check._asdict() for check in self.checks]}
        if self.extended:
            data["extended"] = list(self.extended)
        if self.sampled is not None:
            data["sampled"] = self.sampled.to_dict()
        return plain(data)

    def to_json(self) -> str:
        """`to_dict` as JSON; NaN and infinity are null."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_dataframe(self) -> Any:
        """A table of pandas with a row for each quantity; an ImportError says so where pandas is not installed."""
        from rareevents.frames import frame
        return frame(dict(enumerate(self.components or (self,))))

    def _repr_html_(self) -> str:
        """The card that a notebook shows: value, interval, verdict and reason."""
        from rareevents.report import card
        return card(self.to_dict())

    def plot(self, ax: Any = None, exact: float | None = None) -> Any:
        """The running estimate with its interval against the number of draws; returns the axes."""
        from rareevents.plots import running
        return running({"estimate": self}, exact=exact, ax=ax)


def build(total: Moments, groups: tuple[Moments, ...], *, bound: float | None, naive: bool, indicator: bool,
          covered: bool, stopped_by: str, seed: int, confidence: float, seconds: float,
          explored: Explored | None = None, audited: int = 0, premises: tuple[Check, ...] = (),
          repeated: int = 0, more: Any = None, looked: bool = False) -> Estimate:
    """The estimate of every quantity in `total`.

    explored: what an audit of so many draws found. premises: the checks of the laws. repeated: chunks whose stream
    another one had too. more: how the run is continued. looked: whether part of the draws were seen before the number
    of all was chosen.
    """
    question = dict(bound=bound, naive=naive, indicator=indicator, support_covered=covered,
                    fixed=stopped_by == "samples" and not looked,
                    explored=explored)
    parts = tuple(_one(total, groups, k, question, stopped_by, seed, confidence, seconds, audited, premises, repeated,
                       more) for k in range(total.quantities))
    return parts[0] if total.quantities == 1 else together(parts)


def exact(value: float, *, seed: int, confidence: float, seconds: float, how: str,
          sampled: Estimate | None = None) -> Estimate:
    """An answer that was computed, as an estimate without an error."""
    return Estimate(value=value, std_error=0.0, relative_error=0.0, samples=0, hits=0, effective_sample_size=0.0,
                    weight_ess=0.0, relative_variance=0.0, largest_share=0.0, evaluations=Evaluations(0, 0, 0, 0),
                    kind="exact", verdict="trusted", reason="The answer was computed, not sampled.", checks=(),
                    stopped_by="exact", seed=seed, confidence=confidence, seconds=seconds, bound=None,
                    interval_method="exact", how=how, sampled=sampled, _ends=lambda level: (value, value))


def gbas(found: Any, bound: float, *, evaluations: Evaluations, seed: int, confidence: float, seconds: float, how: str,
         ceiling: float = math.inf) -> Estimate:
    """The estimate of a GBAS run (`methods.gbas`): a relative error that is known exactly."""
    error = found.relative_error

    def ends(level: float) -> tuple[float, float]:
        low, high = found.interval(level)
        return min(low, ceiling), min(high, ceiling)
    low, high = ends(confidence)
    narrow = high - low <= found.value
    return Estimate(value=min(found.value, ceiling), std_error=error * found.value, relative_error=error,
                    samples=found.draws, hits=found.hits, effective_sample_size=float(found.accepted),
                    weight_ess=float(found.accepted),
                    relative_variance=found.draws * error ** 2,
                    largest_share=1.0 / found.accepted, evaluations=evaluations, kind="certified",
                    verdict="trusted" if narrow else "caution",
                    reason="The law of the relative error is known exactly: it follows from the proven bound alone."
                    + ("" if narrow else " But the interval is wide: ask for a smaller relative error."),
                    checks=(), stopped_by="relative_error", seed=seed, confidence=confidence, seconds=seconds,
                    bound=bound, interval_method="gbas", how=how, _ends=ends)


def _one(total: Moments, groups: tuple[Moments, ...], k: int, question: dict[str, Any], stopped_by: str, seed: int,
         confidence: float, seconds: float, audited: int, premises: tuple[Check, ...], repeated: int,
         more: Any) -> Estimate:
    terms, parts = total.of(k), _summaries(groups, k)
    checks = (*own_checks(terms, int(total.counts[k, 2]), question["bound"]), *order_checks(terms, parts, repeated),
              *premises)
    explored = question["explored"]
    if explored is not None:
        checks = (*checks, Check("audit", explored.status, None, None, explored.sentence))
    found = judge(terms, parts, checks=checks, confidence=confidence, **question)
    return Estimate(
        value=terms.mean, std_error=terms.std_error, relative_error=terms.relative_error, samples=terms.draws,
        hits=terms.hits, effective_sample_size=effective(terms), weight_ess=total.weight_ess,
        relative_variance=terms.draws * terms.relative_error ** 2, largest_share=largest_share(terms),
        evaluations=Evaluations(0, 0, audited, terms.draws), kind=found.kind, verdict=found.verdict,
        reason=found.reason, checks=checks, stopped_by=stopped_by, seed=seed, confidence=confidence,
        seconds=seconds, _own=(found.interval.low, found.interval.high),
        bound=question["bound"], interval_method=found.interval.method, _question=question, _terms=terms,
        _groups=groups, _quantity=k, _more=more)


def together(parts: tuple[Estimate, ...]) -> Estimate:
    """Several quantities of one run as one estimate; its verdict is the worst of theirs."""
    worst = max(parts, key=lambda part: VERDICTS.index(part.verdict))
    arrays: dict[str, Any] = {name: np.array([getattr(part, name) for part in parts]) for name in
              ("value", "std_error", "relative_error", "hits", "effective_sample_size", "relative_variance",
               "largest_share")}
    return Estimate(**arrays, samples=worst.samples, weight_ess=worst.weight_ess, evaluations=worst.evaluations,
                    kind=worst.kind, verdict=worst.verdict, reason=worst.reason, checks=worst.checks,
                    stopped_by=worst.stopped_by, seed=worst.seed, confidence=worst.confidence, seconds=worst.seconds,
                    bound=worst.bound, interval_method=worst.interval_method, components=parts)


def effective(terms: Terms) -> float:
    """(sum |y|)^2 / sum y^2, the effective sample size of the terms."""
    return (terms.absolute / math.sqrt(terms.squares)) ** 2 if terms.squares > 0.0 else 0.0


def check_confidence(confidence: Any) -> None:
    """Raise unless the confidence is inside (0, 1)."""
    number = isinstance(confidence, (int, float, np.floating)) and not isinstance(confidence, bool)
    if not number or not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be a number in (0, 1), got {confidence!r}")


def shown(value: float, error: float) -> str:
    """value(error) with the error in units of the last digit.

    >>> shown(1.02006e-08, 2.7e-11)
    '1.0201(27)e-08'
    """
    if value == 0.0 or not math.isfinite(value) or not math.isfinite(error) or error <= 0.0:
        return f"{value:.6g}"
    if error < 1e-14 * abs(value):                         # less than a double can tell
        return f"{value:.15g}"
    exponent = math.floor(math.log10(abs(value)))
    digits = max(0, exponent - math.floor(math.log10(error)) + 1)
    units = round(error / 10.0 ** exponent * 10.0 ** digits)
    return f"{value / 10.0 ** exponent:.{digits}f}({units})e{exponent:+03d}"


def counted(n: int, what: str) -> str:
    """A number of things, such as '1 hit' or '2,000 hits'."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def plain(data: Any) -> Any:
    """Data as JSON knows it: NumPy numbers become Python's, NaN and infinity become None."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    if isinstance(data, np.ndarray):
        return plain(data.tolist())
    if isinstance(data, np.generic):
        return plain(data.item())
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def _summaries(groups: Sequence[Moments], k: int) -> list[Terms]:
    return [group.of(k) for group in groups]
