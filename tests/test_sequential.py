"""Estimates against exact answers with fresh seeds, and the sequential test that keeps its false alarms at 1e-5.

The seed of each run of this file is drawn anew and shown at the end of pytest's output. `--entropy N` repeats the draws
of a run that failed. A failure is never answered by another seed.
"""
import math
import secrets

import numpy as np
import pytest
from scipy import special, stats
from sequential import sequential

import rareevents as rare
from rareevents import problems

LAWS, PATHS = problems.laws(), problems.paths()


def weighted(problem, proposal):
    return lambda seed, n: rare.estimate(problem.nominal, problem.question, proposal=proposal, samples=n, seed=seed,
                                         audit=False)


def climbed(problem):
    """Many small populations, so that the spread of their mean is known."""
    return lambda seed, n: rare.split(problem.nominal, problem.question, particles=40, replicates=max(400, n // 40),
                                      seed=seed)


def questions():
    counts, trials = LAWS["Poisson(10) ≥ 30"], LAWS["Binomial(100, .05) ≥ 20"]
    line, storms = LAWS["linear, d = 2"], PATHS["storms ≥ 7 of 30"]
    yield "naive", weighted(counts._replace(question=rare.at_least(14)), None), float(special.pdtrc(13, 10.0))
    yield "Poisson", weighted(counts, rare.Poisson(30.0)), counts.exact
    yield "Poisson, far", weighted(counts, rare.Poisson(24.0)), counts.exact
    yield "Binomial", weighted(trials, rare.Binomial(100, 0.2)), trials.exact
    yield "half-plane", weighted(line, line.nominal.tilt(np.full(2, 3.5 * 0.5 ** 0.5))), line.exact
    yield "storms by splitting", climbed(storms), storms.exact


QUESTIONS = list(questions())
PLACES = {name: place for place, (name, *_) in enumerate(QUESTIONS)}


@pytest.fixture
def entropy(request, record_property):
    """Fresh, unless --entropy gives that of a run that failed; conftest.py shows it."""
    given = request.config.getoption("--entropy")
    found = secrets.randbits(63) if given is None else given
    record_property("entropy", found)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "call", "exact"), QUESTIONS, ids=[name for name, *_ in QUESTIONS])
def test_estimates_and_their_errors_are_right(name, call, exact, entropy, replicates):
    """Two p-values from 32 runs: of the mean of their values, and of the sum of their squared z-scores.

    False alarm 1e-5 for each question, 6e-5 for this file, if both laws are normal and chi-square: with 32 runs of
    thousands of draws they are, to a factor of two at these levels.
    """
    def pvalues(stage, n):
        seeds = np.random.SeedSequence([entropy, PLACES[name], stage]).generate_state(32, np.uint64)
        runs = [call(int(seed), n) for seed in seeds]
        errors = np.array([run.value - exact for run in runs])
        spread = np.array([run.std_error for run in runs])
        z, q = errors.sum() / math.sqrt((spread ** 2).sum()), ((errors / spread) ** 2).sum()
        return [2.0 * stats.norm.sf(abs(z)), 2.0 * min(stats.chi2.cdf(q, 32), stats.chi2.sf(q, 32))]
    found = sequential(pvalues, replicates(full=40_000, reduced=4000))
    assert found.passed, f"p-values {found.smallest}; to see it again: --entropy {entropy}"


# -------------------------------------------------------------------------------------------------- of the test itself
def normal(rng, shift, spread=1.0):
    """The two p-values of n normal numbers with the given mean and deviation, under the hypothesis 0 and 1."""
    def pvalues(stage, n):
        x = rng.normal(shift, spread, n)
        z, q = x.sum() / math.sqrt(n), (x * x).sum()
        return [2.0 * special.ndtr(-abs(z)), 2.0 * min(special.chdtr(n, q), special.chdtrc(n, q))]
    return pvalues


def test_false_alarms_are_as_rare_as_the_level(replicates):
    """At a level of 0.01: the count of alarms is below its 1 - 1e-6 quantile; p-values are uniform."""
    rng, runs = np.random.default_rng(1), replicates(20_000, 4000)
    alarms = sum(not sequential(lambda stage, n: [rng.random()], 1, level=0.01).passed for _ in range(runs))
    assert stats.binom.ppf(1e-6, runs, 0.004) <= alarms <= stats.binom.ppf(1.0 - 1e-6, runs, 0.01)


def test_a_small_fault_is_found_where_one_look_would_miss_it():
    """A bias of a tenth of a deviation, or an error bar 10 % too small, at a level of 1e-5."""
    rng = np.random.default_rng(2)
    for shift, spread in ((0.1, 1.0), (0.0, 1.1)):
        found = [sequential(normal(rng, shift, spread), 1000) for _ in range(50)]
        assert sum(not one.passed for one in found) >= 25
    assert all(sequential(normal(rng, 0.0), 1000).passed for _ in range(200))


def test_stages_follow_the_rule():
    """q <= beta fails, q > gamma + beta passes, and n doubles in between."""
    seen = []

    def scripted(*values):
        def pvalues(stage, n):
            seen.append(n)
            return [values[stage], 1.0]
        return pvalues
    level, beta = 7e-5, 1e-5
    gamma = beta ** (1.0 / 7.0)
    assert not sequential(scripted(0.49 * beta), 10, level).passed
    assert sequential(scripted(0.5 * (gamma + beta) * 1.01), 10, level).smallest == (1.01 * (gamma + beta),)
    assert sequential(scripted(*[0.05] * 7), 10, level).stages == 7 and seen[-7:] == [10 << k for k in range(7)]
    again = sequential(scripted(0.05, 0.49 * beta / gamma), 10, level)
    assert (again.passed, again.stages) == (False, 2)
    assert sequential(scripted(0.05, 0.51 * beta / gamma, 0.5), 10, level).passed
