"""Owns what a result knows beyond its arrays: names, family, formula, and the rows while held."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import Design, assemble, from_matrix
from jaxglm.families import Family
from jaxglm.rows import ALL_ROWS, UsedRows
from jaxglm.sources import Block, Resident, Rows


def log_exposure(exposure: np.ndarray, rows: UsedRows = ALL_ROWS) -> np.ndarray:
    """The offset that an exposure stands for under a log link; one not positive is refused."""
    rows.refuse(
        exposure <= 0, lambda found: f"exposure must be positive; {found.holding(exposure)}."
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(exposure)


def _product(block: Block, b: jax.Array) -> jax.Array:
    return block.design.matvec(b)


@dataclasses.dataclass(frozen=True)
class Columns:
    """A host design that multiplies vectors in public column order."""

    design: Design
    order: np.ndarray
    n: int

    def rows(self, rows: np.ndarray) -> "Columns":
        """Some of the rows."""
        return Columns(self.design.take_rows(rows), self.order, len(rows))

    def matvec(self, b: np.ndarray) -> np.ndarray:
        """X b in float64, for b of shape [p] or [p, k]."""
        if self.n == 0 or self.order.size == 0:
            return np.zeros((self.n, *np.shape(b)[1:]))
        with jax.enable_x64(True):
            none = np.zeros(self.n)
            source = Resident(Block(self.design, Rows(none, none)), np.dtype(np.float64))
            (product,) = source.map(_product, np.asarray(b, float)[self.order])
            return product


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The rows of a fit, by reference: never saved, never pickled.

    `columns` makes the design again when it is asked for, from the table or the arrays that the
    user gave; the vectors are the response and the weights as the fit used them. `codes_of` numbers
    the values of a column of the user's table in these rows, -1 where missing.
    """

    columns: Callable[[], Columns]
    rows: Rows
    index: Any
    codes_of: Callable[[str], np.ndarray] | None = None

    def matvec(self, b: np.ndarray) -> np.ndarray:
        """X b over the rows of the fit, for b of shape [p] or [p, k] in public column order."""
        return self.columns().matvec(b)


@dataclasses.dataclass(frozen=True)
class Model:
    """What was fitted.

    Attributes
    ----------
    names : tuple of str
        Column names in public order.
    terms : tuple of (str, slice)
        Which columns belong to which term of the formula.
    family : Family
        With its link and all parameters.
    formula : str or None
        As given; None for arrays.
    spec : TermsSpec or None
        What rebuilds the columns for new data.
    y_name : str
        Name of the response.
    event : str or None
        The label counted as success, for a response of two labels.
    used : frozenset of str
        Which of offset, exposure, trials, freq_weights, var_weights were given.
    dataset : Dataset or None
        The rows while held.
    """

    names: tuple[str, ...]
    terms: tuple[tuple[str, slice], ...]
    family: Family
    formula: str | None
    spec: io.TermsSpec | None
    y_name: str
    event: str | None
    used: frozenset[str]
    dataset: Dataset | None = None

    def new_design(
        self, data: Any, *, offset: Any = None, exposure: Any = None, unseen: str = "raise"
    ) -> tuple[Columns, np.ndarray | None, np.ndarray | None, Any]:
        """Columns, offset, missing-row mask and index for new data, one row per row given.

        Raises
        ------
        DataError
            Where a column is missing, a level is unseen, lengths differ, or an offset or exposure
            that the fit had is not given.
        """
        self._check_offset(offset, exposure)
        if self.spec is None:
            matrix, missing, index = io.read_new_matrix(data, self.names)
            columns = Columns(*from_matrix(matrix), matrix.shape[0])
            shift = None
        else:
            pieces, shift, missing = self.spec.pieces(data, unseen=unseen)
            table = io.read_table(data)
            n, index = table.n_rows, table.index
            columns = Columns(*assemble(pieces, n), n)
        extra = {"offset": offset, "exposure": exposure}
        for name, given in extra.items():
            if given is None:
                continue
            vector = io.read_row_values(given, name, data, columns.n, index)
            if name == "exposure":
                vector = log_exposure(vector)
            shift = vector if shift is None else shift + vector
        return columns, shift, missing, index

    def _check_offset(self, offset: Any, exposure: Any) -> None:
        for name, value in (("offset", offset), ("exposure", exposure)):
            if name in self.used and value is None:
                neutral = "offset=0 leaves it out" if name == "offset" else "exposure=1 gives rates"
                raise DataError(
                    f"The model was fitted with {name}=, so predictions on new data need it too: "
                    f"pass {name}= with one value per row, a column name, or one value for all "
                    f"({neutral})."
                )
