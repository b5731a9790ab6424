"""Owns rows whose variables can take other values: those of a formula, and what is asked of any."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm.designs import Dense, assemble
from jaxglm.intake._dataset import Columns
from jaxglm.intake._matrix import as_sparse

# A block of rows in some columns on the host: NumPy [n, k], or a SciPy CSR array.
Matrix = Any


class Part(NamedTuple):
    """What stands in some columns (public positions), and the sign with which it counts."""

    sign: float
    columns: np.ndarray
    matrix: Matrix


class VariableRows(abc.ABC):
    """Rows whose variables can take other values, and their columns then.

    Attributes
    ----------
    n : int
        How many rows.
    names : tuple of str
        The variables.
    """

    n: int

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]: ...

    @property
    @abc.abstractmethod
    def numbers_per_row(self) -> int:
        """Numbers that stand for a row."""

    @abc.abstractmethod
    def take(self, rows: np.ndarray) -> Self:
        """Some of the rows."""

    @abc.abstractmethod
    def with_values(self, settings: Mapping[str, Any]) -> Self:
        """The rows where variables have other values: one for all rows, or [n] numbers."""

    @abc.abstractmethod
    def matrix(self) -> Matrix:
        """All columns."""

    @abc.abstractmethod
    def change(self, other: Any, names: Sequence[str]) -> list[Part]:
        """What `other`, the rows with other values of some variables, has more in its columns."""

    @abc.abstractmethod
    def slope(self, name: str, spread: float) -> list[Part]:
        """The derivative of the columns along a variable; `spread` is the size of differences."""

    def offset_change(self, other: Any, names: Sequence[str]) -> np.ndarray | None:
        """What `other` has more in the offset, [n]; None where the variables are not part of it."""
        return None

    def offset_slope(self, name: str, spread: float) -> np.ndarray | None:
        """The derivative of the offset along a variable, [n]; None where it is not part of it."""
        return None

    @abc.abstractmethod
    def numbers(self, name: str) -> np.ndarray:
        """A numeric variable, [n] float64."""

    @abc.abstractmethod
    def levels(self, name: str) -> io.Levels | None:
        """The levels of a variable of labels or truth values; None of numbers."""

    @abc.abstractmethod
    def has_slope(self, name: str) -> bool:
        """Whether a variable enters as a number, and not by comparisons alone."""

    @abc.abstractmethod
    def native(self, name: str) -> Any:
        """A variable as a table holds it."""


class FormulaRows(VariableRows):
    """Rows of a formula: a variable moves every column that it is part of.

    Parameters
    ----------
    variables : io.Variables
    places : tuple of slice
        The columns of each term.
    held : Columns or None
        The columns of the rows as they are, where they need not be made.
    """

    def __init__(
        self, variables: io.Variables, places: tuple[slice, ...], held: Columns | None = None
    ):
        self.variables, self._places, self._held = variables, places, held
        self.n = variables.n

    @property
    def names(self) -> tuple[str, ...]:
        return self.variables.names

    @property
    def numbers_per_row(self) -> int:
        widths = (c.width for term in self.variables.spec.terms for c in self._components(term))
        return sum(widths) + 1

    def _components(self, term: Any) -> list[Any]:
        return [self.variables.spec.components[i] for i in term.components]

    def take(self, rows: np.ndarray) -> "FormulaRows":
        held = None if self._held is None else self._held.rows(rows)
        return FormulaRows(self.variables.take(rows), self._places, held)

    def with_values(self, settings: Mapping[str, Any]) -> "FormulaRows":
        return FormulaRows(self.variables.with_values(settings), self._places)

    def matrix(self) -> Matrix:
        if self._held is not None:
            return as_matrix(self._held)
        return self._of(self.variables.pieces(range(len(self._places))))

    def change(self, other: "FormulaRows", names: Sequence[str]) -> list[Part]:
        terms = self.variables.terms(names)
        return [
            Part(sign, self._columns(terms), rows._of(rows.variables.pieces(terms)))
            for sign, rows in ((1.0, other), (-1.0, self))
        ]

    def slope(self, name: str, spread: float) -> list[Part]:
        return [
            Part(1.0, self._columns(terms), self._of(pieces))
            for terms, pieces in self.variables.slopes(name, spread)
        ]

    def offset_change(self, other: "FormulaRows", names: Sequence[str]) -> np.ndarray | None:
        before, after = self.variables.offset(names), other.variables.offset(names)
        return None if before is None or after is None else after - before

    def offset_slope(self, name: str, spread: float) -> np.ndarray | None:
        return self.variables.offset_slope(name, spread)

    def numbers(self, name: str) -> np.ndarray:
        return self.variables.numbers(name)

    def levels(self, name: str) -> io.Levels | None:
        return self.variables.levels(name)

    def has_slope(self, name: str) -> bool:
        return self.variables.has_slope(name)

    def native(self, name: str) -> Any:
        column = self.variables.column(name)
        if column.values is not None:
            return column.values
        return pd.Categorical.from_codes(column.codes, categories=list(column.levels or ()))

    def _columns(self, terms: Sequence[int]) -> np.ndarray:
        places = [np.arange(self._places[t].start, self._places[t].stop) for t in terms]
        return np.concatenate([np.zeros(0, int), *places])

    def _of(self, pieces: Sequence[Any]) -> Matrix:
        return as_matrix(Columns(*assemble(pieces, self.n), self.n))


def as_matrix(columns: Columns) -> Matrix:
    """The columns as one matrix in public order: dense where they are, else the entries."""
    if not isinstance(columns.design, Dense):
        return as_sparse(columns)
    values, public = np.asarray(columns.design.values), np.arange(columns.order.size)
    return values if (columns.order == public).all() else values[:, np.argsort(columns.order)]
