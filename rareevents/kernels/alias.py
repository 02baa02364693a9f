"""Draws from a table in constant time: Walker's alias method (Walker 1977; Vose 1991), packed in one word per cell.

A table of 2^k cells holds in each word a threshold (upper 64 - k bits) and an alias (lower k bits). One 64-bit word
chooses the cell by its lower k bits and is compared with the threshold by the others.
"""
from __future__ import annotations

import numpy as np

from rareevents.kernels.streams import word

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


def alias_draw(rng, table):
    """The index of a cell's outcome, with the table's probabilities."""
    w = word(rng)
    mask = U(table.size - 1)
    cell = w & mask
    packed = table[np.int64(cell)]
    return np.int64(cell) if (w | mask) < (packed | mask) else np.int64(packed & mask)
