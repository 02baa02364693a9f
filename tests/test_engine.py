"""The same bits for any number of threads and any order in which chunks are visited; what a run reports and keeps."""
import json
import math
import random
import subprocess
import sys
import threading

import numpy as np
import pytest

import rareevents as rare
from rareevents import engine
from rareevents.moments import Terms

POISSON, NORMAL = rare.Poisson(4.0), rare.Normal(0.0, 1.0)
VECTOR = rare.IID(NORMAL, 5)
N = 60_001                                              # 16 chunks of 512, 16 of 2,048 and more, the last one short
QUESTIONS = {
    "counts": (POISSON, rare.at_least(20), rare.Poisson(20.0)),
    "reals": (NORMAL, rare.at_least(4.0), rare.Normal(4.0, 1.0)),
    "rows": (VECTOR, rare.total >= 9.0, rare.IID(rare.Normal(1.8, 1.0), 5)),
    "mixture": (NORMAL, rare.outside(-4.0, 4.0),
                rare.Mixture([rare.Normal(4.0, 1.0), rare.Normal(-4.0, 1.0)], [0.5, 0.5])),
    "several values": (POISSON, lambda x: (x >= 8, x - 4.0), rare.Poisson(7.0)),
    "naive": (POISSON, lambda x: x * 1.0, None),
    "black box": (POISSON, rare.black_box(lambda x: (x >= 8) * 1.0, vectorized=True), rare.Poisson(8.0)),
}


def bits(question, **options):
    """Everything that an estimate says, with every group of draws to the last bit."""
    nominal, f, proposal = question
    found = rare.estimate(nominal, f, proposal=proposal, seed=3, **options)
    parts = found.components or (found,)
    return found.to_json(), [[group.terms.tobytes() + group.counts.tobytes() + group.weights.tobytes()
                              for group in part._groups] for part in parts]


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_same_bits_on_any_number_of_threads(name):
    one = bits(QUESTIONS[name], samples=N, threads=1)
    for threads in (2, 3, 7):
        assert bits(QUESTIONS[name], samples=N, threads=threads) == one


def test_the_same_bits_on_any_number_of_threads_when_stopped_by_an_error():
    runs = [bits(QUESTIONS["reals"], relative_error=0.01, threads=threads) for threads in (1, 2, 3, 7)]
    assert json.loads(runs[0][0])["stopped_by"] == "relative_error"
    assert all(run == runs[0] for run in runs)


@pytest.mark.parametrize("name", ["counts", "rows", "several values"])
def test_the_same_bits_in_any_order_of_visits(name, monkeypatch):
    def shuffled(chunk, plan, threads, in_caller):
        plan = list(plan)
        order = random.Random(threads).sample(range(len(plan)), len(plan))
        done = {i: (chunk(*plan[i][:2]), plan[i][2]) for i in order}
        assert order != sorted(order)
        return (done[i] for i in range(len(plan)))
    one = bits(QUESTIONS[name], samples=N, threads=1)
    monkeypatch.setattr(engine, "_in_order", shuffled)
    for threads in (1, 2, 3):
        assert bits(QUESTIONS[name], samples=N, threads=threads) == one


def test_the_first_rule_that_holds_is_reported():
    assert engine.Stop(samples=1000, max_samples=1000, max_seconds=1.0).reached(1000, [], 2.0) == "samples"
    assert engine.Stop(samples=2000, max_samples=1000, max_seconds=1.0).reached(1000, [], 2.0) == "max_samples"
    assert engine.Stop(samples=2000, max_samples=1001, max_seconds=1.0).reached(1000, [], 2.0) == "max_seconds"
    assert engine.Stop(samples=2000, max_seconds=2.0).reached(1000, [], 1.0) is None


def test_a_run_stops_only_when_every_quantity_is_settled():
    """On 100 hits, 1,000 draws, the error that is asked for, and a variance of variance of 0.02."""
    good = Terms(1000, 100, 0, 1.0, 9.0, 0.0, 0.02 * 81.0, 1000.0, np.ones(100))
    stop = engine.Stop(relative_error=0.2)
    assert stop.reached(1000, [good, good], 0.0) == "relative_error"
    for bad in (good._replace(hits=99), good._replace(draws=999), good._replace(m2=9e6),
                good._replace(m4=0.03 * 81.0)):
        assert stop.reached(1000, [good, bad], 0.0) is stop.reached(1000, [bad, good], 0.0) is None


def test_more_draws_begin_with_the_same_draws():
    """A longer run repeats a shorter one: what it had seen by then is the same to the bit."""
    short = rare.estimate(*QUESTIONS["counts"], samples=16 * 512, seed=3)
    long = rare.estimate(*QUESTIONS["counts"], samples=100_000, seed=3)
    at = {row[0]: row[1:] for row in long.history()}
    assert at[16 * 512] == short.history()[-1][1:]


def test_seeds_and_stages_differ():
    values = {rare.estimate(*QUESTIONS["counts"], samples=5000, seed=seed).value for seed in (0, 1, 2 ** 64 - 1)}
    assert len(values) == 3
    nominal, event, q = QUESTIONS["counts"]
    found = rare.compare(nominal, event, {"first": q, "second": q}, samples=5000, seed=0)
    assert found["first"].value != found["second"].value                    # a stage for each proposal
    hits = (nominal.sample(5000, seed=0) >= 8).mean()
    assert hits != rare.estimate(nominal, rare.at_least(8), samples=5000, seed=0).value      # and one for `sample`


def test_threads_really_work_side_by_side():
    """Two chunks meet at a barrier, which one thread alone would never pass."""
    barrier = threading.Barrier(2, timeout=60.0)
    seen = set()

    def f(x):
        if threading.current_thread() is not threading.main_thread():      # the first call, to see what f returns
            barrier.wait()
            seen.add(threading.get_ident())
        return np.ones(len(x))
    rare.estimate(POISSON, rare.black_box(f, vectorized=True), samples=1024, threads=2)
    assert len(seen) == 2


def test_a_default_number_of_threads():
    assert engine.default_threads() >= 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads a process's peak memory from /proc")
def test_memory_does_not_grow_with_the_number_of_draws():
    """Peak memory of a process before and after it makes 300 times more draws: a megabyte per thread and chunk."""
    code = ("import rareevents as rare; p = rare.Poisson(4.0)\n"
            "for n in (300_000, 90_000_000):\n"
            "    rare.estimate(p, rare.at_least(20), proposal=rare.Poisson(20.0), samples=n)\n"
            "    print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0].split()[1])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    few, many = (int(kilobytes) / 1024.0 for kilobytes in done.stdout.split())
    assert many < few + 20.0, (few, many)                                   # 90 million doubles are 690 MB


def test_max_seconds_ends_a_hopeless_run():
    rare.estimate(POISSON, rare.at_least(60), samples=10)                   # the limit counts compiling too
    found = rare.estimate(POISSON, rare.at_least(60), max_seconds=0.3)
    assert found.stopped_by == "max_seconds" and found.hits == 0
    assert 0.0 < found.interval()[1] < 1e-4 and math.isinf(found.relative_error)
