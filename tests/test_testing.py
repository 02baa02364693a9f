"""`check_distribution` passes right laws and catches wrong ones: each mutant breaks one thing."""
import math
from dataclasses import dataclass

import numpy as np
import pytest

import rareevents.distributions as d
from rareevents.testing import check_distribution


@dataclass(frozen=True)
class Zipf(d.Distribution):
    """P(x) proportional to x^-a on 1, 2, 3, ..., by Devroye's rejection: a law as a user writes it."""

    a: float
    support = d.integers(1, math.inf)

    def derive(self):
        from scipy.special import zeta
        return {"log_norm": math.log(zeta(self.a)), "b": 2.0 ** (self.a - 1.0)}

    def draw(self, rng):
        while True:
            x = math.floor(rng.random() ** (-1.0 / (self.a - 1.0)))
            t = (1.0 + 1.0 / x) ** (self.a - 1.0)
            if rng.random() * x * (t - 1.0) / (self.b - 1.0) <= t / self.b:
                return x

    def log_density(self, x):
        return -self.a * math.log(x) - self.log_norm if x >= 1 else -math.inf


@dataclass(frozen=True)
class Pair(d.Distribution):
    """Two normal components with a correlation."""

    rho: float
    size = 2
    support = d.reals(-math.inf, math.inf)
    mean = 0.0
    variance = 1.0

    @property
    def covariance(self):
        return np.array([[1.0, self.rho], [self.rho, 1.0]])

    def draw(self, rng, x):
        x[0] = rng.standard_normal()
        x[1] = self.rho * x[0] + math.sqrt(1.0 - self.rho * self.rho) * rng.standard_normal()

    def log_density(self, x):
        s = 1.0 - self.rho * self.rho
        return (-(x[0] * x[0] - 2.0 * self.rho * x[0] * x[1] + x[1] * x[1]) / (2.0 * s)
                - math.log(2.0 * math.pi) - 0.5 * math.log(s))


@pytest.mark.parametrize("law", [Zipf(4.0), Zipf(2.5), Pair(0.0), Pair(0.95)], ids=str)
def test_a_users_law_passes(law):
    check_distribution(law)


@pytest.mark.parametrize("seed", range(20))
def test_no_false_alarm(seed):
    check_distribution(d.Gamma(2.5, 2.0), seed=seed, draws=20_000)
    check_distribution(d.Poisson(4.0), seed=seed, draws=20_000)


# ------------------------------------------------------------------------------------------------ mutants
class MissingNormaliser(d.Gamma):
    def log_density(self, x):
        return (self.shape - 1.0) * math.log(x) - self.rate * x if x > 0.0 else -math.inf


class WrongSign(d.Normal):
    def log_density(self, x):
        z = (x - self.mean) / self.sd
        return 0.5 * z * z - self.log_norm


class RightAtScaleTwo(d.Normal):
    def log_density(self, x):                             # sd = 2: log(sd) is log(2)
        z = (x - self.mean) / self.sd
        return -0.5 * z * z - math.log(2.0) - 0.5 * math.log(2.0 * math.pi)


class OffInOneTail(d.Exponential):
    def log_density(self, x):
        return -math.inf if x < 0.0 else self.log_rate - self.rate * (x if x < 12.0 else 2.0 * x - 12.0)


class NotANumber(d.Normal):
    def log_density(self, x):
        z = (x - self.mean) / self.sd
        return math.sqrt(-z) if z > 3.0 else -0.5 * z * z - self.log_norm


class ShiftedSampler(d.Poisson):
    def draw(self, rng):
        return rng.poisson(self.rate) + 1


class SlightlyShifted(d.Normal):
    def draw(self, rng):
        return self.mean + self.sd * (rng.standard_normal() + 0.02)


class WrongSpread(d.Normal):
    def draw(self, rng):
        return self.mean + 1.02 * self.sd * rng.standard_normal()


