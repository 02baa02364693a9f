"""A real Dask scheduler and its workers, started on loopback."""
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import rareevents as rare
from rareevents import executors
from tests.test_executors import COUNTS, N, bits

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3"}


class Cluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder, count):
        self.folder = folder
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address",
                                     "127.0.0.1:0", "--scheduler-file", str(folder / "scheduler.json"))
        self.workers = [self._start("worker", "--scheduler-file", str(folder / "scheduler.json"), "--nthreads", "1",
                                    "--no-nanny", "--dashboard-address", "127.0.0.1:0", "--host", "127.0.0.1",
                                    "--death-timeout", "30") for _ in range(count)]
        while not (folder / "scheduler.json").exists():
            assert self.scheduler.poll() is None
            time.sleep(0.1)

    def _start(self, *arguments):
        return subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
                                cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def address(self):
        import json
        return json.loads((self.folder / "scheduler.json").read_text())["address"]

    def stop(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    started = []

    def start(count):
        started.append(Cluster(tmp_path, count))
        return started[-1]
    yield start
    for one in started:
        one.stop()


def slow():
    """An event that takes microseconds, by value: no worker can import this module."""
    def event(x):
        total = 0.0
        for i in range(1000):
            total += (x + i) % 7
        return total > 3000.0 or x >= 12
    return event


def test_the_same_bits_with_two_workers_one_of_them_killed_and_with_one(cluster, tmp_path):
    made, path = cluster(2), tmp_path / "a"
    assert made.address.startswith("tcp://127.0.0.1:")
    event = slow()
    whole = rare.estimate(rare.Normal(8.0, 1.0), event, samples=2_000_000)
    with executors.opened(f"dask:{made.address}") as executor:
        executor._client.wait_for_workers(2, timeout=60)
        services = executor._client.scheduler_info()["services"]
        assert "dashboard" not in services or "127.0.0.1" in executor._client.dashboard_link
        assert bits(rare.estimate(*COUNTS, samples=N, executor=executor)) == bits(rare.estimate(*COUNTS, samples=N))
        done = []

        def report():
            """Kill a worker as soon as chunks come back; the first is that which the worker had to compile for."""
            while len(list(path.parent.glob("a*"))) == 0:
                time.sleep(0.05)
            made.workers[0].send_signal(signal.SIGKILL)
            done.append(len(done))
        killer = threading.Thread(target=report)
        killer.start()
        found = rare.estimate(rare.Normal(8.0, 1.0), event, samples=2_000_000, executor=executor, checkpoint=path)
        assert done == [0]                                   # it was killed before the run ended
        killer.join()
        assert made.workers[0].wait(10) == -signal.SIGKILL
        assert bits(found) == bits(whole)
        assert bits(rare.estimate(*COUNTS, samples=N, executor=executor)) == bits(rare.estimate(*COUNTS, samples=N))


def test_a_lost_scheduler_loses_what_was_under_way(cluster, tmp_path):
    made, path = cluster(1), tmp_path / "kept.checkpoint"
    question = rare.Normal(8.0, 1.0), slow()
    with pytest.raises(rare.ExecutorError, match="what came before is kept") as caught, \
            executors.opened(f"dask:{made.address}") as executor:
        executor._client.wait_for_workers(1, timeout=60)
        killer = threading.Timer(10.0, made.scheduler.kill)
        killer.start()
        rare.estimate(*question, samples=20_000_000, executor=executor, checkpoint=path)
    done = caught.value.estimate.samples
    assert 0 < done < 20_000_000
    rest = rare.estimate(*question, samples=done + 10_000, checkpoint=path)
    assert bits(rest) == bits(rare.estimate(*question, samples=done + 10_000))


def test_no_scheduler_is_told_with_the_time_waited(monkeypatch):
    monkeypatch.setattr(executors, "WAITS", 1.0)
    with pytest.raises(rare.ExecutorError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 within 1 seconds"), \
            executors.opened("dask:tcp://127.0.0.1:9"):
        pass
