"""What careful readers found: answers that were wrong, promises that were not kept."""
import functools
import math
import types
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

import rareevents as rare
from rareevents import checkpoints, fingerprints, oracle, proposals
from rareevents.methods import gbas, path_solving, replication
from rareevents.processes.base import Process

WET = rare.MarkovChain([[0.9, 0.1], [0.5, 0.5]], initial=0, steps=10)
WETTER = rare.MarkovChain([[0.5, 0.5], [0.5, 0.5]], initial=0, steps=10)


# ------------------------------------------------------------------------------------------------ paths
def test_a_proposal_steered_for_another_process_answers_for_the_nominal_one():
    event = rare.visits(1) >= 6
    answer = oracle.value(WET, event)
    found = rare.estimate(WET, event, proposals.feedback(WETTER, event), samples=20_000)
    assert answer < 0.2 * oracle.value(WETTER, event)
    assert abs(found.value - answer) < 5.0 * found.std_error
    assert oracle.grade(WET, event, proposals.feedback(WETTER, event)).value == pytest.approx(answer)


def test_a_score_of_endless_paths_is_refused():
    chain = rare.MarkovChain([[0.5, 0.5], [0.5, 0.5]], initial=0)
    with pytest.raises(ValueError, match="steps must be a number for a function of a score"):
        rare.solve(chain, rare.end.map(lambda s: 1.0 + s))


@dataclass(frozen=True)
class Started(Process):
    """A coin's count from a first toss, whose chance differs."""

    first: float
    steps = 3

    def begin(self, rng):
        return 1 if rng.random() < self.first else 0

    def log_begin(self, state):
        return math.log(self.first if state == 1 else 1.0 - self.first)

    def step(self, state, rng):
        return state + (1 if rng.random() < 0.5 else 0)

    def log_density(self, state, new):
        return math.log(0.5)


@dataclass(frozen=True)
class Anyhow(Started):
    """The same, without the law of its start."""

    log_begin = None


def test_the_start_of_a_path_has_its_weight():
    event, answer = rare.end >= 4, 0.1 / 8.0
    found = rare.estimate(Started(0.1), event, Started(0.6), samples=20_000)
    assert abs(found.value - answer) < 5.0 * found.std_error
    paths, log_w = rare.weighted_samples(Started(0.1), Started(0.6), 4000, seed=1)
    terms = np.exp(log_w) * (paths[:, -1] >= 4)
    assert abs(terms.mean() - answer) < 5.0 * terms.std() / math.sqrt(len(terms))
    for nominal, proposal in ((Started(0.1), Anyhow(0.6)), (Anyhow(0.1), Started(0.6))):
        with pytest.raises(ValueError, match="proposal must define log_begin"):
            rare.estimate(nominal, event, proposal, samples=1000)


@dataclass(frozen=True)
class Arrivals(rare.JumpChain):
    """A queue whose first length is random."""

    full: float
    steps = 2

    def begin(self, rng):
        return 2 if rng.random() < self.full else 1

    def log_begin(self, state):
        return math.log(self.full if state == 2 else 1.0 - self.full)

    def rates(self, state):
        return 1.0, 1.0

    def jump(self, state, k):
        return state + 1 if k == 0 else state - 1


def test_the_start_of_a_jump_chain_has_its_weight():
    found = rare.estimate(Arrivals(0.1), rare.end >= 4, Arrivals(0.7), samples=20_000)
    assert abs(found.value - 0.1 / 4.0) < 5.0 * found.std_error


def test_what_cannot_be_a_jump_has_no_density():
    queue = rare.TandemQueue(0.1, [0.45, 0.45])
    assert queue.log_density((1, 0), (5, 7)) == -math.inf
    assert queue.log_density((1, 0), (0, 1)) == pytest.approx(math.log(0.45 / 0.55))
    targets, chances = queue.moves((2, 3))
    for target, chance in zip(targets, chances, strict=True):
        assert queue.log_density((2, 3), target) == pytest.approx(math.log(chance))


@pytest.mark.parametrize("steps", [0, -3, 2.5, True])
def test_a_walk_has_at_least_one_step(steps):
    with pytest.raises(ValueError, match="steps must be an integer of at least 1, or None"):
        rare.RandomWalk(rare.Normal(0.0, 1.0), steps=steps)


