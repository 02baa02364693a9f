"""Nothing lost: extensions and resumed runs have the bits of whole ones, and a checkpoint is right or refused."""
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import rareevents as rare
from rareevents import checkpoints, engine, files
from rareevents.sampler import Sampler
from tests.test_engine import QUESTIONS

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
N = 60_000
COUNTS = QUESTIONS["counts"]
MONTH = (rare.MarkovChain([[0.9, 0.1], [0.6, 0.4]], initial=0, steps=20), rare.visits(1) >= 9, None)
SCRIPT = '''"""A long run."""
from dataclasses import dataclass

import rareevents as rare
from rareevents.experiments import Findings, main
from rareevents.report import Told


@dataclass(frozen=True)
class Settings:
    """How long."""

    samples: int = 8_000_000               # seconds, so that it is caught in the middle on a fast machine too
    """Draws."""


def slow(x):
    total = 0.0
    for i in range(200):
        total += (x + i) % 7
    return total > 900.0 or x >= 12


def run(settings, progress):
    print("started", flush=True)
    found = rare.estimate(rare.Normal(8.0, 1.0), slow, samples=settings.samples, threads=1)
    return Findings(found.to_dict())


def tell(settings, numbers):
    return Told("done")


if __name__ == "__main__":
    main(Settings, run, tell)
'''


def bits(found):
    """All that an estimate says but that it was extended, and every group of draws to the last bit."""
    said = {name: value for name, value in found.to_dict().items() if name != "extended"}
    parts = found.components or (found,)
    return json.dumps(said), [[group.terms.tobytes() + group.counts.tobytes() + group.weights.tobytes()
                               for group in part._groups] for part in parts]


# ------------------------------------------------------------------------------------------------ extensions
@pytest.mark.parametrize("name", ["counts", "rows", "several values"])
def test_an_extended_run_has_the_bits_of_a_longer_one(name):
    whole = rare.estimate(*QUESTIONS[name], samples=N, seed=3)
    for first in (500, 512, 8193, 30_000):
        short = rare.estimate(*QUESTIONS[name], samples=first, seed=3)
        longer = short.extend(samples=N, threads=3)
        assert bits(longer) == bits(whole) and longer.extended == (first,)
        assert bits(short.extend(samples=40_000).extend(samples=N)) == bits(whole)


def test_an_extension_to_a_smaller_error():
    first = rare.estimate(*QUESTIONS["reals"], relative_error=0.02, seed=3)
    second = first.extend(relative_error=0.01)
    assert bits(second) == bits(rare.estimate(*QUESTIONS["reals"], relative_error=0.01, seed=3))
    assert second.to_dict()["extended"] == [first.samples]


def test_an_extension_of_what_solve_found_keeps_what_it_says():
    found = rare.solve(*MONTH[:2], exact=False, certify=False, relative_error=0.05)
    longer = found.extend(samples=2 * found.samples)
    assert longer.how == found.how and longer.evaluations.final == 2 * found.samples


@pytest.mark.parametrize(("wanted", "message"), [
    (dict(samples=400), "samples must exceed the 500 draws"), (dict(max_samples=500), "max_samples must exceed"),
    (dict(), "give samples"), (dict(samples=1.5), "samples must be an integer"),
    (dict(samples=1000, threads=0), "threads must be")])
