"""The same bits wherever chunks are computed, and what happens when a worker is not what it should be."""
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import rareevents as rare
from rareevents import executors, tasks, workers

ROOT = Path(__file__).resolve().parents[1]
COUNTS = rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0)
N = 30_000


@pytest.fixture(scope="module")
def processes():
    """Two processes for all tests of this file."""
    with executors.opened("processes:2") as executor:
        yield executor


def bits(found):
    low, high = found.interval()
    return float(found.value).hex(), float(found.std_error).hex(), float(low).hex(), float(high).hex()


# ------------------------------------------------------------------------------------------------ the same bits
def test_threads_of_ones_own():
    with ThreadPoolExecutor(3) as executor:
        found = rare.estimate(*COUNTS, samples=N, executor=executor)
        assert executor.submit(int, 3).result() == 3                        # it was not shut down
    assert bits(found) == bits(rare.estimate(*COUNTS, samples=N))


def test_processes(processes):
    level = 19.5

    def event(x):
        return x > level
    for f in (COUNTS[1], event):
        one, two = (rare.estimate(COUNTS[0], f, COUNTS[2], samples=N, executor=e) for e in (None, processes))
        assert bits(one) == bits(two)
    found = rare.estimate(*COUNTS, relative_error=0.004, executor=processes)
    assert bits(found) == bits(rare.estimate(*COUNTS, relative_error=0.004))
    assert bits(found.extend(samples=600_000, executor=processes)) == bits(rare.estimate(*COUNTS, samples=600_000))


def test_paths_splitting_and_comparisons(processes):
    chain = rare.MarkovChain([[0.9, 0.1], [0.5, 0.5]], initial=0, steps=10)
    event = rare.visits(1) >= 6
    one, two = (rare.split(chain, event, particles=100, replicates=20, executor=e) for e in (None, processes))
    assert bits(one) == bits(two)
    one, two = (rare.estimate(chain, event, samples=N, executor=e) for e in (None, processes))
    assert bits(one) == bits(two)
    one, two = (rare.compare(*COUNTS[:2], {"naive": None, "tilt": COUNTS[2]}, samples=N, executor=e)["tilt"]
                for e in (None, processes))
    assert bits(one) == bits(two)


def test_a_black_box_is_explored_by_all_workers(processes):
    home, calls = os.getpid(), []

    def simulator(x):
        calls.append(os.getpid())
        if calls.count(home) > 1:                                           # one, to see what it returns
            raise RuntimeError("called at home")
        return float(np.sum(x)) >= 10.0
    law = rare.IID(rare.Normal(0.0, 1.0), 4)
    found = rare.estimate(law, rare.black_box(simulator), rare.IID(rare.Normal(2.5, 1.0), 4), samples=4000, audit=False,
                          executor=processes)

    def plain(x):
        return float(np.sum(x)) >= 10.0
    assert bits(found) == bits(rare.estimate(law, rare.black_box(plain), rare.IID(rare.Normal(2.5, 1.0), 4),
                                             samples=4000, audit=False))


def test_a_script_without_a_guard(tmp_path):
    """Classes and functions of __main__, which no worker can import."""
    code = '''
import math
from dataclasses import dataclass
import rareevents as rare
@dataclass(frozen=True)
class Mine(rare.Distribution):
    rate: float
    support = rare.integers(0, math.inf)
    def draw(self, rng):
        return rng.poisson(self.rate)
    def log_density(self, x):
        return x * math.log(self.rate) - self.rate - math.lgamma(x + 1.0)
def event(x):
    return x >= 20
def ask(executor):
    return rare.estimate(Mine(4.0), event, Mine(20.0), samples=20_000, audit=False, executor=executor).value.hex()
with rare.executors.opened("processes:2") as executor:
    print(ask(None), ask(executor))
'''
    (tmp_path / "script.py").write_text(code)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    one, two = done.stdout.split()
    assert one == two


def test_work_in_flight_is_bounded():
    class Counting(ThreadPoolExecutor):
        most = under_way = 0
        lock = threading.Lock()

        def submit(self, *arguments, **options):
            with self.lock:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            future = super().submit(*arguments, **options)
            future.add_done_callback(lambda _: self.done())
            return future

        def done(self):
            with self.lock:
                self.under_way -= 1
    with Counting(2) as executor:
        rare.estimate(*COUNTS, samples=10 ** 6, executor=executor)
    assert executor.most <= 4