def test_a_proposal_without_finite_moves_runs_step_by_step():
    nominal = rare.RandomWalk(rare.Binomial(3, 0.3), steps=5)
    proposal = rare.RandomWalk(rare.Poisson(2.0), steps=5)
    event = rare.end >= 12
    found = rare.estimate(nominal, event, proposal, samples=20_000)
    assert abs(found.value - stats.binom.sf(11, 15, 0.3)) < 5.0 * found.std_error
    with pytest.raises(ValueError, match="finitely many moves to be mixed or steered"):
        rare.estimate(nominal, event, rare.PathMixture((nominal, proposal), (0.5, 0.5)), samples=1000)


def test_paths_without_an_end_keep_what_came_before():
    walk = rare.RandomWalk(rare.Normal(-0.01, 1.0), start=0.0)
    object.__setattr__(walk, "max_steps", 6000)
    with pytest.raises(rare.StepLimitError) as caught:
        rare.estimate(walk, rare.hits(rare.at_least(30.0), before=rare.at_most(-30.0)), samples=20_000)
    assert caught.value.estimate is None or caught.value.estimate.samples > 0


@dataclass(frozen=True)
class Odd(Process):
    """Divides by its state."""

    start = 1
    steps = 40

    def step(self, state, rng):
        return state + (1 if rng.random() < 0.5 else -1)


def test_a_score_that_raises_on_a_path_is_named():
    def inverse(path):
        return 1 // int(path[0] - path[0])
    with pytest.raises(rare.UserFunctionError, match=r"raised ZeroDivisionError"):
        rare.estimate(Odd(), inverse, samples=1000)


@dataclass(frozen=True)
class Unweighed(Process):
    """Four normal steps, whose density nobody gave."""

    start = 0.0
    steps = 4

    def step(self, state, rng):
        return state + rng.standard_normal()


def test_splitting_is_bounded_and_counted():
    walk, event = Unweighed(), rare.end >= 9.0
    for limit in (500, 20_000):
        found = rare.solve(walk, event, max_samples=limit, exact=False)
        spent = found.evaluations
        assert spent.exploration + spent.learning + spent.audit + spent.final <= limit
    _, before = path_solving.climbed(walk, event, 0.1, None, 0, 0.95, None)
    assert before > 0


# ------------------------------------------------------------------------------------------------ estimates
def test_a_looked_at_number_of_draws_is_not_fixed_beforehand():
    law, event = rare.Poisson(4.0), rare.at_least(14)
    whole = rare.estimate(law, event, samples=40_000)
    longer = rare.estimate(law, event, samples=20_000).extend(samples=40_000)
    assert whole.interval_method == "clopper-pearson" and longer.interval_method == "betting"
    assert (whole.value, whole.std_error) == (longer.value, longer.std_error)


def test_a_large_audit_fits_beside_the_draws():
    p, event, q = rare.Normal(0.0, 1.0), rare.score(lambda x: x) >= 4.0, rare.Normal(4.5, 1.0)
    assert rare.estimate(p, event, q, relative_error=0.05, audit=0.5).evaluations.audit > 0
    found = rare.estimate(p, event, q, max_samples=50_000, audit=2.0).evaluations
    assert found.audit > found.final and found.final + found.audit <= 50_000


def test_an_extension_names_the_rule_that_held():
    found = rare.estimate(rare.Poisson(4.0), rare.at_least(9), samples=2000)
    with pytest.raises(ValueError, match="max_seconds must leave room"):
        found.extend(max_seconds=1e-9)


def test_a_refuted_bound_gives_no_certified_answer():
    found = gbas.gbas(rare.Normal(0.0, 1.0), rare.at_least(3.0), rare.Normal(3.0, 1.0), 1e-3, 102, seed=1)
    assert found is None


def test_replicates_share_no_stream_whatever_their_parts(monkeypatch):
    used = []
    monkeypatch.setattr(replication, "weighted_draws", lambda law, q, n, seed, stage: (
        used.append(stage), (law.sample(n, seed=stage), np.zeros(n)))[1])
    parts = [rare.Normal(float(k) / 20.0, 1.0) for k in range(70)]
    rare.replicate(rare.Normal(0.0, 1.0), rare.at_least(1.0), rare.Mixture(parts, [1.0 / 70.0] * 70), samples=140,
                   replicates=8, scheme="stratified")
    assert len(set(used)) == len(used) == 8 * 70