def test_bad_extensions(wanted, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rare.estimate(*COUNTS, samples=500).extend(**wanted)


def test_what_cannot_be_extended_says_so():
    with pytest.raises(ValueError, match="kind 'exact' by exact cannot be extended"):
        rare.solve(rare.Poisson(4.0), rare.at_least(20)).extend(samples=10)
    with pytest.raises(ValueError, match="relative_error must be below"):
        rare.estimate(*QUESTIONS["reals"], relative_error=0.02, seed=3).extend(relative_error=0.05)


# ------------------------------------------------------------------------------------------------ resumed runs
@pytest.mark.parametrize("name", ["counts", "rows", "several values"])
def test_a_run_resumed_at_any_chunk_has_the_same_bits(name, tmp_path):
    """Every prefix goes to a file and back; the run goes on from it with another number of threads."""
    whole = rare.estimate(*QUESTIONS[name], samples=N, seed=3)
    prefixes = []
    nominal, f, proposal = QUESTIONS[name]
    sampler = Sampler(nominal, rare.integrands.integrand(f), proposal, 3, 0)
    engine.run(sampler.chunk, sampler.quantities, engine.Stop(N), threads=1, keep=prefixes.append)
    assert len(prefixes) >= 20
    path = tmp_path / "a"
    rare.estimate(*QUESTIONS[name], samples=512, seed=3, checkpoint=path)
    identity, _ = checkpoints._unpacked(path.read_bytes())
    for prefix in prefixes:
        path.write_bytes(checkpoints._packed(prefix, identity))
        resumed = rare.estimate(*QUESTIONS[name], samples=N, seed=3, threads=1 + prefix.chunks % 3, checkpoint=path)
        assert bits(resumed) == bits(whole)


def test_paths_and_learned_proposals_are_resumed(tmp_path):
    """A learned proposal is learned again, to the same bits, and only then is the checkpoint that of the same run."""
    def learned(**more):
        made = rare.proposals.cross_entropy(rare.Poisson(4.0), rare.at_least(20), samples=1000, seed=3)
        return rare.estimate(*COUNTS[:2], proposal=made, seed=3, **more)
    for number, call in enumerate((lambda **more: rare.estimate(*MONTH, seed=3, **more), learned)):
        path = tmp_path / str(number)
        whole = call(samples=N)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "run", _cut_short(engine.run))
            with pytest.raises(KeyboardInterrupt):
                call(samples=N, checkpoint=path)
        assert 0 < checkpoints._unpacked(path.read_bytes())[1].draws < N
        assert bits(call(samples=N, checkpoint=path, threads=2)) == bits(whole)


def _cut_short(run):
    """The engine's run, interrupted after its tenth chunk."""
    def interrupted(*arguments, keep, **options):
        def counting(prefix):
            keep(prefix)
            if prefix.chunks == 10:
                raise KeyboardInterrupt
        return run(*arguments, keep=counting, **options)
    return interrupted


@pytest.mark.parametrize(("changed", "name"), [
    (dict(nominal=rare.Poisson(4.5)), "nominal was Poisson"), (dict(proposal=rare.Poisson(21.0)), "proposal was"),
    (dict(proposal=None), "proposal was"), (dict(f=rare.at_least(21)), "f was identity >= 20, and is identity >= 21"),
    (dict(f=lambda x: x >= 20), "f was"), (dict(seed=4), "seed was 3, and is 4")])
def test_a_checkpoint_of_another_run_is_refused_and_says_what_changed(changed, name, tmp_path):
    asked = dict(nominal=rare.Poisson(4.0), f=rare.at_least(20), proposal=rare.Poisson(20.0), seed=3)
    rare.estimate(**asked, samples=5000, checkpoint=tmp_path / "a")
    before = (tmp_path / "a").read_bytes()
    with pytest.raises(checkpoints.CheckpointError, match=f"is of another run: {name}"):
        rare.estimate(**{**asked, **changed}, samples=9000, checkpoint=tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before
    rare.estimate(**asked, samples=9000, checkpoint=tmp_path / "a", confidence=0.9, threads=3)


def test_a_helper_with_other_code_is_another_run(tmp_path):
    def made(threshold):
        def f(x):
            return x > threshold
        return f
    rare.estimate(rare.Poisson(4.0), made(8), samples=5000, checkpoint=tmp_path / "a")
    with pytest.raises(checkpoints.CheckpointError, match="f has other code or values"):
        rare.estimate(rare.Poisson(4.0), made(9), samples=5000, checkpoint=tmp_path / "a")


@dataclass(frozen=True, repr=False)
class Quiet(rare.Distribution):
    """Without a repr of its own Python shows its address, which differs in every process."""

    rate: float
    support = rare.integers(0, math.inf)

    def draw(self, rng):
        return rng.poisson(self.rate)

    def log_density(self, x):
        return x * math.log(self.rate) - self.rate - math.lgamma(x + 1.0)


def test_what_is_shown_does_not_decide(tmp_path):
    for samples in (5000, 9000):
        rare.estimate(Quiet(4.0), rare.at_least(9), samples=samples, checkpoint=tmp_path)
    assert len(list(tmp_path.glob("*.checkpoint"))) == 1
    kept, = tmp_path.glob("*.checkpoint")
    assert checkpoints._unpacked(kept.read_bytes())[1].draws > 5000


def test_a_checkpoint_with_more_draws_is_refused(tmp_path):
    rare.estimate(*COUNTS, samples=50_000, checkpoint=tmp_path / "a")
    with pytest.raises(ValueError, match="checkpoint must hold at most the 1,000 draws"):
        rare.estimate(*COUNTS, samples=1000, checkpoint=tmp_path / "a")
    with pytest.raises(ValueError, match="folder that can be written"):
        rare.estimate(*COUNTS, samples=1000, checkpoint=tmp_path / "none" / "a")


def test_a_folder_holds_a_file_for_each_run(tmp_path):
    for seed in (1, 2, 1):
        rare.estimate(*COUNTS, samples=5000, seed=seed, checkpoint=tmp_path)
    assert len(list(tmp_path.glob("*.checkpoint"))) == 2


# ------------------------------------------------------------------------------------------------ damage
def test_no_damage_goes_unseen(tmp_path):
    """300 truncations and flipped bits: the file before it is read instead, and without that the run refuses."""
    path, rng = tmp_path / "a", random.Random(1)
    rare.estimate(*COUNTS, samples=20_000, seed=3, checkpoint=path)
    rare.estimate(*COUNTS, samples=40_000, seed=3, checkpoint=path)
    good, previous = path.read_bytes(), tmp_path / "a.previous"
    older = checkpoints._unpacked(previous.read_bytes())[1].chunks
    identity = checkpoints._unpacked(good)[0]
    for _ in range(300):
        if rng.random() < 0.5:
            bad = good[:rng.randrange(len(good))]
        else:
            at = rng.randrange(len(good))
            bad = good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1:]
        path.write_bytes(bad)
        assert checkpoints.Checkpoint(path, lambda: identity).load().chunks == older
    kept = previous.read_bytes()
    previous.unlink()
    with pytest.raises(checkpoints.CheckpointError, match=r"cannot be read .*remove it to start afresh"):
        rare.estimate(*COUNTS, samples=40_000, seed=3, checkpoint=path)
    previous.write_bytes(kept)
    assert bits(rare.estimate(*COUNTS, samples=40_000, seed=3, checkpoint=path)) == \
        bits(rare.estimate(*COUNTS, samples=40_000, seed=3))


