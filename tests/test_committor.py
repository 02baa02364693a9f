"""The committor that is learned from a climb: near the exact one, unbiased as a proposal, and repeatable."""
import math

import numpy as np
import pytest

import rareevents as rare
from rareevents import proposals
from rareevents.paths import exact
from tests.test_paths import MONTH, NAMES, WEATHER, Z

QUEUES, FULL = rare.TandemQueue(0.1, [0.45, 0.45]), rare.hits(rare.total >= 20, before=rare.total <= 0)
STORMS = rare.visits("storm") >= 20


@pytest.mark.parametrize(("process", "event", "variance"), [
    (MONTH, STORMS, 0.6), (MONTH, rare.longest_run("storm") >= 8, 0.1), (QUEUES, FULL, 0.01),
    (rare.MarkovChain(WEATHER, [0.4, 0.3, 0.2, 0.1], 30, labels=NAMES), rare.visits("storm") >= 15, 0.2)])
def test_a_learned_committor_is_a_good_proposal(process, event, variance):
    """The exact variance of what seed 1 learned, and the estimate with it at |z| < 5.2."""
    made = proposals.committor(process, event, seed=1)
    assert made.relative_variance < variance and made.learning > 10_000 and "climbed" in made.how
    found = rare.estimate(process, event, made, samples=20_000, seed=3)
    assert abs(found.value - rare.oracle.value(process, event)) < Z * found.std_error
    again = proposals.committor(process, event, seed=1)
    assert np.array_equal(made.law.table, again.law.table)


def test_errors_of_the_committor_do_not_multiply():
    """After a broken run of storms a path waits long where h is small and noisy: h that is not raised to its mean one
    step on has exact relative variances of 0.14 to 10^12 here, from seed to seed."""
    event = rare.longest_run("storm") >= 8
    exact_value = rare.oracle.value(MONTH, event)
    for seed in range(3, 9):
        made = proposals.committor(MONTH, event, particles=1000, seed=seed)
        assert made.relative_variance < 1.0 and made.bound < 100.0 * exact_value


def test_it_is_the_exact_one_where_paths_are_many():
    """A gambler: the chance of each node within 10 %, where 10^4 visits and more leave 1 % a level."""
    gambler, event = rare.BirthDeath(0.4, 0.6, 1), rare.hits(20, before=0)
    made = proposals.committor(gambler, event, seed=1)
    right = exact.doob(made.law.graph)[0, 2:, 0]                                 # the chance of a step up at each node
    assert made.law.table[0, 2:, 0] == pytest.approx(right, rel=0.1)
    assert made.relative_variance < 0.01


def test_an_event_at_the_end_and_events_that_do_not_climb():
    """The value of the last node counts where an event is decided by it; without known levels, h is a plain mean."""
    for event in (rare.end >= 3, ~(rare.visits("storm") >= 1)):
        made = proposals.committor(MONTH, event, particles=4000, seed=2)
        found = rare.estimate(MONTH, event, made, samples=20_000, seed=3)
        assert abs(found.value - rare.oracle.value(MONTH, event)) < Z * found.std_error
        assert made.relative_variance < exact.grade(made.law.graph, made.law.graph.p[None]).relative_variance


def test_bad_input():
    with pytest.raises(ValueError, match="particles must be an integer of at least 2"):
        proposals.committor(MONTH, STORMS, particles=1)
    with pytest.raises(ValueError, match="died out at level"):
        proposals.committor(MONTH, STORMS, particles=2)
    with pytest.raises(ValueError, match="finitely many states"):
        proposals.committor(rare.RandomWalk(rare.Normal()), rare.hits(rare.at_least(3.0)))
    with pytest.raises(ValueError, match="must be possible"):
        proposals.committor(MONTH, rare.visits("storm") >= 31)
    assert math.isfinite(proposals.committor(MONTH, STORMS, particles=500, seed=7).relative_variance)
