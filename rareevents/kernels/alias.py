"""Draws from a table in constant time: Walker's alias method (Walker 1977; Vose 1991), packed in one word per cell.

A table of 2^k cells holds in each word a threshold (upper 64 - k bits) and an alias (lower k bits). One 64-bit word
chooses the cell by its lower k bits and is compared with the threshold by the others.
"""
from __future__ import annotations

import numpy as np

from rareevents.kernels.fuse import fuse
from rareevents.kernels.streams import Rng, word

U = np.uint64


def alias_table(probabilities: np.ndarray) -> np.ndarray:
    """The packed table of a vector of probabilities; they are normalised here."""
    p = np.asarray(probabilities, float)
    bits = max(1, int(np.ceil(np.log2(len(p)))))
    cells = 1 << bits
    scaled = np.zeros(cells)
    scaled[:len(p)] = p * (cells / p.sum())
    share, alias = np.ones(cells), np.arange(cells)
    small = [i for i in range(cells) if scaled[i] < 1.0]
    large = [i for i in range(cells) if scaled[i] >= 1.0]
    while small and large:
        s, g = small.pop(), large[-1]
        share[s], alias[s] = scaled[s], g
        scaled[g] -= 1.0 - scaled[s]
        if scaled[g] < 1.0:
            small.append(large.pop())
    top = 1 << (64 - bits)
    # A cell that keeps everything is its own alias: the threshold top - 1 would otherwise lose 2^-(64-k) of it.
    return np.array([(min(int(share[i] * top), top - 1) << bits) | int(alias[i] if share[i] < 1.0 else i)
                     for i in range(cells)], dtype=U)


def alias_draw(rng: Rng, table: np.ndarray) -> np.int64:
    """The index of a cell's outcome, with the table's probabilities."""
    w = word(rng)
    mask = U(table.size - 1)
    cell = w & mask
    packed = table[np.int64(cell)]
    return np.int64(cell) if (w | mask) < (packed | mask) else np.int64(packed & mask)


def alias_row(rng: Rng, tables: np.ndarray, row: int) -> np.int64:
    """The same from one row of a matrix of tables."""
    w = word(rng)
    mask = U(tables.shape[1] - 1)
    cell = w & mask
    packed = tables[row, np.int64(cell)]
    return np.int64(cell) if (w | mask) < (packed | mask) else np.int64(packed & mask)


def alias_rows(probabilities: np.ndarray) -> np.ndarray:
    """A packed table for each row of a matrix of probabilities; the rows are normalised here."""
    p = np.ascontiguousarray(probabilities, float)
    bits = max(1, int(np.ceil(np.log2(p.shape[1]))))
    cells = 1 << bits
    scaled = np.zeros((len(p), cells))
    scaled[:, :p.shape[1]] = p * (cells / p.sum(axis=1, keepdims=True))
    out = np.empty((len(p), cells), U)
    arguments = (scaled, np.empty(cells, np.int64), np.empty(cells, np.int64), U(bits), out)
    fuse(pack_rows, {}, arguments)(*arguments)
    return out


def pack_rows(scaled: np.ndarray, small: np.ndarray, large: np.ndarray, bits: np.uint64, out: np.ndarray) -> None:
    """`alias_table` of every row of probabilities times the number of cells: a kernel without roles."""
    cells = scaled.shape[1]
    top = 2.0 ** (64 - np.int64(bits))
    for r in range(len(scaled)):
        share = scaled[r]
        few = many = 0
        for i in range(cells):
            out[r, i] = np.uint64(i)
            if share[i] < 1.0:
                small[few] = i
                few += 1
            else:
                large[many] = i
                many += 1
        while few > 0 and many > 0:
            few -= 1
            s, g = small[few], large[many - 1]
            out[r, s] = (np.uint64(share[s] * top) << bits) | np.uint64(g)
            share[g] -= 1.0 - share[s]
            if share[g] < 1.0:
                many -= 1
                small[few] = g
                few += 1
        while few > 0:                                     # rounding: what is left keeps its whole cell
            few -= 1
            out[r, small[few]] = np.uint64(small[few])
