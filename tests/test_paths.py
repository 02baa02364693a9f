"""Laws of paths and their events: exact answers against sums over all paths, compiled chunks against both."""
import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents.paths import exact
from rareevents.paths.graph import graph

SMALL = [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.25, 0.25, 0.5]]
STEPS = 6
WEATHER = [[0.70, 0.20, 0.08, 0.02], [0.30, 0.40, 0.25, 0.05], [0.15, 0.35, 0.35, 0.15], [0.10, 0.25, 0.35, 0.30]]
NAMES = ["sun", "cloud", "rain", "storm"]
MONTH = rare.MarkovChain(WEATHER, "sun", 30, labels=NAMES)
Z = 5.2                       # |z| beyond which a test fails: 2e-7 in a normal law


def run_of(days, state):
    best = now = 0
    for day in days:
        now = now + 1 if day == state else 0
        best = max(best, now)
    return best


def passage(days, states):
    return next((t for t, day in enumerate(days, 1) if day in states), math.inf)


EVENTS = {                    # an event, and the same as a plain function of the days after time 0
    "visits": (rare.visits(2) >= 3, lambda d: d.count(2) >= 3),
    "few visits": (rare.visits([0, 1]) <= 2, lambda d: d.count(0) + d.count(1) <= 2),
    "visits between": (rare.Event(rare.visits(1), 2, 4), lambda d: 2 <= d.count(1) <= 4),
    "visits of an event": (rare.visits(rare.at_least(1)) >= 5, lambda d: sum(x >= 1 for x in d) >= 5),
    "visits of a function": (rare.visits(lambda s: s != 1) >= 5, lambda d: sum(x != 1 for x in d) >= 5),
    "longest run": (rare.longest_run(1) >= 4, lambda d: run_of(d, 1) >= 4),
    "short runs": (rare.longest_run(1) <= 1, lambda d: run_of(d, 1) <= 1),
    "passage": (rare.first_passage(2) <= 2, lambda d: passage(d, {2}) <= 2),
    "late passage": (rare.first_passage(2) >= 5, lambda d: passage(d, {2}) >= 5),
    "maximum": (rare.running_max >= 2, lambda d: max(d) >= 2),
    "minimum": (rare.running_min >= 1, lambda d: min(d) >= 1),
    "end": (rare.end >= 2, lambda d: d[-1] >= 2),
    "total": (rare.total >= 9, lambda d: sum(d) >= 9),
    "hits": (rare.hits(2, before=1), lambda d: passage(d, {2}) < passage(d, {1})),
    "union": ((rare.visits(2) >= 5) | (rare.longest_run(0) >= 5), lambda d: d.count(2) >= 5 or run_of(d, 0) >= 5),
    "intersection": ((rare.visits(2) >= 2) & (rare.end <= 0), lambda d: d.count(2) >= 2 and d[-1] <= 0),
    "complement": (~((rare.visits(2) >= 2) & (rare.end <= 0)), lambda d: not (d.count(2) >= 2 and d[-1] <= 0)),
}


def by_all_paths(initial, happens):
    """The probability of an event, and of each path with it, by a sum over all paths."""
    total = 0.0
    firsts = np.eye(3)[initial] if isinstance(initial, int) else np.array(initial)
    for path in itertools.product(range(3), repeat=STEPS + 1):
        p = firsts[path[0]] * math.prod(SMALL[i][j] for i, j in itertools.pairwise(path))
        total += p * float(happens(list(path[1:])))
    return total


@pytest.mark.parametrize("initial", [0, [0.2, 0.5, 0.3]], ids=["fixed start", "random start"])
@pytest.mark.parametrize("name", EVENTS)
def test_events_are_exact(name, initial):
    event, happens = EVENTS[name]
    chain = rare.MarkovChain(SMALL, initial, STEPS)
    assert rare.oracle.value(chain, event) == pytest.approx(by_all_paths(initial, happens), rel=1e-13)


