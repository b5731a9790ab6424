"""Owns the way from pieces (public column order) or a matrix to one host design."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxglm._tuning import tuning
from jaxglm.designs._base import Design
from jaxglm.designs._categorical import Categorical
from jaxglm.designs._dense import Dense
from jaxglm.designs._pieces import DensePiece, FactorPiece
from jaxglm.designs._sparse import Sparse
from jaxglm.designs._split import Split


def assemble(pieces: Sequence[DensePiece | FactorPiece], n: int) -> tuple[Design, np.ndarray]:
    """One design of all pieces, and `order`: design column j is public column order[j].

    Dense pieces are gathered in front, since one product with all numeric columns is cheaper than
    one for each run of them; the factor with the most levels comes last, where it is eliminated.
    """
    starts = np.cumsum([0, *(len(piece.names) for piece in pieces)])
    numeric: list[np.ndarray] = []
    factors: list[Categorical] = []
    numeric_order: list[np.ndarray] = []
    factor_order: list[np.ndarray] = []
    for start, piece in zip(starts[:-1], pieces, strict=True):
        columns = np.arange(start, start + len(piece.names))
        if isinstance(piece, DensePiece):
            numeric.append(piece.values)
            numeric_order.append(columns)
        else:
            factors.append(_categorical(piece))
            factor_order.append(columns)
    last = _to_eliminate(factors)
    if last is not None:
        factors.append(factors.pop(last))
        factor_order.append(factor_order.pop(last))
    order = np.concatenate([np.empty(0, int), *numeric_order, *factor_order]).astype(int)
    dense = Dense(_side_by_side(numeric, n))
    split = Split(dense, tuple(factors), eliminated=last is not None)
    return (split if factors else dense), order


def _to_eliminate(factors: list[Categorical]) -> int | None:
    """The factor with the most levels, if eliminating it from the information pays."""
    plain = [
        (factor.n_levels, i)
        for i, factor in enumerate(factors)
        if factor.contrasts is None and factor.multiplier is None
    ]
    levels, index = max(plain, default=(0, 0))
    return index if levels >= tuning().least_eliminated else None


def from_matrix(matrix: Any) -> tuple[Design, np.ndarray]:
    """A design of one matrix, NumPy [n, p] or SciPy sparse, and its (trivial) column order."""
    order = np.arange(matrix.shape[1])
    if not hasattr(matrix, "tocoo"):
        return Dense(matrix), order
    entries = matrix.tocoo(copy=True)  # what follows works in place
    entries.sum_duplicates()
    design = Sparse(
        values=entries.data,
        rows=entries.row.astype(np.int32),
        columns=entries.col.astype(np.int32),
        n_rows=matrix.shape[0],
        width=matrix.shape[1],
    )
    return design, order


def _side_by_side(arrays: list[np.ndarray], n: int) -> np.ndarray:
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([np.empty((n, 0)), *arrays], axis=1)


def _categorical(piece: FactorPiece) -> Categorical:
    contrasts, codes, width = piece.contrasts, piece.codes, len(piece.names)
    if contrasts is None and piece.n_levels > width + 1:
        codes = np.minimum(codes, width)  # several codes may stand for "no column"
    return Categorical(
        codes=codes,
        multiplier=piece.multiplier,
        n_levels=width if contrasts is None else piece.n_levels,
        contrasts=None if contrasts is None else tuple(map(tuple, np.asarray(contrasts).tolist())),
    )
