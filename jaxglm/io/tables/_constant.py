"""Owns add_constant: a column of ones for arrays, frames and sparse matrices."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._column import read_column
from jaxglm.io.tables._table import read_table
from jaxglm.words import check_choice

_NAME = "const"


def add_constant(data: Any, prepend: bool = True, has_constant: str = "skip") -> Any:
    """Add a column of ones, named ``const`` in a data frame, as statsmodels does.

    Parameters
    ----------
    data : array [n] or [n, p], data frame or SciPy sparse matrix
    prepend : bool
        Put it first rather than last.
    has_constant : "skip", "raise" or "add"
        What to do if a column is already constant (and not 0): give the data back, raise, or add
        another. A single row cannot show that a column is constant: there it is the column of a
        data frame that is named ``const``.

    Returns
    -------
    The same kind of object with one column more; NumPy for other arrays.

    Raises
    ------
    DataError
        If there is a constant column and `has_constant` is "raise".

    Examples
    --------
    >>> add_constant(np.array([[2.0], [3.0]]))
    array([[1., 2.],
           [1., 3.]])
    >>> add_constant(np.array([[2.0, 3.0]]))
    array([[1., 2., 3.]])
    """
    check_choice("has_constant", has_constant, ("skip", "raise", "add"))
    if isinstance(data, pd.Series):
        data = data.to_frame()
    if has_constant != "add":
        constant = _constant_columns(data)
        if constant and has_constant == "raise":
            raise DataError(f"column {constant[0]!r} of data is already constant")
        if constant:
            return data
    if hasattr(data, "tocsr"):
        import scipy.sparse

        ones = scipy.sparse.csr_array(np.ones((data.shape[0], 1)))
        return scipy.sparse.hstack([ones, data] if prepend else [data, ones], format="csr")
    if isinstance(data, pd.DataFrame):
        data = data.copy(deep=False)
        data.insert(0 if prepend else data.shape[1], _NAME, 1.0, allow_duplicates=True)
        return data
    if hasattr(data, "columns"):
        import narwhals as nw

        frame = nw.from_native(data, eager_only=True)
        ones, rest = nw.lit(1.0).alias(_NAME), nw.all()
        return (
            frame.select(rest, ones)
            .select([_NAME, *frame.columns] if prepend else [*frame.columns, _NAME])
            .to_native()
        )
    array = np.asarray(data)
    array = array[:, None] if array.ndim == 1 else array
    ones = np.ones((len(array), 1), dtype=array.dtype if array.dtype.kind == "f" else np.float64)
    return np.hstack([ones, array] if prepend else [array, ones])


def _constant_columns(data: Any) -> list[str]:
    if hasattr(data, "tocsr"):
        if data.shape[0] == 1:
            return []
        columns = data.tocsc()
        full = np.flatnonzero(np.diff(columns.indptr) == data.shape[0])
        spans = [columns.data[columns.indptr[j] : columns.indptr[j + 1]] for j in full]
        return [f"x{j + 1}" for j, x in zip(full, spans, strict=True) if _constant(x)]
    if hasattr(data, "columns"):
        table = read_table(data)
        found = []
        for position, label in enumerate(table.names):
            if table.n_rows == 1 and label != _NAME:
                continue
            column = read_column(table.native_column(position), label)
            if column.values is not None and _constant(column.numbers):
                found.append(label)
        return found
    array = np.asarray(data)
    array = array[:, None] if array.ndim == 1 else array
    if array.dtype.kind not in "biuf" or len(array) == 1:
        return []
    return [f"x{j + 1}" for j in range(array.shape[1]) if _constant(array[:, j])]


def _constant(values: np.ndarray) -> bool:
    return len(values) > 0 and bool(values[0] != 0) and bool((values == values[0]).all())
