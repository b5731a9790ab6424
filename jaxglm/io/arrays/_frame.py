"""Owns the array door as a whole: y, X and companions in, complete rows out; new rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.io.arrays._matrix import in_place, missing_rows, read_matrix
from jaxglm.io.arrays._response import read_response
from jaxglm.io.formula import Response
from jaxglm.io.tables import is_table, numbers_of, read_table, read_vector
from jaxglm.io.tables._gaps import Gaps, check_policy, index_of_kept
from jaxglm.rows import ONE_FIT, OneFit, Postponed
from jaxglm.words import listed, near_text, repeated

_DEFAULT_NAME = re.compile(r"const|x\d+")


@dataclass(frozen=True, eq=False)
class ArrayFrame:
    """What the array door found, in the rows that are used.

    Attributes
    ----------
    matrix : float64 or float32 [n, p], or SciPy sparse
    in_place : bool
        The matrix may be the user's own memory, not a copy.
    response : Response
    y_name : str
    names : tuple of str
        The columns.
    vectors : dict of float64 [n] or None
        The companions, by argument name.
    index : pandas.Index or None
    rows_kept : int [n] or None
        Positions of the rows used; None if all are.
    n_dropped : int
    dropped_rows_first : tuple of int
        The first rows left out, counting from 0.
    notes : tuple of str
    """

    matrix: Any
    in_place: bool
    response: Response
    y_name: str
    names: tuple[str, ...]
    vectors: dict[str, np.ndarray | None]
    index: Any
    rows_kept: np.ndarray | None
    n_dropped: int
    dropped_rows_first: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def n_rows_given(self) -> int:
        """The number of rows of the data."""
        return len(self.response.y) + self.n_dropped


def read_arrays(
    y: Any,
    X: Any,
    vectors: Mapping[str, Any],
    *,
    missing: str = "raise",
    fits: OneFit = ONE_FIT,
    index: Any = None,
) -> ArrayFrame:
    """Read a response, a design matrix and companion vectors that belong together.

    `fits` as for `model_frame`. Where `y` is None, zeros stand for a response yet to be read, whose
    labels are `index`.

    Raises
    ------
    DataError
        For what `read_matrix`, `read_response` and `read_vector` refuse.
    """
    check_policy(missing)
    drop = missing == "drop"
    faults = Postponed()
    matrix, names, own = read_matrix(X, "X", allow_missing=drop, fits=faults)
    twice = repeated(names)
    if twice is not None:
        raise DataError(f"X has two columns named {twice!r}; rename one of them")
    index = index if own is None else own
    n = matrix.shape[0]
    response = Response(np.zeros(n))
    if y is not None:
        response = read_response(y, n, index, allow_missing=drop, fits=faults)
    if index is None and hasattr(y, "iloc"):
        index = y.index
    read = {
        name: None if v is None else read_vector(v, name, n, index, allow_missing=drop, fits=faults)
        for name, v in vectors.items()
    }
    y_name = str(getattr(y, "name", None) or "y")
    gaps = Gaps(n)
    if drop or fits is not ONE_FIT:
        for name, where in fits.gaps.items():
            gaps.add(name, where)
        gaps.add("X", missing_rows(matrix))
        gaps.add(y_name, response.missing)
        for name, vector in read.items():
            gaps.add(name, missing_rows(vector))
    rows = gaps.rows_kept(missing, faults, fits)
    if rows is not None:
        matrix = (matrix.tocsr() if hasattr(matrix, "tocsr") else matrix)[rows]
        response = response.take(rows)
        read = {name: None if v is None else v[rows] for name, v in read.items()}
        index = index_of_kept(index, rows)
    return ArrayFrame(
        matrix=matrix,
        in_place=rows is None and in_place(matrix, X),
        response=response,
        y_name=y_name,
        names=tuple(names),
        vectors=read,
        index=index,
        rows_kept=rows,
        n_dropped=n - len(response.y),
        dropped_rows_first=gaps.first(),
        notes=tuple(gaps.note(fits)),
    )


def read_new_matrix(data: Any, names: Sequence[str]) -> tuple[Any, np.ndarray | None, Any]:
    """Read new rows for a model of arrays; the columns of a frame or dict are taken by name.

    A table is taken by position only if the model has no names of its own (x1, x2, ...).

    Returns
    -------
    matrix : as `read_matrix`
        Zero in rows with missing values.
    missing : bool [n] or None
        Rows with missing values; None if there is none.
    index : pandas.Index or None

    Raises
    ------
    DataError
        For a missing column or another number of columns.
    """
    if is_table(data):
        table = read_table(data)
        by_place = all(_DEFAULT_NAME.fullmatch(name) for name in names)
        if set(names) <= set(table.names):
            data = table.select(names)
        elif not by_place:
            lacking = next(name for name in names if name not in table.names)
            near = near_text(lacking, table.names)
            raise DataError(f"no column {lacking!r} in the new data; {near}")
    faults = Postponed()
    matrix, _, index = read_matrix(data, "the new data", allow_missing=True, fits=faults)
    if matrix.shape[1] != len(names):
        row = "; one row is written [[...]]" if matrix.shape == (len(names), 1) else ""
        raise DataError(
            f"the new data have {matrix.shape[1]} columns, but the model has {len(names)} "
            f"({listed(names, 5)}){row}"
        )
    missing = missing_rows(matrix)
    faults.settle(np.zeros(matrix.shape[0], bool) if missing is None else missing)
    if missing is not None and isinstance(matrix, np.ndarray):
        matrix = np.where(missing[:, None], 0, matrix)
    elif missing is not None:
        matrix = matrix.copy()
        matrix.data[~np.isfinite(matrix.data)] = 0
    return matrix, missing, index


def read_row_values(
    given: Any, name: str, data: Any, n: int, index: Any, fits: OneFit = ONE_FIT
) -> np.ndarray:
    """Read one value per row of new data: a column's name, a number for all rows, or an array.

    NaN is let through: the prediction of that row is missing. `fits` refuses rows.

    Raises
    ------
    DataError
        For what `read_vector` refuses, and for a column that is not there.
    """
    if isinstance(given, str):
        given = numbers_of(read_table(data).column(given, fits), name)
    return read_vector(given, name, n, index, allow_missing=True, fits=fits)
