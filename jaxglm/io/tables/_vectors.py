"""Owns vectors that stand beside a table: one value per row, in the order of its index."""

from typing import Any, SupportsFloat

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._column import Column, read_column
from jaxglm.io.tables._messages import rows_text
from jaxglm.io.tables._table import read_table
from jaxglm.rows import ONE_FIT, OneFit


def read_vector(
    v: Any,
    name: str,
    n: int,
    index: Any = None,
    *,
    allow_missing: bool = False,
    fits: OneFit = ONE_FIT,
) -> np.ndarray:
    """Read one number per row: weights, an offset, an exposure.

    Parameters
    ----------
    v : [n], [n, 1] or a number
        One number holds for all rows.
    name : str
        What messages call it.
    n : int
        Rows of the data.
    index : pandas.Index or None
        Of the data; a pandas `v` is brought into its order, or refused.
    allow_missing : bool
        Let NaN pass.
    fits : OneFit
        Refuses rows with infinite values, and with NaN where that is not let pass.

    Returns
    -------
    float64 [n]

    Raises
    ------
    DataError
        For another length, labels, or an index that does not fit.
    """
    if getattr(v, "ndim", 0) == 0 and isinstance(v, SupportsFloat) and not isinstance(v, bool):
        v = np.full(n, float(v))
    column = one_column(v, name, n, index, fits)
    if column.values is None:
        raise DataError(f"{name} holds labels ({column.levels}); one number per row is needed")
    values = column.numbers.astype(np.float64, copy=False)
    if column.missing is not None and not allow_missing:
        fits.refuse(
            np.flatnonzero(column.missing),
            lambda rows: (
                f"{name} has missing values (NaN) in {rows_text(rows)}; remove those rows, "
                "fill them in, or use missing='drop'"
            ),
        )
    return values


def check_aligned(own: Any, index: Any, name: str, other: str = "X") -> np.ndarray | None:
    """How to bring values with the index `own` into the order of `index`.

    Returns
    -------
    int [n] or None
        Positions to take; None if nothing is to be done or one side has no index.

    Raises
    ------
    DataError
        If the labels differ, or repeat in another order, so that pairing would be a guess.
    """
    if own is None or index is None or own.equals(index):
        return None
    if own.is_unique and index.is_unique and len(own) == len(index):
        order = own.get_indexer(index)
        if (order >= 0).all():
            return order
    differ = np.flatnonzero(np.asarray(own[: len(index)]) != np.asarray(index[: len(own)]))
    first = int(differ[0]) if len(differ) else min(len(own), len(index))
    raise DataError(
        f"the index of {name} is not that of {other} (they part at row {first}, counting from 0) "
        "and cannot be aligned by its labels; give both the same index, or pass NumPy arrays to "
        "pair them by position"
    )


def one_column(v: Any, name: str, n: int, index: Any, fits: OneFit) -> Column:
    """A vector as a column of NumPy values, in the order of `index`."""
    if hasattr(v, "__len__") and getattr(v, "shape", None) != ():
        check_length(len(v), n, name)
        v = aligned(v, index, name)
    if hasattr(v, "columns"):
        table = read_table(v)
        if len(table.names) != 1:
            raise DataError(f"{name} has {len(table.names)} columns; one value per row is needed")
        v = table.native_column(0)
    elif not hasattr(v, "__len__"):
        raise DataError(f"{name} is a single {type(v).__name__}; one value per row is needed")
    try:
        column = read_column(v, name)
    except DataError as error:
        raise DataError(str(error).replace(f"column {name!r}", name)) from None
    column.refuse_infinite(fits, name)
    return column


def check_length(length: int, n: int, name: str) -> None:
    if length != n:
        raise DataError(f"{name} has length {length}, but the data have {n} rows")


def aligned(v: Any, index: Any, name: str) -> Any:
    """A pandas object in the order of `index`; other things as they are."""
    if not isinstance(v, pd.Series | pd.DataFrame):
        return v
    order = check_aligned(v.index, index, name)
    return v if order is None else v.iloc[order]
