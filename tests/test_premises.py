"""What must be true of the laws: finite variances, samplers that draw what densities say, weights of mean one."""
import math
from dataclasses import dataclass

import numpy as np
import pytest

import rareevents as rare
from rareevents.checks import LARGEST_TREND, RAREST_PARTS, order_checks
from rareevents.methods.premises import score
from rareevents.methods.solve import designed
from rareevents.moments import Moments
from rareevents.second_moments import infinite_variance

EXPONENTIAL, NORMAL = rare.Exponential(1.0), rare.Normal(0.0, 1.0)
SEASON = rare.CompoundSum(rare.Poisson(4.0), EXPONENTIAL)


@dataclass(frozen=True)
class Shaky(rare.Distribution):
    """A normal law whose sampler may be off in place or scale, and its density in its mass."""

    centre: float
    sd_: float                    # a trailing underscore, as in lambda_, is a name like any other
    off: float = 0.0
    wide: float = 1.0
    lost: float = 0.0
    support = rare.reals(-math.inf, math.inf)

    def draw(self, rng):
        return self.centre + self.off + self.wide * self.sd_ * rng.standard_normal()

    def log_density(self, x):
        return -0.5 * ((x - self.centre) / self.sd_) ** 2 - math.log(self.sd_) - 0.9189385332046727 - self.lost


# ------------------------------------------------------------------------------------------------ second moments
@pytest.mark.parametrize(("nominal", "event", "bad", "good", "says"), [
    (EXPONENTIAL, rare.at_least(20.0), rare.Exponential(2.0), rare.Exponential(1.99), "rate below about 2"),
    (EXPONENTIAL, rare.outside(0.1, 20.0), rare.Exponential(3.0), rare.Exponential(0.05), "rate below about 2"),
    (NORMAL, rare.at_least(2.0), rare.Normal(2.0, 0.7), rare.Normal(2.0, 0.71), "sd above about 0.71"),
    (NORMAL, rare.at_most(-2.0), rare.Normal(-2.0, 0.7), rare.Normal(-2.0, 1.0), "sd above about 0.71"),
    (rare.StudentT(3.0, 0.0, 1.0), rare.at_least(9.0), rare.StudentT(6.0, 0.0, 4.0), rare.StudentT(5.9, 0.0, 4.0),
     "df below about 6"),
    (rare.Lomax(1.5, 1.0), rare.at_least(9.0), rare.Lomax(3.0, 1.0), rare.Lomax(1.0, 1.0), "alpha below about 3"),
    (rare.LogNormal(0.0, 1.0), rare.at_least(9.0), rare.Exponential(0.1), rare.LogNormal(2.0, 1.0), "too slowly"),
    (rare.Weibull(0.5, 1.0), rare.at_least(9.0), rare.Weibull(0.6, 1.0), rare.Weibull(0.4, 1.0), "below about 0.5"),
    (rare.Gamma(0.2, 1.0), rare.at_most(1.0), rare.Gamma(0.5, 1.0), rare.Gamma(0.3, 1.0), "shape below about 0.4"),
    (rare.Geometric(0.5), rare.at_least(20), rare.Geometric(0.9), rare.Geometric(0.1), "p below about 0.75"),
    (rare.Geometric(0.5), rare.at_least(20), rare.Poisson(20.0), rare.Mixture([rare.Poisson(20.0), rare.Geometric(0.5)],
                                                                              [0.9, 0.1]), "too slowly"),
    (SEASON, rare.at_least(30.0), SEASON.tilt(-1.5), SEASON.tilt(-0.9), "theta above about -1"),
    (rare.IID(EXPONENTIAL, 3), rare.total >= 20.0, rare.IID(rare.Exponential(3.0), 3),
     rare.IID(rare.Exponential(0.2), 3), "rate below about 2"),
    (rare.IID(NORMAL, 3), rare.component(1) >= 3.0, rare.Independent([rare.Normal(0.0, 0.5), NORMAL, NORMAL]),
     rare.IID(rare.Normal(1.0, 1.0), 3), "sd above"),
    (rare.MultivariateNormal([0.0, 0.0], np.eye(2)), rare.total >= 3.0,
     rare.MultivariateNormal([1.0, 1.0], [[1.0, 0.9], [0.9, 1.0]]),
     rare.MultivariateNormal([1.0, 1.0], [[1.0, 0.4], [0.4, 1.0]]), "twice the proposal's covariance"),
], ids=lambda value: "" if isinstance(value, rare.Distribution) else None)
def test_infinite_variances_are_known_and_finite_ones_left_alone(nominal, event, bad, good, says):
    assert says in infinite_variance(nominal, event, bad)
    assert infinite_variance(nominal, event, good) is None


