"""Bad questions about paths, and checkpoints that cannot be written: each error says the rule, and loses nothing."""
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import rareevents as rare
from rareevents import checkpoints, proposals
from rareevents.blame import UserFunctionError

COUNTS = rare.Poisson(4.0), rare.at_least(9)
COIN = rare.MarkovChain([[0.5, 0.5], [0.5, 0.5]], 0, 5)
RANDOM_COIN = rare.MarkovChain([[0.5, 0.5], [0.5, 0.5]], [0.5, 0.5], 5)
QUEUES = rare.TandemQueue(0.1, [0.45, 0.45])
SHOCKS = rare.SelfExciting(base=1.0, excitation=0.25, memory=0.5, steps=6)
GAMBLER, RUIN = rare.BirthDeath(0.4, 0.6, start=1), rare.hits(10, before=0)


# ------------------------------------------------------------------------------------------------ checkpoints
class BytesPath(os.PathLike):
    def __fspath__(self):
        return b"/tmp/x"


@pytest.mark.parametrize("given", [b"/tmp/x", 123, True, [], object(), BytesPath()],
                         ids=["bytes", "int", "bool", "list", "object", "path of bytes"])
def test_a_checkpoint_must_be_a_path(given):
    with pytest.raises(TypeError, match="checkpoint must be a path, got"):
        rare.estimate(*COUNTS, samples=1000, checkpoint=given)


