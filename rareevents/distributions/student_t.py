"""Student's t law: density proportional to (1 + z^2 / df)^-((df+1)/2), z = (x - loc) / scale."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rareevents.distributions.base import Distribution, Support, reals, require, require_number
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class StudentT(Distribution):
    """Normal law of uncertain scale, with tails x^-df: density proportional to (1 + z^2 / df)^-((df+1)/2).

    Here z = (x - loc) / scale, and the factor is Gamma((df+1)/2) / (Gamma(df/2) scale sqrt(df pi)).

    Parameters
    ----------
    df : float
        Degrees of freedom, at least 0.1 (below, draws leave the range of a double). The mean is NaN up to 1; the
        variance is NaN up to 1 and infinite up to 2.
    loc : float
        Centre, in the unit of x.
    scale : float
        Spread, above 0, in the unit of x; the standard deviation is scale sqrt(df / (df-2)).

    Raises
    ------
    ValueError
        If df is below 0.1, the scale is not above 0, or one of the three is not finite.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1995), chapter 28.

    >>> StudentT(df=4.0, loc=1.0, scale=2.0).variance
    8.0
    """

    df: float
    loc: float = 0.0
    scale: float = 1.0
    support: ClassVar[Support] = reals(-math.inf, math.inf)

    def __post_init__(self) -> None:
        require_number("df", self.df, low=0.1)
        require_number("loc", self.loc)
        require_number("scale", self.scale, low=0.0, open_low=True)

    def derive(self) -> dict[str, Any]:
        a = 0.5 * self.df
        s = 1.0 / (a * a)                                # Gamma(a + 1/2) / Gamma(a): its logarithms cancel for large a
        ratio = (0.5 * math.log(a) - (1.0 / 8.0 - s * (1.0 / 192.0 - s * (1.0 / 640.0 - s * 17.0 / 14336.0))) / a
                 if a > 20.0 else math.lgamma(a + 0.5) - math.lgamma(a))
        return {"log_df": math.log(self.df),
                "log_norm": math.log(self.scale) + 0.5 * math.log(self.df * math.pi) - ratio}

    # Sampling
    def draw(self, rng: Rng) -> float:
        spread = max(rng.standard_gamma(0.5 * self.df), 1e-300) * 2.0 / self.df
        return self.loc + self.scale * rng.standard_normal() / math.sqrt(spread)

    # Evaluation
    def log_density(self, x: float) -> float:
        z = abs(x - self.loc) / self.scale
        power = math.log1p(z * z / self.df) if z < 1e150 else 2.0 * math.log(z) - self.log_df
        return -0.5 * (self.df + 1.0) * power - self.log_norm

    def log_tails(self, x: float) -> tuple[float, float]:
        from scipy.special import stdtr
        z = (x - self.loc) / self.scale
        with np.errstate(divide="ignore"):
            return float(np.log(stdtr(self.df, z))), float(np.log(stdtr(self.df, -z)))

    # Moments
    @property
    def mean(self) -> float:
        return float(self.loc) if self.df > 1.0 else math.nan

    @property
    def variance(self) -> float:
        if self.df > 2.0:
            return self.scale ** 2 * self.df / (self.df - 2.0)
        return math.inf if self.df > 1.0 else math.nan

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return math.inf if theta != 0.0 else 0.0

    def tilt(self, theta: float) -> StudentT:
        require(theta == 0.0, "theta", theta, "0: a Student t law has no moment generating function elsewhere; use a "
                "StudentT with another loc or scale as the proposal")
        return self
