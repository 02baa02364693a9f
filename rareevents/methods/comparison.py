"""Several proposals on one question, side by side at equal draws."""
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rareevents.designs import Design, law_of
from rareevents.distributions import Distribution
from rareevents.engine import Stop
from rareevents.estimates import Estimate, plain
from rareevents.integrands import integrand
from rareevents.methods.importance import check_laws, weigh
from rareevents.processes import Process
from rareevents.sampler import length
from rareevents.tasks import on

SHORTEST = 0.2                # seconds of a run whose time means something


class Ratio(NamedTuple):
    """A ratio with its standard error, both None where a proposal had no hit."""

    value: float | None
    std_error: float | None

    def __str__(self) -> str:
        if self.value is None or self.std_error is None:
            return "no hit to compare"
        value, error = (float(f"{figure:.{digits}g}") for figure, digits in ((self.value, 3), (self.std_error, 1)))
        return f"{value:,.15g} +- {error:,.15g}"


@dataclass(frozen=True)
class Comparison:
    """The estimates of several proposals for one question, by name; the first is the reference of the ratios."""

    estimates: dict[str, Estimate]

    def __iter__(self) -> Iterator[str]:
        return iter(self.estimates)

    def __len__(self) -> int:
        return len(self.estimates)

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def variance_ratio(self, name: str) -> Ratio:
        """Relative variance per draw of the reference over that of `name`: how many times fewer draws it needs.

        The standard error is the delta method on both; each relative variance has its own relative standard error.
        """
        reference, other = (self.estimates[key] for key in (next(iter(self.estimates)), name))
        if name == next(iter(self.estimates)):
            return Ratio(1.0, 0.0)
        parts = [_relative_variance(estimate) for estimate in (reference, other)]
        if any(value is None or value[0] == 0.0 for value in parts):
            return Ratio(None, None)
        (a, error_a), (b, error_b) = parts                                                  # type: ignore[misc]
        return Ratio(a / b, a / b * math.hypot(error_a, error_b))

    def efficiency_ratio(self, name: str) -> float | None:
        """The same at equal seconds: the variance ratio times the reference's seconds per draw over those of `name`.

        It is measured in time, so it is never in `to_dict`; None for runs too short to be timed.
        """
        reference, other = self.estimates[next(iter(self.estimates))], self.estimates[name]
        ratio = self.variance_ratio(name).value
        if ratio is None or min(reference.seconds, other.seconds) < SHORTEST:
            return None
        return ratio * (reference.seconds / reference.samples) / (other.seconds / other.samples)

    def summary(self) -> str:
        """A line for each proposal."""
        width = max(map(len, self.estimates))
        lines = []
        for name, estimate in self.estimates.items():
            ratio = self.variance_ratio(name)
            faster = self.efficiency_ratio(name)
            gain = ("the reference" if name == next(iter(self.estimates)) else f"variance ratio {ratio}"
                    + (f" ({faster:.2g} at equal seconds)" if faster is not None else ""))
            lines.append(f"{name:<{width}}  {str(estimate).splitlines()[0]}\n{'':<{width}}  relative error "
                         f"{estimate.relative_error:.3g}, {estimate.hits:,} hits, {gain}, {estimate.verdict}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """The estimates and ratios as plain data, nothing of it measured in time."""
        return {name: {**estimate.to_dict(), "variance_ratio": plain(self.variance_ratio(name)._asdict())}
                for name, estimate in self.estimates.items()}

    def to_dataframe(self) -> Any:
        """A table of pandas with a row for each proposal; an ImportError says so where pandas is not installed."""
        from rareevents.frames import frame
        return frame(self.estimates, variance_ratio=[self.variance_ratio(name).value for name in self.estimates])

    def _repr_html_(self) -> str:
        """The table that a notebook shows: a row for each proposal."""
        from rareevents.report import comparison_card
        return comparison_card(self.to_dict())

    def plot(self, ax: Any = None, exact: float | None = None) -> Any:
        """The running estimates with their intervals against the number of draws; returns the axes."""
        from rareevents.plots import running
        return running(self.estimates, exact=exact, ax=ax)


def compare(nominal: Distribution | Process, f: Any,
            proposals: Mapping[str, Distribution | Process | Design | None], *, samples: int, seed: int = 0,
            confidence: float = 0.95, threads: int | None = None, executor: Any = None,
            progress: bool = False) -> Comparison:
    """Estimate E_p[f] with each proposal from the same number of draws, each with streams of its own.

    Where nothing is proven about a proposal, the draws of its audit come on top of the equal ones.

    Parameters
    ----------
    nominal, f, samples, seed, confidence, threads, executor, progress
        As in `estimate`; f has one value.
    proposals : mapping from name to Distribution, Process, Design or None
        What to compare: laws of draws or of paths, as the nominal law is; None is naive Monte Carlo. The first one is
        the reference of the variance ratios, and has the streams of `estimate`.

    Raises
    ------
    ValueError, TypeError
        If there is no proposal, a name is not a string, f has several values, or as in `estimate`.
    UserFunctionError
        As in `estimate`.

    >>> compare(p, event, {"naive": None, "tilted": q}, samples=1_000_000, seed=1)          # doctest: +SKIP
    """
    if not isinstance(proposals, Mapping) or not proposals:
        raise ValueError(f"proposals must be a mapping from names to laws with at least one entry, got {proposals!r}")
    for name, proposal in proposals.items():
        if not isinstance(name, str):
            raise TypeError(f"proposals must have names that are strings, got {name!r}")
        check_laws(nominal, law_of(proposal))
    f = integrand(f)
    several = length(f, nominal)                           # type: ignore[arg-type]   (None for paths)
    if several is not None:
        raise ValueError(f"f must have one value in a comparison, got {several}: compare each")
    with on(executor):
        return Comparison({name: weigh(nominal, f, law_of(proposal), Stop(samples), seed=seed, confidence=confidence,
                                       threads=threads, progress=progress, stage=stage)
                           for stage, (name, proposal) in enumerate(proposals.items())})


def _relative_variance(estimate: Estimate) -> tuple[float, float] | None:
    """n R^2 and its own relative standard error."""
    if not estimate.hits or estimate.value == 0.0:
        return None
    return estimate.relative_variance, estimate.relative_variance_error
