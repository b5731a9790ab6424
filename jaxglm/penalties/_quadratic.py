"""Owns the quadratic form of a fit: ridge, and any other Gaussian prior on the coefficients."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._record import static
from jaxglm.algebra import Bordered, Information, Root, trace_with
from jaxglm.penalties._base import Penalty

_HIGHEST = jax.lax.Precision.HIGHEST


def rank_of(matrix: np.ndarray) -> int:
    """The rank of a symmetric matrix [p, p], or of the diagonal of one, [p]."""
    if matrix.ndim == 1:
        return int(np.count_nonzero(matrix))
    own = np.flatnonzero(matrix.any(axis=0))
    return int(np.linalg.matrix_rank(matrix[np.ix_(own, own)], hermitian=True))


class QuadraticForm(Penalty):
    """Half of (b - m)' P (b - m), added to the negative log-likelihood.

    Attributes
    ----------
    matrix : [p, p] or [p]
        P, symmetric and without negative eigenvalues, or its diagonal where it has nothing else; a
        column that is free has zeros.
    center : [p] or None
        m; None for zero.
    of_mean : bool
        It stands beside the mean of the losses: many fits have one, each with its own weights.
    """

    matrix: Any
    center: Any = None
    of_mean: bool = static(default=False, kw_only=True)

    def loss(self, beta: jax.Array) -> jax.Array:
        return 0.5 * jnp.dot(self._away(beta), self.score(beta), precision=_HIGHEST)

    def score(self, beta: jax.Array) -> jax.Array:
        matrix, away = self.matrix.astype(beta.dtype), self._away(beta)
        return matrix * away if matrix.ndim == 1 else jnp.dot(matrix, away, precision=_HIGHEST)

    def _away(self, beta: jax.Array) -> jax.Array:
        return beta if self.center is None else beta - self.center.astype(beta.dtype)

    def added_to(self, information: Information) -> Information:
        if isinstance(information, Bordered):
            corner, border, diagonal = information
            matrix, q = self.matrix.astype(corner.dtype), corner.shape[0]
            if matrix.ndim == 1:
                return Bordered(corner + jnp.diag(matrix[:q]), border, diagonal + matrix[q:])
            return Bordered(
                corner + matrix[:q, :q],
                border + matrix[q:, :q],
                diagonal + jnp.diagonal(matrix)[q:],
            )
        matrix = self.matrix.astype(information.dtype)
        if information.ndim == 2:
            return information + (jnp.diag(matrix) if matrix.ndim == 1 else matrix)
        return information + (matrix if matrix.ndim == 1 else jnp.diagonal(matrix))

    def degrees_of_freedom(self, root: Root) -> float:
        """What it takes of them: tr P (H + P)^-1, from a root of that inverse, on the host."""
        matrix = np.asarray(self.matrix, float)
        if matrix.ndim == 1:
            return float(np.sum(matrix * (np.sum(root.dense**2, axis=1) + root.diagonal**2)))
        return float(trace_with(matrix, root))

    def holds(self) -> jax.Array:
        held = jnp.asarray(self.matrix) != 0
        return held if held.ndim == 1 else jnp.any(held, axis=0)

    def where(self, keep: jax.Array) -> "QuadraticForm":
        center = None if self.center is None else jnp.where(keep, self.center, 0.0)
        kept = keep if self.matrix.ndim == 1 else keep[:, None] & keep
        return self._with(matrix=jnp.where(kept, self.matrix, 0.0), center=center)

    def beside(self, weight: Any) -> "QuadraticForm":
        return self._with(matrix=weight * self.matrix, of_mean=False) if self.of_mean else self

    def times(self, strength: float) -> "QuadraticForm":
        """A multiple of it."""
        return self._with(matrix=strength * self.matrix)

    def take(self, columns: np.ndarray) -> "QuadraticForm":
        center = None if self.center is None else self.center[columns]
        which: Any = columns if self.matrix.ndim == 1 else np.ix_(columns, columns)
        return self._with(matrix=self.matrix[which], center=center)

    def in_basis(self, transform: np.ndarray) -> "QuadraticForm":
        from scipy.linalg import solve_triangular

        half = solve_triangular(transform, self._whole, trans="T")
        center = None if self.center is None else transform @ self.center
        matrix = solve_triangular(transform, half.T, trans="T")
        return self._with(matrix=matrix, center=center)

    def couples(self, columns: np.ndarray) -> bool:
        if self.matrix.ndim == 1:
            return False
        block = self.matrix[np.ix_(columns, columns)]
        return bool(np.count_nonzero(block) > np.count_nonzero(block.diagonal()))

    def as_rows(self) -> np.ndarray:
        values, vectors = np.linalg.eigh(self._whole)
        seen = values > np.abs(values).max(initial=0.0) * np.finfo(float).eps * values.size
        return np.sqrt(values[seen])[:, None] * vectors[:, seen].T

    @property
    def _whole(self) -> np.ndarray:
        return np.diag(self.matrix) if self.matrix.ndim == 1 else self.matrix
