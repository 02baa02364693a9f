"""Counting over two elements: one bits of a word, ranks of matrices, linear complexity of a sequence of bits."""
from __future__ import annotations

import numpy as np
from numba import njit

from rareevents.kernels.bits import LEAF

U = np.uint64
LENGTH = 1024                    # bits of a sequence


@njit(**LEAF)
def ones(word):
    """The number of one bits."""
    word = word - ((word >> U(1)) & U(0x5555555555555555))
    word = (word & U(0x3333333333333333)) + ((word >> U(2)) & U(0x3333333333333333))
    word = (word + (word >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * U(0x0101010101010101)) >> U(56))


@njit
def rank(rows):
    """The rank over two elements of a matrix of packed rows, which is overwritten."""
    done = 0
    for column in range(64 * rows.shape[1]):
        place, bit = column >> 6, U(1) << U(column & 63)
        pivot = done
        while pivot < len(rows) and not rows[pivot, place] & bit:
            pivot += 1
        if pivot == len(rows):
            continue
        for k in range(rows.shape[1]):
            rows[pivot, k], rows[done, k] = rows[done, k], rows[pivot, k]
        for i in range(done + 1, len(rows)):
            if rows[i, place] & bit:
                for k in range(place, rows.shape[1]):
                    rows[i, k] ^= rows[done, k]
        done += 1
    return done


@njit
def packed(words, bit, out):
    """One bit of each word, 64 to a word."""
    for i in range(len(out)):
        value = U(0)
        for j in range(64):
            value |= ((words[64 * i + j] >> U(bit)) & U(1)) << U(j)
        out[i] = value


@njit
def up(x):
    """Shift packed bits up by one."""
    for k in range(len(x) - 1, 0, -1):
        x[k] = (x[k] << U(1)) | (x[k - 1] >> U(63))
    x[0] <<= U(1)


@njit
def complexity(bits):
    """The length of the shortest linear feedback register that makes 1,024 packed bits (Massey 1969)."""
    c, b, past = np.zeros((3, LENGTH // 64 + 1), np.uint64)
    c[0], b[0], length = 1, 1, 0
    for i in range(LENGTH):
        up(b)
        up(past)
        past[0] |= (bits[i >> 6] >> U(i & 63)) & U(1)
        odd = U(0)
        for k in range(len(c)):
            odd ^= c[k] & past[k]
        if ones(odd) & 1:
            for k in range(len(c)):
                old = c[k]
                c[k] ^= b[k]
                if 2 * length <= i:
                    b[k] = old
            length = i + 1 - length if 2 * length <= i else length
    return length
