"""What a new user of paths stumbled over: answers that never came, and words that did not say what to do."""
from dataclasses import dataclass

import pytest

import rareevents as rare

CHAIN = rare.MarkovChain([[0.7, 0.25, 0.05], [0.4, 0.4, 0.2], [0.3, 0.3, 0.4]], "a", 7, labels=["a", "b", "c"])
SUM = rare.CompoundSum(rare.Poisson(4.0), rare.LogNormal(0.0, 1.0))
AWAY = rare.RandomWalk(rare.Normal(-0.5, 1.0), 0.0)
QUEUES = rare.TandemQueue(0.1, [0.45, 0.45])


@dataclass(frozen=True)
class Reservoir(rare.Process):
    """Storage and season: a state of two kinds of numbers."""

    start = (5.0, 0)
    steps = 20

    def step(self, state, rng):
        return state[0] + rng.standard_normal() - 0.1, state[1] + 1


@pytest.mark.parametrize("event", [rare.running_max >= 15, ~(rare.running_max <= 15)], ids=repr)
@pytest.mark.parametrize("arguments", [{}, {"levels": [0.3, 0.6], "trials": 3}], ids=["adaptive", "restart"])
def test_splitting_counts_paths_that_stay_undecided(event, arguments):
    with pytest.raises(rare.StepLimitError, match="paths of 20 of 20 populations were undecided after max_steps"):
        rare.split(AWAY, event, particles=50, replicates=20, **arguments)


def test_solve_does_not_wait_for_ever():
    with pytest.raises(rare.StepLimitError, match="undecided after max_steps"):
        rare.solve(rare.BirthDeath(1.0, 2.0, 5), rare.hits(30))
    never = rare.solve(CHAIN, lambda x: x[0] == 1)
    assert never.value == 0.0 and never.samples == 10 ** 8 and never.verdict == "caution"


def test_what_is_certain_is_exact():
    found = rare.solve(SUM, rare.at_least(0.0))
    assert found.kind == "exact" and found.value == 1.0


def test_a_function_of_the_path_gets_its_start():
    assert rare.estimate(CHAIN, lambda x: float(len(x)), samples=100).value == 8.0
    assert rare.estimate(CHAIN, lambda x: float(x[0] == 0), samples=100).value == 1.0


def test_one_number_of_a_state_of_several_kinds():
    low = rare.component(0) <= -1.0
    one, two = (rare.estimate(Reservoir(), event, samples=5000, seed=1).value for event in (
        rare.running_min.taken_of(rare.component(0)) <= -1.0, rare.hits(low)))
    assert one == two > 0.0
    assert rare.estimate(Reservoir(), rare.visits(rare.component(1) >= 5) >= 16, samples=100).value == 1.0


def test_a_proposal_whose_bound_is_unknown_is_audited_over_a_graph_too():
    full = rare.hits(rare.total >= 8, before=rare.total <= 0)
    steered = rare.proposals.committor(QUEUES, full, particles=1000)
    found = rare.estimate(QUEUES, full, steered, samples=20_000)
    assert found.evaluations.audit > 0 and "audit" in {check.name for check in found.checks}


@pytest.mark.parametrize(("call", "words"), [
    (lambda: rare.estimate(QUEUES, rare.hits(rare.total >= 30, before=(0, 0)), samples=9), "^before must be given"),
    (lambda: rare.oracle.value(CHAIN, lambda x: 1.0), "^f must be an event or a function of a score"),
    (lambda: rare.estimate(CHAIN, rare.end == "c", samples=10), "what == made is no event"),
    (lambda: rare.MarkovChain([[1, 0], [0.5]], 0, 30), "^transition must be a square matrix of numbers"),
    (lambda: rare.MarkovChain([[1.1, -0.1], [0.5, 0.5]], 0, 30), r"the least is -0\.1 and the sum 1"),
    (lambda: rare.RandomWalk(-0.5, 0.0, 20), "^increment must be a law"),
    (lambda: rare.visits([]), "at least one"),
    (lambda: rare.solve(CHAIN, rare.longest_run), r"call it and compare it, as in longest_run\(states\) >= 3"),
    (lambda: rare.score(rare.black_box(lambda x: x)), r"a black box is compared itself, as in black_box\(f\) >= 3"),
])
def test_words(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()
