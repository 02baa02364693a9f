"""The same bits on MPI, started as its users start it; where it is not installed, `pip install mpi4py mpich`."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mpi4py", reason="mpi4py is not installed")
ROOT = Path(__file__).resolve().parents[1]
STARTER = Path(sys.executable).with_name("mpiexec")
SCRIPT = """
import sys
import rareevents as rare

def storm(x):
    return x >= 20

if __name__ == "__main__":
    question = rare.Poisson(4.0), storm, rare.Poisson(20.0)
    chain = rare.MarkovChain([[0.9, 0.1], [0.5, 0.5]], 0, 10), rare.visits(1) >= 6
    with rare.executors.opened("mpi") as executor:
        for e in (None, executor):
            found = rare.estimate(*question, samples=60_000, audit=False, executor=e)
            split = rare.split(*chain, particles=100, replicates=20, executor=e)
            print(found.value.hex(), found.std_error.hex(), split.value.hex())
"""


def test_mpi(tmp_path):
    starter = str(STARTER) if STARTER.exists() else shutil.which("mpiexec")
    if starter is None:
        pytest.skip("there is no mpiexec")
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([starter, "-n", "3", sys.executable, "-m", "mpi4py.futures", "script.py"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    here, there = done.stdout.splitlines()
    assert here == there and len(here.split()) == 3
