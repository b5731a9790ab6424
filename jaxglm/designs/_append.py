"""Owns the joining of numeric columns to a design of any kind, on the host."""

import dataclasses

import numpy as np

from jaxglm.designs._base import Design
from jaxglm.designs._dense import Dense
from jaxglm.designs._sparse import Sparse
from jaxglm.designs._split import Split


def append(design: Design, order: np.ndarray, values: np.ndarray) -> tuple[Design, np.ndarray]:
    """A design with the columns of `values` [n, k] too, and its order.

    In public order they are the last ones. In a design with factors they stand before these, since
    numeric columns are gathered in front.

    Parameters
    ----------
    design : Design
    order : [p] int
        The public position of each design column.
    values : [n, k]
    """
    width = values.shape[1]
    last = order.size + np.arange(width)
    if isinstance(design, Split):
        front = design.numeric.n_columns
        numeric = Dense(np.column_stack([np.asarray(design.numeric.values), values]))
        order = np.concatenate([order[:front], last, order[front:]])
        return dataclasses.replace(design, numeric=numeric), order
    order = np.append(order, last)
    if isinstance(design, Sparse):
        rows, columns = np.nonzero(values)
        return dataclasses.replace(
            design,
            values=np.append(design.values, values[rows, columns]),
            rows=np.append(design.rows, rows.astype(np.int32)),
            columns=np.append(design.columns, (design.width + columns).astype(np.int32)),
            width=design.width + width,
        ), order
    assert isinstance(design, Dense)
    return Dense(np.column_stack([np.asarray(design.values), values])), order
