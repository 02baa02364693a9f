"""What an experiment says of its results."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Told:
    """What an experiment says of its results, made from `config.json` and `result.json` as they are read back.

    Parameters
    ----------
    answer
        What was found, in a sentence or two with its figures.
    captions
        For each plot, in their order, what to look for in it.
    quantity
        What is estimated, in words, such as "P(at least 20 storms in a month)".
    estimates
        Name -> `Estimate.to_dict()`: the methods at equal cost. One called "naive" is naive Monte Carlo.
    best
        The name of the estimate that answers; without one the answer is the sentence.
    exact
        The exact value of the quantity, where it is known.
    bits
        Name of an estimate -> KL(q*||q) of its proposal in bits, where it is known.
    tables
        Heading -> rows, each a mapping from column to value.
    """

    answer: str
    captions: Mapping[str, str] = field(default_factory=dict)
    quantity: str = ""
    estimates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    best: str = ""
    exact: float | None = None
    bits: Mapping[str, float | None] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def checked(told: Told, plots: Iterable[str]) -> Told:
    """What was told, or a ValueError where it leaves out a plot or names what is not there."""
    if not isinstance(told, Told):
        raise TypeError(f"tell must return a Told, got {type(told).__name__}")
    made = set(plots)
    for name in sorted(made - set(told.captions)):
        raise ValueError(f"captions must say what to look for in each plot, but has nothing for {name!r} (if an "
                         f"earlier version of the experiment left that plot, remove it)")
    for name in sorted(set(told.captions) - made):
        raise ValueError(f"captions must name plots that were made, {', '.join(sorted(made)) or 'none'}, got {name!r}")
    if told.best and told.best not in told.estimates:
        raise ValueError(f"best must be the name of an estimate, one of {', '.join(told.estimates) or 'none'}, "
                         f"got {told.best!r}")
    return told
