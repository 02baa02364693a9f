"""Estimates against exact answers, their stopping rules, and what they say of themselves."""
import json
import math

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents.engine import Stop, schedule
from rareevents.methods.importance import weigh

Z = 4.9                     # |z| above this: false alarm 1e-6 for each estimate
N = 200_000

POISSON = rare.Poisson(4.0)
MVN = rare.MultivariateNormal(np.zeros(3), np.eye(3))
CITIES = [rare.Poisson(1.0), rare.Poisson(4.0), rare.Poisson(9.0)]


def cases():
    """(name, nominal, f, proposal, exact, whether a bound on the weight is proven)"""
    sf, cdf = stats.poisson.sf, stats.poisson.cdf
    yield "Poisson", POISSON, rare.at_least(20), rare.Poisson(20.0), sf(19, 4), True
    yield "Poisson naive", POISSON, rare.at_least(10), None, sf(9, 4), True
    yield "Poisson low", rare.Poisson(100.0), rare.at_most(50), rare.Poisson(50.0), cdf(50, 100), True
    yield ("two sides", rare.Binomial(60, 0.3), rare.outside(5, 35),
           rare.Mixture([rare.Binomial(60, 0.0637), rare.Binomial(60, 0.606)], [0.85, 0.15]),
           stats.binom.cdf(4, 60, 0.3) + stats.binom.sf(35, 60, 0.3), True)
    yield "normal", rare.Normal(0.0, 1.0), rare.at_least(4.0), rare.Normal(4.0, 1.0), stats.norm.sf(4), True
    yield "exponential", rare.Exponential(1.0), rare.at_least(14.0), rare.Exponential(1 / 15), math.exp(-14), True
    yield ("gamma, other shape", rare.Gamma(2.0, 1.0), rare.at_least(20.0), rare.Gamma(3.0, 0.1),
           stats.gamma.sf(20, 2), False)
    yield ("lognormal", rare.LogNormal(0.0, 1.0), rare.at_least(50.0), rare.LogNormal(4.0, 1.0),
           stats.norm.sf(math.log(50)), False)
    yield ("total of normals", rare.IID(rare.Normal(0.0, 1.0), 10), rare.total >= 15.0,
           rare.IID(rare.Normal(1.5, 1.0), 10), stats.norm.sf(15 / math.sqrt(10)), True)
    yield ("thirty days", rare.IID(rare.Bernoulli(0.05), 30), rare.total >= 10, rare.IID(rare.Bernoulli(0.35), 30),
           stats.binom.sf(9, 30, 0.05), True)
    direction = np.array([1.0, 2.0, 2.0])
    yield "half-space", MVN, rare.linear(direction) >= 12.0, MVN.tilt(direction * 12 / 9), stats.norm.sf(4), True
    yield "component", MVN, rare.component(1) >= 4.0, MVN.tilt(np.array([0.0, 4.0, 0.0])), stats.norm.sf(4), True
    yield ("cities", rare.Mixture(CITIES, [0.7, 0.25, 0.05]), rare.at_least(20), rare.Mixture(CITIES, [0.1, 0.2, 0.7]),
           0.7 * sf(19, 1) + 0.25 * sf(19, 4) + 0.05 * sf(19, 9), True)
    yield ("union", POISSON, rare.at_least(12) | rare.at_most(0),
           rare.Mixture([rare.Poisson(12.0), rare.Poisson(1.0)], [0.5, 0.5]), sf(11, 4) + math.exp(-4), True)
    yield "mean", POISSON, lambda x: x, rare.Poisson(5.0), 4.0, False
    yield "opaque", POISSON, lambda x: x >= 12, rare.Poisson(12.0), sf(11, 4), False


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case[0])
def test_agrees_with_the_exact_value(case):
    _, nominal, f, proposal, exact, _ = case
    estimate = rare.estimate(nominal, f, proposal=proposal, samples=N, seed=11)
    assert abs(estimate.value - exact) <= Z * estimate.std_error
    assert estimate.samples == N == estimate.evaluations.final
    low, high = estimate.interval(1.0 - 1e-6)
    assert low <= exact <= high


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case[0])
def test_a_bound_is_proven_where_it_can_be_and_never_exceeded(case):
    _, nominal, f, proposal, _, proven = case
    estimate = rare.estimate(nominal, f, proposal=proposal, samples=N, seed=12)
    assert (estimate.bound is not None) == proven
    if proven:
        assert estimate._terms.largest[0] <= estimate.bound * (1 + 1e-9)
        assert estimate.verdict == "trusted", estimate
    else:
        assert estimate.verdict == "trusted" and "Evidence, not proof" in estimate.reason, estimate
        assert estimate.evaluations.audit >= N // 10
        again = rare.estimate(nominal, f, proposal=proposal, samples=N, seed=12, audit=False)
        assert (again.value, again.evaluations.audit) == (estimate.value, 0)      # it changes no bit of the value
        assert again.verdict == "caution", again


