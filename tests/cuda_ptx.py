"""Whether the kernels compile for a GPU where there is none: `python -m tests.cuda_ptx` prints what came out as JSON.

numba-cuda asks the GPU for its capability; here it is told one.
"""
import inspect
import json
import sys
from types import SimpleNamespace

import numba
import numpy as np
from numba import cuda, types
from numba.cuda import dispatcher
from numba.cuda.cudadrv import nvvm

import rareevents as rare
from rareevents.integrands import integrand
from rareevents.kernels import device
from rareevents.kernels.stages import MAIN
from rareevents.paths.question import question
from rareevents.paths.sampler import PathSampler
from rareevents.sampler import Sampler
from tests.cuda_cases import ROWS, STORMS, UNLIKE, WALK, WEATHER

CAPABILITY = (9, 0)


def kernel_and_types(nominal, f, proposal):
    """The CPU's kernel, and the types of what its form for a device is called with."""
    f = integrand(f)
    sampler = PathSampler(question(nominal, f, proposal), 1, MAIN[0]) if isinstance(nominal, rare.Process) else \
        Sampler(nominal, f, proposal, 1, MAIN[0])
    kernel, arguments = sampler.call()
    names = inspect.signature(kernel.py_func).parameters

    def kind(name, value):
        found = numba.typeof(value)
        return types.Array(found.dtype, found.ndim + 1, "C") if name in (*device.WORK, *device.LEFT) else found
    seed, stage, _, _, *rest = (kind(name, value) for name, value in zip(names, arguments, strict=True))
    return kernel, (seed, stage, types.uint64[::1], types.int64[::1], types.uint64[::1], types.float64[::1], *rest)


def ptx(asked):
    kernel, signature = kernel_and_types(*asked)
    with device.rounding_each():
        return cuda.compile_ptx(device.many_of(kernel), signature, cc=CAPABILITY)[0]


def product_and_sum(out, a, b):
    out[0] = a * b + out[0]


def floored(x):
    return np.floor(x) >= 5.0


if __name__ == "__main__":
    try:
        nvvm.NVVM()
    except Exception as error:
        sys.exit(f"skipped: {str(error).strip().splitlines()[0]}")
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITY)
    found = {name: ptx(asked).count(".visible .entry") for name, asked in
             (("counts", STORMS), ("rows", ROWS), ("unlike", UNLIKE), ("graph", WEATHER), ("steps", WALK))}
    signature = types.float64[::1], types.float64, types.float64
    found["fused"] = cuda.compile_ptx(product_and_sum, signature, cc=CAPABILITY)[0].count("fma.rn.f64")
    with device.rounding_each():
        found["apart"] = cuda.compile_ptx(product_and_sum, signature, cc=CAPABILITY)[0].count("fma.rn.f64")
    refused = rare.Normal(0.0, 1.0), floored, None
    try:
        ptx(refused)
    except Exception as error:
        found["refused"] = device.explained(error, kernel_and_types(*refused)[0])
    json.dump(found, sys.stdout)
