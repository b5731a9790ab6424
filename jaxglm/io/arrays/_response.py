"""Owns the reading of a response that is an array: numbers, labels, or counts in two columns."""

from typing import Any

import numpy as np

from jaxglm.io.arrays._matrix import missing_rows, read_matrix
from jaxglm.io.formula import Labels, Response
from jaxglm.io.tables import aligned, check_length, one_column, read_vector, rows_text
from jaxglm.rows import ONE_FIT, OneFit


def read_response(
    y: Any,
    n: int,
    index: Any = None,
    name: str = "y",
    *,
    allow_missing: bool = False,
    fits: OneFit = ONE_FIT,
) -> Response:
    """Read a response: numbers, booleans, labels, or [n, 2] successes and failures.

    Raises
    ------
    DataError
        For another length or shape, or an index that does not fit.
    """
    if width_of(y) == 2:
        check_length(y.shape[0] if hasattr(y, "shape") else len(y), n, name)
        y = aligned(y, index, name)
        counts, _, _ = read_matrix(y, name, allow_missing=allow_missing, fits=fits)
        counts = np.asarray(counts, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            trials = counts.sum(axis=1)
        return Response(counts[:, 0], trials, None, missing_rows(counts))
    column = one_column(y, name, n, index, fits)
    if column.codes is None:
        y = read_vector(y, name, n, index, allow_missing=allow_missing, fits=fits)
        return Response(y, missing=column.missing)
    if column.missing is not None and not allow_missing:
        fits.refuse(
            np.flatnonzero(column.missing),
            lambda rows: f"{name} has missing values in {rows_text(rows)}",
        )
    return Response.of_labels(Labels(column.codes, column.levels or ()), column.missing)


def width_of(values: Any) -> int:
    """The number of columns of what was given as an array or a frame."""
    shape = getattr(values, "shape", None)
    shape = np.shape(values) if shape is None else shape
    return int(shape[1]) if len(shape) == 2 else 1
