"""Entropy rate of a Markov chain."""
from __future__ import annotations

from typing import Any

import numpy as np

from rareevents.information.arguments import probabilities, scaled
from rareevents.information.entropies import entropy


def entropy_rate(transition: Any, *, base: float = 2.0) -> float:
    """sum pi_i H(P_i): entropy of the next state given the present one, in the long run.

    Parameters
    ----------
    transition : array of float, shape (n, n)
        P(i -> j), each row sums to 1.
    base : float
        2 for bits, math.e for nats.

    Raises
    ------
    ValueError
        If the matrix is not square, a row is not a probability vector, or the chain has more than one closed class, so
        that its stationary law is not unique.

    Source: Cover and Thomas, Elements of Information Theory (2006), theorem 4.2.4.

    >>> entropy_rate([[0.5, 0.5], [0.5, 0.5]])
    1.0
    """
    p = probabilities("transition", transition)
    if p.ndim != 2 or p.shape[0] != p.shape[1]:
        raise ValueError(f"transition must be a square matrix, got shape {p.shape}")
    return scaled(_stationary(p) @ entropy(p, base=np.e), base)


def _stationary(p: np.ndarray) -> np.ndarray:
    """The law with pi P = pi, by a linear solve: one equation is replaced by sum pi = 1."""
    from scipy.sparse.csgraph import connected_components
    count, of = connected_components(p > 0.0, connection="strong")
    closed = [c for c in range(count) if not np.any(p[of == c][:, of != c])]
    if len(closed) > 1:
        classes = [np.flatnonzero(of == c).tolist() for c in closed]
        raise ValueError(f"transition must have one stationary law, but none of the states {classes[0]} and "
                         f"{classes[1]} leads to the other")
    system = np.eye(len(p)) - p.T
    system[-1] = 1.0
    return np.maximum(np.linalg.solve(system, np.eye(len(p))[-1]), 0.0)