def test_standard_errors_are_right():
    """The z-scores of 300 runs: their variance is chi-square with 300 degrees of freedom; false alarm 1e-6."""
    exact = stats.poisson.sf(19, 4)
    runs = [rare.estimate(POISSON, rare.at_least(20), proposal=rare.Poisson(20.0), samples=2000, seed=s, threads=1)
            for s in range(300)]
    z = np.array([(run.value - exact) / run.std_error for run in runs])
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], 300) / 300
    assert low <= np.mean(z ** 2) <= high
    assert abs(z.mean()) <= Z / math.sqrt(300)


def test_naive_is_binomial():
    """With q = p every weight is one, and the standard error is the binomial one."""
    estimate = rare.estimate(POISSON, rare.at_least(8), samples=50_000, seed=1)
    rate = estimate.hits / 50_000
    assert estimate.value == pytest.approx(rate, rel=1e-15)
    assert estimate.std_error == pytest.approx(math.sqrt(rate * (1 - rate) / 49_999), rel=1e-12)
    assert estimate.weight_ess == 50_000
    assert estimate.effective_sample_size == pytest.approx(estimate.hits)


def test_a_tilt_of_zero_is_naive_to_the_bit():
    naive = rare.estimate(POISSON, rare.at_least(8), samples=20_000, seed=5)
    same = rare.estimate(POISSON, rare.at_least(8), proposal=POISSON.tilt(0.0), samples=20_000, seed=5)
    assert same.value == naive.value
    assert same.std_error == naive.std_error


def test_events_add_up_on_the_same_draws():
    """P(A) + P(not A) = E[w], and P(A) + P(B) = P(A or B) + P(A and B): the same draws, so to rounding."""
    a, b = rare.at_least(12), rare.at_most(14)
    q = rare.Poisson(12.0)
    value = {name: rare.estimate(POISSON, event, proposal=q, samples=50_000, seed=2).value
             for name, event in {"a": a, "b": b, "or": a | b, "and": a & b, "not a": ~a}.items()}
    assert value["a"] + value["b"] == pytest.approx(value["or"] + value["and"], rel=1e-12)
    assert value["a"] + value["not a"] == pytest.approx(value["or"], rel=1e-12)      # a or b is everything


def test_several_quantities_in_one_pass_are_those_of_single_passes():
    q = rare.Poisson(12.0)
    together = rare.estimate(POISSON, lambda x: (x >= 8, x >= 12, x >= 16), proposal=q, samples=50_000, seed=3)
    assert len(together) == 3 and together.value.shape == (3,)
    for k, level in enumerate((8, 12, 16)):
        alone = rare.estimate(POISSON, rare.at_least(level), proposal=q, samples=50_000, seed=3)
        assert together[k].value == alone.value
        assert together.hits[k] == alone.hits
    low, high = together.interval()
    assert np.all(low < together.value) and np.all(together.value < high)
    array = rare.estimate(POISSON, lambda x: np.array([1.0 * (x >= 8), 1.0 * (x >= 12)]), proposal=q, samples=50_000,
                          seed=3)
    assert array.value == pytest.approx(together.value[:2], rel=1e-12)
    assert json.loads(together.to_json())["verdict"] == together.verdict


def test_each_quantity_has_underflows_of_its_own():
    f = rare.black_box(lambda x: np.stack([x < 0, x >= 0], axis=1) * 1.0, vectorized=True)
    found = rare.estimate(POISSON, f, proposal=rare.Poisson(2000.0), samples=1000, audit=False)      # weights of e-4500
    assert [{c.name: c.figure for c in part.checks}["numbers"] for part in found.components] == [0.0, 1000.0]


