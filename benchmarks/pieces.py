"""The pieces of the six kernels that `limits` measures, each compiled by itself as `fuse` compiles the whole.

A piece runs over many blocks in one call, so that the call costs nothing, and over blocks that differ, as a processor
learns the branches of one.
"""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import rareevents as rare
from benchmarks.questions import CLAIMS, DAYS
from benchmarks.tools.ours import question
from rareevents.integrands import integrand
from rareevents.kernels import chunks, sums
from rareevents.kernels.bits import as_float
from rareevents.kernels.fuse import fuse
from rareevents.kernels.streams import address, new_rng, xoshiro
from rareevents.kernels.sums import settle
from rareevents.paths.question import question as of_paths
from rareevents.paths.sampler import PathSampler
from rareevents.processes import Process

BLOCK, BLOCKS = 512, 64       # draws of a block, and blocks of a call
TERMS = CLAIMS - 1.0 + math.exp(-CLAIMS)                     # sizes drawn for a sum: all but the largest
Piece = Callable[[], float]
U = np.uint64


# ------------------------------------------------------------------------------------------------ templates
def words(seed, stage, chunk, out, blocks):
    rng = new_rng()
    address(rng, seed, stage, chunk)
    for _ in range(blocks):
        for i in range(len(out)):
            out[i] = xoshiro(rng)


def fill(q, rng, x, m): ...                                                                   # roles
def weigh(p, q, e, x, w, y, m): ...
def survival(size, x): ...


def draws(seed, stage, chunk, q, x, blocks):
    rng = new_rng()
    address(rng, seed, stage, chunk)
    lent = q._borrow()
    for _ in range(blocks):
        fill(lent, rng, x, len(x))


def values(p, q, e, x, w, y):
    p_lent, q_lent, e_lent = p._borrow(), q._borrow(), e._borrow()
    for b in range(len(x)):
        weigh(p_lent, q_lent, e_lent, x[b], w, y, len(w))


def add(w, v, y, counts, terms, weights, largest):
    for b in range(len(y)):
        settle(np.int64(0), len(w), w, v, y[b], counts, terms, weights, largest)


def tally(x, low, counted):
    width = U(len(counted))
    for b in range(len(x)):
        for i in range(x.shape[1]):
            place = U(x[b, i] - low)
            if place < width:
                counted[np.int64(place)] += 1


def integrate(size, count, far, y):
    lent = size._borrow()
    for b in range(len(far)):
        for i in range(len(y)):
            y[i] = count[b, i] * survival(lent, far[b, i])


def moves(g, drawn, node, row_of, blocks):
    """The steps of many blocks of paths, from the same words, to the table entries that they met."""
    lent = g._borrow()
    to, table, cells = lent.to, lent.table, U(lent.cells)
    layer, mask = U(2 * lent.cells * lent.nodes), cells - U(1)
    for _ in range(blocks):
        for i in range(len(node)):
            node[i] = U(lent.root)
        for day in range(lent.steps):
            now = U(day) * layer
            for i in range(len(node)):
                place = node[i] * cells
                row = now + place + place
                word = drawn[day, i]
                cell = word & mask
                packed = table[row + cell + cell]
                move = cell if (word | mask) < (packed | mask) else packed & mask
                row_of[day, i] = row + move + move + U(1)
                node[i] = to[place + move]


def add_up(g, row_of, w, blocks):
    """The log weights of many blocks of paths, from the same table entries."""
    table = g._borrow().table
    for _ in range(blocks):
        w[:] = 0.0
        for day in range(len(row_of)):
            for i in range(len(w)):
                w[i] += as_float(table[row_of[day, i]])


# ------------------------------------------------------------------------------------------------ measuring
def compiled(template: Any, roles: dict[str, Any], arguments: tuple, draws: int, times: float = 1.0) -> Piece:
    """Nanoseconds of a piece per draw, which needs it so many times; a call is of so many."""
    kernel = fuse(template, roles, arguments)

    def measure() -> float:
        begin = time.thread_time()
        kernel(*arguments)
        return (time.thread_time() - begin) / draws * 1e9 * times
    return measure


STREAM = U(1), np.uint32(0), U(1)


