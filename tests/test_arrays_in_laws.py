"""The arrays of laws and processes are lent to compiled code, where they still do all that NumPy's do."""
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import rareevents as rare
from rareevents.distributions.base import Distribution, reals
from rareevents.kernels import chunks
from rareevents.kernels.fuse import fuse
from rareevents.processes import Process

VECTOR, MATRIX = np.array([1.0, 2.0, 3.0]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
Z = 4.9                     # |z| above this: false alarm 1e-6 for each estimate


@dataclass(frozen=True)
class Everything(Distribution):
    """Not a density: what can be done with arrays."""

    a: Any
    m: Any
    support = reals(-np.inf, np.inf)

    def draw(self, rng):
        return self.a[0] + rng.standard_normal()

    def log_density(self, x):
        t = 0.0
        for value in self.a:
            t += value
        for i, (value, other) in enumerate(zip(self.a, self.a[1:])):          # noqa: B905  (Numba has no strict)
            t += i + value * other
        for row in self.m:
            t += row[0]
        kept = self.a
        if x > 0.0:
            kept = self.a + x
        t += kept[0] + self.a.sum() + self.a[-1] + np.dot(self.a, self.m[0]) + max(self.a)
        return t + np.searchsorted(self.a, 1.5) + np.cumsum(self.a)[1] + self.a.copy()[1] + self.m.T[0, 1]


def test_arrays_do_what_they_do_in_python():
    law, x = Everything(VECTOR, MATRIX), np.array([-1.0, 0.5])
    out = np.empty(2)
    fuse(chunks.log_densities, {"log_density": law.functions()[1]}, (law.record, x, out))(law.record, x, out)
    assert out == pytest.approx([law.log_density(-1.0), law.log_density(0.5)], rel=1e-14)


@dataclass(frozen=True)
class Returning(Process):
    """A point that moves at random and is sometimes sent back to one of its rows."""

    back: float
    rows: Any
    start = np.array([1.0, 2.0])
    steps = 10

    def step(self, state, rng):
        if rng.random() < self.back:
            return self.rows[1]
        return state + rng.standard_normal()


def test_a_state_may_be_a_row_of_the_process():
    process = Returning(0.3, np.array([[1.0, 2.0], [0.0, 0.0]]))
    event = rare.running_max.taken_of(rare.component(0)) >= 4.0
    naive = rare.estimate(process, event, samples=100_000, seed=1)
    split = rare.split(process, event, particles=500, seed=1)
    assert abs(naive.value - split.value) <= Z * np.hypot(naive.std_error, split.std_error)
    assert process.start.tolist() == [1.0, 2.0] and process.rows.tolist() == [[1.0, 2.0], [0.0, 0.0]]
