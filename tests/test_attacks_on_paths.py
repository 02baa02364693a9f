"""What an attack on the paths found: numbers that were wrong and trusted."""
import math
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents import oracle, proposals
from rareevents.processes.base import Process

LEVEL = 3
ABSORBED = rare.MarkovChain([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0]], initial=1)


# ------------------------------------------------------------------------------------------------ exact answers
@pytest.mark.parametrize("event", [~rare.hits(2), rare.visits(2) <= 0, rare.running_max <= 1, rare.end >= 2,
                                   rare.hits(2)], ids=str)
def test_what_stays_for_ever_is_decided(event):
    assert oracle.value(ABSORBED, event) == pytest.approx(0.5)
    found = rare.estimate(ABSORBED, event, samples=2000)
    assert abs(found.value - 0.5) < 5.0 * found.std_error


def test_what_never_settles_is_refused():
    flips = rare.MarkovChain([[0.0, 1.0], [1.0, 0.0]], initial=0)
    for solver in (rare.solve, oracle.value):
        with pytest.raises(ValueError, match="steps must be a number for a question that some paths never decide"):
            solver(flips, rare.end >= 1)


def high(state):
    return state >= LEVEL


@dataclass(frozen=True)
class Gambler(rare.JumpChain):
    """Up with a chance that its module sets."""

    start = 1

    def rates(self, state):
        return UP, 1.0 - UP

    def jump(self, state, k):
        return state + 1 if k == 0 else state - 1


UP = 0.4


def test_a_changed_value_is_another_question(monkeypatch):
    chain = rare.MarkovChain([[.5, .3, .1, .1], [.4, .3, .2, .1], [.3, .3, .2, .2], [.25, .25, .25, .25]], 0, 6)
    event, player, ruin = rare.visits(high) >= 2, Gambler(), rare.hits(10, before=0)
    before = rare.solve(chain, event).value, rare.solve(player, ruin).value
    design = proposals.doob(player, ruin)
    monkeypatch.setattr(sys.modules[__name__], "LEVEL", 2)
    monkeypatch.setattr(sys.modules[__name__], "UP", 0.45)
    after = rare.solve(chain, event).value, rare.solve(player, ruin).value
    assert before == (pytest.approx(0.191848, rel=1e-5), pytest.approx(0.5 / (1.5 ** 10 - 1.0)))
    ratio = 0.55 / 0.45
    assert after == (pytest.approx(0.509241, rel=1e-5), pytest.approx((ratio - 1.0) / (ratio ** 10 - 1.0)))
    found = rare.estimate(player, ruin, design, samples=20_000)
    assert abs(found.value - after[1]) < 5.0 * found.std_error


def test_a_law_that_can_change_is_refused():
    @dataclass
    class Loose(Process):
        s: float
        start = 0.0
        steps = 2

        def step(self, state, rng):
            return state + self.s * rng.standard_normal()
    with pytest.raises(TypeError, match="must be a frozen dataclass"):
        rare.estimate(Loose(1.0), rare.end >= 1.0, samples=100)


@dataclass(frozen=True)
class Told(Process):
    """A coin's count, with a second statement of what its steps are."""

    p: float
    q: float = 0.5
    start = 0
    steps = 5

    def step(self, state, rng):
        return state + (1 if rng.random() < 0.5 else 0)

    def moves(self, state):
        return [state, state + 1], np.array([self.q, self.p])


@pytest.mark.parametrize(("p", "q"), [(0.4, 0.5), (0.7, 0.5), (math.nan, 0.5), (-0.5, 1.5), (0.8, 0.2)])
def test_moves_are_those_of_the_steps(p, q):
    with pytest.raises(ValueError, match=r"moves\(0\) must (give|have)"):
        rare.solve(Told(p, q), rare.end >= 5)
    assert rare.solve(Told(0.5), rare.end >= 5).value == pytest.approx(0.5 ** 5)


@pytest.mark.parametrize("base", [rare.MarkovChain, rare.RandomWalk, rare.BirthDeath])
def test_a_step_that_would_be_ignored_is_refused(base):
    with pytest.raises(TypeError, match=r"must (define moves|not define step)"):
        type("Other", (base,), {"step": lambda self, state, rng: 1})


def test_many_steps_are_summed_by_squares():
    lasting = rare.MarkovChain([[1.0 - 1e-9, 1e-9], [0.0, 1.0]], 0, 10 ** 8)
    assert rare.solve(lasting, rare.hits(1)).value == pytest.approx(-math.expm1(1e8 * math.log1p(-1e-9)), rel=1e-7)
    short = rare.MarkovChain([[0.5, 0.5], [0.0, 1.0]], 0, 10 ** 12)
    assert rare.estimate(short, rare.hits(1), samples=1000).value == 1.0
    with pytest.raises(ValueError, match="steps must be at most"):
        proposals.doob(lasting, rare.hits(1))


# ------------------------------------------------------------------------------------------------ states
@dataclass(frozen=True)
class Begun(Process):
    """Two normal steps from a normal beginning."""

    s: float
    steps = 2

    def begin(self, rng):
        return rng.standard_normal()

    def step(self, state, rng):
        return state + self.s * rng.standard_normal()


def above(path):
    return path[-1] > 0.5


def test_a_whole_path_keeps_its_fractions():
    found = rare.estimate(Begun(1.0), above, samples=50_000, seed=1)
    assert abs(found.value - stats.norm.sf(0.5 / math.sqrt(3.0))) < 5.0 * found.std_error


