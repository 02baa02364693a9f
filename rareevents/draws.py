"""Draws, weights and values as arrays, for those who look at each draw: designs, audits, replicates."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from rareevents.blame import UserFunctionError, python, raised, shown, user_function
from rareevents.distributions import Distribution
from rareevents.distributions.base import densities, draws
from rareevents.distributions.parts import alike
from rareevents.integrands import BlackBox
from rareevents.kernels import chunks, records
from rareevents.kernels.fuse import CompileError, fuse
from rareevents.tasks import current, in_order

SLICE = 32                    # draws of a black box that an executor's worker takes at once


def weighted_draws(nominal: Distribution, proposal: Distribution | None, n: int, seed: int,
                   stage: int) -> tuple[np.ndarray, np.ndarray]:
    """n draws x of the proposal (None: of the nominal law) and their log weights log p(x) - log q(x), in nats."""
    law = nominal if proposal is None else proposal
    x = draws(law, n, seed, stage)
    return x, np.zeros(n) if proposal is None else log_ratios(nominal, law, x)


def values(f: Any, x: np.ndarray) -> np.ndarray:
    """f, one number per draw, at every entry or row of x; what raises, NaN and infinity are errors, as in a chunk."""
    return evaluator(f)(x)


def evaluator(f: Any) -> Callable[[np.ndarray], np.ndarray]:
    """`values` of f as a function of x, for draws of one law: what it compiles, it keeps."""
    kernel: Any = None

    def called(x: np.ndarray) -> np.ndarray:
        nonlocal kernel
        if isinstance(f, BlackBox):
            return _of_black_box(f, x)
        out, w, empty = np.empty((1, len(x))), np.empty(len(x)), records.record()
        arguments = (empty, empty, f.record, np.ascontiguousarray(x), w, out)
        if kernel is None:
            kernel = fuse(chunks.values, {"weigh": chunks.weigher(None, None, f.function(), None)}, arguments)
        kernel(*arguments)
        return out[0]

    def evaluate(x: np.ndarray) -> np.ndarray:
        try:
            y = called(x)
        except CompileError:
            raise
        except Exception as error:
            raise UserFunctionError(_where_raised(f, x, error)) from error
        bad = np.flatnonzero(~np.isfinite(y))
        if len(bad):
            raise UserFunctionError(f"{f!r} returned {y[bad[0]]} at x = {shown(x[bad[0]])}")
        return y
    return evaluate


def _of_black_box(f: BlackBox, x: np.ndarray) -> np.ndarray:
    """Its values; from the workers of an executor, where there is one."""
    executor = current.get()
    if executor is None or len(x) <= SLICE:
        return _slice(f, 0, x)
    slices = ((k, x[k:k + SLICE]) for k in range(0, len(x), SLICE))
    return np.concatenate([y for _, y in in_order(executor, partial(_slice, f), slices, "draw")])


def _slice(f: BlackBox, first: int, x: np.ndarray) -> np.ndarray:
    return np.asarray(f.f(x), float).reshape(len(x)) if f.vectorized else np.array([float(f.f(v)) for v in x])


def _where_raised(f: Any, x: np.ndarray, error: Exception) -> str:
    """The draw at which plain Python raises the same."""
    call = f.f if isinstance(f, BlackBox) else lambda v: f.function()(f.record, v)
    for v in x if not (isinstance(f, BlackBox) and f.vectorized) else ():
        try:
            call(v if isinstance(f, BlackBox) else python(v))
        except Exception as cause:
            return f"{raised(user_function(f) or f, cause)} at x = {shown(v)}"
    return f"{f!r} raised {type(error).__name__}: {error}"


def log_ratios(p: Distribution, q: Distribution, x: np.ndarray) -> np.ndarray:
    """log p(x) - log q(x) at every entry or row of x, also for laws whose densities are known up to a common factor."""
    with np.errstate(invalid="ignore"):                    # where neither law can draw: NaN
        return densities(p, x) - densities(q, x)


def log_densities(laws: Sequence[Distribution], x: np.ndarray) -> np.ndarray:
    """log q_j(x) [law, draw] of laws with densities, those with the same functions in one call of a kernel."""
    out = np.empty((len(laws), len(x)))
    for group in alike(laws):
        found = np.empty((len(group), len(x)))
        arguments = (records.stack([laws[j].record for j in group]), np.ascontiguousarray(x), found)
        fuse(chunks.log_densities_of_each, {"log_density": laws[group[0]].functions()[1]}, arguments)(*arguments)
        out[group] = found
    return out
