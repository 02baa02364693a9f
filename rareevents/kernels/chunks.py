"""The kernel templates: one chunk of weighted draws, from a stream address to its sufficient statistics.

`draw`, `fill`, `weigh`, `boolean` and `log_density` are roles that `fuse` replaces by snapshots of plain functions,
most of them built by the functions at the end of this file. Loops run over blocks that fit in the first-level cache:
draw, log weight, integrand, then sums. No array is as long as the chunk.

Arguments that the templates share:
    seed, stage, chunk, n              the stream's address and the number of draws
    p, q, e                            records: nominal law, proposal law, integrand
    x, w, v, y                         scratch: draws, log weights, weights, integrand values [quantity, draw]
    counts, terms, weights, largest    the statistics, laid out as in `sums`
    status                             int64[3]: a status of `sums`, draws in the last block, is the integrand boolean

What draws returns its mark, the next word of its stream: chunks with equal marks had the same stream.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rareevents.kernels.bits import is_boolean, put
from rareevents.kernels.streams import Rng, address, new_rng, xoshiro
from rareevents.kernels.sums import OK, settle, settle_copies

NO_MARK = np.uint64(0)


def draw(law: tuple[Any, ...], rng: Rng) -> Any: ...
def fill(q: tuple[Any, ...], rng: Rng, x: np.ndarray, m: int) -> None: ...
def weigh(p: tuple[Any, ...], q: tuple[Any, ...], e: tuple[Any, ...], x: np.ndarray, w: np.ndarray, y: np.ndarray,
          m: int) -> None: ...
def boolean(e: tuple[Any, ...], x: Any) -> bool: ...
def log_density(law: tuple[Any, ...], x: Any) -> float: ...


def block_chunk(seed: np.uint64, stage: np.uint32, chunk: np.uint64, n: int, p: tuple[Any, ...], q: tuple[Any, ...],
                e: tuple[Any, ...], x: np.ndarray, w: np.ndarray, v: np.ndarray, y: np.ndarray, counts: np.ndarray,
                terms: np.ndarray, weights: np.ndarray, largest: np.ndarray, status: np.ndarray) -> np.uint64:
    """A chunk of numbers or rows, one log weight each."""
    rng = new_rng()
    address(rng, seed, stage, chunk)
    p_lent, q_lent, e_lent = p._borrow(), q._borrow(), e._borrow()
    done = np.int64(0)                    # a plain 0 has a type of its own at first: what it meets compiles twice
    while done < n:
        m = min(n - done, len(x))
        status[1] = m
        fill(q_lent, rng, x, m)
        weigh(p_lent, q_lent, e_lent, x, w, y, m)
        status[0] = settle(done, m, w, v, y, counts, terms, weights, largest)
        if status[0] != OK:
            return NO_MARK
        done += m
    status[2] = boolean(e_lent, x[0])
    return xoshiro(rng)


def count_chunk(seed: np.uint64, stage: np.uint32, chunk: np.uint64, n: int, p: tuple[Any, ...], q: tuple[Any, ...],
                e: tuple[Any, ...], x: np.ndarray, w: np.ndarray, v: np.ndarray, y: np.ndarray, counts: np.ndarray,
                terms: np.ndarray, weights: np.ndarray, largest: np.ndarray, status: np.ndarray, low: int,
                tally: np.ndarray, copies: np.ndarray) -> np.uint64:
    """A chunk of integers: tally them first, then weigh each distinct value once.

    Weight and integrand are functions of the integer, so the tally says everything. Integers outside the window
    [low, low + tally.size) are weighed one by one.
    """
    rng = new_rng()
    address(rng, seed, stage, chunk)
    p_lent, q_lent, e_lent = p._borrow(), q._borrow(), e._borrow()
    tally[:] = 0
    width = np.uint64(tally.size)
    left = n
    cell = 0
    done = np.int64(0)
    while left > 0 or cell < tally.size:
        m = 0
        while left > 0 and m < x.size:
            value = draw(q_lent, rng)
            left -= 1
            place = np.uint64(value - low)
            if place < width:
                tally[np.int64(place)] += 1
            else:
                x[m] = value
                copies[m] = 1
                m += 1
        while left == 0 and cell < tally.size and m < x.size:
            if tally[cell] > 0:
                x[m] = low + cell
                copies[m] = tally[cell]
                m += 1
            cell += 1
        if m > 0:
            status[1] = m
            weigh(p_lent, q_lent, e_lent, x, w, y, m)
            status[0] = settle_copies(done, m, copies, w, v, y, counts, terms, weights, largest)
            if status[0] != OK:
                return NO_MARK
            for i in range(m):
                done += copies[i]
    status[2] = boolean(e_lent, x[0])
    return xoshiro(rng)


def box_chunk(seed: np.uint64, stage: np.uint32, chunk: np.uint64, n: int, p: tuple[Any, ...], q: tuple[Any, ...],
              e: tuple[Any, ...], x: np.ndarray, w: np.ndarray, y: np.ndarray) -> np.uint64:
    """The draws of a chunk in x, their log weights in w: all that can be compiled for a black box."""
    rng = new_rng()
    address(rng, seed, stage, chunk)
    fill(q._borrow(), rng, x, n)
    weigh(p._borrow(), q._borrow(), e._borrow(), x, w, y, n)
    return xoshiro(rng)


# Draws, densities and values apart: what a search needs of many laws is compiled once for each, not for each pair.
def draws(seed: np.uint64, stage: np.uint32, chunk: np.uint64, q: tuple[Any, ...], x: np.ndarray) -> None:
    """As many draws as x holds."""
    rng = new_rng()
    address(rng, seed, stage, chunk)
    fill(q._borrow(), rng, x, len(x))


def values(p: tuple[Any, ...], q: tuple[Any, ...], e: tuple[Any, ...], x: np.ndarray, w: np.ndarray,
           y: np.ndarray) -> None:
    """The integrand value of every entry, or row, of x."""
    weigh(p._borrow(), q._borrow(), e._borrow(), x, w, y, len(x))


def log_densities(law: tuple[Any, ...], x: np.ndarray, out: np.ndarray) -> None:
    """The log density of every entry, or row, of x."""
    lent = law._borrow()
    for i in range(len(x)):
        out[i] = log_density(lent, x[i])


def log_densities_of_each(stack: tuple[Any, ...], x: np.ndarray, out: np.ndarray) -> None:
    """The log density of every entry, or row, of x under every law of a stack: out[law, draw]."""
    laws = stack._borrow()
    for j in range(len(out)):
        law = laws._take(j)
        for i in range(len(x)):
            out[j, i] = log_density(law, x[i])


# ---------------------- a kernel without roles, as `sums.merge` is: `fuse` keeps them on disk, or does without
def settle_block(m: int, w: np.ndarray, v: np.ndarray, y: np.ndarray, counts: np.ndarray, terms: np.ndarray,
                 weights: np.ndarray, largest: np.ndarray) -> int:
    """The statistics of m draws whose integrand values were made outside compiled code; returns a status of `sums`."""
    return settle(np.int64(0), m, w, v, y, counts, terms, weights, largest)


# ------------------------------------------------------------------------------------------------ roles
def filler(draw: Callable[..., Any], rows: bool) -> Callable[..., Any]:
    """Fill x with draws: numbers, or rows that `draw` fills itself."""
    def fill_numbers(q, rng, x, m):
        for i in range(m):
            x[i] = draw(q, rng)

    def fill_rows(q, rng, x, m):
        for i in range(m):
            draw(q, rng, x[i])
    return fill_rows if rows else fill_numbers


def weigher(log_p: Any, log_q: Any, f: Any, quantities: int | None) -> Callable[..., Any]:
    """Fill w with log weights and y with integrand values; quantities=None: f returns one number.

    Without log_q the proposal is the nominal law and every weight is one; without f only the weights are filled.
    """
    def weights(p, q, x, w, m):
        for i in range(m):
            w[i] = log_p(p, x[i]) - log_q(q, x[i])

    def ones(p, q, x, w, m):
        for i in range(m):
            w[i] = 0.0

    def one_value(e, x, y, m):
        for i in range(m):
            y[0, i] = f(e, x[i])

    def values(e, x, y, m):
        for i in range(m):
            put(f(e, x[i]), y, i)

    def nothing(e, x, y, m):
        return

    fill_weights = ones if log_q is None else weights
    fill_values = nothing if f is None else one_value if quantities is None else values

    def weigh_block(p, q, e, x, w, y, m):
        fill_weights(p, q, x, w, m)
        fill_values(e, x, y, m)
    return weigh_block


def boolean_of(f: Any) -> Callable[..., Any]:
    """Whether f's compiled type is bool."""
    def answer(e, x):
        return is_boolean(f(e, x))
    return answer
