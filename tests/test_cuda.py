"""`device="cuda"`: in CUDA's simulator at a small size, and what is refused where there is no GPU."""
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rareevents as rare
from rareevents import devices
from tests.cuda_cases import CASES, STORMS

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "results" / "benchmarks" / "gpu.json"


def run(module, **variables):
    """A module in a process of its own: CUDA or its simulator is chosen at the start."""
    return subprocess.run([sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, timeout=600,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **variables})


@pytest.fixture(scope="module")
def ended():
    """How every case ended, in a process that simulates a device."""
    done = run("tests.cuda_cases", NUMBA_ENABLE_CUDASIM="1")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", [case.__name__ for case in CASES])
def test_in_the_simulator(ended, case):
    assert ended[case] == "passed", ended[case]


@pytest.mark.parametrize("device", ["gpu", "CUDA", ""])
def test_a_device_has_one_of_two_names(device):
    with pytest.raises(ValueError, match=f"^device must be 'cpu' or 'cuda', got '{device}'$"):
        rare.estimate(*STORMS, samples=100, device=device)


@pytest.mark.parametrize("device", [None, 0, True])
def test_a_device_is_a_name(device):
    with pytest.raises(TypeError, match=f"^device must be 'cpu' or 'cuda', got {device}$"):
        rare.estimate(*STORMS, samples=100, device=device)


@pytest.mark.skipif(devices.missing() is None, reason="there is a GPU")
def test_no_gpu_is_an_error_at_the_start():
    def never(x):
        raise AssertionError("called")
    with pytest.raises(ValueError, match=r"^device must be 'cpu' where no GPU can be used, got 'cuda': .*[a-z]"):
        rare.estimate(STORMS[0], never, samples=100, device="cuda")


def test_the_extra_is_named_where_it_is_not_installed(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"numba-cuda is not installed \(pip install 'rareevents\[cuda\]'\)$"):
        rare.estimate(*STORMS, samples=100, device="cuda")


@pytest.mark.skipif(importlib.util.find_spec("numba_cuda") is None, reason="the extra cuda is not installed")
def test_kernels_compile_for_a_gpu():
    done = run("tests.cuda_ptx", NUMBA_ENABLE_CUDASIM="0")
    if done.stderr.startswith("skipped"):
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(found[name] == 1 for name in ("counts", "rows", "unlike", "graph", "steps"))
    assert found["fused"] == 1 and found["apart"] == 0        # else sums would not be those of the CPU
    assert "cannot compile floored (" in found["refused"] and "'floor'" in found["refused"]


@pytest.mark.skipif(devices.missing() is None, reason="there is a GPU")
@pytest.mark.parametrize(("simulated", "reason"), [("0", "no GPU can be used"), ("1", "CUDA's simulator")])
def test_the_benchmark_measures_nothing_without_a_gpu(simulated, reason):
    before = RESULT.stat().st_mtime_ns if RESULT.exists() else None
    done = run("benchmarks.gpu", NUMBA_ENABLE_CUDASIM=simulated)
    assert done.returncode == 0 and reason in done.stdout and "nothing is measured" in done.stdout, done
    assert (RESULT.stat().st_mtime_ns if RESULT.exists() else None) == before
