"""Problems about money: portfolios of loans, options, ruin by heavy-tailed claims, a mean beyond a quantile."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import rareevents as rare
from rareevents.kernels.streams import Rng
from rareevents.problems.problem import Problem


def tail(n: int, p: float, k: int) -> float:
    """P(X >= k) of X ~ Binomial(n, p), k >= 1, summed upwards from k."""
    if p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    log_first = math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0) + k * math.log(p) \
        + (n - k) * math.log1p(-p)
    term, total, odds = math.exp(log_first), 0.0, p / (1.0 - p)
    for i in range(k, n + 1):
        total += term
        if term < 1e-17 * total and i > n * p:
            break
        term *= odds * (n - i) / (i + 1.0)
    return min(total, 1.0)


def normal_tail(x: float) -> float:
    return 0.5 * math.erfc(x / 1.4142135623730951)


def loans(m: int, threshold: float, weight: float, k: int) -> Callable[[float], float]:
    """The chance that k of m loans default, given the economy z: each does if weight z + its own noise > threshold."""
    own = math.sqrt(1.0 - weight * weight)

    def given(z: float) -> float:
        return tail(m, normal_tail((threshold - weight * z) / own), k)
    return given


def shocked(x: np.ndarray) -> float:
    """The same of 63 of 250 loans: x[0] is the economy, and a shock divides all by the root of x[1]."""
    limit, own = 0.5 * math.sqrt(250.0) * math.sqrt(x[1]), 3.0 * math.sqrt(1.0 - 0.0625)
    return tail(250, normal_tail((limit - 0.25 * x[0]) / own), 63)


def call(strike: float) -> Callable[[float], float]:
    """A discounted call on a share of 100 with a rate of 5 % and a volatility of 20 %, after a year."""
    def paid(z: float) -> float:
        return math.exp(-0.05) * max(100.0 * math.exp(0.03 + 0.2 * z) - strike, 0.0)
    return paid


def asian(z: np.ndarray) -> float:
    """A discounted call at 160 on the geometric mean of 64 prices of that share."""
    log_price, total = math.log(100.0), 0.0
    for i in range(64):
        log_price += 0.03 / 64.0 + 0.2 / 8.0 * z[i]
        total += log_price
    return math.exp(-0.05) * max(math.exp(total / 64.0) - 160.0, 0.0)


QUANTILE = 32.87737748664001    # beyond it lies 1e-4 of the claims


def beyond(s: float) -> float:
    return s if s >= QUANTILE else 0.0


@dataclass(frozen=True)
class TailOfClaims(rare.Distribution):
    """The integrated tail of Weibull claims of shape 1/2: P(X > x) = (1 + y) exp(-y), y = sqrt(x / scale)."""

    scale: float
    support: ClassVar[rare.Support] = rare.reals(0.0, math.inf)

    def draw(self, rng: Rng) -> float:
        y = rng.standard_exponential() + rng.standard_exponential()
        return self.scale * y * y

    def log_density(self, x: float) -> float:
        if x < 0.0:
            return -math.inf
        return -math.sqrt(x / self.scale) - math.log(2.0 * self.scale)

    def survival(self, x: float) -> float:
        y = math.sqrt(max(x, 0.0) / self.scale)
        return (1.0 + y) * math.exp(-y)

    def scaled(self, c: float) -> TailOfClaims:
        return TailOfClaims(c * self.scale)

    def log_tails(self, x: float) -> tuple[float, float]:
        y = math.sqrt(x / self.scale)
        above = math.log1p(y) - y
        return (math.log(-math.expm1(above)) if above < 0.0 else -math.inf), above


def portfolios() -> dict[str, Problem]:
    """The problems by name."""
    economy = rare.Normal(0.0, 1.0)
    found = {
        "1000 loans ≥ 80": Problem(economy, loans(1000, 2.3263478740408408, 0.3, 80), 0.00063407283592404),
        "100 loans ≥ 18": Problem(economy, loans(100, 2.0537489106318225, 0.1, 18), 6.1672171601622e-10),
    }
    for nu, exact in ((4, 0.00812491506707), (8, 0.000242535605438), (16, 6.16918486516e-07), (20, 4.38182835782e-08)):
        shock = rare.Gamma(0.5 * nu, 0.5 * nu)                 # chi-squared with nu degrees of freedom, over nu
        found[f"250 shocked loans, {nu}"] = Problem(rare.Independent([economy, shock]), shocked, exact)
    found |= {
        "call at 200": Problem(economy, call(200.0), 0.004798835106619437),
        "call at 300": Problem(economy, call(300.0), 4.749631265522869e-07),
        "Asian call, 64 dates": Problem(rare.IID(economy, 64), asian, 0.0002085970918913672),
        "mean of claims beyond": Problem(rare.CompoundSum(rare.Poisson(10.0), rare.Exponential(1.0)), beyond,
                                         0.0034885023110895596),
        "ruin, Weibull .5": Problem(rare.CompoundSum(rare.Geometric(0.5), TailOfClaims(1.0)), rare.at_least(300.0),
                                    1.02787543208e-06),
    }
    return found