@dataclass(frozen=True)
class InPlace(Process):
    """Writes into its own state."""

    s: float
    start = np.array([0.0, 0.0])
    steps = 4

    def step(self, state, rng):
        state[0] += self.s * rng.standard_normal()
        return state


@pytest.mark.parametrize("ask", [rare.estimate, rare.split])
def test_a_step_that_writes_into_its_state_is_refused(ask):
    options = {"samples": 500} if ask is rare.estimate else {"particles": 20}
    with pytest.raises(ValueError, match="must return a new array and leave its state as it is"):
        ask(InPlace(1.0), rare.end.taken_of(rare.component(0)) >= 2.0, **options)


@dataclass(frozen=True)
class Lost(Process):
    """Leaves the numbers below -1."""

    s: float
    start: float = 0.0
    steps = 5

    def step(self, state, rng):
        x = state + self.s * rng.standard_normal()
        return x if x > -1.0 else math.nan


@dataclass(frozen=True)
class Deep(rare.JumpChain):
    """Its rates are wrong far up."""

    x: float
    steps = 400
    start = 0.5

    def rates(self, state):
        return (0.5, 0.5) if state < 20.0 else (self.x, 1.3)

    def jump(self, state, k):
        return state * 1.0001 + 1.0 if k == 0 else state * 0.999 - 1.0


def test_what_is_no_number_is_no_answer():
    for ask in (lambda: rare.estimate(Lost(1.0), rare.end >= 1.0, samples=20_000),
                lambda: rare.split(Lost(1.0), rare.end >= 1.0, particles=100)):
        with pytest.raises((rare.UserFunctionError, ValueError), match="step must return numbers, got NaN"):
            ask()
    with pytest.raises(ValueError, match="start must be a number"):
        rare.estimate(Lost(1.0, math.nan), rare.end >= 1.0, samples=100)
    for rate in (math.nan, -0.3):
        with pytest.raises(rare.UserFunctionError, match="rates"):
            rare.estimate(Deep(rate), rare.running_max >= 22.0, samples=5000)


def test_a_function_of_states_that_raises_is_named():
    def beyond(state):
        return (1.0, 2.0)[int(state) + 5] > 0.0
    with pytest.raises(rare.UserFunctionError, match=r"beyond \(.* raised IndexError"):
        rare.estimate(rare.MarkovChain([[.5, .5], [.5, .5]], 0, 5), rare.visits(beyond) >= 1, samples=2000)


@pytest.mark.parametrize("answer", [None, "a"])
def test_a_function_of_states_answers(answer):
    def asked(state):
        return answer
    with pytest.raises((TypeError, ValueError), match="asked must return a bool or a number"):
        rare.estimate(rare.MarkovChain([[.5, .5], [.5, .5]], 0, 5), rare.visits(asked) >= 1, samples=2000)


# ------------------------------------------------------------------------------------------------ proposals
def test_hidden_rates_are_compared():
    def law(**other):
        return rare.SelfExciting(**{**dict(base=1.0, excitation=.25, memory=.5, steps=6, first=2.0), **other})
    event = rare.running_max.taken_of(rare.component(0)) >= 9
    for other in (dict(memory=0.52, factor=1.5), dict(base=2.0)):
        with pytest.raises(ValueError, match="proposal must be comparable with the nominal law"):
            rare.estimate(law(), event, proposal=law(**other), samples=1000)
    assert rare.estimate(law(), event, proposal=law(factor=1.5), samples=2000).hits > 0


@dataclass(frozen=True)
class Four(Process):
    """Four normal steps as a user writes them."""

    m: float
    start = 0.0
    steps = 4

    def step(self, state, rng):
        return state + self.m + rng.standard_normal()

    def log_density(self, state, new):
        return -0.5 * (new - state - self.m) ** 2


@pytest.mark.slow
def test_an_audit_of_paths_sees_a_part_as_large_as_the_error_claimed(replicates):
    """A part of 7.6 % is missing, the error claimed 1.1 %: passed in 0 of 20 by hand, asked in at most 1 of 5."""
    runs = replicates(20, 5)
    event = (rare.end >= 4.0) | (rare.end <= -5.8)
    found = [rare.estimate(Four(0.0), event, proposal=Four(1.0), samples=20_000, seed=s).verdict for s in range(runs)]
    assert found.count("trusted") <= runs // 5
    right = [rare.estimate(Four(0.0), rare.end >= 4.0, proposal=Four(1.0), samples=20_000, seed=s).verdict
             for s in range(runs)]
    assert right.count("trusted") >= runs - 1 - runs // 10


def test_a_number_beside_a_truth_value_is_no_event():
    walk = rare.RandomWalk(rare.Normal(0.0, 1.0), 0.0, 4)

    def seldom(path):
        if path[-1] > 7.0:
            return 1e6
        return False
    found = rare.estimate(walk, seldom, samples=1000, seed=3)
    assert found.bound is None and found.kind == "asymptotic"


def test_seeds_of_64_bits_differ():
    walk = rare.RandomWalk(rare.Normal(0.0, 1.0), 0.0, 4)
    paths = [rare.weighted_samples(walk, None, 4, seed=seed)[0] for seed in (2 ** 63 + 1, 2 ** 63 + 2, 2 ** 64 - 1)]
    assert not np.array_equal(paths[0], paths[1]) and not np.array_equal(paths[1], paths[2])