@pytest.mark.parametrize(("rate", "level", "tilted"), [(4.0, 20, 20.0), (4e4, 40_300, 40_300.0)])
def test_general_and_counting_kernels_agree(rate, level, tilted):
    """The same streams: the same draws, so only the order of the sums differs. 40,000: more values than fit a block."""
    arguments = dict(seed=4, confidence=0.95, threads=2, progress=False, stage=0)
    question = rare.Poisson(rate), rare.at_least(level), rare.Poisson(tilted)
    runs = [weigh(*question, Stop(100_000), tally=tally, **arguments)
            for tally in (True, False)]
    assert runs[0].hits == runs[1].hits
    assert runs[0].value == pytest.approx(runs[1].value, rel=1e-12, abs=0.0)
    assert runs[0].std_error == pytest.approx(runs[1].std_error, rel=1e-12, abs=0.0)


# ------------------------------------------------------------------------------------------------ stopping
def test_stops_by_samples_exactly():
    for n in (1, 7, 512, 513, 9000, 100_001):
        assert rare.estimate(POISSON, rare.at_least(8), samples=n).samples == n


def test_stops_by_relative_error():
    estimate = rare.estimate(POISSON, rare.at_least(20), proposal=rare.Poisson(20.0), relative_error=0.02, seed=1)
    assert estimate.stopped_by == "relative_error"
    assert estimate.relative_error <= 0.02
    assert estimate.hits >= 100 and estimate.samples >= 1000
    assert estimate.samples < 30_000                   # V / 0.02^2 = 17,000, in steps of at most a fifth


def test_stops_by_max_samples_and_max_seconds():
    hopeless = rare.estimate(POISSON, rare.at_least(20), relative_error=0.01, max_samples=100_000)
    assert hopeless.stopped_by == "max_samples" and hopeless.samples == 100_000
    quick = rare.estimate(POISSON, rare.at_least(20), relative_error=1e-9, max_seconds=0.2)
    assert quick.stopped_by == "max_seconds" and quick.seconds < 10.0
    first = rare.estimate(POISSON, rare.at_least(20), samples=1000, max_samples=700)
    assert first.stopped_by == "max_samples" and first.samples == 700


def test_schedule_makes_exactly_the_draws_and_starts_small():
    for n in (1, 511, 512, 8192, 10_000, 3_000_000):
        plan = list(schedule(n))
        assert sum(size for _, size, _ in plan) == n
        assert [chunk for chunk, *_ in plan] == list(range(len(plan)))
    assert len(list(schedule(10_000))) >= 16
    assert max(size for _, size, _ in schedule(10 ** 7)) == 1 << 18


# ------------------------------------------------------------------------------------------------ reporting
def test_zero_hits_are_a_bound():
    estimate = rare.estimate(POISSON, rare.at_least(20), samples=10_000)
    assert (estimate.value, estimate.hits) == (0.0, 0)
    assert estimate.interval() == pytest.approx((0.0, -math.log(0.025) / 10_000), rel=1e-12)      # 3.689 / n
    assert (estimate.verdict, estimate.kind) == ("caution", "certified")
    assert json.loads(estimate.to_json())["relative_error"] is None


def test_a_one_sided_proposal_on_a_two_sided_event_is_never_trusted():
    law = rare.Binomial(100, 0.5)
    estimate = rare.estimate(law, rare.outside(26, 74), proposal=rare.Binomial(100, 0.75), samples=100_000, seed=1)
    exact = 2 * stats.binom.sf(74, 100, 0.5)
    assert estimate.value < 0.6 * exact                               # confidently wrong by its own error bar
    assert estimate.verdict != "trusted"
    low, high = estimate.interval()
    assert low <= exact <= high                                       # what is certified is still right


