"""Entropies of joint tables: p[..., x, y] = P(X = x, Y = y), leading axes vectorised."""
from __future__ import annotations

from typing import Any

import numpy as np

from rareevents.closed_forms import terms
from rareevents.information.arguments import probabilities, scaled


def joint_entropy(joint: Any, *, base: float = 2.0) -> Any:
    """H(X, Y) = -sum p(x, y) log p(x, y).

    Parameters
    ----------
    joint : array of float, shape (..., n, m)
        P(X = x, Y = y), sum 1.
    base : float
        2 for bits, math.e for nats.

    Raises
    ------
    ValueError
        If an entry is negative or NaN, or a table does not sum to 1 within 1e-9.

    Source: Cover and Thomas, Elements of Information Theory (2006), section 2.2.

    >>> joint_entropy([[0.25, 0.25], [0.25, 0.25]])
    2.0
    """
    from scipy.special import entr
    return scaled(entr(probabilities("joint", joint, axes=2)).sum(axis=(-2, -1)), base)


def conditional_entropy(joint: Any, given: int = 0, *, base: float = 2.0) -> Any:
    """H(Y|X) = -sum p(x, y) log(p(x, y) / p(x)); with given=1, H(X|Y).

    Parameters
    ----------
    joint, base
        As in `joint_entropy`.
    given : 0 or 1
        Which of the two last axes is known.

    Raises
    ------
    ValueError
        As `joint_entropy`, and if `given` is neither 0 nor 1.

    Source: Cover and Thomas, Elements of Information Theory (2006), section 2.2.

    >>> conditional_entropy([[0.5, 0.0], [0.25, 0.25]])
    0.5
    """
    if isinstance(given, bool) or given not in (0, 1):
        raise ValueError(f"given must be 0 or 1, the axis of the variable that is known, got {given!r}")
    from scipy.special import rel_entr
    p = probabilities("joint", joint, axes=2)
    known = p.sum(axis=-1 if given == 0 else -2, keepdims=True)
    return scaled(-rel_entr(p, known).sum(axis=(-2, -1)), base)


def mutual_information(joint: Any, *, base: float = 2.0) -> Any:
    """I(X; Y) = KL(p(x, y) || p(x) p(y)), what one variable tells of the other; never below 0.

    Parameters
    ----------
    joint, base
        As in `joint_entropy`.

    Raises
    ------
    ValueError
        As `joint_entropy`.

    Source: Cover and Thomas, Elements of Information Theory (2006), section 2.3.

    >>> mutual_information([[0.25, 0.25], [0.25, 0.25]])
    0.0
    """
    p = probabilities("joint", joint, axes=2)
    apart = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    return scaled(np.sum(terms(p, apart), axis=(-2, -1)), base)
