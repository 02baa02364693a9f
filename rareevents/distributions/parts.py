"""What laws made of other laws share: which parts are alike, checks of parts, their supports and moments."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rareevents.distributions.base import Distribution, Support
from rareevents.kernels import records


def alike(laws: Sequence[Distribution]) -> list[list[int]]:
    """The laws' indices in groups with the same functions and the same shape of record: one stack each.

    The number of laws in a group is data. Unlike groups are compiled one by one.
    """
    groups: dict[Any, list[int]] = {}
    for i, law in enumerate(laws):
        groups.setdefault((law.functions_key, law.dtype, records.shape(law.record)), []).append(i)
    return list(groups.values())


def stacks(laws: Sequence[Distribution], groups: list[list[int]]) -> tuple[Any, ...]:
    """The records of all laws: a stack per group, nested pairwise."""
    return records.nest([records.stack([laws[i].record for i in group]) for group in groups])


# ------------------------------------------------------------------------------------------------ arguments
def require_law(name: str, law: Any, *, scalar: bool = False) -> None:
    """Raise unless `law` is a law, with numbers as draws if it must be `scalar`."""
    if not isinstance(law, Distribution):
        raise TypeError(f"{name} must be a law (an instance of a Distribution), got {law!r}")
    if scalar and law.size is not None:
        raise TypeError(f"{name} must be a law of one number, got {law!r}, whose draws are rows of {law.size}")


def laws_of(name: str, laws: Any, *, scalar: bool = False) -> tuple[Distribution, ...]:
    """A non-empty sequence of laws as a tuple."""
    if isinstance(laws, Distribution) or not isinstance(laws, Iterable):
        raise TypeError(f"{name} must be a sequence of laws, got {laws!r}")
    result = tuple(laws)
    if not result:
        raise ValueError(f"{name} must hold at least one law, got {laws!r}")
    for i, law in enumerate(result):
        require_law(f"{name}[{i}]", law, scalar=scalar)
    return result


def require_alike(name: str, law: Distribution, nominal: Distribution) -> None:
    """Raise unless draws of a law can be weighted by p/q: those of both laws must be of one size and kind."""
    if law.size != nominal.size:
        raise ValueError(f"{name} must have the size of the nominal law, {nominal.size}, got {law.size} in {law!r}")
    if law.measure != nominal.measure:
        raise ValueError(f"{name} must be a tilt of the nominal law {nominal!r}, or a mixture of its tilts, got "
                         f"{law!r}: densities of other laws cannot be compared with its own")
    if law.dtype is not nominal.dtype:
        raise ValueError(f"{name} must draw {nominal.dtype.__name__}s as the nominal law {nominal!r} does, got "
                         f"{law!r}, which draws {law.dtype.__name__}s")


def thetas(theta: Any, n: int) -> np.ndarray:
    """A tilt of n components from one number for all or from a vector."""
    values = np.asarray(theta, float)
    if values.shape not in ((), (n,)):
        raise ValueError(f"theta must be a number or a vector of {n} numbers, got {theta!r}")
    return np.broadcast_to(values, (n,))


# ------------------------------------------------------------------------------------------------ arithmetic
def hull(supports: Sequence[Any]) -> Any:
    """The smallest interval that contains the supports; of each component for vector laws."""
    if any(isinstance(s[0], tuple) for s in supports):
        size = next(len(s) for s in supports if isinstance(s[0], tuple))
        rows = [s if isinstance(s[0], tuple) else (s,) * size for s in supports]
        return tuple(hull(column) for column in zip(*rows, strict=True))
    kind = "integers" if all(s.kind == "integers" for s in supports) else "reals"
    return Support(kind, min(s.low for s in supports), max(s.high for s in supports))


def log_sum_exp(values: Iterable[float]) -> float:
    """log(sum(exp(values))) without overflow."""
    terms = list(values)
    top = max(terms)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(v - top) for v in terms))
