"""Groups of points, by the k-means of SciPy on standardised coordinates."""
from __future__ import annotations

import warnings

import numpy as np

from rareevents.kernels.streams import python_stream


def clusters(x: np.ndarray, most: int, seed: int) -> list[np.ndarray]:
    """At most so many groups of the rows (or numbers) of x, as masks; points that are alike are never apart."""
    rows = np.asarray(x, float).reshape(len(x), -1)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    distinct = len(np.unique(rows, axis=0))
    count = min(most, distinct)
    if count <= 1:
        return [np.ones(len(x), bool)]
    from scipy.cluster.vq import kmeans2
    rng = python_stream(seed, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                    # an empty group is no matter
        _, label = kmeans2(rows, count, iter=30, minit="++", rng=rng)
    return [label == k for k in range(count) if np.any(label == k)]