def test_where_the_tail_is_not_in_the_event_it_does_not_count():
    assert infinite_variance(EXPONENTIAL, rare.at_most(0.01), rare.Exponential(3.0)) is None
    assert infinite_variance(rare.Gamma(0.2, 1.0), rare.at_least(1.0), rare.Gamma(0.5, 1.0)) is None
    assert infinite_variance(rare.Binomial(10, 0.5), rare.at_least(8), rare.Binomial(10, 0.9)) is None
    assert infinite_variance(EXPONENTIAL, lambda x: x > 20.0, rare.Exponential(3.0)) is None       # it cannot be known
    assert infinite_variance(EXPONENTIAL, rare.at_least(20.0), None) is None


def test_sums_of_normal_sizes_have_moments_of_every_order():
    season = rare.CompoundSum(rare.Poisson(4.0), NORMAL)
    for theta in (-0.5, 0.5):
        assert infinite_variance(season, rare.at_least(30.0), season.tilt(theta)) is None
        assert infinite_variance(season, rare.at_most(-10.0), season.tilt(theta)) is None


def test_an_infinite_variance_is_not_trusted_whatever_the_draws_say():
    found = rare.estimate(NORMAL, rare.at_least(2.0), rare.Normal(2.0, 0.7), samples=5000, seed=3)
    assert found.verdict == "not trusted" and "finite for sd above about 0.71" in found.reason


def test_solve_never_chooses_an_infinite_variance():
    laws = (EXPONENTIAL, NORMAL, rare.Lomax(1.5, 1.0), rare.LogNormal(0.0, 1.0), rare.Weibull(0.5, 1.0),
            rare.StudentT(3.0, 0.0, 1.0), rare.Geometric(0.5), rare.Gamma(2.0, 1.0))
    for law in laws:
        event = rare.at_least(40.0)
        assert infinite_variance(law, event, designed(law, event).law) is None, law


# ------------------------------------------------------------------------------------------------ scores, masses
@pytest.mark.parametrize("wrong", [dict(off=0.1), dict(wide=1.05)])
def test_a_sampler_that_is_off_its_density_is_found(wrong):
    """A tenth of a deviation, or 5 % of the scale: 10 standard errors and more at these draws."""
    proposal = Shaky(4.0, 1.0, **wrong)
    found = rare.estimate(NORMAL, rare.at_least(4.0), proposal, samples=20_000, seed=1)
    assert found.verdict == "not trusted" and "do not belong to its log_density" in found.reason
    inside = rare.Mixture([proposal, NORMAL], [0.9, 0.1])
    assert rare.estimate(NORMAL, rare.at_least(4.0), inside, samples=20_000, seed=1).verdict == "not trusted"


def test_a_right_law_is_left_alone():
    """400 seeds, each with an alarm rate below 1e-5 (skewed terms included): one alarm has a chance of 0.4 %."""
    alarms = [score(Shaky(4.0, 1.0), seed).status for seed in range(400)]
    assert alarms == ["passed"] * 400


