"""What attacks found, kept found."""
import dataclasses
import json
import math
import time

import numpy as np
import pytest
from scipy import stats

import experiments.damage as damage
import experiments.month as month
import experiments.ppo as ppo
import experiments.queue as queues
import rareevents as rare
from rareevents import experiments

SEASON = rare.CompoundSum(rare.Poisson(4.0), rare.Exponential(1.0))


@pytest.mark.parametrize(("event", "wanted"), [
    (~rare.at_most(0.0), 1.0 - math.exp(-4.0)), (rare.at_most(0.0), math.exp(-4.0)),
    (rare.Event(rare.identity, 0.0, 0.0), math.exp(-4.0)), (rare.at_least(0.0), 1.0)])
def test_a_sum_without_terms_is_an_atom(event, wanted):
    assert rare.solve(SEASON, event).value == pytest.approx(wanted, rel=1e-13)
    drawn = rare.solve(SEASON, event, exact=False, relative_error=0.02)
    assert abs(drawn.value - wanted) < 5.0 * drawn.std_error + 1e-9


def test_a_sum_is_what_its_fields_say():
    """Its constructor says `size`, which no field can be called: that is the number of components of a draw."""
    law = SEASON.tilt(0.25)
    names = {name: getattr(rare, name) for name in ("CompoundSum", "Poisson", "Exponential")}
    assert eval(repr(law), names) == law == rare.CompoundSum(count=law.count, size=law.sizes, theta=0.25)
    assert dataclasses.replace(law, theta=0.5) == SEASON.tilt(0.5)
    other = rare.Exponential(2.0)
    assert dataclasses.replace(law, sizes=other) == dataclasses.replace(law, size=other) == \
        rare.CompoundSum(law.count, other, 0.25)
    with pytest.raises(TypeError, match="size must be"):
        rare.CompoundSum(rare.Poisson(4.0))


def test_a_table_of_counts_reaches_the_far_part():
    """Two kinds of seasons; the second makes the upper part of a two-sided event."""
    count = rare.Mixture([rare.Poisson(2.0), rare.Poisson(100.0)], [0.99, 0.01])
    season = rare.CompoundSum(count, rare.Exponential(1.0))
    exact = rare.solve(season, rare.outside(0.5, 90.0)).value
    n = np.arange(1, 400)
    p = 0.99 * stats.poisson.pmf(n, 2.0) + 0.01 * stats.poisson.pmf(n, 100.0)
    both = stats.gamma.cdf(0.5, n) + stats.gamma.sf(90.0, n)
    assert exact == pytest.approx(0.99 * math.exp(-2.0) + p @ both, rel=1e-9)
    found = rare.solve(season, rare.outside(0.5, 90.0), exact=False, relative_error=0.005)
    assert abs(found.value - exact) < 5.0 * found.std_error


def test_replicates_must_reach_the_event():
    normal, pair = rare.Normal(), rare.IID(rare.Normal(), 2)
    with pytest.raises(ValueError, match="must cover the event"):
        rare.replicate(normal, rare.at_most(1.0), rare.Exponential(1.0), "independent")
    with pytest.raises(ValueError, match="must reach total >= 50"):
        rare.replicate(pair, rare.total >= 50.0, pair, "independent")
    with pytest.raises(TypeError, match="proposal must be a law"):
        rare.replicate(pair, rare.total >= 5.0, None, "independent")
    with pytest.raises(ValueError, match="one value"):
        rare.replicate(pair, lambda x: (x[0], x[1]), pair, "independent")
    with pytest.raises(ValueError, match="even"):
        rare.replicate(pair, rare.total >= 5.0, pair, "antithetic", samples=17)


def test_quantiles_of_counts_are_in_their_intervals():
    """The level beside the one that is found has another error; 150 seeds, at most 5 % plus 3.5 standard errors."""
    p = float(stats.poisson.sf(79, 50)) * (1.0 + 1e-9)
    found = [rare.quantile(rare.Poisson(50.0), rare.identity, p, samples=2000, seed=seed) for seed in range(150)]
    misses = sum(not q.low <= 80.0 <= q.high for q in found)
    assert misses <= 150 * 0.05 + 3.5 * math.sqrt(150 * 0.05 * 0.95)


def test_certified_answers_keep_the_rules():
    wide = rare.solve(rare.Normal(), rare.at_least(4.0), exact=False, relative_error=0.5)
    assert wide.kind == "certified" and wide.verdict == "caution"
    sure = rare.solve(rare.Normal(), rare.at_least(-5.0), exact=False)
    assert sure.value <= 1.0 and sure.interval()[1] <= 1.0
    few = rare.solve(SEASON, rare.at_least(30.0), exact=False, max_samples=1)
    assert sum(few.evaluations) <= 1


