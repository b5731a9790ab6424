"""Owns the covariance of some functions of the coefficients, as it comes from a root."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Spread:
    """The covariance of m functions, kept as a root of m rows.

    Attributes
    ----------
    root : [m, k]
        nan in the rows of functions that have no error.
    signs : [k] or None
        -1 for the columns of the root that are subtracted, and 1 for the others; None where all
        are added.

    Examples
    --------
    >>> spread = Spread(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([1.0, -1.0]))
    >>> spread.matrix
    array([[ 3.,  0.],
           [ 0., -3.]])
    >>> spread.standard_errors.round(3), spread.negative
    (array([1.732,   nan]), array([False,  True]))
    """

    root: np.ndarray
    signs: np.ndarray | None = None

    @property
    def matrix(self) -> np.ndarray:
        """[m, m]."""
        return signed(self.root, self.signs) @ self.root.T

    @property
    def standard_errors(self) -> np.ndarray:
        """[m]; nan where there is none, or the variance is negative."""
        return roots(squares(self.root, self.signs))

    @property
    def negative(self) -> np.ndarray:
        """Where a variance is negative, [m] bool."""
        return squares(self.root, self.signs) < 0

    def minus(self, first: np.ndarray, second: np.ndarray) -> "Spread":
        """That of the differences between some of the functions and others."""
        return dataclasses.replace(self, root=self.root[first] - self.root[second])


def signed(root: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
    """A root [..., p, k] with the signs [..., k] of its columns."""
    return root if signs is None else root * signs[..., None, :]


def squares(root: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
    """The diagonal of the product of a root with its transpose, [..., p]."""
    return np.einsum("...ij,...ij->...i", signed(root, signs), root)


def roots(variances: np.ndarray) -> np.ndarray:
    """Standard errors; nan where a variance is negative."""
    return np.sqrt(np.where(variances < 0, np.nan, variances))
