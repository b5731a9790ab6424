"""Owns the p-sized linear algebra: scaled Cholesky with pivots, solves and inverses.

Imports jax only.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Factor(NamedTuple):
    """Cholesky factor of `scale H scale`, which has a unit diagonal.

    Scaling to a unit diagonal takes the units of the columns out of the condition number. The
    squared diagonal of the factor is, column by column, the share of a column that the columns
    before it do not explain; `pivot` is the smallest of them (nan if H is indefinite or not
    finite).
    """

    lower: jax.Array
    scale: jax.Array
    pivot: jax.Array


def factorise(h: jax.Array, damping: jax.Array) -> Factor:
    """Factor H + damping diag(H). Failure shows as a nan pivot, never as an exception."""
    diagonal = jnp.diagonal(h)
    positive = diagonal > 0
    scale = jnp.where(positive, 1.0 / jnp.sqrt(jnp.where(positive, diagonal, 1.0)), 0.0)
    scaled = h * scale[:, None] * scale[None, :]
    # A column without information keeps a zero diagonal, so that the pivot tells.
    scaled = scaled + damping * jnp.eye(h.shape[0], dtype=h.dtype)
    lower = jnp.linalg.cholesky(scaled, symmetrize_input=False)
    return Factor(lower, scale, jnp.min(jnp.diagonal(lower) ** 2))


def solve(factor: Factor, g: jax.Array) -> jax.Array:
    """H^-1 g."""
    half = jax.scipy.linalg.solve_triangular(factor.lower, g * factor.scale, lower=True)
    full = jax.scipy.linalg.solve_triangular(factor.lower, half, lower=True, trans=1)
    return full * factor.scale