def test_words_and_json():
    estimate = rare.estimate(POISSON, rare.at_least(20), proposal=rare.Poisson(20.0), samples=100_000, seed=1)
    text = str(estimate)
    for word in ("95% interval", "ESS", "trusted", "relative error", "hits"):
        assert word in text
    data = json.loads(estimate.to_json())
    assert data["value"] == estimate.value and data["samples"] == 100_000 and data["evaluations"]["final"] == 100_000
    assert "seconds" not in data                                      # nothing measured in time
    assert estimate.to_json() == rare.estimate(POISSON, rare.at_least(20), proposal=rare.Poisson(20.0),
                                               samples=100_000, seed=1).to_json()
    narrow, wide = estimate.interval(0.5), estimate.interval(0.999)
    assert wide[0] < narrow[0] < estimate.value < narrow[1] < wide[1]
    rows = estimate.history()
    assert rows[-1][0] == 100_000 and rows[-1][1] == pytest.approx(estimate.value, rel=1e-12)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_weighted_samples():
    q = rare.Poisson(20.0)
    x, log_weight = rare.weighted_samples(POISSON, q, 50_000, seed=1)
    assert log_weight == pytest.approx(POISSON.log_prob(x) - q.log_prob(x), rel=1e-12)
    again, _ = rare.weighted_samples(POISSON, q, 50_000, seed=1)
    assert np.array_equal(x, again)
    terms = np.exp(log_weight) * (x >= 20)
    assert abs(terms.mean() - stats.poisson.sf(19, 4)) <= Z * terms.std() / math.sqrt(50_000)
    rows, ones = rare.weighted_samples(rare.IID(rare.Normal(0.0, 1.0), 3), None, 10)
    assert rows.shape == (10, 3) and np.all(ones == 0.0)


def test_black_box_scalar_and_vectorised_give_the_same_bits():
    calls = []

    def simulator(x):
        calls.append(x)
        return {True: 1.0, False: 0.0}[bool(x >= 12)]                 # a dict: nothing that could be compiled
    q = rare.Poisson(12.0)
    one = rare.estimate(POISSON, rare.black_box(simulator), proposal=q, samples=5000, seed=1)
    many = rare.estimate(POISSON, rare.black_box(lambda x: (x >= 12) * 1.0, vectorized=True), proposal=q, samples=5000,
                         seed=1)
    assert one.to_json() == many.to_json()
    assert len(calls) == 5001 + one.evaluations.audit   # one to see what it returns
    assert abs(one.value - stats.poisson.sf(11, 4)) <= Z * one.std_error


@pytest.mark.parametrize("proposal", [None, rare.Poisson(12.0), rare.Poisson(9.0)], ids=str)
def test_the_error_of_the_relative_variance_is_right(proposal):
    """z-scores of 300 runs; chi-square with 300 degrees of freedom, false alarm 1e-6, and 8 % for what the delta method
    leaves out at 20,000 draws: the relative error of the variance is below 0.1, and enters squared."""
    x = np.arange(9, 100)
    p, q = stats.poisson.pmf(x, 4.0), stats.poisson.pmf(x, 4.0 if proposal is None else proposal.rate)
    exact = (p * p / q).sum() / p.sum() ** 2 - 1.0
    runs = [rare.estimate(POISSON, rare.at_least(9), proposal=proposal, samples=20_000, seed=s, threads=1)
            for s in range(300)]
    z = np.array([math.log(run.relative_variance / exact) / run.relative_variance_error for run in runs])
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], 300) / 300
    assert 0.92 * low <= np.mean(z ** 2) <= 1.08 * high


def test_compare_has_independent_streams_and_ratios_with_errors():
    event = rare.at_least(12)
    result = rare.compare(POISSON, event, {"naive": None, "tilted": rare.Poisson(12.0)}, samples=200_000, seed=1)
    exact = stats.poisson.sf(11, 4)
    q = stats.poisson.pmf(np.arange(12, 200), 4) ** 2 / stats.poisson.pmf(np.arange(12, 200), 12)
    ratio = (1 / exact - 1) / (q.sum() / exact ** 2 - 1)
    found = result.variance_ratio("tilted")
    assert abs(found.value - ratio) <= Z * found.std_error            # false alarm 1e-6
    assert found.std_error < 0.3 * found.value
    assert result["naive"].value != rare.compare(POISSON, event, {"a": rare.Poisson(12.0), "naive": None},
                                                 samples=200_000, seed=1)["naive"].value
    assert result.variance_ratio("naive") == (1.0, 0.0)
    assert result.efficiency_ratio("tilted") is None                                  # too short to be timed
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["tilted"]["variance_ratio"]["value"] == found.value
    none = rare.compare(POISSON, rare.at_least(20), {"naive": None, "tilted": rare.Poisson(20.0)}, samples=1000, seed=1)
    assert none.variance_ratio("tilted") == (None, None)
    assert "no hit" in str(none)