def test_limits_hold_for_the_exploration_too():
    """An opaque sum of ten Lomax terms is explored; draws of every kind together stay below max_samples."""
    heavy = rare.IID(rare.Lomax(1.5, 1.0), 10)
    few = rare.solve(heavy, rare.score(_sum) >= 500.0, max_samples=5000)
    assert sum(few.evaluations) <= 5000

    def slow(x):
        time.sleep(0.002)
        return x[0] + x[1] + x[2]
    normals = rare.IID(rare.Normal(), 3)
    rare.solve(normals, rare.black_box(slow) >= 9.0, max_samples=10)          # compiled
    begin = time.perf_counter()
    found = rare.solve(normals, rare.black_box(slow) >= 9.0, max_seconds=2.0)
    assert found.stopped_by == "max_seconds"
    assert "ended the exploration" in found.how
    assert time.perf_counter() - begin < 60.0                                  # without the limit: minutes


@pytest.mark.parametrize(("law", "event"), [
    (rare.IID(rare.Uniform(0.0, 1.0), 10), rare.total >= 11.0),
    (rare.IID(rare.Bernoulli(0.1), 10), (rare.total >= 11) | (rare.component(3) <= -1)),
    (rare.IID(rare.Bernoulli(0.1), 10), (rare.total >= 2) & (rare.component(3) >= 2))])
def test_what_the_supports_exclude_is_refused(law, event):
    with pytest.raises(ValueError, match="its probability is 0"):
        rare.solve(law, event, exact=False)


def test_impossible_parts_of_a_union_are_left_out():
    pair = rare.IID(rare.Binomial(10, 0.2), 2)
    made = rare.proposals.alore(pair, (rare.component(0) >= 9) | (rare.component(0) >= 12))
    assert made.bound == pytest.approx(stats.binom.sf(8, 10, 0.2))
    with pytest.raises(ValueError, match="its probability is 0"):
        rare.proposals.alore(pair, (rare.component(0) >= 11) | (rare.component(0) >= 12))
    with pytest.raises(ValueError, match=r"components\[0\] must draw ints"):
        rare.proposals.mixture(rare.Poisson(4.0), rare.at_least(20), [rare.Normal(20.0, 4.0)])
    with pytest.raises(ValueError, match="must have a moment generating function"):
        rare.quantile(rare.IID(rare.Lomax(2.0, 1.0), 3), rare.total, 1e-4)


def _sum(x):
    found = 0.0
    for value in x:
        found += value
    return found


# ------------------------------------------------------------------------------------------------ scripts of paths
def test_month():
    found = month.run(month.Settings(samples=5000, shown=3), progress=False)
    exact = found.numbers["exact"]
    for name, estimate in found.numbers["estimates"].items():
        assert name == "naive" or abs(estimate["value"] - exact) < 5.2 * estimate["std_error"] + 1e-12 * exact
    costs = found.numbers["exact_relative_variance"]
    assert costs["feedback"] < 0.2 * costs["stationary tilt"] and costs["given the event (Doob)"] < 1e-12
    assert set(found.plots) == {"months", "days", "costs", "frontier"}


def test_queue():
    found = queues.run(queues.Settings(samples=5000), progress=False).numbers
    assert math.isinf(found["relative_variance"]["arrival and first service swapped"])
    assert found["relative_variance"]["sees both queues"] < 0.1
    seen = found["estimates"]["sees both queues"]
    assert abs(seen["value"] - found["exact"]) < 5.2 * seen["std_error"] and seen["verdict"] == "trusted"
    swapped = found["estimates"]["arrival and first service swapped"]
    assert swapped["verdict"] == "not trusted" and "infinite" in swapped["reason"]


def test_damage(monkeypatch):
    monkeypatch.setattr(damage, "DAMAGES", {"exponential": (rare.Exponential(1.0), (20.0,)),
                                            "Lomax 1.5": (rare.Lomax(1.5, 1.0), (1e4,))})
    found = damage.run(damage.Settings(samples=20_000), progress=False)
    heavy = found.numbers["Lomax 1.5 10000"]
    best, plain = heavy["largest integrated, rest designed"], heavy["largest integrated"]
    assert abs(best["value"] - 4.00419e-6) < 5.2 * best["std_error"] + 1e-10
    assert best["relative_variance"] < 1e-3 * plain["relative_variance"]
    told = damage.tell({}, json.loads(experiments.canonical(experiments.plain(found.numbers))))
    (row,) = told.tables["Why there is no tilt"]
    assert row["law"] == "Lomax 1.5" and "must have a moment generating function" in row["reason"]


def test_ppo():
    found = ppo.run(ppo.Settings(paths=2000, repeats=1, months=3000), progress=False).numbers
    assert found["worst_in_second_half"]["safe mixture (upper bound)"] < 1.0
    assert found["worst_in_second_half"]["cross entropy alone"] > 1e3
    for name, value in found["off_policy"].items():
        assert name == "exact" or abs(value["value"] - found["off_policy"]["exact"]) < 5.2 * value["std_error"]
