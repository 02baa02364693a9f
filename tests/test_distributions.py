"""Every scalar law: the contract test at several parameter points, and its figures against independent ones."""
import copy
import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from cases import FORMULAS, SCALAR, WRONG, exact_log_density

import rareevents as rare
import rareevents.distributions as d
from rareevents.distributions import table
from rareevents.distributions.gamma_tails import log_gamma_tails
from rareevents.distributions.quadrature import grid
from rareevents.kernels import records
from rareevents.testing import check_distribution

LAWS = [law for law, _ in SCALAR]
COMPARED = [(law, reference) for law, reference in SCALAR if reference is not None]
TABLED = [d.Poisson(4.0), d.Binomial(5000, 0.002), d.Geometric(0.2), d.NegativeBinomial(2.5, 0.3)]


def spread_points(law, reference):
    """Points from the bulk to far tails."""
    with np.errstate(over="ignore"):
        points = np.append(reference.ppf([1e-300, 1e-100, 1e-15, 1e-6, 0.01, 0.2, 0.5, 0.8, 0.99]),
                           reference.isf([1e-6, 1e-15, 1e-100, 1e-300]))
    points = points[np.abs(points) < 1e100]
    points = np.append(points, points.max() + 3.0 * (points.max() - np.median(points)))
    return np.unique(points[(points >= law.support.low) & (points <= law.support.high)])


def assert_near(got, want, tolerance):
    got, want = np.asarray(got), np.asarray(want)
    with np.errstate(invalid="ignore"):
        same = (got == want) | (np.abs(got - want) <= tolerance * np.maximum(1.0, np.abs(want)))
    assert same.all(), (got[~same], want[~same])


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_contract(law):
    check_distribution(law)


@pytest.mark.parametrize(("law", "reference"), COMPARED, ids=lambda v: str(v) if isinstance(v, d.Distribution) else "")
def test_log_prob_against_scipy(law, reference):
    """Where scipy evaluates a formula that cancels, the next test is the strict one."""
    x = spread_points(law, reference)
    if type(law) in FORMULAS and not {law.support.low, law.support.high} <= {*x}:
        x = x[(x > law.support.low) & (x < law.support.high)]
    density = reference.logpmf if law.dtype is int else reference.logpdf
    tolerance = 1e-8 if type(law) in FORMULAS else 1e-12
    with np.errstate(divide="ignore"):
        want = density(x)
    assert_near(law.log_prob(x), want, tolerance)


@pytest.mark.parametrize("law", [law for law in LAWS if type(law) in FORMULAS and law.variance > 0.0], ids=str)
def test_log_prob_against_60_digits(law):
    sd = math.sqrt(law.variance) if math.isfinite(law.variance) else 10.0
    centre = law.mean if math.isfinite(law.mean) else 0.0
    x = centre + sd * np.array([-300.0, -30.0, -8.0, -2.0, -0.5, 0.0, 0.5, 2.0, 8.0, 30.0, 300.0, 3000.0])
    x = np.append(x, [1.0, 2.0, 15.0, 16.0, 17.0, 100.0])
    x = np.floor(x) if law.dtype is int else x
    x = x[(x >= law.support.low) & (x <= law.support.high) & ((x > 0.0) | (law.support.low < 0.0))]
    assert_near(law.log_prob(x), [exact_log_density(law, point) for point in x], 1e-12)


@pytest.mark.parametrize(("law", "reference"), COMPARED, ids=lambda v: str(v) if isinstance(v, d.Distribution) else "")
def test_moments_against_scipy(law, reference):
    mean, variance = reference.stats("mv")
    if math.isfinite(law.mean):
        assert_near(law.mean, mean, 1e-12)
    if math.isfinite(law.variance) and math.isfinite(variance):
        assert law.variance == pytest.approx(float(variance), rel=1e-9)


@pytest.mark.parametrize("law", [law for law in LAWS if law.log_tails(np.mean(law.sample(9))) is not None], ids=str)
def test_log_mass_in_both_tails(law):
    """Closed forms against the numerical sum or integral, for tails, intervals and slivers."""
    x = np.quantile(law.sample(1000), [0.0, 0.3, 0.31, 0.7, 1.0])
    wide = x[4] - x[0] + 1.0
    for low, high in [(-math.inf, x[0]), (-math.inf, x[2]), (x[1], x[2]), (x[1], x[3]), (x[3], math.inf),
                      (x[4], math.inf), (x[4], x[4] + wide), (x[4] + 3.0 * wide, math.inf), (-math.inf, x[0] - wide)]:
        want = grid(law, low, high).log_sum() if max(low, law.support.low) <= min(high, law.support.high) else -math.inf
        assert_near(law.log_mass(low, high), want, 2e-9)
    assert law.log_mass(-math.inf, math.inf) == 0.0
    assert law.log_mass(1.0, 0.0) == -math.inf


def test_log_mass_of_a_sliver_of_a_large_binomial():
    """P(699763 <= X <= 699774) for Binomial(10^6, 0.7), summed in 40 digits."""
    assert d.Binomial(10 ** 6, 0.7).log_mass(699763, 699774) == pytest.approx(-4.6892868613733668, rel=1e-10)


