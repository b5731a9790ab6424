"""Owns the quadratic penalty with a matrix of the user's own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.penalties._asked import AskedPenalty, PenalisedColumns, is_labelled
from jaxglm.words import listed


class Quadratic(AskedPenalty):
    """(b - center)' P (b - center) / 2, added to half of the mean deviance.

    With n rows of weight 1 and dispersion phi it is a normal prior about `center`, of precision
    n P / phi.

    Parameters
    ----------
    P : array [p, p]
        Symmetric, without negative eigenvalues: one row and column for each coefficient, with or
        without the intercept, which has zeros then.
    center : array [p], optional
        What the coefficients are pulled towards; zero unless given.

    Raises
    ------
    ValueError
        For a matrix that is not square, symmetric, finite, or has a negative eigenvalue.

    Examples
    --------
    Neighbouring weeks are to differ by little:

    >>> import jaxglm as jg
    >>> import numpy as np
    >>> table = {"week": list("abcd") * 3, "sold": [1, 2, 9, 4, 2, 3, 8, 5, 1, 4, 7, 6]}
    >>> steps = np.diff(np.eye(4), axis=0)
    >>> penalty = jg.Quadratic(0.5 * steps.T @ steps)
    >>> jg.glm("sold ~ 0 + week", table, "poisson", penalty=penalty).params.round(3).to_dict()
    {'week[a]': 0.789, 'week[b]': 1.222, 'week[c]': 1.854, 'week[d]': 1.678}
    """

    def __init__(self, P: Any, center: Any = None):
        self.matrix = _symmetric(P)
        known = [list(part.index) for part in (P, center) if is_labelled(part)]
        self.labels = known[0] if known else None
        if any(labels != self.labels for labels in known):
            raise ValueError("Quadratic: P and center have labels in different orders")
        if hasattr(P, "columns") and is_labelled(P) and list(P.columns) != list(P.index):
            raise ValueError("Quadratic: the rows and columns of P have different labels")
        if isinstance(center, Mapping):
            raise ValueError("Quadratic: center must be an array or a Series, not a dict")
        self.about = None if center is None else np.asarray(center, float)
        if self.about is not None and not (
            self.about.shape == self.matrix.shape[:1] and np.isfinite(self.about).all()
        ):
            raise ValueError(
                f"Quadratic: center must hold {len(self.matrix)} finite numbers, one for each row "
                "of P"
            )

    def quadratic(self, columns: PenalisedColumns) -> np.ndarray | None:
        places = self._places(columns)
        out = np.zeros((len(columns.names),) * 2)
        out[np.ix_(places, places)] = self.matrix
        return out

    def center(self, columns: PenalisedColumns) -> np.ndarray | None:
        if self.about is None:
            return None
        out = np.zeros(len(columns.names))
        out[self._places(columns)] = self.about
        return out

    def _places(self, columns: PenalisedColumns) -> np.ndarray:
        """The columns that the rows of the matrix are of.

        Raises
        ------
        DataError
            Where there are others in number.
        """
        p, size = len(columns.names), len(self.matrix)
        if self.labels is not None:
            strange = [name for name in self.labels if name not in columns.names]
            if strange or len(set(self.labels)) < size:
                raise DataError(
                    f"Quadratic: P or center is labelled {listed(self.labels, 5)}, and the model "
                    f"has the columns {listed(columns.names, 5)}: give each its own name"
                )
            return np.array([list(columns.names).index(name) for name in self.labels])
        if size == p:
            return np.arange(p)
        if columns.constant is not None and size == p - 1:
            return np.delete(np.arange(p), columns.constant)
        raise DataError(
            f"Quadratic: P has {size} rows, and the model has {p} columns "
            f"({listed(columns.names, 5)}): one for each is needed, with or without the intercept."
        )

    def __repr__(self) -> str:
        about = "" if self.about is None else ", center=..."
        return f"Quadratic({len(self.matrix)} x {len(self.matrix)}{about})"


def _symmetric(given: Any) -> np.ndarray:
    try:
        matrix = np.asarray(given, float)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError("Quadratic: P must be a square matrix of finite numbers")
    size = np.abs(matrix).max(initial=0.0)
    if not np.allclose(matrix, matrix.T, atol=1e-12 * size):
        raise ValueError("Quadratic: P must be symmetric")
    matrix = 0.5 * (matrix + matrix.T)
    if size and np.linalg.eigvalsh(matrix)[0] < -1e-12 * size * len(matrix):
        raise ValueError(
            "Quadratic: P has a negative eigenvalue, so that some coefficients would be pushed away"
        )
    return matrix
