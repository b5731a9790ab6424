"""Owns the way from pieces (public column order) to one host design, and the choice of columns.

Imports the designs and `designs._pieces` only; all arrays here are NumPy.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxglm.designs._base import Design
from jaxglm.designs._categorical import Categorical
from jaxglm.designs._dense import Dense
from jaxglm.designs._pieces import DensePiece, FactorPiece
from jaxglm.designs._sparse import Sparse
from jaxglm.designs._split import Split


def assemble(pieces: Sequence[DensePiece | FactorPiece], n: int) -> tuple[Design, np.ndarray]:
    """One design of all pieces, and `order`: design column j is public column order[j].

    Dense pieces are gathered in front, since one product with all numeric columns is cheaper than
    one for each run of them.
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
    order = np.concatenate([np.empty(0, int), *numeric_order, *factor_order]).astype(int)
    dense = Dense(_side_by_side(numeric, n))  # type: ignore[arg-type]
    return (Split(dense, tuple(factors)) if factors else dense), order


def from_matrix(matrix: Any) -> tuple[Design, np.ndarray]:
    """A design of one matrix, NumPy [n, p] or SciPy sparse, and its (trivial) column order."""
    order = np.arange(matrix.shape[1])
    if not hasattr(matrix, "tocoo"):
        return Dense(matrix), order
    entries = matrix.tocoo()
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
        codes=codes,  # type: ignore[arg-type]
        multiplier=piece.multiplier,  # type: ignore[arg-type]
        n_levels=width if contrasts is None else piece.n_levels,
        contrasts=None if contrasts is None else tuple(map(tuple, np.asarray(contrasts).tolist())),
    )


def select_columns(design: Design, keep: np.ndarray) -> Design:
    """The design with the columns where `keep` ([p] bool) holds; factors stay factors."""
    if isinstance(design, Dense):
        return Dense(np.asarray(design.values)[:, keep])  # type: ignore[arg-type]
    if isinstance(design, Split):
        ends = np.cumsum([part.n_columns for part in design.parts])
        numeric, *factors = np.split(keep, ends[:-1])
        kept = [
            select_columns(factor, mask)
            for factor, mask in zip(design.factors, factors, strict=True)
            if mask.any()
        ]
        dense = Dense(np.asarray(design.numeric.values)[:, numeric])  # type: ignore[arg-type]
        return Split(dense, tuple(kept)) if kept else dense  # type: ignore[arg-type]
    if isinstance(design, Categorical):
        if design.contrasts is not None:
            contrasts = np.asarray(design.contrasts)[:, keep]
            return dataclasses.replace(design, contrasts=tuple(map(tuple, contrasts.tolist())))
        count = int(keep.sum())
        # A level whose column is left out joins the reference: "no column".
        renumbered = np.append(np.where(keep, np.cumsum(keep) - 1, count), count).astype(np.int32)
        codes = renumbered[np.asarray(design.codes)]
        return dataclasses.replace(design, codes=codes, n_levels=count)
    if isinstance(design, Sparse):
        columns = np.asarray(design.columns)
        stored = keep[columns]
        return Sparse(
            values=np.asarray(design.values)[stored],  # type: ignore[arg-type]
            rows=np.asarray(design.rows)[stored],  # type: ignore[arg-type]
            columns=(np.cumsum(keep) - 1)[columns[stored]].astype(np.int32),  # type: ignore[arg-type]
            n_rows=design.n_rows,
            width=int(keep.sum()),
        )
    raise TypeError(f"no column selection for {type(design).__name__}")


def select_rows(design: Design, rows: np.ndarray | slice) -> Design:
    """The design of some rows (an index, a mask or a slice)."""
    if isinstance(design, Dense):
        return Dense(np.asarray(design.values)[rows])  # type: ignore[arg-type]
    if isinstance(design, Split):
        factors = tuple(select_rows(factor, rows) for factor in design.factors)
        return Split(select_rows(design.numeric, rows), factors)  # type: ignore[arg-type]
    if isinstance(design, Categorical):
        multiplier = design.multiplier
        return dataclasses.replace(
            design,
            codes=np.asarray(design.codes)[rows],
            multiplier=None if multiplier is None else np.asarray(multiplier)[rows],
        )
    if isinstance(design, Sparse):
        chosen = np.arange(design.n_rows)[rows]
        new_row = np.full(design.n_rows, -1)
        new_row[chosen] = np.arange(chosen.size)
        target = new_row[np.asarray(design.rows)]
        stored = target >= 0
        return dataclasses.replace(
            design,
            values=np.asarray(design.values)[stored],
            rows=target[stored].astype(np.int32),
            columns=np.asarray(design.columns)[stored],
            n_rows=chosen.size,
        )
    raise TypeError(f"no row selection for {type(design).__name__}")
