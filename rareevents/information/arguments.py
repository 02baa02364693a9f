"""What the functions of information take and return: checks of probability vectors, laws and bases."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.distributions import Distribution

TOLERANCE = 1e-9              # of the sum of a probability vector


def probabilities(name: str, p: Any, axes: int = 1) -> np.ndarray:
    """p as an array whose last axis (or last two) holds probabilities that sum to 1."""
    found = numbers(name, p)
    shape = "a probability vector" if axes == 1 else "a joint table of at least two axes"
    if found.ndim < axes or 0 in found.shape:
        raise ValueError(f"{name} must be {shape} with at least one entry, got shape {found.shape}")
    if np.any(found < 0.0):
        raise ValueError(f"{name} must hold no negative entries, got {found.min()}")
    sums = found.sum(axis=tuple(range(-axes, 0)))
    off = np.abs(sums - 1.0) > TOLERANCE
    if np.any(off):
        worst = float(sums.ravel()[np.argmax(off)])
        raise ValueError(f"{name} must sum to 1 within {TOLERANCE:g}, got the sum {worst!r}: divide counts by it")
    return found


def numbers(name: str, p: Any) -> np.ndarray:
    """p as an array of numbers other than NaN."""
    try:
        found = np.asarray(p, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of numbers or a law, got {p!r}") from None
    if np.any(np.isnan(found)):
        raise ValueError(f"{name} must not hold NaN, got {p!r}")
    return found


def two(p: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two probability vectors of one length, their leading axes broadcast."""
    p, q = probabilities("p", p), probabilities("q", q)
    if p.shape[-1] != q.shape[-1]:
        raise ValueError(f"p and q must have one length, got {p.shape[-1]} and {q.shape[-1]}")
    try:
        p, q = np.broadcast_arrays(p, q)
    except ValueError:
        raise ValueError(f"p and q must have leading axes that fit, got shapes {p.shape} and {q.shape}") from None
    return p, q


def are_laws(p: Any, q: Any) -> bool:
    """Whether p and q are laws, of one kind and size, and not vectors."""
    laws = [isinstance(law, Distribution) for law in (p, q)]
    if any(laws) and not all(laws):
        raise ValueError(f"p and q must both be laws or both probability vectors, got {p!r} and {q!r}")
    if all(laws) and (p.dtype is not q.dtype or p.size != q.size):
        kinds = [f"{law!r} of {law.size or 1} {law.dtype.__name__}" for law in (p, q)]
        raise ValueError(f"p and q must be laws of one kind and size, got {kinds[0]} and {kinds[1]}")
    return all(laws)


def no_samples(samples: Any, seed: Any) -> None:
    """Raise if a sampling argument is given where nothing is sampled."""
    if samples is not None:
        raise ValueError(f"samples is for laws, got {samples!r} with probability vectors, whose answer is exact")
    if seed != 0:
        raise ValueError(f"seed is for sampling, got {seed!r} without samples")


def log_base(base: Any) -> float:
    """log(base) of a base above 0 other than 1."""
    if isinstance(base, bool) or not isinstance(base, (int, float, np.integer, np.floating)):
        raise ValueError(f"base must be a number, got {base!r}")
    if not 0.0 < base < math.inf or base == 1.0:
        raise ValueError(f"base must be a finite number above 0 other than 1, got {base!r}")
    return math.log(base)


def scaled(nats: Any, base: Any) -> Any:
    """Nats in another unit, as a float or an array."""
    found = np.asarray(nats) / log_base(base) + 0.0                                        # no negative zero
    return float(found) if found.ndim == 0 else found


def minus_log(p: np.ndarray) -> np.ndarray:
    """-log p, infinite at 0."""
    with np.errstate(divide="ignore"):
        return -np.log(p)
