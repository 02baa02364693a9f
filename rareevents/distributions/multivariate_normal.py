"""Multivariate normal law: density exp(-(x - mean)' C^-1 (x - mean) / 2) / sqrt((2 pi)^n det C)."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rareevents.distributions.base import Distribution, Support, reals
from rareevents.distributions.parts import thetas
from rareevents.kernels.streams import Rng


@dataclass(frozen=True, eq=False)
class MultivariateNormal(Distribution):
    """Normal vector with correlated components: density exp(-(x - mean)' C^-1 (x - mean) / 2) / sqrt((2 pi)^n det C).

    Parameters
    ----------
    mean : array of float
        Expected value, a vector of length n.
    covariance : array of float
        The matrix C, n by n, symmetric and positive definite.

    Raises
    ------
    ValueError
        If a number is not finite, the shapes do not fit, or the matrix is not symmetric or not positive definite.

    Source: Anderson, An Introduction to Multivariate Statistical Analysis (2003), section 2.3.

    >>> MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]]).tilt([1.0, 0.0]).mean
    array([1. , 0.5])
    """

    mean: Any
    covariance: Any
    support: ClassVar[Support] = reals(-math.inf, math.inf)

    def __post_init__(self) -> None:
        for name, ndim in (("mean", 1), ("covariance", 2)):
            given = getattr(self, name)
            try:
                value = np.array(given, float)
            except (TypeError, ValueError):
                raise TypeError(f"{name} must be an array of numbers, got {given!r}") from None
            if value.ndim != ndim or value.size == 0 or not np.isfinite(value).all():
                raise ValueError(f"{name} must be a {'vector' if ndim == 1 else 'matrix'} of finite numbers, "
                                 f"got {given!r}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        n, c = len(self.mean), self.covariance
        if c.shape != (n, n):
            raise ValueError(f"covariance must have the shape ({n}, {n}) of a mean of length {n}, got shape {c.shape}")
        i, j = np.unravel_index(np.argmax(abs(c - c.T)), c.shape)
        if abs(c[i, j] - c[j, i]) > 1e-12 * abs(c).max():
            raise ValueError(f"covariance must be symmetric, got {c[i, j]} at [{i}, {j}] and {c[j, i]} at [{j}, {i}]")
        try:
            np.linalg.cholesky(c)
        except np.linalg.LinAlgError:
            raise ValueError(f"covariance must be positive definite, got the smallest eigenvalue "
                             f"{np.linalg.eigvalsh(c)[0]:.6g}: {c.tolist()!r}") from None

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, MultivariateNormal) and np.array_equal(self.mean, other.mean)
                and np.array_equal(self.covariance, other.covariance))

    def __hash__(self) -> int:
        return hash((self.mean.tobytes(), self.covariance.tobytes()))

    @property
    def size(self) -> int:
        return len(self.mean)

    def derive(self) -> dict[str, Any]:
        """root: lower triangular with root root' = C; inverse: of root; diagonal: whether C is a diagonal matrix."""
        root = np.linalg.cholesky(self.covariance)
        return {"root": root, "inverse": np.tril(np.linalg.inv(root)),
                "diagonal": int(np.count_nonzero(self.covariance) == self.size),
                "log_norm": float(np.log(root.diagonal()).sum()) + 0.5 * self.size * math.log(2.0 * math.pi)}

    # Sampling: independent normals in the row, replaced from its end by their combinations
    def draw(self, rng: Rng, x: np.ndarray) -> None:
        for i in range(x.size):
            x[i] = rng.standard_normal()
        for i in range(x.size - 1, -1, -1):
            total = self.root[i, i] * x[i]
            if not self.diagonal:
                for j in range(i):
                    total += self.root[i, j] * x[j]
            x[i] = self.mean[i] + total

    # Evaluation
    def log_density(self, x: np.ndarray) -> float:
        squares = 0.0
        for i in range(x.size):
            z = self.inverse[i, i] * (x[i] - self.mean[i])
            if not self.diagonal:
                for j in range(i):
                    z += self.inverse[i, j] * (x[j] - self.mean[j])
            squares += z * z
        return -0.5 * squares - self.log_norm

    # Moments
    @property
    def variance(self) -> np.ndarray:
        return self.covariance.diagonal().copy()

    # Tilting: one number for all components, or a vector
    def log_mgf(self, theta: Any) -> float:
        t = thetas(theta, self.size)
        return float(t @ self.mean + 0.5 * t @ self.covariance @ t)

    def tilt(self, theta: Any) -> MultivariateNormal:
        return MultivariateNormal(self.mean + self.covariance @ thetas(theta, self.size), self.covariance)
