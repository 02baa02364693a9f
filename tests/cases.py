"""Laws with several parameter points each, the matching law of scipy.stats, and exact log densities in 60 digits."""
import math
from decimal import Decimal as D
from decimal import localcontext

from scipy import stats

import rareevents.distributions as d

NAN = math.nan
PI = D("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
BERNOULLI_NUMBERS = [(1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798),
                     (-174611, 330), (854513, 138), (-236364091, 2730), (8553103, 6), (-23749461029, 870)]

SCALAR = [
    (d.Bernoulli(0.0), stats.bernoulli(0.0)),
    (d.Bernoulli(1.0), stats.bernoulli(1.0)),
    (d.Bernoulli(0.3), stats.bernoulli(0.3)),
    (d.Bernoulli(1e-9), stats.bernoulli(1e-9)),
    (d.Binomial(0, 0.5), stats.binom(0, 0.5)),
    (d.Binomial(7, 0.0), stats.binom(7, 0.0)),
    (d.Binomial(7, 1.0), stats.binom(7, 1.0)),
    (d.Binomial(12, 0.5), stats.binom(12, 0.5)),
    (d.Binomial(255, 0.9), stats.binom(255, 0.9)),
    (d.Binomial(256, 0.1), stats.binom(256, 0.1)),
    (d.Binomial(4095, 0.4), stats.binom(4095, 0.4)),
    (d.Binomial(4096, 0.6), stats.binom(4096, 0.6)),
    (d.Binomial(10 ** 6, 1e-5), stats.binom(10 ** 6, 1e-5)),                 # a table although n is large
    (d.Binomial(10 ** 6, 0.7), stats.binom(10 ** 6, 0.7)),                   # rejection
    (d.Binomial(10 ** 10, 0.5), None),
    (d.Geometric(1.0), stats.nbinom(1, 1.0)),
    (d.Geometric(0.6), stats.nbinom(1, 0.6)),
    (d.Geometric(0.006), stats.nbinom(1, 0.006)),
    (d.Geometric(1e-5), stats.nbinom(1, 1e-5)),
    (d.NegativeBinomial(3.0, 1.0), stats.nbinom(3.0, 1.0)),
    (d.NegativeBinomial(0.05, 0.4), stats.nbinom(0.05, 0.4)),
    (d.NegativeBinomial(2.5, 0.3), stats.nbinom(2.5, 0.3)),
    (d.NegativeBinomial(2.5, 1e-4), stats.nbinom(2.5, 1e-4)),
    (d.NegativeBinomial(1e4, 0.5), stats.nbinom(1e4, 0.5)),
    (d.NegativeBinomial(1e9, 0.999), None),
    (d.Categorical([1.0]), None),
    (d.Categorical([0.2, 0.0, 0.5, 0.3], labels=["a", "b", "c", "d"]), None),
    (d.Categorical([0.1] * 10), stats.randint(0, 10)),
    (d.Poisson(0.0), None),
    (d.Poisson(1e-3), stats.poisson(1e-3)),
    (d.Poisson(4.0), stats.poisson(4.0)),
    (d.Poisson(1023.0), stats.poisson(1023.0)),
    (d.Poisson(4552.0), stats.poisson(4552.0)),                              # its lower tail ends where a table would
    (d.Poisson(1e6), stats.poisson(1e6)),
    (d.Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    (d.Uniform(1e6, 1e6 + 1e-3), stats.uniform(1e6, 1e6 + 1e-3 - 1e6)),
    (d.Normal(0.0, 1.0), stats.norm(0.0, 1.0)),
    (d.Normal(-3.0, 1e-6), stats.norm(-3.0, 1e-6)),
    (d.Normal(1e6, 50.0), stats.norm(1e6, 50.0)),
    (d.LogNormal(0.5, 1.0), stats.lognorm(1.0, scale=math.exp(0.5))),
    (d.LogNormal(-100.0, 0.01), stats.lognorm(0.01, scale=math.exp(-100.0))),
    (d.LogNormal(0.0, 5.0), stats.lognorm(5.0)),
    (d.Exponential(2.0), stats.expon(scale=0.5)),
    (d.Exponential(1e-6), stats.expon(scale=1e6)),
    (d.Gamma(0.05, 3.0), stats.gamma(0.05, scale=1.0 / 3.0)),
    (d.Gamma(1.0, 0.1), stats.gamma(1.0, scale=10.0)),
    (d.Gamma(2.5, 2.0), stats.gamma(2.5, scale=0.5)),
    (d.Gamma(99.0, 1.0), stats.gamma(99.0)),
    (d.Gamma(100.0, 1.0), stats.gamma(100.0)),
    (d.Gamma(1e6, 1e3), stats.gamma(1e6, scale=1e-3)),
    (d.Weibull(0.3, 2.0), stats.weibull_min(0.3, scale=2.0)),
    (d.Weibull(1.0, 2.0), stats.weibull_min(1.0, scale=2.0)),
    (d.Weibull(2.0, 1e3), stats.weibull_min(2.0, scale=1e3)),
    (d.Weibull(50.0, 1.0), stats.weibull_min(50.0)),
    (d.Lomax(0.5, 1.0), stats.lomax(0.5)),
    (d.Lomax(1.5, 1e3), stats.lomax(1.5, scale=1e3)),
    (d.Lomax(2.2, 1.0), stats.lomax(2.2)),
    (d.Lomax(100.0, 1e-3), stats.lomax(100.0, scale=1e-3)),
    (d.StudentT(0.5), stats.t(0.5)),
    (d.StudentT(1.5, 10.0, 3.0), stats.t(1.5, 10.0, 3.0)),
    (d.StudentT(4.0, 1.0, 2.0), stats.t(4.0, 1.0, 2.0)),
    (d.StudentT(1e8), stats.t(1e8)),
]

WRONG = [                                                 # a call, and the argument, value and rule of its error
    (lambda: d.Bernoulli(-0.1), "p", -0.1, "[0, 1]"), (lambda: d.Bernoulli(NAN), "p", NAN, "[0, 1]"),
    (lambda: d.Binomial(-1, 0.5), "n", -1, "an integer"), (lambda: d.Binomial(2.5, 0.5), "n", 2.5, "an integer"),
    (lambda: d.Binomial(5, 1.1), "p", 1.1, "[0, 1]"), (lambda: d.Binomial(5, NAN), "p", NAN, "[0, 1]"),
    (lambda: d.Geometric(0.0), "p", 0.0, "[1e-15, 1]"), (lambda: d.Geometric(NAN), "p", NAN, "[1e-15, 1]"),
    (lambda: d.NegativeBinomial(0.0, 0.5), "r", 0.0, "> 0"), (lambda: d.NegativeBinomial(1.0, 0.0), "p", 0.0, "(0, 1]"),
    (lambda: d.NegativeBinomial(1.0, 1e-20), "p", 1e-20, "1e15"),
    (lambda: d.NegativeBinomial(NAN, 0.5), "r", NAN, "> 0"),
    (lambda: d.Categorical([]), "probabilities", [], "at least one"),
    (lambda: d.Categorical([0.5, 0.4]), "probabilities", (0.5, 0.4), "sum to 1"),
    (lambda: d.Categorical([0.5, NAN]), "probabilities[1]", NAN, "[0, 1]"),
    (lambda: d.Categorical([1.5, -0.5]), "probabilities[0]", 1.5, "[0, 1]"),
    (lambda: d.Categorical([0.5, 0.5], labels=["a"]), "labels", ["a"], "2 strings"),
    (lambda: d.Poisson(-1.0), "rate", -1.0, ">= 0"), (lambda: d.Poisson(NAN), "rate", NAN, ">= 0"),
    (lambda: d.Uniform(1.0, 1.0), "high", 1.0, "above low"), (lambda: d.Uniform(NAN, 1.0), "low", NAN, "finite"),
    (lambda: d.Uniform(-1e308, 1e308), "high", 1e308, "above low"),
    (lambda: d.Normal(math.inf, 1.0), "mean", math.inf, "finite"), (lambda: d.Normal(0.0, 0.0), "sd", 0.0, "> 0"),
    (lambda: d.LogNormal(NAN, 1.0), "mu", NAN, "finite"), (lambda: d.LogNormal(0.0, -1.0), "sigma", -1.0, "> 0"),
    (lambda: d.LogNormal(0.0, 60.0), "sigma", 60.0, "700"),
    (lambda: d.Exponential(0.0), "rate", 0.0, "> 0"), (lambda: d.Exponential(NAN), "rate", NAN, "> 0"),
    (lambda: d.Gamma(0.0, 1.0), "shape", 0.0, "> 0"), (lambda: d.Gamma(1.0, NAN), "rate", NAN, "> 0"),
    (lambda: d.Weibull(0.001, 1.0), "shape", 0.001, ">= 0.01"), (lambda: d.Weibull(1.0, 0.0), "scale", 0.0, "> 0"),
    (lambda: d.Lomax(0.01, 1.0), "alpha", 0.01, ">= 0.1"), (lambda: d.Lomax(1.0, NAN), "scale", NAN, "> 0"),
    (lambda: d.StudentT(0.0), "df", 0.0, ">= 0.1"), (lambda: d.StudentT(1.0, NAN), "loc", NAN, "finite"),
    (lambda: d.StudentT(1.0, 0.0, -1.0), "scale", -1.0, "> 0"),
    (lambda: d.Exponential(2.0).tilt(2.0), "theta", 2.0, "below the rate 2.0"),
    (lambda: d.Gamma(3.0, 2.0).tilt(5.0), "theta", 5.0, "below the rate 2.0"),
    (lambda: d.Geometric(0.5).tilt(0.7), "theta", 0.7, "below -log(1 - p)"),
    (lambda: d.NegativeBinomial(2.0, 0.5).tilt(0.7), "theta", 0.7, "below -log(1 - p)"),
    (lambda: d.LogNormal(0.0, 1.0).tilt(0.5), "theta", 0.5, "no moment generating function"),
    (lambda: d.Lomax(3.0, 1.0).tilt(0.5), "theta", 0.5, "no moment generating function"),
    (lambda: d.StudentT(3.0).tilt(-0.5), "theta", -0.5, "no moment generating function"),
    (lambda: d.Weibull(0.5, 1.0).tilt(0.5), "theta", 0.5, "no moment generating function"),
    (lambda: d.Weibull(2.0, 1.0).tilt(0.5), "theta", 0.5, "shape 1"),
    (lambda: d.Weibull(1.0, 2.0).tilt(0.5), "theta", 0.5, "below 1 / scale"),
]


# ------------------------------------------------------------------------------------------------ 60 digits
def log_gamma(x):
    """log Gamma(x) by Stirling's series beyond 100, reached by recurrence."""
    shift = D(1)
    while x < 100:
        shift *= x
        x += 1
    series = sum(D(a) / b / (2 * k * (2 * k - 1) * x ** (2 * k - 1))
                 for k, (a, b) in enumerate(BERNOULLI_NUMBERS, start=1))
    return (x - D("0.5")) * x.ln() - x + (2 * PI).ln() / 2 + series - shift.ln()


def _binomial(law, x):
    n, p = D(int(law.n)), D(law.p)
    return (log_gamma(n + 1) - log_gamma(x + 1) - log_gamma(n - x + 1) + x * p.ln() + (n - x) * (1 - p).ln())


def _negative_binomial(law, x):
    r, p = D(law.r), D(law.p)
    return log_gamma(x + r) - log_gamma(r) - log_gamma(x + 1) + r * p.ln() + x * (1 - p).ln()


def _poisson(law, x):
    rate = D(law.rate)
    return x * rate.ln() - rate - log_gamma(x + 1)


def _gamma(law, x):
    shape, rate = D(law.shape), D(law.rate)
    return shape * rate.ln() + (shape - 1) * x.ln() - rate * x - log_gamma(shape)


def _student_t(law, x):
    df, scale = D(law.df), D(law.scale)
    z = (x - D(law.loc)) / scale
    half = (df + 1) / 2
    return log_gamma(half) - log_gamma(df / 2) - (df * PI).ln() / 2 - scale.ln() - half * (1 + z * z / df).ln()


FORMULAS = {d.Binomial: _binomial, d.NegativeBinomial: _negative_binomial, d.Poisson: _poisson, d.Gamma: _gamma,
            d.StudentT: _student_t}


def exact_log_density(law, x):
    """The log density of one point from the plain formula in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        return float(FORMULAS[type(law)](law, D(int(x)) if law.dtype is int else D(float(x))))