def test_log_mass_beyond_underflow():
    """P(X >= 40) of a normal law is 10^-349.4; its Mills ratio is known."""
    assert d.Normal(0.0, 1.0).log_mass(40.0, math.inf) == pytest.approx(-804.6084420137538, rel=1e-13)
    assert d.Poisson(4.0).log_mass(1000, math.inf) == pytest.approx(
        d.Poisson(4.0).log_prob(1000) + math.log(1.0 + 4.0 / 1001.0 + 16.0 / 1001.0 / 1002.0), rel=1e-10)
    assert d.Gamma(2.0, 1.0).log_mass(900.0, math.inf) == pytest.approx(math.log(901.0) - 900.0, rel=1e-12)


@pytest.mark.parametrize("law", TABLED, ids=str)
def test_draws_beyond_the_table(law, monkeypatch):
    monkeypatch.setattr(table, "BEYOND", 1e-2)
    short = copy.copy(law)
    assert short.cells < law.sample(100_000).max()
    check_distribution(short)


def test_a_table_holds_the_whole_law():
    """Near rate 4552 the lower tail ends at the last cell: a table would be of that tail alone."""
    assert d.Poisson(4552.0).table.size == 1
    assert d.Geometric(0.006).table.size == 1                        # 2e-11 lie beyond 4096


@pytest.mark.parametrize(("call", "name", "value", "rule"), WRONG)
def test_bad_parameters(call, name, value, rule):
    with pytest.raises(ValueError) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"{name} must be ") and message.endswith(f", got {value!r}") and rule in message


@pytest.mark.parametrize("law", LAWS[::3], ids=str)
def test_pickle(law):
    law.sample(1)
    again = pickle.loads(pickle.dumps(law))
    assert again == law and hash(again) == hash(law)
    assert np.array_equal(again.sample(5, seed=2), law.sample(5, seed=2))


def test_a_number_as_text_is_a_type_error():
    with pytest.raises(TypeError, match=r"p must be a number, got '0\.5'"):
        d.Bernoulli("0.5")


def test_labels_are_for_people():
    law = d.Categorical([0.5, 0.5], labels=["calm", "storm"])
    assert law.labels == ("calm", "storm") and "labels" not in law.record._fields
    assert law.tilt(1.0).labels == law.labels


def test_uniform_has_no_tilt():
    with pytest.raises(AttributeError, match="Uniform has no tilt"):
        d.Uniform(0.0, 1.0).tilt(1.0)


@pytest.mark.parametrize("theta", [-800.0, -1e-9, 1e-9, 800.0])
def test_tilt_of_a_coin_far_out(theta):
    law = d.Binomial(3, 0.25)
    assert math.isfinite(law.log_mgf(theta)) and 0.0 <= law.tilt(theta).p <= 1.0
    if abs(theta) < 1.0:
        assert law.log_mgf(theta) == pytest.approx(0.75 * theta, rel=1e-8)


@pytest.mark.parametrize("shape", [1.0001e5, 1e6, 1e9])
@pytest.mark.parametrize("z", [-30.0, -6.0, -0.5, 0.3, 6.0, 30.0])
def test_gamma_tails_of_large_shapes(shape, z):
    """Against the series of the tail: a density times sums of products of ratios, all positive."""
    x = shape + z * math.sqrt(shape)
    k = np.arange(1, int(60.0 * math.sqrt(shape)))
    half = d.Gamma(shape, 1.0).log_prob(x)                          # x^(a-1) exp(-x) / gamma(a)
    ratios = (x - shape - k) / (shape + k) if z < 0.0 else (shape - k - x) / x
    series = half + math.log1p(float(np.sum(np.exp(np.cumsum(np.log1p(ratios))))))
    series += math.log(x / shape) if z < 0.0 else 0.0
    assert log_gamma_tails(shape, x)[int(z > 0.0)] == pytest.approx(series, rel=1e-13, abs=1e-9)


@dataclass(frozen=True)
class Machine(rare.Distribution):
    """A law whose field has a name that the library might want."""

    kind: int
    rate: float
    support = rare.reals(0.0, math.inf)

    def draw(self, rng):
        return rng.standard_exponential() / self.rate

    def log_density(self, x):
        return math.log(self.rate) - self.rate * x


def test_a_law_of_ones_own_may_have_a_field_called_kind():
    mixture = rare.Mixture([Machine(1, 1.0), Machine(2, 3.0)], [0.5, 0.5])
    assert mixture.log_prob(0.5) == pytest.approx(math.log(0.5 * math.exp(-0.5) + 1.5 * math.exp(-1.5)), rel=1e-12)


def test_a_field_may_end_in_an_underscore():
    made = records.record(lambda_=2.0, rate=3.0)
    assert made._fields == ("lambda_", "rate") and made == (2.0, 3.0)
    assert records.record(a_=1, b__=2.0)._fields == ("a_", "b__")
