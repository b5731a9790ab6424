"""Owns the rows that effects of variables are averaged over, and their columns after a change."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.designs import Categorical, Dense, Split, assemble
from jaxglm.intake._dataset import Columns, Dataset
from jaxglm.intake._matrix import as_sparse
from jaxglm.intake._model import Model
from jaxglm.words import near_text

# A block of rows in some columns on the host: NumPy [n, k], or a SciPy CSR array.
Matrix = Any


class Part(NamedTuple):
    """What stands in some columns (public positions), and the sign with which it counts."""

    sign: float
    columns: np.ndarray
    matrix: Matrix


class FormulaRows:
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
        """The variables."""
        return self.variables.names

    @property
    def numbers_per_row(self) -> int:
        """Numbers that stand for a row."""
        widths = (c.width for term in self.variables.spec.terms for c in self._components(term))
        return sum(widths) + 1

    def _components(self, term: Any) -> list[Any]:
        return [self.variables.spec.components[i] for i in term.components]

    def take(self, rows: np.ndarray) -> "FormulaRows":
        """Some of the rows."""
        held = None if self._held is None else self._held.rows(rows)
        return FormulaRows(self.variables.take(rows), self._places, held)

    def with_values(self, settings: Mapping[str, Any]) -> "FormulaRows":
        """The rows where variables have other values, one for all rows or [n] numbers."""
        return FormulaRows(self.variables.with_values(settings), self._places)

    def matrix(self) -> Matrix:
        """All columns."""
        if self._held is not None:
            return _matrix(self._held)
        return self._of(self.variables.pieces(range(len(self._places))))

    def change(self, other: "FormulaRows", names: Sequence[str]) -> list[Part]:
        """What `other`, the rows with other values of some variables, has more in its columns."""
        terms = self.variables.terms(names)
        return [
            Part(sign, self._columns(terms), rows._of(rows.variables.pieces(terms)))
            for sign, rows in ((1.0, other), (-1.0, self))
        ]

    def slope(self, name: str, spread: float) -> list[Part]:
        """The derivative of the columns along a variable."""
        return [
            Part(1.0, self._columns(terms), self._of(pieces))
            for terms, pieces in self.variables.slopes(name, spread)
        ]

    def offset_change(self, other: "FormulaRows", names: Sequence[str]) -> np.ndarray | None:
        """What `other` has more in the offset of the formula."""
        before, after = self.variables.offset(names), other.variables.offset(names)
        return None if before is None or after is None else after - before

    def offset_slope(self, name: str, spread: float) -> np.ndarray | None:
        """The derivative of the offset of the formula along a variable."""
        return self.variables.offset_slope(name, spread)

    def numbers(self, name: str) -> np.ndarray:
        """A numeric variable, [n]."""
        return self.variables.numbers(name)

    def levels(self, name: str) -> io.Levels | None:
        """The levels of a variable of labels or truth values; None of numbers."""
        return self.variables.levels(name)

    def has_slope(self, name: str) -> bool:
        """Whether the variable enters as a number."""
        return self.variables.has_slope(name)

    def native(self, name: str) -> Any:
        """A variable as a table holds it."""
        column = self.variables.column(name)
        if column.values is not None:
            return column.values
        return pd.Categorical.from_codes(column.codes, categories=list(column.levels or ()))

    def _columns(self, terms: Sequence[int]) -> np.ndarray:
        places = [np.arange(self._places[t].start, self._places[t].stop) for t in terms]
        return np.concatenate([np.zeros(0, int), *places])

    def _of(self, pieces: Sequence[Any]) -> Matrix:
        return _matrix(Columns(*assemble(pieces, self.n), self.n))


class MatrixRows:
    """Rows of a matrix: each column is a variable of its own, but those that are constant."""

    def __init__(self, matrix: Matrix, columns: tuple[str, ...], names: tuple[str, ...]):
        self._matrix, self._all, self.names = matrix, columns, names
        self.n = matrix.shape[0]

    @property
    def numbers_per_row(self) -> int:
        """Numbers that stand for a row."""
        if isinstance(self._matrix, np.ndarray):
            return len(self._all)
        return 1 + self._matrix.nnz // max(self.n, 1)

    def take(self, rows: np.ndarray) -> "MatrixRows":
        """Some of the rows."""
        return MatrixRows(self._matrix[rows], self._all, self.names)

    def with_values(self, settings: Mapping[str, Any]) -> "MatrixRows":
        """The rows where columns have other values, one for all rows or [n] numbers."""
        places = np.array([self._place(name) for name in settings], int)
        values = np.zeros((self.n, places.size))
        for j, (name, given) in enumerate(settings.items()):
            numeric = np.asarray(given).dtype.kind in "biuf"
            if not (numeric and np.isfinite(given).all()):
                raise DataError(f"{name!r} holds numbers, and {given!r} is none")
            values[:, j] = given
        if isinstance(self._matrix, np.ndarray):
            matrix = self._matrix.astype(float)
            matrix[:, places] = values
        else:
            import scipy.sparse

            kept = np.ones(len(self._all))
            kept[places] = 0.0
            into = (np.ones(places.size), (np.arange(places.size), places))
            spread = scipy.sparse.csr_array(into, shape=(places.size, len(self._all)))
            matrix = (
                self._matrix @ scipy.sparse.diags_array(kept)
                + scipy.sparse.csr_array(values) @ spread
            ).tocsr()
        return MatrixRows(matrix, self._all, self.names)

    def matrix(self) -> Matrix:
        """All columns."""
        return self._matrix

    def change(self, other: "MatrixRows", names: Sequence[str]) -> list[Part]:
        """What `other`, the rows with other values of some columns, has more in them."""
        places = np.array([self._place(name) for name in names], int)
        return [
            Part(1.0, places, other._matrix[:, places]),
            Part(-1.0, places, self._matrix[:, places]),
        ]

    def slope(self, name: str, spread: float) -> list[Part]:
        """The derivative of the columns along one of them."""
        return [Part(1.0, np.array([self._place(name)]), np.ones((self.n, 1)))]

    def offset_change(self, other: "MatrixRows", names: Sequence[str]) -> None:
        """Nothing: an offset belongs to no column."""

    def offset_slope(self, name: str, spread: float) -> None:
        """Nothing: an offset belongs to no column."""

    def numbers(self, name: str) -> np.ndarray:
        """A column, [n]."""
        column = self._matrix[:, [self._place(name)]]
        if not isinstance(column, np.ndarray):
            column = column.toarray()
        return column[:, 0].astype(float)

    native = numbers

    def levels(self, name: str) -> None:
        """None: columns are numbers."""

    def has_slope(self, name: str) -> bool:
        """True: columns are numbers."""
        return True

    def _place(self, name: str) -> int:
        if name not in self._all:
            raise DataError(f"{name!r} is no column of X; {near_text(name, self._all)}")
        return self._all.index(name)


VariableRows = FormulaRows | MatrixRows


@dataclasses.dataclass(frozen=True)
class Population:
    """Rows to average over.

    Attributes
    ----------
    rows : FormulaRows or MatrixRows
    offset : [n] or None
    count : [n]
        Observations that each row stands for, more than 0.
    source : Table or None
        The table that they were read from.
    positions : [n] int
        Where they stand in what was given, of `n_given` rows.
    labels : Index or None
        The user's labels of the rows.
    """

    rows: VariableRows
    offset: np.ndarray | None
    count: np.ndarray
    source: io.Table | None
    positions: np.ndarray
    n_given: int
    labels: Any

    def groups(self, by: Any) -> tuple[np.ndarray, pd.Index]:
        """Codes of the groups that a column, several columns or values make, and their keys.

        Raises
        ------
        DataError
            Where a column is not there, or misses a value in a row that counts.
        """
        names = [by] if isinstance(by, str) else by
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
            if self.source is not None:
                codes, keys = io.segments_of(self.source, names)
                codes = codes[self.positions]
            else:
                own = io.read_table({name: self.rows.native(name) for name in names})
                codes, keys = io.segments_of(own, names)
        else:
            kept = self.positions
            codes, keys = io.groups_of_some(by, kept, self.n_given, self.labels, "by")
        if (codes < 0).any():
            raise DataError(f"by= misses a value in {io.rows_text(codes < 0)} of those that count")
        return codes, keys


def held_population(model: Model, what: str) -> Population:
    """The rows of a fit that count.

    Raises
    ------
    DataError
        Where they are held no longer, or were changed.
    """
    held = model.held(what)
    live = np.flatnonzero(held.rows.live)
    rows = _held_rows(model, held).take(live)
    return _of_fit(rows, held, live, None)


def new_population(
    model: Model, data: Any, *, offset: Any, exposure: Any, freq_weights: Any
) -> Population:
    """The rows of a table or matrix that miss nothing.

    Those of the fit, where it is the table of the fit and nothing is given beside it: then they
    count as they did there.

    Raises
    ------
    DataError
        As `Model.new_design`, and where the fit had freq_weights and they are not given.
    """
    rows, shift, missing, source = _new_rows(model, data)
    beside = {"offset": offset, "exposure": exposure, "freq_weights": freq_weights}
    kept = np.flatnonzero(~missing)
    held = model.dataset
    if held is not None and all(value is None for value in beside.values()):
        own = _places_of_fit(held, kept, missing.size)
        if own is not None and _are_same(rows, held, own):
            live = np.flatnonzero(held.rows.live)
            return _of_fit(rows.take(own[live]), held, live, source)
    if "freq_weights" in model.used and freq_weights is None:
        raise DataError(
            "The model was fitted with freq_weights=, and data= is not the table of the fit: pass "
            "freq_weights= with one value per row of it, a column name, or one value for all "
            "(freq_weights=1 counts each row once)."
        )
    index = None if source is None else source.index
    shift = model.offset_of(shift, data, missing, index, offset=offset, exposure=exposure)
    count = np.ones(missing.size)
    if freq_weights is not None:
        count = io.read_row_values(freq_weights, "freq_weights", data, missing.size, index)
        if not (count[kept] >= 0).all():
            raise DataError("freq_weights must be 0 or more in every row of data")
    unusable = np.zeros(missing.size, bool) if shift is None else np.isnan(shift)
    used = np.flatnonzero(~missing & ~unusable & (count > 0))
    if not used.size:
        raise DataError("data has no row that counts: each misses a value or has no weight")
    return Population(
        rows=rows.take(np.searchsorted(kept, used)),
        offset=None if shift is None else shift[used],
        count=count[used],
        source=source,
        positions=used,
        n_given=missing.size,
        labels=None if index is None else index[used],
    )


def _of_fit(
    rows: VariableRows, held: Dataset, live: np.ndarray, source: io.Table | None
) -> Population:
    vectors = held.rows.take(live)
    return Population(
        rows=rows,
        offset=vectors.offset,
        count=np.ones(live.size) if vectors.freq is None else vectors.freq,
        source=source,
        positions=live if held.kept is None else held.kept[live],
        n_given=held.n_given,
        labels=None if held.index is None else held.index[live],
    )


def _held_rows(model: Model, held: Dataset) -> VariableRows:
    columns = held.columns
    if model.spec is None:
        return _matrix_rows(_matrix(columns), model.names, held.rows.live)
    places = tuple(place for _, place in model.terms)
    values = _component_values(model.spec, places, columns)
    return FormulaRows(io.Variables.of_components(model.spec, columns.n, values), places, columns)


def _matrix_rows(matrix: Matrix, names: tuple[str, ...], counts: np.ndarray) -> MatrixRows:
    rows = np.flatnonzero(counts)
    used = matrix[rows] if rows.size < counts.size else matrix
    ends = (used.max(axis=0), used.min(axis=0))
    high, low = (end if isinstance(end, np.ndarray) else end.toarray().ravel() for end in ends)
    varies = tuple(name for name, differs in zip(names, high != low, strict=True) if differs)
    return MatrixRows(matrix, names, varies)


def _new_rows(
    model: Model, data: Any
) -> tuple[VariableRows, np.ndarray | None, np.ndarray, io.Table | None]:
    """Complete rows, offset of the formula in all rows, rows that miss values, and the table."""
    if model.spec is not None:
        model.check_table(data)
        variables, source, offset, missing = io.Variables.of_table(model.spec, data)
        places = tuple(place for _, place in model.terms)
        shift = None
        if offset is not None:
            shift = np.full(missing.size, np.nan)
            shift[~missing] = offset
        return FormulaRows(variables, places), shift, missing, source
    columns, _, gaps, _ = model.new_columns(data)
    missing = np.zeros(columns.n, bool) if gaps is None else gaps
    matrix = _matrix(columns)[np.flatnonzero(~missing)]
    source = io.read_table(data) if io.is_table(data) else None
    return _matrix_rows(matrix, model.names, np.ones(matrix.shape[0], bool)), None, missing, source


def _places_of_fit(held: Dataset, kept: np.ndarray, n: int) -> np.ndarray | None:
    """Where the rows of the fit stand among the complete ones of a table, if it can be that."""
    wanted = np.arange(held.n_given) if held.kept is None else held.kept
    if n != held.n_given or not np.isin(wanted, kept).all():
        return None
    return np.searchsorted(kept, wanted)


def _are_same(rows: VariableRows, held: Dataset, places: np.ndarray) -> bool:
    """Whether some rows have the columns of the rows of the fit."""
    mixed = np.random.default_rng(0).normal(size=held.order.size)
    here = held.columns.matvec(mixed)
    step = _rows_at_once(rows)
    for first in range(0, places.size, step):
        there = rows.take(places[first : first + step]).matrix() @ mixed
        if not np.allclose(there, here[first : first + step], rtol=1e-10, atol=1e-12):
            return False
    return True


def _rows_at_once(rows: VariableRows) -> int:
    return max(256, (1 << 21) // rows.numbers_per_row)


def chunks(rows: np.ndarray, like: VariableRows) -> Iterator[np.ndarray]:
    """Positions of rows, so many at a time that their columns take some ten megabytes."""
    step = _rows_at_once(like)
    for first in range(0, rows.size, step):
        yield rows[first : first + step]


def _component_values(
    spec: io.TermsSpec, places: tuple[slice, ...], columns: Columns
) -> list[np.ndarray | None]:
    """The components of a formula, where one makes the columns of a term by itself; else None."""
    values: list[np.ndarray | None] = [None] * len(spec.components)
    found = _parts_by_column(columns)
    for term, place in zip(spec.terms, places, strict=True):
        if len(term.components) != 1 or place.start == place.stop:
            continue
        (i,), (reduced,) = term.components, term.reduced
        component = spec.components[i]
        part, first = found[place.start]
        if isinstance(part, Categorical):
            codes = np.asarray(part.codes)
            if part.contrasts is None and reduced:
                codes = component.level_of_columns()[codes]
            values[i] = codes
        elif isinstance(part, Dense):
            own = np.asarray(part.values)[:, first : first + place.stop - place.start]
            values[i] = own if component.width > 1 else own[:, 0]
    return values


def _parts_by_column(columns: Columns) -> dict[int, tuple[Any, int]]:
    """For each public position the part of the design with that column, and which one it is."""
    design = columns.design
    found: dict[int, tuple[Any, int]] = {}
    start = 0
    for part in design.parts if isinstance(design, Split) else (design,):
        public = columns.order[start : start + part.n_columns]
        found |= {int(place): (part, j) for j, place in enumerate(public)}
        start += part.n_columns
    return found


def _matrix(columns: Columns) -> Matrix:
    """The columns as one matrix in public order: dense where they are, else the entries."""
    if isinstance(columns.design, Dense):
        return np.asarray(columns.design.values)[:, np.argsort(columns.order)]
    return as_sparse(columns)
