"""Owns the pieces a design is assembled from: what the doors for data hand over.

Plain NumPy; imports nothing from the package and no jax.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DensePiece:
    """A run of numeric columns.

    Attributes
    ----------
    values : float64 [n, k], C order
    names : tuple of str
        The k column names.
    """

    values: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FactorPiece:
    """The columns of a factor, or of an interaction with one, kept as integer codes.

    Row i has in column j the value ``multiplier[i] * (codes[i] == j)``, or with contrasts
    ``multiplier[i] * contrasts[codes[i], j]``. Without contrasts a code of k or more contributes
    to no column: that is the reference level.

    Attributes
    ----------
    codes : int32 [n], in [0, n_levels)
    multiplier : float64 [n] or None
        The numeric column the factor is multiplied with; None stands for 1.
    contrasts : float64 [n_levels, k] or None
    n_levels : int
    names : tuple of str
        The k column names.
    """

    codes: np.ndarray
    multiplier: np.ndarray | None
    contrasts: np.ndarray | None
    n_levels: int
    names: tuple[str, ...]


Piece = DensePiece | FactorPiece
