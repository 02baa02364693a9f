"""What the tools are asked: estimators of which a draw is timed, and events whose proposal a tool designs itself."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats

# ------------------------------------------------------------------------------------------------ one estimator each
RATE, STORMS, STORM_RATE = 4.0, 20, 20.0                   # N ~ Poisson(4), at least 20 of them, drawn with rate 20
DAYS, WET, WETTER, WET_DAYS = 30, 0.1, 0.4, 12             # days that are wet with probability .1, drawn with .4
LEVEL = 5.0                                                # of the total of a normal vector, over sqrt(d)
CLAIMS, TOTAL = 4.0, 200.0                                 # claims, log-normal(0, 1) each, their largest integrated
WEATHER = np.array([[0.70, 0.20, 0.08, 0.02], [0.30, 0.40, 0.25, 0.05], [0.15, 0.35, 0.35, 0.15],
                    [0.10, 0.25, 0.35, 0.30]])             # sun, cloud, rain, storm; from sun
MONTH_STORMS = 20


@cache
def compound() -> float:
    """P(S >= 200) for S a sum of Poisson(4) log-normal(0, 1) terms, by Fourier transform of the rounded size."""
    step, cells = 0.01, 1 << 21                            # error of order step^2; P(S > 21,000) is below 1e-16
    edges = (np.arange(cells + 1) - 0.5) * step
    p = np.diff(stats.lognorm.cdf(np.maximum(edges, 0.0), 1.0))
    of_sum = np.fft.irfft(np.exp(CLAIMS * (np.fft.rfft(p) - 1.0)), cells)
    at = round(TOTAL / step)
    return float(of_sum[at + 1:].sum() + 0.5 * of_sum[at])


@cache
def month(storms: int) -> float:
    """P(at least so many storm days of 30), by adding up over the states and the count."""
    p = np.zeros((4, DAYS + 1))
    p[0, 0] = 1.0
    for _ in range(DAYS):
        moved = WEATHER.T @ p
        moved[3, 1:], moved[3, 0] = moved[3, :-1].copy(), 0.0
        p = moved
    return float(p[:, storms:].sum())


EXACT = {"storm count": float(stats.poisson.sf(STORMS - 1, RATE)),
         "30 Bernoulli days": float(stats.binom.sf(WET_DAYS - 1, DAYS, WET)),
         "compound Poisson-lognormal": compound(), "normal vector, d = 10": float(stats.norm.sf(LEVEL)),
         "normal vector, d = 100": float(stats.norm.sf(LEVEL)), "weather month": month(MONTH_STORMS)}


# ------------------------------------------------------------------------------------------------ designed by the tool
@dataclass(frozen=True)
class Asked:
    """An event and its probability."""

    kind: str                     # "sum": total of d normals over sqrt(d); "two modes": |x_0 + x_1| / sqrt(2), d = 2;
    level: float                  # "count": Poisson(4); "month": storm days; each at least the level
    exact: float

    @property
    def d(self) -> int:
        return {"sum": 10, "two modes": 2}.get(self.kind, 1)

    @property
    def name(self) -> str:
        return {"sum": "total of ten normals", "two modes": "two modes", "count": "storm count",
                "month": "weather month"}[self.kind] + f", P = {self.exact:.0e}"


class Answer(NamedTuple):
    """What a tool returned, and how often it called the function."""

    value: float
    evaluations: int


class CannotError(Exception):
    """The tool cannot be asked this; the message says why."""


def asked() -> list[Asked]:
    """Each kind at about 1e-4, 1e-8 and 1e-12."""
    found = [Asked("sum", b, float(stats.norm.sf(b))) for b in (3.719, 5.612, 7.034)]
    found += [Asked("two modes", b, float(2.0 * stats.norm.sf(b))) for b in (3.891, 5.731, 7.131)]
    found += [Asked("count", k, float(stats.poisson.sf(k - 1, RATE))) for k in (14, 20, 25)]
    return found + [Asked("month", k, month(k)) for k in (13, 20, 25)]