def test_tasks_hold_as_many_items_as_take_half_a_second():
    """The first ones hold one each; at 5 ms an item then about a hundred, in the order of the items."""
    sizes = []

    def call(i):
        time.sleep(0.005)
        return 2 * i

    class Watching(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            sizes.append(len(arguments[2]))
            return super().submit(function, *arguments)
    with Watching(1) as executor:
        found = list(tasks.in_order(executor, call, ((i,) for i in range(300)), "item"))
    assert found == [((i,), 2 * i) for i in range(300)]
    assert sizes[0] == 1 and 20 < max(sizes) <= 256 and sum(sizes) == 300


# ------------------------------------------------------------------------------------------------ what goes wrong
def test_a_killed_worker_changes_no_bit(processes):
    """A worker is killed while it works: its chunks are computed again."""
    def slow(x):
        total = 0.0
        for i in range(3000):
            total += (x + i) % 7
        return total > 9000.0 or x >= 12
    whole = rare.estimate(rare.Poisson(4.0), slow, samples=60_000)
    rare.estimate(rare.Poisson(4.0), slow, samples=600, executor=processes)             # the processes are there

    def kill():
        time.sleep(0.3)
        os.kill(next(iter(processes._pool._processes)), signal.SIGKILL)
    killer = threading.Thread(target=kill)
    killer.start()
    found = rare.estimate(rare.Poisson(4.0), slow, samples=60_000, executor=processes)
    killer.join()
    assert bits(found) == bits(whole)


def test_a_chunk_that_ends_its_process_is_named(processes):
    def deadly(x):
        if np.sum(x) > 12.0:
            os.kill(os.getpid(), signal.SIGSEGV)
        return float(np.sum(x)) >= 2.0
    law = rare.IID(rare.Normal(0.0, 1.0), 4)
    with pytest.raises(rare.ExecutorError, match=r"chunk \d+ ended its worker 2 times") as caught:
        rare.estimate(law, rare.black_box(deadly), rare.IID(rare.Normal(1.2, 1.0), 4), samples=100_000, audit=False,
                      executor=processes)
    assert caught.value.estimate is not None and caught.value.estimate.samples % 512 == 0
    assert bits(rare.estimate(*COUNTS, samples=N, executor=processes)) == bits(rare.estimate(*COUNTS, samples=N))


def test_an_error_of_a_users_function_keeps_what_came_before(processes):
    def seldom(x):
        return 1.0 / (x - 33) > 0.0
    with pytest.raises(rare.UserFunctionError, match="x = 33") as caught:
        rare.estimate(rare.Poisson(4.0), seldom, rare.Poisson(20.0), samples=10 ** 6, executor=processes)
    with pytest.raises(rare.UserFunctionError, match="x = 33") as here:
        rare.estimate(rare.Poisson(4.0), seldom, rare.Poisson(20.0), samples=10 ** 6)
    file = str(caught.value).partition("(")[2].partition(",")[0]                # a worker does not know the file
    assert str(caught.value).replace(file, __file__) == str(here.value)


def test_a_dead_pool_is_told_and_resumed(tmp_path):
    """A pool of the user's own cannot be replaced: the error says so, and the checkpoint goes on elsewhere."""
    with ProcessPoolExecutor(1) as pool, pytest.raises(rare.ExecutorError, match="the executor takes no more work"):
        pool.submit(os._exit, 1)
        time.sleep(1.0)
        rare.estimate(*COUNTS, samples=N, executor=pool, checkpoint=tmp_path / "a")
    assert bits(rare.estimate(*COUNTS, samples=N, checkpoint=tmp_path / "a")) == bits(rare.estimate(*COUNTS, samples=N))


def test_other_versions_are_refused(monkeypatch):
    data = workers.packed(abs)
    asked = {**workers.versions(), "numba": "0.1"}
    with pytest.raises(workers.OtherVersionError, match=r"numba [\d.]+ there, 0.1 here"):
        workers.work(data, asked, [(1,)])


def test_bad_executors():
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with pytest.raises(ValueError, match="executor must take work, got one that was shut down"):
        rare.estimate(*COUNTS, samples=100, executor=closed)
    with pytest.raises(TypeError, match=r"executor must be a concurrent\.futures\.Executor, got 'threads:2'"):
        rare.estimate(*COUNTS, samples=100, executor="threads:2")
    for name in ("cluster", "threads:0", "processes:x", "dask:", "dask-local:-1", ""):
        with pytest.raises(ValueError, match="executor must be threads"), executors.opened(name):
            pass


def test_what_cannot_be_sent_is_told(processes):
    lock = threading.Lock()
    box = rare.black_box(lambda x: x >= 1.0 and lock is not None)
    with pytest.raises(TypeError, match=r"executor must run in this process .* cannot be sent"):
        rare.estimate(rare.Normal(0.0, 1.0), box, samples=1000, executor=processes)


@pytest.mark.parametrize("address", ["tcp://10.0.0.3:8786", "10.0.0.3:8786", "tcp://host:8786"])
def test_other_machines_need_encryption(address):
    with pytest.raises(ValueError, match="executor must be asked over TLS"), executors.opened(f"dask:{address}"):
        pass
    executors.require_safe(address, insecure=True)
    executors.require_safe(address.replace("tcp://", "tls://") if "://" in address else f"tls://{address}")
    executors.require_safe("tcp://127.0.0.1:8786")


# ------------------------------------------------------------------------------------------------ the command line
EXPERIMENT = '''
"""A coin."""
from dataclasses import dataclass
import rareevents as rare
from rareevents.experiments import Findings, main
from rareevents.report import Told

@dataclass(frozen=True)
class Settings:
    samples: int = 30_000
    """Draws."""

def storm(x):
    return x >= 20

def run(settings, progress):
    found = rare.estimate(rare.Poisson(4.0), storm, rare.Poisson(20.0), samples=settings.samples)
    return Findings({"storm": found.to_dict()})

def tell(settings, numbers):
    return Told("A coin.")

if __name__ == "__main__":
    main(Settings, run, tell)
'''


def test_an_experiment_runs_elsewhere_to_the_same_bytes(tmp_path):
    script = tmp_path / "experiments" / "coin.py"
    script.parent.mkdir()
    script.write_text(EXPERIMENT)
    kept = tmp_path / "results" / "coin" / "result.json"

    def asked(*flags):
        return subprocess.run([sys.executable, "-m", "rareevents", "run", str(script), *flags], cwd=tmp_path,
                              capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert asked().returncode == 0
    here = kept.read_bytes()
    for name in ("threads:2", "processes:2"):
        kept.unlink()
        done = asked("--executor", name)
        assert done.returncode == 0 and kept.read_bytes() == here, done.stderr
    for name, words in (("clusters", "executor must be threads[:N], processes[:N]"),
                        ("dask:tcp://10.0.0.3:8786", "executor must be asked over TLS")):
        done = asked("--executor", name)
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
    assert "--executor" in asked("--help").stdout