class WrongTail(d.Exponential):
    def draw(self, rng):
        x = rng.standard_exponential() / self.rate
        return x if x * self.rate < 9.0 else 2.0 * x      # one draw in 8,000


class DrawsOutside(d.Exponential):
    def draw(self, rng):
        return rng.standard_exponential() / self.rate - 1e-3


class WrongMean(d.Poisson):
    @property
    def mean(self):
        return 1.0001 * self.rate


class WrongVariance(d.Normal):
    @property
    def variance(self):
        return self.sd


class FalselyInfinite(d.Lomax):
    @property
    def variance(self):
        return math.inf


class FalselyFinite(d.Lomax):
    @property
    def variance(self):
        return 100.0


class WrongTransform(d.Exponential):
    def log_mgf(self, theta):
        return math.log1p(-theta / self.rate)


class FiniteTransform(d.LogNormal):
    def log_mgf(self, theta):
        return theta * self.mean + 0.5 * theta * theta * self.variance


class WrongTilt(d.Binomial):
    def tilt(self, theta):
        return WrongTilt(self.n, self.p + 0.1)


class TiltsTooFar(d.Exponential):
    def tilt(self, theta):
        return d.Exponential(abs(self.rate - theta))


class Forgetful(d.Normal):
    def __reduce__(self):
        return Forgetful, (self.mean,)


class PairMissingNormaliser(Pair):
    def log_density(self, x):
        return -(x[0] * x[0] - 2.0 * self.rho * x[0] * x[1] + x[1] * x[1]) / (2.0 * (1.0 - self.rho * self.rho))


class PairWrongCovariance(Pair):
    @property
    def covariance(self):
        return np.array([[1.0, -self.rho], [-self.rho, 1.0]])


class PairShifted(Pair):
    def draw(self, rng, x):
        x[0] = rng.standard_normal() + 0.05
        x[1] = rng.standard_normal()


MUTANTS = [
    (MissingNormaliser(2.5, 2.0), "integrates to"), (MissingNormaliser(30.0, 2.0), "integrates to"),
    (WrongSign(0.0, 1.0), "integrates to"), (RightAtScaleTwo(0.0, 1.0), "integrates to"),
    (RightAtScaleTwo(0.0, 2.001), "integrates to"), (OffInOneTail(1.0), "integrates to"),
    (NotANumber(0.0, 1.0), "log density is nan"),
    (ShiftedSampler(4.0), "disagree with the density"),
    (SlightlyShifted(0.0, 1.0), "standard errors"),
    (WrongSpread(5.0, 0.1), "disagree with the density"), (WrongTail(1.0), "disagree with the density"),
    (DrawsOutside(1.0), "outside its support"), (WrongMean(4.0), "declares the mean"),
    (WrongVariance(0.0, 3.0), "declares the variance"), (FalselyInfinite(2.5, 1.0), "declares an infinite variance"),
    (FalselyFinite(1.5, 1.0), "declares the variance"), (WrongTransform(1.0), "declares log_mgf"),
    (FiniteTransform(0.0, 1.0), "declares log_mgf"), (WrongTilt(20, 0.3), "tilt"), (TiltsTooFar(0.1), "tilt"),
    (Forgetful(0.0, 3.0), "copied"), (PairMissingNormaliser(0.5), "sums or integrates"),
    (PairWrongCovariance(0.5), "covariance"), (PairShifted(0.0), "mean of compiled draws"),
]


@pytest.mark.parametrize(("mutant", "reason"), MUTANTS, ids=lambda v: str(v) if isinstance(v, d.Distribution) else "")
def test_a_mutant_is_caught(mutant, reason):
    with pytest.raises(AssertionError, match=reason) as caught:
        check_distribution(mutant)
    assert repr(mutant) in str(caught.value)


def test_right_at_one_point_passes_there():
    """Why a law is checked at several parameter points."""
    check_distribution(RightAtScaleTwo(0.0, 2.0))