@pytest.mark.parametrize("name", ["late passage", "total", "union"])
def test_compiled_steps_agree_with_the_graph(name):
    """A function of the whole path runs step by step, an event over the graph: the same law, other streams."""
    event, _ = EVENTS[name]
    chain = rare.MarkovChain(SMALL, [0.2, 0.5, 0.3], STEPS)
    value = rare.oracle.value(chain, event)
    over = rare.estimate(chain, event, samples=40_000, seed=3)
    assert abs(over.value - value) < Z * over.std_error
    stepped = rare.MarkovChain(SMALL, [0.2, 0.5, 0.3], STEPS)
    object.__setattr__(stepped, "moves", lambda state: None)             # no graph: as a user's simulator
    by_step = rare.estimate(stepped, event, samples=40_000, seed=4)
    assert abs(by_step.value - value) < Z * by_step.std_error


def test_a_function_of_the_path_sees_every_state():
    chain = rare.MarkovChain(SMALL, 0, STEPS)

    def f(path):
        return len(path) == 7 and path[0] == 0 and np.sum(path[1:] == 2) >= 3
    found = rare.estimate(chain, f, samples=40_000, seed=1)
    assert abs(found.value - rare.oracle.value(chain, rare.visits(2) >= 3)) < Z * found.std_error


def test_mapped_scores():
    chain = rare.MarkovChain(SMALL, 0, STEPS)
    doubled = rare.visits(2).map(lambda k: 2.0 ** k)
    wanted = sum(2.0 ** k * rare.oracle.value(chain, rare.Event(rare.visits(2), k, k)) for k in range(STEPS + 1))
    assert rare.oracle.value(chain, doubled) == pytest.approx(wanted, rel=1e-13)
    found = rare.estimate(chain, doubled, samples=40_000, seed=1)
    assert abs(found.value - wanted) < Z * found.std_error
    signed = rare.visits(2).map(lambda k: k - 2.0)
    wanted = sum((k - 2.0) * rare.oracle.value(chain, rare.Event(rare.visits(2), k, k)) for k in range(STEPS + 1))
    assert rare.oracle.value(chain, signed) == pytest.approx(wanted, rel=1e-12)


# ------------------------------------------------------------------------------------------------ exact grades
def test_a_grade_is_a_sum_over_all_paths():
    """mu, relative variance, divergence and largest weight of another chain, by all 3^6 paths."""
    other = [[0.2, 0.3, 0.5], [0.1, 0.3, 0.6], [0.1, 0.2, 0.7]]
    p, q = rare.MarkovChain(SMALL, 0, STEPS), rare.MarkovChain(other, 0, STEPS)
    found = rare.oracle.grade(p, rare.visits(2).map(lambda k: 1.0 if k >= 4 else 0.0), q)
    mu = second = kl = largest = 0.0
    for path in itertools.product(range(3), repeat=STEPS):
        whole = (0, *path)
        a = math.prod(SMALL[i][j] for i, j in itertools.pairwise(whole))
        b = math.prod(other[i][j] for i, j in itertools.pairwise(whole))
        if path.count(2) >= 4:
            mu, second, largest = mu + a, second + a * a / b, max(largest, a / b)
            kl += a * math.log(a / b)
    assert found.value == pytest.approx(mu, rel=1e-13)
    assert found.relative_variance == pytest.approx(second / mu ** 2 - 1.0, rel=1e-11)
    assert found.kl == pytest.approx(kl / mu - math.log(mu), rel=1e-11)
    assert found.largest == pytest.approx(largest, rel=1e-12)


def test_the_month_of_the_study():
    event = rare.visits("storm") >= 20
    assert rare.oracle.value(MONTH, event) == pytest.approx(1.960299e-08, rel=1e-6)
    assert rare.oracle.grade(MONTH, event).relative_variance == pytest.approx(5.101e7, rel=1e-3)


