"""Owns the p-sized linear algebra: scaled Cholesky with pivots, solves and inverses.

An information matrix is a [p, p] array, or `Bordered` where one factor has many levels: the block
of its levels is diagonal, so it is eliminated and only the rest is factorised.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.algebra._root import Root


class Bordered(NamedTuple):
    """The symmetric matrix [[corner, border'], [border, diag(diagonal)]].

    Attributes
    ----------
    corner : [q, q]
    border : [m, q]
    diagonal : [m]
        Of the last m columns, which do not meet: the levels of one factor.
    """

    corner: jax.Array
    border: jax.Array
    diagonal: jax.Array


Information = jax.Array | Bordered


class Factor(NamedTuple):
    """Cholesky factor of `scale H scale`, which has a unit diagonal.

    Scaling to a unit diagonal takes the units of the columns out of the condition number. The
    squared diagonal of the factor is, column by column, the share of a column that the columns
    before it do not explain (the eliminated ones come first); `pivot` is the smallest of them (nan
    if H is indefinite or not finite).

    Attributes
    ----------
    lower : [q, q]
        Of the matrix, or of the corner after the elimination.
    coupling : [m, q] or None
        The scaled border of a `Bordered` matrix.
    scale : [p]
    pivot : float
    """

    lower: Any
    coupling: Any
    scale: Any
    pivot: Any


def diagonal_of(h: Information, xp: Any = jnp) -> Any:
    """The diagonal, [p]; of an array [p], which is a diagonal already, itself."""
    if isinstance(h, Bordered):
        return xp.concatenate([xp.diagonal(h.corner), h.diagonal])
    return h if h.ndim == 1 else xp.diagonal(h)


def all_finite(h: Information) -> jax.Array:
    """Whether no entry is infinite or nan."""
    parts = [jnp.all(jnp.isfinite(part)) for part in jax.tree.leaves(h)]
    return jnp.all(jnp.stack(parts))


def full_matrix(h: Information) -> jax.Array:
    """The matrix as one [p, p] array."""
    if not isinstance(h, Bordered):
        return h
    return jnp.block([[h.corner, h.border.T], [h.border, jnp.diag(h.diagonal)]])


def zero_information(columns: int, eliminated: int, dtype: Any) -> Information:
    """Zeros in the form of an information matrix whose last so many columns are eliminated."""
    if not eliminated:
        return jnp.zeros((columns, columns), dtype)
    q = columns - eliminated
    return Bordered(
        jnp.zeros((q, q), dtype), jnp.zeros((eliminated, q), dtype), jnp.zeros(eliminated, dtype)
    )


def factorise(h: Information, damping: jax.Array) -> Factor:
    """Factor H + damping diag(H). Failure shows as a nan pivot, never as an exception."""
    diagonal = diagonal_of(h)
    positive = diagonal > 0
    scale = jnp.where(positive, 1.0 / jnp.sqrt(jnp.where(positive, diagonal, 1.0)), 0.0)
    if not isinstance(h, Bordered):
        scaled = h * scale[:, None] * scale[None, :]
        # A column without information keeps a zero diagonal, so that the pivot tells.
        scaled = scaled + damping * jnp.eye(h.shape[0], dtype=h.dtype)
        lower = jnp.linalg.cholesky(scaled, symmetrize_input=False)
        return Factor(lower, None, scale, jnp.min(jnp.diagonal(lower) ** 2, initial=1.0))
    q = h.corner.shape[0]
    outer, inner = scale[:q], scale[q:] / jnp.sqrt(1.0 + damping)
    coupling = h.border * inner[:, None] * outer
    scaled = h.corner * outer[:, None] * outer + damping * jnp.eye(q, dtype=scale.dtype)
    scaled = scaled - jnp.dot(coupling.T, coupling, precision=jax.lax.Precision.HIGHEST)
    lower = jnp.linalg.cholesky(scaled, symmetrize_input=False)
    least = jnp.min(jnp.diagonal(lower) ** 2, initial=1.0)
    seen = jnp.all(positive[q:]) | (damping > 0)
    return Factor(lower, coupling, jnp.append(outer, inner), jnp.where(seen, least, 0.0))


def solve(factor: Factor, g: jax.Array) -> jax.Array:
    """H^-1 g."""
    scaled = g * factor.scale
    if factor.coupling is None:
        return _solve(factor.lower, scaled) * factor.scale
    q = factor.lower.shape[0]
    corner, levels = scaled[:q], scaled[q:]
    highest = jax.lax.Precision.HIGHEST
    corner = _solve(factor.lower, corner - jnp.dot(levels, factor.coupling, precision=highest))
    levels = levels - jnp.dot(factor.coupling, corner, precision=highest)
    return jnp.concatenate([corner, levels]) * factor.scale


def log_determinant(factor: Factor) -> jax.Array:
    """Logarithm of the determinant of H."""
    pivots = jnp.sum(jnp.log(jnp.diagonal(factor.lower)))
    return 2.0 * (pivots - jnp.sum(jnp.log(factor.scale)))


def inverse_root(factor: Factor) -> Root:
    """The root of H^-1; of what was damped where H was."""
    scale, q = factor.scale, factor.lower.shape[0]
    eye = jnp.eye(q, dtype=scale.dtype)
    inner = jax.scipy.linalg.solve_triangular(factor.lower, eye, lower=True).T
    dense = scale[:q, None] * inner
    if factor.coupling is None:
        return Root(dense, jnp.zeros_like(scale))
    levels = jnp.dot(factor.coupling, inner, precision=jax.lax.Precision.HIGHEST)
    return Root(
        dense=jnp.concatenate([dense, -scale[q:, None] * levels]),
        diagonal=jnp.where(jnp.arange(scale.size) < q, 0.0, scale),
    )


def _solve(lower: jax.Array, g: jax.Array) -> jax.Array:
    half = jax.scipy.linalg.solve_triangular(lower, g, lower=True)
    return jax.scipy.linalg.solve_triangular(lower, half, lower=True, trans=1)
