"""Owns the way from the user's rows to segments: the doors of a single fit, then rows in order.

Imports `_intake`, `_model`, `_problem`, `_segments`, `_status`, families and io.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm import _intake, io
from jaxglm._model import Model
from jaxglm._status import DataError
from jaxglm.families import Family
from jaxglm.groups._segments import Segments


@dataclasses.dataclass(frozen=True)
class GroupIntake:
    """Segments with the model they are of.

    Attributes
    ----------
    segments : Segments
    model : Model
        What all segments share; it holds no rows.
    keys : Index or MultiIndex
        One per segment, also of those without a row left.
    index : Index or None
        The user's labels of the rows, in the order of `segments`.
    native : str
        Where the data live, as `io.Table.native`.
    notes : tuple of str
    """

    segments: Segments
    model: Model
    keys: Any
    index: Any
    native: str
    notes: tuple[str, ...]


def from_formula(
    formula: str,
    data: Any,
    by: str | Sequence[str],
    family: Family,
    vectors: Mapping[str, Any],
    *,
    missing: str,
    context: Mapping[str, Any] | None,
    dtype: np.dtype,
) -> GroupIntake:
    """The segments of a table by the values of its columns `by`.

    The formula is read once, for the whole table: the levels of a factor and what a transform
    learns (the knots of bs, the mean of center) are those of all segments together.
    """
    table = io.read_table(data)
    names = [by] if isinstance(by, str) else list(by)
    codes, keys = io.segments_of(table, names)
    intake = _intake.from_formula(
        formula, table, family, vectors, missing=missing, context=context, dtype=dtype
    )
    return _grouped(intake, codes, keys, table.native)


def from_arrays(
    y: Any,
    X: Any,
    groups: Any,
    family: Family,
    vectors: Mapping[str, Any],
    *,
    missing: str,
    dtype: np.dtype,
) -> GroupIntake:
    """The segments of arrays by `groups`: one value per row, or several in a frame or a list."""
    codes, keys = io.groups_of(groups, len(y), getattr(X, "index", getattr(y, "index", None)))
    intake = _intake.from_arrays(y, X, family, vectors, missing=missing, dtype=dtype)
    return _grouped(intake, codes, keys, "pandas")


def _grouped(intake: _intake.Intake, codes: np.ndarray, keys: Any, native: str) -> GroupIntake:
    """The rows of an intake brought into the order of their segments."""
    if (codes < 0).any():
        raise DataError("missing key")
    problem, rows = intake.problem, intake.rows
    order, starts = _order(codes if rows is None else codes[rows], len(keys))
    index = intake.model.dataset.index
    if order is not None:
        problem = problem.take_rows(order)
        rows = order if rows is None else rows[order]
        index = None if index is None else index[order]
    elif rows is None:
        rows = np.arange(codes.size)
    return GroupIntake(
        segments=Segments(problem, starts, rows, {}),
        model=dataclasses.replace(intake.model, dataset=None),
        keys=keys,
        index=index,
        native=native,
        notes=intake.notes,
    )


def _order(codes: np.ndarray, count: int) -> tuple[np.ndarray | None, np.ndarray]:
    """The rows by segment, each segment's in the order given, and where each segment starts.

    Rows of a negative code are left out; None stands for all rows as they are.
    """
    if (codes[1:] >= codes[:-1]).all() and (codes.size == 0 or codes[0] >= 0):
        return None, np.searchsorted(codes, np.arange(count + 1))
    import scipy.sparse

    placed = np.flatnonzero(codes >= 0) if codes.min() < 0 else None
    if placed is not None:
        codes = codes[placed]
    # The columns of an incidence matrix: a counting sort.
    ones = np.broadcast_to(np.int8(1), codes.size)
    begins = np.arange(codes.size + 1, dtype=np.int32 if codes.size < 2**31 else np.int64)
    sorted_ = scipy.sparse.csr_array((ones, codes, begins), shape=(codes.size, count)).tocsc()
    order = sorted_.indices if placed is None else placed[sorted_.indices]
    return order, sorted_.indptr.astype(np.int64)