def test_the_doob_transform_has_no_variance_and_the_conditional_law():
    event = rare.visits(2) >= 4
    chain = rare.MarkovChain(SMALL, 0, STEPS)
    ideal = rare.proposals.doob(chain, event)
    assert ideal.relative_variance is not None and ideal.relative_variance < 1e-13
    days = rare.oracle.occupancy(chain, event, ideal)
    wanted, total = np.zeros(3), 0.0
    for path in itertools.product(range(3), repeat=STEPS):
        if path.count(2) >= 4:
            p = math.prod(SMALL[i][j] for i, j in itertools.pairwise((0, *path)))
            wanted[path[1]] += p
            total += p
    assert days[2] == pytest.approx(wanted / total, rel=1e-12)


CASES = {case["id"]: case for case in json.loads((Path(__file__).parent / "path_cases.json").read_text())}


@pytest.mark.parametrize("name", [name for name in CASES if "spectral" in CASES[name]])
def test_an_infinite_variance_is_seen(name):
    """The two-node tandem queue under swapped rates, against solves with the rescaled kernel (Parekh and Walrand)."""
    case = CASES[name]
    arrival, first, second = case["rates"]
    queue = rare.TandemQueue(arrival, [first, second])
    event = rare.hits(rare.total >= case["level"], before=rare.total <= 0)
    assert rare.oracle.value(queue, event) == pytest.approx(case["value"], rel=1e-9)
    for swapped, radius, variance in zip((rare.TandemQueue(first, [arrival, second]),
                                          rare.TandemQueue(second, [first, arrival])),
                                         case["spectral"], case["variance"], strict=True):
        found = rare.oracle.grade(queue, event, swapped)
        assert math.isinf(found.relative_variance) == (radius >= 1.0)
        if variance is not None:
            assert found.relative_variance == pytest.approx(variance, rel=1e-8)


def test_gambler():
    found = rare.oracle.grade(rare.BirthDeath(0.4, 0.6, 1), rare.hits(20, before=0), rare.BirthDeath(0.6, 0.4, 1))
    ratio = 0.6 / 0.4
    assert found.value == pytest.approx((ratio - 1.0) / (ratio ** 20 - 1.0), rel=1e-13)
    assert found.relative_variance == pytest.approx(1.9990978140205349, rel=1e-10)
    assert found.largest == pytest.approx(ratio ** -19, rel=1e-9)


# ------------------------------------------------------------------------------------------------ sampling
def test_bits_do_not_depend_on_threads():
    event = rare.visits("storm") >= 12
    steered = rare.proposals.feedback(MONTH, event)
    walk = rare.RandomWalk(rare.Normal(-0.2, 1.0), 0.0, 40)
    for nominal, f, q in ((MONTH, event, steered), (walk, rare.running_max >= 8.0, walk.tilt(0.4))):
        one, two, three = (rare.estimate(nominal, f, q, samples=60_000, seed=5, threads=n) for n in (1, 2, 3))
        assert one.to_json() == two.to_json() == three.to_json()


@dataclass(frozen=True)
class Reserve(rare.Process):
    """An insurer's reserve: a premium in, an exponential claim out."""

    premium: float
    rate: float
    start = 10
    steps = 50

    def step(self, state, rng):
        return state + self.premium - rng.standard_exponential() / self.rate

    def log_density(self, state, new):
        claim = state + self.premium - new
        return math.log(self.rate) - self.rate * claim if claim >= 0.0 else -math.inf


def test_a_users_simulator_is_weighed():
    ruin = rare.running_min <= 0.0
    naive = rare.estimate(Reserve(1.2, 1.0), ruin, samples=400_000, seed=1)
    tilted = rare.estimate(Reserve(1.2, 1.0), ruin, Reserve(1.2, 0.7), samples=100_000, seed=2)
    assert abs(naive.value - tilted.value) < Z * math.hypot(naive.std_error, tilted.std_error)
    assert tilted.relative_variance < 0.05 * naive.relative_variance
    same = rare.RandomWalk([rare.Reflected(rare.Exponential(1.0))], 10.0, 50)
    assert same.tilt(-0.3).drawn[0].mean == pytest.approx(-1.0 / 0.7)


