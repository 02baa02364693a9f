"""All terms of a random sum but the largest, one by one: what is drawn when the largest is integrated."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rareevents.distributions.base import Distribution
from rareevents.distributions.parts import require_law
from rareevents.kernels import records
from rareevents.processes.base import Functions, Process


@dataclass(frozen=True)
class AllButLargest(Process):
    """n - 1 independent sizes for a random n: the terms of a sum, without the one that turns out to be the largest.

    A state is (sizes still to draw, n, their sum so far, the largest so far, the last one). By symmetry, the largest of
    n terms is the last with probability 1/n, so P(sum >= u) = E[n P(X > max(M, u - S))] over these paths.

    Parameters
    ----------
    count : Distribution
        The law of n, of integers of at least 0.
    sizes : Distribution
        The law of each size, a law of positive numbers.

    Source: Asmussen and Kroese (2006), Advances in Applied Probability 38, 545.
    """

    count: Distribution
    sizes: Distribution
    max_steps = 1 << 20

    def __post_init__(self) -> None:
        require_law("count", self.count, scalar=True)
        require_law("sizes", self.sizes, scalar=True)

    @property
    def record(self) -> tuple[Any, ...]:                             # type: ignore[override]
        return records.record(count=self.count.record, sizes=self.sizes.record)

    def steps_like(self, other: Any) -> bool:
        return isinstance(other, AllButLargest) and self.sizes == other.sizes

    def functions(self) -> Functions:
        draw_count, log_count = self.count.functions()
        draw_size, log_size = self.sizes.functions()

        def begin(self, rng):
            n = draw_count(self.count, rng)
            return max(n - 1, 0), n, 0.0, 0.0, 0.0

        def log_begin(self, state):
            return log_count(self.count, state[1])

        def step(self, state, rng):
            x = draw_size(self.sizes, rng)
            return state[0] - 1, state[1], state[2] + x, max(state[3], x), x

        def log_density(self, state, new):
            return log_size(self.sizes, new[4])
        return Functions(begin, step, log_density, log_begin)

    def begin(self, rng: Any) -> Any:
        return self.functions().begin(self.record, rng)

    def step(self, state: Any, rng: Any) -> Any:
        return self.functions().step(self.record, state, rng)
