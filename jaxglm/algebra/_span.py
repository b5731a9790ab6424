"""Owns what each column has outside the span of the earlier ones: rank in R's order."""

from typing import NamedTuple

import numpy as np

from jaxglm.algebra._relations import Relations


class Span(NamedTuple):
    """Columns of one problem or of many against those before them.

    Attributes
    ----------
    shares : [..., p]
        Of each column's length outside the span of the earlier kept ones; 0 where it is aliased.
    triangle : [..., p, p]
        Upper triangular: columns of length 1 in the orthonormal basis of the kept ones. An aliased
        column has no part in the basis, and 1 on the diagonal.
    lengths : [..., p]
    """

    shares: np.ndarray
    triangle: np.ndarray
    lengths: np.ndarray

    def combinations(self) -> tuple[np.ndarray, np.ndarray]:
        """Of one problem: the aliased columns, [a] int, and what each is of all columns, [p, a]."""
        from scipy.linalg import solve_triangular

        aliased = np.flatnonzero(self.shares == 0)
        along = self.triangle[:, aliased]
        along[aliased] = 0.0
        lengths = np.where(self.lengths > 0, self.lengths, 1.0)
        along = solve_triangular(self.triangle, along) * self.lengths[aliased]
        return aliased, along / lengths[:, None]

    def relations(self) -> Relations:
        """How the aliased columns of one problem follow from its kept ones."""
        if self.shares.all():
            return Relations.none()
        aliased, combinations = self.combinations()
        return Relations.of(combinations, aliased, self.lengths)

    def one(self, place: int) -> "Span":
        """That of one problem among many."""
        return Span(*(part[place] for part in self))


def span_of(triangle: np.ndarray, tolerance: float, lengths: np.ndarray | None = None) -> Span:
    """Compare columns with those before them, in order (R's policy: the earlier column stays).

    Gram-Schmidt is applied twice, which makes the remainder orthogonal to machine precision.

    Parameters
    ----------
    triangle : [..., r, p]
        Columns of one problem or of many; of X, or of R in X = Q R.
    tolerance : float
        A smaller share is none.
    lengths : [..., p], optional
        Of the columns, where `triangle` does not tell.
    """
    if lengths is None:
        lengths = np.linalg.norm(triangle, axis=-2)
    p = triangle.shape[-1]
    shares = np.zeros((*triangle.shape[:-2], p))
    in_basis = np.zeros((*shares.shape, p))
    basis = np.zeros_like(np.swapaxes(triangle, -1, -2), order="C")  # a row for each column kept
    for j in range(p):
        length = lengths[..., j, None]
        column = triangle[..., j] / np.where(length > 0, length, 1.0)
        before = basis[..., :j, :]
        for _ in range(2):
            along = np.matmul(before, column[..., None])
            column = column - np.matmul(np.swapaxes(along, -1, -2), before)[..., 0, :]
            in_basis[..., :j, j] += along[..., 0]
        left = np.linalg.norm(column, axis=-1)
        kept = left > tolerance
        shares[..., j] = np.where(kept, left, 0.0)
        in_basis[..., j, j] = np.where(kept, left, 1.0)
        basis[..., j, :] = np.where(kept[..., None], column, 0) / np.where(kept, left, 1)[..., None]
    return Span(shares, in_basis, lengths)