def test_a_header_that_promises_much_allocates_nothing(tmp_path):
    """A digest that fits is a file that this package wrote; any other is refused before its numbers are read."""
    path = tmp_path / "a"
    rare.estimate(*COUNTS, samples=5000, seed=3, checkpoint=path)
    path.write_bytes(path.read_bytes().replace(b'"<i8", [', b'"<i8", [9', 1))
    with pytest.raises(checkpoints.CheckpointError, match="SHA-256"):
        rare.estimate(*COUNTS, samples=5000, seed=3, checkpoint=path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_kills_at_random_moments_lose_nothing(replicates, tmp_path):
    kills = replicates(200, 25)
    done = subprocess.run([sys.executable, str(ROOT / "tests" / "kills.py"), str(tmp_path), str(kills), "7"],
                          env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["unreadable"], found["lost"], found["same"], found["parts"]) == (0, 0, True, 0), found


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
def test_a_full_disk_keeps_what_was_there(tmp_path):
    """A limit on the size of files stands for the disk: the write fails in the middle."""
    path = tmp_path / "a"
    rare.estimate(*COUNTS, samples=5000, seed=3, checkpoint=path)
    before = path.read_bytes()
    code = ("import resource, rareevents as rare, tests.test_engine as t\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            f"rare.estimate(*t.QUESTIONS['counts'], samples=60_000, seed=3, checkpoint={str(path)!r})")
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0 and f"checkpoint {path} cannot be written: File too large" in done.stderr
    assert path.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"a", "a.previous"}
    assert checkpoints._unpacked(path.read_bytes())[1].draws == 4608          # the last full chunk


# ------------------------------------------------------------------------------------------------ runs of scripts
@pytest.fixture
def long(tmp_path):
    """A folder with one experiment, a long one; and how to start it."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "long.py").write_text(SCRIPT, encoding="utf-8")

    started = []

    def start(*flags):
        started.append(subprocess.Popen([sys.executable, "-m", "rareevents", "run", "long", *flags], cwd=tmp_path,
                                        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]
    yield start, tmp_path / "results" / "long"
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
def test_an_interrupted_run_is_resumed_with_the_same_bits(long):
    """Ctrl-C: code 130 and a checkpoint at once; chunks of compiled code, half a second each, are not waited for."""
    start, folder = long
    process = start()
    assert process.stdout.readline() == "started\n"
    while not list((folder / ".checkpoints").glob("*.checkpoint")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGSTOP)                       # so that it is still there when the second comes
    second = start()
    assert second.wait(60) == 1
    assert f"is in use by process {process.pid} on" in second.stderr.read()
    process.send_signal(signal.SIGCONT)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    seconds = time.monotonic() - begin
    assert "interrupted: --resume goes on from what was kept" in process.stderr.read()
    assert seconds < 10.0                                     # below 0.2 measured
    kept, = (folder / ".checkpoints").glob("*.checkpoint")
    assert checkpoints._unpacked(kept.read_bytes())[1].chunks > 0
    third = start("--resume")
    third.stdout.readline()
    third.kill()                                              # SIGKILL: the lock is not stale
    third.wait()
    resumed = start("--resume")
    assert resumed.wait(120) == 0, resumed.stderr.read()
    assert not list(folder.glob(".*"))
    found = (folder / "result.json").read_bytes()
    assert start().wait(120) == 0
    assert (folder / "result.json").read_bytes() == found


def test_a_lock_names_its_holder_and_is_never_stale(tmp_path):
    path = tmp_path / ".lock"
    code = f"from pathlib import Path; from rareevents.files import held\nwith held(Path({str(path)!r})): print(1, " \
           f"flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as holder:
        assert holder.stdout.readline() == "1\n"
        begin = time.monotonic()
        with pytest.raises(OSError, match=f"{tmp_path} is in use by process {holder.pid} on "), files.held(path):
            pass
        assert time.monotonic() - begin < 1.0
        holder.kill()
    with files.held(path):
        assert path.read_text().startswith(f"process {os.getpid()} ")
    assert not path.exists()


# ------------------------------------------------------------------------------------------------ faults
def test_clocks_that_jump_change_nothing(monkeypatch, tmp_path):
    whole = bits(rare.estimate(*COUNTS, samples=N, seed=3))
    jumps = iter(np.tile([1e9, 1e9 + 86400.0, 1e9 - 86400.0], 1000).tolist())
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    assert bits(rare.estimate(*COUNTS, samples=N, seed=3, checkpoint=tmp_path / "a")) == whole


def test_a_nan_and_a_lack_of_memory_name_the_chunk_and_the_draw():
    """At probability 1e-4; what the chunks before it gave is in the error, and can be extended no further."""
    with pytest.raises(rare.UserFunctionError, match=r"returned nan at x = \d+ in chunk \d+") as caught:
        rare.estimate(rare.Poisson(4.0), _sometimes_nan, samples=10 ** 6, seed=1)
    assert caught.value.estimate.samples > 0

    def hungry(x):
        if x >= 13:
            raise MemoryError("no room for the trace")
        return float(x)
    with pytest.raises(rare.UserFunctionError, match=r"MemoryError: no room for the trace at x = 1\d in chunk \d+"):
        rare.estimate(rare.Poisson(4.0), rare.black_box(hungry), samples=10 ** 6, seed=1)


def _sometimes_nan(x):
    return np.nan if x >= 14 else 1.0 * x


def test_chunks_with_one_stream_are_found(monkeypatch):
    """A damaged engine that draws the chunks of one stream again: fingerprints see it, and nothing is trusted."""
    right = Sampler.chunk
    monkeypatch.setattr(Sampler, "chunk", lambda self, chunk, n, floor=0.0: right(self, chunk % 7, n, floor))
    found = rare.estimate(*COUNTS, samples=N, seed=3)
    assert found.verdict == "not trusted" and "same stream" in found.reason


def test_the_same_answers_with_bounds_checked(replicates):
    """The templates of the kernels, with every index into an array checked."""
    names = ["rows"] + replicates(["counts", "reals", "several values"], [])
    split = "found += [rare.split(*t.MONTH[:2], particles=200, replicates=20, seed=1).value]\n"
    code = ("import rareevents as rare, tests.test_checkpoints as t\n"
            f"asked = [*(t.QUESTIONS[name] for name in {names}), t.MONTH]\n"
            "found = [rare.estimate(*question, samples=20_000, seed=3, audit=False).to_json() for question in asked]\n"
            + replicates(split, ""))
    done = subprocess.run([sys.executable, "-c", f"import json\n{code}print(json.dumps(found))"], capture_output=True,
                          env={**ENVIRONMENT, "NUMBA_BOUNDSCHECK": "1"}, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    here = {}
    exec(code, here)
    assert json.loads(done.stdout) == here["found"]
