"""Owns the quadratic penalty: ridge, and any other Gaussian prior with mean zero."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import Bordered, Information
from jaxglm.penalties._base import Penalty

_HIGHEST = jax.lax.Precision.HIGHEST


class Quadratic(Penalty):
    """Half of b' P b, added to the negative log-likelihood.

    Attributes
    ----------
    matrix : [p, p]
        P, symmetric and without negative eigenvalues; a column that is free has zeros.
    """

    matrix: Any

    def loss(self, beta: jax.Array) -> jax.Array:
        return 0.5 * jnp.dot(beta, self.score(beta), precision=_HIGHEST)

    def score(self, beta: jax.Array) -> jax.Array:
        return jnp.dot(self.matrix.astype(beta.dtype), beta, precision=_HIGHEST)

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

    def where(self, keep: jax.Array) -> "Quadratic":
        return Quadratic(jnp.where(keep[:, None] & keep, self.matrix, 0.0))

    def take(self, columns: np.ndarray) -> "Quadratic":
        return Quadratic(self.matrix[np.ix_(columns, columns)])

    def in_basis(self, transform: np.ndarray) -> "Quadratic":
        from scipy.linalg import solve_triangular

        half = solve_triangular(transform, self.matrix, trans="T")
        return Quadratic(solve_triangular(transform, half.T, trans="T"))

    def couples(self, columns: np.ndarray) -> bool:
        block = self.matrix[np.ix_(columns, columns)]
        return bool(np.count_nonzero(block) > np.count_nonzero(block.diagonal()))

    def as_rows(self) -> np.ndarray:
        values, vectors = np.linalg.eigh(self.matrix)
        seen = values > np.abs(values).max(initial=0.0) * np.finfo(float).eps * values.size
        return np.sqrt(values[seen])[:, None] * vectors[:, seen].T