@dataclass(frozen=True)
class Pair(rare.Process):
    """Two walks side by side: a state that is a tuple."""

    start = (0.0, 0.0)
    steps = 4

    def step(self, state, rng):
        return state[0] + rng.standard_normal(), state[1] + rng.standard_normal()


@dataclass(frozen=True)
class Cloud(rare.Process):
    """The same with a small array."""

    start = (0.0, 0.0)
    steps = 4

    def __post_init__(self):
        object.__setattr__(self, "start", np.zeros(2))

    def step(self, state, rng):
        new = np.empty(2)
        for i in range(2):
            new[i] = state[i] + rng.standard_normal()
        return new


@pytest.mark.parametrize("law", [Pair(), Cloud()], ids=["tuple", "array"])
def test_states_of_several_numbers(law):
    wanted = math.erfc(4.0 / math.sqrt(2.0 * 8.0) / 1.0) / 2.0          # the sum at the end is Normal(0, sqrt(8))
    found = rare.estimate(law, rare.end.taken_of(rare.total) >= 4.0, samples=200_000, seed=1)
    assert abs(found.value - wanted) < Z * found.std_error
    path = rare.estimate(law, lambda path: path[-1, 0] + path[-1, 1] >= 4.0, samples=200_000, seed=2)
    assert abs(path.value - wanted) < Z * path.std_error


def test_moves_are_matched_by_where_they_lead():
    """A proposal with fewer moves than the nominal law, whose numbers are not those of the nominal moves."""
    walk = rare.RandomWalk(rare.Binomial(2, 0.3), 0, 5)
    skewed = rare.RandomWalk(rare.Categorical([0.0, 0.2, 0.8]), 0, 5)
    event = rare.end >= 9
    with pytest.raises(ValueError, match="must cover the event"):
        rare.estimate(walk, rare.end >= 5, skewed, samples=10)                # 0, 1, 2, 2, ... needs a step of 0
    found = rare.estimate(walk, event, skewed, samples=40_000, seed=1)
    wanted = stats.binom.sf(8, 10, 0.3)
    assert rare.oracle.value(walk, event) == pytest.approx(wanted, rel=1e-12)
    assert abs(found.value - wanted) < Z * found.std_error
    first = rare.MarkovChain(SMALL, [0.5, 0.0, 0.5], STEPS)
    with pytest.raises(ValueError, match="must cover the event"):             # state 2 is second of two, or third
        rare.estimate(first, rare.visits(2) >= 3, rare.MarkovChain(SMALL, 2, STEPS), samples=10)


def test_self_exciting_counts():
    """Without excitation the total is Poisson; with it, a proposal with more of everything agrees with naive draws."""
    season = rare.end.taken_of(rare.component(0))
    plain = rare.SelfExciting(2.0, 0.0, 0.0, 1)
    found = rare.estimate(plain, season >= 9.0, plain.tilt(1.2), samples=40_000, seed=1)
    assert abs(found.value - stats.poisson.sf(8, 2.0)) < Z * found.std_error < 0.1 * found.value
    counts = rare.SelfExciting(0.5, 0.4, 0.3, 12)
    burst = rare.running_max.taken_of(rare.component(0)) >= 10.0
    naive = rare.estimate(counts, burst, samples=400_000, seed=1)
    tilted = rare.estimate(counts, burst, counts.tilt(0.25), samples=100_000, seed=1)
    assert abs(naive.value - tilted.value) < Z * math.hypot(naive.std_error, tilted.std_error)
    assert tilted.relative_variance < naive.relative_variance


