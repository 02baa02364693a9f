"""Splitting at fixed levels and RESTART: unbiased, exact where every path is followed, and refused where it must be."""
import math

import numpy as np
import pytest

import rareevents as rare
from tests.test_paths import MONTH, WEATHER, Z

GAMBLER, NINE = rare.BirthDeath(0.4, 0.6, 1), rare.hits(rare.at_least(9), before=rare.at_most(0))
QUEUES, EIGHT = rare.TandemQueue(0.2, [0.3, 0.5]), rare.hits(rare.total >= 8, before=rare.total <= 0)
STORMS = rare.visits("storm") >= 8
RESERVE = rare.RandomWalk([rare.Exponential(1.0), rare.Reflected(rare.Exponential(0.8))])
RUIN = rare.hits(rare.at_least(15.0), before=rare.at_most(-60.0))         # 0.8 exp(-0.2 u), up to exp(-12)


# Each z is that of 2,000 independent populations, |z| < 5.2: a false alarm in 5e6 for each of the 10 cases. The scores
# are lattices, so that populations tie; those of the gambler and the queues fall, which tests what is killed there.
@pytest.mark.parametrize("trials", [None, [3, 2, 4]], ids=["fixed", "restart"])
@pytest.mark.parametrize(("process", "event", "levels"), [
    (MONTH, STORMS, [0.25, 0.5, 0.75]), (GAMBLER, NINE, [0.25, 0.5, 0.75]), (QUEUES, EIGHT, [0.3, 0.5, 0.8]),
    (rare.MarkovChain(WEATHER, [0.4, 0.3, 0.2, 0.1], 30), rare.total >= 55, [0.3, 0.6, 0.9])])
def test_fixed_levels_are_unbiased(process, event, levels, trials):
    found = rare.split(process, event, levels=levels, trials=trials, particles=40, replicates=2000, seed=1)
    assert abs(found.value - rare.oracle.value(process, event)) < Z * found.std_error
    assert found.kind == "replicated" and found.verdict == "caution"
    assert ("RESTART" in found.how) == (trials is not None) and "3 fixed levels" in found.how


@pytest.mark.parametrize("trials", [None, 3], ids=["fixed", "restart"])
def test_fixed_levels_of_a_walk(trials):
    """Without a graph: real states, and any number of steps."""
    found = rare.split(RESERVE, RUIN, levels=[0.25, 0.5, 0.75], trials=trials, particles=50, replicates=1000, seed=2)
    assert abs(found.value - 0.8 * math.exp(-3.0)) < Z * found.std_error + 1e-5


def test_restart_counts_what_a_level_is_worth():
    """Where the event is sure, each tree has all its leaves, and their weights make 1."""
    sure = rare.MarkovChain([[0.0, 1.0], [0.0, 1.0]], 0, 6)
    found = rare.split(sure, rare.visits(1) >= 4, levels=[0.25, 0.5, 0.75], trials=[2, 3, 4], particles=5,
                       replicates=20)
    assert found.value == pytest.approx(1.0, abs=1e-15) and found.std_error < 1e-15
    assert found.hits == 5 * 20 * 24 and found.samples == 5 * 20 * (1 + 1 + 2 * 2 + 6 * 3)


def test_one_trial_is_naive():
    found = rare.split(MONTH, STORMS, levels=[0.5], trials=1, particles=500, replicates=40, seed=3)
    assert found.samples == 500 * 40 and found.value == found.hits / found.samples


def test_levels_that_are_all_there_are_the_adaptive_ones():
    """On a lattice of counts, a population that is split at each of them is the adaptive one, bit by bit."""
    free, fixed = (rare.split(MONTH, STORMS, levels=levels, particles=50, replicates=20, seed=4)
                   for levels in (None, [k / 8 for k in range(1, 8)]))
    assert fixed.value == free.value and fixed.samples == free.samples


def test_bits_and_bounds():
    one, three = (rare.split(MONTH, STORMS, levels=[0.25, 0.5, 0.75], trials=2, particles=50, replicates=20, threads=n)
                  for n in (1, 3))
    assert one.to_json() == three.to_json()
    none = rare.split(MONTH, rare.visits("storm") >= 25, levels=[0.3, 0.6, 0.9], trials=2, particles=50, replicates=20)
    assert none.value == 0.0 and none.verdict == "not trusted" and "upper bound" in none.reason
    assert none.interval()[1] == pytest.approx(-math.log(0.025) / 50)
    assert {check.name: check.status for check in none.checks}["extinction"] == "failed"


@pytest.mark.parametrize(("options", "message"), [
    ({"levels": [0.5, 0.2]}, r"levels must be rising numbers in \(0, 1\)"), ({"levels": [0.0, 0.5]}, "levels must be"),
    ({"levels": [[0.5]]}, "levels must be"), ({"trials": 3}, "levels must be given with trials"),
    ({"levels": [0.5], "trials": 0}, "trials must be an integer of at least 1"),
    ({"levels": [0.5], "trials": 2.0}, "trials must be"),
    ({"levels": [0.3, 0.5], "trials": [2, 2, 2]}, "trials must be"),
    ({"levels": [0.1, 0.2, 0.3], "trials": [300, 300, 300], "particles": 20}, "trials must be fewer")])
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        rare.split(MONTH, STORMS, **options)


def test_weights_follow_the_level_that_a_path_is_at():
    """Levels rise and fall along each path: with one step up and down for sure, the trees are known."""
    wave = rare.MarkovChain(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], float), 0, 7)          # 0 1 2 0 1 2 0 1
    found = rare.split(wave, rare.visits(2) >= 2, importance=lambda state: 0.6 * (state == 1), levels=[0.5], trials=3,
                       particles=2, replicates=20)
    assert found.value == pytest.approx(1.0, abs=1e-15)           # retrials fall at time 2; the path branches at time 4
    assert found.samples == 40 * (1 + 2 + 2)