def test_a_density_with_another_mass_is_found_beside_the_nominal_law():
    """15 % of the mass: the weights of a mixture with the nominal law are at most 10, and their mean tells.

    Only where the parts overlap: far out the weights are too small to move it.
    """
    mixed = rare.Mixture([Shaky(1.0, 1.0, lost=math.log(1.15)), NORMAL], [0.9, 0.1])
    found = rare.estimate(NORMAL, rare.at_least(2.0), mixed, samples=100_000, seed=1)
    check, = (check for check in found.checks if check.name == "mass")
    assert check.status == "failed" and found.verdict == "not trusted"
    right = rare.Mixture([Shaky(4.0, 1.0), NORMAL], [0.9, 0.1])
    found = rare.estimate(NORMAL, rare.at_least(4.0), right, samples=100_000, seed=1)
    assert [check.status for check in found.checks if check.name in ("mass", "score")] == ["passed", "passed"]
    plain = rare.estimate(NORMAL, rare.at_least(4.0), rare.Normal(4.0, 1.0), samples=100_000, seed=1)
    assert not [check for check in plain.checks if check.name == "mass"]


# ------------------------------------------------------------------------------------------------ the order of draws
def groups_of(terms, parts=20):
    """Terms in the order drawn, as a run would have grouped them."""
    made = [Moments.of_block(np.zeros(len(part)), part[None].copy())[0].of(0) for part in np.array_split(terms, parts)]
    return Moments.of_block(np.zeros(len(terms)), terms[None].copy())[0].of(0), made


def statuses(terms, repeated=0):
    return [check.status for check in order_checks(*groups_of(terms), repeated)]


@pytest.fixture(scope="module")
def terms():
    """10,000 terms of a tilted normal law: P(X >= 4) with the mean at 4."""
    x = np.random.default_rng(5).normal(4.0, 1.0, 10_000)
    return np.where(x >= 4.0, np.exp(8.0 - 4.0 * x), 0.0)


def test_damaged_parts_are_found(terms):
    part = slice(3000, 3500)
    assert statuses(terms) == ["passed", "passed"]
    twice, zeroed = terms.copy(), terms.copy()
    twice[part] *= 2.0
    zeroed[part] = 0.0
    alike = np.tile(terms[:500], 20)
    assert statuses(twice)[0] == statuses(zeroed)[0] == statuses(alike)[0] == "failed"
    assert statuses(terms, repeated=2)[0] == "failed"


def test_a_drift_is_found(terms):
    drifting = terms * np.linspace(0.7, 1.3, len(terms))
    assert statuses(drifting)[1] == "failed"


def test_the_figure_of_a_trend():
    """Groups of 1,000 with alternating terms, mean m_c and spread s. A step of d is 2 d in 2 s / sqrt(n); a slope is
    sum n (t - T/2) m_c / (s sqrt(sum n (t - T/2)^2)).
    """
    alternating = np.tile([-1.0, 1.0], 500)
    places = 1000.0 * (np.arange(10) + 0.5) - 5000.0
    for means, found in ((np.repeat([0.06, -0.06], 5), lambda s: 0.06 * math.sqrt(10_000) / s),
                         (places / 50_000.0, lambda s: math.sqrt(1000.0 * (places ** 2).sum()) / 50_000.0 / s)):
        y = 3.0 + (means[:, None] + alternating).ravel()
        trend = order_checks(*groups_of(y, parts=10), 0)[1]
        assert trend.figure == pytest.approx(found(y.std(ddof=1)), rel=1e-9)


def test_alarms_about_good_runs_are_as_rare_as_they_say():
    """2,000 runs of 2,000 terms with skew and zeros: expected alarms 2,000 (1e-5 + 8e-6) = 0.04 and, for the skew,
    some ten times that; 5 or more would have a chance of 2e-5.
    """
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(2000):
        x = rng.normal(4.0, 1.0, 2000)
        alarms += statuses(np.where(x >= 4.0, np.exp(8.0 - 4.0 * x), 0.0)).count("failed")
    assert alarms < 5
    assert (RAREST_PARTS, LARGEST_TREND) == (1e-5, 4.6)


def test_few_hits_and_few_parts_are_not_compared():
    few = np.zeros(10_000)
    few[::200] = 1.0
    assert statuses(few) == ["not applicable", "not applicable"]
    assert [c.status for c in order_checks(*groups_of(np.arange(1000.0), parts=4), 0)] == ["not applicable"] * 2
