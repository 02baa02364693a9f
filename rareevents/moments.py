"""Sufficient statistics of weighted draws: what a chunk leaves behind, and how two of them merge.

A chunk of n draws x_i ~ q with weights w_i = p(x_i)/q(x_i) and integrand values f_k(x_i) is reduced to the sums of
the terms y_ki = f_k(x_i) w_i that `Estimate` and its checks need. Chunks are merged in the order of their ids, so the
result has the same bits whatever computed them.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from rareevents.kernels import chunks, sums
from rareevents.kernels.fuse import fuse


class Terms(NamedTuple):
    """The terms y_1 .. y_n of one quantity, in summary: mean, centred power sums and the largest of them."""

    draws: int                    # n
    hits: int                     # number of y_i that are not zero
    negative: int                 # number of y_i below zero
    mean: float                   # sum of y_i / n
    m2: float                     # sum of (y_i - mean)^2
    m3: float                     # sum of (y_i - mean)^3
    m4: float                     # sum of (y_i - mean)^4
    absolute: float               # sum of |y_i|
    largest: np.ndarray           # the largest |y_i| > 0, descending, at most sums.KEPT (1,024) of them

    @property
    def total(self) -> float:
        """Sum of y_i."""
        return self.mean * self.draws

    @property
    def squares(self) -> float:
        """Sum of y_i^2 = m2 + n mean^2; both are positive, so nothing cancels."""
        return self.m2 + self.draws * self.mean * self.mean

    @property
    def std_error(self) -> float:
        """Standard error of the mean, sqrt(m2 / (n (n - 1)))."""
        return (self.m2 / (self.draws * (self.draws - 1.0))) ** 0.5 if self.draws > 1 else float("inf")

    @property
    def relative_error(self) -> float:
        """Standard error / |mean|; infinite without a hit."""
        return self.std_error / abs(self.mean) if self.mean != 0.0 else float("inf")

    @property
    def relative_variance_error(self) -> float:
        """Relative standard error of n relative_error^2, by the delta method on the variance and the mean.

        Var log(s^2 / mean^2) = Var(s^2) / s^4 + 4 R^2 - 4 Cov(s^2, mean) / (s^2 mean), with Cov(s^2, mean) = mu_3 / n.
        """
        if self.mean == 0.0 or not self.m2 > 0.0:
            return float("inf")
        skew = self.m3 / self.m2 / self.mean / self.draws
        return max(0.0, self.variance_of_variance + 4.0 * self.relative_error ** 2 - 4.0 * skew) ** 0.5

    @property
    def variance_of_variance(self) -> float:
        """m4 / m2^2 - 1/n, the squared relative error of the variance; zero when all terms are equal."""
        return self.m4 / self.m2 / self.m2 - 1.0 / self.draws if self.m2 > 0.0 else 0.0      # m2^2 may underflow


@dataclass(frozen=True)
class Moments:
    """Sums over the draws of one or more chunks. The layout of the arrays is that of `rareevents.kernels.sums`."""

    draws: int
    counts: np.ndarray            # int64[k, 3]: hits, negative terms, hits whose weight underflowed to zero
    terms: np.ndarray             # float64[k, 7]: sum, its compensation, m2, m3, m4, sum |y|, largest |y|
    weights: np.ndarray           # float64[4]: sum of w, its compensation, sum of w^2, largest w
    largest: np.ndarray           # float64[k, KEPT]: the largest |y|, in no order, zero where there are fewer; of a
                                  # chunk those above its floor: merged from the first chunk on they are the largest
    mark: int = 0                 # of a chunk: the word after the last that it used of its stream

    @staticmethod
    def empty(quantities: int) -> Moments:
        """No draws yet, for `quantities` integrand values per draw."""
        return Moments(0, np.zeros((quantities, 3), np.int64), np.zeros((quantities, 7)), np.zeros(4),
                       np.zeros((quantities, sums.KEPT)))

    @staticmethod
    def of_block(log_weights: np.ndarray, y: np.ndarray) -> tuple[Moments, int]:
        """The moments of one block with integrand values y[quantity, draw], which is overwritten, and a status."""
        n, made = len(log_weights), Moments.empty(len(y))
        status = kernel(chunks.settle_block)(n, log_weights, np.empty(n), y, made.counts, made.terms, made.weights,
                                             made.largest)
        return Moments(n, made.counts, made.terms, made.weights, made.largest), status

    def merge(self, other: Moments) -> Moments:
        """The statistics of both sets of draws; `other` comes after `self`."""
        counts, terms = self.counts.copy(), self.terms.copy()
        weights, largest = self.weights.copy(), self.largest.copy()
        kernel(sums.merge)(self.draws, counts, terms, weights, largest,
                           other.draws, other.counts, other.terms, other.weights, other.largest)
        return Moments(self.draws + other.draws, counts, terms, weights, largest)

    @property
    def quantities(self) -> int:
        """How many integrand values each draw has."""
        return len(self.terms)

    @property
    def weight_ess(self) -> float:
        """(sum w)^2 / sum w^2: the effective sample size of the weights alone; 0 where a square is no double."""
        total, squares = float(self.weights[0] + self.weights[1]), float(self.weights[2])
        return total * total / squares if squares > 0.0 and total * total < float("inf") else 0.0

    def of(self, quantity: int) -> Terms:
        """The terms of one quantity, as intervals and checks read them."""
        total, compensation, m2, m3, m4, absolute, _ = map(float, self.terms[quantity])
        hits, negative, _ = map(int, self.counts[quantity])
        kept = self.largest[quantity]
        return Terms(self.draws, hits, negative, (total + compensation) / self.draws if self.draws else 0.0,
                     m2, m3, m4, absolute, -np.sort(-kept[kept > 0.0]))


@cache
def kernel(template: Any) -> Callable[..., Any]:
    """The compiled form of a template that has no roles."""
    part = Moments.empty(1)
    arrays = (part.counts, part.terms, part.weights, part.largest)
    block = (0, np.empty(0), np.empty(0), np.empty((1, 0)), *arrays)
    return fuse(template, {}, block if template is chunks.settle_block else (0, *arrays, 0, *arrays))