@dataclass(frozen=True)
class Reaching(rare.Distribution):
    """A normal law whose density reads a table out of range."""

    table: np.ndarray
    support = rare.reals(-math.inf, math.inf)

    def draw(self, rng):
        return rng.standard_normal()

    def log_density(self, x):
        return self.table[int(abs(x))] - 0.5 * x * x


def test_an_index_out_of_range_inside_a_wrapper_is_seen():
    law = rare.Shifted(Reaching(np.full(2, -0.5 * math.log(2.0 * math.pi))), 1.0)
    with pytest.raises(rare.UserFunctionError, match="IndexError"):
        rare.estimate(rare.Normal(0.0, 1.0), rare.at_least(1.0), law, samples=100_000, audit=False)


# ------------------------------------------------------------------------------------------------ checkpoints
def counting(level):
    def f(x):
        return x >= level
    return f


@dataclass
class Limit:
    """A callable object."""

    level: float

    def __call__(self, x):
        return x >= self.level


@pytest.mark.parametrize("made", [counting, Limit, lambda k: functools.partial(max, k), lambda k: Limit(k).__call__],
                         ids=["closure", "object", "partial", "method"])
def test_black_boxes_are_told_apart_by_what_they_hold(made):
    assert fingerprints.of_callable(made(3)) == fingerprints.of_callable(made(3)) != fingerprints.of_callable(made(4))


def test_what_is_read_of_a_users_module_counts(monkeypatch):
    helper = types.ModuleType("their_helper")
    helper.level, helper.unread = 3.0, 1

    def f(x):
        return x >= helper.level
    before = fingerprints.of_callable(f)
    monkeypatch.setattr(helper, "unread", 2)
    assert fingerprints.of_callable(f) == before
    monkeypatch.setattr(helper, "level", 4.0)
    assert fingerprints.of_callable(f) != before


def test_a_black_box_with_another_level_is_another_run(tmp_path):
    law = rare.Normal(0.0, 1.0)
    rare.estimate(law, rare.black_box(counting(1.0)), samples=2000, checkpoint=tmp_path / "a")
    with pytest.raises(rare.CheckpointError, match="f has other code or values"):
        rare.estimate(law, rare.black_box(counting(2.0)), samples=4000, checkpoint=tmp_path / "a")


def test_a_black_box_that_cannot_be_told_is_not_kept(tmp_path):
    held = iter([1])
    box = rare.black_box(lambda x: x >= 1.0 and held is not None)
    with pytest.raises(ValueError, match=r"checkpoint cannot be kept for .*contents are not known"):
        rare.estimate(rare.Normal(0.0, 1.0), box, samples=2000, checkpoint=tmp_path / "a")
    with checkpoints.kept_in(tmp_path):
        assert rare.estimate(rare.Normal(0.0, 1.0), box, samples=2000).samples == 2000


def test_a_shorter_run_beside_a_longer_one_is_no_error(tmp_path):
    with checkpoints.kept_in(tmp_path):
        rare.estimate(rare.Poisson(4.0), rare.at_least(9), samples=300_000_000)
        kept = list(tmp_path.glob("*.checkpoint"))
        short = rare.estimate(rare.Poisson(4.0), rare.at_least(9), samples=5000)
    assert short.value == rare.estimate(rare.Poisson(4.0), rare.at_least(9), samples=5000).value
    assert kept == list(tmp_path.glob("*.checkpoint"))


def test_a_damaged_file_never_replaces_a_good_one(tmp_path, monkeypatch):
    path, question = tmp_path / "a", (rare.Poisson(4.0), rare.at_least(9))
    rare.estimate(*question, samples=5000, checkpoint=path)
    rare.estimate(*question, samples=50_000, checkpoint=path)
    path.write_bytes(path.read_bytes()[:100])

    def full(*_, **__):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(checkpoints, "write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        rare.estimate(*question, samples=200_000, checkpoint=path)
    monkeypatch.undo()
    whole = rare.estimate(*question, samples=200_000)
    assert rare.estimate(*question, samples=200_000, checkpoint=path).value == whole.value