def test_steered_for_another_event_and_mixtures_of_paths():
    own, asked = rare.visits("storm") >= 12, (rare.visits("storm") >= 12) & (rare.longest_run("storm") >= 4)
    steered = rare.proposals.feedback(MONTH, own)
    value = rare.oracle.value(MONTH, asked)
    found = rare.estimate(MONTH, asked, steered, samples=60_000, seed=1)
    assert abs(found.value - value) < Z * found.std_error
    assert found.relative_variance == pytest.approx(rare.oracle.grade(MONTH, asked, steered).relative_variance, rel=0.1)
    mixture = rare.PathMixture((steered.law, MONTH), (0.7, 0.3))
    mixed = rare.estimate(MONTH, own, mixture, samples=60_000, seed=1)
    assert abs(mixed.value - rare.oracle.value(MONTH, own)) < Z * mixed.std_error
    assert mixed.verdict == "trusted" and mixed.bound <= steered.bound / 0.7 * (1 + 1e-6)
    # V of a defensive mixture is at most (V + 1)/a - 1
    assert mixed.relative_variance < (steered.relative_variance + 1.0) / 0.7 - 1.0 + 0.05


# ------------------------------------------------------------------------------------------------ bad input
@dataclass(frozen=True)
class NoStep(rare.Process):
    start = 0.0
    steps = 3


@dataclass(frozen=True)
class Endless(rare.Process):
    start = 0.0
    max_steps = 100

    def step(self, state, rng):
        return state + rng.standard_normal()


@dataclass(frozen=True)
class Raises(rare.Process):
    start = 1.0
    steps = 3

    def step(self, state, rng):
        return 1 // int(state - 1.0)


@dataclass(frozen=True)
class Uncompiled(rare.Process):
    start = 1.0
    steps = 3

    def step(self, state, rng):
        return state + len(vars(object())) if state < -1e9 else state + rng.standard_normal()


