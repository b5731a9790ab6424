"""Owns the reading of a design matrix: an array, a frame or a sparse matrix."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables import is_table, read_table, rows_text
from jaxglm.io.tables._column import read_column
from jaxglm.rows import ONE_FIT, OneFit

_ENCODE = "use the formula door, jaxglm.glm('y ~ ...', data), which makes factors, or encode it"


def read_matrix(
    X: Any, name: str = "X", *, allow_missing: bool = False, fits: OneFit = ONE_FIT
) -> tuple[Any, list[str], Any]:
    """Read a design matrix given as an array, a frame or a SciPy sparse matrix.

    Parameters
    ----------
    X : [n, p] or [n]
        NumPy or JAX array, data frame, SciPy sparse matrix; real numbers of any dtype.
    name : str
        What messages call it.
    allow_missing : bool
        Let NaN pass.
    fits : OneFit
        Refuses rows with infinite values, and NaN where that is not let pass.

    Returns
    -------
    values : [n, p] float64 or float32, or SciPy sparse
        float32 only for float32 input; sparse input stays sparse. Not a copy where none is needed.
    names : list of str
        Of the frame's columns; else x1, x2, ..., and const for a column of ones.
    index : pandas.Index or None

    Raises
    ------
    DataError
        For text, complex numbers, a wrong number of dimensions, or no rows or columns.
    """
    if hasattr(X, "tocsr") and hasattr(X, "nnz"):
        return _read_sparse(X, name, allow_missing, fits)
    if _is_series(X):
        X = {X.name or "x1": X} if not isinstance(X, pd.Series) else X.to_frame(X.name or "x1")
    if is_table(X):
        values, names, index = _read_frame(X, name)
    else:
        values, names, index = _read_array(X, name), None, None
    if values.shape[1] == 0:
        raise DataError(f"{name} has no columns; at least one predictor or a constant is needed")
    if values.shape[0] == 0:
        raise DataError(f"{name} is empty: it has no rows")
    names = names or _default_names(values)
    _check_finite(values, names, name, allow_missing, fits)
    return values, names, index


def in_place(values: Any, X: Any) -> bool:
    """Whether what `read_matrix` made of X may be memory that somebody else writes to."""
    if not isinstance(values, np.ndarray):
        return False  # a design of sparse entries is made of copies
    if isinstance(X, np.ndarray):
        return np.may_share_memory(values, X)
    if isinstance(X, list | tuple):
        return False
    # A frame's columns are brought together in an array of its own, or are one block of pandas:
    # several blocks come as a view of a copy.
    # Other owners of memory (JAX, PyTorch, xarray) hand out their own array, or a view.
    if isinstance(X, pd.DataFrame):
        return any(np.may_share_memory(values, X.iloc[:, j].to_numpy()) for j in range(X.shape[1]))
    return not (is_table(X) and values.flags.owndata)


def missing_rows(*arrays: Any) -> np.ndarray | None:
    """Rows with a NaN in any of the arrays (dense, sparse or None); None for none."""
    found = None
    for array in arrays:
        if array is None:
            continue
        if hasattr(array, "tocoo"):
            entries = array.tocoo()
            where = np.zeros(array.shape[0], dtype=bool)
            where[entries.row[np.isnan(entries.data)]] = True
        else:
            with np.errstate(all="ignore"):
                if np.isfinite(array.sum()):
                    continue
            where = np.isnan(array)
            where = where if array.ndim == 1 else where.any(axis=1)
        if where.any():
            found = where if found is None else found | where
    return found


def _is_series(X: Any) -> bool:
    return hasattr(X, "name") and hasattr(X, "dtype") and not hasattr(X, "columns")


def _read_array(X: Any, name: str) -> np.ndarray:
    mask = np.ma.getmaskarray(X) if isinstance(X, np.ma.MaskedArray) else None
    array = np.asarray(X)
    if array.dtype.names:
        raise DataError(
            f"{name} is a structured array; give a frame of its fields, pd.DataFrame({name}), or "
            "an array [rows, columns]"
        )
    if array.ndim == 1:
        array = array[:, None]
        mask = mask[:, None] if mask is not None else None
    if array.ndim != 2:
        raise DataError(f"{name} has shape {array.shape}; it must be [rows, columns]")
    values = _real(array, name)
    return values if mask is None or not mask.any() else np.where(mask, np.nan, values)


def _real(array: np.ndarray, name: str) -> np.ndarray:
    kind = array.dtype.kind
    if kind == "c":
        raise DataError(f"{name} is complex; its columns must be real numbers")
    if kind in "OUST":
        return _from_objects(array, name)
    if kind in "mM":
        raise DataError(f"{name} holds dates or times; convert its columns to numbers")
    if array.dtype == np.float64 or array.dtype == np.float32:
        return array
    # JAX's bfloat16 and the like have NumPy kind V.
    narrow = (kind in "fV") and array.dtype.itemsize < 4
    return array.astype(np.float32 if narrow else np.float64)


def _from_objects(array: np.ndarray, name: str) -> np.ndarray:
    values = np.empty(array.shape)
    for j in range(array.shape[1]):
        label = f"x{j + 1}"
        column = read_column(array[:, j], label)
        if column.values is None:
            raise DataError(
                f"column {label!r} of {name} holds strings, such as "
                f"{(column.levels or ('',))[0]!r}, not numeric values; {_ENCODE}"
            )
        values[:, j] = column.values
        if column.missing is not None:
            values[column.missing, j] = np.nan
    return values


def _read_frame(X: Any, name: str) -> tuple[np.ndarray, list[str], Any]:
    table = read_table(X)
    kinds = set(X.dtypes) if isinstance(X, pd.DataFrame) else set()
    if len(kinds) == 1 and kinds <= {np.dtype(np.float64), np.dtype(np.float32)}:
        return X.to_numpy(), list(table.names), table.index  # one block of memory: no copy
    columns = [read_column(table.native_column(i), label) for i, label in enumerate(table.names)]
    dtypes = set()
    for column in columns:
        if column.values is None:
            raise DataError(
                f"column {column.name!r} of {name} holds labels (strings or categories), not "
                f"numeric values; {_ENCODE}"
            )
        dtypes.add(column.values.dtype)
    single = dtypes == {np.dtype(np.float32)}
    values = np.empty((table.n_rows, len(columns)), np.float32 if single else np.float64)
    for j, column in enumerate(columns):
        values[:, j] = column.values
        if column.missing is not None:
            values[column.missing, j] = np.nan
    return values, list(table.names), table.index


def _read_sparse(
    X: Any, name: str, allow_missing: bool, fits: OneFit
) -> tuple[Any, list[str], None]:
    if len(X.shape) != 2 or 0 in X.shape:
        raise DataError(f"{name} has shape {X.shape}; it must have rows and columns")
    if X.dtype.kind == "c":
        raise DataError(f"{name} is complex; its columns must be real numbers")
    values = X if X.dtype in (np.float64, np.float32) else X.astype(np.float64)
    names = [f"x{j + 1}" for j in range(X.shape[1])]
    entries = values.tocoo()
    bad = ~np.isfinite(entries.data) if not allow_missing else np.isinf(entries.data)
    for column in np.unique(entries.col[bad]):
        rows = np.sort(entries.row[bad & (entries.col == column)])
        _refuse(fits, rows, names[column], name, "NaN or infinite values")
    return values, names, None


def _check_finite(
    values: np.ndarray, names: Sequence[str], name: str, allow_missing: bool, fits: OneFit
) -> None:
    """One summing pass in the usual case; the columns are looked at only if that is not finite."""
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum()):
            return
    for j, label in enumerate(names):
        column = values[:, j]
        _refuse(fits, np.flatnonzero(np.isinf(column)), label, name, "infinite values")
        if not allow_missing:
            _refuse(fits, np.flatnonzero(np.isnan(column)), label, name, "missing values (NaN)")


def _refuse(fits: OneFit, rows: np.ndarray, label: str, name: str, what: str) -> None:
    advice = ", or use missing='drop'" if "NaN" in what else ""
    fits.refuse(
        rows,
        lambda own: (
            f"column {label!r} of {name} has {what} in {rows_text(own)}; remove those rows or "
            f"recode the values{advice}"
        ),
    )


def _default_names(values: np.ndarray) -> list[str]:
    """The names statsmodels gives: const for the first column of ones, x1, x2, ... for others."""
    ones = next((j for j in np.flatnonzero(values[0] == 1) if (values[:, j] == 1).all()), None)
    others = itertools.count(1)
    return ["const" if j == ones else f"x{next(others)}" for j in range(values.shape[1])]
