"""Weighted draws for ArviZ (the extra `arviz`), which is imported only when it is asked for: it takes a second."""
from __future__ import annotations

from typing import Any

import numpy as np


def to_datatree(x: Any, log_weight: Any, name: str = "x") -> Any:
    """Weighted draws as ArviZ has them: the draws in `posterior`, their log weights in `sample_stats`, one chain.

    Weighted by exp(log_weight) the draws of the proposal are draws of the nominal law; with log(f p/q) they are those
    of the ideal proposal. ArviZ's `psislw` smooths such weights and gives their k-hat; it takes them with the other
    sign.

    Parameters
    ----------
    x : array of shape (n,) or (n, size)
        Draws, as `rareevents.weighted_samples` gives them.
    log_weight : array of shape (n,)
        log p/q of each, in nats; minus infinity is a draw that does not count.
    name : str
        What a draw is called.

    Returns
    -------
    xarray.DataTree

    Raises
    ------
    ImportError
        If arviz-base is not installed.
    ValueError
        If there are not as many log weights as draws, or one is NaN or plus infinity.

    Source: Vehtari, Simpson, Gelman, Yao and Gabry (2024), JMLR 25, for what ArviZ makes of them.

    >>> import rareevents as rare
    >>> x, log_weight = rare.weighted_samples(rare.Normal(0.0, 1.0), rare.Normal(1.0, 1.0), 1000, seed=1)
    >>> rare.arviz.to_datatree(x, log_weight)["sample_stats"]["log_weight"].shape
    (1, 1000)
    """
    try:
        import arviz_base
    except ImportError as error:
        raise ImportError("to_datatree needs arviz-base: install it, or rareevents with the extra 'arviz'") from error
    draws, weights = np.asarray(x), np.asarray(log_weight, float)
    if weights.ndim != 1 or draws.ndim not in (1, 2) or len(draws) != len(weights):
        raise ValueError(f"log_weight must have one entry for each draw of x, got shapes {weights.shape} and "
                         f"{draws.shape}")
    if np.isnan(weights).any() or (weights == np.inf).any():
        raise ValueError("log_weight must hold numbers or minus infinity, got NaN or plus infinity")
    return arviz_base.from_dict({"posterior": {name: draws[None]}, "sample_stats": {"log_weight": weights[None]}})