REFUSED = {
    "row": (lambda: rare.MarkovChain([[0.5, 0.5], [0.4, 0.5]], 0, 3), ValueError, r"transition\[1\].*sum to 1"),
    "negative": (lambda: rare.MarkovChain([[1.5, -0.5], [0.5, 0.5]], 0, 3), ValueError, r"transition\[0\]"),
    "square": (lambda: rare.MarkovChain([[0.5, 0.5]], 0, 3), ValueError, "square matrix"),
    "initial": (lambda: rare.MarkovChain(SMALL, 3, 3), ValueError, "initial must be a state in 0, ..., 2"),
    "label": (lambda: rare.MarkovChain(SMALL, "fog", 3, labels=["a", "b", "c"]), ValueError, "initial must be one of"),
    "labels": (lambda: rare.MarkovChain(SMALL, 0, 3, labels=["a", "a", "c"]), ValueError, "3 different strings"),
    "horizon": (lambda: rare.MarkovChain(SMALL, 0, 0), ValueError, "steps must be an integer of at least 1"),
    "unknown state": (lambda: rare.estimate(MONTH, rare.visits("fog") >= 3, samples=10), ValueError, "fog"),
    "unknown number": (lambda: rare.estimate(MONTH, rare.visits(4) >= 3, samples=10), ValueError, "0, ..., 3"),
    "event of a draw": (lambda: rare.estimate(MONTH, rare.at_least(3), samples=10), ValueError, "something of a path"),
    "score": (lambda: rare.estimate(MONTH, rare.visits("storm"), samples=10), TypeError, "compare it"),
    "law as proposal": (lambda: rare.estimate(MONTH, rare.end >= 3, rare.Poisson(1.0), samples=10), TypeError,
                        "law of paths"),
    "path event of a law": (lambda: rare.estimate(rare.Poisson(1.0), rare.visits(3) >= 3, samples=10),
                            (TypeError, ValueError, rare.CompileError, rare.UserFunctionError), "path"),
    "other steps": (lambda: rare.estimate(MONTH, rare.end >= 3, rare.MarkovChain(WEATHER, 0, 29, NAMES), samples=10),
                    ValueError, "steps of the nominal law"),
    "other start": (lambda: rare.estimate(rare.RandomWalk(rare.Normal(), 0.0, 5), rare.end >= 3.0,
                                          rare.RandomWalk(rare.Normal(), 2.0, 5), samples=10), ValueError,
                    "must start where the nominal law does"),
    "other initial": (lambda: rare.estimate(MONTH, rare.end >= 3, rare.MarkovChain(WEATHER, 1, 30, NAMES), samples=10),
                      ValueError, "must start where the nominal law does"),
    "other moves": (lambda: rare.estimate(rare.RandomWalk(rare.Binomial(2, 0.3), 0, 5), rare.end >= 7,
                                          rare.RandomWalk(rare.Shifted(rare.Binomial(2, 0.3), 1), 0, 5), samples=10),
                    ValueError, "must move where the nominal law does"),
    "choice of a walk": (lambda: rare.proposals.tilt(rare.RandomWalk(rare.Normal(), 0.0, 5), rare.end >= 9.0,
                                                     "second moment"), ValueError, "choice must be 'saddle'"),
    "hole": (lambda: rare.estimate(MONTH, rare.end >= 3, rare.MarkovChain(np.eye(4), 0, 30, NAMES), samples=10),
             ValueError, "must cover the event"),
    "no step": (lambda: rare.estimate(NoStep(), rare.end >= 3, samples=10), TypeError, "must define step"),
    "no density": (lambda: rare.estimate(Endless(), rare.hits(rare.at_least(1.0)), Endless(), samples=10), TypeError,
                   "must define log_density"),
    "never stops": (lambda: rare.estimate(Endless(), rare.hits(rare.at_least(1e9)), samples=10), rare.StepLimitError,
                    "10 of 10 paths .* max_steps = 100"),
    "raises": (lambda: rare.estimate(Raises(), rare.end >= 3, samples=10), ValueError, "step of .* ZeroDivision"),
    "not compiled": (lambda: rare.estimate(Uncompiled(), rare.end >= 3, samples=10), rare.CompileError, "step"),
    "impossible": (lambda: rare.proposals.doob(MONTH, rare.visits("storm") >= 31), ValueError, "probability 0"),
    "impossible feedback": (lambda: rare.proposals.feedback(MONTH, rare.visits("storm") >= 31), ValueError,
                            "probability 0"),
    "sharpness": (lambda: rare.proposals.doob(MONTH, rare.end >= 3, 1.5), ValueError, r"sharpness .* \(0, 1\]"),
    "heavy tail": (lambda: rare.proposals.tilt(rare.RandomWalk(rare.Lomax(1.5, 1.0), 0.0, 5), rare.end >= 100.0),
                   ValueError, "moment generating function"),
    "at the start": (lambda: rare.proposals.tilt(rare.RandomWalk(rare.Normal(), 5.0, 5), rare.running_max >= 3.0),
                     ValueError, "away from the start"),
    "not rare": (lambda: rare.proposals.tilt(rare.RandomWalk(rare.Normal(), 5.0, 5), rare.end >= 3.0), ValueError,
                 "goes there by itself"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input(name):
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


def test_absorbed_paths_are_certain_or_impossible():
    """A chain that is caught away from the event, and one that cannot avoid it."""
    caught = rare.MarkovChain([[1.0, 0.0], [0.5, 0.5]], 0, 10)
    assert rare.oracle.value(caught, rare.visits(1) >= 1) == 0.0
    with pytest.raises(ValueError, match="event must be able to happen under the nominal law"):
        rare.solve(caught, rare.visits(1) >= 1)
    assert rare.oracle.value(caught, rare.visits(0) >= 10) == 1.0
    endless = rare.MarkovChain([[1.0, 0.0], [0.5, 0.5]], 1)
    assert rare.oracle.value(endless, rare.hits(0)) == pytest.approx(1.0, rel=1e-14)


def test_graphs_have_a_limit():
    assert graph(rare.BirthDeath(0.4, 0.6, 1), rare.hits(20)) is None          # down without end
    found = graph(rare.BirthDeath(0.4, 0.6, 1), rare.hits(20, before=0))
    assert found is not None and len(found.nodes) == 21
    assert exact.value(found) > 0.0
