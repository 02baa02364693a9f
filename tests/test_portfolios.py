"""The problems about money: their exact answers by quadrature or in closed form, and `solve` on them."""
import math

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents.problems import portfolios
from rareevents.problems.portfolios import QUANTILE, TailOfClaims, loans, tail
from rareevents.testing import check_distribution

Z_POINTS, Z_WEIGHTS = np.polynomial.legendre.leggauss(400)
PROBLEMS = portfolios()


def over_normal(f, low=-9.0, high=9.0):
    """E[f(Z)] of a standard normal Z, by quadrature."""
    z = 0.5 * (high - low) * Z_POINTS + 0.5 * (high + low)
    return 0.5 * (high - low) * float(Z_WEIGHTS @ (stats.norm.pdf(z) * np.array([f(v) for v in z.tolist()])))


@pytest.mark.parametrize(("n", "p", "k"), [(250, 0.01, 63), (250, 0.9, 63), (100, 0.02, 1), (1000, 1e-9, 80),
                                         (9, 1.0, 9)])
def test_the_tail_of_a_count(n, p, k):
    assert tail(n, p, k) == pytest.approx(stats.binom.sf(k - 1, n, p), rel=1e-10)


def test_exact_answers():
    assert PROBLEMS["1000 loans ≥ 80"].exact == pytest.approx(
        over_normal(loans(1000, stats.norm.isf(0.01), 0.3, 80)), rel=1e-9)
    assert PROBLEMS["100 loans ≥ 18"].exact == pytest.approx(
        over_normal(loans(100, stats.norm.isf(0.02), 0.1, 18)), rel=1e-9)
    for strike in (200.0, 300.0):
        d = (math.log(100.0 / strike) + 0.07) / 0.2
        price = 100.0 * stats.norm.cdf(d) - strike * math.exp(-0.05) * stats.norm.cdf(d - 0.2)
        assert PROBLEMS[f"call at {strike:.0f}"].exact == pytest.approx(price, rel=1e-9)
    mean = math.log(100.0) + 0.03 * 65.0 / 128.0                               # of the mean of the log prices
    sd = 0.2 * math.sqrt(65.0 * 129.0 / (6.0 * 64.0 ** 2))
    d = (mean - math.log(160.0)) / sd
    asian = math.exp(-0.05) * (math.exp(mean + 0.5 * sd ** 2) * stats.norm.cdf(d + sd) - 160.0 * stats.norm.cdf(d))
    assert PROBLEMS["Asian call, 64 dates"].exact == pytest.approx(asian, rel=1e-9)
    n = np.arange(1, 200)
    p = stats.poisson.pmf(n, 10.0)
    assert p @ stats.gamma.sf(QUANTILE, n) == pytest.approx(1e-4, rel=1e-10)
    assert PROBLEMS["mean of claims beyond"].exact == pytest.approx(p @ (n * stats.gamma.sf(QUANTILE, n + 1)), rel=1e-9)


@pytest.mark.parametrize("nu", [4, 20])
def test_shocked_loans(nu):
    """Over the economy and the shock, whose law is gamma."""
    problem = PROBLEMS[f"250 shocked loans, {nu}"]
    t, weights = np.polynomial.legendre.leggauss(120)
    low, high = stats.gamma.ppf(1e-14, 0.5 * nu, scale=2.0 / nu), 1.2
    x = 0.5 * (high - low) * t + 0.5 * (high + low)
    each = [over_normal(lambda z, v=v: problem.question((z, v))) for v in x.tolist()]
    found = 0.5 * (high - low) * float(weights @ (stats.gamma.pdf(x, 0.5 * nu, scale=2.0 / nu) * np.array(each)))
    assert found == pytest.approx(problem.exact, rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_the_tail_of_claims(scale):
    law = TailOfClaims(scale)
    check_distribution(law)
    assert law.survival(3.0) == pytest.approx(math.exp(law.log_tails(3.0)[1]))
    assert law.scaled(2.0) == TailOfClaims(2.0 * scale)


# All eleven at |z| < 1.6 and at most 1 % in one run by hand; the rest compile for a minute.
@pytest.mark.slow
@pytest.mark.parametrize("name", list(PROBLEMS))
def test_solve_on_portfolios(name, replicates):
    if name not in ("100 loans ≥ 18", "call at 300") and not replicates(True, False):
        pytest.skip("two of these suffice unless --slow is given")
    problem = PROBLEMS[name]
    found = rare.solve(problem.nominal, problem.question, exact=False, certify=False, seed=1)
    assert abs(found.value - problem.exact) < 5.0 * found.std_error and found.relative_error <= 0.0101
    assert found.verdict in ("trusted", "caution")