def of_words(count: float) -> Piece:
    return compiled(words, {}, (*STREAM, np.empty(BLOCK, U), BLOCKS), BLOCK * BLOCKS, count)


def of_draws(law: Any, rows: int = BLOCK, times: float = 1.0) -> Piece:
    """Draws to an array."""
    role = {"fill": chunks.filler(law.functions()[0], law.size is not None)}
    return compiled(draws, role, (*STREAM, law.record, law.empty(rows), BLOCKS), rows * BLOCKS, times)


def of_sums(y: np.ndarray) -> Piece:
    """Exponentials, products and moments; log weights of zero leave the values as they are for the next round."""
    state = (np.zeros((1, sums.COUNTS), np.int64), np.zeros((1, sums.TERMS)), np.zeros(sums.WEIGHTS),
             np.full((1, sums.KEPT), float(np.max(np.abs(y), initial=0.0))))
    return compiled(add, {}, (np.zeros(BLOCK), np.empty(BLOCK), y.reshape(BLOCKS, 1, BLOCK), *state), y.size)


def of(name: str) -> dict[str, Piece]:
    """The pieces of a kernel; its words are one, or under "floor: words" where they are part of the draws."""
    nominal, f, proposal = question(name)
    if name == "storm count":
        x = proposal.sample(BLOCK * BLOCKS, seed=2).reshape(BLOCKS, BLOCK)
        return {"floor: words": of_words(1.0), "draws": of_draws(proposal),
                "tally": compiled(tally, {}, (x, 0, np.zeros(128, np.int64)), x.size)}
    if name == "weather month":
        return _of_month(nominal, f, proposal)
    if isinstance(nominal, Process):
        return _of_sum(nominal)
    return _of_rows(nominal, integrand(f), proposal)


def _of_rows(nominal: Any, f: Any, proposal: Any) -> dict[str, Piece]:
    n = BLOCK // 8
    x = proposal.sample(n * BLOCKS, seed=2).reshape(BLOCKS, n, proposal.size)
    log_p, log_q, of_x = nominal.functions()[1], proposal.functions()[1], f.function()
    arguments = (nominal.record, proposal.record, f.record, x, np.empty(n), np.empty((1, n)))
    return {"floor: words": of_words(float(proposal.size)), "draws": of_draws(proposal, n),
            "log weights": compiled(values, {"weigh": chunks.weigher(log_p, log_q, None, None)}, arguments, n * BLOCKS),
            "integrand": compiled(values, {"weigh": chunks.weigher(None, None, of_x, None)}, arguments, n * BLOCKS),
            "sums": of_sums(np.zeros(BLOCK * BLOCKS))}


def _of_sum(nominal: Any) -> dict[str, Piece]:
    rng, law = np.random.default_rng(1), rare.LogNormal(0.0, 1.0)
    far, count = rng.uniform(100.0, 199.0, (BLOCKS, BLOCK)), rng.poisson(CLAIMS, (BLOCKS, BLOCK)).astype(float)
    return {"floor: words": of_words(1.0 + TERMS), "counts": of_draws(nominal.count),
            "sizes": of_draws(law, times=TERMS),
            "integrand": compiled(integrate, {"survival": type(law).survival},
                                  (law.record, count, far, np.empty(BLOCK)), far.size),
            "sums": of_sums(rng.random(BLOCK * BLOCKS))}


def _of_month(nominal: Any, f: Any, proposal: Any) -> dict[str, Piece]:
    g = PathSampler(of_paths(nominal, f, proposal), 1, 0)._tables
    n, rng = 32, np.random.default_rng(1)                    # words and entries stay in the first cache: no branches
    drawn, met = rng.integers(0, 2 ** 64, (DAYS, n), U), np.empty((DAYS, n), U)
    run = compiled(moves, {}, (g, drawn, np.empty(n, U), met, BLOCKS), n * BLOCKS)
    run()                                                                                     # fills `met`
    return {"words": of_words(float(DAYS)), "moves": run,
            "log weights": compiled(add_up, {}, (g, met, np.empty(n), BLOCKS), n * BLOCKS),
            "sums": of_sums(rng.random(BLOCK * BLOCKS))}
