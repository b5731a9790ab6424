"""Owns the columns of a design written out, as a table or a sparse matrix, and their response."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import assemble
from jaxglm.intake._dataset import Columns

# Numbers written at a time: 32 MiB beside the table itself.
_CHUNK_NUMBERS = 1 << 22


class ModelMatrices(NamedTuple):
    """The two sides of a formula, `y, X = jg.design(...)`; `GLM(y, X)` fits them.

    Attributes
    ----------
    y : Series [n], DataFrame [n, 2] or None
        The response: 0 and 1 for two labels (1 is the second in order), `successes` and `failures`
        for ``cbind(successes, failures)``; None for a formula without a left side.
    X : DataFrame [n, p]
        The columns, an intercept among them unless the formula leaves it out.
    """

    y: pd.Series | pd.DataFrame | None
    X: pd.DataFrame


def model_matrices(frame: io.ModelFrame) -> ModelMatrices:
    """The two sides of a formula that was evaluated; no response where it has no left side."""
    n = frame.n_rows
    index = pd.RangeIndex(n) if frame.index is None else frame.index
    X = as_table(Columns(*assemble(frame.pieces, n), n), frame.names, index)
    if not frame.y_name:
        return ModelMatrices(None, X)
    if frame.trials is None:
        return ModelMatrices(pd.Series(np.array(frame.y), index=index, name=frame.y_name), X)
    counts = {"successes": frame.y, "failures": frame.trials - frame.y}
    return ModelMatrices(pd.DataFrame(counts, index=index), X)


def as_table(
    columns: Columns, names: Sequence[str], index: Any, missing: np.ndarray | None = None
) -> pd.DataFrame:
    """A frame [n, p] of float64 in public column order; nan in the rows that are `missing`."""
    values = np.zeros((columns.n, columns.order.size))
    step = max(1, _CHUNK_NUMBERS // max(columns.order.size, 1))
    for first in range(0, columns.n, step):
        part = columns.rows(np.arange(first, min(first + step, columns.n)))
        entries, rows, places = part.design.entries()
        values[first + rows, part.order[places]] = entries
    if missing is not None:
        values[missing] = np.nan
    return pd.DataFrame(values, index=index, columns=list(names), copy=False)


def as_sparse(columns: Columns, missing: np.ndarray | None = None) -> Any:
    """A SciPy CSR array [n, p] of float64 in public column order.

    Raises
    ------
    DataError
        Where rows are `missing`.
    """
    import scipy.sparse

    if missing is not None:
        raise DataError(
            f"values are missing in {io.rows_text(missing)} of data, and a sparse matrix has no "
            "place for that: leave these rows out before"
        )
    entries, rows, places = columns.design.entries()
    shape = (columns.n, columns.order.size)
    triples = (entries.astype(float), (rows, columns.order[places]))
    return scipy.sparse.csr_array(triples, shape=shape)
