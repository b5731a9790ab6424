"""Owns rows of a matrix, whose columns are variables each of its own."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.intake._variable_rows import Matrix, Part, VariableRows
from jaxglm.words import near_text


class MatrixRows(VariableRows):
    """Rows of a matrix: each column is a variable of its own, but those that are constant."""

    def __init__(self, matrix: Matrix, columns: tuple[str, ...]):
        self._matrix, self._all, self.n = matrix, columns, matrix.shape[0]

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        ends = self._matrix.max(axis=0), self._matrix.min(axis=0)
        high, low = (end if isinstance(end, np.ndarray) else end.toarray() for end in ends)
        return tuple(np.array(self._all, object)[(high != low).ravel()])

    @property
    def numbers_per_row(self) -> int:
        if isinstance(self._matrix, np.ndarray):
            return len(self._all)
        return 1 + self._matrix.nnz // max(self.n, 1)

    def take(self, rows: np.ndarray) -> "MatrixRows":
        return MatrixRows(self._matrix[rows], self._all)

    def with_values(self, settings: Mapping[str, Any]) -> "MatrixRows":
        places = np.array([self._place(name) for name in settings], int)
        values = np.zeros((self.n, places.size))
        for j, (name, given) in enumerate(settings.items()):
            numeric = np.asarray(given).dtype.kind in "biuf"
            if not (numeric and np.isfinite(given).all()):
                raise DataError(f"{name!r} holds numbers, and {given!r} is none")
            values[:, j] = given
        if isinstance(self._matrix, np.ndarray):
            matrix = self._matrix.astype(float)
            matrix[:, places] = values
        else:
            matrix = _with_columns(self._matrix, places, values)
        return MatrixRows(matrix, self._all)

    def matrix(self) -> Matrix:
        return self._matrix

    def change(self, other: "MatrixRows", names: Sequence[str]) -> list[Part]:
        places = np.array([self._place(name) for name in names], int)
        return [
            Part(1.0, places, other._matrix[:, places]),
            Part(-1.0, places, self._matrix[:, places]),
        ]

    def slope(self, name: str, spread: float) -> list[Part]:
        return [Part(1.0, np.array([self._place(name)]), np.ones((self.n, 1)))]

    def numbers(self, name: str) -> np.ndarray:
        column = self._matrix[:, [self._place(name)]]
        if not isinstance(column, np.ndarray):
            column = column.toarray()
        return column[:, 0].astype(float)

    native = numbers

    def levels(self, name: str) -> None:
        return None

    def has_slope(self, name: str) -> bool:
        return True

    def _place(self, name: str) -> int:
        if name not in self._all:
            raise DataError(f"{name!r} is no column of X; {near_text(name, self._all)}")
        return self._all.index(name)


def _with_columns(matrix: Any, places: np.ndarray, values: np.ndarray) -> Any:
    """A sparse matrix with other values [n, k] in some columns."""
    import scipy.sparse

    p, k = matrix.shape[1], places.size
    kept = np.ones(p)
    kept[places] = 0.0
    into = scipy.sparse.csr_array((np.ones(k), (np.arange(k), places)), shape=(k, p))
    others = matrix @ scipy.sparse.diags_array(kept)
    return (others + scipy.sparse.csr_array(values) @ into).tocsr()
