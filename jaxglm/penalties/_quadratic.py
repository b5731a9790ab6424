"""Owns the quadratic form of a fit: ridge, and any other Gaussian prior on the coefficients."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._record import static
from jaxglm.algebra import Bordered, Information
from jaxglm.penalties._base import Penalty

_HIGHEST = jax.lax.Precision.HIGHEST


class QuadraticForm(Penalty):
    """Half of (b - m)' P (b - m), added to the negative log-likelihood.

    Attributes
    ----------
    matrix : [p, p]
        P, symmetric and without negative eigenvalues; a column that is free has zeros.
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
        return jnp.dot(self.matrix.astype(beta.dtype), self._away(beta), precision=_HIGHEST)

    def _away(self, beta: jax.Array) -> jax.Array:
        return beta if self.center is None else beta - self.center.astype(beta.dtype)

    def added_to(self, information: Information) -> Information:
        if isinstance(information, Bordered):
            corner, border, diagonal = information
            matrix, q = self.matrix.astype(corner.dtype), corner.shape[0]
            return Bordered(
                corner + matrix[:q, :q],
                border + matrix[q:, :q],
                diagonal + jnp.diagonal(matrix)[q:],
            )
        matrix = self.matrix.astype(information.dtype)
        return information + (matrix if information.ndim == 2 else jnp.diagonal(matrix))

    def holds(self) -> jax.Array:
        return jnp.any(jnp.asarray(self.matrix) != 0, axis=0)

    def where(self, keep: jax.Array) -> "QuadraticForm":
        center = None if self.center is None else jnp.where(keep, self.center, 0.0)
        return self._with(matrix=jnp.where(keep[:, None] & keep, self.matrix, 0.0), center=center)

    def beside(self, weight: Any) -> "QuadraticForm":
        return self._with(matrix=weight * self.matrix, of_mean=False) if self.of_mean else self

    def times(self, strength: float) -> "QuadraticForm":
        """A multiple of it."""
        return self._with(matrix=strength * self.matrix)

    def take(self, columns: np.ndarray) -> "QuadraticForm":
        center = None if self.center is None else self.center[columns]
        return self._with(matrix=self.matrix[np.ix_(columns, columns)], center=center)

    def in_basis(self, transform: np.ndarray) -> "QuadraticForm":
        from scipy.linalg import solve_triangular

        half = solve_triangular(transform, self.matrix, trans="T")
        center = None if self.center is None else transform @ self.center
        matrix = solve_triangular(transform, half.T, trans="T")
        return self._with(matrix=matrix, center=center)

    def couples(self, columns: np.ndarray) -> bool:
        block = self.matrix[np.ix_(columns, columns)]
        return bool(np.count_nonzero(block) > np.count_nonzero(block.diagonal()))

    def as_rows(self) -> np.ndarray:
        values, vectors = np.linalg.eigh(self.matrix)
        seen = values > np.abs(values).max(initial=0.0) * np.finfo(float).eps * values.size
        return np.sqrt(values[seen])[:, None] * vectors[:, seen].T
