"""Owns the inverse of an information matrix, kept as a root."""

from typing import Any, NamedTuple

import numpy as np

# Eigenvalues of a matrix of unit diagonal are known to about this much.
_ROUNDING = 1e-16
# An eigenvalue is negative from this share of the largest on; less is rounding.
_SINGULAR = 1e-12


class Root(NamedTuple):
    """A root of H^-1: the columns of `dense` beside those of a diagonal matrix.

    ``H^-1 = dense dense' + diag(diagonal)^2``. The diagonal is that of an eliminated factor, whose
    levels would otherwise fill a p x p matrix; it is zero elsewhere.

    Attributes
    ----------
    dense : [p, k]
    diagonal : [p]
    """

    dense: Any
    diagonal: Any

    def times(self, g: np.ndarray) -> np.ndarray:
        """H^-1 g."""
        return self.dense @ (self.dense.T @ g) + self.diagonal**2 * g

    def norm(self, g: np.ndarray) -> float:
        """The root of g' H^-1 g."""
        parts = np.linalg.norm(self.dense.T @ g), np.linalg.norm(self.diagonal * g)
        return float(np.hypot(*parts))


def trace_with(matrix: Any, root: Root) -> Any:
    """Trace of P H^-1, for a symmetric P [p, p]; NumPy or JAX."""
    along = (root.dense * (matrix @ root.dense)).sum()
    return along + (matrix.diagonal() * root.diagonal**2).sum()


def root_of_inverse(information: Any) -> Root:
    """A root of H^-1, from H ([p, p] or `Bordered`, on the host) scaled to unit diagonal.

    Eigenvalues that are zero up to rounding (separation) are raised to rounding, which makes the
    standard errors of those directions as large as can be told.
    """
    if isinstance(information, np.ndarray):
        dense = _dense_root(information)
        return Root(dense, np.zeros(dense.shape[0]))
    corner, border, diagonal = (np.asarray(part, float) for part in information)
    scale = _scale(np.diag(corner))
    live = diagonal > 0
    level = np.where(live, 1 / np.sqrt(np.where(live, diagonal, 1.0)), 1 / np.sqrt(_ROUNDING))
    coupling = border * np.where(live, level, 0.0)[:, None] * scale
    inner = _dense_root(corner * np.outer(scale, scale) - coupling.T @ coupling, diagonal=1.0)
    return Root(
        dense=np.concatenate([scale[:, None] * inner, -level[:, None] * (coupling @ inner)]),
        diagonal=np.concatenate([np.zeros(scale.size), level]),
    )


def root_of(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """A root R of symmetric matrices [..., k, k], and signs [..., k] of its columns.

    The matrix is ``R diag(signs) R'``: those of negative eigenvalues are -1. What is negative by
    rounding alone is 0. The signs are None where there is no negative one.
    """
    try:
        return np.linalg.cholesky(matrix), None
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        largest = np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
        negative = values < -_SINGULAR * largest
        sizes = np.where(negative, -values, np.maximum(values, 0.0))
        signs = np.where(negative, -1.0, 1.0) if negative.any() else None
        return vectors * np.sqrt(sizes)[..., None, :], signs


def without_negative(
    dense: np.ndarray, signs: np.ndarray, among: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """A root and signs, as of `root_of`, with negative eigenvalues of a block set to 0.

    Cameron, Gelbach and Miller (2011, J. Business & Economic Statistics 29, 238-249). Rows and
    columns beside the block stay as they are.

    Parameters
    ----------
    dense : [p, k]
    signs : [k]
        The matrix is ``dense diag(signs) dense'``.
    among : [p] bool
        The rows of the block.
    """
    matrix, block = (dense * signs) @ dense.T, np.ix_(among, among)
    values, vectors = np.linalg.eigh(matrix[block])
    lacking = vectors * np.sqrt(np.maximum(-values, 0.0))
    matrix[block] += lacking @ lacking.T
    return root_of(matrix)


def _scale(diagonal: np.ndarray) -> np.ndarray:
    return 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _dense_root(matrix: np.ndarray, diagonal: float | None = None) -> np.ndarray:
    """A root of the inverse; `diagonal` is what the matrix is scaled by, its own by default."""
    from scipy.linalg.lapack import dtrtri

    if matrix.size == 0:  # no column is left; LAPACK complains
        return matrix
    scale = _scale(np.diag(matrix)) if diagonal is None else np.ones(matrix.shape[0])
    scaled = matrix * np.outer(scale, scale)
    try:
        lower = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(scaled)
        return scale[:, None] * (vectors / np.sqrt(np.maximum(values, _ROUNDING)))
    inverse, _ = dtrtri(lower, lower=1)
    return scale[:, None] * inverse.T