@pytest.mark.skipif(sys.platform != "linux", reason="names and places that Linux refuses")
@pytest.mark.parametrize("given", ["", "/tmp/x\0y", 300 * "n", 240 * "n", "/proc/x.ck", Path("/dev/null/x")], ids=repr)
def test_a_checkpoint_that_cannot_be_made_is_refused_before_any_draw(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn = []
    with pytest.raises(ValueError, match="checkpoint must be"):
        rare.estimate(COUNTS[0], rare.black_box(lambda x: drawn.append(x) or 0.0), samples=1000, checkpoint=given)
    assert not drawn and not list(tmp_path.iterdir())


def test_what_was_computed_is_on_the_error_of_a_checkpoint_that_cannot_be_written(tmp_path, monkeypatch):
    whole = rare.estimate(*COUNTS, samples=20_000, seed=3)

    def full(path, data, durable=False):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(checkpoints, "write_whole", full)
    with pytest.raises(OSError, match=r"checkpoint .*a cannot be written: No space left") as caught:
        rare.estimate(*COUNTS, samples=20_000, seed=3, checkpoint=tmp_path / "a")      # at the end: nothing is missing
    assert (caught.value.estimate.value, caught.value.estimate.samples) == (whole.value, 20_000)

    monkeypatch.setattr(checkpoints, "EVERY", 0.0)
    with pytest.raises(OSError, match="cannot be written") as caught:
        rare.estimate(*COUNTS, samples=20_000, seed=3, checkpoint=tmp_path / "a")      # after the first chunk
    found = caught.value.estimate
    assert (found.samples, found.stopped_by) == (512, "error")
    assert found.value == rare.estimate(*COUNTS, samples=512, seed=3).value

    def raises_late(x):
        calls.append(x)
        if len(calls) > 2000:
            raise ZeroDivisionError
        return float(x >= 9)
    calls = []
    monkeypatch.setattr(checkpoints, "EVERY", 1e9)
    with pytest.raises(OSError, match="cannot be written") as caught:                  # and another error before it
        rare.estimate(COUNTS[0], rare.black_box(raises_late), samples=20_000, seed=3, checkpoint=tmp_path / "b")
    assert caught.value.estimate.samples >= 512
    assert isinstance(caught.value.__cause__.__context__, UserFunctionError)


# ------------------------------------------------------------------------------------------------ what is asked
@pytest.mark.parametrize("build", [proposals.committor, proposals.policy, proposals.tilt, proposals.feedback,
                                   proposals.chernoff, proposals.doob, proposals.softened, proposals.perron_tilt])
def test_an_event_that_is_decided_at_the_start_has_no_proposal(build):
    for process in (COIN, RANDOM_COIN):
        with pytest.raises(ValueError, match=r"event must be undecided at the start, but .* has probability 1 "):
            build(process, rare.visits(1) >= 0)
        with pytest.raises(ValueError, match=r"event must be undecided at the start, but .* has probability 0 "):
            build(process, rare.visits(1) <= -1)
        with pytest.raises(ValueError, match="event must be possible"):
            build(process, rare.visits(1) >= 9)


def test_a_certain_event_is_solved_without_a_proposal():
    assert rare.solve(COIN, rare.visits(1) >= 0, exact=False, max_samples=2000).value == 1.0
    assert rare.solve(COIN, rare.visits(1) >= 0).value == 1.0


def test_a_stationary_tilt_needs_an_irreducible_chain():
    one_way = rare.MarkovChain([[0.9, 0.1, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]], 0, 10)
    with pytest.raises(ValueError, match="process must be irreducible"):
        proposals.perron_tilt(one_way, rare.visits(1) >= 6)
    first_away = rare.MarkovChain([[0.5, 0.5, 0.0], [0.0, 0.9, 0.1], [0.0, 0.5, 0.5]], 0, 20)      # works all the same
    assert proposals.perron_tilt(first_away, rare.visits(2) >= 12).relative_variance < 5.0


@pytest.mark.parametrize("process", [QUEUES, SHOCKS], ids=["queues", "shocks"])
@pytest.mark.parametrize(("event", "words"), [
    (rare.hits(5, before=0), "target must be given an event of the state, such as total >= 5"),
    (rare.visits(5) >= 2, "visits must be given an event of the state"),
    (~((rare.longest_run((3, 4)) >= 2) | (rare.end >= 3)), "longest_run must be given an event of the state"),
    (rare.running_max >= 10, r"running_max must be taken of .*running_max.taken_of\(component\(0\)\)"),
    (rare.end.map(lambda s: 2.0 * s), r"end must be taken of a number"),
    (rare.total >= 4, "total must be of states that are numbers"),
], ids=["hits", "visits", "within", "running_max", "mapped", "total"])
def test_states_of_several_numbers_need_a_number_of_them(process, event, words):
    for ask in (lambda: rare.estimate(process, event, samples=1000), lambda: rare.solve(process, event)):
        with pytest.raises(TypeError, match=words):
            ask()
    if isinstance(event, rare.Event):
        with pytest.raises(TypeError, match=words):
            rare.split(process, event)


def test_scores_of_states_must_fit_them():
    with pytest.raises(ValueError, match=r"f must be an event of vectors of 2 numbers"):
        rare.estimate(QUEUES, rare.hits(rare.at_least(5), before=rare.total <= 0), samples=1000)
    with pytest.raises(ValueError, match=r"i must be below the size of the vectors, 2"):
        rare.estimate(QUEUES, rare.hits(rare.component(2) >= 5), samples=1000)
    assert rare.solve(QUEUES, rare.hits(rare.total >= 5, before=rare.total <= 0)).kind == "exact"
    assert rare.solve(QUEUES, rare.hits(lambda s: s[0] + s[1] >= 5, before=rare.total <= 0)).kind == "exact"


def test_states_that_a_chain_has_not():
    for event, name in ((rare.visits(7) >= 1, "visits"), (rare.visits(-1) >= 1, "visits"),
                        (rare.hits((0, 2)), "target"), (rare.first_passage(2) <= 3, "first_passage")):
        for ask in (rare.solve, proposals.doob, rare.split):
            with pytest.raises(ValueError, match=rf"{name} must be of states in 0, \.\.\., 1, got"):
                ask(COIN, event)
    assert rare.solve(GAMBLER, rare.hits(7, before=-3)).value > 0.0                      # other processes go anywhere


# ------------------------------------------------------------------------------------------------ what works now
def test_counts_are_added_to_a_start_that_is_no_integer():
    walk = rare.RandomWalk(rare.Poisson(1.0), 0.5, 5)
    found = rare.estimate(walk, rare.end >= 12, proposal=walk.tilt(0.7), samples=100_000, audit=False)
    exact = math.exp(rare.Poisson(5.0).log_mass(12.0, math.inf))
    assert abs(found.value - exact) < 4.5 * found.std_error and found.relative_error < 0.01
    assert walk.log_density(2.5, 4.5) == rare.Poisson(1.0).log_prob(2) and walk.log_density(2.5, 4.0) == -math.inf


def test_a_sum_without_a_tilt_is_solved_by_naive_monte_carlo():
    for size in (rare.StudentT(3.0), rare.Uniform(0.0, 1.0)):
        found = rare.solve(rare.CompoundSum(rare.Poisson(2.0), size), rare.at_least(3.0), max_samples=20_000)
        assert "Naive Monte Carlo" in found.how and found.hits > 100


# ------------------------------------------------------------------------------------------------ splitting
@pytest.mark.parametrize(("arguments", "words"), [
    ({"levels": "a"}, "levels must be rising numbers"), ({"levels": [[0.1], [0.2, 0.3]]}, "levels must be rising"),
    ({"levels": np.linspace(0.001, 0.999, 20_000)}, "at most 10,000"),
    ({"levels": [0.5], "trials": 10 ** 12}, "at most 1,000,000 of all levels together, got 1000000000000"),
    ({"levels": [0.4, 0.5], "trials": [600_000, 600_000]}, "at most 1,000,000 of all levels"),
    ({"levels": [0.5], "trials": 10 ** 30}, "trials must be"), ({"levels": [0.5], "trials": "ab"}, "trials must be"),
    ({"particles": 10 ** 13}, r"particles must be .*, and at most [\d,]+ with \d+ levels, got 10000000000000"),
    ({"levels": [0.5], "particles": 10 ** 13}, "particles must be .* at most 134,217,728 with 1 levels"),
    ({"replicates": 10 ** 12}, "replicates must be an integer of at least 20, and at most 100,000"),
], ids=repr)
def test_arguments_of_splitting_have_bounds(arguments, words):
    with pytest.raises(ValueError, match=words):
        rare.split(GAMBLER, RUIN, **arguments)


@pytest.mark.parametrize(("importance", "words"), [
    (lambda s: math.nan, "importance must return a number, got nan in state 1"),
    (lambda s, t: math.nan if t > 1 else 0.0, r"importance must return a number, got nan in state \d+ at time 2"),
    (lambda s: None, "importance must return a number, got None"),
    (lambda s: 1.0 / (s - 2), r"test_errors_of_paths.py, line \d+\) raised ZeroDivisionError.* in state 2, before"),
], ids=["nan", "timed", "none", "raises"])
def test_importance_is_tried_in_plain_python(importance, words):
    with pytest.raises(UserFunctionError, match=words):
        rare.split(rare.BirthDeath(0.6, 0.4, start=1), rare.hits(10, before=0), importance=importance)


def _broken_far_up(state):
    return state / 10.0 if state < 8 else math.nan


def _broken_far_up_at_a_time(state, time):
    return state / 10.0 if state < 8 else math.nan


WALKER = rare.RandomWalk(rare.Normal(-0.5, 1.0), start=1.0, steps=40)


@pytest.mark.parametrize("process", [rare.BirthDeath(0.4, 0.6, start=1), WALKER], ids=["graph", "walk"])
@pytest.mark.parametrize("importance", [_broken_far_up, _broken_far_up_at_a_time])
def test_importance_that_is_nan_where_no_first_look_comes(process, importance):
    event = rare.hits(10, before=0) if process.steps is None else rare.running_max >= 10.0
    for arguments in ({}, {"levels": [0.3, 0.6, 0.9], "trials": 4}):
        with pytest.raises(ValueError, match="importance must return numbers, got NaN"):
            rare.split(process, event, importance=importance, particles=200, seed=1, **arguments)


def test_a_twist_needs_a_finite_level():
    for build in (proposals.hazard_twist, proposals.largest_integrated):
        with pytest.raises(ValueError, match="event must be a finite level of the sum above 0"):
            build(rare.CompoundSum(rare.Poisson(2.0), rare.Lomax(2.0, 1.0)), rare.at_least(math.inf))
