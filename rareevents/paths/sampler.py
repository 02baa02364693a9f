"""From a question about paths, a seed and a stage to a function that turns a chunk id into moments."""
from __future__ import annotations

from typing import Any

import numpy as np

from rareevents.blame import UserFunctionError, called
from rareevents.fingerprints import digest
from rareevents.kernels import records, sums, walks
from rareevents.kernels.alias import alias_rows
from rareevents.kernels.freeze import where
from rareevents.kernels.fuse import fuse
from rareevents.moments import Moments
from rareevents.paths.functional import NEVER
from rareevents.paths.graph import Graph
from rareevents.paths.question import Question
from rareevents.processes.base import REHEARSED, Process, numbers_only

BLOCK = 256                   # paths that take their steps together
REHEARSALS = 4                # paths that run in plain Python first


class StepLimitError(RuntimeError):
    """Paths were still undecided after `max_steps` steps; the message counts them.

    `estimate` is what the chunks before it gave, or None.
    """

    estimate: Any = None


class PathSampler:
    """Chunks of weighted paths of a question."""

    black_box = False
    vector: int | None = None
    quantities = 1
    seed: np.uint64
    stage: np.uint32
    boolean: bool                 # whether the integrand returns bool; of a process without a graph after a chunk

    def __init__(self, asked: Question, seed: int, stage: int) -> None:
        self.question: Question = asked
        self.seed, self.stage = np.uint64(seed), np.uint32(stage)
        self.process: Process = asked.nominal if asked.proposal is None else asked.proposal
        self.limit: int = int(asked.nominal.steps or asked.nominal.max_steps)
        self.endless: bool = asked.nominal.steps is None
        if asked.graph is not None:
            self.boolean = asked.graph.boolean
            self._tables = tables(asked.graph, asked.tables, asked.shares, self.limit)
            self._kernel = fuse(walks.graph_chunk, {"along": walks.along_graph}, self._arguments(0, 0, self._scratch()))
        else:
            self.boolean = False                     # known after a chunk
            self._rehearse()
            self._kernel = self._compile()

    def __reduce__(self) -> tuple[Any, ...]:
        return PathSampler, (self.question, int(self.seed), int(self.stage))

    def _compile(self) -> Any:
        p, q = self.question.nominal, self.process
        weighed = self.question.proposal is not None
        for role, law in (("nominal", p), ("proposal", q)):
            if weighed and law.functions().log_density is None:
                raise TypeError(f"{role} must define log_density(self, state, new) to be weighed, got {law!r}")
        steps_weighed = weighed and not p.steps_like(q)
        role = walks.walker(p.functions(), numbers_only(q), weighed, steps_weighed, self.question.asked, self.endless)
        return fuse(walks.path_chunk, {"walk": role}, self._arguments(0, 0, self._scratch()))

    def _rehearse(self) -> None:
        """Some paths in plain Python, which sees what compiled code does not."""
        asked, e = self.question.asked, self.question.asked.record
        rng = np.random.Generator(np.random.Philox(0))
        for law in {id(v): v for v in (self.question.nominal, self.process)}.values():
            made = law.functions()
            for _ in range(REHEARSALS):
                state = called(made.begin, "at the start", law.record, rng)
                accumulated, time = called(asked.start, f"in state {state!r}", e, state), 0
                end = min(self.limit, REHEARSED if asked.finite else self.limit)
                while time < end and called(asked.decide, f"in state {state!r}", e, accumulated, state, NEVER) < 0:
                    new = called(made.step, f"in state {state!r}", law.record, state, rng)
                    step = f"at the step from {state!r} to {new!r}"
                    if np.shape(new) != np.shape(state):
                        raise UserFunctionError(f"{where(made.step)} must return a state like {state!r}, got {new!r}, "
                                                f"before sampling")
                    if made.log_density is not None and self.question.proposal is not None:
                        density = called(made.log_density, step, law.record, state, new)
                        if not density > -np.inf or np.isnan(density):
                            raise UserFunctionError(f"{where(made.log_density)} is {density} at its own step from "
                                                    f"{state!r} to {new!r}: it must be finite where step can go")
                    time += 1
                    accumulated = called(asked.update, step, e, accumulated, time, new)
                    state = new
                called(asked.value, f"in state {state!r}", e, accumulated, state)

    def _scratch(self) -> dict[str, np.ndarray]:
        made = {"w": np.empty(BLOCK), "v": np.empty(BLOCK), "y": np.empty((1, BLOCK))}
        if self.question.graph is not None:
            made |= {"node": np.empty(BLOCK, np.uint64), "alive": np.empty(BLOCK, np.uint64),
                     "which": np.empty(BLOCK, np.uint64), "logs": np.empty((len(self.question.shares), BLOCK))}
        return made | {"counts": np.zeros((1, sums.COUNTS), np.int64), "terms": np.zeros((1, sums.TERMS)),
                       "weights": np.zeros(sums.WEIGHTS), "largest": np.zeros((1, sums.KEPT)),
                       "status": np.zeros(4, np.int64)}

    def _arguments(self, chunk: int, n: int, scratch: dict[str, np.ndarray]) -> tuple[Any, ...]:
        head = (self.seed, self.stage, np.uint64(chunk), n)
        if self.question.graph is not None:
            return (*head, self._tables, *scratch.values())
        return (*head, self.question.nominal.record, self.process.record, self.question.asked.record, self.limit,
                *scratch.values())

    def call(self) -> tuple[Any, tuple[Any, ...]]:
        """The kernel, and the arguments of an empty chunk: what another processor needs to do the same."""
        return self._kernel, self._arguments(0, 0, self._scratch())

    def contents(self) -> dict[str, str]:
        """Digests of all that a chunk depends on: the graph's tables, or code and values of the processes."""
        asked = self.question
        if asked.graph is not None:
            g = asked.graph
            return {"f": digest(g.value, g.root, g.steps), "nominal": digest(g.to, g.p),
                    "proposal": digest(asked.tables, asked.shares), "kernel": self._kernel.__name__}
        return {"f": digest(asked.asked.record), "nominal": digest(asked.nominal.record),
                "proposal": digest(self.process.record), "kernel": self._kernel.__name__, "limit": str(self.limit)}

    def chunk(self, chunk: int, n: int, floor: np.ndarray | float = 0.0) -> Moments:
        """The moments of chunk `chunk`, n paths; of the largest terms only those above `floor` are kept."""
        scratch = self._scratch()
        scratch["largest"].T[:] = floor              # a heap of `floor`s: merging drops them again
        status = scratch["status"]
        try:
            mark = self._kernel(*self._arguments(chunk, n, scratch))
        except Exception as error:
            raise UserFunctionError(f"{self.process!r} or {self.question.f!r} raised {type(error).__name__}: {error} "
                                    f"in chunk {chunk}, in compiled code") from error
        if status[3] > 0:
            raise StepLimitError(f"{status[3]} of {status[1]} paths in a block of chunk {chunk} were undecided after "
                                 f"max_steps = {self.limit:,} steps of {self.process!r}: raise max_steps, give the "
                                 f"process a number of steps, or use a proposal under which {self.question.f!r} is "
                                 f"decided")
        if status[0] == sums.BAD_WEIGHT:
            bad = scratch["w"][:status[1]]
            worst = bad[~(bad <= 709.78)][0]
            raise UserFunctionError(f"the weight p/q of a path is not a number or overflows (log p/q = {worst:.6g}) in "
                                    f"chunk {chunk}: {self.process!r} is too far from {self.question.nominal!r}, or a "
                                    f"log_density is not finite at its own step")
        if status[0] != sums.OK:
            y = scratch["y"][0, :status[1]]
            raise UserFunctionError(f"{self.question.f!r} returned {y[~np.isfinite(y)][:1]} on a path of chunk "
                                    f"{chunk}: an integrand must be finite")
        if self.question.graph is None and chunk == 0:
            self.boolean = bool(status[2])
        return Moments(n, scratch["counts"], scratch["terms"], scratch["weights"], scratch["largest"], int(mark))


def tables(g: Graph, q: np.ndarray, shares: np.ndarray, limit: int) -> tuple[Any, ...]:
    """The record that the kernel of graphs reads: alias tables of the moves, and log p/q of each."""
    components, times, nodes, width = q.shape
    cells = 1 << max(1, int(np.ceil(np.log2(width))))
    to, ratio = np.zeros((nodes, cells), np.uint64), np.zeros((components, times, nodes, cells))
    to[:, :width] = g.to
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(g.p) - np.log(q)
    ratio[..., :width] = np.where(np.isnan(found), -np.inf, found)
    ratio[:, :, :2] = 0.0                                  # decided paths stay, and weigh what they did
    both = np.stack([alias_rows(q.reshape(-1, width)).ravel(), ratio.ravel().view(np.uint64)], axis=1)
    return records.record(to=to.ravel(), table=both.ravel(), value=g.value, root=g.root, nodes=nodes, cells=cells,
                          times=times, steps=limit if g.steps is None else g.steps, endless=g.steps is None,
                          shares=shares.astype(float), chosen=alias_rows(shares[None]))
