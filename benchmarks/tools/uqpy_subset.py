"""UQpy: subset simulation. Run by the Python of its own environment, as it needs an older NumPy than the others:

    PYTHON benchmarks/tools/uqpy_subset.py KIND D LEVEL SEED

prints the probability, the number of evaluations and the processor seconds.
"""
from __future__ import annotations

import os
import sys
import tempfile
import time

import numpy as np

DRAWS = 10_000                # of a level
MODEL = """import numpy as np

def margin(samples, kind, level):
    x = np.asarray(samples, float).reshape(-1)
    score = x.sum() / np.sqrt(len(x))
    return level - (abs(score) if kind == "two modes" else score)
"""


def main(kind: str, d: int, level: float, seed: int) -> None:
    from UQpy.distributions import JointIndependent, Normal
    from UQpy.reliability import SubsetSimulation
    from UQpy.run_model import PythonModel, RunModel
    from UQpy.sampling import ModifiedMetropolisHastings

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        with open("margin_of.py", "w", encoding="utf-8") as file:
            file.write(MODEL)
        law = JointIndependent([Normal()] * d)
        model = RunModel(model=PythonModel(model_script="margin_of.py", model_object_name="margin", kind=kind,
                                           level=level))
        begin = time.process_time()
        chain = ModifiedMetropolisHastings(dimension=d, log_pdf_target=law.log_pdf, n_chains=DRAWS // 10,
                                           seed=list(law.rvs(DRAWS // 10, random_state=seed)), random_state=seed)
        found = SubsetSimulation(runmodel_object=model, sampling=chain, conditional_probability=0.1,
                                 nsamples_per_subset=DRAWS,
                                 samples_init=law.rvs(DRAWS, random_state=np.random.RandomState(seed)))
        os.chdir("/")
    print(float(found.failure_probability), len(model.qoi_list), time.process_time() - begin)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
