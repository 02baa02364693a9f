"""Normal law: density exp(-((x - mean) / sd)^2 / 2) / (sd sqrt(2 pi))."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from rareevents.distributions.base import Distribution, Support, reals, require_number
from rareevents.kernels.streams import Rng


@dataclass(frozen=True)
class Normal(Distribution):
    """Sum of many small effects: density exp(-((x - mean) / sd)^2 / 2) / (sd sqrt(2 pi)).

    Parameters
    ----------
    mean : float
        Expected value.
    sd : float
        Standard deviation, above 0, in the unit of x.

    Raises
    ------
    ValueError
        If the mean is not finite, or sd is not above 0.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994), section 13.1.

    >>> Normal(mean=0.0, sd=2.0).tilt(0.5)
    Normal(mean=2.0, sd=2.0)
    """

    mean: float = 0.0
    sd: float = 1.0
    support: ClassVar[Support] = reals(-math.inf, math.inf)
    log_concave = True

    def __post_init__(self) -> None:
        require_number("mean", self.mean)
        require_number("sd", self.sd, low=0.0, open_low=True)

    def derive(self) -> dict[str, Any]:
        return {"inverse_sd": 1.0 / self.sd,           # a product, where a quotient would cost a nanosecond
                "log_norm": math.log(self.sd) + 0.5 * math.log(2.0 * math.pi)}

    # Sampling
    def draw(self, rng: Rng) -> float:
        return self.mean + self.sd * rng.standard_normal()

    # Evaluation
    def log_density(self, x: float) -> float:
        z = (x - self.mean) * self.inverse_sd
        return -0.5 * z * z - self.log_norm

    def log_tails(self, x: float) -> tuple[float, float]:
        from scipy.special import log_ndtr
        z = (x - self.mean) * self.inverse_sd
        return float(log_ndtr(z)), float(log_ndtr(-z))

    # Moments
    @property
    def variance(self) -> float:
        return float(self.sd) ** 2

    # Tilting
    def log_mgf(self, theta: float) -> float:
        return theta * self.mean + 0.5 * (theta * self.sd) ** 2

    def tilt(self, theta: float) -> Normal:
        return Normal(self.mean + theta * self.sd ** 2, self.sd)
