"""What CUDA's simulator is asked, in a process of its own: it is there only where a variable was set at the start.

`python -m tests.cuda_cases` prints a JSON object: of each case how it ended, "passed" or the end of its traceback.
"""
import itertools
import json
import sys
import tempfile
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import rareevents as rare
from rareevents import devices, engine
from rareevents.integrands import integrand
from rareevents.sampler import Sampler

STORMS = rare.Poisson(4.0), rare.at_least(20), rare.Poisson(20.0)
LEVELS = np.array([1.0, 2.0])


def above(x, k):
    """Called by an integrand, with a global array: both become part of the kernel."""
    return x[0] + x[1] >= LEVELS[k]


def three(x):
    """Several numbers, one of them of both signs."""
    return above(x, 0), above(x, 1), x[0] * abs(x[1])


def brittle(x):
    if x > 30:
        raise ValueError("too many storms")
    return x >= 20


ROWS = rare.IID(rare.Normal(0.0, 1.0), 2), three, rare.Mixture([rare.IID(rare.Normal(m, 1.0), 2) for m in (0.0, 1.0)],
                                                               [0.5, 0.5])
UNLIKE = rare.Independent([rare.Exponential(1.0), rare.Gamma(2.5, 1.0)]), rare.total >= 9.0, None
WEATHER = rare.MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 30), rare.visits(1) >= 9, None
WALK = rare.RandomWalk(rare.Normal(-0.5, 1.0), 10), rare.running_max >= 6, rare.RandomWalk(rare.Normal(0.5, 1.0), 10)


def both(question, samples=1200, **rest):
    """The same run on the device and on the CPU."""
    return [rare.estimate(*question, samples=samples, seed=1, audit=False, device=device, **rest)
            for device in ("cuda", "cpu")]


def same(question, **rest):
    there, here = both(question, **rest)
    assert there.to_dict() == here.to_dict(), (there, here)


def counts():
    same(STORMS)


def rows_of_a_mixture_with_several_integrands():
    same(ROWS)


def unlike_laws():
    same(UNLIKE)


def paths_over_a_graph():
    same(WEATHER)


def paths_step_by_step():
    same(WALK)


def the_ledger_of_chunks():
    """Marks of the streams and all statistics of every group, in launches of a few chunks."""
    nominal, f, proposal = STORMS
    sampler = Sampler(nominal, integrand(f), proposal, 7, 3)
    stop = engine.Stop(9_000, max_seconds=600.0)
    launcher, few = devices.Launcher(sampler), engine.FEW
    try:
        engine.FEW = 2
        there, here = (engine.run(sampler.chunk, 1, stop, threads=1, device=device) for device in (launcher, None))
    finally:
        engine.FEW = few
    assert there.prefix.marks == here.prefix.marks and there.stopped_by == here.stopped_by
    assert len(there.groups) == len(here.groups) > 10
    for a, b in zip(there.groups, here.groups, strict=True):
        assert all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("counts", "terms", "weights"))
    assert np.array_equal(there.total.of(0).largest, here.total.of(0).largest)


def a_relative_error():
    there, here = both(STORMS, 9_000, relative_error=0.05)
    assert there.stopped_by == here.stopped_by == "relative_error"
    assert there.to_dict() == here.to_dict()


def going_on():
    there, here = both(STORMS)
    assert there.extend(samples=3_000).to_dict() == here.extend(samples=3_000).to_dict()


def a_checkpoint_of_the_device_goes_on_on_the_cpu():
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "a"
        rare.estimate(*STORMS, samples=2_048, seed=1, audit=False, device="cuda", checkpoint=place)
        there = rare.estimate(*STORMS, samples=4_000, seed=1, audit=False, checkpoint=place)
    assert there.to_dict() == both(STORMS, 4_000)[1].to_dict()


def a_function_that_raises():
    nominal, _, proposal = STORMS
    try:
        rare.estimate(nominal, brittle, proposal, samples=2_000, audit=False, device="cuda")
    except rare.UserFunctionError as error:
        assert "brittle" in str(error) and "too many storms" in str(error) and "chunk 0" in str(error), error
    else:
        raise AssertionError("no error")


class Faulty:
    """A launched kernel of which launch `at` is spoiled."""

    def __init__(self, kernel, at, spoil):
        self.kernel, self.launches, self.at, self.spoil = kernel, itertools.count(), at, spoil

    def __getitem__(self, shape):
        def launch(*arguments):
            self.kernel[shape](*arguments)
            if next(self.launches) == self.at:
                self.spoil(*arguments)
        return launch


def spoiled(at, spoil):
    """The error of a run of which one launch is spoiled."""
    launched, few = devices.Launcher.__init__, engine.FEW

    def init(self, sampler):
        launched(self, sampler)
        self._kernel = Faulty(self._kernel, at, spoil)
    devices.Launcher.__init__, engine.FEW = init, 4
    try:
        rare.estimate(*STORMS, samples=9_000, max_seconds=600.0, seed=1, audit=False, device="cuda")
    except rare.DeviceError as error:
        return error
    finally:
        devices.Launcher.__init__, engine.FEW = launched, few
    raise AssertionError("no error")


def a_device_that_gives_up():
    def spoil(*arguments):
        raise RuntimeError("an illegal address")
    error = spoiled(1, spoil)
    assert "an illegal address" in str(error) and "chunks 4 to 11" in str(error), error
    assert error.estimate.samples == 4 * 512
    assert error.estimate.value == both(STORMS, 2_048)[1].value


def a_device_that_counts_otherwise():
    def spoil(*arguments):
        counted = next(a for a in arguments[6:] if getattr(a, "shape", ())[1:] == (1, 3))
        counted[0, 0, 0] += 1
    error = spoiled(0, spoil)
    assert "chunk 0 has" in str(error) and "use device='cpu'" in str(error), error


def a_thread_that_does_not_end():
    def spoil(*arguments):
        arguments[4][1] = 0
    assert "chunk 5 does not end on the device" in str(spoiled(1, spoil))


def what_cannot_be_compiled():
    from rareevents.kernels import device
    launched = device.launched

    def fails(kernel, arguments):
        raise rare.CompileError("cannot compile f")
    device.launched = fails
    try:
        rare.estimate(*STORMS, samples=100, device="cuda")
    except rare.CompileError as error:
        assert str(error) == "device must be 'cpu' for what a GPU cannot run, got 'cuda': cannot compile f", error
    else:
        raise AssertionError("no error")
    finally:
        device.launched = launched


def refusals():
    for wrong, rest, message in ((rare.black_box(lambda x: x >= 20), {}, "a black box"),
                                 (STORMS[1], {"executor": ThreadPoolExecutor(1)}, "executor")):
        try:
            rare.estimate(STORMS[0], wrong, samples=100, device="cuda", **rest)
        except ValueError as error:
            assert str(error).startswith("device must be 'cpu'") and message in str(error), error
        else:
            raise AssertionError("no error")


CASES = (counts, rows_of_a_mixture_with_several_integrands, unlike_laws, paths_over_a_graph, paths_step_by_step,
         the_ledger_of_chunks, a_relative_error, going_on, a_checkpoint_of_the_device_goes_on_on_the_cpu,
         a_function_that_raises, a_device_that_gives_up, a_device_that_counts_otherwise, a_thread_that_does_not_end,
         what_cannot_be_compiled, refusals)

if __name__ == "__main__":
    warnings.simplefilter("ignore")                           # of the simulator
    ended = {}
    for case in CASES:
        try:
            case()
            ended[case.__name__] = "passed"
        except Exception:
            ended[case.__name__] = traceback.format_exc()
    json.dump(ended, sys.stdout)
