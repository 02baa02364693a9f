"""Draws that would see what a chosen proposal cannot: they reach far in many directions and know nothing of it.

A search needs no density, so it is assembled from draws of laws of one number: a row has a code for each component, the
number of standard deviations by which its mean is tilted, and all components with one law and one code are drawn
together.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from rareevents.certificates import factors
from rareevents.distributions import (
    IID,
    Distribution,
    Exponential,
    Geometric,
    Independent,
    Mixture,
    MultivariateNormal,
    Normal,
    Reflected,
    Shifted,
    StudentT,
)
from rareevents.distributions.quadrature import marks
from rareevents.draws import weighted_draws
from rareevents.kernels.stages import COMPONENT
from rareevents.kernels.streams import python_stream
from rareevents.proposals.families import fit_tilt, tilt_to

LADDER = (-18.0, -12.0, -8.0, -5.0, -3.0, 3.0, 5.0, 8.0, 12.0, 18.0)   # standard deviations of the mean, numbers
JOINT = (-12.0, -8.0, -5.0, -3.0, 3.0, 5.0, 8.0, 12.0)                 # and of the mean of the total, vectors
SINGLE = (-4.5, -3.0, 3.0, 4.5)                                        # of one component
SOME = (-8.0, -4.5, -3.0, 3.0, 4.5, 8.0, 16.0, 40.0)                   # of some components at once
EACH = (-2.0, 2.0, 4.0, 8.0, 16.0)                                     # of each of all components
SCALES = (1.5, 2.0, 3.0)                                               # of all components, normal laws
MIRROR = (0.75, 1.0, 1.25)                                             # of the way to a mode, on the other side
SHARES = {"nominal": 0.05, "broad": 0.40, "single": 0.30, "joint": 0.25}
WIDER = (3.0, 4.5, 8.0)                                                # codes above which a wide law is the next wider
SCALED = 1000.0                                                        # a code above it is a scale, not a tilt


def search(nominal: Distribution, n: int, seed: int, stage: int) -> np.ndarray:
    """n draws that reach far in many directions.

    Numbers: a ladder of tilts with means several standard deviations off in both directions; where there are none,
    Cauchy or geometric laws of several widths. Vectors: all components broadened, single ones tilted both ways, all
    tilted together. The nominal law always has a share. A law of another kind is searched by its own draws.

    Source: the shares and the steps of the ladder were chosen by their measured power.
    """
    rng = python_stream(seed, stage)
    if isinstance(nominal, Mixture):
        counts = rng.multinomial(n, np.full(len(nominal.components), 1.0 / len(nominal.components)))
        return np.concatenate([search(c, int(k), seed, (stage + (i + 1) * COMPONENT) % 2 ** 32)
                               for i, (c, k) in enumerate(zip(nominal.components, counts, strict=True))])
    if nominal.size is None:
        laws = [nominal, *ladder(nominal)]
        return np.concatenate([_draws(law, n // len(laws) + (i < n % len(laws)), seed, stage + i)
                               for i, law in enumerate(laws)])
    if isinstance(nominal, MultivariateNormal):
        codes, shift = _codes(n, nominal.size, rng, normal=True, joint=False)
        z = _filled([Normal(0.0, 1.0)] * nominal.size, codes, seed, stage)
        sd = np.sqrt(np.asarray(nominal.variance))
        x = nominal.mean + z @ nominal.root.T
        rows = np.flatnonzero(shift != 0.0)
        single = rows[rng.random(len(rows)) < SHARES["single"] / (SHARES["single"] + SHARES["joint"])]
        at = rng.integers(nominal.size, size=len(single))
        x[single] += rng.choice(SINGLE, len(single))[:, None] * nominal.covariance[at] / sd[at][:, None]
        rest = np.setdiff1d(rows, single)
        along = nominal.covariance.sum(axis=0) / math.sqrt(float(nominal.covariance.sum()) or 1.0)
        x[rest] += rng.choice(JOINT, len(rest))[:, None] * along
        return x
    if isinstance(nominal, (IID, Independent)):
        parts = factors(nominal)
        codes, _ = _codes(n, len(parts), rng, normal=all(isinstance(part, Normal) for part in parts), joint=True)
        return _filled(parts, codes, seed, stage).astype(nominal.dtype)
    return _draws(nominal, n, seed, stage)


def possible(nominal: Distribution, x: np.ndarray) -> np.ndarray:
    """Which of the points the nominal law can draw."""
    return np.ones(len(x), bool) if nominal.measure is not None else nominal.log_prob(x) > -math.inf


def mirrored(nominal: Distribution, x: np.ndarray, weights: np.ndarray, n: int, seed: int, stage: int) -> np.ndarray:
    """n draws on the other side of the nominal mean from where the weighted draws x are; none where it has no side."""
    if not isinstance(nominal, (IID, Independent, MultivariateNormal)) and nominal.size is not None:
        return nominal.empty(0)
    found = []
    for i, way in enumerate(MIRROR):
        try:
            law = _mirror(nominal, fit_tilt(nominal, x, weights), way)
        except (ValueError, AttributeError, OverflowError):
            continue
        found.append(_draws(law, n // len(MIRROR), seed, stage + i))
    return np.concatenate(found) if found else nominal.empty(0)


def _mirror(nominal: Any, fitted: Any, way: float) -> Distribution:
    if isinstance(nominal, MultivariateNormal):
        return MultivariateNormal(nominal.mean - way * (fitted.mean - nominal.mean), nominal.covariance)
    if isinstance(nominal, (IID, Independent)):
        pairs = zip(factors(nominal), factors(fitted), strict=True)
        return Independent([a if a is b else _mirror(a, b, way) for a, b in pairs])
    return tilt_to(nominal, nominal.mean - way * (fitted.mean - nominal.mean))


# ------------------------------------------------------------------------------------------------ numbers
def ladder(law: Distribution) -> list[Distribution]:
    """Tilts of a law of one number to both sides, or wide laws towards a side that has no tilt."""
    found = [tilted_by(law, c) for c in LADDER]
    made = [tilted for tilted in found if tilted is not None]
    for sign in (-1, 1):
        if not any(tilted is not None and sign * c > 0.0 for tilted, c in zip(found, LADDER, strict=True)):
            made += _wide(law, sign)
    return made


def tilted_by(law: Distribution, deviations: float) -> Distribution | None:
    """The tilt whose mean is so many standard deviations from the nominal one, or halfway to the support's end; None
    where there is none.
    """
    try:
        sd = math.sqrt(float(law.variance))
        mean = float(law.mean) + deviations * sd
        s = law.supports[0]
        if not s.low < mean < s.high:
            mean = 0.5 * (float(law.mean) + (s.low if mean <= s.low else s.high))
        return tilt_to(law, mean) if math.isfinite(mean) and sd > 0.0 else None
    except (AttributeError, ValueError, OverflowError, ZeroDivisionError):
        return None


def _far(law: Distribution, code: float) -> Distribution:
    """The tilt by so many standard deviations; without one a wide law of that side, wider for larger codes."""
    tilted = tilted_by(law, code)
    wide = _wide(law, 1 if code > 0.0 else -1) if tilted is None else []
    return tilted or (wide[min(len(wide) - 1, int(np.searchsorted(WIDER, abs(code))))] if wide else law)


def _wide(law: Distribution, sign: int) -> list[Distribution]:
    """Laws of several widths on one side of the median."""
    s = law.supports[0]
    if (s.high if sign > 0 else s.low) == (s.low if sign > 0 else s.high):
        return []
    at = marks(law)
    middle, spread = float(at[len(at) // 2]), max(1e-300, float(at[3 * len(at) // 4] - at[len(at) // 4]))
    if law.dtype is int:
        sides = [Geometric(1.0 / (1.0 + width * max(1.0, spread))) for width in (1.0, 10.0, 100.0)]
        return [Shifted(side if sign > 0 else Reflected(side), int(middle)) for side in sides]
    if math.isinf(s.high if sign > 0 else s.low):
        return [StudentT(1.0, middle, width * spread) for width in (1.0, 10.0, 1e3, 1e6)]
    return [Shifted(side if sign > 0 else Reflected(side), middle)
            for side in (Exponential(1.0 / (width * spread)) for width in (1.0, 3.0))]


def _draws(law: Distribution, n: int, seed: int, stage: int) -> np.ndarray:
    return weighted_draws(law, None, n, seed, stage)[0]


# ------------------------------------------------------------------------------------------------ vectors
def _codes(n: int, d: int, rng: np.random.Generator, normal: bool, joint: bool) -> tuple[np.ndarray, np.ndarray]:
    """The code of every component of n rows; and 1 for rows that the caller tilts itself (single and joint)."""
    kind = rng.choice(len(SHARES), n, p=list(SHARES.values()))
    codes = np.zeros((n, d))
    broad = np.flatnonzero(kind == 1)
    if normal:
        codes[broad] = SCALED + rng.choice(SCALES, len(broad))[:, None]
    else:
        share = rng.choice([0.1, 0.3, 0.6], len(broad))[:, None]
        codes[broad] = np.where(rng.random((len(broad), d)) < share, rng.choice(SOME, (len(broad), d)), 0.0)
    if not joint:
        return codes, (kind >= 2).astype(float)
    single = np.flatnonzero(kind == 2)
    codes[single, rng.integers(d, size=len(single))] = rng.choice(SINGLE, len(single))
    together = np.flatnonzero(kind == 3)
    steps = np.array([*(c / math.sqrt(d) for c in JOINT), *([-2.0, 2.0] if normal else EACH)])
    codes[together] = rng.choice(steps, len(together))[:, None]
    return codes, np.zeros(n)


def _filled(parts: Any, codes: np.ndarray, seed: int, stage: int) -> np.ndarray:
    """A draw for every code: of the component's law, tilted or scaled as the code says."""
    x = np.empty(codes.shape)
    groups: dict[int, list[int]] = {}
    for i, part in enumerate(parts):
        groups.setdefault(id(part), []).append(i)
    count = 0
    for columns in groups.values():
        part = parts[columns[0]]
        block = codes[:, columns]
        filled = np.empty(block.shape)
        for code in np.unique(block):
            law = part if code == 0.0 else Normal(part.mean, (code - SCALED) * part.sd) if code > 0.5 * SCALED else \
                _far(part, float(code))
            places = block == code
            filled[places] = _draws(law, int(np.count_nonzero(places)), seed, stage + count)
            count += 1
        x[:, columns] = filled
    return x
