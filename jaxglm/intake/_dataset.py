"""Owns the rows that a result keeps: the encoded columns of the fit and the vectors beside them."""

import copy
import dataclasses
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.algebra import Root
from jaxglm.designs import Dense, Design
from jaxglm.intake._fingerprint import Fingerprint
from jaxglm.sources import Block, Resident, Rows, in_parts
from jaxglm.sums import squared_lengths

_DOUBLE = np.dtype(np.float64)


def _product(block: Block, b: jax.Array) -> jax.Array:
    return block.design.matvec(b)


def _sums(block: Block) -> jax.Array:
    return block.design.rmatvec(block.rows.y)


@dataclasses.dataclass(frozen=True)
class Columns:
    """A host design that multiplies vectors in public column order."""

    design: Design
    order: np.ndarray
    n: int

    def rows(self, rows: np.ndarray) -> "Columns":
        """Some of the rows."""
        return Columns(self.design.take_rows(rows), self.order, len(rows))

    def absolute(self) -> "Columns":
        """Their absolute entries."""
        return Columns(self.design.absolute(), self.order, self.n)

    def matvec(self, b: np.ndarray) -> np.ndarray:
        """X b in float64, for b of shape [p] or [p, k]."""
        if self.n == 0 or self.order.size == 0:
            return np.zeros((self.n, *np.shape(b)[1:]))
        b = np.asarray(b, float)[self.order]
        if b.ndim == 1:
            return self.design.times(b)
        with computing():
            none = np.zeros(self.n)
            source = Resident(Block(self.design, Rows(none, none)), np.dtype(np.float64))
            (product,) = source.map(_product, b)
            return product

    def squared_lengths(self, dense: np.ndarray, signs: np.ndarray | None = None) -> np.ndarray:
        """Sums over the columns of (X dense)^2 in float64, [n], for `dense` of shape [p, k].

        With `signs` [k], -1 for columns whose squares are subtracted. Never holds X dense.
        """
        lengths = np.zeros(self.n)
        if self.n and dense.size:
            none = np.zeros(self.n)
            source = Resident(Block(self.design, Rows(none, none)), np.dtype(np.float64))
            root = Root(np.asarray(dense, float)[self.order], None)
            width = dense.shape[1]
            for which, own in in_parts(source, squared_lengths, root, signs, width=width):
                lengths[which] = own
        return lengths

    def rmatvec(self, v: np.ndarray) -> np.ndarray:
        """X' v in float64, [p], for v of shape [n]."""
        out = np.zeros(self.order.size)
        if self.n and self.order.size:
            with computing():
                source = Resident(Block(self.design, Rows(v, v)), np.dtype(np.float64))
                out[self.order] = np.asarray(source.reduce(_sums))
        return out


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The rows of a fit as it saw them: never saved, never pickled.

    Attributes
    ----------
    block : Block
        Columns and row vectors on the host. The vectors are the result's own; the columns too, but
        for a matrix that was read in place.
    order : [p] int
        The public position of each design column.
    index : Index or None
        The user's labels of these rows.
    kept : [n] int or None
        Positions of the rows in what the user gave; None if all are used.
    n_given : int
        Rows of what the user gave.
    fingerprint : Fingerprint or None
        Of columns that were read from the user's own matrix in place.
    in_place : bool
        They are still that matrix, no copy of some of its rows.
    table : weak reference or None
        To the table of the fit, where it is still there to look up a column that took no part.
    dtype : dtype
        Of the arithmetic of the fit.
    """

    block: Block
    order: np.ndarray
    index: Any
    kept: np.ndarray | None
    n_given: int
    fingerprint: Fingerprint | None = None
    in_place: bool = False
    table: Any = None
    dtype: np.dtype = _DOUBLE

    @property
    def labels(self) -> pd.Index:
        """The user's labels of the rows, or their numbers."""
        return pd.RangeIndex(len(self.rows)) if self.index is None else self.index

    @property
    def rows(self) -> Rows:
        """The vectors beside the columns."""
        return self.block.rows

    @property
    def columns(self) -> Columns:
        """The design of the rows."""
        return Columns(self.block.design, self.order, len(self.block.rows))

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take; columns in the user's own matrix count as nothing."""
        own = self.rows if self.in_place else self.block
        seal = self.fingerprint
        return nbytes(own, self.kept, None if seal is None else seal.numbers)

    def __deepcopy__(self, memo: Any) -> "Dataset":
        """What is the result's own never changes, and is shared; the user's matrix is copied."""
        if not self.in_place:
            return self
        return dataclasses.replace(self, block=copy.deepcopy(self.block, memo), in_place=False)

    def take(self, positions: np.ndarray) -> "Dataset":
        """Some of the rows, in this order."""
        return dataclasses.replace(
            self,
            block=self.block.take(positions),
            index=self.labels_of(positions),
            kept=self._given(positions),
            fingerprint=None if self.fingerprint is None else self.fingerprint.take(positions),
            in_place=False,
        )

    def labels_of(self, positions: np.ndarray) -> pd.Index:
        """The user's labels of some of the rows, or where they stand in what the user gave."""
        return pd.Index(self._given(positions)) if self.index is None else self.index[positions]

    def _given(self, positions: np.ndarray) -> np.ndarray:
        return positions if self.kept is None else self.kept[positions]

    def with_response(self, y: np.ndarray) -> "Dataset":
        """The rows with another response."""
        rows = dataclasses.replace(self.rows, y=y)
        return dataclasses.replace(self, block=Block(self.block.design, rows))

    def check(self, what: str) -> None:
        """Refuse `what` where the user's matrix is no longer the one that was fitted.

        Raises
        ------
        DataError
        """
        design = self.block.design
        if self.fingerprint is None or not isinstance(design, Dense):
            return
        changed = self.fingerprint.changed(design.values)
        if not changed.size:
            return
        first = ", ".join(str(int(row)) for row in self._given(changed[:5]))
        noun = "row" if changed.size == 1 else "rows"
        more = ", ..." if changed.size > 5 else ""
        instead = "" if what.endswith("()") else "; for new rows use predict(data=...)"
        raise DataError(
            f"X was changed in place after the fit: {changed.size:,} {noun} (first: {first}{more}) "
            f"hold other values now, so {what} would mix the coefficients of one X with the rows "
            "of another. Fit again; to change X between a fit and its use, fit a copy, "
            f"GLM(y, X.copy()), or fit with keep_data=False{instead}."
        )


def nbytes(*trees: Any) -> int:
    """Bytes of the arrays in some trees, each array once."""
    return sum(leaf.nbytes for leaf in {id(leaf): leaf for leaf in jax.tree.leaves(trees)}.values())
